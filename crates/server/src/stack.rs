//! What every request passes, in this order and in no other.
//!
//! In: a request of any peer. Out: an answer, always. **Invariant:** no handler runs for a call whose metadata, caller
//! or deadline is not in order, and none runs past its deadline.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use freehold_wire::metadata::{REQUEST_ID, TOKEN};
use freehold_wire::{Context, Contract, Reason, Rules, reason};
use http::{HeaderMap, HeaderValue, Request, Response};
use tokio::time::timeout_at;
use tonic::Status;
use tonic::body::Body;
use tracing::Instrument;

use crate::body::Bounded;
use crate::contained::contained;
use crate::limits::MAX_METADATA;
use crate::routes::Routes;
use crate::tasks::Tasks;
use crate::web::{Web, is_grpc};
use crate::{platform, typed};

/// The stack of one server.
pub(crate) struct Stack {
    contract: &'static Contract,
    methods: HashMap<&'static str, &'static Rules>,
    routes: Routes,
    web: Option<Web>,
    tasks: Tasks,
}

impl Stack {
    /// The stack of `owner`'s server.
    pub(crate) fn new(
        owner: &str,
        contract: &'static Contract,
        routes: Routes,
        web: Option<Web>,
        tasks: Tasks,
    ) -> Self {
        let own = contract.owner(owner).map(|owner| owner.methods).unwrap_or_default();
        let methods = own.iter().chain(&platform::METHODS).map(|rules| (rules.path, rules)).collect();
        Self { contract, methods, routes, web, tasks }
    }

    /// Whether anything but gRPC is answered.
    pub(crate) fn has_web(&self) -> bool {
        self.web.is_some()
    }

    /// The longest that any call may take by its contract.
    pub(crate) fn longest_call(&self) -> Duration {
        self.methods.values().map(|rules| rules.max_deadline()).max().unwrap_or_default()
    }

    /// Answers a request.
    pub(crate) async fn answer(&self, request: Request<Body>) -> Response<Body> {
        // The clock is read before anything is done, so that what is done counts.
        let arrived = Instant::now();
        // What is not gRPC has another way to say all that follows.
        if let Some(web) = self.web.as_ref().filter(|_| !is_grpc(&request)) {
            return web.answer(request).await;
        }
        // The rules come first: without them there is neither a deadline nor an access to hold a call to.
        let Some(rules) = self.methods.get(request.uri().path()).copied() else {
            return typed::response(unknown(&request));
        };
        // Then what the caller says of itself, all of it or nothing: no later line reads raw metadata. A deadline
        // that is spent, or no deadline at all, is refused here.
        let context = match self.entered(rules, request.headers(), arrived) {
            Ok(context) => context,
            Err(refused) => return typed::response(refused),
        };
        // From here on whatever happens is logged under the call's names.
        let (caller, id) = (context.caller(), context.request_id());
        let span =
            tracing::info_span!("call", method = rules.name(), %caller, id, trace = context.trace().id());
        let handled = self.handle(rules, context.clone(), request).instrument(span.clone()).await;
        // Last, so that every answer, a refusal too, is typed and named.
        let answer = finished(handled.unwrap_or_else(typed::response), &context);
        let status = answer.headers().get(Status::GRPC_STATUS);
        span.in_scope(|| tracing::debug!(?status, took = ?arrived.elapsed(), "answered"));
        answer
    }

    fn entered(
        &self,
        rules: &'static Rules,
        headers: &HeaderMap,
        arrived: Instant,
    ) -> Result<Context, Status> {
        if headers.len() > MAX_METADATA {
            let message =
                format!("the call has {} metadata entries, at most {MAX_METADATA} are taken", headers.len());
            return Err(Reason::ResourceExhausted.because("TOO_MUCH_METADATA", message));
        }
        let context = Context::of_call(rules, headers, arrived)?;
        // A session travels on to every callee and into every event: what no owner here gave out stays outside.
        match context.session().tokens().iter().find(|token| self.contract.owner(&token.owner).is_none()) {
            None => Ok(context),
            Some(_) => Err(reason::bad_field(TOKEN, "names an owner that is not in the contracts")),
        }
    }

    async fn handle(
        &self,
        rules: &Rules,
        context: Context,
        mut request: Request<Body>,
    ) -> Result<Response<Body>, Status> {
        // Access before any work for the caller, and after the caller is known.
        let caller = context.caller().name();
        self.contract
            .permit(caller, rules)
            .map_err(|line| Reason::PermissionDenied.because("UNDECLARED", line))?;
        let deadline = context.deadline();
        request.extensions_mut().insert(context);
        let handler = self.routes.call(request).ok_or_else(|| unknown_method(rules.path))?;
        // The panic inside the deadline: what catches it must not outlive the call either.
        let answered = timeout_at(deadline.into(), contained(handler)).await.map_err(|_| too_late())?;
        // The messages of a stream are made after its handler has answered; the same deadline goes on to count.
        answered.map(|response| self.bounded(response, deadline))
    }

    /// An answer without a body has its status in its headers; any other one is watched until it ends.
    fn bounded(&self, response: Response<Body>, deadline: Instant) -> Response<Body> {
        if response.headers().contains_key(Status::GRPC_STATUS) {
            return response;
        }
        response.map(|body| Body::new(Bounded::new(body, deadline, self.tasks.clone())))
    }
}

fn finished(mut response: Response<Body>, context: &Context) -> Response<Body> {
    typed::retype(response.headers_mut());
    if let Ok(id) = HeaderValue::from_str(context.request_id()) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

fn unknown(request: &Request<Body>) -> Status {
    unknown_method(request.uri().path())
}

fn unknown_method(path: &str) -> Status {
    let shown: String = path.chars().take(200).collect();
    reason::unimplemented(format!("there is no method {shown} here"))
}

fn too_late() -> Status {
    Reason::DeadlineExceeded.status("the call was not done by its deadline")
}
