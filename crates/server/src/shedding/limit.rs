//! How many calls a server works on at once, found from how long they take. Nobody configures it.
//!
//! In: when a call began and ended. Out: a number. Calls that take longer than their method usually does wait for something
//! that others use, so fewer are let in; as long as they do not, more are tried. What is quick beside its deadline is never
//! too slow: commits that share a flush take longer together, and get more done. Source: the gradient limit of Netflix's
//! concurrency-limits ("Performance Under Load", 2018), with BBR's probe (Cardwell et al., 2016): now and then few calls are
//! let in for a moment, and how long these take is what is usual from then on.
//! **Invariant:** the limit stays within its bounds, and what is usual rises in a probe alone, so that a lasting overload
//! never becomes what is usual.

use std::time::{Duration, Instant};

/// The least that is let in: while one is at work, the next one is at hand.
const LEAST: f64 = 2.0;
/// The most, however fast the calls are.
const MOST: f64 = 2048.0;
/// Where a server begins that has seen nothing yet.
const FIRST: f64 = 32.0;
/// A server that is not at its limit keeps so many times what it needed, and at least so many.
const HEADROOM: f64 = 2.0;
const LEAST_IDLE: f64 = 16.0;
/// So many times longer than usual calls may take before fewer are let in.
const TOLERANCE: f64 = 2.0;
/// Below this they do not wait for one another at all: twice as many are tried.
const UNHURT: f64 = 1.3;
const UNHURT_STEP: f64 = 2.0;
/// No window says more against the limit than that half is too much.
const FALL: f64 = 0.5;
/// How far a window that is not at the limit moves it to what is of use, and one between the two up.
const SMOOTHING: f64 = 0.5;
/// Such a part of the time that it is given a call may take, whatever it takes where nobody else calls; and at most so
/// long, in seconds.
const QUICK: f64 = 20.0;
const QUICK_AT_MOST: f64 = 0.1;
/// A window lasts at least so long.
const WINDOW: Duration = Duration::from_millis(100);
/// A window is looked at when it has so many calls, and half of those at work; or when [`LONG`] is over.
const CALLS: usize = 10;
/// See [`CALLS`].
const LONG: Duration = Duration::from_secs(1);
/// A method's mean over fewer calls of a window says nothing about what is usual.
const CALLS_OF_METHOD: u32 = 5;
/// How much one call says about how long calls take at present.
const PRESENT: f64 = 0.1;
/// How often a server that is at its limit probes.
const PROBE_EVERY: Duration = Duration::from_secs(10);
/// It does so sooner where the limit has fallen to half: then either it is overloaded, or what was usual is no more.
const PROBE_AT_LEAST: Duration = Duration::from_secs(1);
/// The part of the limit that a probe lets in; well below 1 / [`TOLERANCE`], so that repeated probes find the least.
const PROBED: f64 = 0.25;

/// The limit of one server.
#[derive(Debug)]
pub(super) struct Limit {
    limit: f64,
    methods: Vec<Usual>,
    window: Window,
    /// Few calls are let in for a moment.
    probing: bool,
    probed_at: Instant,
    /// The highest that the limit has been since the last probe.
    peak: f64,
}

/// What is usual of a method, and its calls of this window.
#[derive(Debug, Clone, Default)]
struct Usual {
    /// In seconds: what the contract gives a call, and what its callers gave the last ten or so, where that is less.
    declared: f64,
    given: f64,
    /// In seconds; unknown until the first window with enough calls.
    usual: Option<f64>,
    /// In seconds, over the last ten calls or so; zero at first.
    present: f64,
    sum: f64,
    calls: u32,
}

impl Usual {
    /// In seconds: what is never too slow.
    fn quick(&self) -> f64 {
        (self.given / QUICK).min(QUICK_AT_MOST)
    }
}

#[derive(Debug)]
struct Window {
    begun: Instant,
    calls: usize,
    /// The most calls at once.
    busiest: usize,
}

impl Limit {
    /// The limit of a server that has methods with these deadlines.
    pub(super) fn new(deadlines: impl Iterator<Item = Duration>, now: Instant) -> Self {
        let usual = |deadline: Duration| Usual {
            declared: deadline.as_secs_f64(),
            given: deadline.as_secs_f64(),
            ..Usual::default()
        };
        Self {
            limit: FIRST,
            methods: deadlines.map(usual).collect(),
            window: Window { begun: now, calls: 0, busiest: 0 },
            probing: false,
            probed_at: now,
            peak: FIRST,
        }
    }

