//! A handler's panic is one call's INTERNAL.

use std::future::pending;

use freehold_client::{CallOptions, Code, Error};
use freehold_wire::dispatch::Messages;
use futures_util::StreamExt;

use crate::echo::{Echo, READ, STREAM, note};

fn is_panic(error: &Error) -> bool {
    error.code() == Code::Internal && error.reason() == "PANIC" && !error.message().contains("secret")
}

/// Other calls on the same connection go on.
#[tokio::test]
async fn a_panic_ends_its_call_alone() {
    let echo = Echo::new()
        .read(|_, note| async move {
            assert_ne!(note.text, "panic", "the secret of the panic");
            Ok(note)
        })
        .stream(|_, note| async move {
            assert_ne!(note.text, "panic early", "secret");
            let messages = futures_util::stream::iter(["first", "panic late"]).then(move |text| {
                let panics = note.text == text;
                async move {
                    // What was said before is on its way when the panic comes.
                    tokio::task::yield_now().await;
                    assert!(!panics, "secret");
                    Ok(crate::echo::note(text))
                }
            });
            Ok(Messages::new(messages.chain(futures_util::stream::once(pending()))))
        });
    let served = echo.serve().await;
    let (channel, options) = (served.channel("tester"), CallOptions::new());
    let mut other = channel.server_streaming(&STREAM, note(""), &options).await.unwrap();
    assert_eq!(other.next().await.unwrap().unwrap().text, "first");

    assert!(is_panic(&channel.unary(&READ, note("panic"), &options).await.unwrap_err()));
    assert!(is_panic(&channel.server_streaming(&STREAM, note("panic early"), &options).await.unwrap_err()));
    let mut broken = channel.server_streaming(&STREAM, note("panic late"), &options).await.unwrap();
    assert_eq!(broken.next().await.unwrap().unwrap().text, "first");
    assert!(is_panic(&broken.next().await.unwrap().unwrap_err()));

    assert_eq!(other.next().await.unwrap().unwrap().text, "panic late", "the other stream goes on");
    assert_eq!(channel.unary(&READ, note("fine"), &options).await.unwrap().text, "fine");
}
