//! Who ticks: one task beside the units, on a connection of its own; in every instance of the owner.
//!
//! A unit that has committed asks for a tick and is answered with a token that covers its commit; whoever asks meanwhile
//! shares the next one, so ticks cost one fsync for many units, and with many at work it waits a moment for more of them.
//! Without being asked it looks once a second, for commits that nobody waits for any more. **Invariant:** a mark is told
//! after its tick has been committed, and as one of the epoch that had begun when it was given out.

use std::sync::Arc;
use std::time::{Duration, Instant};

use freehold_wire::pb::{Epoch, Token};
use sqlx::Row;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{sleep, timeout};

use super::blockers::{PATIENCE, blockers};
use super::lane::Lane;
use super::others::{self, Others};
use super::pool::{Link, Pool, Seat};
use super::tick::{self, Ticked};
use super::{OPEN_OR_LEAVE, errors, units};
use crate::engine;
use crate::epoch;
use crate::error::StoreError;
use crate::ledger::{Ledger, SetBack};

/// How often it looks without being asked.
const LOOK: Duration = Duration::from_secs(1);
/// Where more than so many shared a tick, the next one waits for as many.
const CROWD: usize = 4;
/// How long it waits for them.
const GATHER: Duration = Duration::from_millis(2);
/// How long a tick may take before its connection is given up.
const BUDGET: Duration = Duration::from_secs(10);
/// How long it waits before it tries again to get its connection back.
pub(super) const AGAIN: Duration = Duration::from_millis(200);

/// What is asked of the ticker.
pub(super) enum Ask {
    /// A token that covers every commit until now.
    Cover(oneshot::Sender<Result<Token, StoreError>>),
    /// The same, and a connection with a read that sees what the mark covers, and nothing else.
    Exact(Instant, oneshot::Sender<Result<(Link, i64), StoreError>>),
    /// That it looks for what is new: another instance has said so.
    Look,
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
    /// What it closes where the database was set back: what is read there then is not what was told.
    reads: Pool,
    /// Gone while it is being got back.
    link: Option<Link>,
    /// Where its connection was last.
    seat: Seat,
    /// The ordinal of the last epoch that the ledger knows.
    epochs: i64,
    others: Others,
    ledger: Arc<Ledger>,
    asks: mpsc::UnboundedReceiver<Ask>,
    /// Who holds up events, and when that was looked at last, and for other instances.
    blockers: watch::Sender<Vec<String>>,
    looked: Option<Instant>,
}

/// What comes of a try that may have to be made again.
type Tried<T> = Result<Result<T, StoreError>, SetBack>;

impl Asking {
    pub(super) async fn cover(&self) -> Result<Token, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.asks.send(Ask::Cover(answer)).map_err(|_| StoreError::Closed)?;
        answered.await.unwrap_or(Err(StoreError::Closed))
    }

    pub(super) async fn exact(&self, deadline: Instant) -> Result<(Link, i64), StoreError> {
        let (answer, answered) = oneshot::channel();
        self.asks.send(Ask::Exact(deadline, answer)).map_err(|_| StoreError::Closed)?;
        answered.await.unwrap_or(Err(StoreError::Closed))
    }

    /// Ends the ticker when it has answered what was asked before.
    pub(super) fn end(&self) {
        // It may have ended by itself.
        let _ = self.asks.send(Ask::End);
    }

    /// Whether the ticker has ended: with the store, or because the database was set back.
    pub(super) fn is_over(&self) -> bool {
        self.asks.is_closed()
    }

    /// What holds up events, as it was seen last.
    pub(super) fn blockers(&self) -> Vec<String> {
        self.blockers.borrow().clone()
    }
}

impl Ticker {
    /// A ticker on a connection that others can see; `schema` is the number of the store's schema.
    pub(super) fn new(
        reads: Pool,
        (link, seat): (Link, Seat),
        schema: i32,
        ledger: Arc<Ledger>,
    ) -> (Self, Asking) {
        let (asking, asks) = mpsc::unbounded_channel();
        let (telling, blockers) = watch::channel(Vec::new());
        let others = Others::new(reads.server.clone(), schema, asking.downgrade());
        let ticker = Self {
            reads,
            link: Some(link),
            seat,
            epochs: 0,
            others,
            ledger,
            asks,
            blockers: telling,
            looked: None,
        };
        (ticker, Asking { asks: asking, blockers })
    }

