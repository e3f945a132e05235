//! `cargo xtask readme` from the outside: pages that are true, pages that are not, and a mesh that is there for them alone.

#![expect(clippy::unwrap_used, reason = "what a helper of a test cannot do fails the test")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

/// Stands in for cargo: a mesh that keeps its data, says where it is, and stays until it is stopped.
const MESH: &str = r#"#!/bin/sh
test "$1 $2 $3 $4 $6 $8" = "run -- up --data --port --ready-file" || exit 9
mkdir -p "$5" && echo hello > "$5/greeting"
echo $$ > "$OUTSIDE/mesh"
echo "gateway   http://127.0.0.1:$7"
echo "data      $5" >&2
echo '{}' > "$9"
exec tail -f /dev/null
"#;

/// A folder with a page and a stand-in for cargo.
struct Page {
    folder: PathBuf,
}

impl Page {
    fn new(name: &str, markdown: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("freehold-page-{name}-{}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("page.md"), markdown).unwrap();
        fs::write(folder.join("cargo"), MESH).unwrap();
        fs::set_permissions(folder.join("cargo"), fs::Permissions::from_mode(0o755)).unwrap();
        Self { folder }
    }

    /// Whether it is found true, and what is printed.
    fn check(&self) -> (bool, String) {
        let path = format!("{}:{}", self.folder.display(), std::env::var("PATH").unwrap());
        let mut xtask = Command::new(env!("CARGO_BIN_EXE_xtask"));
        xtask.arg("readme").arg(self.folder.join("page.md")).env("PATH", path).env("OUTSIDE", &self.folder);
        let output = xtask.output().unwrap();
        let printed = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(printed).unwrap())
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.folder).unwrap();
    }
}

const TRUE: &str = r#"
```console
$ git clone https://example.org/freehold
$ cargo run --release
gateway http://127.0.0.1:7400
data freehold-data
```
Then, in another terminal:
```console
$ cat freehold-data/greeting
hello
$ name=orders
$ echo "$name at localhost:7405, $$"
orders at localhost:7405, ...
```
```toml Cargo.toml
[workspace]
members = ["crates/*", "sdk", "services/*"]
```
"#;

#[test]
fn a_true_page_passes_and_its_mesh_is_gone_afterwards() {
    let page = Page::new("true", TRUE);
    let (right, printed) = page.check();
    assert!(right, "{printed}");
    assert!(printed.contains("5 checked, 0 wrong"), "{printed}");
    assert!(printed.contains("not run: git clone"), "{printed}");
    let mesh = fs::read_to_string(page.folder.join("mesh")).unwrap();
    let alive =
        Command::new("sh").args(["-c", "kill -s 0 \"$0\" 2> /dev/null", mesh.trim()]).status().unwrap();
    assert!(!alive.success());
}

#[test]
fn a_page_that_shows_something_else_is_wrong() {
    for (shown, printed) in [("hello", "hallo"), ("[workspace]", "[workplace]")] {
        let page = Page::new(&printed.len().to_string(), &TRUE.replace(shown, printed));
        let (right, printed) = page.check();
        assert!(!right && printed.contains("5 checked, 1 wrong"), "{shown}: {printed}");
    }
}

#[test]
fn a_page_that_cannot_be_checked_is_refused() {
    let page = Page::new("rust", "```rust\nfn main() {}\n```\n");
    let (right, printed) = page.check();
    assert!(!right && printed.contains("line 1: nothing checks this `rust` block"), "{printed}");
}
