//! One text of DDL for two engines: the words of a migration, turned into those of SQLite or PostgreSQL.
//!
//! Migrations are written with BIGINT, TEXT, BLOB, BOOLEAN, DOUBLE PRECISION, `BIGINT PRIMARY KEY AUTOINCREMENT` and
//! STRICT tables. Literals, quoted names and comments pass untouched. Pure.

use crate::engine::Engine;

/// A migration's text in the engine's words.
pub(crate) fn translate(sql: &str, engine: Engine) -> String {
    let mut out = String::with_capacity(sql.len());
    let mut rest = sql;
    while !rest.is_empty() {
        let (token, tail) = rest.split_at(token_length(rest));
        if token.starts_with(|first: char| first.is_ascii_alphabetic()) {
            let (phrase, length) = translate_word(token, tail, &out, engine);
            out.push_str(phrase);
            rest = &tail[length..];
        } else {
            out.push_str(token);
            rest = tail;
        }
    }
    out
}

/// Whether the text uses the word, outside of literals, quoted names and comments.
pub(crate) fn mentions(sql: &str, word: &str) -> bool {
    after(sql, word).is_some()
}

/// Whether the text holds more than one statement.
pub(crate) fn is_many(sql: &str) -> bool {
    let mut behind = tokens(sql).skip_while(|token| *token != ";");
    behind.any(|token| token != ";" && !is_blank(token))
}

/// How many values a statement wants: the highest of its `$1`, `$2`, ..
pub(crate) fn wants(sql: &str) -> usize {
    tokens(sql).filter_map(ordinal).max().unwrap_or(0)
}

/// An INSERT of one row, taken apart: what comes before the row, the row, and what comes behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tuple<'a> {
    head: &'a str,
    row: &'a str,
    tail: &'a str,
    /// How many values a row has.
    pub(crate) values: usize,
}

impl Tuple<'_> {
    /// The same statement for so many rows.
    pub(crate) fn wide(&self, rows: usize) -> String {
        let mut sql = self.head.to_owned();
        for row in 0..rows {
            sql.push_str(if row == 0 { "" } else { ", " });
            push_shifted(&mut sql, self.row, row * self.values);
        }
        sql + self.tail
    }
}

/// The row of a statement that inserts one, and says and does for each of many what it does for one: it answers nothing
/// and changes no row that is there.
pub(crate) fn tuple(sql: &str) -> Option<Tuple<'_>> {
    const LOOKS_AT_OTHERS: [&str; 4] = ["SELECT", "UPDATE", "RETURNING", "WITH"];
    let is_alike = !is_many(sql) && !LOOKS_AT_OTHERS.iter().any(|word| mentions(sql, word));
    let head = sql.len() - after(sql, "VALUES").filter(|_| is_alike)?.len();
    follows(sql, &["INSERT", "INTO"])?;
    let begins = head + sql[head..].len() - sql[head..].trim_start().len();
    let ends = begins + group_length(&sql[begins..])?;
    let (head, row, tail) = (&sql[..begins], &sql[begins..ends], &sql[ends..]);
    let is_whole =
        wants(head) + wants(tail) == 0 && (is_blank(tail) || follows(tail, &["ON", "CONFLICT"]).is_some());
    is_whole.then(|| Tuple { head, row, tail, values: wants(row) })
}

/// What follows the first such word.
fn after<'a>(sql: &'a str, word: &str) -> Option<&'a str> {
    let mut length = 0;
    let mut before = tokens(sql).inspect(|token| length += token.len());
    before.any(|token| token.eq_ignore_ascii_case(word)).then(|| &sql[length..])
}

/// The length of the parentheses that a text begins with.
fn group_length(text: &str) -> Option<usize> {
    let (mut length, mut depth) = (0, 0_usize);
    for token in tokens(text) {
        length += token.len();
        match token {
            "(" => depth += 1,
            ")" => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return (token == ")").then_some(length);
        }
    }
    None
}

/// Adds a text whose `$1`, `$2`, .. are so much higher.
fn push_shifted(sql: &mut String, text: &str, by: usize) {
    for token in tokens(text) {
        match ordinal(token) {
            Some(ordinal) => sql.push_str(&format!("${}", ordinal + by)),
            None => sql.push_str(token),
        }
    }
}

/// The number of a `$1`, `$2`, ..
fn ordinal(token: &str) -> Option<usize> {
    token.strip_prefix('$')?.parse().ok()
}

