//! An owner's outbox against itself and against its keys: nothing lost, doubled, reordered or made up.

use std::collections::{BTreeMap, BTreeSet};

use super::{Standing, Stream, Told};

/// What is wrong with an owner's events. `purged_to`: versions may be missing below that mark, which is kept no longer.
#[must_use]
pub fn owner(told: &[Told], standing: &BTreeMap<Stream, Standing>, purged_to: i64) -> Vec<String> {
    let mut wrong = Vec::new();
    let (mut ids, mut last) = (BTreeSet::new(), BTreeMap::<&Stream, i64>::new());
    let mut before = 0;
    for Told { mark, id, stream, version, .. } in told {
        if *mark <= before {
            wrong.push(format!("mark {mark} comes after {before}"));
        }
        before = *mark;
        if !ids.insert(id) {
            wrong.push(format!("the id {id} was given out twice"));
        }
        let previous = last.insert(stream, *version);
        let next = previous.map_or(1, |version| version + 1);
        let may_begin_anywhere = previous.is_none() && purged_to > 0;
        if *version != next && !may_begin_anywhere {
            wrong.push(format!("{stream:?} has version {version} at mark {mark}, not {next}"));
        }
        if !standing.contains_key(stream) {
            wrong.push(format!("{stream:?} has version {version} and no row"));
        }
    }
    for (stream, Standing { version, .. }) in standing {
        let told = last.get(stream).copied();
        let is_told = told == Some(*version) || *version == 0 || (told.is_none() && purged_to > 0);
        if !is_told {
            wrong.push(format!(
                "{stream:?} stands at version {version}, and {told:?} is the last that was told"
            ));
        }
    }
    wrong
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// An event of the entity `e`.
    pub(crate) fn told(mark: i64, key: &str, version: i64) -> Told {
        let stream = ("e".to_owned(), key.to_owned());
        let (id, kind) = (format!("id-{mark}"), "e".to_owned());
        Told { mark, id, stream, version, kind, deleted: false, data: Some(vec![1]) }
    }

    fn standing(of: &[(&str, i64)]) -> BTreeMap<Stream, Standing> {
        let stand = |version| Standing { version, deleted: false, data: None };
        of.iter().map(|(key, version)| (("e".to_owned(), (*key).to_owned()), stand(*version))).collect()
    }

    fn sound() -> (Vec<Told>, BTreeMap<Stream, Standing>) {
        (vec![told(1, "a", 1), told(2, "b", 1), told(4, "a", 2)], standing(&[("a", 2), ("b", 1)]))
    }

    #[test]
    fn a_sound_history_has_nothing_wrong() {
        let (events, standing) = sound();
        assert_eq!(owner(&events, &standing, 0), Vec::<String>::new());
        assert_eq!(owner(&events[2..], &standing, 3), Vec::<String>::new(), "purged up to 3");
    }

    /// E2, E3: a key whose versions stand in another order than its marks. Each row is a planted bug.
    #[test]
    fn each_damage_to_a_history_is_named() {
        type Damage = fn(&mut Vec<Told>, &mut BTreeMap<Stream, Standing>);
        let damages: [(&str, Damage); 6] = [
            ("inverted", |events, _| (events[0].version, events[2].version) = (2, 1)),
            ("lost in the middle", |events, _| drop(events.remove(0))),
            ("lost at the end", |events, _| drop(events.pop())),
            ("doubled", |events, _| events.push(Told { mark: 5, ..events[2].clone() })),
            ("of nobody", |_, standing| drop(standing.pop_last())),
            ("a mark given out twice", |events, _| events[1].mark = 1),
        ];
        for (name, damage) in damages {
            let (mut events, mut standing) = sound();
            damage(&mut events, &mut standing);
            assert_ne!(owner(&events, &standing, 0), Vec::<String>::new(), "{name}");
        }
    }
}
