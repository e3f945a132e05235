//! Kept answers on real sockets: who asks, who waits, and what ends them.

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use freehold_client::{CallOptions, Channel, Error};
use freehold_wire::pb::{EntityChange, Epoch, Heartbeat, Position, Token, WatchResponse, watch_response};
use freehold_wire::{Access, Cache, Caller, Criticality, Method, Retry, Rules, Session};
use futures_util::FutureExt;
use futures_util::future::{join, join_all};
use h2::SendStream;
use prost::Message;
use tokio::sync::Notify;
use tokio::time::timeout;
use tonic::Code;

use crate::peer::{Call, Note, PATIENCE, Peer, frame, note, trailers};

/// What there is under a key.
#[derive(Clone, PartialEq, Message)]
struct Kept {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(uint64, tag = "2")]
    call: u64,
}

const GET: Method<Note, Kept> = Method::new(Rules {
    path: "/peer.v1.Peer/Get",
    deadline: Duration::from_secs(20),
    min_deadline: Duration::ZERO,
    retry: Retry::Safe,
    access: Access::Public,
    cache: Some(Cache {
        ttl: Duration::from_secs(3600),
        entity: "peer.v1.Kept",
        owner: "peer",
        key: Some(1),
    }),
    criticality: Criticality::Default,
    streams: false,
});

/// A callee that answers each call with its ordinal, and whose watch the test holds.
struct Keeper {
    peer: Peer,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    asked: Mutex<u64>,
    watch: Mutex<Option<SendStream<Bytes>>>,
    watched: Notify,
    ended: Notify,
    arrived: Notify,
    go: Notify,
    /// What each call had left when it was sent.
    left: Mutex<Vec<Duration>>,
    held: Mutex<bool>,
    refuses: Mutex<bool>,
}

impl Keeper {
    async fn start() -> Self {
        let state = Arc::new(State::default());
        let script = {
            let state = state.clone();
            move |call: Call| answer(state.clone(), call)
        };
        Self { peer: Peer::start(script).await, state }
    }

    /// Calls that wait for [`Keeper::release`].
    async fn holding() -> Self {
        let keeper = Self::start().await;
        *keeper.state.held.lock().unwrap() = true;
        keeper
    }

    fn release(&self) {
        self.state.go.notify_one();
    }

    /// How many calls for an answer have arrived.
    fn asked(&self) -> u64 {
        *self.state.asked.lock().unwrap()
    }

    fn tell(&self, item: watch_response::Item) {
        let message = WatchResponse::default().with_item(item).encode_to_vec();
        self.state.watch.lock().unwrap().as_mut().unwrap().send_data(frame(&message), false).unwrap();
    }

    /// The watch is there, and this channel has begun to follow it.
    async fn watched(&self, channel: &Channel) {
        get(channel, "begins the watch").await.unwrap();
        timeout(PATIENCE, self.state.watched.notified()).await.unwrap();
        let epochs = [Epoch::default().with_id(1).with_first(1)];
        self.tell(watch_response::Item::Heartbeat(
            Heartbeat::default().with_position(position(1)).with_epochs(epochs),
        ));
        // What was kept before the watch began goes with its first word.
        let before = self.asked();
        until(async || {
            get(channel, "begins the watch").await.unwrap();
            self.asked() > before
        })
        .await;
    }

    fn change(&self, key: &str, mark: i64) {
        let change = EntityChange::default().with_key(key).with_position(position(mark));
        self.tell(watch_response::Item::Change(change));
    }
}

