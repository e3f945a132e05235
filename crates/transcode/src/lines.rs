//! Streams of messages as lines of JSON, either way.
//!
//! Out: a line per reply, on its way as soon as it is there; where the stream fails, a last line that says so. In: a
//! message per line, read as the owner takes them. **Invariant:** a stream that breaks never looks like one that ended.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use freehold_client::Messages;
use freehold_wire::dispatch::MAX_MESSAGE;
use freehold_wire::{Encoded, reason};
use futures_util::stream::{self, Stream, StreamExt};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use tokio::sync::oneshot;
use tonic::Status;
use tonic::body::Body;

use crate::routes::Route;
use crate::{call, request, status};

/// The replies as the body of an answer.
pub(crate) fn written(
    route: Arc<Route>,
    replies: Messages<Encoded>,
) -> StreamBody<impl Stream<Item = Result<Frame<Bytes>, Status>>> {
    let lines = stream::unfold(Some((route, replies)), |open| async {
        let (route, mut replies) = open?;
        let line = match replies.next().await? {
            Ok(Encoded(reply)) => call::written(&route, reply),
            Err(error) => Err(error.into()),
        };
        let (line, open) = match line {
            Ok(mut line) => {
                line.push(b'\n');
                (line, Some((route, replies)))
            }
            Err(failed) => (status::last_line(&failed), None),
        };
        Some((Ok(Frame::data(Bytes::from(line))), open))
    });
    StreamBody::new(lines)
}

/// The messages of a body, and what is wrong with it once something is: then no further message comes, and no end.
pub(crate) fn read(
    body: Body,
    read: impl Fn(&[u8]) -> Result<Encoded, Status> + Send + 'static,
) -> (impl Stream<Item = Encoded> + Send + 'static, oneshot::Receiver<Status>) {
    let (fault, faulted) = oneshot::channel();
    let lines = Lines { body, left: BytesMut::new(), ended: false };
    let messages = stream::unfold((lines, fault, read), |(mut lines, fault, read)| async move {
        let message = match lines.next().await? {
            Ok(line) => read(&line),
            Err(broken) => Err(broken),
        };
        match message {
            Ok(message) => Some((message, (lines, fault, read))),
            Err(wrong) => {
                // Nobody listens only where the call has ended already.
                let _ = fault.send(wrong);
                std::future::pending().await
            }
        }
    });
    (messages.boxed(), faulted)
}

/// The lines of a body; empty ones do not count.
struct Lines {
    body: Body,
    left: BytesMut,
    ended: bool,
}

impl Lines {
    async fn next(&mut self) -> Option<Result<Bytes, Status>> {
        loop {
            if let Some(line) = self.line() {
                if line.iter().all(u8::is_ascii_whitespace) {
                    continue;
                }
                return Some(Ok(line));
            }
            if self.left.len() > MAX_MESSAGE {
                return Some(Err(request::too_large(&self.left[..MAX_MESSAGE])));
            }
            if self.ended {
                return None;
            }
            match self.body.frame().await {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.left.extend_from_slice(&data);
                    }
                }
                Some(Err(_)) => return Some(Err(reason::bad_field("body", "broke off"))),
                None => self.ended = true,
            }
        }
    }

    /// The next line of what has come; at the end, what is left.
    fn line(&mut self) -> Option<Bytes> {
        match self.left.iter().position(|byte| *byte == b'\n') {
            Some(end) => Some(self.left.split_to(end + 1).freeze()),
            None if self.ended && !self.left.is_empty() => Some(self.left.split().freeze()),
            None => None,
        }
    }
}
