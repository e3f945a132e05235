//! `freehold flow`: the whole way of one order, or of whatever else has a key, over all owners.
//!
//! What was emitted under the key says which traces it belongs to; what was emitted in those, by whichever owner, is the
//! way: the call, what a saga's steps did elsewhere, and the reactions. Keys of it that wait are named at the end.

use std::collections::{BTreeMap, BTreeSet};

use freehold_client::OperationsClient;
use freehold_contract::Model;
use freehold_wire::pb::{Envelope, ListEventsRequest, ListParkedKeysRequest, ParkedKey};
use serde_json::Value;

use crate::cli::{FlowArgs, Format};
use crate::contracts;
use crate::exit::{Exit, Failure};
use crate::operate::{Operated, dlq, served, shown};
use crate::output;

const PAGE: i32 = 500;

/// Prints the way of a key.
pub(super) async fn run(args: &FlowArgs, format: Format) -> Result<(), Failure> {
    let (operated, model) = (Operated::find(&args.mesh.mesh).await?, contracts::embedded()?);
    let way = Way::find(&operated, &args.id).await?;
    if way.events.is_empty() && way.waits.is_empty() {
        return Err(Failure::new(Exit::Failed, format!("no event of `{}` is kept", args.id)));
    }
    let told = match format {
        Format::Text => way.text(&model),
        Format::Json => way.documents(&model),
    };
    output::write(told.as_bytes())
}

/// The way of a key.
#[derive(Debug, Default)]
struct Way {
    /// By id; what is one event is told once.
    events: BTreeMap<String, Envelope>,
    waits: Vec<ParkedKey>,
}

impl Way {
    async fn find(operated: &Operated, id: &str) -> Result<Self, Failure> {
        let mut way = Self::default();
        way.add(operated, &ListEventsRequest::default().with_key(id)).await?;
        let traces: BTreeSet<String> = way.events.values().filter_map(trace).collect();
        for trace in traces {
            way.add(operated, &ListEventsRequest::default().with_trace(trace)).await?;
        }
        for (service, client) in &operated.services {
            let request = ListParkedKeysRequest::default().with_key(id).with_page_size(PAGE);
            let page = served(service, client.list_parked_keys(request).await)?;
            way.waits.extend(page.unwrap_or_default().keys);
        }
        Ok(way)
    }

    /// Adds what is kept of it, by whichever owner.
    async fn add(&mut self, operated: &Operated, request: &ListEventsRequest) -> Result<(), Failure> {
        for (service, client) in &operated.services {
            let events = kept(service, client, request).await?;
            self.events.extend(events.into_iter().map(|event| (event.id.clone(), event)));
        }
        Ok(())
    }

    /// The events in the order of their times; those of one unit of work in the order of their feed.
    fn in_order(&self) -> Vec<&Envelope> {
        let at = |event: &Envelope| event.time.map_or((0, 0), |time| (time.seconds, time.nanos));
        let mark = |event: &Envelope| event.position.map_or(0, |position| position.mark);
        let mut events: Vec<&Envelope> = self.events.values().collect();
        events.sort_by_key(|event| (at(event), event.source.clone(), mark(event)));
        events
    }

    fn text(&self, model: &Model) -> String {
        let mut text = String::new();
        for event in self.in_order() {
            text.push_str(&shown::line(model, event));
            text.push('\n');
            if let Some(cause) = self.events.get(&event.cause) {
                let Envelope { source, r#type, subject, version, .. } = cause;
                let because = format!("  because of {source} {type} {subject} v{version}", r#type = r#type);
                text.push_str(&output::on_one_line(&because));
                text.push('\n');
            }
        }
        for parked in &self.waits {
            text.push_str(&format!("waits: {}\n", dlq::line(parked)));
        }
        text
    }

    fn documents(&self, model: &Model) -> String {
        let of_kind = |kind: &str, mut document: Value| {
            document["kind"] = kind.into();
            format!("{document}\n")
        };
        let events = self.in_order().into_iter().map(|event| of_kind("event", shown::document(model, event)));
        let waits = self.waits.iter().map(|parked| of_kind("waits", dlq::document(parked)));
        events.chain(waits).collect()
    }
}

/// All events of an owner that the request asks for.
async fn kept(
    service: &str,
    client: &OperationsClient,
    request: &ListEventsRequest,
) -> Result<Vec<Envelope>, Failure> {
    let (mut events, mut after) = (Vec::new(), None);
    loop {
        let mut request = request.clone().with_page_size(PAGE);
        request.after = after;
        let Some(page) = served(service, client.list_events(request).await)? else { return Ok(events) };
        events.extend(page.events);
        after = page.position;
        if page.at_head {
            return Ok(events);
        }
    }
}

/// The id of the trace that an event was emitted in.
fn trace(event: &Envelope) -> Option<String> {
    event.traceparent.split('-').nth(1).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use freehold_wire::prost_types::Timestamp;

    use super::*;

    fn event(id: &str, at: i64, source: &str, kind: &str) -> (String, Envelope) {
        let time = Timestamp { seconds: at, nanos: 0 };
        let event = Envelope::default().with_id(id).with_source(source).with_type(kind).with_subject("1");
        (id.to_owned(), event.with_version(1).with_time(time))
    }

    #[test]
    fn a_way_is_told_in_the_order_of_time_with_what_led_to_what() {
        let mut way = Way::default();
        way.events.extend([event("b", 1, "catalog", "c.v1.Sold"), event("a", 0, "orders", "o.v1.Placed")]);
        way.events.get_mut("b").unwrap().cause = "a".to_owned();
        way.waits.push(ParkedKey::default().with_subscription("mails/views/orders").with_key("1"));
        let told = way.text(&contracts::embedded().unwrap());
        insta::assert_snapshot!(told.replace(" \n", "\n"), @"
        1970-01-01T00:00:00Z orders o.v1.Placed 1 v1 null
        1970-01-01T00:00:01Z catalog c.v1.Sold 1 v1 null
          because of orders o.v1.Placed 1 v1
        waits: mails/views/orders  1 v0 waits for , 0 attempts:
        ");
    }
}
