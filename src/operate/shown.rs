//! Events and times as the terminal and programs get them.

use std::time::{Duration, SystemTime};

use freehold_contract::Model;
use freehold_wire::pb::Envelope;
use freehold_wire::prost_types::Timestamp;
use prost_reflect::DynamicMessage;
use serde_json::{Value, json};

use crate::output::on_one_line;

/// How long ago a time was, by this machine's clock; a time to come is now.
pub(super) fn since(time: Option<&Timestamp>) -> Option<Duration> {
    let time = SystemTime::try_from(*time?).ok()?;
    Some(SystemTime::now().duration_since(time).unwrap_or_default())
}

/// A duration in its largest unit: `340ms`, `12s`, `3m`, `5h`, `2d`.
pub(super) fn rough(duration: Duration) -> String {
    let (milliseconds, seconds) = (duration.as_millis(), duration.as_secs());
    match seconds {
        0 => format!("{milliseconds}ms"),
        1..120 => format!("{seconds}s"),
        120..7_200 => format!("{}m", seconds / 60),
        7_200..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// An event as one document, its data by the contracts that this command was built with.
pub(super) fn document(model: &Model, event: &Envelope) -> Value {
    json!({
        "owner": event.source,
        "position": event.position.as_ref().map(|position| position.mark),
        "id": event.id,
        "type": event.r#type,
        "entity": event.entity,
        "key": event.subject,
        "version": event.version,
        "time": event.time.as_ref().map(Timestamp::to_string),
        "deleted": event.deleted,
        "trace": event.traceparent,
        "cause": event.cause,
        "data": data(model, event),
    })
}

/// An event on one line.
pub(super) fn line(model: &Model, event: &Envelope) -> String {
    let time = event.time.as_ref().map(Timestamp::to_string).unwrap_or_default();
    let what = if event.deleted { "deleted".to_owned() } else { data(model, event).to_string() };
    let Envelope { source, r#type, subject, version, .. } = event;
    on_one_line(&format!("{time} {source} {type} {subject} v{version} {what}", type = r#type))
}

/// The data as JSON; `null` where there is none, and how long it is where these contracts do not know it.
fn data(model: &Model, event: &Envelope) -> Value {
    let Some(bytes) = &event.data else { return Value::Null };
    let known = model.pool.get_message_by_name(&event.dataschema);
    let read = known.and_then(|known| DynamicMessage::decode(known, bytes.as_slice()).ok());
    read.and_then(|message| serde_json::to_value(&message).ok())
        .unwrap_or_else(|| json!({ "undecoded_bytes": bytes.len() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_told_in_its_largest_unit() {
        let told =
            [(340, "340ms"), (12_000, "12s"), (180_000, "3m"), (18_000_000, "5h"), (172_800_000, "2d")];
        for (milliseconds, text) in told {
            assert_eq!(rough(Duration::from_millis(milliseconds)), text);
        }
    }

    #[test]
    fn an_event_of_other_contracts_is_told_without_its_data() {
        let model = crate::contracts::embedded().unwrap();
        let event = Envelope::default().with_source("nobody").with_subject("a\nb").with_version(3);
        let event = event.with_dataschema("nobody.v1.Nothing").with_data(vec![1, 2, 3]);
        assert_eq!(document(&model, &event)["data"], json!({ "undecoded_bytes": 3 }));
        assert!(line(&model, &event).contains("a\\nb v3"), "{}", line(&model, &event));
    }
}
