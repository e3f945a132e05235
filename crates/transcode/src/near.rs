//! Near matches: what somebody may have meant who wrote a name that there is not.

/// Names longer than this are not compared, so that a hostile name costs nothing.
const LONGEST: usize = 80;

/// The candidate with the fewest edits, where they are at most a third of the name.
pub(crate) fn nearest<'a>(wanted: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let ranked = candidates.filter_map(|candidate| Some((distance(wanted, candidate)?, candidate)));
    ranked.min().map(|(_, candidate)| candidate)
}

/// How many edits make one name of the other; none where they are so many that it cannot have been meant.
pub(crate) fn distance(wanted: &str, candidate: &str) -> Option<usize> {
    if wanted.len() > LONGEST || candidate.len() > LONGEST {
        return None;
    }
    Some(edits(wanted.as_bytes(), candidate.as_bytes())).filter(|edits| *edits <= wanted.len() / 3)
}

/// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment, by the usual table, of which
/// three rows are kept).
fn edits(left: &[u8], right: &[u8]) -> usize {
    let mut before_last = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for row in 0..left.len() {
        let mut current = vec![row + 1];
        for column in 0..right.len() {
            let replaced = last[column] + usize::from(left[row] != right[column]);
            let mut least = replaced.min(last[column + 1] + 1).min(current[column] + 1);
            let swapped =
                row > 0 && column > 0 && left[row] == right[column - 1] && left[row - 1] == right[column];
            if swapped {
                least = least.min(before_last[column - 1] + 1);
            }
            current.push(least);
        }
        before_last = std::mem::replace(&mut last, current);
    }
    last[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_finds_its_name_and_a_stranger_nothing() {
        let names = ["displayName", "email", "id"];
        assert_eq!(nearest("dispalyName", names.into_iter()), Some("displayName"));
        assert_eq!(nearest("emial", names.into_iter()), Some("email"));
        assert_eq!(nearest("meial", names.into_iter()), None, "two of five letters");
        assert_eq!(nearest("emails", names.into_iter()), Some("email"));
        assert_eq!(nearest("warehouse", names.into_iter()), None);
        assert_eq!(nearest("", names.into_iter()), None);
    }
}
