//! C20: the replicas of a service come and go, and whoever tells of them may fail.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use freehold_client::{CallOptions, Channel, ResolveError, Resolver, async_trait};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::peer::{Call, PATIENCE, Peer, READ, note};

/// A source that says what a test tells it.
struct Told(mpsc::UnboundedReceiver<Result<Vec<SocketAddr>, ResolveError>>);

#[async_trait]
impl Resolver for Told {
    async fn next(&mut self) -> Result<Vec<SocketAddr>, ResolveError> {
        match self.0.recv().await {
            Some(news) => news,
            None => std::future::pending().await,
        }
    }
}

async fn named(name: &'static str) -> Peer {
    Peer::start(move |call: Call| async move { call.answer(name) }).await
}

/// Calls until `new` have answered, and until a hundred calls are answered by `all` alone. That each of `all` answers
/// some of the hundred is not asked: one that was slow once gets nothing until that is forgotten.
async fn answer(channel: &Channel, all: &[&str], new: &[&str]) {
    let asked = async {
        let mut missing = BTreeSet::from_iter(new.iter().map(ToString::to_string));
        loop {
            let mut heard = BTreeSet::new();
            for _ in 0..100 {
                heard.insert(channel.unary(&READ, note("?"), &CallOptions::new()).await.unwrap().text);
            }
            missing.retain(|name| !heard.contains(name));
            if missing.is_empty() && heard.iter().all(|name| all.contains(&name.as_str())) {
                return;
            }
        }
    };
    timeout(PATIENCE, asked).await.unwrap();
}

#[tokio::test]
async fn replicas_come_and_go_and_the_last_good_set_stays() {
    let (tell, told) = mpsc::unbounded_channel();
    let channel = Channel::resolved_by("tester", "http://peers:1", Told(told)).unwrap();
    let peers = [named("a").await, named("b").await, named("c").await];
    let at = |indices: &[usize]| indices.iter().map(|index| peers[*index].address()).collect::<Vec<_>>();
    let options = CallOptions::new();
    let mut first = Box::pin(channel.unary(&READ, note("?"), &options));
    let early = timeout(Duration::from_millis(50), &mut first).await;
    assert!(early.is_err(), "a call waits for the first news");
    tell.send(Err("nobody knows".into())).unwrap();
    tell.send(Ok(at(&[0]))).unwrap();
    assert_eq!(timeout(PATIENCE, first).await.unwrap().unwrap().text, "a");
    tell.send(Ok(at(&[0, 1]))).unwrap();
    answer(&channel, &["a", "b"], &["b"]).await;
    tell.send(Ok(at(&[1]))).unwrap();
    answer(&channel, &["b"], &["b"]).await;
    tell.send(Ok(at(&[0, 2]))).unwrap();
    answer(&channel, &["a", "c"], &["a", "c"]).await;
    tell.send(Ok(Vec::new())).unwrap();
    tell.send(Err("nobody knows".into())).unwrap();
    answer(&channel, &["a", "c"], &[]).await;
}

/// A call that runs on a replica that goes is let finish.
#[tokio::test]
async fn a_replica_that_goes_is_drained() {
    let (answer_now, told_to) = tokio::sync::watch::channel(false);
    let old = Peer::start(move |call: Call| {
        let mut told_to = told_to.clone();
        async move {
            told_to.wait_for(|now| *now).await.unwrap();
            call.answer("old");
        }
    })
    .await;
    let new = named("new").await;
    let (tell, told) = mpsc::unbounded_channel();
    let channel = Channel::resolved_by("tester", "http://peers:1", Told(told)).unwrap();
    tell.send(Ok(vec![old.address()])).unwrap();
    let running = channel.clone();
    let running = tokio::spawn(async move { running.unary(&READ, note("?"), &CallOptions::new()).await });
    while old.calls() == 0 {
        tokio::task::yield_now().await;
    }
    tell.send(Ok(vec![new.address()])).unwrap();
    // The news takes a moment; a call that goes to the old one meanwhile ends at its deadline.
    let short = CallOptions::new().with_deadline(Duration::from_millis(200));
    let reached = async {
        loop {
            if let Ok(answer) = channel.unary(&READ, note("?"), &short).await {
                return answer.text;
            }
        }
    };
    assert_eq!(timeout(PATIENCE, reached).await.unwrap(), "new");
    answer_now.send(true).unwrap();
    assert_eq!(timeout(PATIENCE, running).await.unwrap().unwrap().unwrap().text, "old");
}

/// The file may be written anew or replaced; what is no list changes nothing.
#[tokio::test]
async fn a_watched_file_is_followed() {
    let peers = [named("a").await, named("b").await];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("replicas");
    let channel = Channel::new("tester", &format!("file://{}", path.display())).unwrap();
    std::fs::write(&path, format!("# replicas\n{}\n", peers[0].address())).unwrap();
    answer(&channel, &["a"], &["a"]).await;
    std::fs::write(&path, "gone").unwrap();
    answer(&channel, &["a"], &["a"]).await;
    let next = folder.path().join("next");
    std::fs::write(&next, format!("{}\n", peers[1].address())).unwrap();
    std::fs::rename(&next, &path).unwrap();
    answer(&channel, &["b"], &["b"]).await;
    std::fs::remove_file(&path).unwrap();
    answer(&channel, &["b"], &["b"]).await;
}

/// A name is looked up.
#[tokio::test]
async fn a_name_is_looked_up() {
    let peer = named("a").await;
    let channel = Channel::new("tester", &format!("http://localhost:{}", peer.address().port())).unwrap();
    answer(&channel, &["a"], &["a"]).await;
}
