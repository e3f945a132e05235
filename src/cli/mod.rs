//! The command line: verbs, options and their help. Parsing alone; what a verb does is in its own module.

mod gate;
mod operate;

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

pub(crate) use self::gate::{CheckArgs, CompatArgs, ErrorFormat, ExplainArgs, ReleaseArgs};
pub(crate) use self::operate::{
    Dlq, Events, Filter, FlowArgs, ForgetArgs, From, LagArgs, ListArgs, MeshArgs, RedriveArgs, Relay,
    ReplayArgs, ShowArgs, SkipArgs, TailArgs,
};
use crate::duration;
use crate::place::Place;

/// Own your data; share it by contract: a gRPC service mesh with generated SDKs.
#[derive(Debug, Parser)]
#[command(name = "freehold", version, after_help = crate::exit::HELP)]
pub(crate) struct Cli {
    /// What to do; `up` where nothing is said.
    #[command(subcommand)]
    pub(crate) verb: Option<Verb>,
    /// How results are written to standard output.
    #[arg(short, long, global = true, value_enum, default_value_t = Format::Text)]
    pub(crate) output: Format,
    /// A file of settings; `freehold.toml` of the working folder where it exists.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Runs the services of the mesh in this process, each on its own port and database.
    Up(UpArgs),
    /// Pushes a real workload, Northwind, through a running mesh, or through one that it starts itself.
    Demo(DemoArgs),
    /// Checks the databases of a mesh, running or stopped, against each other and against the contracts.
    Verify(VerifyArgs),
    /// Makes databases for the mesh.
    #[command(subcommand)]
    Db(Db),
    /// Checks contracts, and underlines what is wrong with them.
    Check(CheckArgs),
    /// Compares contracts with what they were, and says what breaks, whom, and the way out.
    Compat(CompatArgs),
    /// Keeps the contracts of today as a version that every later change is judged by.
    Release(ReleaseArgs),
    /// Explains a rule: what it refuses, why, and a contract that breaks it beside one that does not.
    Explain(ExplainArgs),
    /// Calls any method of the mesh, with JSON in and out.
    Call(CallArgs),
    /// Draws who owns, calls, reads and copies what, from the contracts.
    Graph(GraphArgs),
    /// Writes the contracts in the words of others.
    #[command(subcommand)]
    Export(Export),
    /// Writes what contracts become: the SDK, and what each service needs of the others.
    Gen(GenArgs),
    /// Begins something new.
    #[command(subcommand)]
    New(New),
    /// Shows the services of a running mesh and whether they serve.
    Status(StatusArgs),
    /// Shows how far each subscription is behind its owner, and what waits in it.
    Lag(LagArgs),
    /// Shows the whole way of an order, over all owners.
    Flow(FlowArgs),
    /// Looks at the relays, which publish events to a bus.
    #[command(subcommand)]
    Relay(Relay),
    /// Looks at events that could not be taken, and decides about them.
    #[command(subcommand)]
    Dlq(Dlq),
    /// Looks at what was emitted, and forgets who reads it.
    #[command(subcommand)]
    Events(Events),
    /// Has a consumer read again what it has read, or builds a view anew; nothing takes effect twice.
    Replay(ReplayArgs),
    /// Looks at what a mesh stands on, and says what is wrong and what to do.
    Doctor(DoctorArgs),
    /// Prints what a shell needs to complete this command's words.
    Completions(CompletionsArgs),
    /// Prints the manual page of this command, or writes a page for each verb.
    Man(ManArgs),
    /// Shows the version.
    Version,
}

/// What to do about databases.
#[derive(Debug, Subcommand)]
pub(crate) enum Db {
    /// Makes a database and roles for each service on the server that FREEHOLD_DATABASE_ADMIN_URL names.
    Init(InitArgs),
}

/// Options of `db init`.
#[derive(Debug, Clone, Args)]
pub(crate) struct InitArgs {
    /// What the databases are to run on; on SQLite they are made when the mesh starts.
    #[arg(long, value_enum)]
    pub(crate) engine: Engine,
    /// The folder that is told where they are [default: freehold-data].
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// What the names of the databases and roles begin with.
    #[arg(long, value_name = "NAME", default_value = "freehold")]
    pub(crate) prefix: String,
}

/// What databases run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Engine {
    /// A PostgreSQL server.
    Postgres,
}

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs: one JSON document, or one object per line where there are several.
    Json,
}

