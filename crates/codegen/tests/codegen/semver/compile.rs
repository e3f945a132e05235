//! What rustc says of programs against two SDKs: one crate per SDK, and one with all programs for each of them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use freehold_codegen::{Layout, generate};
use serde_json::Value;
use tempfile::TempDir;

use super::sample::Sample;
use crate::fixtures::target;
use crate::support::{everything, model, root};

/// With the profile of the workspace, so that both share what they compile.
const MANIFEST: &str = r#"
[workspace]
members = ["*-sdk", "*-user"]
resolver = "3"

[profile.dev]
debug = "line-tables-only"

[profile.dev.build-override]
debug = "line-tables-only"
"#;

/// Crates outside the workspace, in a folder that is gone afterwards.
pub(crate) struct Workspace<'a> {
    folder: TempDir,
    samples: &'a [Sample],
}

impl<'a> Workspace<'a> {
    /// The SDKs of all samples together, before and after.
    pub(crate) fn new(samples: &'a [Sample]) -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        write(&folder.path().join("Cargo.toml"), MANIFEST.as_bytes());
        fs::copy(root().join("Cargo.lock"), folder.path().join("Cargo.lock")).unwrap();
        for (index, state) in ["before", "after"].into_iter().enumerate() {
            let texts = samples.iter().flat_map(|sample| sample.texts[index].1.clone());
            sdk(&folder.path().join(format!("{state}-sdk")), state, texts);
            user(&folder.path().join(format!("{state}-user")), state, samples);
        }
        Self { folder, samples }
    }

    /// The programs that do not compile against the SDK of a state: "sample::program".
    ///
    /// A name that is not found may hide what a later phase of the compiler would say: what is refused is taken out, until
    /// the rest compiles.
    pub(crate) fn refused(&self, state: &str) -> BTreeSet<String> {
        let mut refused = BTreeSet::new();
        loop {
            let more = self.check(state, &refused);
            if more.is_empty() {
                return refused;
            }
            assert!(more.is_disjoint(&refused), "{more:?} is refused although it is not there");
            refused.extend(more);
        }
    }

    fn check(&self, state: &str, without: &BTreeSet<String>) -> BTreeSet<String> {
        let folder = self.folder.path().join(format!("{state}-user"));
        programs(&folder, self.samples, without);
        let mut command = Command::new(env!("CARGO"));
        command.args(["check", "--quiet", "--offline", "--message-format=json"]).current_dir(&folder);
        let output = command.env("CARGO_TARGET_DIR", target()).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let messages = said.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let errors = messages.filter(|message| message["message"]["level"] == "error");
        let refused: BTreeSet<String> = errors.filter_map(|error| program(&error)).collect();
        let why = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.success(), refused.is_empty(), "{state}: {why}\n{said}");
        refused
    }
}

/// The program that an error is in, by its file; none for the count of errors at the end.
fn program(error: &Value) -> Option<String> {
    let spans = error["message"]["spans"].as_array()?;
    let file = spans.iter().find(|span| span["is_primary"] == true)?["file_name"].as_str()?;
    let path = file.split_once("src/").map(|(_, path)| path).filter(|_| file.contains("-user/"));
    let path = path.unwrap_or_else(|| panic!("an error that is in no program: {error}"));
    Some(path.trim_end_matches(".rs").replace('/', "::"))
}

fn sdk(folder: &Path, state: &str, texts: impl Iterator<Item = (String, String)>) {
    let crates = root().join("crates");
    let manifest = fs::read_to_string(everything().join("sdk/Cargo.toml")).unwrap();
    let manifest = manifest.replace("../../../../crates", &crates.display().to_string());
    let manifest = manifest.replace("[lints]\nworkspace = true", "[lib]\nname = \"freehold_sdk\"");
    let manifest = manifest.replace("\"freehold-sdk\"", &format!("\"{state}-sdk\""));
    write(&folder.join("Cargo.toml"), manifest.as_bytes());
    write(&folder.join("src/lib.rs"), &fs::read(everything().join("sdk/src/lib.rs")).unwrap());
    let layout = Layout { sdk: Some("src/generated".to_owned()), ..Layout::default() };
    for file in generate(&model(texts), &layout).unwrap() {
        write(&folder.join(file.path), &file.contents);
    }
}

fn user(folder: &Path, state: &str, samples: &[Sample]) {
    let manifest = format!(
        "[package]\nname = \"{state}-user\"\nedition = \"2024\"\n\n[dependencies]\n\
         freehold-sdk = {{ package = \"{state}-sdk\", path = \"../{state}-sdk\", features = [\"server\"] }}\n"
    );
    write(&folder.join("Cargo.toml"), manifest.as_bytes());
    programs(folder, samples, &BTreeSet::new());
}

/// A file for each program, empty where it is taken out.
fn programs(folder: &Path, samples: &[Sample], without: &BTreeSet<String>) {
    let mut modules = "#![allow(dead_code, unreachable_patterns)]\n".to_owned();
    for sample in samples {
        modules += &format!("pub mod {} {{\n", sample.name);
        for program in &sample.programs {
            let name = format!("{}::{}", sample.name, program.name);
            modules += &format!("    pub mod {};\n", program.name);
            let text = if without.contains(&name) { "" } else { program.text.as_str() };
            write(&folder.join(format!("src/{}.rs", name.replace("::", "/"))), text.as_bytes());
        }
        modules += "}\n";
    }
    write(&folder.join("src/lib.rs"), modules.as_bytes());
}

fn write(path: &Path, contents: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, contents).unwrap();
}
