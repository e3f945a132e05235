//! A page that is walked: numbered steps, each with a promise, and in it commands to run and changes to make.

use crate::change::Change;

/// A page.
pub(crate) struct Page {
    pub(crate) steps: Vec<Step>,
}

/// A step: "## 1. Begin", its first paragraph, and its blocks.
pub(crate) struct Step {
    pub(crate) title: String,
    promise: String,
    pub(crate) blocks: Vec<Block>,
}

/// What is to be done.
pub(crate) enum Block {
    /// Commands, each with what it prints.
    Console(Vec<Command>),
    /// A change of a file.
    Diff(Change),
}

/// A command, and what it prints; nothing where that does not matter.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Command {
    pub(crate) text: String,
    pub(crate) prints: Vec<String>,
}

impl Page {
    /// Reads the page; what stands before its first step is for people alone.
    pub(crate) fn parse(markdown: &str) -> Self {
        let steps = markdown.split("\n## ").skip(1);
        Self { steps: steps.map(Step::parse).collect() }
    }

    /// The changes of all steps.
    pub(crate) fn changes(&self) -> impl Iterator<Item = &Change> {
        self.steps.iter().flat_map(|step| &step.blocks).filter_map(|block| match block {
            Block::Diff(change) => Some(change),
            Block::Console(_) => None,
        })
    }

    /// The steps as a list has them.
    pub(crate) fn promises(&self) -> Vec<String> {
        self.steps
            .iter()
            .map(|step| {
                let (number, title) = step.title.split_once(". ").unwrap();
                format!("{number}. **{title}.** {}", step.promise)
            })
            .collect()
    }
}

impl Step {
    fn parse(text: &str) -> Self {
        let (title, rest) = text.split_once("\n\n").unwrap();
        let promise = rest.split("\n\n").next().unwrap_or_default();
        Self { title: title.to_owned(), promise: one_line(promise), blocks: blocks(rest) }
    }
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(words) = line.strip_prefix("```") else { continue };
        let inside: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        blocks.push(match words.split_once(' ') {
            None if words == "console" => Block::Console(commands(&inside)),
            Some(("diff", file)) => Block::Diff(Change::parse(file, &inside)),
            _ => panic!("`{words}` is no block that can be walked"),
        });
    }
    blocks
}

fn commands(lines: &[&str]) -> Vec<Command> {
    let mut commands: Vec<Command> = Vec::new();
    for line in lines {
        match (line.strip_prefix("$ "), commands.last_mut()) {
            (Some(text), _) => commands.push(Command { text: text.to_owned(), prints: Vec::new() }),
            (None, Some(command)) => command.prints.push((*line).to_owned()),
            (None, None) => panic!("`{line}` is printed by no command"),
        }
    }
    commands
}

impl Command {
    /// Whether `printed` is what the page shows; a line `...` stands for any lines.
    pub(crate) fn is_shown(&self, printed: &str) -> bool {
        let printed: Vec<&str> = printed.lines().collect();
        let shown: Vec<&str> = self.prints.iter().map(String::as_str).collect();
        matches(&shown, &printed)
    }
}

fn matches(shown: &[&str], printed: &[&str]) -> bool {
    match shown {
        [] => printed.is_empty(),
        ["...", shown @ ..] => (0..=printed.len()).any(|skipped| matches(shown, &printed[skipped..])),
        [line, shown @ ..] => printed.first() == Some(line) && matches(shown, &printed[1..]),
    }
}

/// The numbered items below a heading, a line each.
pub(crate) fn items(markdown: &str, heading: &str) -> Vec<String> {
    let (_, below) = markdown.split_once(&format!("\n{heading}\n\n")).unwrap();
    let list = below.split("\n\n").next().unwrap_or_default();
    let mut items: Vec<String> = Vec::new();
    for line in list.lines() {
        match (line.strip_prefix("   "), items.last_mut()) {
            (Some(rest), Some(item)) => *item = format!("{item} {rest}"),
            _ => items.push(line.to_owned()),
        }
    }
    items
}

fn one_line(paragraph: &str) -> String {
    paragraph.lines().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_page_is_steps_of_commands_and_changes() {
    let page = Page::parse(
        "# A page\n\n## 1. Begin\n\nIt is\nbegun.\n\n```console\n$ a\nb\n...\n$ c\n```\n\nMore.\n\n```diff x.rs\n+d\n```\n",
    );
    assert_eq!(page.promises(), ["1. **Begin.** It is begun."]);
    let Block::Console(commands) = &page.steps[0].blocks[0] else { panic!("console first") };
    assert_eq!(commands[1], Command { text: "c".to_owned(), prints: Vec::new() });
    assert!(commands[0].is_shown("b\nand\nmore\n") && commands[0].is_shown("b\n"));
    assert!(!commands[0].is_shown("and\nb\n"));
    assert_eq!(page.changes().count(), 1);
    assert_eq!(items("\n## S\n\n1. A\n   b.\n2. C.\n\nD\n", "## S"), ["1. A b.", "2. C."]);
}
