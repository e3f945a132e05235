//! `cargo xtask readme`: a page of ours is true when its commands print what it shows.
//!
//! Goes through the fenced blocks of a Markdown file in order. `$ cargo run` starts a mesh that the commands after it talk
//! to; other commands run and their output is compared; an excerpt must stand in the file that it names.

mod blocks;
mod commands;
mod expected;
mod mesh;
mod rewrite;

use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::repository::root;
use blocks::{Block, BlockError, Command, Content};
use commands::{CommandsError, Outcome};
use mesh::{Mesh, MeshError, Place};

/// What is not run although a page shows it, by how it begins, and why.
const NOT_RUN: [(&str, &str); 4] = [
    ("git clone ", "this checkout is the clone"),
    ("cd ", "the commands run in the root of the repository"),
    ("cargo run -p ", "a service alone stays until it is stopped; tests run each"),
    ("cargo xtask ", "a check of its own"),
];

/// A page could not be checked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadmeError {
    /// It cannot be read.
    #[error("read {}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    /// It has blocks that cannot be checked.
    #[error("check {}: {source}", path.display())]
    Block { path: PathBuf, source: BlockError },
    /// A mesh for its commands did not start.
    #[error(transparent)]
    Mesh(#[from] MeshError),
    /// Its commands could not be run.
    #[error(transparent)]
    Commands(#[from] CommandsError),
}

/// Checks the page `file`; whether all of it is true.
pub(crate) fn run(file: &Path) -> Result<bool, ReadmeError> {
    let path = root().join(file);
    let markdown = fs::read_to_string(&path).map_err(|source| ReadmeError::Unreadable { path, source })?;
    let refused = |source| ReadmeError::Block { path: file.to_owned(), source };
    let mut page = Page { file: file.to_owned(), mesh: None, place: Place::find()?, checked: 0, wrong: 0 };
    for block in blocks::blocks(&markdown).map_err(refused)? {
        page.check(&block)?;
    }
    println!("{}: {} checked, {} wrong", file.display(), page.checked, page.wrong);
    Ok(page.wrong == 0)
}

/// A page while it is checked. The mesh comes before its place, which is removed after it.
struct Page {
    file: PathBuf,
    mesh: Option<Mesh>,
    place: Place,
    checked: u32,
    wrong: u32,
}

impl Page {
    fn check(&mut self, block: &Block) -> Result<(), ReadmeError> {
        match &block.content {
            Content::Console(commands) => self.console(commands),
            Content::Excerpt { file, lines } => {
                self.excerpt(block.line, file, lines);
                Ok(())
            }
            Content::Text => Ok(()),
        }
    }

    fn console(&mut self, commands: &[Command]) -> Result<(), ReadmeError> {
        let mut together = Vec::new();
        for command in commands {
            if let Some((_, why)) = NOT_RUN.iter().find(|(start, _)| command.text.starts_with(start)) {
                self.say(command.line, "not run", &format!("{}: {why}", command.text));
            } else if rewrite::starts_a_mesh(&command.text) {
                self.run_together(&std::mem::take(&mut together))?;
                self.start_mesh(command)?;
            } else {
                together.push(command);
            }
        }
        self.run_together(&together)
    }

    fn start_mesh(&mut self, command: &Command) -> Result<(), ReadmeError> {
        // A second one takes over the ports and the data of the first.
        drop(self.mesh.take());
        let shown = self.shown(command);
        let mesh = self.mesh.insert(self.place.start(&rewrite::as_run(&command.text, &self.place))?);
        let printed = mesh.banner(&shown);
        self.compare(command, &Outcome { printed, status: Some(0) });
        Ok(())
    }

    fn run_together(&mut self, commands: &[&Command]) -> Result<(), ReadmeError> {
        if commands.is_empty() {
            return Ok(());
        }
        let texts: Vec<String> =
            commands.iter().map(|command| rewrite::as_run(&command.text, &self.place)).collect();
        for (command, outcome) in commands.iter().zip(commands::run(&self.place, &texts)?) {
            self.compare(command, &outcome);
        }
        Ok(())
    }

    /// A command with nothing below it must succeed; any other must print what stands there, errors too.
    fn compare(&mut self, command: &Command, outcome: &Outcome) {
        let shown = self.shown(command);
        let silent = shown.iter().all(|line| line.trim().is_empty());
        let right = match outcome.status {
            Some(0) if silent => true,
            Some(_) if !silent => expected::matches(&shown, &outcome.printed),
            _ => false,
        };
        self.verdict(command.line, &command.text, right);
        if !right {
            let status = outcome.status.map_or("did not end".to_owned(), |status| format!("status {status}"));
            println!(
                "  the page shows:\n{}\n  it printed ({status}):\n{}",
                quoted(&shown),
                quoted(&outcome.printed)
            );
        }
    }

    fn shown(&self, command: &Command) -> Vec<String> {
        command.expected.iter().map(|line| self.place.here(line)).collect()
    }

    fn excerpt(&mut self, line: usize, file: &Path, lines: &[String]) {
        let text = fs::read_to_string(root().join(file)).unwrap_or_default();
        let right = stands_in(lines, &text);
        self.verdict(line, &format!("stands in {}", file.display()), right);
    }

    fn verdict(&mut self, line: usize, what: &str, right: bool) {
        self.checked += 1;
        self.wrong += u32::from(!right);
        self.say(line, if right { "ok" } else { "WRONG" }, what);
    }

    fn say(&self, line: usize, verdict: &str, what: &str) {
        println!("{}:{line}: {verdict}: {}", self.file.display(), what.replace('\n', "\n    "));
    }
}

/// Whether `lines` stand in `text` one after the other, however deep they are indented there.
fn stands_in(lines: &[String], text: &str) -> bool {
    let excerpt: Vec<&str> = lines.iter().map(|line| line.trim()).collect();
    let text: Vec<&str> = text.lines().map(str::trim).collect();
    !excerpt.is_empty() && text.windows(excerpt.len()).any(|window| window == excerpt)
}

fn quoted(lines: &[String]) -> String {
    lines.iter().map(|line| format!("    | {line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_stands_in_its_file_word_for_word() {
        let text = "fn main() {\n    let a = 1;\n\n    let b = 2;\n}\n";
        let excerpt = |lines: &[&str]| lines.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert!(stands_in(&excerpt(&["let a = 1;", "", "let b = 2;"]), text));
        assert!(!stands_in(&excerpt(&["let a = 1;", "let b = 2;"]), text));
        assert!(!stands_in(&[], text));
    }
}
