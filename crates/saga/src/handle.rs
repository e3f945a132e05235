//! What the rest of a service does with a running executor: wait for a saga, list them, try a stuck one again, stop.

use std::sync::Arc;
use std::time::Duration;

use freehold_store::{Queries, StoreError, Work, vals};
use freehold_wire::pb::ListRecordsResponse;
use freehold_wire::prost::{DecodeError, Message};
use freehold_wire::{Context, Reason, Session, Witness, async_trait};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::Status as CallStatus;

use crate::audit;
use crate::drive::{Engine, UNIT_BUDGET};
use crate::failure::Failure;
use crate::record::{self, Record};
use crate::state::State;
use crate::status::{self, Status};

/// How often a waiter looks at the row by itself: its answer does not rest on being told.
const LOOK: Duration = Duration::from_millis(500);

/// A running executor. Cloning is cheap; the executor runs until [`Handle::stop`], also when every handle is dropped.
#[derive(Clone)]
pub struct Handle {
    pub(crate) engine: Arc<Engine>,
    pub(crate) asked: mpsc::Sender<Arc<str>>,
    pub(crate) stopped: CancellationToken,
}

/// A saga that has ended.
#[derive(Debug, Clone)]
pub struct Ended {
    outcome: Outcome,
    data: Vec<u8>,
    session: Session,
}

/// How a saga ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// All steps are done.
    Done,
    /// A step failed for this reason, and all that was begun has been undone.
    Compensated(Failure),
}

/// Why the end of a saga is not known.
#[derive(Debug, thiserror::Error)]
pub enum WaitError {
    /// There is no saga of that id; what began it may have been rolled back.
    #[error("there is no saga `{0}`")]
    NotFound(String),
    /// It goes on; waiting again is safe.
    #[error("time was up before saga `{0}` ended; it goes on")]
    DeadlineExceeded(String),
    /// No definition of its name and version runs here, or it stands at a step that the definition does not have.
    #[error("saga `{id}` is a `{name}` of version {version}, which this process does not know")]
    NoDefinition {
        /// The saga.
        id: String,
        /// The name of its definition.
        name: String,
        /// The version that it began with.
        version: i64,
    },
    /// The executor stops; the saga goes on after a restart.
    #[error("the executor stopped before saga `{0}` ended; it goes on after a restart")]
    Stopped(String),
    /// The database failed; waiting again is safe.
    #[error("the saga's row could not be read")]
    Store(#[from] StoreError),
}

impl Handle {
    /// Waits until the saga `id` has ended, at most until the context's deadline; has it driven at once. Several may
    /// wait for one saga, before, while and after it runs: all get the same end. The context has seen then what the
    /// saga has seen, its end included.
    ///
    /// # Errors
    /// [`WaitError`]; the saga goes on regardless.
    pub async fn wait(&self, context: &Context, id: &str) -> Result<Ended, WaitError> {
        let id: Arc<str> = id.into();
        let deadline = Instant::now() + context.remaining();
        // Registered before the row is read, so that an end between the two is heard.
        let mut waiter = self.engine.endings.wait(&id);
        loop {
            if let Some(ended) = self.look(&id).await? {
                context.session().merge(&ended.session);
                return Ok(ended);
            }
            // A full queue means that the timers are looked at when there is room, which is just as good.
            let _ = self.asked.try_send(Arc::clone(&id));
            tokio::select! {
                Some(ended) = waiter.ended() => {
                    context.session().merge(&ended.session);
                    return Ok(ended);
                }
                () = self.stopped.cancelled() => return Err(WaitError::Stopped(id.to_string())),
                () = tokio::time::sleep_until(deadline) => return Err(WaitError::DeadlineExceeded(id.to_string())),
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    /// Has the saga `id` driven now rather than when its timer is due: after a stuck one's owner was mended. Answers
    /// whether it was waiting.
    ///
    /// # Errors
    /// [`StoreError`], of the database.
    pub async fn hurry(&self, id: &str) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE freehold_saga SET next_ms = $2, revision = revision + 1 \
            WHERE id = $1 AND next_ms > $2";
        let (saga, now) = (id.to_owned(), self.engine.store.now());
        let context = Context::new(self.engine.store.service(), UNIT_BUDGET);
        let unit = async move |work: &mut Work| work.exec(SQL, vals![saga, now]).await;
        let (changed, _) = self.engine.store.unit(&context, unit).await?;
        let _ = self.asked.try_send(id.into());
        Ok(changed == 1)
    }

    /// How many sagas are in which state, and the oldest `most` that have not ended.
    ///
    /// # Errors
    /// [`StoreError`], of the database.
    pub async fn status(&self, most: u32) -> Result<Status, StoreError> {
        let mut read = self.engine.store.read().await?;
        status::read(&mut read, &self.engine.registry, most).await
    }

    /// Stops: no step begins any more, those under way may end within the grace, and the rest goes on after a restart.
    /// Returns when all is quiet.
    pub async fn stop(&self) {
        self.engine.stopping.cancel();
        self.stopped.cancelled().await;
    }

    async fn look(&self, id: &Arc<str>) -> Result<Option<Ended>, WaitError> {
        let found = record::load(&mut self.engine.store.read().await?, id).await?;
        let record = found.ok_or_else(|| WaitError::NotFound(id.to_string()))?;
        if record.state.is_end() {
            let session = record.session();
            session.saw(self.engine.store.seen().await?);
            return Ok(Ended::of(&record, &session));
        }
        if self.engine.registry.instance(record.clone()).is_none() {
            let Record { name, version, .. } = record;
            return Err(WaitError::NoDefinition { id: id.to_string(), name, version });
        }
        Ok(None)
    }
}

/// The steps of the saga whose id is the key.
#[async_trait]
impl Witness for Handle {
    async fn tell(
        &self,
        context: &Context,
        key: &str,
        told: &mut ListRecordsResponse,
    ) -> Result<(), CallStatus> {
        let mut read = self.engine.store.read_within(context).await?;
        told.steps.extend(audit::steps(&mut read, key).await?);
        Ok(())
    }
}

impl Ended {
    /// The end of a saga's row; `None` where it has not ended.
    pub(crate) fn of(record: &Record, session: &Session) -> Option<Self> {
        let outcome = match record.state {
            State::Done => Outcome::Done,
            State::Compensated => Outcome::Compensated(record.failure.clone()),
            _ => return None,
        };
        Some(Self { outcome, data: record.data.clone(), session: session.clone() })
    }

    /// How it ended.
    #[must_use]
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// The state as its last successful step left it.
    ///
    /// # Errors
    /// Where the saga's state is of another type.
    pub fn state<S: Message + Default>(&self) -> Result<S, DecodeError> {
        S::decode(self.data.as_slice())
    }

    /// What the saga has seen, its own end included.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }
}

impl From<WaitError> for CallStatus {
    fn from(error: WaitError) -> Self {
        let message = error.to_string();
        match error {
            WaitError::NotFound(id) => freehold_wire::reason::not_found("saga", &id),
            WaitError::DeadlineExceeded(_) => Reason::DeadlineExceeded.because("SAGA_UNFINISHED", message),
            WaitError::NoDefinition { .. } => Reason::FailedPrecondition.because("SAGA_UNKNOWN", message),
            WaitError::Stopped(_) => Reason::Unavailable.because("SAGA_UNFINISHED", message),
            WaitError::Store(error) => error.into(),
        }
    }
}
