//! Near matches: what somebody may have meant who wrote a name that there is not.

/// Names longer than this are not compared, so that a hostile name costs nothing.
const LONGEST: usize = 80;

/// The candidate with the fewest edits, where they are at most a third of the name.
pub(crate) fn nearest<'a>(wanted: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if wanted.len() > LONGEST {
        return None;
    }
    let known = candidates.filter(|candidate| candidate.len() <= LONGEST);
    let ranked = known.map(|candidate| (edits(wanted, candidate), candidate));
    ranked.filter(|(edits, _)| *edits <= wanted.len() / 3).min().map(|(_, candidate)| candidate)
}

/// Insertions, deletions and replacements that make one word of the other, by the usual table, of which one row is kept.
fn edits(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (at, letter) in left.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = at + 1;
        for (column, other) in right.bytes().enumerate() {
            let replaced = diagonal + usize::from(letter != other);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_finds_its_name_and_a_stranger_nothing() {
        let names = ["displayName", "email", "id"];
        assert_eq!(nearest("dispalyName", names.into_iter()), Some("displayName"));
        assert_eq!(nearest("emial", names.into_iter()), None, "two of five letters");
        assert_eq!(nearest("emails", names.into_iter()), Some("email"));
        assert_eq!(nearest("warehouse", names.into_iter()), None);
        assert_eq!(nearest("", names.into_iter()), None);
    }
}
