//! The builder: what a service says of itself to be served.
//!
//! In: generated services, an address, a contract. Out: a [`Bound`] with its port, which takes no calls until it runs.
//! What does not fit the contract is refused before the port is taken.

use std::convert::Infallible;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use freehold_wire::Contract;
use http::{Request, Response};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::server::NamedService;
use tower_service::Service;

use crate::accept::Accepting;
use crate::door::Door;
use crate::error::Error;
use crate::health::Health;
use crate::limits::MAX_CONNECTIONS;
use crate::listen::Listen;
use crate::routes::Routes;
use crate::stack::Stack;
use crate::tasks::Tasks;
use crate::web::Web;
use crate::{platform, reflection};

/// A server that is being put together.
#[must_use]
pub struct Server {
    owner: String,
    contract: &'static Contract,
    routes: Routes,
    served_twice: Option<&'static str>,
    web: Option<Web>,
    listen: Listen,
    trust_metadata: bool,
    max_connections: usize,
    max_age: Option<Duration>,
    grace: Duration,
}

/// A server that has its port and takes no calls yet.
pub struct Bound {
    listeners: Vec<TcpListener>,
    address: SocketAddr,
    door: Door,
    health: Health,
    grace: Duration,
}

impl Server {
    /// A server of `owner`, the name that the contract gives it. It listens on a free port of this machine and gives
    /// calls one second to end.
    pub fn new(owner: &str, contract: &'static Contract) -> Self {
        Self {
            owner: owner.to_owned(),
            contract,
            routes: Routes::default(),
            served_twice: None,
            web: None,
            listen: Listen::At((Ipv4Addr::LOCALHOST, 0).into()),
            trust_metadata: false,
            max_connections: MAX_CONNECTIONS,
            max_age: None,
            grace: Duration::from_secs(1),
        }
    }

    /// Serves a generated service.
    pub fn serve<S>(mut self, service: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
        S: NamedService + Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
    {
        if !self.routes.add(service) {
            self.served_twice = Some(S::NAME);
        }
        self
    }

    /// Answers every request that is not gRPC with `service`, on the same port: HTTP/JSON of a gateway, say. HTTP/1.1 is
    /// spoken too then. The service reads for itself who calls and until when: nothing is refused before it.
    pub fn web<S>(mut self, service: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
        S: Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
    {
        self.web = Some(Web::new(service));
        self
    }

    /// Where to listen: an address, port 0 for a free one, or sockets that listen already.
    pub fn listen(mut self, at: impl Into<Listen>) -> Self {
        self.listen = at.into();
        self
    }

    /// Whether the name that a caller gives itself counts beyond this machine.
    pub fn trust_metadata(mut self, trust: bool) -> Self {
        self.trust_metadata = trust;
        self
    }

    /// How many connections there may be at once; one peer gets half of them. 1024 where nothing is said.
    pub fn max_connections(mut self, most: usize) -> Self {
        self.max_connections = most;
        self
    }

    /// How old a connection gets before its client is told to make another one, so that clients find new servers. Up to a
    /// tenth is added by chance. No call fails by it; without a word on it connections last as long as they are used.
    pub fn max_connection_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age);
        self
    }

    /// How long calls have to end when the server is told to.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Takes the port. Clients can connect from now on; they are answered when the server runs.
    ///
    /// # Errors
    /// [`Error`]: the port is taken or may not be used, or the services do not fit the contract.
    pub async fn bind(mut self) -> Result<Bound, Error> {
        self.check()?;
        let (reporter, health_service) = tonic_health::server::health_reporter();
        let health = Health::new(reporter, self.routes.names());
        health.not_serving().await;
        self.routes.add(health_service);
        let mut listed = self.routes.names();
        listed.extend([platform::REFLECTION, platform::REFLECTION_ALPHA]);
        reflection::add(self.contract, &mut self.routes, &listed)?;
        let (listeners, address) = self.listen.open(self.trust_metadata).await?;
        let tasks = Tasks::default();
        let stack = Arc::new(Stack::new(&self.owner, self.contract, self.routes, self.web, tasks.clone()));
        let door = Door::new(stack, tasks, self.max_connections, self.max_age);
        Ok(Bound { listeners, address, door, health, grace: self.grace })
    }

    fn check(&self) -> Result<(), Error> {
        if let Some(service) = self.served_twice {
            return Err(Error::Twice { service });
        }
        let own = self.contract.owner(&self.owner).map(|owner| owner.services).unwrap_or_default();
        let allowed = |service: &&str| own.contains(service) || platform::SERVICES.contains(service);
        match self.routes.names().into_iter().find(|service| !allowed(service)) {
            Some(service) => Err(Error::Foreign { service, owner: self.owner.clone() }),
            None => Ok(()),
        }
    }
}

impl Bound {
    /// Where it listens; of several places, the first.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown`, then says so to whoever watches its health, takes nothing new, gives what has begun its
    /// grace, and ends. Streams that wait for something to happen end at once, with UNAVAILABLE.
    ///
    /// # Errors
    /// [`Error::Accept`]: it ended by itself, because the system gave out no connections any more.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), Error> {
        let Self { listeners, address, door, health, grace } = self;
        health.serving().await;
        tracing::info!(%address, "serving");
        let tasks = door.tasks.clone();
        let accepting = Accepting::new(listeners, door);
        let broken = shutdown.run_until_cancelled(accepting.accept()).await;
        // Before anything is refused: a balancer that hears of it in time sends nothing that would be.
        health.not_serving().await;
        if let Err(error) = accepting.close() {
            tracing::debug!(%error, "who had connected is not told");
        }
        tasks.end(grace).await;
        tracing::info!(%address, "ended");
        match broken {
            None => Ok(()),
            Some(Err(source)) => Err(Error::Accept { address, source }),
            Some(Ok(never)) => match never {},
        }
    }
}

impl fmt::Debug for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bound").field("address", &self.address).finish_non_exhaustive()
    }
}
