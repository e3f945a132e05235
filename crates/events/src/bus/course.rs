//! Where a subscription reads next: on along the bus, or what the bus lacks from the owner's feed. Plain code.
//!
//! In go what the letters and the feed say, out comes what to do with each. **Invariant:** the mark moves only past what
//! was delivered, or past what is nothing of the subscription.

/// How far a subscription has come, and from where it reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Course {
    /// Everything up to here has been delivered.
    mark: i64,
    /// It reads the feed until the mark is here; `None`: it reads the bus.
    until: Option<i64>,
}

/// What to do with a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// It was delivered before.
    Drop,
    /// It is the next.
    Deliver,
    /// The bus lacks something, or this letter's data: read the feed.
    Refill,
}

impl Course {
    /// A course that begins with the feed, after a mark.
    pub(crate) fn after(mark: i64) -> Self {
        Self { mark, until: Some(i64::MAX) }
    }

    pub(crate) fn mark(&self) -> i64 {
        self.mark
    }

    /// Whether it reads the bus.
    pub(crate) fn on_bus(&self) -> bool {
        self.until.is_none()
    }

    /// An event on the bus: its mark, the last one of the subscription's entities before it, and whether the subscription
    /// wants data of it that the bus does not carry.
    pub(crate) fn event(&mut self, mark: i64, before: i64, lacks_data: bool) -> Step {
        if mark <= self.mark {
            return Step::Drop;
        }
        if before > self.mark || lacks_data {
            return self.refill(mark);
        }
        self.mark = mark;
        Step::Deliver
    }

    /// A beat on the bus: everything up to `mark` was published, of the subscription's entities the last at `before`.
    pub(crate) fn beat(&mut self, mark: i64, before: i64) -> Step {
        if before > self.mark {
            return self.refill(mark);
        }
        if mark < self.mark {
            return Step::Drop;
        }
        self.mark = mark;
        Step::Deliver
    }

    /// The feed sent an event.
    pub(crate) fn fed(&mut self, mark: i64) -> Step {
        if mark <= self.mark { Step::Drop } else { self.fed_up_to(mark) }
    }

    /// The feed said that it has come here.
    pub(crate) fn fed_up_to(&mut self, mark: i64) -> Step {
        if mark < self.mark {
            return Step::Drop;
        }
        self.mark = mark;
        if self.until.is_some_and(|until| mark >= until) {
            self.until = None;
        }
        Step::Deliver
    }

    /// Whether it reads the feed and may go over to the bus as soon as there is a letter.
    pub(crate) fn awaits_bus(&self) -> bool {
        self.until == Some(i64::MAX)
    }

    /// The bus has a letter of this mark: it is read once the feed has come there.
    pub(crate) fn bus_at(&mut self, mark: i64) {
        if mark >= self.mark {
            self.until = (mark > self.mark).then_some(mark);
        }
    }

    /// The bus cannot be read.
    pub(crate) fn bus_lost(&mut self) {
        self.until = Some(i64::MAX);
    }

    fn refill(&mut self, until: i64) -> Step {
        self.until = Some(until);
        Step::Refill
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn on_bus(mark: i64) -> Course {
        Course { mark, until: None }
    }

    /// E13, E8: what a relay sends again was delivered before.
    #[test]
    fn what_was_delivered_is_dropped() {
        let mut course = on_bus(5);
        assert_eq!(course.event(5, 3, false), Step::Drop);
        assert_eq!(course.event(7, 5, false), Step::Deliver);
        assert_eq!(course.event(6, 5, true), Step::Drop);
        assert_eq!((course.beat(6, 5), course.mark()), (Step::Drop, 7));
    }

    /// E17: the bus has forgotten what came between.
    #[test]
    fn what_the_bus_lacks_is_read_from_the_feed() {
        let mut course = on_bus(5);
        assert_eq!((course.event(9, 7, false), course.on_bus()), (Step::Refill, false));
        assert_eq!((course.fed(7), course.on_bus()), (Step::Deliver, false));
        assert_eq!((course.fed(9), course.on_bus()), (Step::Deliver, true));
        assert_eq!(course.event(9, 7, false), Step::Drop);
    }

    /// E17: the bus has forgotten its tail, and nothing comes after it but a beat.
    #[test]
    fn a_forgotten_tail_shows_by_the_next_beat() {
        let mut course = on_bus(5);
        assert_eq!(course.beat(8, 5), Step::Deliver);
        assert_eq!((course.mark(), course.beat(12, 11)), (8, Step::Refill));
    }

    #[test]
    fn the_bus_is_read_once_the_feed_has_come_to_where_it_is() {
        let mut course = Course::after(5);
        course.bus_at(4);
        assert!(course.awaits_bus(), "an old letter says nothing");
        course.bus_at(7);
        assert_eq!((course.awaits_bus(), course.on_bus()), (false, false));
        assert_eq!(
            (course.fed(6), course.fed_up_to(7), course.on_bus()),
            (Step::Deliver, Step::Deliver, true)
        );
        course.bus_lost();
        course.bus_at(7);
        assert!(course.on_bus(), "there is nothing in between");
    }

    #[test]
    fn data_that_the_bus_does_not_carry_is_read_from_the_feed() {
        let mut course = on_bus(5);
        assert_eq!((course.event(6, 5, true), course.mark()), (Step::Refill, 5));
    }

    type Event = fn(&mut Course, i64, i64, bool) -> Step;

    /// Reads a bus that has lost, doubled and withheld some of the marks 1 to `end`, and a feed that has all.
    fn run(event: Event, end: i64, bus: &[(i64, bool)]) -> Vec<i64> {
        let (mut course, mut delivered) = (on_bus(0), Vec::new());
        for &(mark, lacks_data) in bus {
            if event(&mut course, mark, mark - 1, lacks_data) == Step::Deliver {
                delivered.push(mark);
            }
            refill(&mut course, &mut delivered, end);
        }
        if course.beat(end, end) == Step::Refill {
            refill(&mut course, &mut delivered, end);
        }
        delivered
    }

    fn refill(course: &mut Course, delivered: &mut Vec<i64>, end: i64) {
        while !course.on_bus() && course.mark() < end {
            let mark = course.mark() + 1;
            assert_eq!(course.fed(mark), Step::Deliver);
            delivered.push(mark);
        }
    }

    proptest! {
        /// E12, E13.
        #[test]
        fn whatever_the_bus_loses_or_doubles_all_is_delivered_once_in_order(
            bus in prop::collection::vec((1..30_i64, any::<bool>()), 0..80),
        ) {
            prop_assert!(run(Course::event, 30, &bus).iter().copied().eq(1..=30));
        }
    }

    #[test]
    fn planted_bugs_are_seen_by_the_oracle() {
        let skips: Event = |course, mark, _, lacks| course.event(mark, 0, lacks);
        let doubles: Event = |course, mark, before, lacks| {
            course.mark = course.mark.min(mark - 1);
            course.event(mark, before, lacks)
        };
        let empty: Event = |course, mark, before, _| course.event(mark, before, false);
        assert_ne!(run(skips, 5, &[(1, false), (4, false)]), [1, 2, 3, 4, 5]);
        assert_ne!(run(doubles, 3, &[(1, false), (1, false)]), [1, 2, 3]);
        let lacking: BTreeSet<_> = [2].into();
        let shown = run(empty, 3, &[(1, false), (2, true)]);
        assert!(shown.iter().any(|mark| lacking.contains(mark)), "delivered without its data");
    }
}
