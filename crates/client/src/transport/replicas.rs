//! The replicas of one service and their connections, as a table: which are connected, and which has room.
//!
//! In: what the resolver, the connections and the calls tell. Out: a place on a connection, and which replica to dial.
//! **Invariant:** no connection is lent to more calls than its peer takes at once; the balancer is asked only about
//! replicas that have room.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use freehold_metrics::Counted;
use freehold_wire::Reason;
use h2::client::SendRequest;
use tonic::Status;

use super::connection::Connected;
use crate::meter::Sights;
use crate::policy::balancer::{Balancer, ReplicaId, Turn, Wish};
use crate::policy::load::Verdict;
use crate::policy::redial::Redial;

/// A connection, by a number that is never used again.
pub(crate) type ConnectionId = u64;

/// The most connections to one replica.
const MOST_CONNECTIONS: usize = 8;

/// The replicas of one service.
#[derive(Debug, Default)]
pub(crate) struct Replicas {
    balancer: Balancer,
    replicas: Vec<Replica>,
    last_id: u64,
    /// Why no address is known.
    unresolved: Option<Arc<str>>,
    sights: Sights,
}

#[derive(Debug)]
struct Replica {
    id: ReplicaId,
    address: SocketAddr,
    connections: Vec<Held>,
    dialling: bool,
    redial: Redial,
    serving: bool,
    failure: Option<Arc<io::Error>>,
    /// It is ejected.
    out: Option<Counted>,
}

#[derive(Debug)]
struct Held {
    id: ConnectionId,
    send: SendRequest<Bytes>,
    /// Calls on it.
    running: usize,
    /// A call began since the last look.
    used: bool,
    /// It brought an answer.
    proven: bool,
    _counted: Counted,
}

/// Why no replica has a place.
#[derive(Debug, Clone)]
pub(crate) enum NoPlace {
    /// There is no address; why there is none.
    NoReplica(Option<Arc<str>>),
    /// No replica could be reached; the last failure.
    Unreachable(Arc<io::Error>),
    /// The peers have not answered yet.
    Silent,
    /// Every connection has as many calls as its peer takes.
    Full,
    /// Every replica says that it does not serve.
    NotServing,
}

impl NoPlace {
    /// What a caller is told whose time was up while it waited for a place at `address`.
    pub(crate) fn status(self, address: &str) -> Status {
        let unavailable = |narrower, message| Reason::Unavailable.because(narrower, message);
        match self {
            Self::NoReplica(None) => unavailable("UNREACHABLE", format!("no replica of {address} is known")),
            Self::NoReplica(Some(failure)) => {
                unavailable("UNREACHABLE", format!("no replica of {address} is known: {failure}"))
            }
            Self::Unreachable(failure) => {
                let mut status = unavailable("UNREACHABLE", format!("{address} cannot be reached"));
                status.set_source(failure);
                status
            }
            Self::Silent => Reason::DeadlineExceeded.status("no answer came before the deadline"),
            Self::Full => {
                let message = format!("every connection to {address} has as many calls as it takes");
                Reason::DeadlineExceeded.because("CONNECTIONS_FULL", message)
            }
            Self::NotServing => unavailable("NOT_SERVING", format!("{address} says that it does not serve")),
        }
    }
}

impl Replicas {
    /// None yet; `sights` is told what becomes of them.
    pub(crate) fn new(sights: Sights) -> Self {
        Self { sights, ..Self::default() }
    }

    /// Takes over a new set of addresses; those that stay keep what is known of them, those that go are drained.
    pub(crate) fn replace(&mut self, addresses: &[SocketAddr]) {
        let gone: Vec<ReplicaId> =
            self.replicas.iter().filter(|r| !addresses.contains(&r.address)).map(|r| r.id).collect();
        gone.iter().for_each(|id| self.balancer.leave(*id));
        self.replicas.retain(|replica| !gone.contains(&replica.id));
        for address in addresses {
            if !self.replicas.iter().any(|replica| replica.address == *address) {
                let id = self.new_id();
                self.balancer.join(id);
                self.replicas.push(Replica::new(id, *address));
            }
        }
    }

    /// The source of addresses has none to give.
    pub(crate) fn resolve_failed(&mut self, failure: &str) {
        self.unresolved = Some(failure.into());
    }

    pub(crate) fn len(&self) -> usize {
        self.replicas.len()
    }

    /// A place for a call that begins at `now`.
    pub(crate) fn lend(
        &mut self,
        wish: Wish<'_>,
        now: Instant,
        random: u64,
    ) -> Option<(Connected, SendRequest<Bytes>)> {
        loop {
            let id = self.balancer.pick(wish, now, random)?;
            let lent = self.find(id).and_then(Replica::lend);
            self.look(id);
            if lent.is_some() {
                return lent;
            }
            // Its peer takes fewer calls than it said; it is closed now, and another is asked.
            self.balancer.end(id, Verdict::Dropped, Duration::ZERO, now, 0.0);
        }
    }

    /// A place that no call takes, on a connection that has plenty.
    pub(crate) fn borrow(&mut self, at: Connected) -> Option<SendRequest<Bytes>> {
        let held = self.held(at)?;
        if held.send.current_max_send_streams() < 10 {
            return None;
        }
        held.running += 1;
        Some(held.send.clone())
    }

    /// A place is free again.
    pub(crate) fn give_back(&mut self, at: Connected) {
        if let Some(held) = self.held(at) {
            held.running = held.running.saturating_sub(1);
            self.look(at.replica);
        }
    }

