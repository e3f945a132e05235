//! This repository on disk: its contracts, and what of their generated files is stale.

use std::path::{Path, PathBuf};
use std::{fs, io};

use freehold_codegen::tree::{self, Change, TreeError};
use freehold_codegen::{Layout, generate};
use freehold_contract::{Finding, Sources, check, load, render_text, rules};

/// The folder of the contracts.
const CONTRACTS: &str = "proto";

/// Why a repository cannot be brought up to date.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    /// The contracts are refused.
    #[error("the contracts are refused\n\n{0}")]
    Contracts(String),
    /// There is no Rust for them.
    #[error("failed to generate: {0}")]
    Generate(#[from] freehold_codegen::Error),
    /// A contract cannot be read.
    #[error("failed to read {}: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    /// The tree cannot be compared or changed.
    #[error(transparent)]
    Tree(#[from] TreeError),
}

/// The generated files of the repository at `root` that are not what its contracts say, by path.
pub(crate) fn changes(root: &Path, layout: Option<&Layout>) -> Result<Vec<Change>, Problem> {
    let sources = sources(&root.join(CONTRACTS))?;
    let refused = |findings: &[Finding]| Problem::Contracts(render_text(findings, &sources));
    let model = load(&sources).map_err(|findings| refused(&findings))?;
    let findings = check(&model, &sources);
    if findings.iter().any(rules::refuses) {
        return Err(refused(&findings));
    }
    let layout = layout.cloned().unwrap_or_else(|| Layout::repository(&model));
    Ok(tree::changes(root, &layout, generate(&model, &layout)?)?)
}

/// The contracts below a folder, by the paths that imports have.
fn sources(folder: &Path) -> Result<Sources, Problem> {
    let mut texts = Vec::new();
    for name in tree::files(folder)?.into_iter().filter(|path| path.ends_with(".proto")) {
        let path = folder.join(&name);
        let text = fs::read_to_string(&path).map_err(|source| Problem::Unreadable { path, source })?;
        texts.push((name, text));
    }
    Ok(texts.into_iter().collect())
}
