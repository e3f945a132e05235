//! Who holds which shares of a subscription and where they stand: the rows of one subscription as plain data.
//!
//! An instance takes what nobody holds, what the dead held, and from the richest until it has as much; it never gives. Who
//! loses a share learns it from the fence, at its next commit. **Invariant:** a share is held once or not at all, and no
//! share ever stands behind what its new holder believes of it.

use std::collections::BTreeMap;

use freehold_wire::Shares;
use freehold_wire::pb::Position;

/// What one instance holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Portion {
    pub(crate) holder: String,
    pub(crate) shares: Shares,
    /// The fence of the change that made it what it is; a commit under another one is refused.
    pub(crate) fence: i64,
    /// How often its holder has shown that it lives.
    pub(crate) beat: i64,
    /// Everything of its shares up to here has taken effect, is parked, or is not wanted.
    pub(crate) position: Position,
    /// How many processes have ended since it moved last, with these shares in their hands.
    pub(crate) starts: i64,
}

/// The division of a subscription.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Division {
    /// Where all of it stands at least, and where the shares stand that nobody holds.
    pub(crate) whole: Position,
    /// The last fence that was given out.
    pub(crate) fence: i64,
    pub(crate) portions: Vec<Portion>,
}

/// Which instances are taken for dead, each with the beat that it has not gone beyond.
pub(crate) type Dead = BTreeMap<String, i64>;

impl Division {
    /// The portion of an instance.
    pub(crate) fn of(&self, holder: &str) -> Option<&Portion> {
        self.portions.iter().find(|portion| portion.holder == holder)
    }

    /// The shares that nobody holds.
    pub(crate) fn free(&self) -> Shares {
        self.portions.iter().fold(Shares::ALL, |free, portion| free.without(portion.shares))
    }

    /// Where its slowest share stands: what may be acknowledged.
    pub(crate) fn slowest(&self) -> Position {
        if !self.free().is_empty() {
            return self.whole;
        }
        let held = self.portions.iter().filter(|portion| !portion.shares.is_empty());
        let slowest = held.map(|portion| portion.position).min_by_key(|position| position.mark);
        slowest.unwrap_or(self.whole)
    }

    /// Takes for `me` what nobody holds, what the dead held, and its part of what the richest hold; answers whether
    /// anything has changed. One whose beat went on since is not dead.
    pub(crate) fn settle(&mut self, me: &str, dead: &Dead) -> bool {
        let before = self.clone();
        self.whole = self.slowest();
        let free = self.free();
        let mut mine = self.take_out(me).unwrap_or_else(|| Portion {
            holder: me.to_owned(),
            shares: Shares::NONE,
            fence: 0,
            beat: 0,
            position: self.whole,
            starts: 0,
        });
        mine.gain(free, self.whole);
        let is_dead = |portion: &mut Portion| dead.get(&portion.holder) == Some(&portion.beat);
        for gone in self.portions.extract_if(.., is_dead) {
            mine.gain(gone.shares, gone.position);
            mine.starts += gone.starts + 1;
        }
        while let Some(richest) = self.portions.iter_mut().max_by_key(|portion| portion.shares.count())
            && richest.shares.count() > mine.shares.count() + 1
        {
            let part = richest.shares.highest(1);
            richest.shares = richest.shares.without(part);
            mine.gain(part, richest.position);
            mine.starts = mine.starts.max(richest.starts);
        }
        self.portions.push(mine);
        self.fence_off(&before)
    }

    /// Gives back what `me` holds; answers whether that is anything.
    pub(crate) fn leave(&mut self, me: &str) -> bool {
        self.whole = self.slowest();
        let left = self.take_out(me);
        self.fence += i64::from(left.is_some());
        left.is_some()
    }

    fn take_out(&mut self, holder: &str) -> Option<Portion> {
        let at = self.portions.iter().position(|portion| portion.holder == holder)?;
        Some(self.portions.remove(at))
    }

