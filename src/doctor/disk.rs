//! The disk: whether it says when data is on it, and how long that takes, which is what every commit waits for.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::doctor::verdict::Verdict;

/// How often it is tried, and for how long at most.
const TIMES: usize = 50;
const PATIENCE: Duration = Duration::from_millis(500);
/// A page, as a commit writes a few of.
const PAGE: [u8; 4096] = [7; 4096];
/// No disk is as fast as this: what answers so has kept the data in memory.
const TOO_FAST: Duration = Duration::from_micros(10);
/// At twenty commits a second and less, people wait.
const SLOW: Duration = Duration::from_millis(50);

/// How long a page took to the disk, each time, ascending.
#[derive(Debug)]
pub(crate) struct Seen(pub(crate) io::Result<Vec<Duration>>);

/// Writes pages and waits for each.
pub(crate) fn look(scratch: &Path) -> Seen {
    Seen(measure(&scratch.join("pages")))
}

fn measure(path: &Path) -> io::Result<Vec<Duration>> {
    let mut file = File::create(path)?;
    let (began, mut took) = (Instant::now(), Vec::new());
    while took.len() < TIMES && (took.is_empty() || began.elapsed() < PATIENCE) {
        file.write_all(&PAGE)?;
        let written = Instant::now();
        file.sync_data()?;
        took.push(written.elapsed());
    }
    took.sort();
    Ok(took)
}

/// Whether what was acknowledged is on the disk, and how fast that is.
pub(crate) fn check(seen: &Seen) -> Verdict {
    let median = match &seen.0 {
        Ok(took) => took.get(took.len() / 2).copied().unwrap_or_default(),
        Err(error) => {
            let found = format!("it does not say when data is on it: {error}");
            return Verdict::wrong("disk", found, "keep the databases on a disk that fdatasync works on");
        }
    };
    let rate = Duration::from_secs(1).as_nanos() / median.as_nanos().max(1);
    let found =
        format!("fdatasync takes {median:.1?} in the median, {rate} a second; commits that meet share one");
    if median < TOO_FAST {
        let advice = "no disk is that fast: what is acknowledged here may not survive a power loss";
        Verdict::warn("disk", found, advice)
    } else if median > SLOW {
        Verdict::warn("disk", found, "every write waits for it; a faster disk makes a faster mesh")
    } else {
        Verdict::ok("disk", found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::verdict::State;

    fn of(median: Duration) -> Verdict {
        check(&Seen(Ok(vec![Duration::ZERO, median, Duration::from_secs(9)])))
    }

    #[test]
    fn a_disk_is_fine_that_takes_as_long_as_disks_do() {
        let verdict = of(Duration::from_micros(800));
        assert_eq!(verdict.state, State::Ok);
        assert!(
            verdict.found.starts_with("fdatasync takes 800.0µs in the median, 1250 a second"),
            "{verdict:?}"
        );
    }

    #[test]
    fn one_that_forgets_is_told_from_one_that_is_slow() {
        let (forgets, slow) = (of(Duration::from_nanos(900)), of(Duration::from_millis(80)));
        assert_eq!((forgets.state, slow.state), (State::Warn, State::Warn));
        assert!(forgets.advice.contains("power loss") && slow.advice.contains("waits"));
        assert_eq!(of(Duration::ZERO).state, State::Warn);
    }

    #[test]
    fn one_that_cannot_sync_is_refused() {
        assert_eq!(check(&Seen(Err(io::Error::other("not here")))).state, State::Wrong);
    }

    #[test]
    fn a_real_disk_is_measured() {
        let scratch = tempfile::tempdir().unwrap();
        let took = look(scratch.path()).0.unwrap();
        assert!(!took.is_empty() && took.len() <= TIMES && took.is_sorted());
    }
}
