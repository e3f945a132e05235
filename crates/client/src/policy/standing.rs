//! Whether a replica is given calls: it is ejected by failures in a row or by its share of them, and comes back by a
//! probe.
//!
//! Out is out for a second at first, doubling with each time that a probe fails; then one call is let through, alone.
//! **Invariant:** what the balancer's floor forbids is not ejected, however bad it is.

use std::time::{Duration, Instant};

use super::load::Verdict;

/// So many failures in a row eject.
const IN_A_ROW: u32 = 5;
/// A share of failures is looked at over this time, in two halves.
const WINDOW: Duration = Duration::from_secs(10);
/// A share of fewer calls than this says nothing.
const LEAST_CALLS: u32 = 20;
/// A replica is ejected by its share where that is over twice the others' share and this beside it.
const TOLERANCE: f64 = 0.10;
/// How long the first ejection lasts, and the longest one.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(30);
/// A probe is a call that may be sent again; where there is none of these for so long, any call is.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many calls there were, and how many of them failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) calls: u32,
    pub(crate) failed: u32,
}

/// Where a replica stands.
#[derive(Debug, Clone, Default)]
pub(crate) struct Standing {
    in_a_row: u32,
    halves: [Tally; 2],
    began: Option<Instant>,
    out: Option<Out>,
    /// How often it was ejected without having served well since.
    times: u32,
}

#[derive(Debug, Clone, Copy)]
struct Out {
    until: Instant,
    probing: bool,
}

impl Tally {
    fn share(self) -> f64 {
        if self.calls == 0 { 0.0 } else { f64::from(self.failed) / f64::from(self.calls) }
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        Self { calls: self.calls + other.calls, failed: self.failed + other.failed }
    }
}

impl Standing {
    /// Whether it is given calls like any other.
    pub(crate) fn is_in(&self) -> bool {
        self.out.is_none()
    }

    /// Whether a call may probe it at `now`: one that may be sent again, or any once that has been waited for.
    pub(crate) fn wants_probe(&self, repeatable: bool, now: Instant) -> bool {
        let patience = if repeatable { Duration::ZERO } else { PATIENCE };
        self.out.is_some_and(|out| !out.probing && now >= out.until + patience)
    }

    /// A call begins; where it is out, that call is its probe.
    pub(crate) fn begin(&mut self) {
        if let Some(out) = &mut self.out {
            out.probing = true;
        }
    }

    /// What it did of late.
    pub(crate) fn tally(&self) -> Tally {
        self.halves[0].plus(self.halves[1])
    }

    /// A call ends; `others` is what the other replicas did of late, `may_leave` whether the floor lets this one go,
    /// `chance` between 0 and 1 spreads the probes of many clients.
    pub(crate) fn end(
        &mut self,
        verdict: Verdict,
        others: Tally,
        may_leave: bool,
        now: Instant,
        chance: f64,
    ) {
        let failed = match verdict {
            Verdict::Served => false,
            Verdict::Failed => true,
            // What has too much to do is not broken; without it the others have even more. A probe ends undecided.
            Verdict::Overloaded | Verdict::Dropped => {
                return self.out.iter_mut().for_each(|out| out.probing = false);
            }
        };
        if let Some(out) = self.out {
            return match (out.probing, failed) {
                // It was under way when the replica was ejected, and says nothing that is not known.
                (false, _) => {}
                (true, true) => self.eject(now, chance),
                (true, false) => self.readmit(),
            };
        }
        self.count(failed, now);
        if failed && may_leave && (self.in_a_row >= IN_A_ROW || self.is_outlier(others)) {
            self.eject(now, chance);
        }
    }

    fn count(&mut self, failed: bool, now: Instant) {
        let began = *self.began.get_or_insert(now);
        if now.saturating_duration_since(began) >= WINDOW / 2 {
            self.halves = [Tally::default(), self.halves[0]];
            self.began = Some(now);
            if self.tally().failed == 0 {
                self.times = 0;
            }
        }
        self.in_a_row = if failed { self.in_a_row + 1 } else { 0 };
        self.halves[0] = self.halves[0].plus(Tally { calls: 1, failed: u32::from(failed) });
    }

    fn is_outlier(&self, others: Tally) -> bool {
        let own = self.tally();
        own.calls >= LEAST_CALLS
            && others.calls >= LEAST_CALLS
            && own.share() > 2.0 * others.share() + TOLERANCE
    }

