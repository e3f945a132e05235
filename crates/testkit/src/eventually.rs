//! A condition with a deadline, in place of a sleep.

use std::panic::Location;
use std::time::{Duration, Instant};

/// How long a test waits for what takes no time to speak of, such as the answer of a call whose time is nothing to it: no
/// machine is that slow.
pub const PATIENCE: Duration = Duration::from_secs(300);
/// How often a condition is looked at. The one place in all tests that waits for time to pass.
const POLL: Duration = Duration::from_millis(5);

/// Waits until `condition` has something to answer, and returns it. The deadline bounds a failing test; it decides nothing
/// about one that passes, so be generous. It is taken from the real clock, also where tokio's is paused.
///
/// # Panics
/// The deadline passed: the message says `what` was waited for, and where.
#[track_caller]
pub fn eventually<T, C>(what: &str, deadline: Duration, mut condition: C) -> impl Future<Output = T>
where
    C: AsyncFnMut() -> Option<T>,
{
    let (caller, end) = (Location::caller(), Instant::now() + deadline);
    async move {
        loop {
            if let Some(answer) = condition().await {
                return answer;
            }
            assert!(Instant::now() < end, "{caller}: {what}: not within {deadline:?}");
            tokio::time::sleep(POLL).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn the_answer_of_the_condition_is_returned() {
        let asked = AtomicU32::new(0);
        let answer = eventually("the third time", LONG, async || {
            let times = asked.fetch_add(1, Ordering::Relaxed) + 1;
            (times == 3).then_some(times)
        });
        assert_eq!(answer.await, 3);
    }

    #[tokio::test]
    #[should_panic(expected = "the flood: not within 0ns")]
    async fn a_condition_that_never_holds_fails_by_name() {
        eventually("the flood", Duration::ZERO, async || None::<()>).await;
    }
}
