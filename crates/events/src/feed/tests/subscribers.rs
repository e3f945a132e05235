//! One subscriber that reads nothing, or has a long way to go, holds up no other.

use std::ops::ControlFlow;

use freehold_store::outbox;
use freehold_wire::Watermark;
use freehold_wire::dispatch::Messages;
use freehold_wire::feed::FeedService;
use freehold_wire::pb::subscribe_response::Item;
use freehold_wire::pb::{Envelope, Position, SubscribeResponse};
use futures_util::StreamExt;
use tokio::sync::mpsc::{self, Sender};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::request;
use crate::feed::pump::position;
use crate::fixture::{Owner, SOON, context, placed};

/// Events before anybody subscribes, and after.
const BEFORE: i64 = 2000;
const NEWS: i64 = 200;
/// More than an owner has connections to read with.
const LAZY: usize = 20;
const PROMPT: usize = 3;
/// What may wait for a subscriber of the planted bug.
const PLACES: usize = 16;

type Stream = Messages<SubscribeResponse>;

/// How the subscribers that are in the way behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lazy {
    /// They read nothing.
    ReadNothing,
    /// They begin at the oldest event, and read one while the others read one.
    CatchUp,
}

/// Streams of an owner's feed, each from its position on.
async fn feed(owner: &Owner, after: Vec<Position>) -> Vec<Stream> {
    let (feed, mut streams) = (owner.feed(), Vec::new());
    for (at, after) in after.into_iter().enumerate() {
        let request = request(&["o.v1.Placed"]).with_subscription(format!("mails/{at}")).with_after(after);
        streams.push(feed.subscribe(context(), request).await.unwrap());
    }
    streams
}

/// The planted bug: one loop that reads for all of them and sends to each in turn.
async fn shared_loop(owner: &Owner, after: Vec<Position>) -> Vec<Stream> {
    let (store, mut commits) = (owner.store.clone(), owner.store.commits());
    let mut cursor = after.iter().map(|position| position.mark).min().unwrap_or_default();
    let channels = after.iter().map(|_| mpsc::channel(PLACES));
    let (outs, streams): (Vec<_>, Vec<_>) = channels.unzip();
    tokio::spawn(async move {
        loop {
            let events = outbox::after(&store, &mut store.read().await.unwrap(), cursor, 16).await.unwrap();
            for event in &events {
                cursor = event.position.unwrap().mark;
                let behind = outs.iter().zip(&after).filter(|(_, after)| after.mark < cursor);
                for (out, _) in behind {
                    if send_in_turn(out, event).is_break() {
                        return;
                    }
                }
            }
            if events.is_empty() {
                commits.changed().await.unwrap();
            } else {
                tokio::task::yield_now().await;
            }
        }
    });
    streams.into_iter().map(|stream| Messages::new(ReceiverStream::new(stream))).collect()
}

/// Where the loop would wait for a subscriber, it ends instead: what it would send after that nobody gets.
fn send_in_turn(out: &Sender<Result<SubscribeResponse, Status>>, event: &Envelope) -> ControlFlow<()> {
    let item = SubscribeResponse::default().with_item(Item::Event(event.clone()));
    if out.try_send(Ok(item)).is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
}

/// The next event of a stream; `None` where the stream ends or none comes.
async fn arrives(stream: &mut Stream) -> Option<Envelope> {
    let event = async {
        loop {
            match StreamExt::next(stream).await?.unwrap().item.unwrap() {
                Item::Event(event) => return Some(event),
                _ => continue,
            }
        }
    };
    tokio::time::timeout(SOON, event).await.ok().flatten()
}

/// Beside subscribers that are in the way, every other one gets all the news.
async fn nobody_starves(
    serve: impl AsyncFn(&Owner, Vec<Position>) -> Vec<Stream>,
    lazy: Lazy,
) -> Result<(), String> {
    let owner = Owner::open().await;
    owner.place_at_once(1, BEFORE).await;
    let head: Watermark = owner.store.head();
    let (oldest, newest) = (position(&head, 0), position(&head, head.mark()));
    let begins = if lazy == Lazy::CatchUp { oldest } else { newest };
    let after = std::iter::repeat_n(begins, LAZY).chain(std::iter::repeat_n(newest, PROMPT));
    let mut in_the_way = serve(&owner, after.collect()).await;
    let mut prompt = in_the_way.split_off(LAZY);
    for news in 1..=NEWS {
        owner.emit(placed("news", news)).await;
        for (at, stream) in prompt.iter_mut().enumerate() {
            let event = arrives(stream).await.ok_or_else(|| format!("{at} starves of news {news}"))?;
            assert_eq!((event.subject.as_str(), event.version), ("news", news));
        }
        if lazy == Lazy::CatchUp {
            for stream in &mut in_the_way {
                let event = arrives(stream).await.ok_or_else(|| format!("nothing old comes at {news}"))?;
                assert_eq!((event.subject.as_str(), event.version), ("k0", news));
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn subscribers_that_read_nothing_starve_nobody() {
    assert_eq!(nobody_starves(feed, Lazy::ReadNothing).await, Ok(()));
    assert!(nobody_starves(shared_loop, Lazy::ReadNothing).await.is_err(), "the planted bug is seen");
}

#[tokio::test]
async fn subscribers_with_a_long_way_to_go_starve_nobody() {
    assert_eq!(nobody_starves(feed, Lazy::CatchUp).await, Ok(()));
    assert!(nobody_starves(shared_loop, Lazy::CatchUp).await.is_err(), "the planted bug is seen");
}
