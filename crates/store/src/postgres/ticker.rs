//! Who ticks: one task beside the units, on the connection that holds the owner's lock.
//!
//! A unit that has committed asks for a tick and is answered with a mark that covers its commit; whoever asks meanwhile
//! shares the next one, so ticks cost one fsync for many units. Without being asked it looks once a second, for commits
//! that nobody waits for any more. **Invariant:** a mark is told after its tick has been committed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::Row;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{sleep, timeout};

use super::blockers::{PATIENCE, blockers};
use super::pool::{Link, Pool};
use super::{OWNER_LOCK, errors, tick, units};
use crate::error::StoreError;
use crate::ledger::Ledger;

/// How often it looks without being asked.
const LOOK: Duration = Duration::from_secs(1);
/// How long a tick may take before its connection is given up.
const BUDGET: Duration = Duration::from_secs(10);
/// How long it waits before it tries again to get its connection back.
const AGAIN: Duration = Duration::from_millis(200);

/// What is asked of the ticker.
pub(super) enum Ask {
    /// A mark that covers every commit until now.
    Cover(oneshot::Sender<Result<i64, StoreError>>),
    /// The same, and a connection with a read that sees what the mark covers, and nothing else.
    Exact(Pool, Instant, oneshot::Sender<Result<(Link, i64), StoreError>>),
    /// That it ends.
    End,
}

/// How the ticker is asked. Cloning shares it.
#[derive(Clone)]
pub(super) struct Asking {
    asks: mpsc::UnboundedSender<Ask>,
    blockers: watch::Receiver<Vec<String>>,
}

/// The task.
pub(super) struct Ticker {
    server: Arc<PgConnectOptions>,
    /// Gone while it is being got back.
    owner: Option<Link>,
    /// The backend that had the lock last.
    backend: i32,
    /// This start, as the last epoch names it.
    epoch: i64,
    ledger: Arc<Ledger>,
    asks: mpsc::UnboundedReceiver<Ask>,
    /// Who holds up events, and when that was looked at last.
    blockers: watch::Sender<Vec<String>>,
    looked: Instant,
}

/// Another process owns the database: there is no tick any more.
struct Fenced;

/// What comes of a try that may have to be made again.
type Tried<T> = Result<Result<T, StoreError>, Fenced>;

impl Asking {
    pub(super) async fn cover(&self) -> Result<i64, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.asks.send(Ask::Cover(answer)).map_err(|_| StoreError::Closed)?;
        answered.await.unwrap_or(Err(StoreError::Closed))
    }

    pub(super) async fn exact(&self, pool: Pool, deadline: Instant) -> Result<(Link, i64), StoreError> {
        let (answer, answered) = oneshot::channel();
        self.asks.send(Ask::Exact(pool, deadline, answer)).map_err(|_| StoreError::Closed)?;
        answered.await.unwrap_or(Err(StoreError::Closed))
    }

    /// Ends the ticker when it has answered what was asked before.
    pub(super) fn end(&self) {
        // It may have ended by itself.
        let _ = self.asks.send(Ask::End);
    }

    /// Whether the ticker has ended: with the store, or because another process owns the database now.
    pub(super) fn is_over(&self) -> bool {
        self.asks.is_closed()
    }

    /// What holds up events, as it was seen last.
    pub(super) fn blockers(&self) -> Vec<String> {
        self.blockers.borrow().clone()
    }
}

impl Ticker {
    /// A ticker on the connection that has the owner's lock.
    pub(super) fn new(server: Arc<PgConnectOptions>, owner: Link, ledger: Arc<Ledger>) -> (Self, Asking) {
        let (asking, asks) = mpsc::unbounded_channel();
        let (telling, blockers) = watch::channel(Vec::new());
        let epoch = ledger.history.last_epoch().cast_signed();
        let backend = owner.backend;
        let looked = Instant::now();
        let ticker =
            Self { server, owner: Some(owner), backend, epoch, ledger, asks, blockers: telling, looked };
        (ticker, Asking { asks: asking, blockers })
    }

