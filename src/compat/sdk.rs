//! `compat --sdk`: what becomes of the SDK for Rust, since each baseline that runs.
//!
//! In: the states that are compared. Out: a section after the findings, or an object on a line. **Invariant:** it decides
//! nothing: a step of the SDK's version carries what it breaks, so the exit code is that of the findings.

use freehold_codegen::semver::{compare, render_json, render_text};
use freehold_contract::compat::Life;

use super::baseline::Named;
use super::state::State;
use crate::cli::ErrorFormat;
use crate::exit::Failure;
use crate::output;

/// Why it cannot be said what becomes of an SDK.
#[derive(Debug, thiserror::Error)]
#[error("failed to generate the SDK since `{baseline}`")]
pub(crate) struct NoSdk {
    baseline: String,
    #[source]
    cause: freehold_codegen::Error,
}

/// The sections of all baselines that run. None for a state that does not compile, which the findings say already.
pub(crate) fn sections(baselines: &[Named], current: &State, format: ErrorFormat) -> Result<String, NoSdk> {
    let Ok(current) = current.clone().contract(None) else { return Ok(String::new()) };
    let mut text = String::new();
    for Named { name, life, state } in baselines {
        let Ok(before) = state.clone().contract(Some(name)) else { continue };
        if *life == Life::Released {
            continue;
        }
        let verdict = compare(&before.model, &current.model)
            .map_err(|cause| NoSdk { baseline: name.clone(), cause })?;
        text += &match format {
            ErrorFormat::Json => render_json(&verdict, name),
            _ => render_text(&verdict, name),
        };
    }
    Ok(text)
}

/// Writes the sections after the findings; the formats of other programs have no place for them, there they are for people.
pub(crate) fn print(sections: &str, format: ErrorFormat) -> Result<(), Failure> {
    match format {
        ErrorFormat::Text | ErrorFormat::Json => output::write(sections.as_bytes()),
        ErrorFormat::GithubActions | ErrorFormat::Junit | ErrorFormat::Sarif => {
            eprint!("{sections}");
            Ok(())
        }
    }
}
