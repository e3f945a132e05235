//! Calls over several services: what travels with them.

use std::sync::Arc;
use std::time::Duration;

use freehold_client::{CallOptions, Channel, Error};
use freehold_wire::pb::Token;
use freehold_wire::{Committed, Context, Criticality};
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;
use tonic::Status;

use crate::echo::{CRITICAL, Echo, Note, PATIENCE, READ, Served, WRITE, note};

fn token(owner: &str, mark: i64) -> Token {
    Token::default().with_owner(owner).with_epoch(1).with_mark(mark)
}

fn text(session: &freehold_wire::Session) -> String {
    session.tokens().iter().map(|token| format!("{}={} ", token.owner, token.mark)).collect()
}

/// Three services, each calling the next one within its own context.
async fn chain(third: Echo, forward: impl Fn(Channel) -> Echo) -> Served {
    let third = third.serve_as("third").await;
    let second = forward(third.channel("second")).serve_as("second").await;
    forward(second.channel("first")).serve_as("first").await
}

/// R16: a write two hops away is in the session that comes back, and what the caller had seen before goes all the way;
/// per owner the greatest mark stays. The planted fault is a service that calls outside its context.
#[tokio::test]
async fn a_session_goes_over_three_hops_and_back() {
    let within: fn(Channel) -> Echo =
        |next| Echo::new().write(move |context, note| write(next.clone(), context, note));
    let outside: fn(Channel) -> Echo = |next| {
        Echo::new().write(move |context, note| {
            let forgotten = Context::new("first", context.remaining());
            write(next.clone(), forgotten, note)
        })
    };
    for (forward, seen, learned) in [
        (within, "elsewhere=7 third=3 ", "elsewhere=7 first=10 second=10 third=30 "),
        (outside, "", "elsewhere=7 first=10 third=3 "),
    ] {
        let third = Echo::new().write(|context, _| async move {
            Ok(Committed::attest(note(text(context.session())), token("third", 30), false))
        });
        let first = chain(third, forward).await;
        let options = CallOptions::new();
        options.session().saw(token("elsewhere", 7));
        options.session().saw(token("third", 3));
        let told = first.channel("tester").unary(&WRITE, note(""), &options).await.unwrap();
        assert_eq!(told.text, seen, "what the third service was told");
        assert_eq!(text(options.session()), learned, "what the caller was told");
    }
}

/// R14: a token of nobody here is refused at the door: it would travel to every callee and into every event.
#[tokio::test]
async fn a_token_of_an_unknown_owner_is_refused_by_name() {
    let server = Echo::new().read(|_, _| async { Ok(note("read")) }).serve_as("first").await;
    let options = CallOptions::new();
    options.session().saw(token("nobody", 7));
    let error = server.channel("tester").unary(&READ, note(""), &options).await.unwrap_err();
    assert!(error.is_invalid_argument(), "{error}");
    assert!(error.message().starts_with("freehold-token-bin: "), "{error}");
}

/// Forwards a write, and commits one of its own.
async fn write(next: Channel, context: Context, note: Note) -> Result<Committed<Note>, Status> {
    let reply = next.unary(&WRITE, note, &CallOptions::new().within(&context)).await?;
    Ok(Committed::attest(reply, token(next.consumer(), 10), false))
}

/// R16: a refusal carries the session too: its caller must be able to see what the refusal rests on.
#[tokio::test]
async fn a_refusal_carries_the_session_over_hops() {
    let third = Echo::new().read(|context, _| async move {
        context.session().saw(token("third", 9));
        Err(freehold_wire::reason::not_found("echo.v1.Note", "x"))
    });
    let first = chain(third, |next| {
        Echo::new().read(move |context, request| {
            let next = next.clone();
            async move { Ok(next.unary(&READ, request, &CallOptions::new().within(&context)).await?) }
        })
    })
    .await;
    let options = CallOptions::new();
    let error = first.channel("tester").unary(&READ, note(""), &options).await.unwrap_err();
    assert!(error.is_not_found(), "{error}");
    assert_eq!(error.reason(), "NOT_FOUND");
    assert_eq!(text(options.session()), "third=9 ");
}

/// C5: each hop has what is left. The planted fault is a service that calls outside its context: its callee then gets
/// the contract's deadline anew.
#[tokio::test]
async fn a_deadline_shrinks_over_hops() {
    type Forward = fn(Channel) -> Echo;
    let within: Forward = |next| Echo::new().read(move |context, _| left(next.clone(), Some(context)));
    let outside: Forward = |next| Echo::new().read(move |_, _| left(next.clone(), None));
    let budget = Duration::from_secs(5);
    for (forward, shrinks) in [(within, true), (outside, false)] {
        let third = Echo::new()
            .read(|context, _| async move { Ok(note(context.remaining().as_nanos().to_string())) });
        let first = chain(third, forward).await;
        let options = CallOptions::new().with_deadline(budget);
        let said = first.channel("tester").unary(&READ, note(""), &options).await.unwrap();
        let left = Duration::from_nanos(said.text.parse().unwrap());
        assert_eq!(left < budget, shrinks, "{left:?}");
    }
}