    /// Ticks until it is told to end, or another process owns the database.
    pub(super) async fn run(mut self) {
        let mut asked = Vec::new();
        loop {
            tokio::select! {
                count = self.asks.recv_many(&mut asked, usize::MAX) => if count == 0 { break },
                () = sleep(LOOK) => {}
            }
            match self.serve(&mut asked).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(Fenced) => {
                    return tracing::error!("another process owns the database now; this one stops");
                }
            }
        }
        if let Some(owner) = self.owner {
            owner.close().await;
        }
    }

    /// Answers all that was asked; answers itself whether it goes on.
    async fn serve(&mut self, asked: &mut Vec<Ask>) -> Result<bool, Fenced> {
        let (mut waiting, mut goes_on) = (Vec::new(), true);
        for ask in asked.drain(..) {
            match ask {
                Ask::Cover(answer) => waiting.push(answer),
                Ask::Exact(pool, deadline, answer) => {
                    let read = self.exact(&pool, deadline).await?;
                    // A reader that is gone hears nothing.
                    let _ = answer.send(read);
                }
                Ask::End => goes_on = false,
            }
        }
        self.cover(waiting).await?;
        self.look_for_blockers().await;
        Ok(goes_on)
    }

    /// Tells once of each transaction that begins to hold up its events.
    async fn look_for_blockers(&mut self) {
        let Some(mut owner) = self.owner.take_if(|_| self.looked.elapsed() >= LOOK) else { return };
        self.looked = Instant::now();
        let found = within(blockers(&mut owner.connection, PATIENCE)).await;
        // Where this fails the connection is dropped, as in a tick.
        let Ok(found) = found else { return };
        self.owner = Some(owner);
        self.blockers.send_if_modified(|known| {
            for blocker in found.iter().filter(|blocker| !known.contains(blocker)) {
                tracing::warn!(%blocker, "a transaction stays open, its events are in no feed yet");
            }
            std::mem::replace(known, found.clone()) != found
        });
    }

    /// Ticks for those who wait, however long it takes to get the connection back; with nobody waiting it tries once.
    async fn cover(
        &mut self,
        mut waiting: Vec<oneshot::Sender<Result<i64, StoreError>>>,
    ) -> Result<(), Fenced> {
        loop {
            match self.tick().await? {
                Ok(mark) => {
                    for answer in waiting {
                        // Who has stopped waiting hears nothing.
                        let _ = answer.send(Ok(mark));
                    }
                    return Ok(());
                }
                Err(error) => tracing::warn!(%error, "the database was not looked through for new events"),
            }
            waiting.retain(|answer| !answer.is_closed());
            if waiting.is_empty() {
                return Ok(());
            }
            sleep(AGAIN).await;
        }
    }

    async fn tick(&mut self) -> Tried<i64> {
        let now = self.ledger.now();
        let mut owner = match self.owner().await? {
            Ok(owner) => owner,
            Err(error) => return Ok(Err(error)),
        };
        // Where this fails the connection is dropped: nobody knows what it is doing.
        let ticked = within(tick::tick(&mut owner.connection, now)).await;
        Ok(ticked.map(|mark| {
            self.owner = Some(owner);
            self.reached(mark)
        }))
    }

    /// A tick in a transaction that another connection shares the snapshot of.
    async fn exact(&mut self, pool: &Pool, deadline: Instant) -> Tried<(Link, i64)> {
        const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ";
        let now = self.ledger.now();
        let mut owner = match self.owner().await? {
            Ok(owner) => owner,
            Err(error) => return Ok(Err(error)),
        };
        let ticked = within(async {
            owner.script(BEGIN).await?;
            let mark = tick::tick(&mut owner.connection, now).await?;
            let begin = units::begin_words(&format!("{BEGIN} READ ONLY"), deadline);
            let begin = format!("{begin}; SET TRANSACTION SNAPSHOT '{}'", owner.export().await?);
            let reader = pool.begin(&begin, deadline).await;
            owner.script("COMMIT").await?;
            Ok((reader, mark))
        });
        let ticked = ticked.await;
        Ok(ticked.and_then(|(reader, mark)| {
            self.owner = Some(owner);
            let mark = self.reached(mark);
            Ok((reader?, mark))
        }))
    }

    fn reached(&self, mark: Option<i64>) -> i64 {
        if let Some(mark) = mark {
            self.ledger.reached(mark);
        }
        self.ledger.mark()
    }

    /// The connection that has the lock. One that was lost is got back, unless another process was quicker.
    async fn owner(&mut self) -> Tried<Link> {
        if let Some(owner) = self.owner.take() {
            return Ok(Ok(owner));
        }
        let got = within(regain(&self.server, self.backend)).await;
        let Ok((link, mine, epoch)) = got else { return Ok(got.map(|(link, ..)| link)) };
        if epoch != self.epoch {
            return Err(Fenced);
        }
        if !mine {
            return Ok(Err(StoreError::Busy("another connection has the owner's lock")));
        }
        self.backend = link.backend;
        Ok(Ok(link))
    }
}

/// Connects and asks for the lock again, once the backend that had it is gone; answers whether it was given, and the last
/// epoch, which another process that has had the lock meanwhile has begun.
async fn regain(server: &PgConnectOptions, before: i32) -> Result<(Link, bool, i64), StoreError> {
    const LOCK: &str = "SELECT pg_try_advisory_lock($1, hashtext(current_schema))";
    const EPOCH: &str = "SELECT id FROM freehold_epoch ORDER BY ordinal DESC LIMIT 1";
    let mut link = Link::open(server).await?;
    link.terminate(before).await?;
    let mine = sqlx::query(LOCK).bind(OWNER_LOCK).fetch_one(&mut link.connection).await;
    let mine = mine.and_then(|row| row.try_get(0)).map_err(errors::of_statement)?;
    let epoch = sqlx::query(EPOCH).fetch_one(&mut link.connection).await;
    let epoch = epoch.and_then(|row| row.try_get(0)).map_err(errors::of_statement)?;
    Ok((link, mine, epoch))
}

async fn within<T>(work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    timeout(BUDGET, work).await.unwrap_or(Err(StoreError::DeadlineExceeded))
}
