//! What is generated compiles without a warning and works: the fixtures are crates outside the workspace, built and
//! tested as such, in the workspace's target folder and with its lock.

use std::fs;
use std::path::Path;
use std::process::Command;

use freehold_codegen::generate;

use crate::support::{everything, everything_layout, model, root};

/// Runs cargo in a crate outside the workspace.
fn cargo(folder: &Path, arguments: &[&str]) {
    // Every version is one that the workspace has: nothing is downloaded, and most is compiled already.
    fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let mut command = Command::new(env!("CARGO"));
    command.args(arguments).arg("--offline").current_dir(folder);
    command.env("CARGO_TARGET_DIR", target());
    let output = command.output().unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo {arguments:?} in {}:\n{said}", folder.display());
}

/// The target folder of the workspace, wherever this test was built.
pub(crate) fn target() -> std::path::PathBuf {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    scratch.parent().unwrap().to_owned()
}

#[test]
fn everything_that_a_contract_can_hold_compiles_and_goes_over_the_wire() {
    cargo(&everything(), &["test", "--quiet", "--workspace", "--features", "freehold-sdk/server"]);
}

#[test]
fn a_client_compiles_without_the_server_side_and_messages_without_either() {
    cargo(&everything(), &["check", "--quiet", "--package", "freehold-sdk"]);
    cargo(&everything(), &["check", "--quiet", "--package", "freehold-sdk", "--no-default-features"]);
}

#[test]
fn an_addition_to_a_contract_compiles_without_a_change_to_the_generator() {
    let copy = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let crates = root().join("crates");
    let manifest = fs::read_to_string(everything().join("sdk/Cargo.toml")).unwrap();
    let manifest = manifest.replace("../../../../crates", &crates.display().to_string());
    let manifest =
        manifest.replace("[lints]\nworkspace = true", "[lints.rust]\nwarnings = \"deny\"\n\n[workspace]");
    fs::write(copy.path().join("Cargo.toml"), manifest).unwrap();
    fs::create_dir(copy.path().join("src")).unwrap();
    fs::copy(everything().join("sdk/src/lib.rs"), copy.path().join("src/lib.rs")).unwrap();
    for file in generate(&model(crate::support::extended()), &everything_layout()).unwrap() {
        if let Some(path) = file.path.strip_prefix("sdk/") {
            let path = copy.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file.contents).unwrap();
        }
    }
    let test = "use freehold_sdk::everything::v2::{AddRequest, AddedClient, EverythingClient, GetRequest};\n\
                #[expect(dead_code, reason = \"compiling is the test\")]\n\
                async fn calls(added: AddedClient, client: EverythingClient) -> Result<(), freehold_sdk::Error> {\n\
                client.find(GetRequest::default().with_added(\"x\")).await?;\n\
                added.add(AddRequest::default()).await.map(|_| ())\n}\n";
    fs::create_dir(copy.path().join("tests")).unwrap();
    fs::write(copy.path().join("tests/added.rs"), test).unwrap();
    cargo(copy.path(), &["check", "--quiet", "--tests", "--features", "server"]);
}

#[test]
fn a_crate_outside_the_workspace_needs_the_sdk_alone() {
    cargo(&root().join("tests/fixtures/sdk-user"), &["test", "--quiet"]);
}
