//! The published checker, as a program: what it compiles, and what it finds.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The version that `.ci/run tools` installs; another may have other rules.
const VERSION: &str = "1.75.0";

pub(crate) struct Buf {
    program: PathBuf,
    folder: tempfile::TempDir,
}

/// What it finds: the file, empty where there is none, the line, and its own words.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) rule: String,
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) message: String,
}

impl Buf {
    /// The program on the PATH, or where `.ci/run` puts it; none where nobody installed it. CI does.
    pub(crate) fn find() -> Option<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/bin");
        let mut programs = std::env::split_paths(&path).chain([own]).map(|folder| folder.join("buf"));
        let Some(program) = programs.find(|program| program.is_file()) else {
            assert!(std::env::var_os("CI").is_none(), "CI compares: `.ci/run tools` installs buf {VERSION}");
            eprintln!("NOT COMPARED: there is no buf; `.ci/run tools` installs it");
            return None;
        };
        let buf = Self { program, folder: tempfile::tempdir().unwrap() };
        assert_eq!(buf.run(&["--version"]).0.trim(), VERSION, "`.ci/run tools` installs another one");
        Some(buf)
    }

    /// What it prints, and whether it succeeds.
    fn run(&self, arguments: &[&str]) -> (String, bool) {
        let output = Command::new(&self.program)
            .args(arguments)
            .current_dir(self.folder.path())
            .env("BUF_CACHE_DIR", self.folder.path().join("cache"))
            .output()
            .unwrap();
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        (String::from_utf8(output.stdout).unwrap(), output.status.success())
    }

    /// Compiles a tree under a name, with these options; answers its descriptors.
    pub(crate) fn build(&self, name: &str, files: &[(String, String)], options: &[&str]) -> Vec<u8> {
        let root = self.folder.path().join(name);
        for (path, text) in files {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let image = format!("{name}.binpb");
        let (said, succeeds) = self.run(&[&["build", name, "-o", &image], options].concat());
        assert!(succeeds, "{said}");
        fs::read(self.folder.path().join(image)).unwrap()
    }

    /// What it finds between two trees that it compiled.
    pub(crate) fn breaking(&self, previous: &str, current: &str, category: &str) -> Vec<Found> {
        let (current, previous) = (format!("{current}.binpb"), format!("{previous}.binpb"));
        let config = format!(r#"{{"version":"v2","breaking":{{"use":["{category}"]}}}}"#);
        let arguments = ["breaking", &current, "--against", &previous, "--error-format", "json"];
        let (said, _) = self.run(&[&arguments[..], &["--config", &config]].concat());
        said.lines().map(|line| found(&serde_json::from_str(line).unwrap())).collect()
    }

    /// The rules that it publishes: id and categories.
    pub(crate) fn rules(&self) -> Vec<(String, Vec<String>)> {
        let (said, _) = self.run(&["config", "ls-breaking-rules", "--version", "v2", "--format", "json"]);
        let rules = said.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        rules.map(|rule| (text(&rule["id"]), categories(&rule["categories"]))).collect()
    }
}

fn found(line: &Value) -> Found {
    Found {
        rule: text(&line["type"]),
        file: text(&line["path"]),
        line: usize::try_from(line["start_line"].as_u64().unwrap_or(1)).unwrap(),
        message: text(&line["message"]),
    }
}

fn categories(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().map(text).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
