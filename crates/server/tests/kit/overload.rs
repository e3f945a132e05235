//! C27: more calls than a server can do: it works on as many as it can, and refuses the least critical first. How much it
//! gets done is for the simulations of its gate; here is that calls pass the gate, and what the refused are told.

use std::sync::Arc;

use freehold_client::Code;
use freehold_wire::{Method, metadata, reason};
use http::HeaderMap;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;

use crate::bare::{Answered, Bare, frame, tester};
use crate::echo::{CRITICAL, Echo, Note, OPEN, PATIENCE, SHEDDABLE};

/// How many calls a server works on at once that has seen none yet, and how many of each kind wait here.
const AT_WORK: usize = 32;
const WAITING: usize = 10;

/// A server whose handlers wait to be told to go on.
struct Held {
    go_on: Arc<Semaphore>,
    /// The methods of the calls that have begun, in their order.
    begun: mpsc::UnboundedReceiver<&'static str>,
    caller: Bare,
    /// The answers, refusals too.
    answers: mpsc::UnboundedReceiver<Answered>,
    answered: mpsc::UnboundedSender<Answered>,
}

impl Held {
    async fn serve() -> Self {
        let (begins, begun) = mpsc::unbounded_channel();
        let go_on = Arc::new(Semaphore::new(0));
        let held = go_on.clone();
        let echo = Echo::new().read(move |context, note| {
            let (held, begins) = (held.clone(), begins.clone());
            async move {
                begins.send(context.method()).unwrap();
                held.acquire().await.unwrap().forget();
                Ok(note)
            }
        });
        let served = echo.serve().await;
        let caller = Bare::connect(&served.authority).await;
        let (answered, answers) = mpsc::unbounded_channel();
        Self { go_on, begun, caller, answers, answered }
    }

    /// Makes so many calls.
    async fn call(&mut self, method: &'static Method<Note, Note>, calls: usize) {
        for _ in 0..calls {
            self.send(method, tester()).await;
        }
    }

    /// Makes a call with a deadline.
    async fn within(&mut self, method: &'static Method<Note, Note>, deadline: &str) {
        let mut headers = tester();
        headers.insert(metadata::TIMEOUT, deadline.parse().unwrap());
        self.send(method, headers).await;
    }

    async fn send(&mut self, method: &'static Method<Note, Note>, headers: HeaderMap) {
        let answer = self.caller.begin(method.rules().path, headers, frame(&[])).await;
        let answered = self.answered.clone();
        tokio::spawn(async move { answered.send(answer.await) });
    }

    async fn next_answer(&mut self) -> Answered {
        timeout(PATIENCE, self.answers.recv()).await.unwrap().unwrap()
    }

    async fn next_begun(&mut self) -> &'static str {
        timeout(PATIENCE, self.begun.recv()).await.expect("nothing begins").unwrap()
    }
}

/// The planted fault is a stack without the gate: all calls begin.
#[tokio::test]
async fn an_overloaded_server_answers_the_most_critical_first() {
    let mut held = Held::serve().await;
    held.call(&SHEDDABLE, AT_WORK).await;
    for _ in 0..AT_WORK {
        assert_eq!(held.next_begun().await, SHEDDABLE.rules().path);
    }
    // They wait for a part of their time and are refused then; what they are told depends on how much they matter.
    for (method, wanted) in [(&SHEDDABLE, -1..=-1), (&OPEN, 100..=200)] {
        held.within(method, "100m").await;
        let refused = held.next_answer().await;
        assert_eq!(refused.status.code(), Code::ResourceExhausted);
        assert_eq!(reason::of(&refused.status), reason::OVERLOADED);
        let pushback = refused.metadata[metadata::PUSHBACK].to_str().unwrap();
        assert!(wanted.contains(&pushback.parse::<i32>().unwrap()), "{pushback}");
    }
    for method in [&SHEDDABLE, &OPEN, &CRITICAL] {
        held.call(method, WAITING).await;
        // What keeps the mesh together is never refused; its answer shows that the calls before it have arrived.
        let health = held.caller.call("/grpc.health.v1.Health/Check", tester(), frame(&[])).await;
        assert_eq!(health.status.code(), Code::Ok);
    }
    assert!(held.begun.try_recv().is_err(), "more have begun than may");
    held.go_on.add_permits(AT_WORK + 3 * WAITING);
    for method in [&CRITICAL, &OPEN, &SHEDDABLE] {
        for _ in 0..WAITING {
            assert_eq!(held.next_begun().await, method.rules().path, "what waits is let in");
        }
    }
    for _ in 0..AT_WORK + 3 * WAITING {
        assert_eq!(held.next_answer().await.status.code(), Code::Ok);
    }
}

/// What a caller says of its line of work counts, where it makes the call matter less. The planted fault is a gate that asks
/// the method alone.
#[tokio::test]
async fn a_call_for_what_matters_little_is_shed_with_it() {
    let mut held = Held::serve().await;
    held.call(&CRITICAL, AT_WORK).await;
    let mut headers = tester();
    headers.insert(metadata::TIMEOUT, "100m".parse().unwrap());
    headers.insert(metadata::CRITICALITY, "sheddable".parse().unwrap());
    held.send(&CRITICAL, headers).await;
    let refused = held.next_answer().await;
    assert_eq!(reason::of(&refused.status), reason::OVERLOADED);
    assert_eq!(refused.metadata[metadata::PUSHBACK], "-1");
}
