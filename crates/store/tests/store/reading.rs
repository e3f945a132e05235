//! Reads: one snapshot, no writing, the same values on both engines.

use std::time::Duration;

use freehold_store::{Queries, Read, ReadOnly, Store, StoreError, Work, vals};

use crate::engines::Database;
use crate::sample::{self, context, insert, run};

on_each_engine! {
    a_read_sees_one_snapshot,
    a_read_cannot_write,
    a_read_is_cut_at_its_deadline,
    a_read_ends_with_its_call,
    values_come_back_as_they_went,
    parameters_go_by_their_number,
    wrong_parameters_are_a_typed_error,
    one_gives_the_first_row_or_none,
    a_page_ends_where_its_bytes_do,
    a_database_is_looked_into_beside_its_owner,
    a_query_that_is_wrong_says_so,
}

async fn a_read_sees_one_snapshot(database: Database) {
    const COUNT: &str = "SELECT count(*) AS n FROM orders";
    let store = database.open().await;
    let mut before = store.read().await.unwrap();
    let count = async |read: &mut freehold_store::Read| -> i64 {
        read.one(COUNT, vals![]).await.unwrap().unwrap().get("n").unwrap()
    };
    assert_eq!(count(&mut before).await, 0);
    run(&store, async |work: &mut Work| insert(work, "a", 1).await).await.unwrap();
    assert_eq!(count(&mut before).await, 0);
    assert_eq!(count(&mut store.read().await.unwrap()).await, 1, "a later read sees what was acknowledged");
}

async fn a_read_cannot_write(database: Database) {
    let store = database.open().await;
    let mut read = store.read().await.unwrap();
    let error = read.exec("INSERT INTO orders (id, cents) VALUES ('a', 1)", vals![]).await.unwrap_err();
    assert!(matches!(error, StoreError::Forbidden(_)), "{error}");
    drop(read);
    for sql in ["COMMIT", "PRAGMA query_only = OFF"] {
        let error = store.read().await.unwrap().exec(sql, vals![]).await.unwrap_err();
        assert!(!error.is_transient(), "{sql}: {error}");
    }
    assert_eq!(sample::orders(&store).await, 0);
}

/// A read that has begun and has little time left.
async fn short_read(store: &Store) -> Read {
    let mut budget = Duration::from_millis(50);
    loop {
        match store.read_within(&context().with_budget(budget)).await {
            Err(StoreError::DeadlineExceeded) => budget *= 2,
            read => return read.unwrap(),
        }
    }
}

async fn a_read_is_cut_at_its_deadline(database: Database) {
    let store = database.open().await;
    let mut read = short_read(&store).await;
    for _ in 0..2 {
        assert!(matches!(read.one(sample::FOR_EVER, vals![]).await, Err(StoreError::DeadlineExceeded)));
    }
    drop(read);
    assert_eq!(sample::orders(&store).await, 0, "the connection is as good as new");
}

/// C6: the caller of the call goes away while its statement runs. The planted bug is a read that knows its deadline alone.
async fn a_read_ends_with_its_call(database: Database) {
    let store = database.open().await;
    let context = context();
    let mut read = store.read_within(&context).await.unwrap();
    assert!(read.one("SELECT 1 AS one", vals![]).await.is_ok());
    let begins = sample::cancelled_once_begun(&context);
    begins.send(()).unwrap();
    assert!(matches!(read.one(sample::FOR_EVER, vals![]).await, Err(StoreError::Cancelled)));
    drop(read);
    assert_eq!(sample::orders(&store).await, 0, "the connection is as good as new");
}

async fn values_come_back_as_they_went(database: Database) {
    const INSERT: &str =
        "INSERT INTO orders (id, cents, note, open, weight, raw) VALUES ($1, $2, $3, $4, $5, $6)";
    const SELECT: &str = "SELECT id, cents, note, open, weight, raw FROM orders ORDER BY id";
    let store = database.open().await;
    let unit = run(&store, async |work: &mut Work| -> Result<(), StoreError> {
        let raw = vec![0_u8, 255];
        work.exec(INSERT, vals!["a", i64::MAX, "ä\n'", false, 0.1, raw]).await?;
        let none = vals!["b", 0_i64, None::<String>, true, None::<f64>, None::<Vec<u8>>];
        work.exec(INSERT, none).await.map(drop)
    });
    unit.await.unwrap();
    let rows = store.read().await.unwrap().all(SELECT, vals![]).await.unwrap();
    assert_eq!(rows[0].get::<String>("note").unwrap(), "ä\n'");
    assert_eq!(rows[0].get::<i64>("cents").unwrap(), i64::MAX);
    assert!(!rows[0].get::<bool>("open").unwrap() && rows[1].get::<bool>("open").unwrap());
    assert_eq!(rows[0].get::<f64>("weight").unwrap().to_bits(), 0.1_f64.to_bits());
    assert_eq!(rows[0].get::<Vec<u8>>("raw").unwrap(), [0, 255]);
    assert_eq!(rows[1].get::<Option<String>>("note").unwrap(), None);
    assert_eq!(rows[1].get::<Option<f64>>("weight").unwrap(), None);
    assert!(rows[1].get::<String>("note").is_err(), "a NULL is no text");
}

