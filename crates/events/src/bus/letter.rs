//! What travels on a bus: an event with what was published before it, or a beat; as CloudEvents in binary mode.
//!
//! Attributes are headers, so that whoever knows CloudEvents reads along; the data is the body. A letter also names the
//! marks of what its relay published before it. **Invariant:** a reader that lacks any of that sees it from the letter.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::str::FromStr;

use freehold_wire::pb::{Envelope, Position, Token, TokenSet};
use prost::Message;
use prost_types::Timestamp;

use super::header::{bytes, escaped, hexadecimal, unescaped};

/// The header that names the marks of what was published before.
const BEFORE: &str = "freehold-before";
/// The type of a beat.
const BEAT: &str = "freehold.v1.Beat";
const PROTOBUF: &str = "application/protobuf";

/// What a relay publishes.
#[derive(Debug, Clone, PartialEq)]
pub enum Letter {
    /// An event.
    Event {
        /// The event; without data also where its owner keeps them to itself.
        event: Box<Envelope>,
        /// What was published before it.
        before: Published,
        /// It has data at its owner that a bus does not carry.
        withheld: bool,
    },
    /// Says that everything up to a position has been published.
    Beat {
        /// Whose beat it is.
        owner: String,
        /// Up to here.
        position: Position,
        /// When, by the owner's clock.
        time: Timestamp,
        /// What was published before it.
        before: Published,
    },
}

/// The marks of what a relay has published: the last of each entity, and of all others nothing after `floor`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Published {
    floor: i64,
    last: BTreeMap<String, i64>,
}

/// A letter as an adapter sends it: header names are lower-case, values are printable ASCII.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// Its id, the same whenever it is sent: an event's own; empty for a beat.
    pub id: String,
    /// The entity, and the type of an event of it, by full name; `None` for a beat.
    pub route: Option<(String, String)>,
    /// What describes the body.
    pub headers: Vec<(&'static str, String)>,
    /// The data.
    pub body: Vec<u8>,
}

/// A message on a bus that no relay of its owner has written so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stray {
    /// A header is missing.
    #[error("it has no header `{0}`")]
    Missing(&'static str),
    /// A header holds something else.
    #[error("its header `{0}` cannot be read")]
    Unreadable(&'static str),
    /// It is another owner's.
    #[error("its source is `{0}`")]
    Foreign(String),
    /// It is of a history that its owner does not have.
    #[error("its owner never reached position {mark} in epoch {epoch:016x}")]
    OtherHistory {
        /// The epoch that it names.
        epoch: u64,
        /// The mark.
        mark: i64,
    },
}

impl Published {
    /// What a relay knows that goes on at a mark: anything up to there may have been published.
    #[must_use]
    pub fn up_to(mark: i64) -> Self {
        Self { floor: mark, last: BTreeMap::new() }
    }

    /// Notes that an event is published.
    pub fn add(&mut self, entity: &str, mark: i64) {
        match self.last.get_mut(entity) {
            Some(last) => *last = mark,
            None => drop(self.last.insert(entity.to_owned(), mark)),
        }
    }

    /// The last mark at which something of these entities may have been published.
    #[must_use]
    pub fn last_of(&self, entities: &BTreeSet<&'static str>) -> i64 {
        let marks = entities.iter().filter_map(|entity| self.last.get(*entity));
        marks.copied().max().unwrap_or(0).max(self.floor)
    }

    fn write(&self) -> String {
        let mut text = self.floor.to_string();
        for (entity, mark) in &self.last {
            // Writing to a string does not fail.
            let _ = write!(text, ";{entity}={mark}");
        }
        text
    }

    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split(';');
        let mut published = Self::up_to(parts.next()?.parse().ok()?);
        for part in parts {
            let (entity, mark) = part.split_once('=')?;
            published.add(entity, mark.parse().ok()?);
        }
        Some(published)
    }
}

impl Letter {
    /// The letter as it is sent.
    #[must_use]
    pub fn pack(self) -> Packet {
        match self {
            Self::Event { event, before, withheld } => pack_event(*event, &before, withheld),
            Self::Beat { owner, position, time, before } => {
                let mut headers = vec![
                    ("ce-specversion", "1.0".to_owned()),
                    ("ce-id", format!("{:016x}-{}", position.epoch, position.mark)),
                    ("ce-source", escaped(&owner)),
                    ("ce-type", BEAT.to_owned()),
                    ("ce-time", time.to_string()),
                ];
                place(&mut headers, position, &before);
                Packet { id: String::new(), route: None, headers, body: Vec::new() }
            }
        }
    }

