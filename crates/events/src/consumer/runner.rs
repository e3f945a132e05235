//! One subscription's loop: open the stream, hand over what arrives, reconnect.
//!
//! A thin shell around a purpose. One whose owner no longer keeps what comes next stands still, until a replay has it begin
//! anew. **Invariant:** it ends only when the owner's history turns out to be another one, or is not whole where the
//! purpose needs all of it.

use std::convert::Infallible;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::link::{self, Link, LinkError};
use crate::meter::Meter;
use crate::purpose::{Left, Purpose, Report, State};

/// A stream that has lived this long was no failed attempt, also where its owner had nothing to send.
const LIVED: Duration = Duration::from_secs(5);

/// Runs one subscription.
pub(crate) struct Runner {
    pub(crate) name: String,
    pub(crate) link: Link,
    pub(crate) batch: usize,
    pub(crate) purpose: Box<dyn Purpose>,
    pub(crate) report: Report,
    pub(crate) meter: Meter,
}

impl Runner {
    /// Runs until it is dropped, or until the owner's history turns out to be of no use to it.
    pub(crate) async fn run(mut self) {
        let mut waits = link::reconnects();
        loop {
            let before = self.report.position();
            let mut opened = None;
            let left = match self.stream(&mut opened).await {
                Ok(never) => match never {},
                Err(left) => left,
            };
            self.purpose.left(&left);
            if let Some(end) = end_of(&left) {
                tracing::error!(subscription = self.name, problem = %left, "the subscription ends");
                return self.report.state(end);
            }
            let lived = opened.is_some_and(|opened: Instant| opened.elapsed() >= LIVED);
            if lived || self.report.position() != before {
                waits = link::reconnects();
            }
            match &left {
                Left::Link(error @ LinkError::PositionPurged(_)) if !self.purpose.begins_anew() => {
                    self.tell_left_behind(error)
                }
                left => self.tell(left),
            }
            sleep(waits.next().unwrap_or(Duration::from_secs(5))).await;
        }
    }

    /// Reads until the stream ends; notes when it opened.
    async fn stream(&mut self, opened: &mut Option<Instant>) -> Result<Infallible, Left> {
        let after = self.purpose.resume(&self.link).await?;
        let mut arrivals = self.link.open_for(after, self.purpose.shares()).await?;
        *opened = Some(Instant::now());
        let _counted = self.meter.opened();
        self.purpose.opened(arrivals.epochs()).await?;
        loop {
            let batch = tokio::select! {
                batch = arrivals.next(self.batch) => batch?,
                () = self.purpose.recalled() => return Err(Left::Again("it holds other shares than before")),
            };
            let (events, last) = (batch.events.len() as u64, batch.events.last().cloned());
            self.purpose.take(batch).await?;
            last.iter().for_each(|last| self.meter.took(events, last));
        }
    }

    /// It cannot go on by itself, and does when somebody has had it begin anew.
    fn tell_left_behind(&self, error: &LinkError) {
        let failed = State::Failed(error.to_string());
        if !self.report.is(&failed) {
            tracing::error!(subscription = self.name, problem = %error, "the subscription was left behind");
        }
        self.report.state(failed);
    }

    fn tell(&self, left: &Left) {
        match left {
            Left::Link(LinkError::Ended) => {
                tracing::debug!(subscription = self.name, "the stream is opened again")
            }
            Left::Again(reason) => {
                tracing::warn!(subscription = self.name, reason, "the stream is opened again")
            }
            Left::Link(_) | Left::Store(_) => {
                let problem = left.to_string();
                if left.is_absence() {
                    tracing::info!(subscription = self.name, problem, "the owner is away");
                } else {
                    tracing::warn!(subscription = self.name, problem, "the stream broke");
                }
                self.report.state(State::Disconnected(problem));
            }
        }
    }
}

/// How a subscription stands that ends for this reason; `None` where it comes back later.
fn end_of(left: &Left) -> Option<State> {
    match left {
        Left::Link(LinkError::HistoryLost(problem)) => Some(State::HistoryLost(problem.clone())),
        Left::Link(error @ LinkError::Purged(_)) => Some(State::Failed(error.to_string())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use freehold_client::{CallOptions, Error, FeedClient, FeedStub, Messages};
    use freehold_wire::pb::subscribe_response::Item;
    use freehold_wire::pb::{Epoch, Heartbeat, Position, SubscribeRequest, SubscribeResponse};
    use futures_util::{StreamExt, stream};
    use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

    use super::*;
    use crate::link::Batch;
    use crate::subscription::Subscription;

    /// An owner without anything to send, whose streams end by themselves; tells when each opened.
    #[derive(Debug, Clone)]
    struct Idle {
        life: Duration,
        opened: UnboundedSender<Instant>,
    }

    #[async_trait]
    impl FeedStub for Idle {
        async fn subscribe(
            &self,
            _: SubscribeRequest,
            _: &CallOptions,
        ) -> Result<Messages<SubscribeResponse>, Error> {
            let _ = self.opened.send(Instant::now());
            let interval = prost_types::Duration { seconds: 60, nanos: 0 };
            let beat = Heartbeat::default().with_position(Position::default()).with_interval(interval);
            let opening = SubscribeResponse::default().with_item(Item::Heartbeat(beat));
            let life = self.life;
            let open = tokio::time::timeout(life, std::future::pending::<()>());
            let end = stream::once(open).filter_map(|_| std::future::ready(None));
            Ok(Messages::new(stream::iter([Ok(opening)]).chain(end)))
        }
    }

    struct Nothing;

    #[async_trait]
    impl Purpose for Nothing {
        async fn resume(&mut self, _: &Link) -> Result<Option<Position>, Left> {
            Ok(None)
        }

        async fn opened(&mut self, _: &[Epoch]) -> Result<(), Left> {
            Ok(())
        }

        async fn take(&mut self, _: Batch) -> Result<(), Left> {
            Ok(())
        }
    }

    /// The longest wait between the end of a stream and the next one, over many of them.
    async fn longest_wait(life: Duration) -> Duration {
        let (opened, mut openings) = unbounded_channel();
        let link = Link::new(FeedClient::from_stub(Idle { life, opened }), "mails", ["o.v1.Placed"]);
        let (report, _progress) = Report::new();
        let meter = Meter::of(&Subscription::views("mails", "o"));
        let purpose = Box::new(Nothing);
        let runner = Runner { name: "mails".to_owned(), link, batch: 1, purpose, report, meter };
        let running = tokio::spawn(runner.run());
        let mut last = openings.recv().await.unwrap();
        let mut longest = Duration::ZERO;
        for _ in 0..12 {
            let next = openings.recv().await.unwrap();
            longest = longest.max(next.duration_since(last).saturating_sub(life));
            last = next;
        }
        running.abort();
        longest
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_owner_is_reached_again_at_once_after_a_long_stream() {
        assert!(longest_wait(Duration::from_secs(60)).await < Duration::from_millis(200));
    }

    #[tokio::test(start_paused = true)]
    async fn an_owner_whose_streams_end_at_once_is_asked_less_and_less() {
        assert!(longest_wait(Duration::from_millis(1)).await > Duration::from_secs(2));
    }
}
