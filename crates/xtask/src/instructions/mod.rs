//! `cargo xtask instructions`: a call executes no more than was agreed, counted by valgrind's callgrind.
//!
//! In: the bench `instructions` of the client. Out: what a call takes of our channel beside tonic's, and of our server kit
//! beside tonic's. Bars are ratios within a run, so that another compiler or processor moves both sides of them.
//! **Invariant:** two runs of different length are subtracted, so that only calls count.

mod profile;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{fs, io};

use crate::repository::{NotStarted, cargo, root, succeeds};
use profile::Counted;

/// The calls of the shorter run; the longer one has twice as many.
const CALLS: u64 = 400;
/// How far instructions may be above what was agreed, in hundredths: less than a careless layer, more than what one
/// compiler or another makes of the same code.
const MARGIN: f64 = 5.0;

/// What was agreed about one way of making calls.
struct Bar {
    /// The way of the bench that is ours.
    ours: &'static str,
    /// The one that it is compared with.
    peer: &'static str,
    /// Its instructions, in those of the peer.
    times: f64,
    /// Its allocations for a call.
    allocations: f64,
}

/// What a call may cost. Whoever adds something that is worth its cost raises these in the same commit, and says why.
const BARS: [Bar; 2] = [
    Bar { ours: "channel", peer: "tonic-client", times: 0.925, allocations: 44.0 },
    Bar { ours: "kit", peer: "tonic-server", times: 1.275, allocations: 50.0 },
];