async fn answer(state: Arc<State>, mut call: Call) {
    if call.path.ends_with("/Watch") {
        let stream = call.open();
        *state.watch.lock().unwrap() = Some(stream);
        state.watched.notify_one();
        // A reset, or the end of the connection.
        std::future::poll_fn(|context| match state.watch.lock().unwrap().as_mut() {
            Some(stream) => stream.poll_reset(context).map(drop),
            None => Poll::Ready(()),
        })
        .await;
        state.ended.notify_one();
        return;
    }
    let ordinal = {
        let mut asked = state.asked.lock().unwrap();
        *asked += 1;
        *asked
    };
    let left = freehold_wire::deadline::parse(&call.header("grpc-timeout").unwrap()).unwrap();
    state.left.lock().unwrap().push(left);
    let request = call.body.as_mut().unwrap().data().await.unwrap().unwrap();
    let id = Note::decode(&request[5..]).unwrap().text;
    state.arrived.notify_one();
    let held = *state.held.lock().unwrap();
    if held {
        state.go.notified().await;
    }
    if *state.refuses.lock().unwrap() {
        return call.refuse(&[("grpc-status", "13"), ("grpc-message", "broken")]);
    }
    let mut stream = call.open();
    stream.send_data(frame(&Kept { id, call: ordinal }.encode_to_vec()), false).unwrap();
    stream.send_trailers(trailers(&[("grpc-status", "0")])).unwrap();
}

fn position(mark: i64) -> Position {
    Position::default().with_epoch(1).with_mark(mark)
}

async fn get(channel: &Channel, key: &str) -> Result<Kept, Error> {
    channel.unary(&GET, note(key), &CallOptions::new()).await
}

