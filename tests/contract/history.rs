//! R14, R16 and R17 where it is certain that a copy is behind, or of another history: owners that stop, and one that is
//! restored from a backup.

use std::fs;
use std::path::Path;

use freehold_sdk::orders::v1::ListOrdersRequest;
use freehold_sdk::users::v1::{GetUserRequest, UpdateUserRequest};
use freehold_sdk::{Error, Mesh, Session};
use freehold_testkit::{PATIENCE, Scratch, eventually};
use tonic::Code;

use crate::mesh::Up;
use crate::world::Clients;

const OTHERS: &str = "catalog,inventory,payments,orders,notifications";
const ID: &str = "MARIA";

/// The copy cannot have the change: its owner and its keeper never ran at the same time since. Whoever has seen the
/// change is refused; the same call out of the session, which is what a lost token comes to, gets the old name.
#[tokio::test]
async fn what_a_session_has_seen_is_not_served_older() {
    let scratch = Scratch::new("behind");
    let folder = scratch.path();
    let users = Up::part(folder, "users", &[]).await;
    let gone = users.url("users").to_owned();
    let others = Up::part(folder, OTHERS, &[("FREEHOLD_USERS_URL", &gone)]).await;
    let session = Session::new();
    order(&clients(&[&users, &others], "demo", &session), "Before").await;
    others.end().await;
    rename(&clients(&[&users], "backoffice", &session), "After").await;
    users.end().await;

    let others = Up::part(folder, OTHERS, &[("FREEHOLD_USERS_URL", &gone)]).await;
    let refused = listed(&clients(&[&others], "demo", &session)).await.unwrap_err();
    assert!(refused.is_unavailable() && refused.reason() == "COPY_BEHIND", "{refused}");
    let forgetful = listed(&clients(&[&others], "demo", &Session::new())).await.unwrap();
    assert_eq!(forgetful, "Before", "without its users, the mesh lists what it has");
    others.end().await;

    let users = Up::part(folder, "users", &[]).await;
    let others = Up::part(folder, OTHERS, &[("FREEHOLD_USERS_URL", users.url("users"))]).await;
    let demo = clients(&[&users, &others], "demo", &session);
    let name = eventually("the copy has caught up", PATIENCE, async || match listed(&demo).await {
        Err(behind) if behind.is_unavailable() => None,
        name => Some(name.unwrap()),
    });
    assert_eq!(name.await, "After");
    others.end().await;
    users.end().await;
}

/// R14: what was seen of a history that a restored backup does not have is refused, by the copy and by the owner.
#[tokio::test]
async fn a_token_of_a_restored_history_is_refused() {
    let scratch = Scratch::new("restored");
    let (folder, data, backup) = (scratch.path(), scratch.join("data"), scratch.join("backup"));
    let up = Up::start(folder).await;
    order(&Clients::of(&up, "demo", &Session::new()), "Before").await;
    up.end().await;
    copy(&data, &backup);

    let up = Up::start(folder).await;
    let session = Session::new();
    rename(&Clients::of(&up, "backoffice", &session), "After").await;
    assert_eq!(listed(&Clients::of(&up, "demo", &session)).await.unwrap(), "After");
    up.end().await;
    copy(&backup, &data);

    let up = Up::start(folder).await;
    let (demo, newcomer) = (Clients::of(&up, "demo", &session), Clients::of(&up, "demo", &Session::new()));
    let get = GetUserRequest::default().with_id(ID);
    let by_the_owner = demo.users.get_user(get.clone()).await.unwrap_err();
    assert_eq!(refusal(&by_the_owner), (Code::FailedPrecondition, "TOKEN_NEVER_REACHED"), "{by_the_owner}");
    assert_eq!(newcomer.users.get_user(get).await.unwrap().name, "Before");
    for clients in [&demo, &newcomer] {
        // Until the copy hears of the restored history it has what was seen.
        let lost =
            eventually("the lost history is noticed", PATIENCE, async || match listed(clients).await {
                Ok(name) => (name != "After").then(|| panic!("{name} is neither")),
                Err(error) => Some(error),
            });
        let lost = lost.await;
        assert_eq!(refusal(&lost), (Code::FailedPrecondition, "HISTORY_LOST"), "{lost}");
    }
    up.end().await;
}

fn refusal(error: &Error) -> (Code, &str) {
    (error.code(), error.reason())
}

/// The clients of a consumer over a mesh of several processes.
fn clients(ups: &[&Up], consumer: &str, session: &Session) -> Clients {
    let known = ["users", "catalog", "inventory", "payments", "orders", "notifications", "drivers", "rides"];
    let nowhere = known.map(|name| (name.to_owned(), "http://127.0.0.1:1".to_owned()));
    let services = nowhere.into_iter().chain(ups.iter().flat_map(|up| up.services()));
    Clients::over(&Mesh::fixed(consumer, services), session)
}

/// Registers a user under a name, and places an order of hers.
async fn order(demo: &Clients, name: &str) {
    demo.user(ID, name).await;
    demo.product("CHAI", "Chai").await;
    demo.order("FIRST", ID, "CHAI").await;
    assert_eq!(listed(demo).await.unwrap(), name);
}

async fn rename(backoffice: &Clients, name: &str) {
    backoffice.users.update_user(UpdateUserRequest::default().with_id(ID).with_name(name)).await.unwrap();
}

/// The name under which the order is listed.
async fn listed(demo: &Clients) -> Result<String, Error> {
    let listed = demo.orders.list_orders(ListOrdersRequest::default()).await?;
    Ok(listed.orders[0].customer_name.clone())
}

/// Copies the database of users, and what belongs to it, in place of what is there.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for name in ["users.db", "users.db-wal", "users.db-shm"] {
        let (from, to) = (from.join(name), to.join(name));
        match fs::exists(&from).unwrap() {
            true => drop(fs::copy(from, to).unwrap()),
            false if fs::exists(&to).unwrap() => fs::remove_file(to).unwrap(),
            false => {}
        }
    }
}
