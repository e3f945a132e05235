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
        let _ = writeln!(text, "  cd {}", root.display());
    }
    let _ = writeln!(text, "  cargo test -p {service}");
    let _ = writeln!(text, "  cargo run -p {service}");
    text.push_str("\nNext:\n");
    let _ = writeln!(text, "  proto/{service}/v1/{service}.proto  what it owns, tells and answers");
    let _ =
        writeln!(text, "  proto/{service}/v1/needs.proto  what it takes from others: calls, views, replicas");
    text.push_str("  freehold gen                  after each change of a contract\n");
    let _ = writeln!(text, "  services/{service}              one operation per file, one reaction per view");
    if root.join(TABLE).is_file() {
        text.push_str("\nTo run it with the rest:\n");
        let _ = writeln!(
            text,
            "  Cargo.toml          {service} = {{ path = \"services/{service}\" }}, and a dependency"
        );
        let _ = writeln!(text, "  {TABLE}  service!({service}, mesh)");
    }
    text
}
