//! `freehold lag`: how far behind its owner each subscription is, what waits in it, and what holds it up.
//!
//! The owner says what comes after the position that was acknowledged to it, how much it keeps for whom, and which
//! transactions hold up their own events; the consumer says what is parked and what is read again. A subscription that only
//! the owner knows is one whose consumer may never come back.

use std::collections::BTreeMap;

use freehold_wire::pb::{
    ForgottenSubscriber, ListSubscribersRequest, ListSubscriptionsRequest, ParkedKey, Position,
    ReplayStanding, Subscriber, SubscriptionStanding,
};
use freehold_wire::prost_types::Timestamp;
use serde_json::{Value, json};

use crate::cli::{Format, LagArgs};
use crate::exit::Failure;
use crate::operate::shown::{rough, since};
use crate::operate::{Operated, served};
use crate::output;

/// Prints a line for each subscription.
pub(super) async fn run(args: &LagArgs, format: Format) -> Result<(), Failure> {
    let operated = Operated::find(&args.mesh.mesh).await?;
    let rows = rows(&operated).await?;
    let mut text = String::new();
    if format == Format::Text {
        text.push_str(&format!(
            "{:<44} {:<10} {:>8} {:>6} {:>7} {:>5}  {}\n",
            "SUBSCRIPTION", "OWNER", "BEHIND", "FOR", "PARKED", "DEAD", "HELD UP BY"
        ));
    }
    for (name, row) in &rows {
        match format {
            Format::Text => text.push_str(&output::on_one_line(&row.line(name))),
            Format::Json => text.push_str(&row.document(name).to_string()),
        }
        text.push('\n');
    }
    output::write(text.as_bytes())
}

/// A subscription from both sides.
#[derive(Debug, Default)]
struct Row {
    owner: String,
    /// The owner's side; `None` where it is not registered there.
    subscriber: Option<Subscriber>,
    /// Who had the owner forget it last; of one that is registered again, before that.
    forgotten: Option<ForgottenSubscriber>,
    /// The consumer's side; `None` where it has not begun, or has been taken out.
    standing: Option<SubscriptionStanding>,
    /// How many bytes its owner keeps, where that is too much and this subscription has passed least of it.
    holds: Option<i64>,
    /// The transactions that hold up their own events at its owner, the oldest first.
    blockers: Vec<String>,
}

async fn rows(operated: &Operated) -> Result<BTreeMap<String, Row>, Failure> {
    let (mut rows, mut forgotten) = (BTreeMap::<String, Row>::new(), Vec::new());
    for (service, client) in &operated.services {
        let answer = client.list_subscriptions(ListSubscriptionsRequest::default()).await;
        for standing in served(service, answer)?.unwrap_or_default().subscriptions {
            let row = rows.entry(standing.subscription.clone()).or_default();
            row.owner.clone_from(&standing.owner);
            row.standing = Some(standing);
        }
        let answer = client.list_subscribers(ListSubscribersRequest::default()).await;
        let owner = served(service, answer)?.unwrap_or_default();
        for subscriber in owner.subscribers {
            let row = rows.entry(subscriber.subscription.clone()).or_default();
            row.owner.clone_from(service);
            row.holds = (subscriber.subscription == owner.held_by).then_some(owner.kept_bytes);
            row.blockers.clone_from(&owner.blockers);
            row.subscriber = Some(subscriber);
        }
        forgotten.extend(owner.forgotten);
    }
    for record in forgotten {
        if let Some(row) = rows.get_mut(&record.subscription) {
            row.forgotten = Some(record);
        }
    }
    Ok(rows)
}

impl Row {
    fn behind(&self) -> Option<i64> {
        self.subscriber.as_ref().map(|subscriber| subscriber.behind)
    }

    fn oldest(&self) -> Option<&ParkedKey> {
        self.standing.as_ref()?.oldest.as_ref()
    }

    fn line(&self, name: &str) -> String {
        let known = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
        let behind_since = self.subscriber.as_ref().and_then(|it| it.behind_since.as_ref());
        let (parked, dead) =
            self.standing.as_ref().map_or((0, 0), |standing| (standing.parked_keys, standing.dead_letters));
        let held_up = self.held_up(name).join("; ");
        let line = format!(
            "{name:<44} {:<10} {:>8} {:>6} {parked:>7} {dead:>5}  {held_up}",
            self.owner,
            known(self.behind().map(|behind| behind.to_string())),
            known(since(behind_since).map(rough)),
        );
        line.trim_end().to_owned()
    }

    /// All that somebody may want to look after.
    fn held_up(&self, name: &str) -> Vec<String> {
        let mut held = Vec::new();
        match &self.standing {
            None if name.starts_with(&format!("{}/relay/", self.owner)) => {
                held.push("its relay: `freehold relay status`".to_owned());
            }
            None => held.push("its consumer does not know it; `freehold events forget` ends it".to_owned()),
            Some(standing) => held.extend(standing.replay.as_ref().and_then(replayed)),
        }
        if let Some(parked) = self.oldest() {
            let waited = since(parked.parked_at.as_ref()).map(rough).unwrap_or_default();
            held.push(format!("{} v{} for {waited}: {}", parked.key, parked.version, parked.reason));
        }
        if let (None, Some(record)) = (&self.subscriber, &self.forgotten) {
            held.push(format!("{} had {} forget it", record.who, self.owner));
        }
        if let Some(bytes) = self.holds {
            let gibibytes = bytes as f64 / f64::from(1 << 30);
            held.push(format!("{} keeps {gibibytes:.1} GiB of events for it", self.owner));
        }
        if let Some(oldest) = self.blockers.first() {
            held.push(format!("{oldest} holds up its own events at {}", self.owner));
        }
        held
    }

