//! The generated tree: ten files to a package, each with an entity, an event, a service and messages; each imports one,
//! and ten import the same. A package owns its messages, and from its second on copies, views and calls what another has.
//!
//! In the changed tree every hundredth message, an entity that is copied, loses a field.

use std::fmt::Write as _;
use std::path::Path;
use std::{fs, io};

/// How many messages a file has; those of needs come on top.
pub(crate) const MESSAGES: usize = 10;
const FIELDS: usize = 10;
/// How many files a package has.
const PACKAGE: usize = 10;
const TYPES: [&str; 5] = ["string", "int64", "bool", "repeated string", "map<string, int32>"];

/// What the tree imports, and buf does not know.
const LANGUAGE: &str = include_str!("../../../../proto/freehold/v1/contract.proto");

pub(crate) fn write(root: &Path, files: usize, changed: bool) -> io::Result<()> {
    fs::create_dir_all(root.join("freehold/v1"))?;
    fs::write(root.join("freehold/v1/contract.proto"), LANGUAGE)?;
    for package in 0..files / PACKAGE {
        let folder = root.join(format!("p{package}/v1"));
        fs::create_dir_all(&folder)?;
        for file in package * PACKAGE..(package + 1) * PACKAGE {
            fs::write(folder.join(format!("f{file}.proto")), contract(file, changed))?;
        }
        if package > 0 {
            fs::write(folder.join("needs.proto"), needs(package))?;
        }
    }
    fs::write(
        root.join("buf.yaml"),
        "version: v2\nlint:\n  use:\n    - STANDARD\nbreaking:\n  use:\n    - FILE\n",
    )
}

fn contract(file: usize, changed: bool) -> String {
    let package = file / PACKAGE;
    let before = (file > 0).then_some(file / 10);
    let mut text =
        format!("syntax = \"proto3\";\npackage p{package}.v1;\nimport \"freehold/v1/contract.proto\";\n");
    if let Some(before) = before {
        add(&mut text, format_args!("import \"p{}/v1/f{before}.proto\";\n", before / PACKAGE));
    }
    add(&mut text, format_args!("option (freehold.v1.owner) = \"p{package}\";\n"));
    for message in 0..MESSAGES - 2 {
        let option = match message {
            0 => "  option (freehold.v1.entity).key = \"field_5\";\n".to_owned(),
            1 => format!(
                "  option (freehold.v1.event).of = \"p{package}.v1.M{file}x0\";\n  option (freehold.v1.event).key = \"field_5\";\n"
            ),
            _ => String::new(),
        };
        let lost = (changed && (file * MESSAGES + message).is_multiple_of(100)).then_some(6);
        add(
            &mut text,
            format_args!("// A thing that is called {message}.\nmessage M{file}x{message} {{\n{option}"),
        );
        add_fields(&mut text, file, before, lost);
    }
    add(
        &mut text,
        format_args!(
            "// Which one.\nmessage Find{file}Request {{\n  string id = 1;\n}}\n// What was found.\nmessage Find{file}Response {{\n  \
             M{file}x2 found = 1;\n}}\nenum E{file} {{\n  E{file}_UNSPECIFIED = 0;\n  E{file}_ONE = 1;\n}}\n// What this file \
             serves.\nservice S{file}Service {{\n  // One of them.\n  rpc Find{file}(Find{file}Request) returns (Find{file}Response) \
             {{\n    option idempotency_level = NO_SIDE_EFFECTS;\n  }}\n}}\n"
        ),
    );
    text
}

fn add_fields(text: &mut String, file: usize, before: Option<usize>, lost: Option<usize>) {
    for field in (1..FIELDS).filter(|field| Some(*field) != lost) {
        let kind = TYPES[field % TYPES.len()];
        add(text, format_args!("  // What it is for.\n  {kind} field_{field} = {field};\n"));
    }
    match before {
        Some(before) => {
            add(text, format_args!("  p{}.v1.M{before}x2 before = {FIELDS};\n}}\n", before / PACKAGE))
        }
        None => add(text, format_args!("  E{file} kind = {FIELDS};\n}}\n")),
    }
}

/// What a package takes of the one at half its number: a copy, a view and a call of each of its files.
fn needs(package: usize) -> String {
    let of = package / 2;
    let mut text =
        format!("syntax = \"proto3\";\npackage p{package}.v1;\nimport \"freehold/v1/contract.proto\";\n");
    let mut messages = String::new();
    add(&mut text, format_args!("option (freehold.v1.consumer) = \"p{package}\";\n"));
    for file in of * PACKAGE..(of + 1) * PACKAGE {
        add(
            &mut text,
            format_args!(
                "option (freehold.v1.calls) = {{ method: \"p{of}.v1.S{file}Service/Find{file}\" }};\n"
            ),
        );
        add(
            &mut messages,
            format_args!(
                "message Copy{file} {{\n  option (freehold.v1.replica).of = \"p{of}.v1.M{file}x0\";\n  string field_5 = 5;\n  \
                 int64 field_6 = 6;\n}}\nmessage View{file} {{\n  option (freehold.v1.view).of = \"p{of}.v1.M{file}x1\";\n  \
                 string field_5 = 5;\n  bool field_7 = 7;\n}}\n"
            ),
        );
    }
    text + &messages
}

fn add(text: &mut String, more: std::fmt::Arguments<'_>) {
    // A string takes whatever is written to it.
    let _ = text.write_fmt(more);
}
