//! A generated tree, before and after a change, through ours and through the published checker, one of each in turn:
//! time from the files to the findings, and the most memory that each takes.
//!
//! 1,000 files with 10 messages each, owners, entities and needs, and smaller ones for the growth. Three questions: what
//! breaks in category FILE, whom the change breaks in the mesh, and whether the tree stands by the rules. Each run is a
//! process of its own, so that memory is its own. `cargo xtask bench compat`; docs/contracts.md has the bars. Without buf on
//! the PATH only ours is measured.

#[path = "compat/tree.rs"]
mod tree;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use freehold_contract::compat::plain::compare;
use freehold_contract::compat::{Baseline, Category, Contract, Life, mesh};
use freehold_contract::schema::Schema;
use freehold_contract::{Sources, check};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// How many files, each with as many messages as the design says.
const SIZES: [usize; 3] = [100, 300, 1_000];
const ROUNDS: usize = 3;
/// How often a process is asked for its peak of memory, which only grows.
const LOOK: Duration = Duration::from_millis(2);

/// What is asked of ours, and of buf the nearest to it.
const QUESTIONS: [(&str, &[&str]); 3] = [
    ("file", &["breaking", "current", "--against", "previous"]),
    ("mesh", &["breaking", "current", "--against", "previous"]),
    ("check", &["lint", "current"]),
];

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [mode, question] = arguments.as_slice()
        && mode == "ours"
    {
        return ours(question);
    }
    let folder = tempfile::tempdir()?;
    println!("question  files  messages            time            memory   (median of {ROUNDS})");
    for files in SIZES {
        let root = folder.path().join(files.to_string());
        for (side, changed) in [("previous", false), ("current", true)] {
            tree::write(&root.join(side), files, changed)?;
        }
        for (question, buf) in QUESTIONS {
            measure(&root, files, question, buf)?;
        }
    }
    Ok(())
}

/// Both programs over one tree, in turn.
fn measure(root: &Path, files: usize, question: &str, theirs: &[&str]) -> Result<()> {
    let mut runs: [Vec<(Duration, u64)>; 2] = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        let mut own = Command::new(std::env::current_exe()?);
        own.args(["ours", question]).current_dir(root);
        runs[0].push(run(&mut own)?);
        if let Some(buf) = find_buf() {
            runs[1].push(run(Command::new(buf).args(theirs).current_dir(root))?);
        }
    }
    let messages = files * tree::MESSAGES;
    for (name, mut runs) in ["ours", "buf"].into_iter().zip(runs) {
        runs.sort_unstable();
        if let Some((time, memory)) = runs.get(ROUNDS / 2) {
            let time = time.as_secs_f64();
            println!("{question:<8} {files:>6} {messages:>9}  {name:<5} {time:>9.3} s {memory:>12} KiB");
        }
    }
    let said = Command::new(std::env::current_exe()?).args(["ours", question]).current_dir(root).output()?;
    print!("{}", String::from_utf8_lossy(&said.stdout));
    Ok(())
}

/// The published checker, where `.ci/run tools` puts it or on the PATH.
fn find_buf() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/bin");
    std::env::split_paths(&path)
        .chain([own])
        .map(|folder| folder.join("buf"))
        .find(|program| program.is_file())
}

/// How long a process takes, and its peak of memory in KiB.
fn run(command: &mut Command) -> Result<(Duration, u64)> {
    let begin = Instant::now();
    let mut child = command.stdout(Stdio::null()).spawn()?;
    let mut peak = 0;
    while child.try_wait()?.is_none() {
        peak = peak.max(peak_memory(child.id()).unwrap_or_default());
        std::thread::sleep(LOOK);
    }
    Ok((begin.elapsed(), peak))
}

fn peak_memory(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

/// From the files to the findings, as the command does it, with what each step takes.
fn ours(question: &str) -> Result<()> {
    let begin = Instant::now();
    let sources = read_tree(Path::new("current"))?;
    let found = match question {
        "check" => {
            let contract = compile(sources)?;
            check(&contract.model, &contract.sources).len()
        }
        _ => {
            let sources = [read_tree(Path::new("previous"))?, sources];
            let read = begin.elapsed();
            let (found, compiled) = match question {
                "mesh" => asked_of_the_mesh(sources, begin)?,
                _ => asked_of_a_category(sources, begin)?,
            };
            println!(
                "  read after {read:.0?}, compiled after {compiled:.0?}, done after {:.0?}",
                begin.elapsed()
            );
            found
        }
    };
    println!("  {found} findings");
    Ok(())
}

/// How many findings, and when the states had been compiled.
fn asked_of_the_mesh(sources: [Sources; 2], begin: Instant) -> Result<(usize, Duration)> {
    let [previous, current] = both(sources, compile)?;
    let compiled = begin.elapsed();
    let baseline = Baseline { name: "previous".to_owned(), contract: previous, life: Life::Live };
    Ok((mesh(&[baseline], &current).findings.len(), compiled))
}

fn asked_of_a_category(sources: [Sources; 2], begin: Instant) -> Result<(usize, Duration)> {
    let schema = |sources| {
        let contract = compile(sources)?;
        let schema = Schema::decode_with(&contract.model.descriptors, &contract.sources);
        schema.map_err(|error| error.to_string())
    };
    let [previous, current] = both(sources, schema)?;
    let compiled = begin.elapsed();
    Ok((compare(&previous, &current, Category::File, "previous").len(), compiled))
}

fn compile(sources: Sources) -> std::result::Result<Contract, String> {
    Contract::compile(sources).map_err(|(findings, _)| format!("does not compile: {findings:?}"))
}

/// The two states at a time, as the command does it.
fn both<T: Send>(
    sources: [Sources; 2],
    make: impl Fn(Sources) -> std::result::Result<T, String> + Sync,
) -> Result<[T; 2]> {
    let make = &make;
    let [previous, current] = std::thread::scope(|scope| {
        sources.map(|sources| scope.spawn(move || make(sources))).map(std::thread::ScopedJoinHandle::join)
    });
    let panicked = |_| "a thread panicked";
    Ok([previous.map_err(panicked)??, current.map_err(panicked)??])
}

fn read_tree(root: &Path) -> Result<Sources> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "proto") {
                let name = path.strip_prefix(root)?.to_string_lossy().into_owned();
                files.push((name, fs::read_to_string(&path)?));
            }
        }
    }
    Ok(files.into_iter().collect())
}
