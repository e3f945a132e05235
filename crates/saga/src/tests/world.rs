//! A small mesh around one executor: an `orders` database with sagas, the owners, and a plot that says what goes wrong.
//!
//! [`World::violations`] is the checker of all tests: it compares the sagas, the orders and the owners' ledgers, and
//! knows nothing of how the executor works.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use freehold_store::{Migration, Migrations, Queries, Store, Work, vals};
use freehold_wire::Context;
use prost::Message;

use super::owners::{OWNERS, Owners, SHELF};
use crate::unsent::Unsent;
use crate::{
    Backoff, BeginError, Begun, EndError, Ended, Executor, Failure, Handle, Limits, Options, Saga, Step,
    StepContext, StepError,
};

static ORDERS: Migrations = Migrations {
    set: "orders",
    steps: &[Migration {
        version: 1,
        name: "orders",
        sql: "CREATE TABLE orders (id TEXT NOT NULL PRIMARY KEY, state TEXT NOT NULL, ends BIGINT NOT NULL) STRICT;",
        postgres: None,
    }],
};

/// The state of the tests' sagas.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Order {
    #[prost(string, tag = "1")]
    pub(crate) id: String,
    /// The steps that were done, as they noted it themselves.
    #[prost(string, repeated, tag = "2")]
    pub(crate) done: Vec<String>,
}

/// What goes wrong in a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    Refuse,
    /// The effect takes place, the answer is lost.
    Lose,
    /// Nothing takes place, and nobody can tell.
    Fail,
    /// No answer ever; the request is kept, to be delivered later.
    Hang,
    Panic,
}

/// What goes wrong, call by call; everything else goes well.
#[derive(Clone, Default)]
pub(crate) struct Plot {
    acts: Arc<Mutex<Turns>>,
    undos: Arc<Mutex<Turns>>,
    held: Arc<Mutex<Vec<Request>>>,
}

