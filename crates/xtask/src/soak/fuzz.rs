//! `soak fuzz`: the fuzz targets of the crates, guided by the code that inputs reach, on the stable toolchain.
//!
//! The targets are tests that use bolero. Here they are built with LLVM's coverage and libFuzzer, whose sources bolero
//! brings; that wants a C++ compiler. Where there is none the same targets run with random inputs, which is said.
//! Inputs that reached something new stay in target/soak, what failed lies there as `crash-...`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::{Log, SoakError, make_folder};
use crate::repository::{self, NotStarted, cargo};

/// A test of a crate's `tests/fuzz`.
struct Target {
    package: &'static str,
    name: &'static str,
    /// The folders whose files it begins with.
    seeds: &'static [&'static str],
}

/// The crates that have targets.
const PACKAGES: [&str; 2] = ["freehold-contract", "freehold-wire"];

const TARGETS: [Target; 7] = [
    of_contract("texts", &["proto", "tests/compat/protobuf"]),
    of_contract("descriptors", &["contracts/released", "crates/contract/tests/mesh/editions"]),
    of_contract("changes", &[]),
    of_wire("metadata_of_a_call"),
    of_wire("grpc_timeout"),
    of_wire("pushback"),
    of_wire("trace_context"),
];

const fn of_contract(name: &'static str, seeds: &'static [&'static str]) -> Target {
    Target { package: PACKAGES[0], name, seeds }
}

const fn of_wire(name: &'static str) -> Target {
    Target { package: PACKAGES[1], name, seeds: &[] }
}

/// LLVM's pass and what libFuzzer reads of it: <https://clang.llvm.org/docs/SanitizerCoverage.html>.
const FLAGS: [&str; 9] = [
    "--cfg",
    "fuzzing",
    "--cfg",
    "fuzzing_libfuzzer",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

/// The longest that one input may take, in seconds: what takes longer hangs.
const HANG: u32 = 20;

/// The longest input, in bytes.
const LONGEST: usize = 1 << 16;

/// Runs every target for `time`.
pub(super) fn run(log: &mut Log, time: Duration) -> Result<(), SoakError> {
    let guided = has_cpp_compiler();
    if !guided {
        log.not_run("fuzz, guided by coverage", "there is no C++ compiler; random inputs instead");
    }
    if guided && !log.command("build the fuzz targets", test_guided(&PACKAGES)?.arg("--no-run"))? {
        return Ok(());
    }
    for target in &TARGETS {
        if guided {
            run_guided(log, target, time)?;
        } else {
            log.command(&format!("fuzz {}, random inputs", target.name), &mut random(target, time))?;
        }
    }
    Ok(())
}

fn has_cpp_compiler() -> bool {
    let compiler = std::env::var_os("CXX").unwrap_or_else(|| "c++".into());
    Command::new(compiler).arg("--version").output().is_ok_and(|output| output.status.success())
}

/// One target: run to its end with what it says in a file, and counted.
fn run_guided(log: &mut Log, target: &Target, time: Duration) -> Result<(), SoakError> {
    let Target { package, name, seeds } = target;
    let folder = repository::root().join("target/soak/fuzz").join(name);
    let corpus = folder.join("corpus");
    make_folder(&corpus)?;
    let said = folder.join("log");
    let failed = |error| SoakError::Io(said.display().to_string(), error);
    let output = fs::File::create(&said).map_err(failed)?;
    let mut command = test_guided(&[package])?;
    command
        .args(["--", "--exact", name, "--nocapture"])
        .env("BOLERO_LIBFUZZER_ARGS", arguments(&folder, seeds, time));
    command.stderr(output.try_clone().map_err(failed)?).stdout(output);
    log.command(&format!("fuzz {name}, guided by coverage"), &mut command)?;
    let said_text = fs::read_to_string(&said).unwrap_or_default();
    match executed(&said_text) {
        Some(count) => log.add(&format!(", {count} inputs")),
        None => log.add(&format!(", see {}", said.display())),
    }
    Ok(())
}

/// For libFuzzer, which writes to the first folder: <https://llvm.org/docs/LibFuzzer.html#options>.
fn arguments(folder: &Path, seeds: &[&str], time: Duration) -> String {
    let seeds = seeds.iter().map(|seed| repository::root().join(seed));
    let folders: Vec<String> =
        [folder.join("corpus")].into_iter().chain(seeds).map(|folder| folder.display().to_string()).collect();
    format!(
        "{} -artifact_prefix={}/ -max_total_time={} -timeout={HANG} -max_len={LONGEST} -len_control=0 -print_final_stats=1",
        folders.join(" "),
        folder.display(),
        time.as_secs()
    )
}

/// How many inputs the target took, as libFuzzer says at its end.
fn executed(said: &str) -> Option<u64> {
    let line = said.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"))?;
    line.trim().parse().ok()
}

/// Cargo for the targets, with coverage. Naming the platform keeps the flags off build scripts and macros.
fn test_guided(packages: &[&str]) -> Result<Command, SoakError> {
    let mut command = cargo("test");
    command.args(["--profile", "fuzz", "--test", "fuzz"]);
    for package in packages {
        command.args(["--package", package]);
    }
    command.args(["--target", &platform()?]).arg("--target-dir").arg(target_folder());
    command.env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\u{1f}")).env("BOLERO_FUZZER", "libfuzzer");
    Ok(command)
}

fn target_folder() -> PathBuf {
    repository::root().join("target/soak/build")
}

/// What rustc calls this machine: "x86_64-unknown-linux-gnu".
fn platform() -> Result<String, NotStarted> {
    let mut rustc = Command::new("rustc");
    let output = rustc.arg("-vV").output().map_err(|source| NotStarted::new(&rustc, source))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.unwrap_or_default().to_owned())
}

/// Cargo for one target with random inputs, for as long as `time`.
fn random(target: &Target, time: Duration) -> Command {
    let mut command = cargo("test");
    command.args(["--profile", "fuzz", "--package", target.package, "--test", "fuzz"]);
    command.args(["--", "--exact", target.name]);
    command.env("BOLERO_RANDOM_TEST_TIME_MS", time.as_millis().to_string());
    command.env("BOLERO_RANDOM_ITERATIONS", usize::MAX.to_string());
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_of_inputs_is_read_from_what_the_fuzzer_says() {
        let said = "#12\tDONE\nstat::number_of_executed_units: 4211\nstat::new_units_added: 3\n";
        assert_eq!(executed(said), Some(4211));
        assert_eq!(executed("==1== ERROR: libFuzzer: deadly signal"), None);
    }
}
