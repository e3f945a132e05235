//! The fenced blocks of a Markdown file.
//!
//! Three kinds can be checked: `console` blocks are run, a block of another language names the file of the repository
//! that it stands in, and `text` shows what nobody runs. Any other block is refused: it could be wrong without notice.

use std::path::PathBuf;

/// A fenced block.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// The number of the line with the opening fence, from 1.
    pub(crate) line: usize,
    /// What it holds.
    pub(crate) content: Content,
}

/// What a block holds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// Commands, each with what it prints.
    Console(Vec<Command>),
    /// Lines that stand in a file of the repository: "rust tests/fixtures/user/src/main.rs" after the fence.
    Excerpt { file: PathBuf, lines: Vec<String> },
    /// For people only.
    Text,
}

/// A command and what it prints.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Command {
    /// The number of the line with the `$`.
    pub(crate) line: usize,
    /// The command; continuation lines are kept.
    pub(crate) text: String,
    /// What stands below it; nothing when its output does not matter.
    pub(crate) expected: Vec<String>,
}

/// A block that cannot be checked.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BlockError {
    /// No closing fence.
    #[error("line {0}: the block is never closed")]
    Open(usize),
    /// Neither console, nor text, nor an excerpt.
    #[error(
        "line {line}: nothing checks this `{language}` block: make it `console`, `text`, or name the file that it stands \
         in, as in ```{language} path/of/the/file"
    )]
    Unchecked { line: usize, language: String },
    /// Output before the first command.
    #[error("line {0}: a console block begins with a line `$ command`")]
    NoCommand(usize),
}

/// The blocks of `markdown`, in order.
pub(crate) fn blocks(markdown: &str) -> Result<Vec<Block>, BlockError> {
    let mut found = Vec::new();
    let mut lines = markdown.lines().zip(1..);
    while let Some((opening, line)) = lines.next() {
        let Some((fence, words)) = fence(opening) else { continue };
        let indentation = opening.len() - opening.trim_start().len();
        let mut content = Vec::new();
        loop {
            let (text, _) = lines.next().ok_or(BlockError::Open(line))?;
            if text.trim() == fence {
                break;
            }
            // A block in a list is indented as a whole.
            let own = text.char_indices().find(|(at, c)| *at >= indentation || !c.is_whitespace());
            content.push(own.map_or("", |(at, _)| &text[at..]).to_owned());
        }
        found.push(Block { line, content: meaning(words, line, content)? });
    }
    Ok(found)
}

/// The fence that a line opens, and the words after it.
fn fence(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    let length = line.bytes().take_while(|byte| *byte == b'`').count();
    (length >= 3).then(|| line.split_at(length))
}

fn meaning(words: &str, line: usize, lines: Vec<String>) -> Result<Content, BlockError> {
    let mut words = words.split_whitespace();
    let language = words.next().unwrap_or_default();
    match (language, words.next()) {
        ("console", _) => console(line, lines).map(Content::Console),
        ("text", _) => Ok(Content::Text),
        (_, Some(file)) => Ok(Content::Excerpt { file: file.into(), lines }),
        (_, None) => Err(BlockError::Unchecked { line, language: language.to_owned() }),
    }
}

fn console(fence: usize, lines: Vec<String>) -> Result<Vec<Command>, BlockError> {
    let mut commands: Vec<Command> = Vec::new();
    let mut continued = false;
    for (text, line) in lines.into_iter().zip(fence + 1..) {
        let continues = text.ends_with('\\');
        match (text.strip_prefix("$ "), commands.last_mut()) {
            (Some(command), _) if !continued => {
                commands.push(Command { line, text: command.to_owned(), expected: Vec::new() });
                continued = continues;
            }
            (_, Some(command)) if continued => {
                command.text.push('\n');
                command.text.push_str(&text);
                continued = continues;
            }
            (_, Some(command)) => command.expected.push(text),
            (_, None) if text.is_empty() => {}
            (_, None) => return Err(BlockError::NoCommand(line)),
        }
    }
    Ok(commands)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn console_of(markdown: &str) -> Vec<Command> {
        match blocks(markdown).unwrap().remove(0).content {
            Content::Console(commands) => commands,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_console_block_is_commands_with_what_they_print() {
        let commands = console_of("Try:\n```console\n$ echo a \\\n    b\na b\n\n$ true\n```\n");
        assert_eq!(commands.len(), 2);
        assert_eq!((commands[0].line, commands[0].text.as_str()), (3, "echo a \\\n    b"));
        assert_eq!(commands[0].expected, ["a b", ""]);
        assert_eq!((commands[1].line, commands[1].expected.len()), (7, 0));
    }

    #[test]
    fn a_block_in_a_list_loses_the_lists_indentation() {
        let commands = console_of("1. Run\n   ```console\n   $ cat x\n     two\n   ```\n");
        assert_eq!(commands[0].text, "cat x");
        assert_eq!(commands[0].expected, ["  two"]);
    }

    #[test]
    fn an_excerpt_names_its_file() {
        let found = blocks("```proto proto/a.proto\nmessage A {}\n```\n```text\nfree\n```\n").unwrap();
        let excerpt = Content::Excerpt { file: "proto/a.proto".into(), lines: vec!["message A {}".into()] };
        assert_eq!(found, [Block { line: 1, content: excerpt }, Block { line: 4, content: Content::Text }]);
    }

    #[test]
    fn a_block_that_nothing_checks_is_refused() {
        let unchecked = blocks("```rust\nlet a = 1;\n```").unwrap_err();
        assert_eq!(unchecked, BlockError::Unchecked { line: 1, language: "rust".into() });
        assert_eq!(blocks("```console\noutput\n```").unwrap_err(), BlockError::NoCommand(2));
        assert_eq!(blocks("a\n```console\n$ true").unwrap_err(), BlockError::Open(2));
    }
}
