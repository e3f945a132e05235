//! The client of `freehold.v1.Directory`: where the services of a mesh are.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use freehold_wire::pb::{ListServicesRequest, ListServicesResponse};
use freehold_wire::{Access, Context, Method, Retry, Rules, Session};

use crate::channel::Channel;
use crate::error::Error;
use crate::options::CallOptions;

const LIST: Method<ListServicesRequest, ListServicesResponse> = Method::new(Rules {
    path: "/freehold.v1.Directory/List",
    deadline: Duration::from_secs(1),
    min_deadline: Duration::ZERO,
    retry: Retry::Safe,
    access: Access::Public,
});

/// What answers the calls of a [`DirectoryClient`]: a channel, or a mock.
#[async_trait]
pub trait DirectoryStub: Send + Sync + Debug {
    /// All services of the mesh and their addresses.
    async fn list(
        &self,
        request: ListServicesRequest,
        options: &CallOptions,
    ) -> Result<ListServicesResponse, Error> {
        let _ = (request, options);
        Err(Error::unimplemented(LIST.rules()))
    }
}

#[async_trait]
impl DirectoryStub for Channel {
    async fn list(
        &self,
        request: ListServicesRequest,
        options: &CallOptions,
    ) -> Result<ListServicesResponse, Error> {
        self.unary(&LIST, request, options).await
    }
}

/// Calls the directory. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct DirectoryClient {
    stub: Arc<dyn DirectoryStub>,
    options: CallOptions,
}

impl DirectoryClient {
    /// A client over a channel.
    #[must_use]
    pub fn new(channel: Channel) -> Self {
        Self::from_stub(channel)
    }

    /// A client over a mock.
    #[must_use]
    pub fn from_stub(stub: impl DirectoryStub + 'static) -> Self {
        Self { stub: Arc::new(stub), options: CallOptions::new() }
    }

    /// The same client as part of a line of work.
    #[must_use]
    pub fn within(&self, context: &Context) -> Self {
        Self { options: self.options.within(context), ..self.clone() }
    }

    /// The same client with another deadline.
    #[must_use]
    pub fn with_deadline(&self, deadline: Duration) -> Self {
        Self { options: self.options.with_deadline(deadline), ..self.clone() }
    }

    /// The same client in a session.
    #[must_use]
    pub fn with_session(&self, session: &Session) -> Self {
        Self { options: self.options.with_session(session), ..self.clone() }
    }

    /// All services of the mesh and their addresses.
    ///
    /// # Errors
    /// As [`Channel::unary`].
    pub async fn list(&self, request: ListServicesRequest) -> Result<ListServicesResponse, Error> {
        self.stub.list(request, &self.options).await
    }
}
