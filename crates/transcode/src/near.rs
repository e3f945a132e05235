//! Near matches: what somebody may have meant who wrote a name that there is not.
//!
//! **Invariant:** what a name costs is bounded, however hostile it is: long ones are not compared, and a comparison ends
//! where it is certain that a candidate is too far off.

/// Names longer than this are not compared.
const LONGEST: usize = 80;
/// More edits than this are another name.
const MOST: usize = 4;

/// What the candidate is shown as whose name is the fewest edits away, at most a third of the name and [`MOST`]; among
/// equals the first.
pub(crate) fn nearest<'a, Name: AsRef<str>>(
    wanted: &str,
    candidates: impl Iterator<Item = (Name, &'a str)>,
) -> Option<&'a str> {
    if wanted.len() > LONGEST {
        return None;
    }
    let mut most = MOST.min(wanted.len() / 3);
    let mut nearest = None;
    for (name, shown) in candidates {
        let Some(edits) = edits(wanted.as_bytes(), name.as_ref().as_bytes(), most) else { continue };
        nearest = Some(shown);
        // What comes later has to be nearer.
        let Some(fewer) = edits.checked_sub(1) else { break };
        most = fewer;
    }
    nearest
}

/// Insertions, deletions, replacements and swaps of neighbours; none where there are more than `most`, which is at most
/// [`MOST`], of a `left` of at most [`LONGEST`] bytes.
///
/// This is optimal string alignment by the usual table: of it three rows are kept, and of a row the band that so few
/// edits can reach (E. Ukkonen, Algorithms for Approximate String Matching, 1985).
fn edits(left: &[u8], right: &[u8], most: usize) -> Option<usize> {
    if left.len().abs_diff(right.len()) > most {
        return None;
    }
    // Too far, whatever comes; what stands beside a band.
    let far = most + 1;
    let mut rows = [[far; LONGEST + MOST + 1]; 3];
    for (column, cell) in rows[0].iter_mut().take(far).enumerate() {
        *cell = column;
    }
    for row in 1..=left.len() {
        let [current, last, before_last] = [row % 3, (row + 2) % 3, (row + 1) % 3];
        rows[current][row.saturating_sub(far)] = row.min(far);
        for column in row.saturating_sub(most).max(1)..=right.len().min(row + most) {
            let (ours, theirs) = (left[row - 1], right[column - 1]);
            let replaced = rows[last][column - 1] + usize::from(ours != theirs);
            let mut least = replaced.min(rows[last][column] + 1).min(rows[current][column - 1] + 1);
            if row > 1 && column > 1 && ours == right[column - 2] && theirs == left[row - 2] {
                least = least.min(rows[before_last][column - 2] + 1);
            }
            rows[current][column] = least;
        }
    }
    Some(rows[left.len() % 3][right.len()]).filter(|edits| *edits <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of<'a>(wanted: &str, names: &[&'a str]) -> Option<&'a str> {
        nearest(wanted, names.iter().map(|name| (name, *name)))
    }

    #[test]
    fn a_typo_finds_its_name_and_a_stranger_nothing() {
        let names = ["displayName", "email", "id"];
        assert_eq!(of("dispalyName", &names), Some("displayName"));
        assert_eq!(of("emial", &names), Some("email"));
        assert_eq!(of("meial", &names), None, "two of five letters");
        assert_eq!(of("emails", &names), Some("email"));
        assert_eq!(of("warehouse", &names), None);
        assert_eq!(of("", &names), None);
    }

    #[test]
    fn the_nearest_wins_and_among_equals_the_first() {
        assert_eq!(of("warehuose", &["warehous", "warehouse", "storehouse"]), Some("warehouse"));
        assert_eq!(of("lines", &["lints", "liner"]), Some("lints"));
        assert_eq!(of("lines", &["liner", "lints"]), Some("liner"));
    }

    #[test]
    fn a_name_that_is_too_long_is_not_compared() {
        let long = "x".repeat(LONGEST + 1);
        assert_eq!(of(&long, &[&long[1..]]), None);
        assert_eq!(of(&long[1..], &[&long]), Some(long.as_str()));
    }

    /// The whole table, as a textbook has it.
    fn whole_table(left: &[u8], right: &[u8]) -> usize {
        let mut table = vec![vec![0; right.len() + 1]; left.len() + 1];
        for row in 0..=left.len() {
            for column in 0..=right.len() {
                if row == 0 || column == 0 {
                    table[row][column] = row + column;
                    continue;
                }
                let swapped = row > 1
                    && column > 1
                    && left[row - 1] == right[column - 2]
                    && left[row - 2] == right[column - 1];
                let replaced = table[row - 1][column - 1] + usize::from(left[row - 1] != right[column - 1]);
                let swap = if swapped { table[row - 2][column - 2] + 1 } else { usize::MAX };
                let moved = table[row - 1][column].min(table[row][column - 1]) + 1;
                table[row][column] = replaced.min(moved).min(swap);
            }
        }
        table[left.len()][right.len()]
    }

    fn words() -> Vec<Vec<u8>> {
        let mut words = vec![Vec::new()];
        for length in 0..6 {
            let longest: Vec<_> = words.iter().filter(|word| word.len() == length).cloned().collect();
            words.extend(longest.iter().flat_map(|word| b"ab".map(|letter| [&word[..], &[letter]].concat())));
        }
        words
    }

    /// Planted: the cell beside a band keeps what an earlier row left there.
    #[test]
    fn the_band_says_what_the_whole_table_says() {
        let words = words();
        for left in &words {
            for right in &words {
                let whole = whole_table(left, right);
                for most in 0..=MOST {
                    let expected = Some(whole).filter(|edits| *edits <= most);
                    assert_eq!(edits(left, right, most), expected, "{left:?} {right:?} {most}");
                }
            }
        }
    }
}
