//! C15: a read that takes long is asked of a second replica; the first answer counts, the other is cancelled.

use std::future::Future;
use std::time::Duration;

use freehold_client::{CallOptions, Code, Error};
use freehold_wire::Method;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use crate::peer::{Call, Note, PATIENCE, Peer, READ, WRITE, note};

/// How far a slow call has come at both replicas: how many attempts have arrived, and what a script counts beside them.
type Steps = watch::Sender<usize>;

/// Two replicas that have answered 200 calls of `method` at once, as they do with all but "slow", which is for `script`:
/// it is told which attempt this is.
async fn replicas<F>(
    method: &Method<Note, Note>,
    script: impl Fn(usize, Steps, Call) -> F + Clone + Send + Sync + 'static,
) -> (Vec<Peer>, freehold_client::Channel, Steps)
where
    F: Future<Output = ()> + Send + 'static,
{
    let steps = Steps::new(0);
    let mut peers = Vec::new();
    for _ in 0..2 {
        let (steps, script) = (steps.clone(), script.clone());
        peers.push(
            Peer::start(move |mut call: Call| {
                let (steps, script) = (steps.clone(), script.clone());
                async move {
                    if call.asked().await != "slow" {
                        return call.answer("fast");
                    }
                    let mut number = 0;
                    steps.send_modify(|steps| (number, *steps) = (*steps, *steps + 1));
                    script(number, steps, call).await;
                }
            })
            .await,
        );
    }
    let channel = Peer::channel_to(&peers);
    for _ in 0..200 {
        channel.unary(method, note("?"), &CallOptions::new()).await.unwrap();
    }
    (peers, channel, steps)
}

/// What comes of a slow read that both replicas are asked for.
async fn hedged<F>(
    script: impl Fn(usize, Steps, Call) -> F + Clone + Send + Sync + 'static,
) -> Result<Note, Error>
where
    F: Future<Output = ()> + Send + 'static,
{
    // On a machine that stands still, other reads have spent the purse: then all is done once more.
    loop {
        let (peers, channel, steps) = replicas(&READ, script.clone()).await;
        assert!(peers[0].calls() + peers[1].calls() <= 210, "at most a twentieth is hedged");
        let outcome = channel.unary(&READ, note("slow"), &CallOptions::new()).await;
        if *steps.borrow() > 1 {
            return outcome;
        }
    }
}

#[tokio::test]
async fn a_slow_read_is_hedged_and_the_loser_is_cancelled() {
    let (given_up, mut told) = mpsc::unbounded_channel();
    let answer = hedged(move |number, _, call| {
        let given_up = given_up.clone();
        async move {
            match number {
                0 => _ = given_up.send(call.given_up().await),
                _ => call.answer("fast"),
            }
        }
    });
    assert_eq!(answer.await.unwrap().text, "fast");
    assert_eq!(timeout(PATIENCE, told.recv()).await.unwrap(), Some(h2::Reason::CANCEL));
}

/// A write is not: both would take effect.
#[tokio::test]
async fn a_slow_write_is_not_hedged() {
    let held = |_, _, call: Call| async { _ = call.given_up().await };
    let (_peers, channel, steps) = replicas(&WRITE, held).await;
    let (mut steps, options) = (steps.subscribe(), CallOptions::new());
    let both = async {
        timeout(PATIENCE, steps.wait_for(|steps| *steps > 0)).await.unwrap().unwrap();
        timeout(Duration::from_millis(100), steps.wait_for(|steps| *steps > 1)).await.is_ok()
    };
    let hedged = tokio::select! {
        both = both => both,
        outcome = channel.unary(&WRITE, note("slow"), &options) => panic!("{outcome:?}"),
    };
    assert!(!hedged);
}

/// What comes of a hedged read whose attempt number `refused` is refused with `code` once both have arrived; the other
/// one is answered after it, or never.
async fn refused(refused: usize, code: &'static str, answered: bool) -> Result<Note, Error> {
    let script = move |number, steps: Steps, call: Call| async move {
        let enough = if number == refused { 2 } else { 3 };
        steps.subscribe().wait_for(|steps| *steps >= enough).await.unwrap();
        match number {
            0 | 1 if number == refused => {
                call.refuse(&[("grpc-status", code)]);
                steps.send_modify(|steps| *steps += 1);
            }
            0 | 1 if answered => call.answer("the other"),
            0 | 1 => _ = call.given_up().await,
            _ => call.refuse(&[("grpc-status", "13"), ("grpc-message", "asked once more")]),
        }
    };
    hedged(script).await
}

/// An answer is an answer, also where it is no: the other replica may be frozen. Before this was so, such a read ended
/// at its deadline.
#[tokio::test]
async fn a_refusal_that_is_an_answer_ends_a_hedged_read() {
    assert_eq!(refused(0, "5", false).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(refused(1, "7", false).await.unwrap_err().code(), Code::PermissionDenied);
}

/// Planted bug: with every refusal taken for an answer, the replica that is up has no say.
#[tokio::test]
async fn a_refusal_that_is_no_answer_leaves_a_hedged_read_to_the_other_replica() {
    assert_eq!(refused(0, "14", true).await.unwrap().text, "the other");
    assert_eq!(refused(1, "14", true).await.unwrap().text, "the other");
}