/// Options of `up`.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct UpArgs {
    /// Only these services, separated by commas; the others are looked for at their usual addresses.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) only: Vec<String>,
    /// The folder of the databases [default: freehold-data].
    #[arg(long, value_name = "DIR", conflicts_with = "ephemeral")]
    pub(crate) data: Option<PathBuf>,
    /// Keeps the databases in a folder of their own that goes when the mesh ends.
    #[arg(long)]
    pub(crate) ephemeral: bool,
    /// The port of the directory; the services take the next ones; 0 picks free ones [default: 7400].
    #[arg(long, value_name = "N")]
    pub(crate) port: Option<u16>,
    /// The address to listen on [default: 127.0.0.1].
    #[arg(long, value_name = "IP")]
    pub(crate) host: Option<IpAddr>,
    /// Listens beyond this machine: every caller there is believed to be who it says it is.
    #[arg(long)]
    pub(crate) trust_metadata: bool,
    /// Writes the addresses as JSON into this file once all services serve.
    #[arg(long, value_name = "FILE")]
    pub(crate) ready_file: Option<PathBuf>,
}

/// Options of `demo`.
#[derive(Debug, Clone, Args)]
pub(crate) struct DemoArgs {
    /// The directory of a running mesh, or `env` for services that run one by one, each at FREEHOLD_<SERVICE>_URL or at
    /// its usual port; without it the demo runs a mesh of its own.
    #[arg(long, value_name = "URL")]
    pub(crate) mesh: Option<Place>,
    /// The folder of the databases of the demo's own mesh [default: freehold-data].
    #[arg(long, value_name = "DIR", conflicts_with = "mesh")]
    pub(crate) data: Option<PathBuf>,
    /// How many orders, at most the 830 of the data.
    #[arg(long, value_name = "N", default_value_t = 830, value_parser = clap::value_parser!(u32).range(1..=830))]
    pub(crate) orders: u32,
    /// How many orders are under way at once.
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub(crate) workers: u32,
    /// Names the run: the same one again resumes and adds nothing, another one places orders of its own.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Runs a mesh of its own whose network fails on purpose: each service has three endpoints, of which one is slow, one
    /// is dead, and one resets a connection in twenty.
    #[arg(long, conflicts_with = "mesh")]
    pub(crate) faults: bool,
}

/// Options of `verify`.
#[derive(Debug, Clone, Args)]
pub(crate) struct VerifyArgs {
    /// The folder of the databases [default: freehold-data].
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
}

/// Options of `call`.
#[derive(Debug, Clone, Args)]
pub(crate) struct CallArgs {
    /// The method: `catalog.v1.CatalogService/GetProduct`, or any part of it that no other method has, such as
    /// `Catalog/GetProduct`.
    #[arg(value_name = "SERVICE/METHOD")]
    pub(crate) method: String,
    /// The request as JSON, `@FILE`, or `-` for standard input; a stream takes one document after the other.
    #[arg(short, long, value_name = "JSON")]
    pub(crate) data: Option<String>,
    /// The consumer in whose name it is called; what its needs.proto does not declare is refused, except what is public.
    #[arg(long = "as", value_name = "CONSUMER", env = "FREEHOLD_AS", default_value = "demo")]
    pub(crate) caller: String,
    /// The directory of the mesh, or `env` for services that run one by one.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:7400")]
    pub(crate) mesh: Place,
    /// One server instead of a mesh; its methods are those that it describes itself, by reflection.
    #[arg(long, value_name = "URL", conflicts_with = "mesh")]
    pub(crate) at: Option<String>,
    /// How long the call may take, such as 250ms or 2s; at most four times what its contract says, which is the default.
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    pub(crate) deadline: Option<Duration>,
    /// The idempotency key of a write: under one key it takes effect once [default: a new one].
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Option<String>,
    /// Says on standard error what is sent along, and which commits the answer has seen.
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

/// Options of `graph`.
#[derive(Debug, Clone, Args)]
pub(crate) struct GraphArgs {
    /// How it is drawn [default: text, or json under `-o json`].
    #[arg(long, value_enum)]
    pub(crate) format: Option<GraphFormat>,
    /// A folder of contracts, instead of those that this command was built with.
    #[arg(long, value_name = "DIR")]
    pub(crate) proto: Option<PathBuf>,
}

/// How a graph is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphFormat {
    /// A paragraph per service.
    Text,
    /// A Mermaid flowchart.
    Mermaid,
    /// A Graphviz digraph.
    Dot,
    /// One JSON document.
    Json,
}

/// What the contracts are written as.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Export {
    /// An OpenAPI 3.1 document of all that the gateway answers over HTTP/JSON.
    Openapi(ExportArgs),
}