/// Nothing could be counted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InstructionsError {
    /// There is no valgrind.
    #[error(
        "run `valgrind`, which counts instructions; `.ci/run tools` installs it, as does `apt-get install valgrind`"
    )]
    NoValgrind(#[source] NotStarted),
    /// A program did not start.
    #[error(transparent)]
    NotStarted(#[from] NotStarted),
    /// The bench was not built.
    #[error("build the bench `instructions`, see above")]
    NotBuilt,
    /// A run ended badly.
    #[error("count `{way}`: it ended with an error:\n{said}")]
    Run { way: &'static str, said: String },
    /// A profile cannot be read.
    #[error("read the profile {}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    /// A profile without instructions of ours: its format is not what we read.
    #[error("find the bench's own instructions in the profile {}", .0.display())]
    Nothing(PathBuf),
}

/// Counts and compares; whether every bar is kept.
pub(crate) fn run() -> Result<bool, InstructionsError> {
    succeeds(Command::new("valgrind").arg("--version")).map_err(InstructionsError::NoValgrind)?;
    let bench = build()?;
    let mut kept = true;
    for bar in &BARS {
        let (ours, peer) = (per_call(&bench, bar.ours)?, per_call(&bench, bar.peer)?);
        kept &= holds(bar, ours, peer);
    }
    Ok(kept)
}

/// Builds the bench; where it is.
fn build() -> Result<PathBuf, InstructionsError> {
    let mut command = cargo("bench");
    command.args([
        "--package",
        "freehold-client",
        "--bench",
        "instructions",
        "--profile",
        "counted",
        "--no-run",
    ]);
    if !succeeds(&mut command)? {
        return Err(InstructionsError::NotBuilt);
    }
    let output = command.stderr(Stdio::piped()).output();
    let output = output.map_err(|source| NotStarted::new(&command, source))?;
    executable(&String::from_utf8_lossy(&output.stderr)).ok_or(InstructionsError::NotBuilt)
}

/// The program in "  Executable benches/instructions/main.rs (target/release/deps/instructions-0f)".
fn executable(said: &str) -> Option<PathBuf> {
    let line = said.lines().find_map(|line| line.trim_start().strip_prefix("Executable "))?;
    let (_, path) = line.trim_end().strip_suffix(')')?.rsplit_once('(')?;
    Some(root().join(path))
}

/// What one call of `way` comes to, per thousand calls.
fn per_call(bench: &Path, way: &'static str) -> Result<Average, InstructionsError> {
    let (short, long) = (counted(bench, way, CALLS)?, counted(bench, way, 2 * CALLS)?);
    Ok(Average::of(long - short))
}

/// What one call comes to.
#[derive(Debug, Clone, Copy)]
struct Average {
    instructions: f64,
    allocations: f64,
}

impl Average {
    fn of(counted: Counted) -> Self {
        // A count is far from where a float has gaps.
        let per_call = |count: u64| count as f64 / CALLS as f64;
        Self { instructions: per_call(counted.instructions), allocations: per_call(counted.allocations) }
    }
}

fn counted(bench: &Path, way: &'static str, calls: u64) -> Result<Counted, InstructionsError> {
    let folder = root().join("target/instructions");
    let profile = folder.join(format!("{way}.{calls}"));
    let unreadable = |source| InstructionsError::Unreadable { path: profile.clone(), source };
    fs::create_dir_all(&folder).map_err(unreadable)?;
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--compress-strings=no", "--compress-pos=no"]);
    command.arg(format!("--callgrind-out-file={}", profile.display()));
    command.arg(bench).arg(way).arg(calls.to_string());
    let output = command.output().map_err(|source| NotStarted::new(&command, source))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(InstructionsError::Run { way, said });
    }
    let counted =
        profile::count(&fs::read_to_string(&profile).map_err(unreadable)?, &bench.to_string_lossy());
    match counted.instructions {
        0 => Err(InstructionsError::Nothing(profile)),
        _ => Ok(counted),
    }
}

/// Says how a way compares; whether it keeps its bar.
fn holds(bar: &Bar, ours: Average, peer: Average) -> bool {
    let Bar { ours: name, peer: beside, times, allocations } = bar;
    let ratio = ours.instructions / peer.instructions;
    println!(
        "{name}: {:.0} instructions and {:.2} allocations a call; {beside}: {:.0} and {:.2}; {ratio:.3} times, agreed {times}",
        ours.instructions, ours.allocations, peer.instructions, peer.allocations
    );
    let (most, most_allocations) = (times * (1.0 + MARGIN / 100.0), allocations + 0.5);
    let keeps = ratio <= most && ours.allocations <= most_allocations;
    if !keeps {
        println!(
            "error: `{name}` takes {ratio:.3} times the instructions of {beside}, at most {most:.3}, and {:.2} allocations, \
             at most {most_allocations}.\n  \
             Where they went: callgrind_annotate target/instructions/{name}.{}\n  \
             If they are worth it, raise BARS in crates/xtask/src/instructions/mod.rs in the same commit and say why.",
            ours.allocations,
            2 * CALLS
        );
    } else if ratio < times * (1.0 - MARGIN / 100.0) {
        println!("note: `{name}` takes clearly less than was agreed; lower BARS to {ratio:.3}");
    }
    keeps
}

#[cfg(test)]
mod tests {
    use super::*;

    const BAR: Bar = Bar { ours: "channel", peer: "tonic-client", times: 1.2, allocations: 30.0 };

    fn average(instructions: f64, allocations: f64) -> Average {
        Average { instructions, allocations }
    }

    #[test]
    fn a_bar_is_broken_by_either_count_alone() {
        let peer = average(1000.0, 50.0);
        assert!(holds(&BAR, average(1200.0, 30.0), peer));
        assert!(holds(&BAR, average(1250.0, 30.4), peer), "within the margin");
        assert!(!holds(&BAR, average(1270.0, 30.0), peer), "too many instructions");
        assert!(!holds(&BAR, average(1000.0, 31.0), peer), "an allocation more");
    }

    #[test]
    fn the_program_is_where_cargo_says() {
        let said = "    Finished `bench` profile\n  Executable benches/instructions/main.rs (target/release/deps/instructions-0f)\n";
        assert_eq!(executable(said), Some(root().join("target/release/deps/instructions-0f")));
        assert_eq!(executable("error: no"), None);
    }
}