    /// How many calls at once.
    pub(super) fn get(&self) -> usize {
        let part = if self.probing { PROBED } else { 1.0 };
        ((self.limit * part) as usize).max(1)
    }

    /// How long a call of the method waits behind so many others, if all goes on as at present. A probe is over soon.
    pub(super) fn wait_behind(&self, others: usize, method: usize) -> Duration {
        self.present(method).mul_f64((others + 1) as f64 / self.limit)
    }

    /// How long calls of the method take at present; zero where nobody knows yet.
    pub(super) fn present(&self, method: usize) -> Duration {
        self.methods.get(method).map_or(Duration::ZERO, |method| Duration::from_secs_f64(method.present))
    }

    /// A call of the method has come that has so much time.
    pub(super) fn came(&mut self, method: usize, left: Duration) {
        if let Some(method) = self.methods.get_mut(method) {
            method.given += PRESENT * (left.as_secs_f64().min(method.declared) - method.given);
        }
    }

    /// A call has begun; so many are at work now.
    pub(super) fn began(&mut self, at_work: usize) {
        self.window.busiest = self.window.busiest.max(at_work);
    }

    /// A call of the method that began at `began` is over. One that was not `done` was refused, or its caller went away; how
    /// long it would have taken is not known, but longer than it has.
    pub(super) fn ended(&mut self, method: usize, began: Instant, done: bool, now: Instant) {
        let Some(of_method) = self.methods.get_mut(method) else { return };
        let took = now.saturating_duration_since(began).as_secs_f64();
        if !done && took <= of_method.usual.unwrap_or_default().max(of_method.quick()) {
            return;
        }
        of_method.present += PRESENT * (took - of_method.present);
        // What began before had other calls beside it than this limit lets in.
        if began < self.window.begun {
            return;
        }
        of_method.sum += took;
        of_method.calls += 1;
        self.window.calls += 1;
        let lasted = now.saturating_duration_since(self.window.begun);
        let enough = CALLS.max(self.window.busiest / 2);
        if lasted >= LONG || (lasted >= WINDOW && self.window.calls >= enough) {
            self.look(now);
        }
    }

    /// The window is over.
    fn look(&mut self, now: Instant) {
        let ratio = self.ratio();
        let busiest = self.window.busiest as f64;
        self.window = Window { begun: now, calls: 0, busiest: 0 };
        if self.probing {
            (self.probing, self.probed_at, self.peak) = (false, now, self.limit);
            return;
        }
        match ratio.filter(|_| busiest >= 0.8 * self.limit) {
            Some(ratio) => self.adapt(ratio, now),
            // Where fewer are at work than might be, how long they take says nothing about the limit. It comes down to what
            // may be of use, so that an overload that comes suddenly finds no open door.
            None => {
                let useful = (HEADROOM * busiest).max(LEAST_IDLE);
                self.limit -= (SMOOTHING * (self.limit - useful)).max(0.0);
            }
        }
    }

    /// Down at once, up in steps: an overload is worse than a moment of room.
    fn adapt(&mut self, ratio: f64, now: Instant) {
        let found = if ratio < UNHURT {
            self.limit * UNHURT_STEP
        } else if ratio < TOLERANCE {
            self.limit + SMOOTHING * self.limit.sqrt()
        } else {
            self.limit * (TOLERANCE / ratio).max(FALL)
        };
        self.limit = found.clamp(LEAST, MOST);
        self.peak = self.peak.max(self.limit);
        let since = now.saturating_duration_since(self.probed_at);
        let fallen = self.limit <= self.peak / 2.0 && since >= PROBE_AT_LEAST;
        self.probing = since >= PROBE_EVERY || fallen;
    }

    /// How much longer than usual the calls of this window took, over all methods; none where nothing can be said.
    fn ratio(&mut self) -> Option<f64> {
        let (mut sum, mut calls) = (0.0, 0);
        for method in &mut self.methods {
            let (took, of_method) = (method.sum, method.calls);
            (method.sum, method.calls) = (0.0, 0);
            if of_method < CALLS_OF_METHOD {
                continue;
            }
            let mean = took / f64::from(of_method);
            let usual = match method.usual {
                Some(usual) if !self.probing => usual.min(mean),
                _ => mean,
            };
            method.usual = Some(usual);
            sum += mean / usual.max(method.quick()).max(1e-6) * f64::from(of_method);
            calls += of_method;
        }
        (calls > 0).then(|| sum / f64::from(calls))
    }
}
