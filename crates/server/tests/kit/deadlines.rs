//! A handler has until the caller's deadline and not longer.

use std::future::pending;
use std::time::{Duration, Instant};

use freehold_client::{CallOptions, Code};
use freehold_wire::dispatch::Messages;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::bare::{Bare, frame, tester};
use crate::echo::{Echo, PATIENCE, READ, STREAM, note};

/// Says when it is dropped.
struct Held(mpsc::UnboundedSender<()>);

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

fn with_timeout(value: &str) -> http::HeaderMap {
    let mut headers = tester();
    headers.insert("grpc-timeout", value.parse().unwrap());
    headers
}

/// C1: the server too gives up at the deadline, with a typed error, and drops the handler.
#[tokio::test]
async fn a_handler_is_dropped_at_the_deadline() {
    let (dropped, mut told) = mpsc::unbounded_channel();
    let echo = Echo::new().read(move |_, _| {
        let held = Held(dropped.clone());
        async move {
            let _held = held;
            pending().await
        }
    });
    let served = echo.serve().await;
    let mut bare = Bare::connect(&served.authority).await;
    let answered = bare.call("/echo.v1.EchoService/Read", with_timeout("100m"), frame(&[])).await;
    assert_eq!(answered.status.code(), Code::DeadlineExceeded);
    assert_eq!(freehold_wire::reason::of(&answered.status), "DEADLINE_EXCEEDED");
    timeout(PATIENCE, told.recv()).await.unwrap();
}

/// C4, C5: what is spent on arrival is refused before the handler; none is the contract's; an absurd one is clamped; a
/// malformed one is refused.
#[tokio::test]
async fn a_deadline_is_spent_defaulted_clamped_or_refused() {
    let (begins, mut begun) = mpsc::unbounded_channel();
    let echo = Echo::new().read(move |context, _| {
        begins.send(()).unwrap();
        async move { Ok(note(context.remaining().as_millis().to_string())) }
    });
    let served = echo.serve().await;
    let mut bare = Bare::connect(&served.authority).await;
    let mut code = async |timeout: &str| {
        bare.call("/echo.v1.EchoService/Read", with_timeout(timeout), frame(&[])).await.status.code()
    };
    assert_eq!(code("0n").await, Code::DeadlineExceeded);
    for malformed in ["abc", "-1S", "", "1", "999999999S"] {
        assert_eq!(code(malformed).await, Code::InvalidArgument, "{malformed}");
    }
    assert!(begun.try_recv().is_err(), "a handler has begun for a call that was refused");
    assert_eq!(code("99999999H").await, Code::Ok);
    let left = |note: crate::echo::Note| Duration::from_millis(note.text.parse().unwrap());
    let usual = left(served.read("").await.unwrap());
    assert!(usual <= READ.rules().deadline);
    let absurd = CallOptions::new().with_deadline(Duration::MAX);
    let clamped = left(served.channel("tester").unary(&READ, note(""), &absurd).await.unwrap());
    assert!(clamped <= READ.rules().max_deadline());
}

/// A stream's deadline is its greatest age, whether it is silent or never is; what it holds is dropped then.
#[tokio::test]
async fn a_stream_ends_at_its_greatest_age() {
    for busy in [false, true] {
        let (dropped, mut told) = mpsc::unbounded_channel();
        let echo = Echo::new().stream(move |_, first| {
            let held = Held(dropped.clone());
            async move {
                let endless = futures_util::stream::unfold((held, true), move |(held, first_time)| {
                    let message = first.clone();
                    async move {
                        if !first_time && !busy {
                            pending::<()>().await;
                        }
                        Some((Ok(message), (held, false)))
                    }
                });
                Ok(Messages::new(endless))
            }
        });
        let served = echo.serve().await;
        let mut bare = Bare::connect(&served.authority).await;
        let answered = bare.call("/echo.v1.EchoService/Stream", with_timeout("100m"), frame(&[])).await;
        assert_eq!(answered.status.code(), Code::DeadlineExceeded);
        assert_eq!(freehold_wire::reason::of(&answered.status), "STREAM_TOO_OLD");
        timeout(PATIENCE, told.recv()).await.unwrap();
    }
}

/// C1: an answer that is done when its deadline has just passed is no stream that grew too old. Planted bug: the body of an
/// answer of one message ends at a deadline as a stream does.
#[tokio::test]
async fn an_answer_that_is_a_little_late_is_no_stream() {
    let echo = Echo::new().read(|context, note| async move {
        while Instant::now() < context.deadline() {
            std::hint::spin_loop();
        }
        Ok(note)
    });
    let served = echo.serve().await;
    let mut bare = Bare::connect(&served.authority).await;
    let answered = bare.call("/echo.v1.EchoService/Read", with_timeout("50m"), frame(&[])).await;
    assert_ne!(freehold_wire::reason::of(&answered.status), "STREAM_TOO_OLD");
}

/// C6: a caller that goes away while the handler holds its thread, as a query on SQLite does: the flag that such work looks
/// at is set. The planted fault is a handler in the task of its call, which sees nothing before the handler lets go.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn work_that_holds_its_thread_hears_that_its_caller_is_gone() {
    let (begun, mut running) = mpsc::unbounded_channel();
    let (heard, mut told) = mpsc::unbounded_channel();
    let echo = Echo::new().read(move |context, note| {
        let (begun, heard) = (begun.clone(), heard.clone());
        async move {
            begun.send(()).unwrap();
            while !context.cancellation().is_cancelled() && !context.remaining().is_zero() {
                std::thread::yield_now();
            }
            heard.send(context.cancellation().is_cancelled()).unwrap();
            Ok(note)
        }
    });
    let served = echo.serve().await;
    let call = tokio::spawn(async move { served.read("").await });
    timeout(PATIENCE, running.recv()).await.unwrap();
    let gone = std::time::Instant::now();
    call.abort();
    assert_eq!(timeout(PATIENCE, told.recv()).await.unwrap(), Some(true), "it ran until its deadline");
    println!("the work heard of it after {:?}", gone.elapsed());
}

/// C6: a caller that goes away takes the handler with it.
#[tokio::test]
async fn a_handler_is_dropped_with_its_caller() {
    let (begun, mut running) = mpsc::unbounded_channel();
    let (dropped, mut told) = mpsc::unbounded_channel();
    let echo = Echo::new().stream(move |_, _| {
        let held = Held(dropped.clone());
        begun.send(()).unwrap();
        async move {
            let _held = held;
            pending().await
        }
    });
    let served = echo.serve().await;
    let channel = served.channel("tester");
    let call =
        tokio::spawn(async move { channel.server_streaming(&STREAM, note(""), &CallOptions::new()).await });
    timeout(PATIENCE, running.recv()).await.unwrap();
    call.abort();
    timeout(PATIENCE, told.recv()).await.unwrap();
}
