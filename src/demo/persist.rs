//! Patience: a call that may succeed later is made again, under the same key, for as long as a mesh takes to restart.

use std::future::Future;
use std::time::Duration;

use backoff::{ExponentialBuilder, Retryable};
use freehold_sdk::Error;

/// How long a call is tried before the demo gives up; a mesh restarts within that.
const PATIENCE: Duration = Duration::from_secs(30);

/// Makes a call until it is answered for good: done, or refused in a way that stays so.
pub(crate) async fn persist<T, F>(call: impl FnMut() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let pace = ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(20))
        .with_max_delay(Duration::from_secs(1))
        .with_total_delay(Some(PATIENCE))
        .without_max_times()
        .with_jitter();
    call.retry(pace).when(Error::is_retryable_with_same_key).await
}