/// C6: when the caller goes away, so does the work that is done for it two services further down. The planted fault is a
/// service that makes its call in a task of its own: what it called goes on.
#[tokio::test]
async fn a_caller_that_goes_away_takes_the_calls_of_all_hops_with_it() {
    for apart in [false, true] {
        let (tell, mut told) = mpsc::unbounded_channel();
        let (told_by_third, told_by_hops) = (tell.clone(), tell);
        let go_on = Arc::new(Notify::new());
        let gate = go_on.clone();
        let third = Echo::new().read(move |_, note| {
            told_by_third.send("begun").unwrap();
            let (work, gate) = (Work(told_by_third.clone(), "stopped"), gate.clone());
            async move {
                gate.notified().await;
                work.0.send("done").unwrap();
                Ok(note)
            }
        });
        let first = chain(third, |next| {
            let tell = told_by_hops.clone();
            Echo::new().read(move |context, _| {
                let (work, call) = (Work(tell.clone(), "let go"), left(next.clone(), Some(context)));
                async move {
                    let _work = work;
                    if apart { tokio::spawn(call).await.unwrap() } else { call.await }
                }
            })
        })
        .await;
        let (channel, options) = (first.channel("tester"), CallOptions::new().with_deadline(PATIENCE));
        let call = tokio::spawn(async move { channel.unary(&READ, note(""), &options).await });
        let mut next = async || timeout(PATIENCE, told.recv()).await.unwrap().unwrap();
        assert_eq!(next().await, "begun");
        call.abort();
        if apart {
            assert_eq!(next().await, "let go");
            go_on.notify_one();
            assert_eq!(next().await, "done", "nobody has stopped it");
        } else {
            let mut ended = [next().await, next().await, next().await];
            ended.sort_unstable();
            assert_eq!(ended, ["let go", "let go", "stopped"]);
        }
    }
}

/// Says a word when it is dropped.
struct Work(mpsc::UnboundedSender<&'static str>, &'static str);

impl Drop for Work {
    fn drop(&mut self) {
        let _nobody_asks_any_more = self.0.send(self.1);
    }
}

async fn left(next: Channel, context: Option<Context>) -> Result<Note, Status> {
    let options = context.map_or_else(CallOptions::new, |context| CallOptions::new().within(&context));
    next.unary(&READ, note(""), &options).await.map_err(|error: Error| error.into())
}

/// C27: a call matters no more than the line of work that it is made for, over all hops. The planted fault is a service that
/// calls outside its context: what it calls matters as much as it can.
#[tokio::test]
async fn a_call_matters_no_more_than_its_caller_over_hops() {
    type Forward = fn(Channel) -> Echo;
    let within: Forward = |next| Echo::new().read(move |context, _| weighed(next.clone(), Some(context)));
    let outside: Forward = |next| Echo::new().read(move |_, _| weighed(next.clone(), None));
    for (forward, method, weighs) in [
        (within, &READ, Criticality::Default),
        (within, &CRITICAL, Criticality::Critical),
        (outside, &READ, Criticality::Critical),
    ] {
        let third = Echo::new().read(|context, _| async move { Ok(note(context.criticality().name())) });
        let first = chain(third, forward).await;
        let said = first.channel("tester").unary(method, note(""), &CallOptions::new()).await.unwrap();
        assert_eq!(said.text, weighs.name());
    }
}

async fn weighed(next: Channel, context: Option<Context>) -> Result<Note, Status> {
    let options = context.map_or_else(CallOptions::new, |context| CallOptions::new().within(&context));
    next.unary(&CRITICAL, note(""), &options).await.map_err(|error: Error| error.into())
}

/// One trace and one request id over all hops.
#[tokio::test]
async fn a_trace_and_a_request_id_go_over_hops() {
    let third = Echo::new().read(|context, _| async move {
        Ok(note(format!("{} {}", context.trace().id(), context.request_id())))
    });
    let first =
        chain(third, |next| Echo::new().read(move |context, _| left(next.clone(), Some(context)))).await;
    let context = Context::new("tester", Duration::from_secs(5));
    let options = CallOptions::new().within(&context);
    let said = first.channel("tester").unary(&READ, note(""), &options).await.unwrap();
    assert_eq!(said.text, format!("{} {}", context.trace().id(), context.request_id()));
}
