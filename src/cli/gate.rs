//! The command line of the gate: `check`, `compat`, `release`, `explain`, and how findings are written. Parsing alone, as in `cli`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use freehold_contract::compat;

use super::Format;
use crate::compat::released::Version;

/// How findings are written to standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ErrorFormat {
    /// For people: each line underlined.
    Text,
    /// One JSON object per line.
    Json,
    /// Workflow commands, which GitHub shows beside the lines of a pull request.
    GithubActions,
    /// JUnit XML: a test case per finding.
    Junit,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
}

impl From<Format> for ErrorFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Text => Self::Text,
            Format::Json => Self::Json,
        }
    }
}

/// Options of `check`.
#[derive(Debug, Clone, Args)]
pub(crate) struct CheckArgs {
    /// The folder of the contracts.
    #[arg(value_name = "DIR", default_value = "proto")]
    pub(crate) folder: PathBuf,
    /// How findings are written [default: text, or json under `-o json`].
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub(crate) error_format: Option<ErrorFormat>,
}

/// Options of `compat`.
#[derive(Debug, Clone, Args)]
pub(crate) struct CompatArgs {
    /// What to compare with: a git ref, whose folder is the same as that of the contracts at hand, or REF:FOLDER, from the
    /// root of the repository; a folder; a file with a descriptor set. May be given several times [default: the latest
    /// release].
    #[arg(long, value_name = "BASELINE")]
    pub(crate) against: Vec<String>,
    /// The contracts at hand: a folder, or a file with a descriptor set.
    #[arg(value_name = "CURRENT", default_value = "proto")]
    pub(crate) current: PathBuf,
    /// Asks plain Protobuf by the rules of one category, whoever reads what, instead of this mesh by its declared needs.
    #[arg(long, value_name = "CATEGORY", value_enum, ignore_case = true)]
    pub(crate) category: Option<Category>,
    /// Also says what a new release of the SDK for Rust breaks, and the step that its version needs.
    #[arg(long, conflicts_with = "category")]
    pub(crate) sdk: bool,
    /// The folder of the releases, which stored events and replicas are judged by [default: contracts/released beside
    /// CURRENT].
    #[arg(long, value_name = "DIR")]
    pub(crate) released: Option<PathBuf>,
    /// The file of the breaks that are accepted for a while [default: contracts/waivers.toml beside CURRENT, where it is].
    #[arg(long, value_name = "FILE", conflicts_with = "category")]
    pub(crate) waivers: Option<PathBuf>,
    /// How findings are written [default: text, or json under `-o json`].
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub(crate) error_format: Option<ErrorFormat>,
}

/// How much of plain Protobuf counts as broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Category {
    /// Generated code, file by file.
    File,
    /// Generated code, package by package.
    Package,
    /// The binary and the JSON encoding.
    WireJson,
    /// The binary encoding.
    Wire,
}

impl From<Category> for compat::Category {
    fn from(category: Category) -> Self {
        match category {
            Category::File => Self::File,
            Category::Package => Self::Package,
            Category::WireJson => Self::WireJson,
            Category::Wire => Self::Wire,
        }
    }
}

/// Options of `release`.
#[derive(Debug, Clone, Args)]
pub(crate) struct ReleaseArgs {
    /// The version, three numbers [default: the next minor one, 0.1.0 for the first].
    #[arg(value_name = "VERSION")]
    pub(crate) version: Option<Version>,
    /// The folder of the contracts.
    #[arg(long, value_name = "DIR", default_value = "proto")]
    pub(crate) proto: PathBuf,
    /// The folder of the releases [default: contracts/released beside the contracts].
    #[arg(long, value_name = "DIR")]
    pub(crate) released: Option<PathBuf>,
}

/// Options of `explain`.
#[derive(Debug, Clone, Args)]
pub(crate) struct ExplainArgs {
    /// The id of the rule, such as FH2305; without it all ids are listed, each with what its rule refuses.
    #[arg(value_name = "RULE")]
    pub(crate) rule: Option<String>,
}
