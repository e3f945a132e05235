//! Bugs, planted: each is one line that somebody could have written, and breaks what the mesh promises.
//!
//! Some stand in the place of a decision, some are triggers in the consumer's database, some are how its process or its
//! owner goes about it. None of them exists outside tests.

use std::path::Path;

use freehold_testkit::checker::Rows;

use crate::consumer::fault::Judge;
use crate::inbox::{Known, judge};

/// A planted bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Planted {
    /// What was taken before is not known any more when it comes again.
    TakesAgain,
    /// An event does not wait behind one of its key.
    Overtakes,
    /// A version that is missing is not missed.
    SkipsGaps,
    /// The inbox is not written.
    SkipsTheInbox,
    /// The inbox is written in a unit of its own, before the effect.
    InboxFirst,
    /// The effect is taken outside the unit.
    EffectOutside,
    /// The position moves in a unit of its own, before the effects.
    PositionFirst,
    /// The position is one further than what has arrived: `id > last`, and last is too far.
    PositionAhead,
    /// The owner is told before the commit.
    AcksBeforeCommit,
    /// The owner keeps what the fastest of its consumers has not passed.
    KeepsForTheFastest,
    /// Parked events are forgotten with their process.
    ParksInMemory,
    /// What waits behind a parked event is dropped.
    DropsTheTail,
    /// A poisoned event is dropped.
    DropsPoison,
    /// What would heal is given up.
    GivesUpEarly,
    /// An attempt without an answer does not count.
    CountsNoAttempt,
    /// What is decided is not written down.
    DecidesOffTheRecord,
}

impl Planted {
    /// All of them.
    pub(super) const ALL: [Self; 16] = [
        Self::TakesAgain,
        Self::Overtakes,
        Self::SkipsGaps,
        Self::SkipsTheInbox,
        Self::InboxFirst,
        Self::EffectOutside,
        Self::PositionFirst,
        Self::PositionAhead,
        Self::AcksBeforeCommit,
        Self::KeepsForTheFastest,
        Self::ParksInMemory,
        Self::DropsTheTail,
        Self::DropsPoison,
        Self::GivesUpEarly,
        Self::CountsNoAttempt,
        Self::DecidesOffTheRecord,
    ];

    /// Plants what is in the database.
    pub(super) fn plant(self, file: &Path) {
        let sql = match self {
            Self::SkipsTheInbox => {
                "CREATE TRIGGER planted BEFORE INSERT ON freehold_inbox BEGIN SELECT RAISE(IGNORE); END"
            }
            Self::PositionAhead => {
                "CREATE TRIGGER planted AFTER UPDATE OF mark ON freehold_position \
                 BEGIN UPDATE freehold_position SET mark = NEW.mark + 1; END"
            }
            Self::DropsTheTail => {
                "CREATE TRIGGER planted BEFORE INSERT ON freehold_parked WHEN NEW.state = 'behind' \
                 BEGIN SELECT RAISE(IGNORE); END"
            }
            Self::DropsPoison => {
                "CREATE TRIGGER planted AFTER INSERT ON freehold_parked WHEN NEW.state = 'dead' BEGIN \
                 INSERT OR REPLACE INTO freehold_inbox VALUES (NEW.subscription, NEW.entity, NEW.key, NEW.version); \
                 DELETE FROM freehold_parked WHERE key = NEW.key AND version = NEW.version; END"
            }
            Self::CountsNoAttempt => {
                "CREATE TRIGGER planted AFTER UPDATE OF unanswered ON freehold_parked WHEN NEW.unanswered > 0 \
                 BEGIN UPDATE freehold_parked SET unanswered = 0 WHERE key = NEW.key; END"
            }
            Self::DecidesOffTheRecord => {
                "CREATE TRIGGER planted BEFORE INSERT ON freehold_parked_log BEGIN SELECT RAISE(IGNORE); END"
            }
            _ => return,
        };
        Rows::damage(file, sql);
    }

    /// What stands in the place of the inbox's decision.
    pub(super) fn judges(self) -> Option<Judge> {
        match self {
            Self::TakesAgain => {
                Some(|known, version, _| judge(Known { taken: None, ..known }, version, true))
            }
            Self::Overtakes => {
                Some(|known, version, _| judge(Known { parked: None, ..known }, version, true))
            }
            Self::SkipsGaps => Some(|known, version, _| judge(known, version, true)),
            _ => None,
        }
    }
}
