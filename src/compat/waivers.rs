//! `compat --waivers`: the breaks that are accepted for a while, read from their file and lifted off the findings.
//!
//! Without a name it is `contracts/waivers.toml` beside the contracts, where there is one. **Invariant:** a file that is
//! named is read or refused; a waiver that is not understood never counts as none.

use std::path::{Path, PathBuf};

use freehold_contract::compat::waivers::{Waived, Waiver, WaiversError, parse};
use freehold_contract::{render_waived, render_waived_json};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;

use crate::cli::{CompatArgs, ErrorFormat};
use crate::contracts::{self, ReadError};
use crate::exit::Failure;
use crate::output;

/// A file of waivers, as read.
#[derive(Debug, Default)]
pub(super) struct Waivers {
    /// What is waived.
    pub(super) waivers: Vec<Waiver>,
    /// The file and its text, which findings about waivers lie in.
    pub(super) text: Option<(String, String)>,
}

/// Why there are no waivers.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoWaivers {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Wrong(#[from] WaiversError),
}

/// The waivers that count: none for a category, which knows no consumers.
pub(super) fn read(args: &CompatArgs) -> Result<Waivers, NoWaivers> {
    let beside = beside(&args.current);
    let path = match &args.waivers {
        Some(path) => path,
        None if args.category.is_none() && beside.exists() => &beside,
        None => return Ok(Waivers::default()),
    };
    let text = String::from_utf8(contracts::bytes(path)?).map_err(|_| ReadError::NotUtf8(path.clone()))?;
    let file = path.display().to_string();
    Ok(Waivers { waivers: parse(&file, &text)?, text: Some((file, text)) })
}

fn beside(contracts: &Path) -> PathBuf {
    contracts.parent().unwrap_or(Path::new("")).join("contracts/waivers.toml")
}

/// The day in UTC: a waiver ends for everybody at once.
pub(super) fn today() -> Date {
    Offset::UTC.to_datetime(Timestamp::now()).date()
}

/// Writes what was waived after the findings. Of the formats of other programs SARIF has it among the findings, and the
/// others have no place for it: there it is for people.
pub(super) fn print(waived: &[Waived], format: ErrorFormat) -> Result<(), Failure> {
    match format {
        ErrorFormat::Text => output::write(render_waived(waived).as_bytes()),
        ErrorFormat::Json => output::write(render_waived_json(waived).as_bytes()),
        ErrorFormat::GithubActions | ErrorFormat::Junit | ErrorFormat::Sarif => {
            eprint!("{}", render_waived(waived));
            Ok(())
        }
    }
}
