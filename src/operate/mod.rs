//! Operating the events of a running mesh: how far everybody is, what waits, what was emitted, and what to do about it.
//!
//! Each service answers for its own database (`freehold.v1.Operations`); here the answers of all of them become one.

mod dlq;
mod events;
mod flow;
mod lag;
mod relay;
mod replay;
mod shown;

use freehold_client::OperationsClient;
use freehold_sdk::Error;
use freehold_wire::metadata::OPERATOR;
use tonic::Code;

use crate::cli::{Dlq, Events, FlowArgs, Format, LagArgs, Relay, ReplayArgs};
use crate::exit::{Exit, Failure};
use crate::place::Place;

/// Shows how far behind every subscription is.
pub(crate) fn lag(args: &LagArgs, format: Format) -> Result<(), Failure> {
    block_on(lag::run(args, format))
}

/// Shows the whole way of one key.
pub(crate) fn flow(args: &FlowArgs, format: Format) -> Result<(), Failure> {
    block_on(flow::run(args, format))
}

/// Looks at dead letters, or decides about them.
pub(crate) fn dlq(verb: &Dlq, format: Format) -> Result<(), Failure> {
    block_on(async {
        match verb {
            Dlq::Ls(args) => dlq::list(args, format).await,
            Dlq::Show(args) => dlq::show(args, format).await,
            Dlq::Redrive(args) => dlq::redrive(args, format).await,
            Dlq::Skip(args) => dlq::skip(args).await,
        }
    })
}

/// Looks at events, or forgets who reads them.
pub(crate) fn events(verb: &Events, format: Format) -> Result<(), Failure> {
    block_on(async {
        match verb {
            Events::Tail(args) => events::tail(args, format).await,
            Events::Show(args) => events::show(args, format).await,
            Events::Forget(args) => events::forget(args).await,
        }
    })
}

/// Looks at the relays.
pub(crate) fn relay(verb: &Relay, format: Format) -> Result<(), Failure> {
    block_on(async {
        match verb {
            Relay::Status(args) => relay::status(args, format).await,
        }
    })
}

/// Has a consumer read again what it has read.
pub(crate) fn replay(args: &ReplayArgs, format: Format) -> Result<(), Failure> {
    block_on(replay::run(args, format))
}

fn block_on(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    tokio::runtime::Runtime::new().map_err(|error| Failure::new(Exit::Failed, error))?.block_on(work)
}

/// The operations of every service of a mesh.
struct Operated {
    services: Vec<(String, OperationsClient)>,
}

impl Operated {
    /// Finds the services.
    async fn find(place: &Place) -> Result<Self, Failure> {
        let unreachable =
            |error| Failure::new(Exit::Unreachable, format!("no mesh answers at {place}: {error}"));
        let mesh = place.mesh(OPERATOR).await.map_err(unreachable)?;
        let names: Vec<String> = mesh.services().map(|(name, _)| name.to_owned()).collect();
        let client = |name: String| {
            let channel = mesh.channel(&name).map_err(|error| refused(&name, &error))?;
            Ok((name, OperationsClient::new(channel)))
        };
        Ok(Self { services: names.into_iter().map(client).collect::<Result<_, Failure>>()? })
    }

    /// One of them.
    fn service(&self, wanted: &str) -> Result<&OperationsClient, Failure> {
        let found = self.services.iter().find(|(name, _)| name == wanted);
        let names = || self.services.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
        let unknown =
            || Failure::new(Exit::Usage, format!("there is no service `{wanted}`; there are {}", names()));
        found.map(|(_, client)| client).ok_or_else(unknown)
    }

    /// The consumer of a subscription, by name; it holds its parked keys.
    fn consumer<'a>(&'a self, subscription: &'a str) -> Result<(&'a str, &'a OperationsClient), Failure> {
        let Some((consumer, _)) = subscription.split_once('/') else {
            let problem = format!("`{subscription}` is no subscription: it is written CONSUMER/PURPOSE");
            return Err(Failure::new(Exit::Usage, problem));
        };
        Ok((consumer, self.service(consumer)?))
    }
}

/// What a service answers; `None` where it has no operations, such as a gateway that keeps nothing.
fn served<T>(service: &str, answer: Result<T, Error>) -> Result<Option<T>, Failure> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.code() == Code::Unimplemented => Ok(None),
        Err(error) => Err(refused(service, &error)),
    }
}

fn refused(service: &str, error: &Error) -> Failure {
    let exit = if error.is_unavailable() || error.is_deadline_exceeded() {
        Exit::Unreachable
    } else {
        Exit::Refused
    };
    Failure::new(exit, format!("{service}: {error}"))
}