    /// Ticks until it is told to end, or the database was set back.
    pub(super) async fn run(mut self) {
        let mut asked = Vec::new();
        loop {
            let crowd = asked.len() > CROWD;
            match self.serve(&mut asked).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(SetBack) => {
                    tracing::error!("the database lacks what was in it before; the store ends");
                    return self.reads.close().await;
                }
            }
            if crowd {
                sleep(GATHER).await;
            }
            tokio::select! {
                count = self.asks.recv_many(&mut asked, usize::MAX) => if count == 0 { break },
                () = sleep(LOOK) => {}
            }
        }
        if let Some(link) = self.link {
            link.close().await;
        }
    }

    /// Answers all that was asked; answers itself whether it goes on.
    async fn serve(&mut self, asked: &mut Vec<Ask>) -> Result<bool, SetBack> {
        let (mut waiting, mut goes_on) = (Vec::new(), true);
        for ask in asked.drain(..) {
            match ask {
                Ask::Cover(answer) => waiting.push(answer),
                Ask::Exact(deadline, answer) => {
                    let read = self.exact(deadline).await?;
                    // A reader that is gone hears nothing.
                    let _ = answer.send(read);
                }
                Ask::Look => {}
                Ask::End => goes_on = false,
            }
        }
        self.cover(waiting).await?;
        self.look_around().await;
        Ok(goes_on)
    }

    /// Looks who else is there, and tells once of each transaction that begins to hold up its events.
    async fn look_around(&mut self) {
        if self.looked.is_some_and(|looked| looked.elapsed() < LOOK) {
            return;
        }
        let Some(mut link) = self.link.take() else { return };
        self.looked = Some(Instant::now());
        let found = within(async {
            self.others.look(&mut link).await?;
            blockers(&mut link.connection, PATIENCE).await
        });
        // Where this fails the connection is dropped, as in a tick.
        let Ok(found) = found.await else { return };
        self.link = Some(link);
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
        mut waiting: Vec<oneshot::Sender<Result<Token, StoreError>>>,
    ) -> Result<(), SetBack> {
        loop {
            match self.tick().await? {
                Ok(token) => {
                    for answer in waiting {
                        // Who has stopped waiting hears nothing.
                        let _ = answer.send(Ok(token.clone()));
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

    async fn tick(&mut self) -> Tried<Token> {
        let now = self.ledger.now();
        let mut link = match self.link().await? {
            Ok(link) => link,
            Err(error) => return Ok(Err(error)),
        };
        let known = self.epochs;
        // Where this fails the connection is dropped: nobody knows what it is doing.
        let ticked = within(async {
            let ticked = tick::tick(&mut link.connection, now).await?;
            let epochs = epochs(&mut link.connection, &ticked, known).await?;
            Ok((ticked, epochs))
        });
        let (ticked, epochs) = match ticked.await {
            Ok(found) => found,
            Err(error) => return Ok(Err(error)),
        };
        let token = self.found(&ticked, epochs)?;
        if !ticked.fresh || within(self.others.tell(&mut link)).await.is_ok() {
            self.link = Some(link);
        }
        Ok(Ok(token))
    }

    /// A tick in a transaction that another connection shares the snapshot of. The server ends it should this process stop
    /// in the middle, since other instances wait for it.
    async fn exact(&mut self, deadline: Instant) -> Tried<(Link, i64)> {
        const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ";
        const ALONE: &str = "SET LOCAL idle_in_transaction_session_timeout = 5000; \
                             LOCK TABLE freehold_store IN SHARE ROW EXCLUSIVE MODE";
        let now = self.ledger.now();
        let mut link = match self.link().await? {
            Ok(link) => link,
            Err(error) => return Ok(Err(error)),
        };
        let known = self.epochs;
        let ticked = within(async {
            link.script(&format!("{BEGIN}; {ALONE}")).await?;
            let ticked = tick::tick(&mut link.connection, now).await?;
            let epochs = epochs(&mut link.connection, &ticked, known).await?;
            let begin = units::begin_words(&format!("{BEGIN} READ ONLY"), deadline);
            let begin = format!("{begin}; SET TRANSACTION SNAPSHOT '{}'", link.export().await?);
            let reader = self.reads.begin(&begin, deadline).await;
            link.script("COMMIT").await?;
            Ok((reader, ticked, epochs))
        });
        let (reader, ticked, epochs) = match ticked.await {
            Ok(found) => found,
            Err(error) => return Ok(Err(error)),
        };
        self.found(&ticked, epochs)?;
        if !ticked.fresh || within(self.others.tell(&mut link)).await.is_ok() {
            self.link = Some(link);
        }
        Ok(reader.map(|reader| (reader, ticked.mark)))
    }

    /// Writes up what a tick has found; answers a token of it.
    fn found(&mut self, ticked: &Ticked, epochs: Option<Vec<Epoch>>) -> Result<Token, SetBack> {
        self.ledger.found(epochs, ticked.mark)?;
        self.epochs = ticked.epochs;
        Ok(self.ledger.token())
    }

    /// The connection; where it was lost, another one. Whatever has become of the database meanwhile is seen before
    /// something new is given a mark.
    async fn link(&mut self) -> Tried<Link> {
        if let Some(link) = self.link.take() {
            return Ok(Ok(link));
        }
        let (link, seat, mark) = match within(regain(&self.reads.server, &self.seat, self.ledger.now())).await
        {
            Ok(found) => found,
            Err(error) => return Ok(Err(error)),
        };
        if mark < self.ledger.mark() {
            return Err(SetBack);
        }
        // Whether the epochs that are known are those that are there is looked at with the next tick.
        (self.seat, self.epochs) = (seat, 0);
        Ok(Ok(link))
    }
}

/// Connects again, and ends the backend that is still there of the connection that was lost. Answers the last mark too.
///
/// Another server than before, or the same one that was started again, may lack what it had acknowledged, and marks that
/// were told are given out anew. An epoch begins there, so that whoever was told more than this instance finds it.
async fn regain(
    server: &Arc<PgConnectOptions>,
    before: &Seat,
    now: i64,
) -> Result<(Link, Seat, i64), StoreError> {
    let mut link = Link::open(server).await?;
    link.terminate(before).await?;
    others::enter(&mut link.connection).await?;
    let seat = link.seat().await?;
    if seat.is_of_server_of(before) {
        let head = sqlx::query("SELECT mark FROM freehold_head").fetch_one(&mut link.connection).await;
        let mark = head.and_then(|row| row.try_get(0)).map_err(errors::of_statement)?;
        return Ok((link, seat, mark));
    }
    link.script(&format!("BEGIN; {OPEN_OR_LEAVE}")).await?;
    let lane = Lane::new(link, Pool::new(server.clone(), 1), Instant::now() + BUDGET);
    let mut lane = engine::Lane::Postgres(lane);
    let (_, mark) = epoch::begin(&mut lane, now).await?;
    let engine::Lane::Postgres(lane) = lane else { return Err(StoreError::Closed) };
    let mut link = lane.into_link();
    link.script("COMMIT").await?;
    Ok((link, seat, mark))
}

/// All epochs up to the one that a tick has found, where it is not known yet.
async fn epochs(
    connection: &mut PgConnection,
    ticked: &Ticked,
    known: i64,
) -> Result<Option<Vec<Epoch>>, StoreError> {
    const EPOCHS: &str = "SELECT id, first_mark FROM freehold_epoch WHERE ordinal <= $1 ORDER BY ordinal";
    if ticked.epochs == known {
        return Ok(None);
    }
    let rows = sqlx::query(EPOCHS).bind(ticked.epochs).fetch_all(connection).await;
    let rows = rows.map_err(errors::of_statement)?;
    let epoch = |row: &sqlx::postgres::PgRow| Ok(epoch::of_row(row.try_get(0)?, row.try_get(1)?));
    let epochs: Result<_, sqlx::Error> = rows.iter().map(epoch).collect();
    epochs.map(Some).map_err(errors::of_statement)
}

async fn within<T>(work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    timeout(BUDGET, work).await.unwrap_or(Err(StoreError::DeadlineExceeded))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Migrations, Options, Store};

    /// E7 of several instances: a standby that was behind takes the server's place, and who had been told less goes on there
    /// and gives out marks that others have told. They see by the epoch that these are others. The planted bug begins none.
    #[tokio::test]
    async fn who_finds_another_server_begins_an_epoch() {
        const NONE: Migrations = Migrations { set: "none", steps: &[] };
        let Ok(url) = std::env::var("FREEHOLD_TEST_POSTGRES_URL") else { return };
        let schema = format!("freehold_test_{}", uuid::Uuid::now_v7().simple());
        let mut outside = Link::open(&super::super::server(&url).unwrap()).await.unwrap();
        outside.script(&format!("CREATE SCHEMA {schema}")).await.unwrap();
        let joint = if url.contains('?') { '&' } else { '?' };
        let url = format!("{url}{joint}options[search_path]={schema}");
        let store =
            Store::open(Options::new("orders", &url).migrations(&NONE).throwaway_server()).await.unwrap();
        let server = Arc::new(super::super::server(&url).unwrap());
        let (link, seat, mark) = {
            let seat = Link::open(&server).await.unwrap().seat().await.unwrap();
            regain(&server, &seat, 1).await.unwrap()
        };
        drop(link);
        assert_eq!((mark, store.latest().await.unwrap().epochs().len()), (0, 1), "the server is the same");
        regain(&server, &seat.on_another_server(), 1).await.unwrap();
        let epochs = store.latest().await.unwrap().epochs().to_vec();
        assert_eq!(epochs.iter().map(|epoch| epoch.first).collect::<Vec<_>>(), [1, 1]);
        store.close().await;
        outside.script(&format!("DROP SCHEMA {schema} CASCADE")).await.unwrap();
    }
}
