//! Ports that are known before anything listens on them: for a mesh that comes back where it was.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::{LazyLock, Mutex, PoisonError};

use freehold_sdk::PORTS;

/// Below the ports that systems hand out by themselves, so that nobody gets one of ours by chance.
const RANGE: std::ops::Range<u16> = 12_000..30_000;

/// Where the search goes on: no two tests of this process are given the same port.
static NEXT: LazyLock<Mutex<u16>> = LazyLock::new(|| Mutex::new(fastrand::u16(RANGE)));

/// The first of as many ports in a row as a mesh takes, free a moment ago.
pub(crate) fn of_a_mesh() -> u16 {
    in_a_row(u16::try_from(PORTS.len()).expect("a mesh has fewer services than there are ports"))
}

/// The first of `count` ports in a row that were free a moment ago.
///
/// # Panics
/// There are none.
pub(crate) fn in_a_row(count: u16) -> u16 {
    let mut next = NEXT.lock().unwrap_or_else(PoisonError::into_inner);
    for _ in 0..RANGE.len() {
        let first = if *next > RANGE.end - count { RANGE.start } else { *next };
        *next = first + count;
        if are_free(first, count) {
            return first;
        }
    }
    panic!("no {count} ports in a row are free")
}

fn are_free(first: u16, count: u16) -> bool {
    let bound = (first..first + count).map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)));
    bound.collect::<Result<Vec<_>, _>>().is_ok()
}
