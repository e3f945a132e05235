//! The levels at which a copy is read, and whether a copy meets one: decided in plain code.
//!
//! One mechanism serves all: *eventual* takes the copy as it stands, *bounded* wants it younger than an age, *causal*
//! wants it to cover a session's token, *strong* wants it at the owner's head. **Invariant:** what is answered says which
//! level it has, and never claims a higher one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use freehold_wire::pb::Token;
use freehold_wire::{Coverage, Session, TokenError, Watermark};

use crate::standing::Standing;

/// How fresh a read must be.
#[derive(Debug, Clone, Copy)]
pub enum Level<'a> {
    /// As the copy stands.
    Eventual,
    /// Not older than this.
    Bounded(Duration),
    /// With everything that this session has seen of the owner.
    Causal(&'a Session),
    /// With everything that the owner had committed when the read began.
    Strong,
}

/// The name of a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LevelName {
    /// [`Level::Eventual`].
    Eventual,
    /// [`Level::Bounded`].
    Bounded,
    /// [`Level::Causal`].
    Causal,
    /// [`Level::Strong`].
    Strong,
}

impl Level<'_> {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> LevelName {
        match self {
            Self::Eventual => LevelName::Eventual,
            Self::Bounded(_) => LevelName::Bounded,
            Self::Causal(_) => LevelName::Causal,
            Self::Strong => LevelName::Strong,
        }
    }
}

/// Where a read has its rows from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// From the copy.
    Copy,
    /// From the owner: the copy could not meet the level in time, so the keys must be fetched.
    Owner,
}

/// What a read achieves.
#[derive(Debug, Clone)]
#[must_use = "a level that was not met is served otherwise, and this says how"]
pub struct Achieved {
    pub(crate) level: LevelName,
    pub(crate) source: Source,
    pub(crate) watermark: Arc<Watermark>,
    pub(crate) age: Option<Duration>,
}

impl Achieved {
    /// The level that is met: the one asked for, or `Eventual` where a stale copy is served.
    #[must_use]
    pub fn level(&self) -> LevelName {
        self.level
    }

    /// Whether the copy may be read, or the owner must be asked: [`Replica::fetch`](crate::Replica::fetch).
    #[must_use]
    pub fn source(&self) -> Source {
        self.source
    }

    /// How far the copy has come in its owner's history.
    #[must_use]
    pub fn watermark(&self) -> &Watermark {
        &self.watermark
    }

    /// How old the copy is at most; `None` where its owner was never heard of.
    #[must_use]
    pub fn age(&self) -> Option<Duration> {
        self.age
    }
}

/// What a read needs of a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Need {
    /// That it is complete.
    Complete,
    /// That it is not older.
    Age(Duration),
    /// That it covers a commit.
    Token(Token),
    /// That it has come to this mark.
    Mark(i64),
}

/// Whether a copy has what is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Met {
    /// It has.
    Yes,
    /// Not yet.
    Wait,
    /// Only the owner knows: the token is of an epoch that the copy has not heard of.
    AskOwner,
}

impl Need {
    /// Compares what is needed with how the copy stands.
    ///
    /// # Errors
    /// [`TokenError`] for a token that the owner never gave out.
    pub(crate) fn compare(&self, standing: &Standing, now: Instant) -> Result<Met, TokenError> {
        let met = match self {
            Self::Complete => true,
            Self::Age(most) => standing.age(now).is_some_and(|age| age <= *most),
            Self::Mark(mark) => standing.watermark.mark() >= *mark,
            Self::Token(token) => match standing.watermark.covers(token)? {
                Coverage::Covered => true,
                Coverage::Behind => false,
                Coverage::UnknownEpoch => return Ok(Met::AskOwner),
            },
        };
        Ok(if met && standing.ready { Met::Yes } else { Met::Wait })
    }
}

#[cfg(test)]
mod tests {
    use freehold_wire::pb::Epoch;

    use super::*;

    fn standing(mark: i64, as_of: Instant) -> Standing {
        let epochs = vec![Epoch::default().with_id(7).with_first(1)];
        let watermark = Arc::new(Watermark::new("catalog", epochs, mark));
        Standing { ready: true, connected: true, watermark, as_of: Some(as_of), lost: None }
    }

    fn token(epoch: u64, mark: i64) -> Need {
        Need::Token(Token::default().with_owner("catalog").with_epoch(epoch).with_mark(mark))
    }

    /// R17: a token that is ahead is waited for; one of an unheard epoch is left to the owner.
    #[test]
    fn a_token_is_met_waited_for_or_left_to_the_owner() {
        let now = Instant::now();
        let copy = standing(10, now);
        assert_eq!(token(7, 10).compare(&copy, now), Ok(Met::Yes));
        assert_eq!(token(7, 11).compare(&copy, now), Ok(Met::Wait));
        assert_eq!(token(8, 1).compare(&copy, now), Ok(Met::AskOwner));
    }

    /// R14: a token that its owner cannot have given out is an error, not a wait.
    #[test]
    fn an_impossible_token_is_an_error() {
        let now = Instant::now();
        let mut copy = standing(10, now);
        let epoch = |id, first| Epoch::default().with_id(id).with_first(first);
        copy.watermark = Arc::new(Watermark::new("catalog", vec![epoch(7, 1), epoch(8, 6)], 10));
        assert!(token(7, 9).compare(&copy, now).is_err());
    }

    /// R7: silence ages the claim.
    #[test]
    fn silence_ages_a_copy() {
        let now = Instant::now();
        let copy = standing(10, now);
        let need = Need::Age(Duration::from_secs(2));
        assert_eq!(need.compare(&copy, now + Duration::from_secs(2)), Ok(Met::Yes));
        assert_eq!(need.compare(&copy, now + Duration::from_secs(3)), Ok(Met::Wait));
    }

    #[test]
    fn an_incomplete_copy_meets_nothing() {
        let now = Instant::now();
        let copy = Standing { ready: false, ..standing(10, now) };
        for need in [Need::Complete, Need::Mark(1), token(7, 1), Need::Age(Duration::MAX)] {
            assert_eq!(need.compare(&copy, now), Ok(Met::Wait), "{need:?}");
        }
    }
}
