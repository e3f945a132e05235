//! E24: one poisoned key among a thousand: every other key goes on, in each round as it would have without it.

use freehold_store::{StoreError, Work};
use freehold_testkit::engines;
use freehold_wire::pb::Position;

use crate::ReactionError;
use crate::consumer::intake::Arrived;
use crate::fixture::{Mails, Owner, SUBSCRIPTION, Way, arrivals, context, effect, eventually};
use crate::link::{Batch, Link};

const KEYS: i64 = 1000;
const ROUNDS: i64 = 2;
const POISONED: &str = "k500";
/// What a consumer of the fixture takes at once.
const BATCH: usize = 7;

/// What the other keys had in each round, in the order in which they had it.
type Rounds = Vec<Vec<(String, i64)>>;

/// What the keys other than the poisoned one have had since `before`.
async fn others(mails: &Mails, before: &mut usize) -> Vec<(String, i64)> {
    let effects = mails.effects().await;
    let since = effects[*before..].iter().filter(|(key, _)| key != POISONED).cloned().collect();
    *before = effects.len();
    since
}

/// The rounds of a consumer whose reaction to the poisoned key ends like this. A round is over when all that the owner
/// sent has been taken in; how long that takes decides nothing.
async fn consumed(poison: impl Fn() -> Result<(), ReactionError> + Send + 'static) -> Rounds {
    let (owner, mails) = (Owner::open().await, Mails::open().await);
    mails.fail(move |key, _| if key == POISONED { poison() } else { Ok(()) });
    let handle = mails.start(Way::sound(owner.feed()));
    let (mut rounds, mut before) = (Vec::new(), 0);
    for _ in 0..ROUNDS {
        let last = owner.place_at_once(KEYS, 1).await;
        let taken = "SELECT coalesce(max(mark), 0) AS n FROM freehold_position";
        eventually("the end of a round", || async { mails.count(taken).await >= last }).await;
        rounds.push(others(&mails, &mut before).await);
    }
    handle.stop().await;
    rounds
}

/// What a consumer with a bug does where an event of a batch is poison.
#[derive(Debug, Clone, Copy)]
enum Planted {
    /// It tries the batch again for as long as it fails, so this is where it stays.
    Blocks,
    /// It gives up the whole batch.
    GivesUp,
}

/// The rounds of a consumer that parks no key.
async fn planted(bug: Planted) -> Rounds {
    let (owner, mails) = (Owner::open().await, Mails::open().await);
    let (mut rounds, mut before, mut after) = (Vec::new(), 0, None);
    for _ in 0..ROUNDS {
        let last = owner.place_at_once(KEYS, 1).await;
        let link = Link::new(Way::sound(owner.feed()), SUBSCRIPTION, ["o.v1.Placed"]);
        let mut arrivals = link.open(after).await.unwrap().patient();
        while after.is_none_or(|after: Position| after.mark < last) {
            let batch = arrivals.next(BATCH).await.unwrap();
            let position = batch.position;
            if take_all(&mails, batch).await.is_err() && matches!(bug, Planted::Blocks) {
                break;
            }
            after = Some(position);
        }
        rounds.push(others(&mails, &mut before).await);
    }
    rounds
}

/// The effects of a batch in one unit, which fails with the poisoned one.
async fn take_all(mails: &Mails, batch: Batch) -> Result<(), StoreError> {
    let unit = async move |work: &mut Work| {
        for event in &batch.events {
            effect(work, &event.subject, event.version, String::new()).await?;
            if event.subject == POISONED {
                return Err(StoreError::Busy("poison"));
            }
        }
        Ok(())
    };
    mails.store.unit(&context(), unit).await.map(drop)
}

/// Round by round, the other keys had what they have without poison, in that order.
fn undisturbed(rounds: &Rounds, without: &Rounds) -> Result<(), String> {
    for (at, (had, wanted)) in rounds.iter().zip(without).enumerate() {
        if had != wanted {
            let differs = had.iter().zip(wanted).position(|(had, wanted)| had != wanted);
            let (round, counts) = (at + 1, (had.len(), wanted.len()));
            return Err(format!("round {round}: {counts:?} events, first difference {differs:?}"));
        }
    }
    Ok(())
}

/// E24: however the poison fails, the other keys have the same events in the same order, in every round.
#[tokio::test]
async fn a_poisoned_key_among_a_thousand_disturbs_no_other() {
    let without = consumed(|| Ok(())).await;
    let events: Vec<_> = without.iter().map(Vec::len).collect();
    assert_eq!(events, [usize::try_from(KEYS - 1).unwrap(); 2]);
    let refused = consumed(|| Err(ReactionError::Refuse("poison".to_owned()))).await;
    assert_eq!(undisturbed(&refused, &without), Ok(()));
    let retried = consumed(|| Err(ReactionError::Retry("poison".to_owned()))).await;
    assert_eq!(undisturbed(&retried, &without), Ok(()));
    let panicked = consumed(|| panic!("poison")).await;
    assert_eq!(undisturbed(&panicked, &without), Ok(()));

    for bug in [Planted::Blocks, Planted::GivesUp] {
        let planted = undisturbed(&planted(bug).await, &without);
        assert!(planted.is_err(), "{bug:?}: the planted bug is seen");
    }
}

/// The rows of a batch go to PostgreSQL together, and one of them is refused. The planted bug does not ask whose it is, and
/// stands still.
#[tokio::test]
async fn a_row_that_the_database_refuses_parks_the_key_of_its_event_alone() {
    const UNIQUE: &str = "CREATE UNIQUE INDEX once ON effect (key, version)";
    const DEAD: &str =
        "SELECT count(*) AS n FROM freehold_parked WHERE key = 'k3' AND version = 2 AND state = 'dead'";
    for database in engines::each().await {
        let (owner, mails) = (Owner::open().await, Mails::on(database).await);
        let unit = async |work: &mut Work| {
            work.define(UNIQUE).await?;
            effect(work, "k3", 2, "there before".to_owned()).await
        };
        mails.store.unit::<_, StoreError, _>(&context(), unit).await.unwrap();
        owner.place_at_once(10, 3).await;
        let arrived = arrived(&owner, 30).await;
        let intake = mails.consumer(Way::sound(owner.feed())).intake(&mails.subscription());
        assert!(intake.absorb(arrived).await.unwrap().parked);
        assert_eq!(mails.count(DEAD).await, 1);
        assert_eq!(
            mails.count("SELECT count(*) AS n FROM freehold_parked").await,
            2,
            "and the one behind it"
        );
        let mut effects = mails.effects().await;
        effects.sort_unstable();
        let wanted = (0..10).flat_map(|key| (1..=3).map(move |version| (format!("k{key}"), version)));
        assert_eq!(effects, wanted.filter(|effect| *effect != ("k3".to_owned(), 3)).collect::<Vec<_>>());
    }
}

/// So many events of the owner at once.
async fn arrived(owner: &Owner, events: usize) -> Arrived {
    let (mut arrivals, mut all) = (arrivals(Way::sound(owner.feed())).await, Vec::new());
    while all.len() < events {
        all.extend(arrivals.next(BATCH).await.unwrap().events);
    }
    let position = all.last().and_then(|event| event.position).unwrap_or_default();
    Arrived { events: all.into(), position, origin: 0, careful: false }
}
