//! The places of a server: how many connections there may be at once, in all and of one peer.
//!
//! **Invariant:** no peer ever has more than half of all places, so that one that takes all it can get leaves room for the
//! others.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The places of a server.
#[derive(Debug)]
pub(crate) struct Places {
    most: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_peer: HashMap<IpAddr, usize>,
}

/// The place of one connection; free again when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    peer: IpAddr,
    places: Arc<Places>,
}

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Full {
    /// Nobody gets one.
    All,
    /// This peer has as many as a peer may have.
    Peer,
}

impl Places {
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, taken: Mutex::default() })
    }

    /// A place for a connection of `peer`.
    ///
    /// # Errors
    /// [`Full`].
    pub(crate) fn take(self: &Arc<Self>, peer: IpAddr) -> Result<Place, Full> {
        let peer = peer.to_canonical();
        let mut taken = self.lock();
        if taken.all >= self.most {
            return Err(Full::All);
        }
        let of_peer = taken.by_peer.entry(peer).or_insert(0);
        if *of_peer >= self.most.div_ceil(2) {
            return Err(Full::Peer);
        }
        *of_peer += 1;
        taken.all += 1;
        Ok(Place { peer, places: self.clone() })
    }

    /// Whether three quarters of the places are taken: time to ask for those back that are not used.
    pub(crate) fn are_scarce(&self) -> bool {
        self.lock().all * 4 >= self.most * 3
    }

    /// What is counted under the lock cannot be left half-done, so a panic elsewhere does not count.
    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        taken.all -= 1;
        if let Some(left) = taken.by_peer.get_mut(&self.peer) {
            *left -= 1;
            if *left == 0 {
                taken.by_peer.remove(&self.peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(number: u8) -> IpAddr {
        [10, 0, 0, number].into()
    }

    /// C26. The planted fault is a place that is not given back to its peer.
    #[test]
    fn a_peer_gets_half_of_the_places_and_all_peers_all() {
        let places = Places::new(4);
        let mut first: Vec<Place> = (0..2).map(|_| places.take(peer(1)).unwrap()).collect();
        assert_eq!(places.take(peer(1)).unwrap_err(), Full::Peer);
        assert!(!places.are_scarce());
        let _second = [places.take(peer(2)).unwrap(), places.take(peer(3)).unwrap()];
        assert_eq!(places.take(peer(4)).unwrap_err(), Full::All);
        assert!(places.are_scarce());
        first.pop();
        let again = places.take("::ffff:10.0.0.1".parse().unwrap()).unwrap();
        assert_eq!(places.take(peer(4)).unwrap_err(), Full::All);
        drop((first, again));
        assert!(places.take(peer(1)).is_ok() && places.lock().by_peer.len() == 2);
    }
}
