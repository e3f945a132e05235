//! Opening: one owner, its own schema, or a refusal that leaves the database as it is.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use freehold_store::{
    Constraint, Migration, Migrations, OpenError, Options, Queries, ReadOnly, Store, StoreError, Work, vals,
};
use sqlx::Executor;

use crate::child;
use crate::engines::{Database, open, with_setting};
use crate::sample::{self, Paid, insert, run};

on_each_engine! {
    a_second_owner_is_refused,
    another_services_database_is_refused,
    a_newer_schema_is_refused,
    a_changed_migration_is_refused,
    a_database_that_is_no_store_is_refused,
    a_new_step_is_applied_once,
    a_step_may_have_its_own_words_for_postgres,
    a_failing_step_applies_none,
    wrong_migrations_are_refused,
    a_server_that_could_lose_commits_is_refused,
    a_stopped_database_can_be_looked_into,
    a_look_says_what_opening_would,
    an_url_of_nothing_is_refused,
}

static SECOND: Migrations =
    Migrations { set: "second", steps: &[step(1, "CREATE TABLE second (id TEXT PRIMARY KEY) STRICT;")] };

const fn step(version: i64, sql: &'static str) -> Migration {
    Migration { version, name: "step", sql, postgres: None }
}

/// A database with some history, closed.
async fn with_history(database: &Database) {
    let store = database.open().await;
    run(&store, async |work: &mut Work| work.emit(&Paid::new("a")).await).await.unwrap();
    store.close().await;
}

/// Opens what must be refused, and proves that it was not touched.
async fn refused(database: &Database, options: Options) -> OpenError {
    let before = contents(database).await;
    let error = open(options).await.err().unwrap();
    assert!(before == contents(database).await, "the database was touched: {error}");
    error
}

/// On SQLite the files byte by byte, but for the lock and the index of the WAL, which whoever opens it makes anew; on
/// PostgreSQL what the store's tables say.
async fn contents(database: &Database) -> BTreeMap<String, Vec<u8>> {
    if !database.is_postgres() {
        return files(database.file().parent().unwrap());
    }
    let mut connection = database.connect().await;
    let mut contents = BTreeMap::new();
    let tables = "(SELECT tablename FROM pg_tables WHERE schemaname = current_schema)";
    for table in [tables, "freehold_store", "freehold_migration", "freehold_epoch"] {
        let sql = format!("SELECT string_agg(t::text, ',' ORDER BY t::text) FROM {table} t");
        let rows = sqlx::query_scalar::<_, Option<String>>(sqlx::AssertSqlSafe(sql));
        let text = rows.fetch_one(&mut connection).await.ok().flatten();
        contents.insert(table.to_owned(), text.unwrap_or_default().into_bytes());
    }
    contents
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    let files = files.map(|path| (name(&path), fs::read(&path).unwrap()));
    files.filter(|(name, _)| !name.ends_with(".lock") && !name.ends_with("-shm")).collect()
}

async fn a_second_owner_is_refused(database: Database) {
    if database.is_postgres() {
        return; // There an owner may be several processes.
    }
    let store = database.open().await;
    assert!(matches!(Store::open(database.options()).await.err(), Some(OpenError::Owned(_))));
    let link = database.file().with_file_name("link.db");
    std::os::unix::fs::symlink(database.file(), &link).unwrap();
    let by_link = sample::options(&format!("sqlite:{}", link.display()));
    assert!(matches!(Store::open(by_link).await.err(), Some(OpenError::Owned(_))));
    run(&store, async |work: &mut Work| insert(work, "a", 1).await).await.unwrap();
    store.close().await;
    database.open().await;
}

async fn another_services_database_is_refused(database: Database) {
    with_history(&database).await;
    let foreign = Options::new("payments", &database.url).migrations(&sample::MIGRATIONS).throwaway_server();
    let error = refused(&database, foreign.clone()).await;
    assert!(matches!(error, OpenError::OtherService { ref found, .. } if found == "orders"), "{error}");
    if !database.is_postgres() {
        // As a process that died has left it: with commits that are in the WAL alone.
        child::die("write", &database.url);
        assert!(contents(&database).await["orders.db-wal"].len() > 4096);
        assert!(matches!(refused(&database, foreign).await, OpenError::OtherService { .. }));
    }
}

