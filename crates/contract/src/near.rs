//! Near matches: what somebody meant who wrote a name that does not exist.

/// Names longer than this are not compared, so that a hostile contract cannot make a check slow.
const LONGEST: usize = 200;

/// The candidate nearest to `wanted`: the same last part first, then the fewest edits, then the first in the alphabet.
/// None when all are too far away to have been meant.
pub fn nearest<'a>(wanted: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if wanted.is_empty() || wanted.len() > LONGEST {
        return None;
    }
    let known = candidates.into_iter().filter(|candidate| candidate.len() <= LONGEST && *candidate != wanted);
    let ranked = known.filter_map(|candidate| Some((rank(wanted, candidate)?, candidate)));
    ranked.min().map(|(_, candidate)| candidate)
}

/// Whether the last part differs, and how many edits are needed; `None` when they are more than a third of the last part.
fn rank(wanted: &str, candidate: &str) -> Option<(bool, usize)> {
    let edits = edits(&wanted.to_lowercase(), &candidate.to_lowercase());
    let differs = !last_part(wanted).eq_ignore_ascii_case(last_part(candidate));
    let limit = last_part(wanted).chars().count().max(3) / 3;
    (!differs || edits <= limit).then_some((differs, edits))
}

/// Insertions, deletions, replacements and swaps of neighbours that make one word of the other (optimal string
/// alignment, by the usual table of which three rows are kept).
fn edits(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    let mut previous = None;
    for (row, letter) in left.chars().enumerate() {
        let mut current = vec![row + 1];
        for (column, other) in right.iter().enumerate() {
            let replaced = last[column] + usize::from(letter != *other);
            let mut least = replaced.min(last[column + 1] + 1).min(current[column] + 1);
            if column > 0 && previous == Some(*other) && letter == right[column - 1] {
                least = least.min(before_last[column - 1] + 1);
            }
            current.push(least);
        }
        before_last = std::mem::replace(&mut last, current);
        previous = Some(letter);
    }
    last[right.len()]
}

/// What a name or a path ends with, which is what people remember of it.
fn last_part(name: &str) -> &str {
    let name = name.strip_suffix(".proto").unwrap_or(name);
    name.rsplit(['.', '/']).next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_finds_its_name() {
        assert_eq!(
            nearest("catalog.v1.Prodct", ["catalog.v1.Price", "catalog.v1.Product"]),
            Some("catalog.v1.Product")
        );
        assert_eq!(nearest("pirce_cents", ["name", "price_cents"]), Some("price_cents"));
    }

    #[test]
    fn a_name_without_its_package_finds_the_full_one() {
        assert_eq!(
            nearest("Product", ["catalog.v1.Produce", "catalog.v1.Product"]),
            Some("catalog.v1.Product")
        );
        assert_eq!(
            nearest("catalog.v2.Product", ["a.v1.Product", "catalog.v1.Product"]),
            Some("catalog.v1.Product")
        );
    }

    #[test]
    fn a_swap_of_neighbours_is_one_edit() {
        assert_eq!(edits("pirce", "price"), 1);
        assert_eq!(edits("", "abc"), 3);
        assert_eq!(edits("kitten", "sitting"), 3);
    }

    #[test]
    fn a_stranger_finds_nothing() {
        assert_eq!(nearest("warehouse", ["name", "price_cents"]), None);
        assert_eq!(nearest("", ["name"]), None);
        assert_eq!(nearest("nowhere.proto", ["a.proto"]), None, "all files end alike");
        assert_eq!(nearest(&"x".repeat(LONGEST + 1), ["name"]), None);
    }
}