    fn document(&self, name: &str) -> Value {
        let behind_since = self.subscriber.as_ref().and_then(|it| it.behind_since.as_ref());
        json!({
            "subscription": name,
            "owner": self.owner,
            "behind": self.behind(),
            "behind_seconds": since(behind_since).map(|behind| behind.as_secs_f64()),
            "parked_keys": self.standing.as_ref().map(|standing| standing.parked_keys),
            "dead_letters": self.standing.as_ref().map(|standing| standing.dead_letters),
            "oldest": self.oldest().map(super::dlq::document),
            "kept_bytes": self.holds,
            "blockers": self.blockers,
            "forgotten": self.forgotten.as_ref().map(forgotten),
            "replay": self.standing.as_ref().and_then(|standing| standing.replay.as_ref()).map(replay),
        })
    }
}

/// What of a replay is worth a word: that it goes on, or why it stopped.
fn replayed(replay: &ReplayStanding) -> Option<String> {
    let ReplayStanding { who, outcome, .. } = replay;
    match outcome.as_str() {
        "" => {
            let read = mark(&replay.position).map_or_else(|| "the beginning".to_owned(), |at| at.to_string());
            Some(format!("{who} replays it: at {read} of {}", mark(&replay.until).unwrap_or_default()))
        }
        "done" => None,
        stopped => Some(format!("replayed by {who}: {stopped}")),
    }
}

fn replay(replay: &ReplayStanding) -> Value {
    json!({
        "position": mark(&replay.position),
        "until": mark(&replay.until),
        "who": replay.who,
        "asked": replay.asked_at.as_ref().map(Timestamp::to_string),
        "ended": replay.ended_at.as_ref().map(Timestamp::to_string),
        "outcome": replay.outcome,
    })
}

fn forgotten(record: &ForgottenSubscriber) -> Value {
    json!({
        "position": mark(&record.position),
        "who": record.who,
        "at": record.at.as_ref().map(Timestamp::to_string),
    })
}

fn mark(position: &Option<Position>) -> Option<i64> {
    position.as_ref().map(|position| position.mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_all_that_holds_a_subscription_up() {
        let at = |mark| Position::default().with_mark(mark);
        let read = ReplayStanding::default().with_until(at(90)).with_who("ann");
        let on = read.clone().with_position(at(40));
        let stopped =
            read.clone().with_outcome("the owner's history is another one than the one that was read");
        let done = on.clone().with_outcome("done");
        let row = |replay: Option<ReplayStanding>| {
            let mut standing = SubscriptionStanding::default();
            standing.replay = replay;
            let subscriber = Some(Subscriber::default().with_behind(12));
            Row { owner: "orders".to_owned(), subscriber, standing: Some(standing), ..Row::default() }
        };
        let parked = ParkedKey::default().with_key("7").with_version(3).with_reason("no such shelf");
        let parked = parked.with_parked_at(Timestamp { seconds: 250_000_000_000, nanos: 0 });
        let mut held =
            Row { holds: Some(3 << 29), blockers: vec!["the backend 4711".to_owned()], ..row(None) };
        held.standing = Some(SubscriptionStanding::default().with_oldest(parked).with_parked_keys(1));
        let gone = Row { standing: None, ..row(None) };
        let record = || Some(ForgottenSubscriber::default().with_who("ann"));
        let forgotten = Row { subscriber: None, forgotten: record(), ..row(None) };
        let back = Row { forgotten: record(), ..row(None) };
        let replayed = [row(Some(read)), row(Some(on)), row(Some(stopped)), row(Some(done))];
        let rows: Vec<Row> =
            [row(None)].into_iter().chain(replayed).chain([held, gone, forgotten, back]).collect();
        let lines: Vec<String> = rows.iter().map(|row| row.line("mails/views/orders")).collect();
        insta::assert_snapshot!(lines.join("\n"), @r"
        mails/views/orders                           orders           12      -       0     0
        mails/views/orders                           orders           12      -       0     0  ann replays it: at the beginning of 90
        mails/views/orders                           orders           12      -       0     0  ann replays it: at 40 of 90
        mails/views/orders                           orders           12      -       0     0  replayed by ann: the owner's history is another one than the one that was read
        mails/views/orders                           orders           12      -       0     0
        mails/views/orders                           orders           12      -       1     0  7 v3 for 0ms: no such shelf; orders keeps 1.5 GiB of events for it; the backend 4711 holds up its own events at orders
        mails/views/orders                           orders           12      -       0     0  its consumer does not know it; `freehold events forget` ends it
        mails/views/orders                           orders            -      -       0     0  ann had orders forget it
        mails/views/orders                           orders           12      -       0     0
        ");
        let document = rows[2].document("mails/views/orders");
        insta::assert_snapshot!(
            document["replay"],
            @r#"{"asked":null,"ended":null,"outcome":"","position":40,"until":90,"who":"ann"}"#
        );
        assert_eq!(rows[5].document("mails/views/orders")["blockers"], json!(["the backend 4711"]));
    }
}