async fn a_newer_schema_is_refused(database: Database) {
    let newer = open(database.options().migrations(&SECOND)).await.unwrap();
    newer.close().await;
    let error = refused(&database, database.options()).await;
    assert!(matches!(error, OpenError::NewerSchema { ref set, version: 1 } if set == "second"), "{error}");
}

async fn a_changed_migration_is_refused(database: Database) {
    static CHANGED: Migrations =
        Migrations { set: "orders", steps: &[step(1, "CREATE TABLE orders (id TEXT PRIMARY KEY) STRICT;")] };
    with_history(&database).await;
    let changed = Options::new("orders", &database.url).migrations(&CHANGED).throwaway_server();
    let error = refused(&database, changed).await;
    assert!(matches!(error, OpenError::ChangedMigration { version: 1, .. }), "{error}");
}

async fn a_database_that_is_no_store_is_refused(database: Database) {
    if database.is_postgres() {
        let made = sqlx::raw_sql("CREATE TABLE somebody (id TEXT)");
        database.connect().await.execute(made).await.unwrap();
    } else {
        fs::write(database.file(), [7_u8; 5000]).unwrap();
        let garbage = refused(&database, database.options()).await;
        assert!(matches!(garbage, OpenError::Database(StoreError::Corrupt(_))), "{garbage}");
        fs::remove_file(database.file()).unwrap();
        somebodys_database(&database.file());
    }
    let error = refused(&database, database.options()).await;
    assert!(matches!(error, OpenError::NotAStore(_)), "{error}");
    assert!(matches!(ReadOnly::open(&database.url).await.err(), Some(OpenError::NotAStore(_))));
}

fn somebodys_database(file: &Path) {
    let connection = rusqlite::Connection::open(file).unwrap();
    connection.execute_batch("CREATE TABLE somebody (id TEXT)").unwrap();
}

async fn a_new_step_is_applied_once(database: Database) {
    with_history(&database).await;
    for _ in 0..2 {
        let store = open(database.options().migrations(&SECOND)).await.unwrap();
        assert_eq!(sample::count(&store, "SELECT count(*) AS n FROM second").await, 0);
        assert_eq!(sample::events(&store).await.len(), 1, "what was there is there");
        store.close().await;
    }
}

async fn a_step_may_have_its_own_words_for_postgres(database: Database) {
    static TWO: Migrations = Migrations {
        set: "two",
        steps: &[Migration {
            version: 1,
            name: "two",
            sql: "CREATE TABLE two (id TEXT PRIMARY KEY) STRICT; \
                  CREATE TRIGGER two_stays BEFORE DELETE ON two BEGIN SELECT RAISE(ABORT, 'it stays'); END;",
            postgres: Some(
                "CREATE TABLE two (id TEXT PRIMARY KEY); \
                 CREATE FUNCTION two_stays() RETURNS trigger AS $$ DECLARE why TEXT; \
                 BEGIN why := 'it stays'; RAISE EXCEPTION '%', why; END $$ LANGUAGE plpgsql; \
                 CREATE TRIGGER two_stays BEFORE DELETE ON two FOR EACH ROW EXECUTE FUNCTION two_stays();",
            ),
        }],
    };
    let store = open(database.options().migrations(&TWO)).await.unwrap();
    let unit = run(&store, async |work: &mut Work| -> Result<u64, StoreError> {
        work.exec("INSERT INTO two (id) VALUES ('a')", vals![]).await?;
        work.exec("DELETE FROM two", vals![]).await
    });
    let error = unit.await.unwrap_err();
    assert!(
        matches!(error, StoreError::Constraint { kind: Constraint::Other, ref name } if name == "it stays"),
        "{error}"
    );
}

async fn a_failing_step_applies_none(database: Database) {
    static FAILING: Migrations = Migrations {
        set: "failing",
        steps: &[step(1, "CREATE TABLE first (id TEXT) STRICT;"), step(2, "CREATE TABLE nonsense (;")],
    };
    with_history(&database).await;
    let error = open(database.options().migrations(&FAILING)).await.err().unwrap();
    assert!(matches!(error, OpenError::Migration { version: 2, .. }), "{error}");
    let store = database.open().await;
    assert_eq!(store.head().epochs().len(), 2, "the failed start began no epoch");
}

