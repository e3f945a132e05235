//! Patience: a call that may succeed later is made again, under the same key, for as long as a mesh takes to restart.

use std::future::Future;
use std::time::Duration;

use backoff::{ExponentialBuilder, Retryable};
use freehold_sdk::Error;
use tokio::time::Instant;

/// How long after it first failed a call is made again; a mesh restarts within that.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Makes a call until it is answered for good: done, or refused in a way that stays so.
pub(crate) async fn persist<T, F>(call: impl FnMut() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let pace = ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(20))
        .with_max_delay(Duration::from_secs(1))
        .without_max_times()
        .with_jitter();
    // The time that the attempts take counts too: one that hangs does so until its own deadline.
    let mut until = None;
    let again = |error: &Error| {
        let until = *until.get_or_insert_with(|| Instant::now() + PATIENCE);
        error.is_retryable_with_same_key() && Instant::now() < until
    };
    call.retry(pace).when(again).await
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::pending;

    use freehold_wire::Reason;
    use tokio::time::timeout;

    use super::*;

    const ATTEMPT: Duration = Duration::from_secs(10);

    /// Persists in a call that fails each time after a while, as one does whose callee is frozen.
    async fn attempts(reason: Reason) -> u32 {
        let attempts = Cell::new(0);
        let call = || async {
            attempts.set(attempts.get() + 1);
            assert!(timeout(ATTEMPT, pending::<()>()).await.is_err());
            Err::<(), _>(Error::new(reason, "no answer"))
        };
        assert!(persist(call).await.is_err());
        attempts.get()
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_hangs_each_time_is_given_up() {
        let began = Instant::now();
        assert_eq!(attempts(Reason::Unavailable).await, 7);
        assert!(began.elapsed() < ATTEMPT * 2 + PATIENCE, "{:?}", began.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_that_stays_is_not_asked_for_again() {
        assert_eq!(attempts(Reason::InvalidArgument).await, 1);
    }
}
