//! A change of a file, as a page shows it: lines that stay, lines that go, lines that come.

/// A change.
pub(crate) struct Change {
    /// The file, from the root of the workspace.
    pub(crate) file: String,
    hunks: Vec<Hunk>,
}

/// Neighbouring lines: as they are, and as they become.
struct Hunk {
    old: String,
    new: String,
    by_hand: usize,
}

impl Change {
    /// Reads the lines of a block; a line `@@` is between two hunks.
    pub(crate) fn parse(file: &str, lines: &[&str]) -> Self {
        let hunks = lines.split(|line| *line == "@@").map(Hunk::parse);
        Self { file: file.to_owned(), hunks: hunks.collect() }
    }

    /// How many lines somebody types.
    pub(crate) fn lines_by_hand(&self) -> usize {
        self.hunks.iter().map(|hunk| hunk.by_hand).sum()
    }

    /// The file after the change. What is to be changed stands there exactly once, word for word.
    pub(crate) fn of(&self, text: &str) -> String {
        self.hunks.iter().fold(text.to_owned(), |text, hunk| {
            let found = text.matches(&hunk.old).count();
            assert_eq!(found, 1, "{} has these lines {found} times:\n{}", self.file, hunk.old);
            text.replace(&hunk.old, &hunk.new)
        })
    }
}

impl Hunk {
    fn parse(lines: &[&str]) -> Self {
        let mut hunk = Self { old: String::new(), new: String::new(), by_hand: 0 };
        for line in lines {
            let (sign, text) = line.split_at(line.len().min(1));
            let text = format!("{text}\n");
            match sign {
                "+" => hunk.by_hand += 1,
                "-" => hunk.old.push_str(&text),
                _ => {
                    hunk.old.push_str(&text);
                    hunk.new.push_str(&text);
                    continue;
                }
            }
            if sign == "+" {
                hunk.new.push_str(&text);
            }
        }
        hunk
    }
}

#[test]
fn a_change_keeps_removes_and_adds_lines() {
    let change = Change::parse("x", &[" a", "-b", "+c", "+", " d", "@@", " e", "+f"]);
    assert_eq!(change.of("0\na\nb\nd\n\ne\n"), "0\na\nc\n\nd\n\ne\nf\n");
    assert_eq!(change.lines_by_hand(), 3);
}

#[test]
#[should_panic(expected = "x has these lines 0 times")]
fn a_change_of_lines_that_are_not_there_is_found() {
    Change::parse("x", &[" a", "+b"]).of("c\n");
}

#[test]
#[should_panic(expected = "x has these lines 2 times")]
fn a_change_of_lines_that_are_there_twice_is_found() {
    Change::parse("x", &[" a", "+b"]).of("a\na\n");
}