/// The first word that begins a statement which no unit may run: it controls transactions or changes settings.
pub(crate) fn control_word(sql: &str) -> Option<&str> {
    const CONTROL: [&str; 17] = [
        "ABORT",
        "BEGIN",
        "COMMIT",
        "DEALLOCATE",
        "DISCARD",
        "END",
        "EXECUTE",
        "LISTEN",
        "NOTIFY",
        "PREPARE",
        "RELEASE",
        "RESET",
        "ROLLBACK",
        "SAVEPOINT",
        "SET",
        "START",
        "UNLISTEN",
    ];
    let mut at_start = true;
    tokens(sql).find(|token| {
        let begins = at_start;
        at_start = *token == ";" || (begins && is_blank(token));
        begins && CONTROL.iter().any(|word| token.eq_ignore_ascii_case(word))
    })
}

/// What stands in place of a word, and how many bytes of what follows belong to it.
fn translate_word<'a>(word: &'a str, tail: &str, before: &str, engine: Engine) -> (&'a str, usize) {
    let is = |text: &str| word.eq_ignore_ascii_case(text);
    let sqlite = engine == Engine::Sqlite;
    if is("BIGINT") {
        return match follows(tail, &["PRIMARY", "KEY", "AUTOINCREMENT"]) {
            Some(length) if sqlite => ("INTEGER PRIMARY KEY AUTOINCREMENT", length),
            Some(length) => ("BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY", length),
            None => (if sqlite { "INTEGER" } else { word }, 0),
        };
    }
    match (is("DOUBLE"), follows(tail, &["PRECISION"])) {
        (true, Some(length)) if sqlite => return ("REAL", length),
        _ => {}
    }
    match engine {
        Engine::Sqlite if is("BOOLEAN") => ("INTEGER", 0),
        Engine::Postgres if is("BLOB") => ("BYTEA", 0),
        // A collation that its author chose stays, and so does one that an earlier translation put there.
        Engine::Postgres if is("TEXT") && follows(tail, &["COLLATE"]).is_some() => (word, 0),
        // The order of bytes, as SQLite has it, whatever the database's locale. A cast takes no collation.
        Engine::Postgres if is("TEXT") && !ends_with_word(before, "AS") => ("TEXT COLLATE \"C\"", 0),
        Engine::Postgres if is("STRICT") && before.trim_end().ends_with(')') => ("", without_rowid(tail)),
        _ => (word, 0),
    }
}

fn is_blank(token: &str) -> bool {
    token.trim().is_empty() || token.starts_with("--") || token.starts_with("/*")
}

fn without_rowid(tail: &str) -> usize {
    let Some(after_comma) = tail.trim_start().strip_prefix(',') else { return 0 };
    follows(after_comma, &["WITHOUT", "ROWID"]).map_or(0, |length| tail.len() - after_comma.len() + length)
}

/// How many bytes the words take, where the text goes on with them.
fn follows(text: &str, words: &[&str]) -> Option<usize> {
    let mut rest = text;
    for word in words {
        rest = rest.trim_start();
        let length = token_length(rest);
        let (token, tail) = rest.split_at(length);
        if !token.eq_ignore_ascii_case(word) {
            return None;
        }
        rest = tail;
    }
    Some(text.len() - rest.len())
}

fn ends_with_word(text: &str, word: &str) -> bool {
    text.split_ascii_whitespace().next_back().is_some_and(|last| last.eq_ignore_ascii_case(word))
}

/// Its words, literals, quoted names, comments and single characters, blanks among them: together they are the text.
fn tokens(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (token, tail) = rest.split_at(token_length(rest));
        rest = tail;
        Some(token).filter(|token| !token.is_empty())
    })
}

/// The length of the first token: a word, a literal or quoted name, a comment, or one character.
fn token_length(text: &str) -> usize {
    let to = |end: Option<usize>, closing: usize| end.map_or(text.len(), |at| at + closing);
    let word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    match text.chars().next() {
        None => 0,
        Some(quote @ ('\'' | '"')) => to(text[1..].find(quote), 2),
        Some('-') if text.starts_with("--") => to(text.find('\n'), 1),
        Some('$') if let Some(quote) = dollar_quote(text) => {
            let tail = &text[quote.len()..];
            tail.find(quote).map_or(text.len(), |at| at + 2 * quote.len())
        }
        Some('/') if text.starts_with("/*") => to(text.find("*/"), 2),
        Some(first) if word(first) => to(text.find(|c| !word(c)), 0),
        Some(first) => first.len_utf8(),
    }
}

