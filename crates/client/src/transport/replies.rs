//! The messages of an answer: frames out of chunks, messages out of frames, and the status at the end.
//!
//! **Invariant:** an answer that has no status has not ended: the connection was lost. No length that a peer writes makes
//! this allocate more than a message may have.

use std::marker::PhantomData;

use base64::Engine;
use bytes::{Buf, Bytes, BytesMut};
use freehold_wire::dispatch::MAX_MESSAGE;
use h2::RecvStream;
use http::HeaderMap;
use prost::Message;
use tonic::Status;

use super::pump::Pump;
use crate::codec::BASE64;
use crate::fault::Fault;

/// A flag and a length of four bytes.
const PREFIX: usize = 5;

/// The messages of an answer, to come.
pub(crate) struct Replies<Reply> {
    body: RecvStream,
    frames: Frames,
    /// The status was in the headers.
    decided: bool,
    trailers: Option<HeaderMap>,
    _pump: Option<Pump>,
    reply: PhantomData<fn() -> Reply>,
}

/// Frames out of chunks.
#[derive(Default)]
struct Frames {
    /// What has come in one chunk and needs no copy.
    whole: Bytes,
    /// What is put together.
    partial: BytesMut,
}

impl<Reply> Replies<Reply> {
    pub(crate) fn new(body: RecvStream, pump: Option<Pump>, decided: bool) -> Self {
        let frames = Frames::default();
        Self { body, frames, decided, trailers: None, _pump: pump, reply: PhantomData }
    }

    /// What came behind the last message.
    pub(crate) fn trailers(&mut self) -> Option<HeaderMap> {
        self.trailers.take()
    }
}

impl<Reply: Message + Default> Replies<Reply> {
    /// The only message of an answer that has one.
    pub(crate) async fn only(&mut self) -> Result<Reply, Fault> {
        let Some(reply) = self.next().await? else {
            return Err(Fault::Malformed("the answer has no message".to_owned()));
        };
        match self.next().await? {
            None => Ok(reply),
            Some(_) => Err(Fault::Malformed("the answer has a second message".to_owned())),
        }
    }

    /// The next message; `None` at the end, when the status is OK.
    pub(crate) async fn next(&mut self) -> Result<Option<Reply>, Fault> {
        loop {
            if let Some(frame) = self.frames.next()? {
                let broken = |error| Fault::Malformed(format!("the reply does not decode: {error}"));
                return Reply::decode(frame).map(Some).map_err(broken);
            }
            match self.body.data().await {
                Some(Ok(chunk)) => {
                    // It is out of h2's hands; a stream that is closed by now wants no window.
                    let _closed = self.body.flow_control().release_capacity(chunk.len());
                    self.frames.push(chunk);
                }
                Some(Err(error)) => return Err(Fault::of(error)),
                None => return self.end().await.map(|()| None),
            }
        }
    }

    async fn end(&mut self) -> Result<(), Fault> {
        let trailers = self.body.trailers().await.map_err(Fault::of)?;
        match trailers.as_ref().and_then(status) {
            Some(said) => said.map_err(Fault::Answer)?,
            None if !self.decided => return Err(Fault::Broken(None)),
            None => {}
        }
        self.trailers = trailers;
        if self.frames.is_empty() {
            return Ok(());
        }
        Err(Fault::Malformed("the answer ends in mid-message".to_owned()))
    }
}

impl Frames {
    fn push(&mut self, chunk: Bytes) {
        if self.is_empty() {
            self.whole = chunk;
        } else {
            self.partial.extend_from_slice(&std::mem::take(&mut self.whole));
            self.partial.extend_from_slice(&chunk);
        }
    }

    fn next(&mut self) -> Result<Option<Bytes>, Fault> {
        let in_one = self.partial.is_empty();
        let there: &[u8] = if in_one { &self.whole } else { &self.partial };
        let Some((prefix, rest)) = there.split_first_chunk::<PREFIX>() else { return Ok(None) };
        let length = length(*prefix)?;
        if rest.len() < length {
            self.partial.reserve(PREFIX + length - self.partial.len());
            return Ok(None);
        }
        let mut frame = if in_one {
            self.whole.split_to(PREFIX + length)
        } else {
            self.partial.split_to(PREFIX + length).freeze()
        };
        frame.advance(PREFIX);
        Ok(Some(frame))
    }

    fn is_empty(&self) -> bool {
        self.whole.is_empty() && self.partial.is_empty()
    }
}

fn length([flag, length @ ..]: [u8; PREFIX]) -> Result<usize, Fault> {
    if flag != 0 {
        return Err(Fault::Malformed("a message is compressed, which was not asked for".to_owned()));
    }
    match usize::try_from(u32::from_be_bytes(length)) {
        Ok(length) if length <= MAX_MESSAGE => Ok(length),
        _ => Err(Fault::TooLarge),
    }
}

/// The status that headers or trailers end a call with; `None` where they have none. Details that are no base64 would
/// panic in tonic; they are dropped.
pub(crate) fn status(headers: &HeaderMap) -> Option<Result<(), Status>> {
    if headers.get(Status::GRPC_STATUS)? == "0" {
        return Some(Ok(()));
    }
    let details = headers.get(Status::GRPC_STATUS_DETAILS);
    if details.is_some_and(|details| BASE64.decode(details).is_err()) {
        let mut readable = headers.clone();
        readable.remove(Status::GRPC_STATUS_DETAILS);
        return Status::from_header_map(&readable).map(Err);
    }
    Status::from_header_map(headers).map(Err)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::codec::framed;

    proptest! {
        /// However a peer cuts its messages into chunks, they are the same messages.
        #[test]
        fn frames_come_out_of_any_chunks(
            messages in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..50), 0..8),
            cuts in proptest::collection::vec(1_usize..40, 1..60),
        ) {
            let mut sent: Bytes = messages.iter().flat_map(|message| framed(message)).collect();
            let (mut frames, mut taken, mut cuts) = (Frames::default(), Vec::new(), cuts.into_iter().cycle());
            while !sent.is_empty() {
                let cut = cuts.next().unwrap().min(sent.len());
                frames.push(sent.split_to(cut));
                while let Some(frame) = frames.next().unwrap() {
                    taken.push(frame.to_vec());
                }
            }
            prop_assert!(frames.is_empty());
            prop_assert_eq!(taken, messages);
        }
    }
}
