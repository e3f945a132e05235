//! `freehold lag`: how far behind its owner each subscription is, and what waits in it.
//!
//! The owner says what comes after the position that was acknowledged to it, the consumer what is parked; a subscription
//! that only the owner knows is one whose consumer may never come back.

use std::collections::BTreeMap;

use freehold_wire::pb::{
    ListSubscribersRequest, ListSubscriptionsRequest, ParkedKey, Subscriber, SubscriptionStanding,
};
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
            "SUBSCRIPTION", "OWNER", "BEHIND", "FOR", "PARKED", "DEAD", "OLDEST PARKED"
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
    /// The consumer's side; `None` where it has not begun, or has been taken out.
    standing: Option<SubscriptionStanding>,
}

async fn rows(operated: &Operated) -> Result<BTreeMap<String, Row>, Failure> {
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    for (service, client) in &operated.services {
        let answer = client.list_subscriptions(ListSubscriptionsRequest::default()).await;
        for standing in served(service, answer)?.unwrap_or_default().subscriptions {
            let row = rows.entry(standing.subscription.clone()).or_default();
            row.owner.clone_from(&standing.owner);
            row.standing = Some(standing);
        }
        let answer = client.list_subscribers(ListSubscribersRequest::default()).await;
        for subscriber in served(service, answer)?.unwrap_or_default().subscribers {
            let row = rows.entry(subscriber.subscription.clone()).or_default();
            row.owner.clone_from(service);
            row.subscriber = Some(subscriber);
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
        let oldest = match (self.oldest(), &self.standing) {
            (_, None) if name.starts_with(&format!("{}/relay/", self.owner)) => {
                "its relay: `freehold relay status`".to_owned()
            }
            (_, None) => "its consumer does not know it; `freehold events forget` ends it".to_owned(),
            (None, _) => String::new(),
            (Some(parked), _) => {
                let waited = since(parked.parked_at.as_ref()).map(rough).unwrap_or_default();
                format!("{} v{} for {waited}: {}", parked.key, parked.version, parked.reason)
            }
        };
        let line = format!(
            "{name:<44} {:<10} {:>8} {:>6} {parked:>7} {dead:>5}  {oldest}",
            self.owner,
            known(self.behind().map(|behind| behind.to_string())),
            known(since(behind_since).map(rough)),
        );
        line.trim_end().to_owned()
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
        })
    }
}
