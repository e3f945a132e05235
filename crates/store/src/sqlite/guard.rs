//! What a connection holds its statements to: a deadline, a caller who waits, and no control over transactions or settings.
//!
//! SQLite asks the authorizer while it compiles a statement and the progress handler while it runs one.
//! **Invariant:** only the store's own words begin or end a transaction; a unit's never do.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use freehold_wire::Cancellation;
use rusqlite::Connection;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

/// How many instructions of its virtual machine SQLite runs between two looks at the clock: some ten microseconds.
const INSTRUCTIONS: i32 = 1000;
/// Settings that can only be read; ALTER TABLE itself asks for a `quick_check` of a STRICT table.
const SCHEMA_PRAGMAS: [&str; 7] = [
    "table_info",
    "table_xinfo",
    "table_list",
    "index_list",
    "index_info",
    "foreign_key_list",
    "quick_check",
];

/// The limits of one connection, shared with the hooks in it.
#[derive(Clone)]
pub(super) struct Guard(Arc<Limits>);

struct Limits {
    origin: Instant,
    /// Nanoseconds after `origin`.
    deadline: AtomicU64,
    cancellation: Mutex<Option<Cancellation>>,
    own_words: AtomicBool,
}

impl Guard {
    /// Puts a guard on a connection: from now on only `own_words` controls its transactions.
    pub(super) fn install(connection: &Connection) -> rusqlite::Result<Self> {
        let guard = Self(Arc::new(Limits {
            origin: Instant::now(),
            deadline: AtomicU64::new(u64::MAX),
            cancellation: Mutex::new(None),
            own_words: AtomicBool::new(false),
        }));
        let (asked, clock) = (guard.clone(), guard.clone());
        connection.authorizer(Some(move |context: AuthContext<'_>| asked.permit(&context)))?;
        connection.progress_handler(INSTRUCTIONS, Some(move || clock.is_late() || clock.is_cancelled()))?;
        Ok(guard)
    }

    /// Cuts statements at `deadline`; `None`: never.
    pub(super) fn set_deadline(&self, deadline: Option<Instant>) {
        let nanos = deadline.map_or(u64::MAX, |at| {
            u64::try_from(at.saturating_duration_since(self.0.origin).as_nanos()).unwrap_or(u64::MAX)
        });
        self.0.deadline.store(nanos, Ordering::Relaxed);
    }

    /// Cuts statements when this says so; `None`: nothing does.
    pub(super) fn set_cancellation(&self, cancellation: Option<Cancellation>) {
        *self.0.cancellation.lock().unwrap_or_else(PoisonError::into_inner) = cancellation;
    }

    /// Whether statements are cut because nobody waits for them.
    pub(super) fn is_cancelled(&self) -> bool {
        let cancellation = self.0.cancellation.lock().unwrap_or_else(PoisonError::into_inner);
        cancellation.as_ref().is_some_and(Cancellation::is_cancelled)
    }

    /// Compiles and runs the store's own words.
    pub(super) fn own_words<T>(&self, run: impl FnOnce() -> T) -> T {
        self.0.own_words.store(true, Ordering::Relaxed);
        let done = run();
        self.0.own_words.store(false, Ordering::Relaxed);
        done
    }

    fn is_late(&self) -> bool {
        let deadline = self.0.deadline.load(Ordering::Relaxed);
        deadline != u64::MAX && self.0.origin.elapsed().as_nanos() >= u128::from(deadline)
    }

    fn permit(&self, context: &AuthContext<'_>) -> Authorization {
        let allowed = match context.action {
            AuthAction::Transaction { .. }
            | AuthAction::Savepoint { .. }
            | AuthAction::Attach { .. }
            | AuthAction::Detach { .. } => self.0.own_words.load(Ordering::Relaxed),
            AuthAction::Pragma { pragma_name, .. } => {
                SCHEMA_PRAGMAS.contains(&pragma_name) || self.0.own_words.load(Ordering::Relaxed)
            }
            _ => true,
        };
        if allowed { Authorization::Allow } else { Authorization::Deny }
    }
}