/// The `$tag$` that opens a literal of PostgreSQL, such as a function's body.
fn dollar_quote(text: &str) -> Option<&str> {
    let tag = text.strip_prefix('$')?;
    let end = tag.find(|c: char| !(c.is_alphanumeric() || c == '_'))?;
    let quotes = tag[end..].starts_with('$') && !tag.starts_with(|c: char| c.is_ascii_digit());
    quotes.then(|| &text[..end + 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "CREATE TABLE t (id bigint primary key\n autoincrement, name TEXT NOT NULL, b BLOB, f BOOLEAN, \
                        d DOUBLE PRECISION, n BIGINT DEFAULT 1 CHECK (length(CAST(n AS TEXT)) > 0)) STRICT;";

    #[test]
    fn types_become_those_of_sqlite() {
        assert_eq!(
            translate(TEXT, Engine::Sqlite),
            "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, b BLOB, f INTEGER, \
             d REAL, n INTEGER DEFAULT 1 CHECK (length(CAST(n AS TEXT)) > 0)) STRICT;"
        );
    }

    #[test]
    fn types_become_those_of_postgres() {
        assert_eq!(
            translate(TEXT, Engine::Postgres),
            "CREATE TABLE t (id BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, name TEXT COLLATE \"C\" NOT NULL, \
             b BYTEA, f BOOLEAN, d DOUBLE PRECISION, \
             n BIGINT DEFAULT 1 CHECK (length(CAST(n AS TEXT)) > 0)) ;"
        );
        assert_eq!(
            translate("(a TEXT) STRICT, WITHOUT ROWID;", Engine::Postgres),
            "(a TEXT COLLATE \"C\") ;"
        );
    }

    #[test]
    fn an_insert_of_one_row_is_written_for_many() {
        let wide = |sql, rows| tuple(sql).map(|tuple| tuple.wide(rows));
        let sql = "INSERT INTO t (a, b) VALUES ($1, coalesce($2, '$1)'))\n ON CONFLICT (a) DO NOTHING";
        assert_eq!(tuple(sql).unwrap().values, 2);
        assert_eq!(wide(sql, 1).unwrap(), sql);
        assert_eq!(
            wide(sql, 2).unwrap(),
            "INSERT INTO t (a, b) VALUES ($1, coalesce($2, '$1)')), ($3, coalesce($4, '$1)'))\n ON CONFLICT (a) DO NOTHING"
        );
    }

    #[test]
    fn what_may_do_another_thing_for_many_rows_is_not() {
        for sql in [
            "UPDATE t SET a = $1",
            "INSERT INTO t SELECT $1",
            "INSERT INTO t VALUES ($1), ($2)",
            "INSERT INTO t VALUES ($1, (SELECT max(a) FROM t))",
            "INSERT INTO t VALUES ($1) RETURNING a",
            "INSERT INTO t VALUES ($1) ON CONFLICT (a) DO UPDATE SET a = excluded.a",
            "INSERT INTO t VALUES ($1); DELETE FROM t",
            "INSERT INTO t VALUES ($1",
            "INSERT INTO t DEFAULT VALUES",
            "WITH a AS (VALUES ($1)) INSERT INTO t VALUES (1)",
            "",
        ] {
            assert_eq!(tuple(sql), None, "{sql}");
        }
    }

    #[test]
    fn translating_twice_changes_nothing_more() {
        for engine in [Engine::Sqlite, Engine::Postgres] {
            let once = translate(TEXT, engine);
            assert_eq!(translate(&once, engine), once);
        }
    }

    #[test]
    fn literals_names_and_comments_stay_as_they_are() {
        for text in
            ["-- a BLOB\n", "/* BIGINT */", "'it''s TEXT'", "\"BLOB\"", "blob_count", "é BLOBS", "'open"]
        {
            assert_eq!(translate(text, Engine::Postgres), text);
            assert_eq!(translate(text, Engine::Sqlite), text);
        }
    }

    #[test]
    fn a_statement_that_controls_transactions_is_found_wherever_it_stands() {
        for text in
            ["commit", " -- x\n /* y */ BEGIN", "SELECT 1; ROLLBACK", "set a = 1", "SELECT $1;SAVEPOINT a"]
        {
            assert!(control_word(text).is_some(), "{text}");
        }
        for text in [
            "SELECT 1",
            "UPDATE a SET b = 'x; COMMIT'",
            "CREATE FUNCTION f() RETURNS trigger AS $body$ BEGIN; RETURN; END $body$ LANGUAGE plpgsql",
            "SELECT $1 + $2",
        ] {
            assert_eq!(control_word(text), None, "{text}");
        }
    }

    #[test]
    fn values_are_counted_by_their_highest_number() {
        assert_eq!(wants("SELECT $2, $10 WHERE a = $1 AND b = '$11' -- $12"), 10);
        assert_eq!(wants("SELECT $$ $3 $$"), 0);
    }

    #[test]
    fn a_second_statement_is_found() {
        assert!(is_many("DELETE FROM a; DELETE FROM b") && is_many(";x"));
        assert!(!is_many("DELETE FROM a; -- b") && !is_many("SELECT ';x'") && !is_many(""));
    }

    #[test]
    fn a_word_in_a_literal_is_not_mentioned() {
        assert!(mentions("REFERENCES a Deferrable", "DEFERRABLE"));
        assert!(!mentions("-- deferrable\n 'deferrable'", "DEFERRABLE"));
    }
}