async fn parameters_go_by_their_number(database: Database) {
    const ROW: &str =
        "SELECT CAST($2 AS TEXT) AS second, CAST($1 AS BIGINT) AS first, CAST($2 AS TEXT) AS again";
    let store = database.open().await;
    let row = store.read().await.unwrap().one(ROW, vals![7_i64, "x"]).await.unwrap().unwrap();
    assert_eq!(row.get::<i64>("first").unwrap(), 7);
    assert_eq!(
        (row.get::<String>("second").unwrap(), row.get::<String>("again").unwrap()),
        ("x".into(), "x".into())
    );
}

async fn wrong_parameters_are_a_typed_error(database: Database) {
    let store = database.open().await;
    for values in [vals![], vals!["a", "b"]] {
        let mut read = store.read().await.unwrap();
        let error = read.one("SELECT id FROM orders WHERE id = $1", values).await.unwrap_err();
        assert!(!error.is_transient(), "{error:?}");
    }
}

async fn one_gives_the_first_row_or_none(database: Database) {
    const FIRST: &str = "SELECT id FROM orders ORDER BY id";
    let store = database.open().await;
    assert_eq!(store.read().await.unwrap().one(FIRST, vals![]).await.unwrap(), None);
    let unit = run(&store, async |work: &mut Work| -> Result<u64, StoreError> {
        insert(work, "b", 1).await?;
        insert(work, "a", 1).await
    });
    unit.await.unwrap();
    let row = store.read().await.unwrap().one(FIRST, vals![]).await.unwrap().unwrap();
    assert_eq!(row.get::<String>("id").unwrap(), "a");
}

async fn a_page_ends_where_its_bytes_do(database: Database) {
    const SIZES: &str = "SELECT id FROM orders ORDER BY cents LIMIT 4";
    let store = database.open().await;
    for (cents, length) in [30, 30, 1000, 30, 30].into_iter().enumerate() {
        let (id, cents) = (cents.to_string().repeat(length), i64::try_from(cents).unwrap());
        run(&store, async move |work: &mut Work| insert(work, &id, cents).await).await.unwrap();
    }
    let mut read = store.read().await.unwrap();
    // A column is eight bytes and its text.
    for (bytes, rows, cut) in
        [(0, 1, true), (76, 2, true), (1083, 2, true), (1084, 3, true), (1122, 4, false)]
    {
        let page = read.page(SIZES, vals![], bytes).await.unwrap();
        assert_eq!((page.rows.len(), page.cut), (rows, cut), "{bytes} bytes");
    }
    let whole = read.page("SELECT id FROM orders WHERE cents = 2", vals![], 1).await.unwrap();
    assert_eq!(
        (whole.rows.len(), whole.cut),
        (1, false),
        "a row that is larger than a page has one to itself"
    );
    let none = read.page("SELECT id FROM orders WHERE cents > 9", vals![], 1).await.unwrap();
    assert_eq!((none.rows.len(), none.cut), (0, false));
}

async fn a_database_is_looked_into_beside_its_owner(database: Database) {
    let store = database.open().await;
    run(&store, async |work: &mut Work| insert(work, "a", 1).await).await.unwrap();
    let looking = ReadOnly::open(&database.url).await.unwrap();
    assert_eq!((looking.service(), looking.engine()), ("orders", store.engine()));
    let mut read = looking.read(Duration::from_secs(60)).await.unwrap();
    assert!(read.one("SELECT 1 AS one FROM orders WHERE id = 'a'", vals![]).await.unwrap().is_some());
    assert!(read.exec("DELETE FROM orders", vals![]).await.is_err());
    drop(read);
    assert_eq!(sample::orders(&store).await, 1);
}

async fn a_query_that_is_wrong_says_so(database: Database) {
    let store = database.open().await;
    let mut read = store.read().await.unwrap();
    assert!(matches!(read.one("SELECT nothing FROM nowhere", vals![]).await, Err(StoreError::Sql(_))));
    if database.is_postgres() {
        let mut read = store.read().await.unwrap();
        let error = read.one("SELECT sum(cents) + 0.0 AS n FROM orders HAVING true", vals![]).await;
        assert!(error.is_ok(), "a NULL of any type is NULL");
        let error = read.one("SELECT 1.5 AS n", vals![]).await.unwrap_err();
        assert!(error.to_string().contains("cast it"), "{error}");
    }
}
