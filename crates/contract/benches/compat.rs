//! A generated tree, before and after a change, through ours and through the published checker, one of each in turn:
//! time from the files to the findings, and the most memory that each takes.
//!
//! 1,000 files with 10 messages each, and smaller ones for the growth. Each run is a process of its own, so that memory is
//! its own. `cargo xtask bench compat`; docs/contracts.md has the bars. Without buf on the PATH only ours is measured.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use freehold_contract::compat::plain::compare;
use freehold_contract::compat::{Category, Contract};
use freehold_contract::schema::Schema;
use freehold_contract::{Finding, Sources};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// How many files, each with as many messages as the design says.
const SIZES: [usize; 3] = [250, 500, 1_000];
const MESSAGES: usize = 10;
const FIELDS: usize = 10;
const ROUNDS: usize = 3;
/// How often a process is asked for its peak of memory, which only grows.
const LOOK: Duration = Duration::from_millis(2);

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [mode, previous, current] = arguments.as_slice()
        && mode == "ours"
    {
        return ours(Path::new(previous), Path::new(current));
    }
    let folder = tempfile::tempdir()?;
    println!("files  messages            time            memory   (median of {ROUNDS})");
    for files in SIZES {
        let root = folder.path().join(files.to_string());
        for (side, changed) in [("previous", false), ("current", true)] {
            write_tree(&root.join(side), files, changed)?;
        }
        measure(&root, files)?;
    }
    println!();
    let root = folder.path().join(SIZES[SIZES.len() - 1].to_string());
    ours(&root.join("previous"), &root.join("current"))
}

/// Both programs over one tree, in turn.
fn measure(root: &Path, files: usize) -> Result<()> {
    let mut runs: [Vec<(Duration, u64)>; 2] = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        let mut own = Command::new(std::env::current_exe()?);
        own.args(["ours", "previous", "current"]).current_dir(root);
        runs[0].push(run(&mut own)?);
        if let Some(buf) = find_buf() {
            let mut buf = Command::new(buf);
            buf.args(["breaking", "current", "--against", "previous"]).current_dir(root);
            runs[1].push(run(&mut buf)?);
        }
    }
    for (name, mut runs) in ["ours", "buf"].into_iter().zip(runs) {
        runs.sort_unstable();
        if let Some((time, memory)) = runs.get(ROUNDS / 2) {
            let messages = files * MESSAGES;
            println!("{files:>5} {messages:>9}  {name:<5} {:>9.3} s {memory:>12} KiB", time.as_secs_f64());
        }
    }
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
fn ours(previous: &Path, current: &Path) -> Result<()> {
    let begin = Instant::now();
    let sources = [read_tree(previous)?, read_tree(current)?];
    let read = begin.elapsed();
    let [previous, current] = std::thread::scope(|scope| {
        sources.map(|sources| scope.spawn(|| schema(sources))).map(std::thread::ScopedJoinHandle::join)
    });
    let (previous, compile, decode) = previous.map_err(|_| "a thread panicked")??;
    let (current, ..) = current.map_err(|_| "a thread panicked")??;
    let decoded = begin.elapsed();
    let findings: Vec<Finding> = compare(&previous, &current, Category::File, "previous");
    let compared = begin.elapsed();
    println!(
        "ours, step by step: read {read:.0?}, compile {compile:.0?}, decode {decode:.0?}, compare {:.0?}; {} findings",
        compared - decoded,
        findings.len()
    );
    Ok(())
}

/// What the sources declare, and what it takes to compile them and to read the descriptors.
fn schema(sources: Sources) -> std::result::Result<(Schema, Duration, Duration), String> {
    let begin = Instant::now();
    let contract = Contract::compile(sources);
    let contract = contract.map_err(|(findings, _)| format!("does not compile: {findings:?}"))?;
    let compiled = begin.elapsed();
    let schema = Schema::decode_with(&contract.model.descriptors, &contract.sources);
    let schema = schema.map_err(|error| error.to_string())?;
    Ok((schema, compiled, begin.elapsed() - compiled))
}

fn read_tree(root: &Path) -> Result<Sources> {
    let mut files = Vec::new();
    for folder in fs::read_dir(root)? {
        let folder = folder?.path();
        if !folder.is_dir() {
            continue;
        }
        for file in fs::read_dir(folder)? {
            let path = file?.path();
            let name = path.strip_prefix(root)?.to_string_lossy().into_owned();
            files.push((name, fs::read_to_string(&path)?));
        }
    }
    Ok(files.into_iter().collect())
}

/// Ten files to a package; each imports one, and ten import the same. In the changed tree every hundredth message loses a
/// field.
fn write_tree(root: &Path, files: usize, changed: bool) -> Result<()> {
    for file in 0..files {
        let folder = root.join(format!("p{}", file / 10));
        fs::create_dir_all(&folder)?;
        let mut text = format!("syntax = \"proto3\";\npackage p{}.v1;\n", file / 10);
        let before = (file > 0).then_some(file / 10);
        if let Some(before) = before {
            text.push_str(&format!("import \"p{}/f{before}.proto\";\n", before / 10));
        }
        for message in 0..MESSAGES {
            write_message(&mut text, file, message, before, changed);
        }
        text.push_str(&format!("enum E{file} {{\n  E{file}_ZERO = 0;\n  E{file}_ONE = 1;\n}}\n"));
        text.push_str(&format!(
            "// What this file serves.\nservice S{file} {{\n  // One of them.\n  rpc Get(M{file}x0) returns (M{file}x1);\n}}\n"
        ));
        fs::write(folder.join(format!("f{file}.proto")), text)?;
    }
    fs::write(root.join("buf.yaml"), "version: v2\nbreaking:\n  use:\n    - FILE\n")?;
    Ok(())
}

fn write_message(text: &mut String, file: usize, message: usize, before: Option<usize>, changed: bool) {
    const TYPES: [&str; 5] = ["string", "int64", "bool", "repeated string", "map<string, int32>"];
    text.push_str(&format!("// A thing that is called {message}.\nmessage M{file}x{message} {{\n"));
    for field in 1..FIELDS {
        if changed && field == 5 && (file * MESSAGES + message).is_multiple_of(100) {
            continue;
        }
        let kind = TYPES[field % TYPES.len()];
        text.push_str(&format!("  // What it is for.\n  {kind} field_{field} = {field};\n"));
    }
    match before {
        Some(before) => {
            text.push_str(&format!("  p{}.v1.M{before}x{message} before = {FIELDS};\n}}\n", before / 10));
        }
        None => text.push_str(&format!("  E{file} kind = {FIELDS};\n}}\n")),
    }
}
