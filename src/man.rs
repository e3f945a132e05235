//! `freehold man`: manual pages, made from the command line's own definition: one for the command, one for each verb.

use std::fs;
use std::io;
use std::path::Path;

use clap::CommandFactory;
use clap_mangen::Man;

use crate::cli::{Cli, ManArgs};
use crate::exit::{Exit, Failure};
use crate::output;

/// Prints the page of the command, or writes all pages into a folder.
pub(crate) fn run(args: &ManArgs) -> Result<(), Failure> {
    match &args.out {
        None => output::write(&page().map_err(|error| Failure::new(Exit::Failed, error))?),
        Some(folder) => write(folder).map_err(|error| {
            Failure::new(Exit::Failed, format!("failed to write into {}: {error}", folder.display()))
        }),
    }
}

fn page() -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    Man::new(Cli::command()).render(&mut page)?;
    Ok(page)
}

fn write(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    clap_mangen::generate_to(Cli::command(), folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_of_the_command_has_its_verbs_and_exit_codes() {
        let page = String::from_utf8(page().unwrap()).unwrap();
        for word in [".TH freehold 1", "doctor", "Exit codes", "verify found a violation"] {
            assert!(page.contains(word), "{word} in\n{page}");
        }
    }

    #[test]
    fn every_verb_has_a_page_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path()).unwrap();
        for verb in Cli::command().get_subcommands() {
            let page = folder.path().join(format!("freehold-{}.1", verb.get_name()));
            assert!(page.is_file(), "{}", page.display());
        }
        assert!(folder.path().join("freehold.1").is_file());
    }
}
