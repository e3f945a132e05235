//! `freehold flow`: the whole way of one order, or of whatever else has a key, over all owners.
//!
//! What was emitted under the key says which traces it belongs to; what was emitted in those, by whichever owner, is the
//! way, with the keyed calls that touched the key, the steps of its saga, and who has taken each event. Keys of it that wait
//! are named at the end.

use std::collections::{BTreeMap, BTreeSet};

use freehold_client::OperationsClient;
use freehold_contract::Model;
use freehold_wire::pb::{
    Envelope, KeyedCall, ListEventsRequest, ListParkedKeysRequest, ListRecordsRequest,
    ListSubscriptionsRequest, ParkedKey, SagaStep, SagaStepState, SubscriptionStanding,
};
use freehold_wire::prost_types::Timestamp;
use serde_json::{Value, json};

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
    if way.is_empty() {
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
    /// With the service that answered, and whose saga it is.
    calls: Vec<(String, KeyedCall)>,
    steps: Vec<(String, SagaStep)>,
    subscriptions: Vec<SubscriptionStanding>,
    waits: Vec<ParkedKey>,
}

/// Something that happened.
enum Stop<'a> {
    Call(&'a str, &'a KeyedCall),
    Event(&'a Envelope),
    Step(&'a str, &'a SagaStep),
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
            way.ask(service, client, id).await?;
        }
        Ok(way)
    }

    fn is_empty(&self) -> bool {
        self.events.is_empty() && self.calls.is_empty() && self.steps.is_empty() && self.waits.is_empty()
    }

    /// Adds what is kept of it, by whichever owner.
    async fn add(&mut self, operated: &Operated, request: &ListEventsRequest) -> Result<(), Failure> {
        for (service, client) in &operated.services {
            let events = kept(service, client, request).await?;
            self.events.extend(events.into_iter().map(|event| (event.id.clone(), event)));
        }
        Ok(())
    }

    /// Adds what a service knows beside its events.
    async fn ask(&mut self, service: &str, client: &OperationsClient, id: &str) -> Result<(), Failure> {
        let request = ListRecordsRequest::default().with_key(id);
        let told = served(service, client.list_records(request).await)?.unwrap_or_default();
        self.calls.extend(told.calls.into_iter().map(|call| (service.to_owned(), call)));
        self.steps.extend(told.steps.into_iter().map(|step| (service.to_owned(), step)));
        let all = client.list_subscriptions(ListSubscriptionsRequest::default()).await;
        self.subscriptions.extend(served(service, all)?.unwrap_or_default().subscriptions);
        let request = ListParkedKeysRequest::default().with_key(id).with_page_size(PAGE);
        let page = served(service, client.list_parked_keys(request).await)?;
        self.waits.extend(page.unwrap_or_default().keys);
        Ok(())
    }

    /// All that happened in the order of time: at one time calls first, and the events of one unit of work as their feed
    /// has them.
    fn in_order(&self) -> Vec<Stop<'_>> {
        let calls = self.calls.iter().map(|(service, call)| Stop::Call(service, call));
        let events = self.events.values().map(Stop::Event);
        let steps = self.steps.iter().map(|(service, step)| Stop::Step(service, step));
        let mut stops: Vec<Stop<'_>> = calls.chain(events).chain(steps).collect();
        stops.sort_by_key(Stop::place);
        stops
    }

    /// The subscriptions that take an event, and whether each has.
    fn takers(&self, model: &Model, event: &Envelope) -> Vec<(&str, bool)> {
        let mark =
            |position: Option<freehold_wire::pb::Position>| position.map_or(0, |position| position.mark);
        let reads = |standing: &&SubscriptionStanding| {
            standing.owner == event.source && takes(model, &standing.subscription, &event.r#type)
        };
        let taken = |standing: &SubscriptionStanding| mark(standing.position) >= mark(event.position);
        let all = self.subscriptions.iter().filter(reads);
        all.map(|standing| (standing.subscription.as_str(), taken(standing))).collect()
    }

    fn text(&self, model: &Model) -> String {
        let mut lines = Vec::new();
        for stop in self.in_order() {
            lines.push(stop.line(model));
            if let Stop::Event(event) = stop {
                lines.extend(self.about(model, event));
            }
        }
        lines.extend(self.waits.iter().map(|parked| format!("waits: {}", dlq::line(parked))));
        lines.iter().map(|line| format!("{line}\n")).collect()
    }

    /// What led to an event, and who takes it.
    fn about(&self, model: &Model, event: &Envelope) -> Vec<String> {
        let cause = self.events.get(&event.cause).map(|cause| {
            let Envelope { source, r#type, subject, version, .. } = cause;
            format!("  because of {source} {type} {subject} v{version}", r#type = r#type)
        });
        let takers = self.takers(model, event).into_iter().map(|(name, taken)| {
            let how = if taken { "taken by" } else { "on its way to" };
            format!("  {how} {name}")
        });
        cause.into_iter().chain(takers).map(|line| output::on_one_line(&line)).collect()
    }

    fn documents(&self, model: &Model) -> String {
        let stops = self.in_order().into_iter().map(|stop| {
            let mut document = stop.document(model);
            if let Stop::Event(event) = stop {
                let names = |wanted: bool| {
                    let takers = self.takers(model, event).into_iter();
                    takers.filter(|(_, taken)| *taken == wanted).map(|(name, _)| name).collect::<Vec<_>>()
                };
                document["taken_by"] = names(true).into();
                document["on_its_way_to"] = names(false).into();
            }
            document
        });
        let waits = self.waits.iter().map(|parked| of_kind("waits", dlq::document(parked)));
        stops.chain(waits).map(|document| format!("{document}\n")).collect()
    }
}

impl Stop<'_> {
    /// Its place among others.
    fn place(&self) -> (i64, i32, u8, String, i64) {
        let (at, kind, service, mark) = match self {
            Self::Call(service, call) => (call.called_at, 0, *service, 0),
            Self::Event(event) => {
                (event.time, 1, event.source.as_str(), event.position.map_or(0, |position| position.mark))
            }
            Self::Step(service, step) => (step.at, 2, *service, 0),
        };
        let (seconds, nanos) = at.map_or((0, 0), |at| (at.seconds, at.nanos));
        (seconds, nanos, kind, service.to_owned(), mark)
    }

    fn line(&self, model: &Model) -> String {
        let line = match self {
            Self::Event(event) => return shown::line(model, event),
            Self::Call(service, call) => {
                let KeyedCall { caller, method, entity, .. } = call;
                format!("{} {service} was called by {caller}: {method}, for {entity}", at(call.called_at))
            }
            Self::Step(service, step) => {
                let SagaStep { saga, step: name, reason, .. } = step;
                let why = if reason.is_empty() { String::new() } else { format!(": {reason}") };
                format!("{} {service} saga {saga}: {name} {}{why}", at(step.at), state(step))
            }
        };
        output::on_one_line(&line)
    }

    fn document(&self, model: &Model) -> Value {
        match self {
            Self::Event(event) => of_kind("event", shown::document(model, event)),
            Self::Call(service, call) => json!({
                "kind": "call",
                "owner": service,
                "caller": call.caller,
                "method": call.method,
                "entity": call.entity,
                "time": at(call.called_at),
            }),
            Self::Step(service, step) => json!({
                "kind": "step",
                "owner": service,
                "saga": step.saga,
                "step": step.step,
                "state": state(step),
                "failed_attempts": step.failed_attempts,
                "reason": step.reason,
                "time": at(step.at),
            }),
        }
    }
}

fn of_kind(kind: &str, mut document: Value) -> Value {
    document["kind"] = kind.into();
    document
}

fn at(time: Option<Timestamp>) -> String {
    time.as_ref().map(Timestamp::to_string).unwrap_or_default()
}

fn state(step: &SagaStep) -> &'static str {
    match step.state() {
        Ok(SagaStepState::Intent) => "is tried",
        Ok(SagaStepState::Done) => "is done",
        Ok(SagaStepState::Refused) => "was refused",
        Ok(SagaStepState::Undone) => "was undone",
        _ => "is unknown here",
    }
}

