//! The files of a new workspace and of a new service: `templates/`, with the names in their places.

use crate::scaffold::names::Names;
use crate::scaffold::source::Source;
use crate::scaffold::{CONTRACTS, NewFile, SERVICES};

macro_rules! template {
    ($path:literal) => {
        ($path, include_str!(concat!("../../templates/service/", $path)))
    };
}

/// The crate of a service, by path from its folder.
const CRATE: [(&str, &str); 14] = [
    template!("Cargo.toml"),
    template!("migrations/0001_widgets.sql"),
    template!("src/convert.rs"),
    template!("src/grpc.rs"),
    template!("src/lib.rs"),
    template!("src/main.rs"),
    template!("src/operations/create_widget.rs"),
    template!("src/operations/get_widget.rs"),
    template!("src/operations/mod.rs"),
    template!("src/store/mod.rs"),
    template!("src/store/widget.rs"),
    template!("src/tests.rs"),
    template!("src/widget.rs"),
    template!("tests/alone.rs"),
];

/// The contract of a service, by path from the folder of its package.
const CONTRACT: [(&str, &str); 2] = [
    ("widgets.proto", include_str!("../../templates/service/proto/widgets.proto")),
    ("needs.proto", include_str!("../../templates/service/proto/needs.proto")),
];

/// The manifest of a workspace, where its sources are still to be said.
pub(crate) const MANIFEST: &str = include_str!("../../templates/workspace/Cargo.toml");

/// What else a workspace has, by path from its root.
const WORKSPACE: [(&str, &str); 5] = [
    // A file of its real name would hide files of ours.
    (".gitignore", include_str!("../../templates/workspace/gitignore")),
    ("rustfmt.toml", include_str!("../../templates/workspace/rustfmt.toml")),
    ("sdk/Cargo.toml", include_str!("../../templates/workspace/sdk/Cargo.toml")),
    ("sdk/src/lib.rs", include_str!("../../templates/workspace/sdk/src/lib.rs")),
    ("sdk/src/ports.rs", include_str!("../../templates/workspace/sdk/src/ports.rs")),
];

/// The files of a service.
pub(crate) fn service(names: &Names) -> Vec<NewFile> {
    let place = |folder: String| {
        move |(path, text): &(&str, &str)| NewFile {
            path: format!("{folder}/{}", names.fill(path)),
            text: names.fill(text),
        }
    };
    let contract = CONTRACT.iter().map(place(format!("{CONTRACTS}/{}/v1", names.service)));
    contract.chain(CRATE.iter().map(place(format!("{SERVICES}/{}", names.service)))).collect()
}

/// The files of a workspace that has no service yet.
pub(crate) fn workspace(source: &Source) -> Vec<NewFile> {
    let manifest = NewFile { path: "Cargo.toml".to_owned(), text: source.fill(MANIFEST) };
    let others =
        WORKSPACE.iter().map(|(path, text)| NewFile { path: (*path).to_owned(), text: (*text).to_owned() });
    std::iter::once(manifest).chain(others).collect()
}