async fn wrong_migrations_are_refused(database: Database) {
    static GAP: Migrations = Migrations { set: "gap", steps: &[step(2, "CREATE TABLE a (id TEXT) STRICT;")] };
    static LATE: Migrations = Migrations {
        set: "late",
        steps: &[step(1, "CREATE TABLE a (id TEXT REFERENCES b (id) DEFERRABLE INITIALLY DEFERRED) STRICT;")],
    };
    for wrong in [&GAP, &LATE, &sample::MIGRATIONS] {
        let error = open(database.options().migrations(wrong)).await.err().unwrap();
        assert!(matches!(error, OpenError::BadMigrations { .. }), "{error}");
    }
    if !database.is_postgres() {
        static LOOSE: Migrations =
            Migrations { set: "loose", steps: &[step(1, "CREATE TABLE a (id TEXT);")] };
        let error = open(database.options().migrations(&LOOSE)).await.err().unwrap();
        assert!(matches!(error, OpenError::LooseTable(ref table) if table == "a"), "{error}");
        let store = database.open().await;
        assert_eq!(store.head().epochs().len(), 1, "none of them was applied");
    }
}

/// The connection's own settings are tested where it is made, in `sqlite/connection.rs`.
async fn a_server_that_could_lose_commits_is_refused(database: Database) {
    if !database.is_postgres() {
        return;
    }
    let planted = sample::options(&with_setting(&database.url, "synchronous_commit", "off"));
    let error = open(planted).await.err().unwrap();
    assert!(
        matches!(error, OpenError::Durability { ref setting, .. } if setting == "synchronous_commit"),
        "{error}"
    );
    let fsync = sqlx::query_scalar::<_, String>("SELECT setting FROM pg_settings WHERE name = 'fsync'");
    if fsync.fetch_one(&mut database.connect().await).await.unwrap() == "off" {
        let strict = Options::new("orders", &database.url).migrations(&sample::MIGRATIONS);
        let error = open(strict).await.err().unwrap();
        assert!(matches!(error, OpenError::Durability { .. }), "{error}");
    }
}

/// Also as a process that died has left it.
async fn a_stopped_database_can_be_looked_into(database: Database) {
    with_history(&database).await;
    child::die("write", &database.url);
    let looking = ReadOnly::open(&database.url).await.unwrap();
    assert_eq!(looking.service(), "orders");
    let mut read = looking.read(Duration::from_secs(60)).await.unwrap();
    let kept = read.all("SELECT id FROM freehold_outbox", vals![]).await.unwrap();
    assert_eq!(kept.len(), 2, "what was committed and nothing else");
    drop(read);
    let store = database.open().await;
    assert_eq!(store.head().epochs().len(), 3, "the look was no start");
}

async fn a_look_says_what_opening_would(database: Database) {
    let newer = open(database.options().migrations(&SECOND)).await.unwrap();
    let looking = ReadOnly::open(&database.url).await.unwrap();
    looking.admits(&database.options().migrations(&SECOND)).await.unwrap();
    let older = looking.admits(&database.options()).await.err();
    assert!(matches!(older, Some(OpenError::NewerSchema { version: 1, .. })), "{older:?}");
    let foreign = Options::new("payments", &database.url).migrations(&sample::MIGRATIONS);
    let foreign = looking.admits(&foreign).await.err();
    assert!(matches!(foreign, Some(OpenError::OtherService { .. })), "{foreign:?}");
    newer.close().await;
}

async fn an_url_of_nothing_is_refused(database: Database) {
    for url in ["", "orders.db", "mysql://orders", "sqlite:", "postgres://host:port:1/x"] {
        let error = Store::open(Options::new("orders", url)).await.err().unwrap();
        assert!(matches!(error, OpenError::Url(_)), "{url}: {error}");
    }
    if !database.is_postgres() {
        let missing = format!("{}.missing", database.url);
        assert!(ReadOnly::open(&missing).await.is_err());
        assert!(!Path::new(missing.strip_prefix("sqlite:").unwrap()).exists(), "a look makes no file");
    }
}