/// Whether a subscription, "consumer/purpose", is of what its consumer declares to take of that type.
fn takes(model: &Model, subscription: &str, kind: &str) -> bool {
    let (consumer, purpose) = subscription.split_once('/').unwrap_or((subscription, ""));
    let Some(consumer) = model.consumers.iter().find(|declared| declared.name == consumer) else {
        return false;
    };
    match purpose.strip_prefix("replica/") {
        Some(copy) => consumer.replicas.iter().any(|replica| replica.name == copy && replica.of == kind),
        None => consumer.views.iter().any(|view| view.of == kind),
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
    use freehold_wire::pb::Position;

    use super::*;

    fn seconds(seconds: i64) -> Timestamp {
        Timestamp { seconds, nanos: 0 }
    }

    fn event(id: &str, at: i64, source: &str, kind: &str) -> (String, Envelope) {
        let position = Position::default().with_mark(at + 1);
        let event = Envelope::default().with_id(id).with_source(source).with_type(kind).with_subject("1");
        (id.to_owned(), event.with_version(1).with_time(seconds(at)).with_position(position))
    }

    fn standing(subscription: &str, mark: i64) -> SubscriptionStanding {
        let position = Position::default().with_mark(mark);
        SubscriptionStanding::default()
            .with_subscription(subscription)
            .with_owner("orders")
            .with_position(position)
    }

    #[test]
    fn a_way_is_told_in_the_order_of_time_with_what_led_to_what_and_who_has_taken_it() {
        let mut way = Way::default();
        way.events.extend([
            event("b", 3, "catalog", "c.v1.Sold"),
            event("a", 0, "orders", "orders.v1.OrderConfirmed"),
        ]);
        way.events.get_mut("b").unwrap().cause = "a".to_owned();
        let call = KeyedCall::default()
            .with_caller("gateway")
            .with_method("/o.v1.O/Place")
            .with_entity("o.v1.Order");
        way.calls.push(("orders".to_owned(), call.with_called_at(seconds(0))));
        let step = SagaStep::default().with_saga("place_order").with_step("charge").with_reason("no money");
        way.steps.push(("orders".to_owned(), step.with_state(SagaStepState::Refused).with_at(seconds(2))));
        way.subscriptions.extend([standing("notifications/views/orders", 0), standing("catalog/sales", 1)]);
        way.waits.push(ParkedKey::default().with_subscription("mails/views/orders").with_key("1"));
        let told = way.text(&contracts::embedded().unwrap());
        insta::assert_snapshot!(told.replace(" \n", "\n"), @"
        1970-01-01T00:00:00Z orders was called by gateway: /o.v1.O/Place, for o.v1.Order
        1970-01-01T00:00:00Z orders orders.v1.OrderConfirmed 1 v1 null
          on its way to notifications/views/orders
          taken by catalog/sales
        1970-01-01T00:00:02Z orders saga place_order: charge was refused: no money
        1970-01-01T00:00:03Z catalog c.v1.Sold 1 v1 null
          because of orders orders.v1.OrderConfirmed 1 v1
        waits: mails/views/orders  1 v0 waits for , 0 attempts:
        ");
    }
}
