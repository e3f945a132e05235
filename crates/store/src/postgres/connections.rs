//! How many connections a store opens at most, and where its url says so.
//!
//! In: `postgres://orders@db/orders?connections=20`. Out: the url without it, and the shares of what a store does. One
//! connection ticks, one listens where there are other instances; the rest is for units and reads.

use crate::open::OpenError;
use crate::options::redacted;

/// Where nothing is said: nine services fit the hundred connections that a server has unless told otherwise.
const USUAL: usize = 10;
/// One for each of the four things that it does.
const LEAST: usize = 4;

/// The most connections for each purpose, beside the one that ticks and the one that listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Connections {
    pub(super) units: usize,
    pub(super) reads: usize,
}

impl Connections {
    /// Those of a store that opens so many in all.
    fn of(all: usize) -> Self {
        let reads = (all - 2) / 2;
        Self { units: all - 2 - reads, reads }
    }
}

/// The url as the driver takes it, and what it says of connections.
///
/// # Errors
/// [`OpenError::Connections`] where it says no number, or one that is too small.
pub(super) fn split(url: &str) -> Result<(String, Connections), OpenError> {
    let Some((address, query)) = url.split_once('?') else {
        return Ok((url.to_owned(), Connections::of(USUAL)));
    };
    let mut all = USUAL;
    let mut rest = Vec::new();
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some(("connections", said)) => {
                let number = said.parse().ok().filter(|all| (LEAST..=10_000).contains(all));
                let wrong = || OpenError::Connections { url: redacted(url), least: LEAST };
                all = number.ok_or_else(wrong)?;
            }
            _ => rest.push(pair),
        }
    }
    let joint = if rest.is_empty() { "" } else { "?" };
    Ok((format!("{address}{joint}{}", rest.join("&")), Connections::of(all)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_how_many_connections_there_may_be() {
        let usual = Connections { units: 4, reads: 4 };
        for (url, rest, connections) in [
            ("postgres://a@h/d", "postgres://a@h/d", usual),
            ("postgres://a@h/d?sslmode=disable", "postgres://a@h/d?sslmode=disable", usual),
            ("postgres://a@h/d?connections=4", "postgres://a@h/d", Connections { units: 1, reads: 1 }),
            (
                "postgres://a@h/d?x=1&connections=32&y=2",
                "postgres://a@h/d?x=1&y=2",
                Connections { units: 15, reads: 15 },
            ),
        ] {
            assert_eq!(split(url).unwrap(), (rest.to_owned(), connections), "{url}");
        }
    }

    #[test]
    fn what_is_no_number_of_connections_is_said() {
        for wrong in ["3", "0", "-1", "many", "", "99999999999999999999"] {
            let error =
                split(&format!("postgres://a:secret@h/d?connections={wrong}")).unwrap_err().to_string();
            assert!(error.ends_with("a store wants at least 4 connections"), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
