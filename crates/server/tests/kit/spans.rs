//! The spans of a call, of its attempts and of its callee: one trace, by ids that travelled as W3C has them.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use freehold_client::CallOptions;
use freehold_wire::Reason;
use tracing::dispatcher::DefaultGuard;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Subscriber, subscriber};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, Registry};

use crate::echo::{Echo, READ, note};

/// The fields of a span, and its name under "name".
type Fields = BTreeMap<String, String>;

/// Keeps every span in its order, as an exporter would.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<(Id, Fields)>>>);

struct Reading<'a>(&'a mut Fields);

impl Visit for Reading<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Kept {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, _: Context<'_, S>) {
        let mut fields = Fields::from([("name".to_owned(), attributes.metadata().name().to_owned())]);
        attributes.record(&mut Reading(&mut fields));
        self.0.lock().unwrap().push((id.clone(), fields));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        let mut spans = self.0.lock().unwrap();
        // The ids of spans that are over are given out again.
        let (_, fields) = spans.iter_mut().rev().find(|(known, _)| known == id).unwrap();
        values.record(&mut Reading(fields));
    }
}

/// A subscriber that nobody asks. While a process has had but one, a span's place in the code that another thread comes
/// to first is decided by that thread's own subscriber, for all of them: spans of this test would be off.
static SECOND: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(Registry::default()));

impl Kept {
    /// Keeps what this thread does, until it is dropped.
    fn for_this_test(&self) -> DefaultGuard {
        LazyLock::force(&SECOND);
        subscriber::set_default(Registry::default().with(self.clone()))
    }

    /// The spans of that name and kind, in their order.
    fn of(&self, name: &str, kind: &str) -> Vec<Fields> {
        let spans = self.0.lock().unwrap();
        let is = |fields: &Fields| {
            fields["name"] == name && fields.get("otel.kind").is_some_and(|said| said == kind)
        };
        spans.iter().map(|(_, fields)| fields.clone()).filter(is).collect()
    }
}

/// A read that is refused once and then answered. Planted bug: attempts that send the id of their call.
#[tokio::test]
async fn each_attempt_is_a_span_and_what_its_callee_does_is_below_it() {
    let kept = Kept::default();
    let _for_this_test = kept.for_this_test();
    let asked = Arc::new(AtomicUsize::new(0));
    let server = Echo::new().read(move |_, said| {
        let first = asked.fetch_add(1, Ordering::SeqCst) == 0;
        async move { if first { Err(Reason::Unavailable.status("not yet")) } else { Ok(said) } }
    });
    let server = server.serve_as("spanned").await;
    server.channel("tester").unary(&READ, note("a"), &CallOptions::new()).await.unwrap();

    let (calls, attempts, served) =
        (kept.of("call", "client"), kept.of("attempt", "client"), kept.of("call", "server"));
    let [call] = &calls[..] else { panic!("{calls:?}") };
    assert_eq!((attempts.len(), served.len()), (2, 2));
    assert_eq!(call["rpc.method"], "echo.v1.EchoService/Read");
    assert_eq!((call["rpc.system.name"].as_str(), call["rpc.status_code"].as_str()), ("grpc", "OK"));
    assert_eq!(call["parent_span_id"], "", "nobody is above it");
    for (number, (attempt, served)) in attempts.iter().zip(&served).enumerate() {
        assert_eq!(attempt["parent_span_id"], call["span_id"]);
        assert_eq!(served["parent_span_id"], attempt["span_id"]);
        assert!(attempt["trace_id"] == call["trace_id"] && served["trace_id"] == call["trace_id"]);
        assert_eq!(attempt["freehold.attempts_before"], number.to_string());
        assert_eq!(served["freehold.caller"], "tester");
        let code = ["UNAVAILABLE", "OK"][number];
        assert_eq!((attempt["rpc.status_code"].as_str(), served["rpc.status_code"].as_str()), (code, code));
        assert_eq!(attempt.get("error.type").map(String::as_str), (number == 0).then_some(code));
        let status = served.get("otel.status_code").map(String::as_str);
        assert_eq!(status, (number == 0).then_some("ERROR"));
    }
    assert_ne!(attempts[0]["span_id"], attempts[1]["span_id"]);
}

/// A call that fails says who decided, in the word of the metrics.
#[tokio::test]
async fn the_span_of_a_failed_call_names_the_decision() {
    let kept = Kept::default();
    let _for_this_test = kept.for_this_test();
    let server = Echo::new().read(|_, _| async { Err(Reason::Unavailable.status("never")) });
    let server = server.serve_as("spanned").await;
    server.channel("tester").unary(&READ, note("a"), &CallOptions::new()).await.unwrap_err();
    let call = kept.of("call", "client").remove(0);
    assert_eq!(
        (call["freehold.decision"].as_str(), call["error.type"].as_str()),
        ("attempts", "UNAVAILABLE")
    );
    assert_eq!(kept.of("attempt", "client").len(), 3);
}
