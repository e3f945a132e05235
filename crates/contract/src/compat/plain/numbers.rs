//! Ranges of numbers, and what is missing of one.

use crate::schema::Numbers;

/// What `ranges` do not hold of `wanted`, ascending.
pub(super) fn missing(wanted: Numbers, ranges: &[Numbers]) -> Vec<Numbers> {
    let mut near: Vec<Numbers> = ranges
        .iter()
        .copied()
        .filter(|range| range.first <= wanted.last && range.last >= wanted.first)
        .collect();
    near.sort_unstable();
    let mut missing = Vec::new();
    let mut next = wanted.first;
    for range in near {
        if range.first > next {
            missing.push(Numbers { first: next, last: range.first - 1 });
        }
        next = next.max(range.last + 1);
    }
    if next <= wanted.last {
        missing.push(Numbers { first: next, last: wanted.last });
    }
    missing
}

pub(super) fn hold(ranges: &[Numbers], number: i32) -> bool {
    let number = i64::from(number);
    ranges.iter().any(|range| (range.first..=range.last).contains(&number))
}

/// "2, 4 to 6" as a contract writes it; `most` is what `max` stands for.
pub(super) fn written(ranges: &[Numbers], most: i64) -> String {
    let range = |numbers: &Numbers| match (numbers.first, numbers.last) {
        (first, last) if first == last => first.to_string(),
        (first, last) if last >= most => format!("{first} to max"),
        (first, last) => format!("{first} to {last}"),
    };
    ranges.iter().map(range).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(first: i64, last: i64) -> Numbers {
        Numbers { first, last }
    }

    #[test]
    fn a_range_that_others_cover_together_misses_nothing() {
        assert_eq!(missing(numbers(1, 10), &[numbers(6, 20), numbers(-3, 3), numbers(2, 5)]), []);
    }

    #[test]
    fn what_is_missing_lies_before_between_and_behind() {
        let left = [numbers(8, 8), numbers(3, 4), numbers(3, 3)];
        assert_eq!(missing(numbers(1, 10), &left), [numbers(1, 2), numbers(5, 7), numbers(9, 10)]);
        assert_eq!(missing(numbers(1, 1), &[]), [numbers(1, 1)]);
    }

    #[test]
    fn ranges_are_written_as_in_a_contract() {
        assert_eq!(written(&[numbers(2, 2), numbers(4, 6), numbers(9, 99)], 99), "2, 4 to 6, 9 to max");
    }
}
