//! The ports that a mesh takes unless told otherwise: free, taken by a mesh that serves, or by something else.

use std::net::{Ipv4Addr, TcpListener};

use freehold_sdk::PORTS;

use crate::doctor::verdict::Verdict;
use crate::status;

/// A port, and who has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) name: String,
    pub(crate) port: u16,
    pub(crate) holder: Holder,
}

/// Who has a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holder {
    Nobody,
    /// A service that answers health checks.
    Service,
    /// Something that does not.
    Stranger,
}

/// Tries the gateway's port, which is the directory's, and those after it.
pub(crate) async fn look(first: u16) -> Vec<Seen> {
    let names = PORTS.iter().map(|(name, _)| *name);
    let mut seen = Vec::new();
    for (offset, name) in (0..).zip(names) {
        let Some(port) = first.checked_add(offset) else { break };
        seen.push(Seen { name: name.to_owned(), port, holder: holder(port).await });
    }
    seen
}

async fn holder(port: u16) -> Holder {
    if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
        return Holder::Nobody;
    }
    match status::state(&format!("http://127.0.0.1:{port}")).await {
        "UNREACHABLE" => Holder::Stranger,
        _ => Holder::Service,
    }
}

/// Whether a mesh can have them.
pub(crate) fn check(seen: &[Seen]) -> Verdict {
    let of = |wanted: Holder| seen.iter().filter(move |port| port.holder == wanted);
    let listed: Vec<String> =
        of(Holder::Stranger).map(|port| format!("{} ({})", port.port, port.name)).collect();
    let range = match seen {
        [first, .., last] => format!("{} to {}", first.port, last.port),
        _ => "none".to_owned(),
    };
    if !listed.is_empty() {
        let found = format!("something that is no service of a mesh has {}", listed.join(", "));
        return Verdict::wrong("ports", found, "end it, or run the mesh elsewhere: freehold up --port 7500");
    }
    match of(Holder::Service).count() {
        0 => Verdict::ok("ports", format!("{range} are free")),
        taken if taken == seen.len() => Verdict::ok("ports", format!("{range} are served")),
        taken => Verdict::ok("ports", format!("of {range} {taken} are served, the others free")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::verdict::State;

    fn seen(holders: [Holder; 3]) -> Vec<Seen> {
        let port = |(offset, holder): (u16, Holder)| {
            let name = format!("s{offset}");
            Seen { name, port: 7400 + offset, holder }
        };
        (0..).zip(holders).map(port).collect()
    }

    #[test]
    fn free_ports_and_those_of_a_mesh_are_fine() {
        use Holder::{Nobody, Service};
        for (holders, found) in [
            ([Nobody, Nobody, Nobody], "7400 to 7402 are free"),
            ([Service, Service, Service], "7400 to 7402 are served"),
            ([Service, Nobody, Service], "of 7400 to 7402 2 are served, the others free"),
        ] {
            assert_eq!(check(&seen(holders)), Verdict::ok("ports", found));
        }
    }

    #[test]
    fn a_port_that_a_stranger_has_is_named() {
        let verdict = check(&seen([Holder::Service, Holder::Stranger, Holder::Nobody]));
        assert_eq!(verdict.state, State::Wrong);
        assert!(verdict.found.ends_with("has 7401 (s1)") && verdict.advice.contains("--port"), "{verdict:?}");
    }

    #[tokio::test]
    async fn a_stranger_is_told_from_nobody() {
        let stranger = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = stranger.local_addr().unwrap().port();
        // A listener that nobody accepts from takes the connection and never answers; a closed one refuses it.
        assert_eq!(holder(port).await, Holder::Stranger);
        assert_eq!(look(u16::MAX).await.len(), 1, "there is no port after the last");
    }
}
