//! Effects in the order in which they were taken, against what was there to take: each once, per key in order.

use std::collections::{BTreeMap, BTreeSet};

use super::Stream;

/// An effect: of which event.
pub type Effect = (Stream, i64);

/// What is wrong with `effects`, the effects so far in their order. `wanted`: the events that have one; `given_up`: those
/// that somebody skipped. `whole`: nothing is to come any more.
#[must_use]
pub fn effects(
    effects: &[Effect],
    wanted: &BTreeSet<Effect>,
    given_up: &BTreeSet<Effect>,
    whole: bool,
) -> Vec<String> {
    let mut wrong = Vec::new();
    let (mut seen, mut last) = (BTreeSet::new(), BTreeMap::<&Stream, i64>::new());
    for effect in effects {
        let (stream, version) = effect;
        if !seen.insert(effect) {
            wrong.push(format!("{stream:?} v{version} took effect twice"));
        }
        if let Some(before) = last.insert(stream, *version).filter(|before| before > version) {
            wrong.push(format!("{stream:?} v{version} took effect after v{before}"));
        }
        if !wanted.contains(effect) || given_up.contains(effect) {
            wrong.push(format!("{stream:?} v{version} took effect, and was not to"));
        }
    }
    for (stream, version) in wanted.difference(given_up) {
        let is_due = whole || last.get(stream).is_some_and(|last| last > version);
        if is_due && !seen.contains(&(stream.clone(), *version)) {
            wrong.push(format!("{stream:?} v{version} never took effect"));
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(taken: &[i64], given_up: &[i64], whole: bool) -> Vec<String> {
        let of = |versions: &[i64]| -> Vec<Effect> {
            let stream = ("e".to_owned(), "a".to_owned());
            versions.iter().map(|version| (stream.clone(), *version)).collect()
        };
        let set = |versions: &[i64]| of(versions).into_iter().collect();
        effects(&of(taken), &set(&[1, 2, 3]), &set(given_up), whole)
    }

    #[test]
    fn effects_once_and_in_order_have_nothing_wrong() {
        for (taken, given_up, whole) in
            [(&[1, 2, 3][..], &[][..], true), (&[1][..], &[][..], false), (&[1, 3][..], &[2][..], true)]
        {
            assert_eq!(judged(taken, given_up, whole), Vec::<String>::new());
        }
    }

    /// Each row is a planted bug.
    #[test]
    fn each_damage_to_effects_is_named() {
        for (taken, given_up, whole, said) in [
            (&[1, 1, 2, 3][..], &[][..], true, "twice"),
            (&[1, 3, 2][..], &[][..], true, "after v3"),
            (&[1, 3][..], &[][..], false, "v2 never"),
            (&[1, 2][..], &[][..], true, "v3 never"),
            (&[1, 2, 3, 4][..], &[][..], true, "v4 took effect, and was not to"),
            (&[1, 2, 3][..], &[2][..], true, "v2 took effect, and was not to"),
        ] {
            let wrong = judged(taken, given_up, whole);
            assert!(wrong.iter().any(|wrong| wrong.contains(said)), "{said}: {wrong:?}");
        }
    }
}
