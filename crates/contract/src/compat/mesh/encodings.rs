//! What a reader of one type makes of what a writer of another type wrote, by wire and by JSON.
//!
//! By wire: <https://protobuf.dev/programming-guides/proto3/#updating>. By JSON: the table of
//! <https://protobuf.dev/programming-guides/json/>; the owner reads it by that table, whoever reads its replies may be
//! any program, to which a number is no text.

use prost_reflect::{FieldDescriptor, Kind};

use crate::editions::is_closed;
use crate::finding::Verdict;

use super::shape::Shapes;

/// What becomes of a value on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Outcome {
    /// It arrives.
    Safe,
    /// Some values do not.
    Lossy,
    /// It is refused, or something else arrives.
    Broken,
}

impl Outcome {
    pub(super) fn verdict(self) -> Option<Verdict> {
        match self {
            Self::Safe => None,
            Self::Lossy => Some(Verdict::PotentiallyAffected),
            Self::Broken => Some(Verdict::Broken),
        }
    }

    fn fits(fits: bool) -> Self {
        if fits { Self::Safe } else { Self::Lossy }
    }
}

/// What the reader makes of the writer's bytes.
pub(super) fn by_wire(writer: &FieldDescriptor, reader: &FieldDescriptor, shapes: &Shapes) -> Outcome {
    use Kind::{Bytes, Enum, Fixed32, Fixed64, Message, Sfixed32, Sfixed64, Sint32, Sint64, String};
    if writer.is_group() != reader.is_group() {
        return Outcome::Broken;
    }
    match (&writer.kind(), &reader.kind()) {
        (Message(wrote), Message(reads)) if shapes.same_message(wrote, reads) => Outcome::Safe,
        (Enum(wrote), Enum(reads)) => {
            let known = wrote.values().all(|value| reads.get_value(value.number()).is_some());
            Outcome::fits(known || !is_closed(reads))
        }
        (wrote, reads) if wrote == reads => Outcome::Safe,
        (wrote, reads) if is_varint(wrote) && is_varint(reads) => {
            Outcome::fits(range(wrote).fits(range(reads)))
        }
        (Sint32, Sint64) | (String, Bytes) => Outcome::Safe,
        (Sint64, Sint32) | (Bytes, String) => Outcome::Lossy,
        (Fixed32, Sfixed32) | (Sfixed32, Fixed32) | (Fixed64, Sfixed64) | (Sfixed64, Fixed64) => {
            Outcome::Lossy
        }
        (Bytes, Message(_)) => Outcome::Lossy,
        (Message(_), Bytes) => Outcome::Safe,
        _ => Outcome::Broken,
    }
}

/// What the reader makes of the writer's JSON; the owner takes a number that comes as a text.
pub(super) fn by_json(writer: &FieldDescriptor, reader: &FieldDescriptor, owner_reads: bool) -> Outcome {
    let (wrote, reads) = (writer.kind(), reader.kind());
    match (token(&wrote), token(&reads)) {
        (Token::Object, Token::Object) | (Token::Truth, Token::Truth) | (Token::Text, Token::Text) => {
            Outcome::Safe
        }
        (Token::Number | Token::Digits, Token::Real) => {
            Outcome::fits(owner_reads || token(&wrote) == Token::Number)
        }
        (Token::Real, Token::Real) => Outcome::fits(wrote == reads || reads == Kind::Double),
        (wrote_as, reads_as) if wrote_as == reads_as => match wrote_as {
            Token::Name => names_fit(&wrote, &reads),
            Token::Base64 => Outcome::Safe,
            _ => Outcome::fits(range(&wrote).fits(range(&reads))),
        },
        (Token::Number | Token::Digits, Token::Number | Token::Digits) if owner_reads => {
            Outcome::fits(range(&wrote).fits(range(&reads)))
        }
        (Token::Real, Token::Number | Token::Digits) if owner_reads => Outcome::Lossy,
        (Token::Number, Token::Name) if owner_reads => Outcome::Lossy,
        (Token::Name, Token::Text) => Outcome::Safe,
        _ => Outcome::Broken,
    }
}

/// How JSON shows a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Truth,
    /// A whole number.
    Number,
    /// A whole number in quotes, as those of 64 bits are.
    Digits,
    Real,
    Text,
    Base64,
    /// The name of an enum's value.
    Name,
    Object,
}

fn token(kind: &Kind) -> Token {
    match kind {
        Kind::Bool => Token::Truth,
        Kind::Double | Kind::Float => Token::Real,
        Kind::Int32 | Kind::Uint32 | Kind::Sint32 | Kind::Fixed32 | Kind::Sfixed32 => Token::Number,
        Kind::Int64 | Kind::Uint64 | Kind::Sint64 | Kind::Fixed64 | Kind::Sfixed64 => Token::Digits,
        Kind::String => Token::Text,
        Kind::Bytes => Token::Base64,
        Kind::Enum(_) => Token::Name,
        Kind::Message(_) => Token::Object,
    }
}

fn names_fit(wrote: &Kind, reads: &Kind) -> Outcome {
    match (wrote, reads) {
        (Kind::Enum(wrote), Kind::Enum(reads)) => {
            Outcome::fits(wrote.values().all(|value| reads.get_value_by_name(value.name()).is_some()))
        }
        _ => Outcome::Broken,
    }
}

fn is_varint(kind: &Kind) -> bool {
    matches!(kind, Kind::Int32 | Kind::Int64 | Kind::Uint32 | Kind::Uint64 | Kind::Bool | Kind::Enum(_))
}

/// The whole numbers that a type holds, from the least to the greatest.
#[derive(Clone, Copy)]
struct Range(i128, i128);

impl Range {
    fn fits(self, into: Self) -> bool {
        into.0 <= self.0 && self.1 <= into.1
    }
}

fn range(kind: &Kind) -> Range {
    match kind {
        Kind::Bool => Range(0, 1),
        Kind::Uint32 | Kind::Fixed32 => Range(0, i128::from(u32::MAX)),
        Kind::Uint64 | Kind::Fixed64 => Range(0, i128::from(u64::MAX)),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Range(i128::from(i64::MIN), i128::from(i64::MAX)),
        _ => Range(i128::from(i32::MIN), i128::from(i32::MAX)),
    }
}