/// By saga and step.
type Turns = HashMap<(String, &'static str), Vec<Turn>>;

/// A request that hangs in the network.
struct Request {
    owner: &'static str,
    saga: String,
    id: String,
}

impl Plot {
    /// The next calls of this step of the saga turn out so.
    pub(crate) fn act(&self, saga: &str, step: usize, turns: &[Turn]) {
        self.acts.lock().unwrap().insert((saga.to_owned(), OWNERS[step]), turns.to_vec());
    }

    /// The next undos of this step of the saga turn out so.
    pub(crate) fn undo(&self, saga: &str, step: usize, turns: &[Turn]) {
        self.undos.lock().unwrap().insert((saga.to_owned(), OWNERS[step]), turns.to_vec());
    }

    /// How many of the turns of this step's undo are left.
    pub(crate) fn undos_left(&self, saga: &str, step: usize) -> usize {
        self.undos.lock().unwrap().get(&(saga.to_owned(), OWNERS[step])).map_or(0, Vec::len)
    }

    /// How many requests hang.
    pub(crate) fn hanging(&self) -> usize {
        self.held.lock().unwrap().len()
    }

    fn next_act(&self, saga: &str, step: &'static str) -> Option<Turn> {
        take_first(self.acts.lock().unwrap().get_mut(&(saga.to_owned(), step))?)
    }

    fn next_undo(&self, saga: &str, step: &'static str) -> Option<Turn> {
        take_first(self.undos.lock().unwrap().get_mut(&(saga.to_owned(), step))?)
    }
}

fn take_first(turns: &mut Vec<Turn>) -> Option<Turn> {
    (!turns.is_empty()).then(|| turns.remove(0))
}

/// Takes one unit at an owner.
#[derive(Clone)]
pub(crate) struct Take<const OWNER: usize> {
    pub(crate) owners: Owners,
    pub(crate) plot: Plot,
    pub(crate) limits: Limits,
    /// The planted bug of E50: every attempt is another effect.
    pub(crate) unkeyed: bool,
}

impl<const OWNER: usize> Step for Take<OWNER> {
    type State = Order;
    const NAME: &'static str = OWNERS[OWNER];

    async fn act(&self, step: &StepContext, order: &mut Order) -> Result<(), StepError> {
        let id = match self.unkeyed {
            false => step.id().to_owned(),
            true => format!("{}/{}", step.id(), fastrand::u64(..)),
        };
        let turn = self.plot.next_act(step.saga(), Self::NAME);
        match turn {
            None | Some(Turn::Lose) => self.owners.apply(Self::NAME, step.saga(), &id).await?,
            Some(Turn::Refuse) => return Err(StepError::refused("NOT_ENOUGH", "the plot says so")),
            Some(Turn::Fail) => {}
            Some(Turn::Hang) => {
                self.plot.held.lock().unwrap().push(Request {
                    owner: Self::NAME,
                    saga: step.saga().to_owned(),
                    id,
                });
                std::future::pending().await
            }
            Some(Turn::Panic) => panic!("the plot says so"),
        }
        if turn.is_some() {
            return Err(StepError::retry("UNAVAILABLE", "the answer was lost"));
        }
        order.done.push(Self::NAME.to_owned());
        Ok(())
    }

    async fn undo(&self, step: &StepContext, _: &Order) -> Result<(), StepError> {
        match self.plot.next_undo(step.saga(), Self::NAME) {
            Some(Turn::Fail) => return Err(StepError::retry("UNAVAILABLE", "the owner is away")),
            Some(Turn::Refuse) => return Err(StepError::refused("NO", "the owner refuses to undo")),
            _ => {}
        }
        self.owners.undo(Self::NAME, step.saga(), step.id()).await;
        Ok(())
    }

    fn limits(&self) -> Limits {
        self.limits
    }
}

/// The mesh of a test.
pub(crate) struct World {
    ahead_ms: Arc<AtomicI64>,
    pub(crate) store: Store,
    pub(crate) owners: Owners,
    pub(crate) plot: Plot,
    pub(crate) limits: Limits,
    pub(crate) options: Options,
    pub(crate) unkeyed: bool,
    /// What the process remembers; one that restarts forgets it.
    pub(crate) unsent: Unsent,
}

impl World {
    /// Opens the databases in `folder`; delays are short and limits wide, so that no clock decides a test.
    pub(crate) async fn open(folder: &Path) -> Self {
        Self::open_at(format!("sqlite:{}", folder.join("orders.db").display()), folder).await
    }

    /// The same with the orders' database at `url`.
    pub(crate) async fn open_at(url: String, folder: &Path) -> Self {
        let ahead_ms = Arc::new(AtomicI64::new(0));
        let clock = Arc::clone(&ahead_ms);
        let options = freehold_store::Options::new("orders", url)
            .migrations(&crate::MIGRATIONS)
            .throwaway_server()
            .clock(move || real_ms() + clock.load(Ordering::SeqCst));
        Self {
            ahead_ms,
            store: Store::open(options.migrations(&ORDERS)).await.unwrap(),
            owners: Owners::open(folder).await,
            plot: Plot::default(),
            limits: Limits {
                timeout: Duration::from_secs(60),
                deadline: Duration::from_secs(600),
                attempts: 3,
            },
            options: Options {
                backoff: Backoff { first: Duration::from_millis(1), cap: Duration::from_millis(2) },
                grace: Duration::from_millis(50),
                ..Options::default()
            },
            unkeyed: false,
            unsent: Unsent::default(),
        }
    }

    /// Moves the clock of the orders' database, by which sagas are timed.
    pub(crate) fn advance(&self, by: Duration) {
        self.ahead_ms.fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }

    /// The definition under test: one unit of each owner.
    pub(crate) fn saga(&self) -> Saga<Order> {
        Saga::new("place_order", 1)
            .remembering(&self.unsent)
            .step(self.take::<0>())
            .step(self.take::<1>())
            .step(self.take::<2>())
            .on_done(confirm)
            .on_compensated(reject)
    }

    pub(crate) fn take<const OWNER: usize>(&self) -> Take<OWNER> {
        let (owners, plot) = (self.owners.clone(), self.plot.clone());
        Take { owners, plot, limits: self.limits, unkeyed: self.unkeyed }
    }

    pub(crate) fn executor(&self) -> Executor {
        Executor::new(self.store.clone(), self.options.clone()).saga(&self.saga())
    }

    pub(crate) fn start(&self) -> Handle {
        self.executor().start().unwrap()
    }

    /// Places the order `id`: its row and its saga in one unit.
    pub(crate) async fn place(&self, id: &str) -> Begun {
        self.place_by(&self.saga(), id).await.unwrap()
    }

    pub(crate) async fn place_by(&self, saga: &Saga<Order>, id: &str) -> Result<Begun, BeginError> {
        let (saga, order) = (saga.clone(), Order { id: id.to_owned(), done: Vec::new() });
        let unit = async move |work: &mut Work| {
            let sql = "INSERT INTO orders (id, state, ends) VALUES ($1, 'placed', 0) ON CONFLICT DO NOTHING";
            work.exec(sql, vals![order.id.as_str()]).await?;
            saga.begin(work, &order.id, &order).await
        };
        Ok(self.store.unit(&context(), unit).await?.0)
    }

    /// Delivers what hung in the network; answers how many requests took effect.
    pub(crate) async fn deliver_late(&self) -> usize {
        let held: Vec<_> = self.plot.held.lock().unwrap().drain(..).collect();
        let mut applied = 0;
        for Request { owner, saga, id } in held {
            applied += usize::from(self.owners.apply(owner, &saga, &id).await.is_ok());
        }
        applied
    }

    /// Everything that is wrong once all is quiet.
    pub(crate) async fn violations(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let effects = self.owners.effects().await;
        for (owner, shelf, held) in self.owners.pots().await {
            let standing = effects.iter().filter(|effect| effect.owner == owner && effect.stands).count();
            if shelf + held != SHELF || held != i64::try_from(standing).unwrap() {
                wrong.push(format!("{owner}: {shelf} + {held} for {standing} effects"));
            }
        }
        let sagas = self.column("SELECT id, state AS a, '' AS b FROM freehold_saga").await;
        for effect in &effects {
            if !sagas.contains_key(&effect.saga) {
                wrong.push(format!("{}: an effect without a saga", effect.saga));
            }
        }
        let orders = self.column("SELECT id, state AS a, CAST(ends AS TEXT) AS b FROM orders").await;
        for (id, (state, _)) in &sagas {
            let of = |owner: &str| {
                effects
                    .iter()
                    .filter(|effect| effect.saga == *id && effect.owner == owner && effect.stands)
                    .count()
            };
            let (wanted, order) = match state.as_str() {
                "done" => (1, "confirmed"),
                "compensated" => (0, "rejected"),
                other => {
                    wrong.push(format!("{id}: it has not ended, it is {other}"));
                    continue;
                }
            };
            for owner in OWNERS.iter().filter(|owner| of(owner) != wanted) {
                wrong.push(format!("{id}: {state}, with {} effects at {owner}", of(owner)));
            }
            if orders.get(id) != Some(&(order.to_owned(), "1".to_owned())) {
                wrong.push(format!("{id}: {state}, the order is {:?}", orders.get(id)));
            }
        }
        wrong
    }

    async fn column(&self, sql: &'static str) -> HashMap<String, (String, String)> {
        let rows = self.store.read().await.unwrap().all(sql, vals![]).await.unwrap();
        let get = |row: &freehold_store::Row, column| row.get::<String>(column).unwrap();
        rows.iter().map(|row| (get(row, "id"), (get(row, "a"), get(row, "b")))).collect()
    }

    pub(crate) async fn close(self) {
        self.store.close().await;
        self.owners.close().await;
    }
}

async fn confirm(work: &mut Work, order: &Order) -> Result<(), EndError> {
    end(work, &order.id, "confirmed").await
}

async fn reject(work: &mut Work, order: &Order, _: &Failure) -> Result<(), EndError> {
    end(work, &order.id, "rejected").await
}

async fn end(work: &mut Work, id: &str, state: &str) -> Result<(), EndError> {
    let sql = "UPDATE orders SET state = $2, ends = ends + 1 WHERE id = $1";
    work.exec(sql, vals![id, state]).await?;
    Ok(())
}

fn real_ms() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// A context for as long as any test may take.
pub(crate) fn context() -> Context {
    Context::new("orders", Duration::from_secs(60))
}

/// The end of a saga.
pub(crate) async fn ended(handle: &Handle, id: &str) -> Ended {
    handle.wait(&context(), id).await.unwrap()
}

/// Waits for something that will be so, however long the machine takes.
pub(crate) async fn until(mut so: impl AsyncFnMut() -> bool) {
    let a_minute = Duration::from_secs(60);
    freehold_testkit::eventually("it is so", a_minute, async || so().await.then_some(())).await;
}