    /// An attempt ended.
    pub(crate) fn judge(
        &mut self,
        at: Connected,
        verdict: Verdict,
        took: Duration,
        now: Instant,
        chance: f64,
    ) {
        let turn = self.balancer.end(at.replica, verdict, took, now, chance);
        if let Some(turn) = turn {
            let out = (turn == Turn::Out).then(|| self.sights.ejected());
            if let Some(replica) = self.find(at.replica) {
                replica.out = out;
            }
        }
        if verdict == Verdict::Served
            && let Some(held) = self.held(at)
            && !std::mem::replace(&mut held.proven, true)
            && let Some(replica) = self.find(at.replica)
        {
            replica.redial.proven();
        }
    }

    /// The replicas that want another connection; each is dialled from now on.
    pub(crate) fn dial(&mut self) -> impl Iterator<Item = (ReplicaId, SocketAddr)> {
        let wanting = self.replicas.iter_mut().filter(|replica| replica.wants_connection());
        wanting.map(|replica| {
            replica.dialling = true;
            (replica.id, replica.address)
        })
    }

    /// How long its dial has to wait; `None` where the replica is gone.
    pub(crate) fn wait_before_dial(&mut self, id: ReplicaId, now: Instant) -> Option<Duration> {
        self.find(id).map(|replica| replica.redial.wait(now))
    }

    /// A dial failed; whether to dial on.
    pub(crate) fn dial_failed(
        &mut self,
        id: ReplicaId,
        failure: io::Error,
        wanted: bool,
        now: Instant,
        chance: f64,
    ) -> bool {
        self.sights.dial_failed();
        let Some(replica) = self.find(id) else { return false };
        replica.redial.failed(now, chance);
        replica.failure = Some(Arc::new(failure));
        replica.dialling = wanted;
        wanted
    }

    /// A dial succeeded; `None` where the replica is gone.
    pub(crate) fn connected(&mut self, id: ReplicaId, send: SendRequest<Bytes>) -> Option<Connected> {
        let (connection, counted) = (self.new_id(), self.sights.connected());
        let replica = self.find(id)?;
        replica.dialling = false;
        replica.failure = None;
        replica.connections.push(Held::new(connection, send, counted));
        let address = replica.address;
        self.look(id);
        Some(Connected { replica: id, address, connection })
    }

    /// A connection takes no further call; `failed` where it was of no use, so that the next dial waits.
    pub(crate) fn drop_connection(&mut self, at: Connected, now: Instant, chance: f64) {
        let Some(replica) = self.find(at.replica) else { return };
        let Some(index) = replica.connections.iter().position(|held| held.id == at.connection) else {
            return;
        };
        if !replica.connections.swap_remove(index).proven {
            replica.redial.failed(now, chance);
        }
        self.look(at.replica);
    }

    /// Whether a call began on it since this was last asked, or is on it still.
    pub(crate) fn was_used(&mut self, at: Connected) -> bool {
        self.held(at).is_none_or(|held| std::mem::replace(&mut held.used, false) || held.running > 0)
    }

    /// A replica says that it serves, or does not.
    pub(crate) fn set_serving(&mut self, id: ReplicaId, serving: bool) {
        if let Some(replica) = self.find(id) {
            replica.serving = serving;
            self.look(id);
        }
    }

    /// Why there is no place.
    pub(crate) fn no_place(&self) -> NoPlace {
        let failure = self.replicas.iter().find_map(|replica| replica.failure.clone());
        match failure {
            _ if self.replicas.is_empty() => NoPlace::NoReplica(self.unresolved.clone()),
            _ if self.replicas.iter().any(|replica| replica.serving && !replica.connections.is_empty()) => {
                NoPlace::Full
            }
            _ if self.replicas.iter().any(|replica| !replica.serving) => NoPlace::NotServing,
            Some(failure) if failure.kind() != io::ErrorKind::TimedOut => NoPlace::Unreachable(failure),
            _ => NoPlace::Silent,
        }
    }

    /// Tells the balancer whether a replica has room.
    fn look(&mut self, id: ReplicaId) {
        let open = self.find(id).is_some_and(|replica| replica.serving && replica.has_room());
        self.balancer.set_open(id, open);
    }

    fn find(&mut self, id: ReplicaId) -> Option<&mut Replica> {
        self.replicas.iter_mut().find(|replica| replica.id == id)
    }

    fn held(&mut self, at: Connected) -> Option<&mut Held> {
        self.find(at.replica)?.connections.iter_mut().find(|held| held.id == at.connection)
    }

    fn new_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }
}

impl Replica {
    fn new(id: ReplicaId, address: SocketAddr) -> Self {
        let (connections, redial) = (Vec::new(), Redial::default());
        Self { id, address, connections, dialling: false, redial, serving: true, failure: None, out: None }
    }

    fn has_room(&self) -> bool {
        self.connections.iter().any(Held::has_room)
    }

    fn lend(&mut self) -> Option<(Connected, SendRequest<Bytes>)> {
        let (replica, address) = (self.id, self.address);
        let with_room = self.connections.iter_mut().filter(|held| held.has_room());
        with_room.min_by_key(|held| held.running).map(|held| {
            held.running += 1;
            held.used = true;
            (Connected { replica, address, connection: held.id }, held.send.clone())
        })
    }

    fn wants_connection(&self) -> bool {
        !self.dialling && !self.has_room() && self.connections.len() < MOST_CONNECTIONS
    }
}

impl Held {
    fn new(id: ConnectionId, send: SendRequest<Bytes>, counted: Counted) -> Self {
        Self { id, send, running: 0, used: false, proven: false, _counted: counted }
    }

    fn has_room(&self) -> bool {
        self.running < self.send.current_max_send_streams()
    }
}
