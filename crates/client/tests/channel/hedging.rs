//! C15: a read that takes long is asked of a second replica; the first answer counts, the other is cancelled.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use freehold_client::CallOptions;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::peer::{Call, PATIENCE, Peer, READ, WRITE, note};

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
