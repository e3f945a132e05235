//! What callgrind writes about a run: cost by function, by the file that the function is in.
//!
//! Only what the program itself executes is counted, not what the C library does: its copying differs by processor. How
//! often memory is asked for is counted instead, which is the same everywhere. Format: "Callgrind Format Specification",
//! with whole names and absolute lines.

use std::ops::Sub;

/// How the C library is asked for memory.
const ALLOCATES: [&str; 5] = ["malloc", "calloc", "realloc", "posix_memalign", "aligned_alloc"];

/// What a run came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    /// Instructions of the program itself.
    pub(crate) instructions: u64,
    /// How often it asked for memory.
    pub(crate) allocations: u64,
}

impl Sub for Counted {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self {
            instructions: self.instructions.saturating_sub(other.instructions),
            allocations: self.allocations.saturating_sub(other.allocations),
        }
    }
}

/// Counts a profile: what `program` executed itself. Lines that are none of the format count nothing.
pub(crate) fn count(profile: &str, program: &str) -> Counted {
    let mut counted = Counted::default();
    let (mut inside, mut allocates, mut of_a_call) = (false, false, false);
    for line in profile.lines() {
        if let Some(object) = line.strip_prefix("ob=") {
            inside = object == program;
        } else if let Some(callee) = line.strip_prefix("cfn=") {
            allocates = ALLOCATES.contains(&callee);
        } else if let Some(call) = line.strip_prefix("calls=") {
            of_a_call = true;
            if inside && allocates {
                counted.allocations += number(call.split(' ').next());
            }
        } else if line.starts_with(|first: char| first.is_ascii_digit()) {
            // The line after a call has what the callee cost, which the callee has as well.
            if inside && !of_a_call {
                counted.instructions += number(line.split(' ').nth(1));
            }
            of_a_call = false;
        }
    }
    counted
}

fn number(word: Option<&str>) -> u64 {
    word.and_then(|word| word.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Planted bug: the cost of a callee counted where it is called, too.
    #[test]
    fn the_programs_own_instructions_and_its_allocations_are_counted() {
        let profile = "\
version: 1
events: Ir
ob=/bench
fn=one
10 100
cob=/lib/libc.so.6
cfn=malloc
calls=3 0
11 5000
12 20
cob=/bench
cfn=two
calls=7 0
13 900

fn=two
20 900

ob=/lib/libc.so.6
fn=malloc
0 5000
cfn=malloc
calls=2 0
0 40
";
        assert_eq!(count(profile, "/bench"), Counted { instructions: 1020, allocations: 3 });
        assert_eq!(count("", "/bench"), Counted::default());
    }
}
