//! C15: a read that takes long is asked of a second replica; the first answer counts, the other is cancelled.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use freehold_client::{CallOptions, Code, Error};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use crate::peer::{Call, Note, PATIENCE, Peer, READ, WRITE, note};

/// Two replicas that answer at once, but for the first call of each text that begins with "slow", which they hold.
async fn replicas() -> (Vec<Peer>, mpsc::UnboundedReceiver<h2::Reason>, Arc<AtomicUsize>) {
    let (given_up, told) = mpsc::unbounded_channel();
    let slow = Arc::new(AtomicUsize::new(0));
    let mut peers = Vec::new();
    for _ in 0..2 {
        let (given_up, slow) = (given_up.clone(), slow.clone());
        peers.push(
            Peer::start(move |mut call: Call| {
                let (given_up, slow) = (given_up.clone(), slow.clone());
                async move {
                    if call.asked().await == "slow" && slow.fetch_add(1, Ordering::SeqCst).is_multiple_of(2) {
                        let _gone = given_up.send(call.given_up().await);
                    } else {
                        call.answer("fast");
                    }
                }
            })
            .await,
        );
    }
    (peers, told, slow)
}

#[tokio::test]
async fn a_slow_read_is_hedged_and_the_loser_is_cancelled() {
    let (peers, mut told, slow) = replicas().await;
    let channel = Peer::channel_to(&peers);
    for _ in 0..200 {
        channel.unary(&READ, note("?"), &CallOptions::new()).await.unwrap();
    }
    assert!(peers[0].calls() + peers[1].calls() <= 210, "at most a twentieth is hedged");
    let answer = timeout(PATIENCE, channel.unary(&READ, note("slow"), &CallOptions::new())).await.unwrap();
    assert_eq!(answer.unwrap().text, "fast");
    assert_eq!(slow.load(Ordering::SeqCst), 2, "both replicas were asked");
    assert_eq!(timeout(PATIENCE, told.recv()).await.unwrap(), Some(h2::Reason::CANCEL));
}

/// A write is not: both would take effect.
#[tokio::test]
async fn a_slow_write_is_not_hedged() {
    let (peers, _told, slow) = replicas().await;
    let channel = Peer::channel_to(&peers);
    for _ in 0..200 {
        channel.unary(&WRITE, note("?"), &CallOptions::new()).await.unwrap();
    }
    let options = CallOptions::new().with_deadline(std::time::Duration::from_millis(100));
    let error = channel.unary(&WRITE, note("slow"), &options).await.unwrap_err();
    assert!(error.is_deadline_exceeded());
    assert_eq!(slow.load(Ordering::SeqCst), 1);
}

/// What comes of a read whose two attempts have both arrived: that number `refused` is refused with `code`, and the other
/// one is answered after it, or never.
async fn refused(refused: usize, code: &'static str, answered: bool) -> Result<Note, Error> {
    let script = move |slow: watch::Sender<usize>, mut call: Call| async move {
        if call.asked().await == "?" {
            return call.answer("fast");
        }
        let mut number = 0;
        slow.send_modify(|steps| (number, *steps) = (*steps, *steps + 1));
        let enough = if number == refused { 2 } else { 3 };
        slow.subscribe().wait_for(|steps| *steps >= enough).await.unwrap();
        match number {
            0 | 1 if number == refused => {
                call.refuse(&[("grpc-status", code)]);
                slow.send_modify(|steps| *steps += 1);
            }
            0 | 1 if answered => call.answer("the other"),
            0 | 1 => _ = call.given_up().await,
            _ => call.refuse(&[("grpc-status", "13"), ("grpc-message", "asked once more")]),
        }
    };
    // A machine that stands still spends the purse before it is needed: then all is done once more.
    loop {
        let slow = watch::Sender::new(0);
        let mut peers = Vec::new();
        for _ in 0..2 {
            let slow = slow.clone();
            peers.push(Peer::start(move |call| script(slow.clone(), call)).await);
        }
        let channel = Peer::channel_to(&peers);
        for _ in 0..200 {
            channel.unary(&READ, note("?"), &CallOptions::new()).await.unwrap();
        }
        let outcome = channel.unary(&READ, note("slow"), &CallOptions::new()).await;
        if *slow.borrow() > 1 {
            return outcome;
        }
    }
}

/// An answer is an answer, also where it is no: of the two replicas, the other one may be frozen. Before this was so,
/// such a read ended at its deadline.
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
