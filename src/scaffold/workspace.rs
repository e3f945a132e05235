//! The workspace that a service is added to: what it must have for the service to build in it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{fs, io};

use toml::{Table, Value};

use crate::scaffold::templates::MANIFEST;
use crate::scaffold::{SDK, SERVICES};

/// Why a service cannot be added.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WorkspaceError {
    #[error("failed to read `{}`", .0.display())]
    Io(PathBuf, #[source] io::Error),
    #[error("failed to read `{}`: {}", .0.display(), .1.message())]
    Toml(PathBuf, #[source] toml::de::Error),
    #[error("`{}` is no workspace; name the root of one with --dir, or an empty folder for a new one", .0.display())]
    NoWorkspace(PathBuf),
    #[error("the members of `{}` leave services out; add \"{SERVICES}/*\"", .0.display())]
    Members(PathBuf),
    #[error("`{}` lacks what the crate of a service inherits; add\n{}", .0.display(), .1.join("\n"))]
    Lacks(PathBuf, Vec<String>),
    #[error("there is no `{}`: the SDK that is generated from the contracts is a crate of its own", .0.display())]
    NoSdk(PathBuf),
}

/// A workspace that a service can be added to.
#[derive(Debug)]
pub(crate) struct Workspace;

impl Workspace {
    /// The workspace whose root is this folder; `None` where there is none yet.
    pub(crate) fn find(root: &Path) -> Result<Option<Self>, WorkspaceError> {
        let path = root.join("Cargo.toml");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(WorkspaceError::Io(path, error)),
        };
        let manifest: Table =
            toml::from_str(&text).map_err(|error| WorkspaceError::Toml(path.clone(), error))?;
        fits(&path, &manifest)?;
        let sdk = root.join(SDK).join("Cargo.toml");
        if sdk.is_file() { Ok(Some(Self)) } else { Err(WorkspaceError::NoSdk(sdk)) }
    }
}

fn fits(path: &Path, manifest: &Table) -> Result<(), WorkspaceError> {
    let Some(workspace) = manifest.get("workspace").and_then(Value::as_table) else {
        return Err(WorkspaceError::NoWorkspace(path.to_owned()));
    };
    let members = workspace.get("members").and_then(Value::as_array);
    let all = format!("{SERVICES}/*");
    if !members.is_some_and(|members| members.iter().any(|member| member.as_str() == Some(&all))) {
        return Err(WorkspaceError::Members(path.to_owned()));
    }
    let lacks = lacks(workspace);
    if lacks.is_empty() { Ok(()) } else { Err(WorkspaceError::Lacks(path.to_owned(), lacks)) }
}

/// The lines of a new workspace's manifest that this one has nothing for.
fn lacks(workspace: &Table) -> Vec<String> {
    let model: Table = toml::from_str(MANIFEST).unwrap_or_default();
    let Some(model) = model.get("workspace").and_then(Value::as_table) else { return Vec::new() };
    let mut lines = Vec::new();
    for section in ["package", "dependencies"] {
        let missing: Vec<String> =
            keys(model, section).difference(&keys(workspace, section)).cloned().collect();
        if !missing.is_empty() {
            lines.push(format!("    [workspace.{section}]"));
        }
        let line = |key: &String| MANIFEST.lines().find(|line| line.starts_with(&format!("{key} = ")));
        lines.extend(missing.iter().filter_map(line).map(|line| format!("    {line}")));
    }
    if !workspace.contains_key("lints") {
        lines.push("    [workspace.lints]".to_owned());
    }
    lines
}

fn keys(workspace: &Table, section: &str) -> BTreeSet<String> {
    let section = workspace.get(section).and_then(Value::as_table);
    section.map(|section| section.keys().cloned().collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(manifest: &str) -> String {
        fits(Path::new("Cargo.toml"), &toml::from_str(manifest).unwrap()).unwrap_err().to_string()
    }

    #[test]
    fn the_workspaces_that_we_make_and_that_we_are_take_a_service() {
        let ours = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        for manifest in [MANIFEST, &fs::read_to_string(ours).unwrap()] {
            fits(Path::new("Cargo.toml"), &toml::from_str(manifest).unwrap()).unwrap();
        }
    }

    #[test]
    fn what_a_workspace_lacks_is_named_line_by_line() {
        assert!(refused("[package]\nname = \"a\"\n").contains("is no workspace"));
        let said = refused("[workspace]\nmembers = [\"sdk\"]\n");
        assert_eq!(said, "the members of `Cargo.toml` leave services out; add \"services/*\"");
        let without = |line: &str| MANIFEST.replace(line, "");
        let said = refused(&without("freehold-store = \"0.1.0\"\n"));
        assert!(
            said.ends_with("add\n    [workspace.dependencies]\n    freehold-store = \"0.1.0\""),
            "{said}"
        );
        let said =
            refused(&without("[workspace.lints.rust]\nmissing_docs = \"warn\"\nunsafe_code = \"forbid\"\n"));
        assert!(said.ends_with("add\n    [workspace.lints]"), "{said}");
    }
}