    fn eject(&mut self, now: Instant, chance: f64) {
        let pause = (FIRST * 2_u32.pow(self.times.min(10))).min(LONGEST);
        self.times += 1;
        self.out = Some(Out { until: now + pause.mul_f64(1.0 + chance / 2.0), probing: false });
    }

    fn readmit(&mut self) {
        *self = Self { times: self.times, ..Self::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOBODY: Tally = Tally { calls: 0, failed: 0 };

    fn failing(standing: &mut Standing, times: u32, now: Instant) {
        for _ in 0..times {
            standing.begin();
            standing.end(Verdict::Failed, NOBODY, true, now, 0.0);
        }
    }

    /// C16: after five failures no more calls, but for one at a time from a second on.
    #[test]
    fn failures_in_a_row_eject_until_a_probe_is_served() {
        let (mut standing, now) = (Standing::default(), Instant::now());
        failing(&mut standing, 4, now);
        assert!(standing.is_in());
        failing(&mut standing, 1, now);
        assert!(!standing.is_in() && !standing.wants_probe(true, now));
        let later = now + FIRST;
        assert!(standing.wants_probe(true, later) && !standing.wants_probe(false, later));
        standing.begin();
        assert!(!standing.wants_probe(true, later), "one probe at a time");
        standing.end(Verdict::Served, NOBODY, true, later, 0.0);
        assert!(standing.is_in());
    }

    #[test]
    fn a_probe_that_fails_doubles_the_wait_up_to_half_a_minute() {
        let (mut standing, mut now) = (Standing::default(), Instant::now());
        failing(&mut standing, 5, now);
        for pause in [1, 2, 4, 8, 16, 30, 30] {
            let due = now + Duration::from_secs(pause);
            assert!(!standing.wants_probe(true, due - Duration::from_millis(1)));
            assert!(standing.wants_probe(true, due), "{pause}");
            now = due;
            failing(&mut standing, 1, now);
        }
    }

    /// Planted bug, and once a real one: each of them counted as a probe that failed, so that a replica that had 64 calls
    /// under way when it was ejected was out for half a minute.
    #[test]
    fn calls_that_were_under_way_do_not_lengthen_an_ejection() {
        let (mut standing, now) = (Standing::default(), Instant::now());
        (0..64).for_each(|_| standing.begin());
        (0..63).for_each(|_| standing.end(Verdict::Failed, NOBODY, true, now, 0.0));
        standing.end(Verdict::Served, NOBODY, true, now, 0.0);
        assert!(!standing.is_in() && standing.wants_probe(true, now + FIRST));
    }

    /// A replica that fails every second call never fails five times in a row, and still stands out.
    #[test]
    fn a_share_of_failures_ejects_where_the_others_have_less() {
        for (others, ejected) in [(0, true), (10, true), (50, false)] {
            let (mut standing, now) = (Standing::default(), Instant::now());
            for call in 0..40 {
                let verdict = if call % 2 == 0 { Verdict::Failed } else { Verdict::Served };
                standing.end(verdict, Tally { calls: 100, failed: others }, true, now, 0.0);
                if !standing.is_in() {
                    break;
                }
            }
            assert_eq!(!standing.is_in(), ejected, "others fail {others} %");
        }
    }

    /// C18: not what the floor keeps, not what has too much to do, not what failed long ago.
    #[test]
    fn what_must_stay_stays() {
        let now = Instant::now();
        let mut kept = Standing::default();
        for _ in 0..100 {
            kept.end(Verdict::Failed, NOBODY, false, now, 0.0);
        }
        assert!(kept.is_in());
        let mut overloaded = Standing::default();
        for _ in 0..100 {
            overloaded.end(Verdict::Overloaded, NOBODY, true, now, 0.0);
        }
        assert!(overloaded.is_in());
    }

    #[test]
    fn an_undecided_probe_is_followed_by_another() {
        let (mut standing, now) = (Standing::default(), Instant::now());
        failing(&mut standing, 5, now);
        standing.begin();
        standing.end(Verdict::Dropped, NOBODY, true, now + FIRST, 0.0);
        assert!(!standing.is_in() && standing.wants_probe(true, now + FIRST));
    }
}
