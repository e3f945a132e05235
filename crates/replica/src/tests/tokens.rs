//! R15: whatever happens around a commit, the token that a caller has is one that a copy can wait for.

use freehold_store::{StoreError, Work};
use freehold_testkit::engines::{self, Database};
use freehold_testkit::{Scratch, image};
use freehold_wire::Session;
use freehold_wire::pb::Token;

use crate::fixture::{Catalog, Failing, SOON, Shop, Way, context, name, product};
use crate::{Level, LevelName, Replica};

/// A price, and what the write makes of it.
const OLD: i64 = 1;
const NEW: i64 = 2;

/// How a write ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    RolledBack,
    KilledBeforeItsCommit,
    KilledAfterItsCommit,
}

/// The write: its token comes with the success of its unit, if there is somebody left to tell it.
async fn write(catalog: Catalog, end: End) -> (Option<Token>, Catalog) {
    let folder = catalog.folder();
    let unit = async move |work: &mut Work| -> Result<Scratch, StoreError> {
        work.put(&product(0, NEW)).await?;
        if end == End::RolledBack {
            return Err(StoreError::Busy("changed its mind"));
        }
        Ok(image(&folder))
    };
    let answer = catalog.store.unit(&context(), unit).await;
    match (end, answer) {
        (End::KilledBeforeItsCommit, Ok((killed, _))) => (None, Catalog::of_image(killed).await),
        (End::KilledAfterItsCommit, Ok((_, token))) => (Some(token), catalog.backup().await),
        (_, answer) => (answer.ok().map(|(_, token)| token), catalog),
    }
}

/// The planted bug: tells the token that the write is about to have.
async fn told_too_early(catalog: Catalog, end: End) -> (Option<Token>, Catalog) {
    let head = catalog.store.head();
    let epoch = head.epochs().last().unwrap().id;
    let coming = Token::default().with_owner("catalog").with_epoch(epoch).with_mark(head.mark() + 1);
    let (_, left) = write(catalog, end).await;
    (Some(coming), left)
}

/// Waits for the token in a copy, while others write on: whoever has a token finds its write, and nobody finds a write
/// that has none.
async fn found_by_a_copy(told: Option<Token>, owner: &Catalog, database: Database) -> Result<(), String> {
    let shop = Shop::on(database).await;
    owner.put(1, OLD).await;
    let way = Way::sound(owner.feed());
    let replica: Replica<Failing> = shop.copy(&way).await;
    let session = Session::of(told.clone());
    let starting = async { shop.start(&replica, &way) };
    let (met, handle) = tokio::join!(replica.at(Level::Causal(&session), SOON), starting);
    let achieved = met.map_err(|error| format!("{told:?} is of no commit: {error}"))?;
    assert_eq!(achieved.level(), LevelName::Causal);
    let mut read = shop.store.read().await.unwrap();
    let found = Replica::<Failing>::get(&mut read, &name(0)).await.unwrap().unwrap().value.price_cents;
    handle.stop().await;
    let written = if told.is_some() { NEW } else { OLD };
    if found == written { Ok(()) } else { Err(format!("with {told:?} the copy shows {found}")) }
}

async fn around_the_commit(
    write: impl AsyncFn(Catalog, End) -> (Option<Token>, Catalog),
    end: End,
    database: Database,
) -> Result<(), String> {
    let catalog = Catalog::open().await;
    catalog.put(0, OLD).await;
    let (told, left) = write(catalog, end).await;
    found_by_a_copy(told, &left, database).await
}

/// R15: a write that rolled back, or whose owner was killed before its commit, has no token; one that was told is kept.
/// The planted bug tells a mark before its commit: another write takes it, or no history has it.
#[tokio::test]
async fn a_token_that_was_told_is_of_a_write_that_a_copy_finds() {
    if engines::is_about_postgres() {
        return; // A process that is killed leaves an image of files here.
    }
    for end in [End::RolledBack, End::KilledBeforeItsCommit, End::KilledAfterItsCommit] {
        for database in engines::each().await {
            assert_eq!(around_the_commit(write, end, database).await, Ok(()), "{end:?}");
        }
        let planted = around_the_commit(told_too_early, end, engines::sqlite()).await;
        assert_eq!(planted.is_err(), end != End::KilledAfterItsCommit, "{end:?}: {planted:?}");
    }
}
