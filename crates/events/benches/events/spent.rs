//! What a run spent of this machine, from the kernel's books: unlike a rate, it hardly depends on who else is at work.

use std::fs;

use crate::mesh::Outcome;

/// The kernel tells CPU time in hundredths of a second.
const NANOS_PER_TICK: u64 = 10_000_000;

/// What this process has spent so far.
#[derive(Clone, Copy)]
pub(crate) struct Spent {
    /// Nanoseconds of CPU of all threads, also of those that have ended.
    cpu: u64,
    /// Bytes that were written to files.
    written: u64,
}

impl Spent {
    pub(crate) fn now() -> Outcome<Self> {
        let text = fs::read_to_string("/proc/self/stat")?;
        // The program's name may have blanks in it; what follows is in fields, of which these are the 14th and 15th.
        let fields = text.rsplit_once(')').ok_or("a field is missing")?.1.split_whitespace();
        let ticks = fields.skip(11).take(2).map(str::parse::<u64>).sum::<Result<u64, _>>()?;
        Ok(Self { cpu: ticks * NANOS_PER_TICK, written: field("/proc/self/io", "write_bytes:")? })
    }

    /// What was spent on each of so many events since then: "92 us of CPU and 5.1 KB written an event".
    pub(crate) fn each(self, events: usize) -> Outcome<String> {
        let now = Self::now()?;
        let each = |before: u64, after: u64| after.saturating_sub(before) as f64 / events as f64 / 1000.0;
        let (cpu, written) = (each(self.cpu, now.cpu), each(self.written, now.written));
        Ok(format!("{cpu:.0} us of CPU and {written:.1} KB written an event"))
    }
}

/// The memory that this process has now, in megabytes.
pub(crate) fn memory() -> Outcome<u64> {
    Ok(field("/proc/self/status", "VmRSS:")? / 1024)
}

fn field(file: &str, name: &str) -> Outcome<u64> {
    let text = fs::read_to_string(file)?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)).ok_or("a field is missing")?;
    Ok(line.split_whitespace().next().unwrap_or_default().parse()?)
}
