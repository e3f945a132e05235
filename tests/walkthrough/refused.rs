//! What `freehold new service` refuses, and that it then leaves everything as it was.

use freehold_testkit::Scratch;

use crate::folder::Folder;

const BEGIN: &str = "freehold new service books";

/// A line that is refused as a wrong command line or tree, and writes nothing of the service.
#[track_caller]
fn refused(folder: &Folder, line: &str, why: &str) {
    let ended = folder.run(line);
    assert_eq!(ended.code, Some(2), "{line}\n{}", ended.printed);
    assert!(ended.printed.contains(why), "{line}\n{}", ended.printed);
    assert!(!folder.0.join("services/loans").exists(), "{line}");
}

fn empty() -> (Scratch, Folder) {
    let scratch = Scratch::new("new");
    let folder = Folder(scratch.path().to_owned());
    (scratch, folder)
}

#[test]
fn a_name_or_a_source_that_is_none_begins_nothing() {
    let (_scratch, folder) = empty();
    refused(&folder, "freehold new service My-Loans", "`My-Loans` is no name for a service");
    refused(&folder, "freehold new service ../loans", "`../loans` is no name for a service");
    refused(&folder, "freehold new service crate", "`crate` is taken");
    refused(&folder, "freehold new service loans --entity loan", "`loan` is no name for what it owns");
    refused(&folder, "freehold new service loans --freehold nowhere", "`nowhere` is no source of Freehold");
    assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 0, "nothing was written");
}

#[test]
fn nothing_is_overwritten() {
    let (_scratch, folder) = empty();
    folder.succeed(BEGIN);
    let before = folder.read("sdk/src/ports.rs");
    refused(&folder, BEGIN, "exists; nothing was written");
    folder.write("proto/loans/v1/loans.proto", "syntax = \"proto3\";\npackage loans.v1;\n");
    refused(&folder, "freehold new service loans", "proto/loans/v1/loans.proto` exists; nothing was written");
    assert_eq!(folder.read("sdk/src/ports.rs"), before);
}

#[test]
fn a_workspace_that_a_service_does_not_fit_into_is_refused() {
    let (_scratch, folder) = empty();
    folder.write("Cargo.toml", "[package]\nname = \"a\"\n");
    refused(&folder, "freehold new service loans", "is no workspace");
    folder.write("Cargo.toml", "[workspace]\nmembers = [\"services/*\"]\n");
    refused(&folder, "freehold new service loans", "[workspace.dependencies]\n    freehold-client = ");
}

#[test]
fn contracts_that_are_refused_keep_a_service_from_being_added() {
    let (_scratch, folder) = empty();
    folder.succeed(BEGIN);
    folder.write(
        "proto/other/v1/other.proto",
        "syntax = \"proto3\";\npackage other.v1;\nmessage A { Nothing a = 1; }\n",
    );
    let ended = folder.run("freehold new service loans");
    assert_eq!(ended.code, Some(10), "{}", ended.printed);
    assert!(!folder.0.join("services/loans").exists() && !folder.0.join("proto/loans").exists());
}

#[test]
fn a_service_says_what_it_owns_and_where_it_comes_from() {
    let (_scratch, folder) = empty();
    let said = folder
        .succeed("freehold new service catalog --entity Product --freehold https://git.example/freehold#abc");
    assert!(said.starts_with("catalog owns Product, and answers at port 7401\n"), "{said}");
    let manifest = folder.read("Cargo.toml");
    let line = "freehold-wire = { git = \"https://git.example/freehold\", rev = \"abc\" }\n";
    assert!(manifest.contains(line), "{manifest}");
    assert!(
        folder
            .read("proto/catalog/v1/catalog.proto")
            .contains("rpc GetProduct(GetProductRequest) returns (Product)")
    );
    assert_eq!(folder.succeed("freehold gen --check"), "", "what it generated is fresh");
}
