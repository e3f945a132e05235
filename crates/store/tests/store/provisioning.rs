//! A database and roles for a service: what they may, and above all what they may not.

use freehold_store::{Login, OpenError, Provision, ReadOnly, Store, Work};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Executor};

use crate::engines::{open, server};
use crate::sample::{self, Paid, run};

fn login(role: String) -> Login {
    Login { role, password: "a1b2c3".to_owned() }
}

fn provision() -> Provision {
    let database = format!("freehold_made_{}", uuid::Uuid::now_v7().simple());
    let (owner, reader) = (login(database.clone()), login(format!("{database}_reader")));
    Provision { database, owner, reader }
}

/// Drops what was made, also where the test fails.
struct Made(Provision, String);

impl Drop for Made {
    fn drop(&mut self) {
        let Self(Provision { database, owner, reader }, server) = self;
        let (owner, reader) = (&owner.role, &reader.role);
        let drops = [
            format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)"),
            format!("DROP ROLE IF EXISTS {owner}"),
            format!("DROP ROLE IF EXISTS {reader}"),
        ];
        let server = server.clone();
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut admin = PgConnection::connect(&server).await.unwrap();
                for drop in drops {
                    admin.execute(sqlx::raw_sql(AssertSqlSafe(drop))).await.unwrap();
                }
            });
        });
        let _ = dropping.join();
    }
}

async fn made(server: &str) -> Made {
    let made = Made(provision(), server.to_owned());
    made.0.is_free(server).await.unwrap();
    made.0.make(server).await.unwrap();
    made
}

async fn may(url: &str, sql: &str) -> bool {
    let Ok(mut connection) = PgConnection::connect(url).await else { return false };
    connection.execute(sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))).await.is_ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_may_do_all_in_its_own_database_and_nothing_elsewhere() {
    let Some(server) = server() else { return };
    let (mine, others) = (made(&server).await, made(&server).await);
    let (owner, reader) = (&mine.0.owner, &mine.0.reader);
    let url = owner.url(&server, &mine.0.database);
    let store = open(sample::options(&url)).await.unwrap();
    run(&store, async |work: &mut Work| work.emit(&Paid::new("a")).await).await.unwrap();

    let looking = ReadOnly::open(&reader.url(&server, &mine.0.database)).await.unwrap();
    assert_eq!(looking.service(), "orders");
    assert!(looking.is_owned(sample::context().remaining()).await.unwrap());
    let reader_url = reader.url(&server, &mine.0.database);
    assert!(may(&reader_url, "SELECT * FROM freehold_event").await);
    let writes = "SET default_transaction_read_only = off; DELETE FROM freehold_outbox";
    assert!(!may(&reader_url, writes).await, "it may not, whatever it sets");
    assert!(!may(&reader_url, "CREATE TABLE freehold.a (id BIGINT)").await);
    for url in [owner.url(&server, &others.0.database), reader.url(&server, &others.0.database)] {
        assert!(!may(&url, "SELECT 1").await, "another service's database does not even let it in");
    }
    for sql in ["CREATE TABLE public.a (id BIGINT)", "CREATE ROLE somebody", "CREATE DATABASE another"] {
        assert!(!may(&url, sql).await, "{sql}");
    }
    store.close().await;
    // The server hears of it a moment later.
    let let_go = async { while looking.is_owned(sample::context().remaining()).await.unwrap() {} };
    tokio::time::timeout(sample::context().remaining(), let_go).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_there_is_made_again_by_whom_it_is_of_and_by_nobody_else() {
    let Some(server) = server() else { return };
    let made = made(&server).await;
    made.0.make(&server).await.unwrap();
    let taken = made.0.is_free(&server).await;
    assert!(matches!(taken, Err(OpenError::Taken(ref what)) if what.starts_with("the role")), "{taken:?}");
    let torn = Provision { database: "a;DROP".to_owned(), ..made.0.clone() };
    assert!(matches!(torn.make(&server).await, Err(OpenError::Url(_))));
    let url = made.0.owner.url(&server, &made.0.database);
    Store::open(sample::options(&url)).await.unwrap().close().await;
}

/// Who may make databases and roles and is no superuser may do it again. The planted bug says of a role that is there that
/// it is no superuser, which only a superuser may say.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_administrator_who_is_no_superuser_makes_what_is_missing_too() {
    let Some(server) = server() else { return };
    let admin = login(format!("freehold_admin_{}", uuid::Uuid::now_v7().simple()));
    let by = admin.url(&server, "postgres");
    let role = format!("CREATE ROLE {} LOGIN CREATEDB CREATEROLE PASSWORD '{}'", admin.role, admin.password);
    assert!(may(&server, &role).await);
    let made = Made(provision(), server.clone());
    for _ in 0..2 {
        made.0.make(&by).await.unwrap();
    }
    let url = made.0.owner.url(&server, &made.0.database);
    Store::open(sample::options(&url)).await.unwrap().close().await;
    drop(made);
    assert!(may(&server, &format!("DROP OWNED BY {0} CASCADE; DROP ROLE {0}", admin.role)).await);
}
