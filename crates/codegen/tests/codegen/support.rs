//! Contracts for the tests: of a tree on disk, or as texts.

use std::fs;
use std::path::{Path, PathBuf};

use freehold_codegen::{Error, File, Layout, generate};
use freehold_contract::{Model, Sources, load, render_text};

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The fixture whose contracts hold everything.
pub(crate) fn everything() -> PathBuf {
    root().join("tests/fixtures/everything")
}

/// The layout of that fixture.
pub(crate) fn everything_layout() -> Layout {
    Layout {
        sdk: Some("sdk/src/generated".to_owned()),
        consumers: vec![("reader".to_owned(), "src/generated".to_owned())],
        ..Layout::default()
    }
}

/// The contracts below a folder, by the paths that imports have.
pub(crate) fn contracts(folder: &Path) -> Vec<(String, String)> {
    let mut texts = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(below) = folders.pop() {
        for entry in fs::read_dir(below).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "proto") {
                let name = path.strip_prefix(folder).unwrap().to_string_lossy().replace('\\', "/");
                texts.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    texts
}

/// The model of contracts that compile.
pub(crate) fn model(texts: impl IntoIterator<Item = (String, String)>) -> Model {
    let sources: Sources = texts.into_iter().collect();
    load(&sources).unwrap_or_else(|findings| panic!("{}", render_text(&findings, &sources)))
}

/// What one file of a contract becomes, with a package line and an owner before it.
pub(crate) fn generated(text: &str) -> Result<Vec<File>, Error> {
    let text = format!(
        "syntax = \"proto3\";\npackage shop.v1;\nimport \"freehold/v1/contract.proto\";\n\
         option (freehold.v1.owner) = \"shop\";\n{text}"
    );
    let layout = Layout { sdk: Some("sdk".to_owned()), ..Layout::default() };
    generate(&model([("shop/v1/shop.proto".to_owned(), text)]), &layout)
}

/// The text of the file at a path.
pub(crate) fn text<'a>(files: &'a [File], path: &str) -> &'a str {
    let file = files.iter().find(|file| file.path == path);
    let file = file.unwrap_or_else(|| {
        panic!("no {path} among {:?}", files.iter().map(|file| &file.path).collect::<Vec<_>>())
    });
    std::str::from_utf8(&file.contents).unwrap()
}

/// The model of the contracts of the fixture.
pub(crate) fn everything_model() -> Model {
    model(contracts(&everything().join("proto")))
}

/// The contracts of the fixture with an RPC, a field with a limit and a service more.
pub(crate) fn extended() -> Vec<(String, String)> {
    let add = |text: String| {
        let text = text.replace(
            "message GetRequest {\n",
            "message GetRequest {\n  string added = 7 [(freehold.v1.field).max_length = 3];\n",
        );
        let text = text.replace(
            "service EverythingService {\n",
            "service EverythingService {\n  rpc Find(GetRequest) returns (AddResponse) {\n    \
             option idempotency_level = NO_SIDE_EFFECTS;\n  }\n",
        );
        text + "message AddRequest {}\nmessage AddResponse {}\nservice Added {\n  \
                rpc Add(AddRequest) returns (AddResponse) {\n    option (freehold.v1.call).keyed = true;\n  }\n}\n"
    };
    let contracts = contracts(&everything().join("proto")).into_iter();
    contracts.map(|(path, text)| if path.contains("v2") { (path, add(text)) } else { (path, text) }).collect()
}
