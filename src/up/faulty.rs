//! A network that fails on purpose, between the services of a mesh in one process.
//!
//! Each service has three endpoints, and a proxy before each: one is slow, one is dead, one resets a connection in twenty.
//! Whoever calls a service knows the proxies alone. **Invariant:** what goes wrong follows from the seed.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::time::Duration;

use freehold_testkit::{FaultProxy, Faults};
use serde::Serialize;

/// How much later the answers of the slow endpoint come: a hundred times what a call takes on one machine.
const SLOW: Duration = Duration::from_millis(100);
/// The share of connections that the third endpoint resets, each within so many bytes of its answers.
const RESET: f64 = 0.05;
const RESET_WITHIN: u64 = 64 * 1024;

/// The proxies before all services; they go with it.
#[derive(Debug)]
pub(crate) struct FaultyNetwork {
    seed: u64,
    proxies: Vec<[FaultProxy; 3]>,
}

/// How many connections came to the endpoints of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Traffic {
    pub(crate) slow: u64,
    pub(crate) dead: u64,
    pub(crate) flaky: u64,
    /// How many of the flaky ones were reset.
    pub(crate) reset: u64,
}

impl FaultyNetwork {
    /// A network before nobody yet.
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, proxies: Vec::new() }
    }

    /// The endpoints of one more service: the URLs that lead to it, and the sockets that it is to listen on.
    pub(crate) async fn before(&mut self, host: IpAddr) -> io::Result<(String, Vec<TcpListener>)> {
        let socket = || TcpListener::bind(SocketAddr::new(host, 0));
        let sockets = [socket()?, socket()?, socket()?];
        let seed = self.seed.wrapping_add(self.proxies.len() as u64);
        let slow = FaultProxy::seeded(sockets[0].local_addr()?, seed).await;
        let dead = FaultProxy::seeded(sockets[1].local_addr()?, seed).await;
        let flaky = FaultProxy::seeded(sockets[2].local_addr()?, seed).await;
        slow.set(Faults::delay(SLOW));
        dead.set(Faults::black_hole());
        flaky.set(Faults { reset: RESET, reset_within: RESET_WITHIN, ..Faults::NONE });
        let proxies = [slow, dead, flaky];
        let urls = proxies.each_ref().map(FaultProxy::url).join(",");
        self.proxies.push(proxies);
        Ok((urls, sockets.into()))
    }

    /// What has come through so far.
    pub(crate) fn traffic(&self) -> Traffic {
        let mut traffic = Traffic::default();
        for [slow, dead, flaky] in &self.proxies {
            traffic.slow += slow.connections().accepted;
            traffic.dead += dead.connections().accepted;
            traffic.flaky += flaky.connections().accepted;
            traffic.reset += flaky.connections().ended;
        }
        traffic
    }
}
