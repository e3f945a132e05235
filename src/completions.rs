//! `freehold completions`: what a shell needs to complete verbs and options, made from the command line's own definition.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::{Cli, CompletionsArgs};
use crate::exit::Failure;
use crate::output;

/// Prints the script of a shell.
pub(crate) fn run(args: &CompletionsArgs) -> Result<(), Failure> {
    output::write(&script(args.shell))
}

fn script(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "freehold", &mut script);
    script
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verb_is_completed_in_every_shell() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let script = String::from_utf8(script(shell)).unwrap();
            for verb in Cli::command().get_subcommands() {
                assert!(script.contains(verb.get_name()), "{} in {shell}", verb.get_name());
            }
            assert!(script.contains("mermaid"), "values are completed, too");
        }
    }
}
