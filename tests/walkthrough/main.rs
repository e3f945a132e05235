//! docs/own-service.md, walked: from an empty folder, by its commands and its changes alone, to two services that run.
//!
//! The services are built as somebody else's would be, outside the workspace, in the workspace's target folder and with its
//! lock: nothing is downloaded, and of the crates below them only what this never built before is compiled.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod change;
mod folder;
mod generate;
mod page;
mod refused;
mod walk;

use std::fs;
use std::path::Path;

use crate::page::Page;

/// The most lines by hand.
const MOST: usize = 60;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn own_service() -> Page {
    Page::parse(&fs::read_to_string(root().join("docs/own-service.md")).unwrap())
}

#[test]
fn an_own_service_takes_sixty_lines_by_hand_at_most() {
    let by_hand: usize = own_service().changes().map(|change| change.lines_by_hand()).sum();
    println!("{by_hand} lines by hand");
    assert!((1..=MOST).contains(&by_hand), "{by_hand} lines by hand");
}

#[test]
fn the_readme_names_the_steps_that_the_page_takes() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    assert_eq!(page::items(&readme, "## An own service in six steps"), own_service().promises());
}
