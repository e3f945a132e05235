//! A subscription against its owner: what it has passed took effect, waits, or was given up on record.

use std::collections::{BTreeMap, BTreeSet};

use super::{Decided, Parked, Stream, Told};

/// What is wrong with a subscription that has come to `position` in the feed of `told`.
///
/// Events of entities that the subscription has never seen may be ones that it did not ask for: `asked` says which.
#[must_use]
pub fn subscription(
    told: &[Told],
    position: i64,
    taken: &BTreeMap<Stream, i64>,
    parked: &[Parked],
    decided: &[Decided],
    asked: impl Fn(&Told) -> bool,
) -> Vec<String> {
    let mut wrong = Vec::new();
    let waits: BTreeSet<_> = parked.iter().map(|event| (&event.stream, event.version)).collect();
    let head: BTreeMap<&Stream, i64> = told.iter().map(|event| (&event.stream, event.version)).collect();
    for event in told.iter().filter(|event| event.mark <= position && asked(event)) {
        let high_water = taken.get(&event.stream).copied().unwrap_or(0);
        if event.version > high_water && !waits.contains(&(&event.stream, event.version)) {
            wrong
                .push(format!("{:?} v{} was passed at {position}, and is lost", event.stream, event.version));
        }
    }
    for (stream, version) in taken {
        let last = head.get(stream).copied();
        if last.is_some_and(|last| *version > last) {
            wrong.push(format!("{stream:?} was taken up to v{version}, and {last:?} is the last there is"));
        }
    }
    for (stream, version) in waits {
        if taken.get(stream).is_some_and(|taken| *taken >= version) {
            wrong.push(format!("{stream:?} v{version} waits and was taken"));
        }
    }
    let twice = decided.iter().filter(|decided| decided.action == "skipped");
    let mut skipped = BTreeSet::new();
    for Decided { stream, version, .. } in twice {
        if !skipped.insert((stream, version)) {
            wrong.push(format!("{stream:?} v{version} was skipped twice"));
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::super::owner::tests::told;
    use super::*;

    fn judged(position: i64, taken: &[(&str, i64)], parked: &[(&str, i64)]) -> Vec<String> {
        let events = [told(1, "a", 1), told(2, "b", 1), told(3, "a", 2)];
        let stream = |key: &str| ("e".to_owned(), key.to_owned());
        let taken = taken.iter().map(|(key, version)| (stream(key), *version)).collect();
        let waits = |(key, version): &(&str, i64)| Parked {
            stream: stream(key),
            version: *version,
            state: "waiting".to_owned(),
            attempts: 1,
        };
        let parked: Vec<_> = parked.iter().map(waits).collect();
        subscription(&events, position, &taken, &parked, &[], |_| true)
    }

    #[test]
    fn what_was_passed_was_taken_or_waits() {
        assert_eq!(judged(3, &[("a", 1), ("b", 1)], &[("a", 2)]), Vec::<String>::new());
        assert_eq!(judged(1, &[("a", 1)], &[]), Vec::<String>::new(), "what is ahead is nobody's loss");
    }

    /// Each row is a planted bug: a position past what is lost, an effect of nothing, an event in two places.
    #[test]
    fn each_damage_to_a_subscription_is_named() {
        assert!(judged(3, &[("a", 1), ("b", 1)], &[])[0].contains("is lost"));
        assert!(judged(3, &[("a", 9), ("b", 1)], &[])[0].contains("the last there is"));
        assert!(judged(3, &[("a", 2), ("b", 1)], &[("a", 2)])[0].contains("waits and was taken"));
    }
}
