//! What every request passes, in this order and in no other.
//!
//! In: a request of any peer. Out: an answer, always. **Invariant:** no handler runs for a call whose metadata, caller
//! or deadline is not in order, and none runs past its deadline.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use freehold_wire::metadata::{REQUEST_ID, TOKEN};
use freehold_wire::{Context, Contract, Reason, Rules, reason};
use http::{HeaderMap, HeaderValue, Request, Response};
use tokio::time::error::Elapsed;
use tokio::time::timeout_at;
use tonic::Status;
use tonic::body::Body;
use tracing::Instrument;

use crate::body::Bounded;
use crate::contained::contained;
use crate::handler::Handler;
use crate::limits::MAX_METADATA;
use crate::meter::{CallRecord, Meter, MethodMeter};
use crate::routes::Routes;
use crate::shedding::Shedding;
use crate::tasks::Tasks;
use crate::web::{Web, is_grpc};
use crate::{platform, scrape, typed};

/// A method that is served.
struct Served {
    rules: &'static Rules,
    meter: Arc<MethodMeter>,
    /// Its number among those that can be shed. A stream lasts as long as it lasts, and what every server has keeps the
    /// mesh together: those have none.
    shed_as: Option<usize>,
}

/// The stack of one server.
pub(crate) struct Stack {
    contract: &'static Contract,
    methods: HashMap<&'static str, Served>,
    shedding: Shedding,
    meter: Meter,
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
        let meter = Meter::new(owner);
        let shedding = Shedding::new(own.iter().map(|rules| rules.deadline));
        let served = |rules: &'static Rules, shed_as| {
            (rules.path, Served { rules, shed_as, meter: meter.method(rules.name()) })
        };
        let own = own.iter().enumerate();
        let own = own.map(|(number, rules)| served(rules, (!rules.streams).then_some(number)));
        let platform = platform::METHODS.iter().map(|rules| served(rules, None));
        let methods = own.chain(platform).collect();
        Self { contract, methods, shedding, meter, routes, web, tasks }
    }

    /// What is counted.
    pub(crate) fn meter(&self) -> &Meter {
        &self.meter
    }

    /// The longest that any call may take by its contract.
    pub(crate) fn longest_call(&self) -> Duration {
        self.methods.values().map(|served| served.rules.max_deadline()).max().unwrap_or_default()
    }

    /// Answers a request.
    ///
    /// The clock was read when it arrived, before anything was done, so that what is done counts, waiting too.
    pub(crate) async fn answer(&self, request: Request<Body>, arrived: Instant) -> Response<Body> {
        // Whoever watches the server asks in no caller's name, and must not be kept out by what it watches.
        if let Some(metrics) = scrape::answer(&request, &self.meter) {
            return metrics;
        }
        // What is not gRPC has another way to say all that follows.
        if let Some(web) = self.web.as_ref().filter(|_| !is_grpc(&request)) {
            return web.answer(request).await;
        }
        if let Some(nothing) = scrape::nothing_else(&request) {
            return nothing;
        }
        // The rules come first: without them there is neither a deadline nor an access to hold a call to.
        let Some(served) = self.methods.get(request.uri().path()) else {
            return refused(unknown(&request), &mut self.meter.others().call(arrived));
        };
        let rules = served.rules;
        let mut record = served.meter.call(arrived);
        // Then what the caller says of itself, all of it or nothing: no later line reads raw metadata. A deadline
        // that is spent, or no deadline at all, is refused here.
        let context = match self.entered(rules, request.headers(), arrived) {
            Ok(context) => context,
            Err(status) => return refused(status, &mut record),
        };
        // From here on whatever happens is logged under the call's names.
        let span = record.enter(&context, request.headers());
        let handled = self.handle(served, context.clone(), request, arrived).instrument(span).await;
        // The messages of a stream are made after its handler has answered; the same deadline goes on to count.
        let answer = match handled {
            Ok(response) => self.bounded(response, rules.streams.then(|| context.deadline()), record),
            Err(status) => refused(status, &mut record),
        };
        // Last, so that every answer, a refusal too, is typed and named.
        finished(answer, &context)
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
        &Served { rules, shed_as, .. }: &Served,
        context: Context,
        mut request: Request<Body>,
        arrived: Instant,
    ) -> Result<Response<Body>, Status> {
        // Access before any work for the caller, and after the caller is known: who may not call takes no place.
        let caller = context.caller().name();
        self.contract
            .permit(caller, rules)
            .map_err(|line| Reason::PermissionDenied.because("UNDECLARED", line))?;
        let deadline = context.deadline();
        // Then a place among the calls at work. After all that refuses for good, so that it costs next to nothing, and
        // before the handler, so that what there is no time for has not begun.
        let mut pass = match shed_as {
            Some(method) => Some(self.shedding.enter(method, &context, arrived).await?),
            None => None,
        };
        let cancellation = context.cancellation().clone();
        request.extensions_mut().insert(context);
        let handler = self.routes.call(request).ok_or_else(|| unknown_method(rules.path))?;
        // The panic inside the deadline: what catches it must not outlive the call either.
        let work = contained(handler).in_current_span();
        let handler = Handler::start(&self.tasks, cancellation, work);
        let answered = timeout_at(deadline.into(), async { handler.await? }).await;
        if let Some(pass) = pass.as_mut().filter(|_| is_done(&answered)) {
            pass.done();
        }
        drop(pass);
        answered.map_err(|_| too_late())?
    }

    /// An answer without a body has its status in its headers; any other one is watched until it ends.
    fn bounded(
        &self,
        response: Response<Body>,
        deadline: Option<Instant>,
        mut record: CallRecord,
    ) -> Response<Body> {
        if response.headers().contains_key(Status::GRPC_STATUS) {
            record.answered(response.headers());
            return response;
        }
        response.map(|body| Body::new(Bounded::new(body, deadline, self.tasks.clone(), record)))
    }
}

/// The server's own answer, and no handler's.
fn refused(status: Status, record: &mut CallRecord) -> Response<Body> {
    record.refused(&status);
    typed::response(status)
}

/// Whether a handler worked to the end, its own or its deadline's, and did not refuse before.
fn is_done(answered: &Result<Result<Response<Body>, Status>, Elapsed>) -> bool {
    match answered {
        Err(_) => true,
        Ok(Err(_)) => false,
        Ok(Ok(response)) => !response.headers().contains_key(Status::GRPC_STATUS),
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