    /// Reads what arrived: the value of each header by its name, and the body.
    ///
    /// # Errors
    /// [`Stray`] names what is wrong with it.
    pub fn unpack(
        owner: &str,
        header: impl Fn(&'static str) -> Option<String>,
        body: Vec<u8>,
    ) -> Result<Self, Stray> {
        let text = |name| match header(name) {
            Some(value) => unescaped(&value).ok_or(Stray::Unreadable(name)),
            None => Err(Stray::Missing(name)),
        };
        let source = text("ce-source")?;
        if source != owner {
            return Err(Stray::Foreign(source));
        }
        let position = Position::default()
            .with_epoch(
                u64::from_str_radix(&text("ce-epoch")?, 16).map_err(|_| Stray::Unreadable("ce-epoch"))?,
            )
            .with_mark(number("ce-mark", &text("ce-mark")?)?);
        let before = Published::read(&text(BEFORE)?).ok_or(Stray::Unreadable(BEFORE))?;
        let time = Timestamp::from_str(&text("ce-time")?).map_err(|_| Stray::Unreadable("ce-time"))?;
        let kind = text("ce-type")?;
        if kind == BEAT {
            return Ok(Self::Beat { owner: source, position, time, before });
        }
        let optional = |name| header(name).map_or(Ok(String::new()), |_| text(name));
        let mut event = Envelope::default()
            .with_id(text("ce-id")?)
            .with_source(source)
            .with_type(kind)
            .with_subject(text("ce-subject")?)
            .with_time(time)
            .with_dataschema(optional("ce-dataschema")?)
            .with_entity(text("ce-entity")?)
            .with_version(number("ce-version", &text("ce-version")?)?)
            .with_position(position)
            .with_traceparent(optional("ce-traceparent")?)
            .with_cause(optional("ce-cause")?)
            .with_tokens(tokens(&optional("ce-tokens")?)?)
            .with_deleted(header("ce-deleted").is_some());
        let withheld = header("ce-withheld").is_some();
        if !event.dataschema.is_empty() {
            event = event.with_data(body);
        }
        Ok(Self::Event { event: Box::new(event), before, withheld })
    }
}

fn pack_event(mut event: Envelope, before: &Published, withheld: bool) -> Packet {
    let mut headers = vec![
        ("ce-specversion", "1.0".to_owned()),
        ("ce-id", escaped(&event.id)),
        ("ce-source", escaped(&event.source)),
        ("ce-type", escaped(&event.r#type)),
        ("ce-subject", escaped(&event.subject)),
        ("ce-time", event.time.unwrap_or_default().to_string()),
        ("ce-entity", escaped(&event.entity)),
        ("ce-version", event.version.to_string()),
    ];
    let data = event.data.take().filter(|_| !withheld);
    let tokens = TokenSet::default().with_tokens(std::mem::take(&mut event.tokens)).encode_to_vec();
    let mut optional = |name, value: &str| {
        if !value.is_empty() {
            headers.push((name, escaped(value)));
        }
    };
    optional("ce-traceparent", &event.traceparent);
    optional("ce-cause", &event.cause);
    optional("ce-tokens", &hexadecimal(&tokens));
    optional("ce-deleted", if event.deleted { "true" } else { "" });
    optional("ce-withheld", if withheld { "true" } else { "" });
    if data.is_some() {
        optional("ce-dataschema", &event.r#type);
        optional("ce-datacontenttype", PROTOBUF);
    }
    place(&mut headers, event.position.unwrap_or_default(), before);
    let route = Some((event.entity, event.r#type));
    Packet { id: event.id, route, headers, body: data.unwrap_or_default() }
}

fn place(headers: &mut Vec<(&'static str, String)>, position: Position, before: &Published) {
    headers.push(("ce-epoch", format!("{:016x}", position.epoch)));
    headers.push(("ce-mark", position.mark.to_string()));
    headers.push((BEFORE, before.write()));
}

fn number(name: &'static str, text: &str) -> Result<i64, Stray> {
    text.parse().ok().filter(|number| *number >= 0).ok_or(Stray::Unreadable(name))
}

fn tokens(text: &str) -> Result<Vec<Token>, Stray> {
    let bytes = bytes(text).ok_or(Stray::Unreadable("ce-tokens"))?;
    let set = TokenSet::decode(bytes.as_slice()).map_err(|_| Stray::Unreadable("ce-tokens"))?;
    Ok(set.tokens)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn published() -> Published {
        let mut published = Published::up_to(3);
        published.add("o.v1.Order", 7);
        published.add("o.v1.Stock", 5);
        published
    }

    fn event(key: &str) -> Envelope {
        Envelope::default()
            .with_id("e-1")
            .with_source("orders")
            .with_type("o.v1.Placed")
            .with_subject(key)
            .with_time(Timestamp { seconds: 1_700_000_000, nanos: 123_000_000 })
            .with_dataschema("o.v1.Placed")
            .with_entity("o.v1.Order")
            .with_version(3)
            .with_position(Position::default().with_epoch(u64::MAX).with_mark(8))
            .with_tokens(vec![Token::default().with_owner("orders").with_epoch(1).with_mark(8)])
            .with_data(vec![1, 2, 3])
    }

    fn arrived(packet: Packet) -> Result<Letter, Stray> {
        let headers: BTreeMap<_, _> = packet.headers.into_iter().collect();
        Letter::unpack("orders", |name| headers.get(name).cloned(), packet.body)
    }

    #[test]
    fn a_letter_arrives_as_it_was_sent() {
        let sent = Letter::Event { event: event("k 1").into(), before: published(), withheld: false };
        assert_eq!(arrived(sent.clone().pack()), Ok(sent));
        let mut deleted = event("é\"%\n").with_dataschema("").with_deleted(true);
        deleted.data = None;
        let sent = Letter::Event { event: deleted.into(), before: published(), withheld: false };
        assert_eq!(arrived(sent.clone().pack()), Ok(sent));
        let beat = Letter::Beat {
            owner: "orders".to_owned(),
            position: Position::default().with_epoch(7).with_mark(9),
            time: Timestamp { seconds: 5, nanos: 0 },
            before: published(),
        };
        assert_eq!(arrived(beat.clone().pack()), Ok(beat));
    }

    #[test]
    fn what_is_withheld_is_in_no_part_of_a_letter() {
        let sent = Letter::Event { event: event("k").into(), before: published(), withheld: true }.pack();
        assert_eq!(sent.body, Vec::<u8>::new());
        assert!(sent.headers.iter().all(|(name, _)| *name != "ce-dataschema"));
        let Ok(Letter::Event { event, withheld: true, .. }) = arrived(sent) else { panic!("it is withheld") };
        assert_eq!((event.data, event.dataschema.as_str()), (None, ""));
    }

    #[test]
    fn the_headers_are_those_of_cloudevents() {
        let letter = Letter::Event { event: event("k 1").into(), before: published(), withheld: false };
        let headers: Vec<_> =
            letter.pack().headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        insta::assert_snapshot!(headers.join("\n"), @r"
        ce-specversion: 1.0
        ce-id: e-1
        ce-source: orders
        ce-type: o.v1.Placed
        ce-subject: k%201
        ce-time: 2023-11-14T22:13:20.123Z
        ce-entity: o.v1.Order
        ce-version: 3
        ce-tokens: 0a130a066f72646572731101000000000000001808
        ce-dataschema: o.v1.Placed
        ce-datacontenttype: application/protobuf
        ce-epoch: ffffffffffffffff
        ce-mark: 8
        freehold-before: 3;o.v1.Order=7;o.v1.Stock=5
        ");
    }

    #[test]
    fn a_message_that_is_no_letter_says_why() {
        let sent = Letter::Event { event: event("k").into(), before: published(), withheld: false }.pack();
        let with = |name: &'static str, value: Option<&str>| {
            let mut headers: BTreeMap<_, _> = sent.headers.clone().into_iter().collect();
            match value {
                Some(value) => drop(headers.insert(name, value.to_owned())),
                None => drop(headers.remove(name)),
            }
            Letter::unpack("orders", |name| headers.get(name).cloned(), Vec::new())
        };
        assert_eq!(with("ce-source", Some("catalog")), Err(Stray::Foreign("catalog".to_owned())));
        assert_eq!(with("ce-version", Some("-1")), Err(Stray::Unreadable("ce-version")));
        assert_eq!(with("ce-mark", Some("x")), Err(Stray::Unreadable("ce-mark")));
        assert_eq!(with("ce-tokens", Some("0q")), Err(Stray::Unreadable("ce-tokens")));
        assert_eq!(with("ce-time", Some("now")), Err(Stray::Unreadable("ce-time")));
        assert_eq!(with("ce-subject", Some("%zz")), Err(Stray::Unreadable("ce-subject")));
        assert_eq!(with("ce-subject", None), Err(Stray::Missing("ce-subject")));
        assert_eq!(with(BEFORE, Some("3;o")), Err(Stray::Unreadable(BEFORE)));
    }

    proptest! {
        #[test]
        fn garbage_in_headers_never_panics(garbage in "[ -~é]*") {
            let _ = Letter::unpack("orders", |name| Some(if name == "ce-source" { "orders".into() } else { garbage.clone() }), Vec::new());
        }
    }
}
