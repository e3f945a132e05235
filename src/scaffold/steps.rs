//! What is said about a new service: where it is, and what comes next.

use std::fmt::Write;
use std::path::Path;

use crate::scaffold::names::Names;

/// The table of a mesh in one process: in this repository only.
const TABLE: &str = "src/up/services.rs";

/// What to print.
pub(crate) fn text(root: &Path, names: &Names, port: u16, is_new: bool) -> String {
    let Names { service, entity } = names;
    let mut text = format!("{service} owns {entity}, and answers at port {port}\n\n");
    if is_new && root != Path::new(".") {
        let _ = writeln!(text, "  $ cd {}", root.display());
    }
    let _ = writeln!(text, "  $ cargo fmt && cargo test -p {service}");
    let _ = writeln!(text, "  $ cargo run -p {service}\n");
    table(
        &mut text,
        &[
            (format!("proto/{service}/v1/needs.proto"), "what it takes from others: calls, views, copies"),
            (format!("proto/{service}/v1/{service}.proto"), "what it owns, answers and tells"),
            ("freehold gen".to_owned(), "after each change of a contract"),
            (format!("services/{service}/src"), "what it does: one operation per file"),
        ],
    );
    if root.join(TABLE).is_file() {
        text.push_str("\nTo run it with the rest:\n\n");
        let (member, row) = (
            format!("{service} = {{ path = \"services/{service}\" }}"),
            format!("service!({service}, mesh)"),
        );
        let (member, row) = (format!("a member, and a dependency: {member}"), format!("a row: {row}"));
        table(&mut text, &[("Cargo.toml".to_owned(), &member), (TABLE.to_owned(), &row)]);
    }
    text
}

/// Two columns, the first as wide as its widest.
fn table(text: &mut String, rows: &[(String, &str)]) {
    let width = rows.iter().map(|(left, _)| left.len()).max().unwrap_or_default();
    for (left, right) in rows {
        let _ = writeln!(text, "  {left:width$}  {right}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_of_this_repository_is_told_how_it_runs_with_the_rest() {
        let names = Names::new("books", None).unwrap();
        let elsewhere = text(Path::new("library"), &names, 7401, true);
        assert!(
            elsewhere.starts_with("books owns Book, and answers at port 7401\n\n  $ cd library\n"),
            "{elsewhere}"
        );
        assert!(!elsewhere.contains(TABLE), "{elsewhere}");
        let here = text(Path::new(env!("CARGO_MANIFEST_DIR")), &names, 7401, false);
        assert!(here.ends_with("src/up/services.rs  a row: service!(books, mesh)\n"), "{here}");
    }
}