/// Options of `export`.
#[derive(Debug, Clone, Args)]
pub(crate) struct ExportArgs {
    /// A folder of contracts, instead of those that this command was built with.
    #[arg(long, value_name = "DIR")]
    pub(crate) proto: Option<PathBuf>,
    /// The title of the document.
    #[arg(long, value_name = "TEXT", default_value = "Freehold")]
    pub(crate) title: String,
    /// The version that the document says it is of.
    #[arg(long, value_name = "TEXT", default_value = env!("CARGO_PKG_VERSION"))]
    pub(crate) version: String,
}

/// Options of `status`.
#[derive(Debug, Clone, Args)]
pub(crate) struct StatusArgs {
    /// The directory of the mesh, or `env` for services that run one by one, each at FREEHOLD_<SERVICE>_URL or at its
    /// usual port.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:7400")]
    pub(crate) mesh: Place,
}

/// Options of `doctor`.
#[derive(Debug, Clone, Args)]
pub(crate) struct DoctorArgs {
    /// The folder of the databases [default: freehold-data].
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// The directory of the mesh, or `env` for services that run one by one.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:7400")]
    pub(crate) mesh: Place,
}

/// Options of `completions`.
#[derive(Debug, Clone, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell.
    #[arg(value_enum, value_name = "SHELL")]
    pub(crate) shell: Shell,
}

/// Options of `man`.
#[derive(Debug, Clone, Args)]
pub(crate) struct ManArgs {
    /// Writes the pages of all verbs into this folder instead.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

/// Options of `gen`.
#[derive(Debug, Clone, Args)]
pub(crate) struct GenArgs {
    /// The folder of the contracts. The contract language and google/api need not be in it.
    #[arg(long, value_name = "DIR", default_value = "proto")]
    pub(crate) proto: PathBuf,
    /// The crate of the SDK; its src/generated holds nothing else.
    #[arg(long, value_name = "DIR", default_value = "sdk")]
    pub(crate) sdk: PathBuf,
    /// The folder of the services, a crate each; src/generated of a crate holds what the service needs, and nothing else.
    #[arg(long, value_name = "DIR", default_value = "services")]
    pub(crate) services: PathBuf,
    /// Writes nothing; names every file that is not what the contracts say, and ends with 13 where there is one.
    #[arg(long)]
    pub(crate) check: bool,
}

/// What can be begun.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum New {
    /// A service with its contract, its crate and its tests, which compiles and runs untouched.
    Service(NewServiceArgs),
}

/// Options of `new service`.
#[derive(Debug, Clone, Args)]
pub(crate) struct NewServiceArgs {
    /// Its name in the contracts, and its crate's: a lower-case letter, then letters, digits and `_`.
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// What it owns, in capitals and small letters: `Book` [default: NAME in the singular].
    #[arg(long, value_name = "NAME")]
    pub(crate) entity: Option<String>,
    /// The root of the workspace; a new one where there is none.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) dir: PathBuf,
    /// Where a new workspace takes Freehold's crates from: a checkout's folder, the URL of a git repository, or a version
    /// [default: the checkout that this command was built from, or its version where that is gone].
    #[arg(long, value_name = "SOURCE")]
    pub(crate) freehold: Option<String>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    const PAGE: &str = include_str!("../../docs/command.md");

    /// The section of a verb: from its title to the next.
    fn section(verb: &str) -> &str {
        let after = PAGE.split_once(&format!("\n## {verb}\n")).map_or("", |(_, after)| after);
        after.split("\n## ").next().unwrap_or(after)
    }

    #[test]
    fn every_verb_stands_on_its_page_with_an_example() {
        for command in Cli::command().get_subcommands() {
            let verb = command.get_name();
            assert!(
                PAGE.contains(&format!("\n| [`{verb}`](#{verb}) | ")),
                "{verb} has no row in docs/command.md"
            );
            let examples = [format!("$ cargo run -- {verb}"), format!("$ freehold {verb}")];
            let shown = |line: &str| examples.iter().any(|example| line.starts_with(example.as_str()));
            assert!(section(verb).lines().any(shown), "{verb} has no example in docs/command.md");
        }
    }

    #[test]
    fn every_exit_code_is_in_the_help() {
        Cli::command().debug_assert();
        let help = Cli::command().render_help().to_string();
        for code in [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13] {
            assert!(
                help.lines().any(|line| line.trim_start().starts_with(&format!("{code} "))),
                "{code} in\n{help}"
            );
        }
    }
}
