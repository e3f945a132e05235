//! The decisions of a fault proxy, as functions of a seed: what becomes of a connection, and when each of its bytes
//! leaves.
//!
//! No clock and no socket is in here. **Invariant:** a piece never leaves before one that came earlier, and as many
//! random numbers are drawn whatever the faults are, so that changing one fault moves no other.

use std::time::{Duration, Instant};

use fastrand::Rng;

use super::faults::{Cut, End, Faults, Lane};

/// The most bytes that are passed on in one piece.
pub(super) const PIECE: usize = 16 * 1024;
/// A throttled direction passes pieces of what may pass in this part of a second.
const PIECES_PER_SECOND: u64 = 50;

/// What becomes of a new connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// Its bytes pass; with a number, it is reset when so many bytes of the answers have passed.
    Pass(Option<u64>),
    /// It ends before it has begun.
    End(End),
    /// It is accepted, and that is all.
    HalfOpen,
}

/// The random numbers of a connection of this number, apart from those of every other one.
pub(super) fn random(seed: u64, connection: u64) -> Rng {
    Rng::with_seed(seed ^ connection.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// What becomes of a new connection.
pub(super) fn fate(random: &mut Rng, faults: &Faults) -> Fate {
    let (reset, close, half_open) = (random.f64(), random.f64(), random.f64());
    let at = random.f64() * faults.reset_within as f64;
    if reset < faults.reset {
        return if faults.reset_within == 0 { Fate::End(End::Reset) } else { Fate::Pass(Some(at as u64)) };
    }
    if close < faults.close {
        return Fate::End(End::Close);
    }
    if half_open < faults.half_open { Fate::HalfOpen } else { Fate::Pass(None) }
}

/// Decides about the bytes of one direction of one connection.
#[derive(Debug)]
pub(super) struct Course {
    random: Rng,
    /// How many bytes have been given a time.
    passed: u64,
    /// When the last of them leaves.
    last: Option<Instant>,
    /// When a throttled line has sent all that it was given.
    line_free: Option<Instant>,
    reset_at: Option<u64>,
}

impl Course {
    pub(super) fn new(random: Rng, reset_at: Option<u64>) -> Self {
        Self { random, passed: 0, last: None, line_free: None, reset_at }
    }

    /// How many bytes to take in one piece.
    pub(super) fn most(&self, lane: &Lane) -> usize {
        let throttled = lane.bytes_per_second.map(|rate| (rate / PIECES_PER_SECOND).max(1));
        throttled.map_or(PIECE, |most| usize::try_from(most).unwrap_or(PIECE).min(PIECE))
    }

    /// When a piece of `length` bytes that came at `now` leaves.
    pub(super) fn due(&mut self, lane: &Lane, length: usize, now: Instant) -> Instant {
        let (late, lost) = (self.random.f64(), self.random.f64() < lane.loss);
        let mut due = now + lane.delay + lane.jitter.mul_f64(late);
        if lost {
            due += lane.stall;
        }
        if let Some(rate) = lane.bytes_per_second {
            let sent = self.line_free.map_or(now, |free| free.max(now))
                + Duration::from_secs_f64(length as f64 / rate.max(1) as f64);
            self.line_free = Some(sent);
            due += sent - now;
        }
        let due = self.last.map_or(due, |last| last.max(due));
        self.last = Some(due);
        due
    }

    /// How many of the next `length` bytes pass, and how the connection ends if that is not all of them.
    pub(super) fn pass(&mut self, lane: &Lane, length: usize) -> (usize, Option<End>) {
        let reset = self.reset_at.map(|after| Cut { after, end: End::Reset });
        let cut = lane.cut.into_iter().chain(reset).min_by_key(|cut| cut.after);
        let fits = cut.map_or(u64::MAX, |cut| cut.after.saturating_sub(self.passed));
        let pass = usize::try_from(fits).unwrap_or(usize::MAX).min(length);
        self.passed += pass as u64;
        (pass, cut.filter(|cut| self.passed >= cut.after).map(|cut| cut.end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FEW: Duration = Duration::from_millis(5);

    fn dues(seed: u64, lane: &Lane, lengths: &[usize]) -> Vec<Duration> {
        let begin = Instant::now();
        let mut course = Course::new(random(seed, 1), None);
        lengths.iter().map(|&length| course.due(lane, length, begin) - begin).collect()
    }

    /// The planted faults are a jitter without the `max` of what came before, and a clock in place of the seed.
    #[test]
    fn bytes_stay_in_order_and_the_seed_decides_all() {
        let lane = Lane { delay: FEW, jitter: FEW * 20, loss: 0.3, ..Lane::CLEAR };
        for seed in 0..200 {
            let first = dues(seed, &lane, &[100; 50]);
            assert!(first.is_sorted(), "seed {seed}: {first:?}");
            assert_eq!(first, dues(seed, &lane, &[100; 50]), "seed {seed}");
        }
        assert_ne!(dues(1, &lane, &[100; 50]), dues(2, &lane, &[100; 50]));
    }

    /// The planted fault is a loss that delays its own piece alone.
    #[test]
    fn a_lost_piece_holds_up_all_behind_it() {
        let lane = Lane { loss: 0.05, ..Lane::CLEAR };
        let mut in_time = 0;
        for seed in 0..20 {
            let dues = dues(seed, &lane, &[1; 200]);
            let lost = dues.iter().position(|due| !due.is_zero()).unwrap();
            assert!(dues[lost..].iter().all(|due| *due == Lane::RESENT), "seed {seed}: {dues:?}");
            in_time += lost;
        }
        assert!(in_time > 20 * 5, "only {in_time} pieces in all came before the first that was lost");
    }

    #[test]
    fn a_throttled_direction_takes_its_time() {
        let lane = Lane { bytes_per_second: Some(1000), ..Lane::CLEAR };
        assert_eq!(
            dues(1, &lane, &[500, 250]),
            [500, 750].map(Duration::from_millis),
            "all of it came at once"
        );
        assert_eq!(Course::new(random(1, 1), None).most(&lane), 20);
    }

    /// How many random numbers are drawn does not depend on the faults.
    #[test]
    fn one_fault_moves_no_other() {
        let lossy = Lane { loss: 0.2, ..Lane::CLEAR };
        let jittered = Lane { jitter: Duration::from_nanos(1), ..lossy };
        let lost = |lane| {
            let dues = dues(3, lane, &[1; 100]);
            dues.iter().position(|due| *due >= Lane::RESENT)
        };
        assert_eq!(lost(&lossy), lost(&jittered));
    }

    #[test]
    fn a_direction_is_cut_at_its_byte() {
        let lane = Lane { cut: Some(Cut { after: 10, end: End::Close }), ..Lane::CLEAR };
        let mut course = Course::new(random(1, 1), None);
        assert_eq!(course.pass(&lane, 6), (6, None));
        assert_eq!(course.pass(&lane, 6), (4, Some(End::Close)));
        let mut drawn = Course::new(random(1, 1), Some(3));
        assert_eq!(drawn.pass(&lane, 6), (3, Some(End::Reset)), "what comes first counts");
    }

    #[test]
    fn about_the_share_that_is_asked_for_is_reset() {
        let faults = Faults { reset: 0.05, reset_within: 1000, ..Faults::NONE };
        let fates: Vec<Fate> = (0..10_000).map(|number| fate(&mut random(9, number), &faults)).collect();
        let reset = fates.iter().filter(|fate| matches!(fate, Fate::Pass(Some(_)))).count();
        assert!((400..600).contains(&reset), "{reset} of 10,000");
        assert!(fates.iter().all(|fate| !matches!(fate, Fate::Pass(Some(1000..)))));
    }
}