    /// Gives a new fence to every portion whose shares are not what they were.
    fn fence_off(&mut self, before: &Self) -> bool {
        let fence = self.fence + 1;
        let mut changed = self.portions.len() != before.portions.len();
        for portion in &mut self.portions {
            let same = before.of(&portion.holder).is_some_and(|was| was.shares == portion.shares);
            if !same {
                portion.fence = fence;
                changed = true;
            }
        }
        self.fence += i64::from(changed);
        changed
    }
}

impl Portion {
    /// Takes shares that stand at `position`. The slower of the two counts for all: what the others had already comes
    /// again, and the inbox knows it.
    fn gain(&mut self, shares: Shares, position: Position) {
        if shares.is_empty() {
            return;
        }
        if self.shares.is_empty() || position.mark < self.position.mark {
            self.position = position;
        }
        self.shares = self.shares.union(shares);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun(mark: i64) -> Division {
        Division { whole: Position::default().with_mark(mark), fence: 0, portions: Vec::new() }
    }

    fn counts(division: &Division) -> Vec<(&str, u32, i64)> {
        let count = |portion: &Portion| portion.shares.count();
        let mut all: Vec<_> = division
            .portions
            .iter()
            .map(|portion| (portion.holder.as_str(), count(portion), portion.position.mark))
            .collect();
        all.sort_unstable();
        all
    }

    #[test]
    fn the_first_takes_all_and_the_next_ones_their_part() {
        let mut division = begun(7);
        assert!(division.settle("a", &Dead::new()));
        assert_eq!(counts(&division), [("a", 64, 7)]);
        assert!(!division.settle("a", &Dead::new()), "there is nothing to change");
        division.portions[0].position.mark = 20;
        assert!(division.settle("b", &Dead::new()));
        assert_eq!(counts(&division), [("a", 32, 20), ("b", 32, 20)]);
        assert!(division.settle("c", &Dead::new()));
        assert_eq!(counts(&division).iter().map(|portion| portion.1).collect::<Vec<_>>(), [22, 21, 21]);
        assert!(!division.settle("a", &Dead::new()) && !division.settle("b", &Dead::new()));
        assert_eq!(division.whole.mark, 20);
    }

    #[test]
    fn whoever_takes_shares_goes_back_to_the_slower_position() {
        let mut division = begun(0);
        division.settle("a", &Dead::new());
        division.settle("b", &Dead::new());
        for portion in &mut division.portions {
            portion.position.mark = if portion.holder == "a" { 10 } else { 30 };
        }
        let fence = division.of("b").unwrap().fence;
        assert!(division.settle("b", &Dead::from([("a".to_owned(), 0)])));
        assert_eq!(counts(&division), [("b", 64, 10)], "the fastest would lose what `a` had not done");
        assert!(
            division.of("b").unwrap().fence > fence,
            "what `b` has in hand was read without these shares"
        );
        assert_eq!(division.of("b").unwrap().starts, 1);
    }

    #[test]
    fn one_that_shows_that_it_lives_is_not_dead() {
        let mut division = begun(0);
        division.settle("a", &Dead::new());
        division.settle("b", &Dead::new());
        division.portions[0].beat += 1;
        assert!(!division.settle("b", &Dead::from([("a".to_owned(), 0)])));
    }

    #[test]
    fn what_is_given_back_stands_where_the_slowest_stood() {
        let mut division = begun(0);
        division.settle("a", &Dead::new());
        division.settle("b", &Dead::new());
        for portion in &mut division.portions {
            portion.position.mark = if portion.holder == "a" { 10 } else { 30 };
        }
        assert!(division.leave("a") && !division.leave("a"));
        assert_eq!((division.free().count(), division.slowest().mark), (32, 10));
        assert!(division.settle("b", &Dead::new()));
        assert_eq!(counts(&division), [("b", 64, 10)]);
    }
}
