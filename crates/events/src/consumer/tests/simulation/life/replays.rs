//! Replays in all weather: somebody asks for one now and then, and it is read a few events at a time beside what comes anew.
//!
//! The process may die in the middle of it, and goes on where it was.

use freehold_store::{StoreError, Work};
use freehold_wire::pb::Envelope;

use super::super::super::super::replayer::{Course, Replayer};
use super::super::owner;
use super::{Life, OPERATOR, lock};
use crate::fixture::{SUBSCRIPTION, context};
use crate::link::Batch;
use crate::position;
use crate::replays;

impl Life<'_> {
    /// Somebody wants all of it read again, or what comes after somewhere.
    pub(super) async fn ask(&mut self) {
        let Some((_, stands)) = self.rows.positions().remove(SUBSCRIPTION) else { return };
        let after = self.random.bool().then(|| owner::position(self.random.i64(0..=stands)));
        let unit =
            async move |work: &mut Work| replays::ask(work, SUBSCRIPTION, (after, stands), OPERATOR).await;
        self.mails.store.unit::<_, StoreError, _>(&context(), unit).await.unwrap();
    }

    /// The next events of a replay; `false` where there is none.
    pub(super) async fn reread(&mut self) -> bool {
        let next = replays::next(&mut self.mails.store.read().await.unwrap(), SUBSCRIPTION).await.unwrap();
        let Some(replay) = next else { return false };
        let (intake, link) = (self.intake(), self.link.clone());
        let replayer = Replayer { intake, link, batch: 8, shared: false };
        let Some((mine, replay)) = replayer.claim(replay).await.unwrap() else { return true };
        let stands = position::load(&mut self.mails.store.read().await.unwrap(), SUBSCRIPTION).await.unwrap();
        let after = replay.position.map_or(0, |position| position.mark);
        let batch = self.kept_after(after);
        self.sums.replayed += batch.events.len() as u64;
        match self.death().before(mine.take(Course::of(&replay, &stands.unwrap()), batch)).await {
            Some(Ok(true)) => {}
            Some(Ok(false)) => self.wrong.push(format!("nobody else has {replay:?}")),
            Some(Err(error)) => self.wrong.push(error.to_string()),
            None => self.die(),
        }
        true
    }

    /// As the owner sends it: the next events, or where its head is.
    fn kept_after(&mut self, mark: i64) -> Batch {
        let most = self.random.usize(1..8);
        let history = lock(&self.history);
        let (events, head): (Vec<Envelope>, _) = (history.after(mark, most), history.head());
        let last = events.last().and_then(|event| event.position).unwrap_or(owner::position(head));
        Batch { events, position: last, as_of: std::time::Instant::now() }
    }
}
