//! A stream of replies, from its beginning to its end: after the last message, an error, or its greatest age.
//!
//! **Invariant:** its call ends with it, and is counted then; nothing comes after an error.

use std::time::Instant;

use futures_util::stream;
use prost::Message;
use tokio::time::timeout_at;

use crate::call::Call;
use crate::decision::Decision;
use crate::error::Error;
use crate::explanation::Explanation;
use crate::fault::Fault;
use crate::messages::Messages;
use crate::transport::Lease;
use crate::transport::replies::Replies;

/// A stream that has begun, and its place on a connection.
pub(crate) struct Open<Reply> {
    pub(crate) replies: Replies<Reply>,
    pub(crate) lease: Lease,
}

/// A stream that has begun, or why it has not.
pub(crate) fn streaming<Reply>(
    mut call: Call,
    open: Result<Open<Reply>, Error>,
) -> Result<Messages<Reply>, Error>
where
    Reply: Message + Default + 'static,
{
    match open {
        Ok(open) => Ok(messages(call, open)),
        Err(error) => {
            let failed = Err(error);
            call.ended(&failed);
            failed
        }
    }
}

/// The replies until the deadline, and nothing after an error.
fn messages<Reply>(call: Call, open: Open<Reply>) -> Messages<Reply>
where
    Reply: Message + Default + 'static,
{
    Messages::new(stream::unfold(Some((call, open)), |state| async {
        let (mut call, mut open) = state?;
        let next = reply(&call, &mut open).await;
        match next {
            Ok(Some(reply)) => Some((Ok(reply), Some((call, open)))),
            ended => {
                call.ended(&ended);
                ended.err().map(|error| (Err(error), None))
            }
        }
    }))
}

/// The next reply; `None` at the end.
async fn reply<Reply>(call: &Call, open: &mut Open<Reply>) -> Result<Option<Reply>, Error>
where
    Reply: Message + Default + 'static,
{
    let late = || Err(Error::late(call.method, Explanation::unattempted(Decision::DeadlineStream)));
    // A timer looks at the clock only where there is nothing to read; a stream that always has something would
    // outlive it.
    if Instant::now() >= call.deadline {
        return late();
    }
    match timeout_at(call.deadline.into(), open.replies.next()).await {
        Err(_) => late(),
        Ok(Ok(Some(reply))) => Ok(Some(reply)),
        Ok(Ok(None)) => {
            open.replies.trailers().iter().for_each(|trailers| call.saw(trailers));
            Ok(None)
        }
        Ok(Err(fault)) => Err(broken(call, open, fault)),
    }
}

/// Why a stream that had begun goes no further.
fn broken<Reply>(call: &Call, open: &Open<Reply>, fault: Fault) -> Error {
    let decision = match &fault {
        Fault::Answer(status) => {
            call.saw(status.metadata().as_ref());
            Decision::Callee
        }
        Fault::TooLarge | Fault::Malformed(_) => Decision::Reply,
        Fault::Unsent(_) | Fault::Returned(_) | Fault::Broken(_) => Decision::Stream,
    };
    let status = fault.status(Some(open.lease.address()));
    match decision {
        Decision::Callee => Error::of(call.method, status),
        _ => Error::explained(call.method, status, false, Explanation::unattempted(decision)),
    }
}
