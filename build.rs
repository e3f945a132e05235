//! Compiles `proto/` into one descriptor set, for the command to embed, and tells when the committed SDK is not what these
//! contracts say: a warning at a desk, a failure where `CI` is set.
//!
//! **Invariant:** nothing is written outside `OUT_DIR`; what brings the SDK up to date is `cargo run -p freehold-codegen`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs, io};

use freehold_contract::{Sources, load, render_text};

const CONTRACTS: &str = "proto";
/// The contracts that the SDK was generated from; the generator writes them beside it.
const GENERATED_FROM: &str = "sdk/src/generated/descriptors.bin";
const STALE: &str = "the SDK is not what proto/ says; run `cargo run -p freehold-codegen`";

fn main() -> ExitCode {
    for input in ["build.rs", CONTRACTS, GENERATED_FROM] {
        println!("cargo::rerun-if-changed={input}");
    }
    println!("cargo::rerun-if-env-changed=CI");
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            for line in problem.lines() {
                println!("cargo::error={line}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let mut texts = Vec::new();
    collect(Path::new(CONTRACTS), &mut texts)
        .map_err(|error| format!("failed to read {CONTRACTS}: {error}"))?;
    let sources: Sources = texts.into_iter().collect();
    let model = load(&sources).map_err(|findings| render_text(&findings, &sources))?;
    if fs::read(GENERATED_FROM).ok().as_deref() != Some(model.descriptors.as_slice()) {
        if env::var_os("CI").is_some() {
            return Err(STALE.to_owned());
        }
        println!("cargo::warning={STALE}");
    }
    let out = env::var_os("OUT_DIR").map(PathBuf::from).ok_or("failed to find OUT_DIR: cargo sets it")?;
    let embedded = out.join("contracts.bin");
    fs::write(&embedded, &model.descriptors)
        .map_err(|error| format!("failed to write {}: {error}", embedded.display()))
}

/// The texts of all .proto files below a folder, by the paths that imports have.
fn collect(folder: &Path, texts: &mut Vec<(String, String)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, texts)?;
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            let parts: Vec<_> = path.iter().skip(1).map(|part| part.to_string_lossy()).collect();
            texts.push((parts.join("/"), fs::read_to_string(&path)?));
        }
    }
    Ok(())
}
