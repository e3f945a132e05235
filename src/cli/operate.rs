//! The command line of operations: `lag`, `flow`, `dlq`, `events`, `relay`. Parsing alone, as in `cli`.

use clap::{Args, Subcommand};

use crate::place::Place;

/// Where the mesh is.
#[derive(Debug, Clone, Args)]
pub(crate) struct MeshArgs {
    /// The directory of the mesh, or `env` for services that run one by one.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:7400")]
    pub(crate) mesh: Place,
}

/// Options of `lag`.
#[derive(Debug, Clone, Args)]
pub(crate) struct LagArgs {
    #[command(flatten)]
    pub(crate) mesh: MeshArgs,
}

/// Options of `flow`.
#[derive(Debug, Clone, Args)]
pub(crate) struct FlowArgs {
    /// The key of an order, or of whatever else.
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) mesh: MeshArgs,
}

/// What can be asked about the relays.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Relay {
    /// Shows how far each owner's events have been published to its bus, who does it, and what keeps it from that.
    Status(MeshArgs),
}

/// Options of `replay`.
#[derive(Debug, Clone, Args)]
pub(crate) struct ReplayArgs {
    /// Whose subscriptions: the name of a service.
    #[arg(value_name = "CONSUMER")]
    pub(crate) consumer: String,
    /// After which position: a number, as `events tail -o json` shows it, or `beginning`.
    #[arg(long, value_name = "POSITION|beginning", value_parser = From::parse)]
    pub(crate) from: From,
    /// Builds this view anew, beside the one that is read, instead of having what reacts read again.
    #[arg(long, value_name = "NAME")]
    pub(crate) view: Option<String>,
    /// Only what is read of this owner.
    #[arg(long, value_name = "NAME", conflicts_with = "view")]
    pub(crate) owner: Option<String>,
    /// Says what would be read again, and does nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) who: WhoArgs,
    #[command(flatten)]
    pub(crate) mesh: MeshArgs,
}

/// Where a replay begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum From {
    /// With the oldest event that is kept.
    Beginning,
    /// After the event at this position.
    Position(i64),
}

impl From {
    fn parse(text: &str) -> Result<Self, String> {
        if text == "beginning" {
            return Ok(Self::Beginning);
        }
        let position = text.parse().ok().filter(|mark| *mark >= 0);
        position.map(Self::Position).ok_or_else(|| "it is a position, 0 or more, or `beginning`".to_owned())
    }
}

/// What can be done about keys whose events wait.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Dlq {
    /// Lists dead letters, those that wait longest first.
    Ls(ListArgs),
    /// Shows dead letters with their events and with what was decided about them before.
    Show(ListArgs),
    /// Tries dead letters again, and then the events behind each in order.
    Redrive(RedriveArgs),
    /// Gives up one version of a key for good, and goes on with the next.
    Skip(SkipArgs),
}

/// Which keys; what is not given does not count.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub(crate) struct Filter {
    /// Only of this subscription: `CONSUMER/PURPOSE`.
    #[arg(long, value_name = "NAME")]
    pub(crate) subscription: Option<String>,
    /// Only of this entity, by full name.
    #[arg(long, value_name = "NAME")]
    pub(crate) entity: Option<String>,
    /// Only this key.
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Option<String>,
    /// Only where the reason has this in it.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}

/// Options of `dlq ls` and `dlq show`.
#[derive(Debug, Clone, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    pub(crate) filter: Filter,
    /// Also the keys that wait for their next attempt, or for a version that has not arrived.
    #[arg(long)]
    pub(crate) waiting: bool,
    #[command(flatten)]
    pub(crate) mesh: MeshArgs,
}

/// Options of `dlq redrive`.
#[derive(Debug, Clone, Args)]
pub(crate) struct RedriveArgs {
    #[command(flatten)]
    pub(crate) filter: Filter,
    /// All dead letters of the mesh; otherwise a filter is needed.
    #[arg(long)]
    pub(crate) all: bool,
    /// Says what would be tried again, and does nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// At most so many a second.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) rate: u32,
    #[command(flatten)]
    pub(crate) who: WhoArgs,
    #[command(flatten)]
    pub(crate) mesh: MeshArgs,
}

/// Options of `dlq skip`.
#[derive(Debug, Clone, Args)]
pub(crate) struct SkipArgs {
    /// The subscription: `CONSUMER/PURPOSE`.
    #[arg(value_name = "SUBSCRIPTION")]
    pub(crate) subscription: String,
    /// The entity, by full name.
    #[arg(value_name = "ENTITY")]
    pub(crate) entity: String,
    /// The key.
    #[arg(value_name = "KEY")]
    pub(crate) key: String,
    /// The version that is given up: the dead letter's own, or the missing one before it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
    pub(crate) version: i64,
    #[command(flatten)]
    pub(crate) who: WhoArgs,
    #[command(flatten)]
    pub(crate) mesh: MeshArgs,
}

/// Who decides.
#[derive(Debug, Clone, Args)]
pub(crate) struct WhoArgs {
    /// Who decides so, for the record.
    #[arg(long, value_name = "NAME", env = "USER", default_value = "unknown")]
    pub(crate) who: String,
}

/// What can be seen of events, and of who reads them.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Events {
    /// Prints events as they are emitted, until it is interrupted.
    Tail(TailArgs),
    /// Shows the events of a key that are kept.
    Show(ShowArgs),
    /// Withdraws a subscription whose consumer will not come back: nothing is kept for it any more.
    Forget(ForgetArgs),
}

/// Options of `events tail`.
#[derive(Debug, Clone, Args)]
pub(crate) struct TailArgs {
    /// Only of these owners, separated by commas.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) owner: Vec<String>,
    /// Only of this entity, by full name.
    #[arg(long, value_name = "NAME")]
    pub(crate) entity: Option<String>,
    /// Only of this key.
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Option<String>,
    /// Begins with the oldest event that is kept, rather than with the next.
    #[arg(long)]
    pub(crate) all: bool,
    /// Ends where there is nothing more for now, rather than waiting for the next.
    #[arg(long)]
    pub(crate) no_follow: bool,
    #[command(flatten)]
    pub(crate) mesh: MeshArgs,
}

/// Options of `events show`.
#[derive(Debug, Clone, Args)]
pub(crate) struct ShowArgs {
    /// The key.
    #[arg(value_name = "KEY")]
    pub(crate) key: String,
    /// Only of this entity, by full name.
    #[arg(long, value_name = "NAME")]
    pub(crate) entity: Option<String>,
    #[command(flatten)]
    pub(crate) mesh: MeshArgs,
}

/// Options of `events forget`.
#[derive(Debug, Clone, Args)]
pub(crate) struct ForgetArgs {
    /// The owner that the subscription reads.
    #[arg(value_name = "OWNER")]
    pub(crate) owner: String,
    /// The subscription: `CONSUMER/PURPOSE`.
    #[arg(value_name = "SUBSCRIPTION")]
    pub(crate) subscription: String,
    #[command(flatten)]
    pub(crate) who: WhoArgs,
    #[command(flatten)]
    pub(crate) mesh: MeshArgs,
}
