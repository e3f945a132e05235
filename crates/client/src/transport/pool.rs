//! The connections to one service: lends each attempt a place on one of them, and waits where there is none.
//!
//! **Invariant:** the lock is never held over an await, and a call that waits here is in no peer's queue: it can still go
//! anywhere, or be given up unseen.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::client::SendRequest;
use tokio::sync::{Notify, watch};

use super::connection::{Connected, connect};
use super::dial::Patience;
use super::lease::Lease;
use super::replicas::{NoPlace, Replicas};
use crate::meter::Sights;
use crate::policy::balancer::{ReplicaId, Wish};
use crate::policy::load::Verdict;
use crate::resolver::ResolveError;

/// The connections to one service.
#[derive(Debug)]
pub(crate) struct Pool {
    state: Mutex<State>,
    /// A place became free, or there is a new connection.
    changed: Notify,
    /// Whether there are several replicas; it is gone with the pool.
    several: watch::Sender<bool>,
    /// A call came after a rest; it is gone with the pool.
    called: watch::Sender<()>,
    patience: Patience,
}

#[derive(Debug)]
struct State {
    replicas: Replicas,
    random: fastrand::Rng,
    /// Calls that wait for a place.
    waiting: usize,
    /// Whoever resolves waits for the next call.
    rests: bool,
}

/// A call that waits for a place, counted.
struct Waiting<'a>(&'a Pool);

impl Pool {
    /// Connections to nobody yet.
    pub(crate) fn new(patience: Patience, sights: Sights) -> Self {
        let (replicas, random) = (Replicas::new(sights), fastrand::Rng::new());
        let state = Mutex::new(State { replicas, random, waiting: 0, rests: false });
        let (several, called) = (watch::Sender::new(false), watch::Sender::new(()));
        Self { state, changed: Notify::new(), several, called, patience }
    }

    /// Takes over a new set of addresses. An empty one says nothing: the last good one stays.
    pub(crate) fn replace(self: &Arc<Self>, addresses: &[SocketAddr]) {
        if addresses.is_empty() {
            return;
        }
        let mut state = self.lock();
        state.replicas.replace(addresses);
        let several = state.replicas.len() > 1;
        drop(state);
        self.several.send_if_modified(|known| std::mem::replace(known, several) != several);
        self.changed.notify_waiters();
    }

    /// The source of addresses failed; the last good set stays.
    pub(crate) fn resolve_failed(&self, failure: ResolveError) {
        self.lock().replicas.resolve_failed(&failure.to_string());
    }

    /// Until the next call nobody needs news: what tells of that call, or `None` where one waits already.
    pub(crate) fn rest(&self) -> Option<watch::Receiver<()>> {
        let mut state = self.lock();
        state.rests = state.waiting == 0;
        state.rests.then(|| self.called.subscribe())
    }

    /// A place for an attempt, as soon as there is one.
    pub(crate) async fn lease(self: &Arc<Self>, wish: Wish<'_>) -> Lease {
        if let Some(lease) = self.try_lease(wish) {
            return lease;
        }
        let _counted = Waiting::new(self);
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            // What changes from here on is not missed.
            changed.as_mut().enable();
            if let Some(lease) = self.try_lease(wish) {
                return lease;
            }
            changed.await;
        }
    }

    /// A place for an attempt, where there is one now.
    pub(crate) fn try_lease(self: &Arc<Self>, wish: Wish<'_>) -> Option<Lease> {
        let (mut state, now) = (self.lock(), Instant::now());
        if std::mem::take(&mut state.rests) {
            self.called.send_replace(());
        }
        let random = state.random.u64(..);
        let lent = state.replicas.lend(wish, now, random);
        self.dial_what_is_wanted(&mut state);
        drop(state);
        lent.map(|(at, send)| Lease::new(Arc::clone(self), at, send, now))
    }

    /// Whether there are several replicas.
    pub(crate) fn has_several(&self) -> bool {
        *self.several.borrow()
    }

    /// Why there is no place.
    pub(crate) fn no_place(&self) -> NoPlace {
        self.lock().replicas.no_place()
    }

    pub(super) fn judge(&self, at: Connected, verdict: Verdict, took: Duration, now: Instant) {
        let mut state = self.lock();
        let chance = state.random.f64();
        state.replicas.judge(at, verdict, took, now, chance);
    }

    pub(super) fn give_back(&self, at: Connected) {
        let mut state = self.lock();
        state.replicas.give_back(at);
        if state.waiting > 0 {
            self.changed.notify_one();
        }
    }

    pub(super) fn borrow(&self, at: Connected) -> Option<SendRequest<Bytes>> {
        self.lock().replicas.borrow(at)
    }

    pub(super) fn set_serving(&self, replica: ReplicaId, serving: bool) {
        self.lock().replicas.set_serving(replica, serving);
        self.changed.notify_waiters();
    }

    pub(super) fn several(&self) -> watch::Receiver<bool> {
        self.several.subscribe()
    }

    pub(super) fn wait_before_dial(&self, replica: ReplicaId) -> Option<Duration> {
        self.lock().replicas.wait_before_dial(replica, Instant::now())
    }

    /// A dial failed; whether somebody waits for another.
    pub(super) fn is_wanted_after(&self, replica: ReplicaId, failure: io::Error) -> bool {
        let mut state = self.lock();
        let (wanted, chance) = (state.waiting > 0, state.random.f64());
        state.replicas.dial_failed(replica, failure, wanted, Instant::now(), chance)
    }

    pub(super) fn connected(&self, replica: ReplicaId, send: SendRequest<Bytes>) -> Option<Connected> {
        let at = self.lock().replicas.connected(replica, send);
        self.changed.notify_waiters();
        at
    }

    /// A connection ended.
    pub(super) fn disconnected(self: &Arc<Self>, at: Connected) {
        let mut state = self.lock();
        let chance = state.random.f64();
        state.replicas.drop_connection(at, Instant::now(), chance);
        if state.waiting > 0 {
            self.dial_what_is_wanted(&mut state);
        }
    }

    /// A connection takes no further call; those that are on it go on.
    pub(super) fn is_ending(self: &Arc<Self>, at: Connected) {
        self.disconnected(at);
    }

    pub(super) fn was_used(&self, at: Connected) -> bool {
        self.lock().replicas.was_used(at)
    }

    fn dial_what_is_wanted(self: &Arc<Self>, state: &mut State) {
        for (replica, address) in state.replicas.dial() {
            tokio::spawn(connect(Arc::downgrade(self), replica, address, self.patience));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'a> Waiting<'a> {
    fn new(pool: &'a Pool) -> Self {
        pool.lock().waiting += 1;
        Self(pool)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.lock().waiting -= 1;
    }
}