/// Tries until it holds.
async fn until(mut holds: impl AsyncFnMut() -> bool) {
    let trying = async {
        while !holds().await {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, trying).await.expect("it never came true");
}

/// All of them, with every call under way before the callee answers.
async fn at_once<T>(keeper: &Keeper, readers: impl IntoIterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let release = async {
        timeout(PATIENCE, keeper.state.arrived.notified()).await.unwrap();
        keeper.release();
    };
    join(join_all(readers), release).await.0
}

/// C29: of a thousand readers of one key one asks.
#[tokio::test]
async fn a_thousand_readers_of_one_key_make_one_call() {
    let keeper = Keeper::holding().await;
    let channel = keeper.peer.channel();
    let kept = at_once(&keeper, (0..1000).map(|_| get(&channel, "1"))).await;
    assert!(kept.iter().all(|kept| kept.as_ref().unwrap().call == 1));
    assert_eq!(keeper.asked(), 1);
    assert_eq!(get(&channel, "1").await.unwrap().call, 1, "and the next one is served what they got");
}

/// C29: an error is told to all who wait, and asked for once; it is not kept.
#[tokio::test]
async fn readers_share_an_error_and_do_not_keep_it() {
    let keeper = Keeper::holding().await;
    *keeper.state.refuses.lock().unwrap() = true;
    let channel = keeper.peer.channel();
    let failed = at_once(&keeper, (0..100).map(|_| get(&channel, "1"))).await;
    assert!(failed.iter().all(|failed| failed.as_ref().unwrap_err().code() == Code::Internal));
    assert_eq!(keeper.asked(), 1);
    *keeper.state.refuses.lock().unwrap() = false;
    keeper.release();
    assert_eq!(get(&channel, "1").await.unwrap().call, 2);
}

/// C29: the one who asks goes away, and one of those who wait takes over.
#[tokio::test]
async fn a_follower_takes_over_from_a_leader_who_goes_away() {
    let keeper = Keeper::holding().await;
    let channel = keeper.peer.channel();
    let mut leader = Box::pin(get(&channel, "1"));
    let mut followers: Vec<_> = (0..10).map(|_| Box::pin(get(&channel, "1"))).collect();
    assert!((&mut leader).now_or_never().is_none());
    for follower in &mut followers {
        assert!(follower.now_or_never().is_none());
    }
    drop(leader);
    let kept = at_once(&keeper, followers).await;
    let calls: Vec<u64> = kept.into_iter().map(|kept| kept.unwrap().call).collect();
    assert!(calls.iter().all(|call| *call == calls[0]), "{calls:?}");
    assert!(keeper.asked() <= 2, "the leader's call may have gone out");
}

/// C30: a change that the owner tells ends the answers about its key, and no other.
#[tokio::test]
async fn a_change_ends_what_is_kept_about_its_key() {
    let keeper = Keeper::start().await;
    let channel = keeper.peer.channel();
    keeper.watched(&channel).await;
    let (one, two) = (get(&channel, "1").await.unwrap().call, get(&channel, "2").await.unwrap().call);
    assert_eq!(get(&channel, "1").await.unwrap().call, one);
    keeper.change("1", 2);
    until(async || get(&channel, "1").await.unwrap().call > one).await;
    assert_eq!(get(&channel, "2").await.unwrap().call, two);
}

/// Invariant 9: a follower who takes over has what is left of its own deadline, not a new one.
#[tokio::test]
async fn who_waited_for_a_leader_and_asks_then_has_no_more_time_for_it() {
    let keeper = Keeper::holding().await;
    let channel = keeper.peer.channel();
    let brief = Duration::from_secs(1);
    let (short, long) =
        (CallOptions::new().with_deadline(brief), CallOptions::new().with_deadline(2 * brief));
    let (leader, follower) = (channel.unary(&GET, note("1"), &short), channel.unary(&GET, note("1"), &long));
    let (led, followed) = join(leader, follower).await;
    assert_eq!(led.unwrap_err().code(), Code::DeadlineExceeded);
    assert_eq!(followed.unwrap_err().code(), Code::DeadlineExceeded);
    // A machine that stands still may leave it no time to ask at all.
    let left = keeper.state.left.lock().unwrap().get(1).copied().unwrap_or_default();
    assert!(left <= brief, "the follower asked with {left:?} of {:?}", 2 * brief);
}

#[tokio::test]
async fn what_is_kept_goes_when_the_watch_is_lost() {
    let keeper = Keeper::start().await;
    let channel = keeper.peer.channel();
    keeper.watched(&channel).await;
    let first = get(&channel, "1").await.unwrap().call;
    let mut watch = keeper.state.watch.lock().unwrap().take().unwrap();
    watch.send_trailers(trailers(&[("grpc-status", "14")])).unwrap();
    until(async || get(&channel, "1").await.unwrap().call > first).await;
    timeout(PATIENCE, keeper.state.watched.notified()).await.expect("it is not begun again");
}

#[tokio::test]
async fn a_reader_is_not_served_what_is_from_before_its_own_write() {
    let keeper = Keeper::start().await;
    let channel = keeper.peer.channel();
    keeper.watched(&channel).await;
    let before = get(&channel, "1").await.unwrap().call;
    let written = |mark| {
        let token = Token::default().with_owner("peer").with_epoch(1).with_mark(mark);
        CallOptions::new().with_session(&Session::of([token]))
    };
    let after = channel.unary(&GET, note("1"), &written(7)).await.unwrap().call;
    assert!(after > before);
    assert_eq!(
        channel.unary(&GET, note("1"), &written(7)).await.unwrap().call,
        after,
        "kept for that reader"
    );
    assert_eq!(get(&channel, "1").await.unwrap().call, after, "and for who has seen less");
    let seen = channel.unary(&GET, note("1"), &written(1)).await.unwrap().call;
    assert_eq!(seen, after, "what the watch has told is in every answer");
}

#[tokio::test]
async fn answers_are_kept_for_the_caller_that_they_were_given_to() {
    let keeper = Keeper::start().await;
    let channel = keeper.peer.channel();
    let own = get(&channel, "1").await.unwrap().call;
    let other = channel.forwarding(&Caller::Named("other".into()));
    assert!(get(&other, "1").await.unwrap().call > own);
}

#[tokio::test]
async fn with_the_last_channel_its_watch_ends() {
    let keeper = Keeper::start().await;
    let channel = keeper.peer.channel();
    keeper.watched(&channel).await;
    let further = channel.forwarding(&Caller::Anonymous);
    drop(channel);
    let kept = get(&further, "1").await.unwrap().call;
    keeper.change("1", 2);
    until(async || get(&further, "1").await.unwrap().call > kept).await;
    drop(further);
    timeout(PATIENCE, keeper.state.ended.notified()).await.expect("the watch goes on without a channel");
}
