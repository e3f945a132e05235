//! An erased user is gone: from lists, from every row of every database, and from the mails that are still to be sent.

use freehold_sdk::Session;
use freehold_sdk::notifications::v1::{ListMailsRequest, Mail, MailState};
use freehold_sdk::orders::v1::{CancelOrderRequest, ListOrdersRequest};
use freehold_sdk::users::v1::{
    Address, EraseUserRequest, GetUserRequest, RegisterUserRequest, UpdateUserRequest,
};
use freehold_testkit::{PATIENCE, eventually};

use crate::contract::MODEL;
use crate::mesh::{Shared, shared};
use crate::records::Records;
use crate::world::{Clients, PRODUCTS};

const ID: &str = "to-be-erased";
/// What must be in no row afterwards.
const CANARIES: [&str; 4] = ["Canary Before", "Canary After", "canary-erased@example.com", "1 Canary Row"];

#[tokio::test]
async fn an_erased_user_is_in_no_list_no_row_and_no_mail() {
    let mesh = shared().await;
    let session = Session::new();
    let demo = Clients::of(mesh.up(), "demo", &session);
    let backoffice = Clients::of(mesh.up(), "backoffice", &session);
    live(&demo, &backoffice).await;
    assert_eq!(listed_name(&demo).await, CANARIES[1]);
    mail(&demo, 1, MailState::Sent).await;
    assert!(!holders(&mesh).is_empty(), "the canaries sing while the user is there");

    backoffice.users.erase_user(EraseUserRequest::default().with_id(ID)).await.unwrap();
    assert_eq!(listed_name(&demo).await, "", "the session has seen the erasure");
    let gone = demo.users.get_user(GetUserRequest::default().with_id(ID)).await.unwrap_err();
    assert!(gone.is_not_found(), "{gone}");
    let again =
        backoffice.users.update_user(UpdateUserRequest::default().with_id(ID).with_name("Back")).await;
    assert!(again.unwrap_err().is_not_found(), "an erased id stays unused");

    eventually("no row holds anything of the user", PATIENCE, async || {
        holders(&mesh).is_empty().then_some(())
    })
    .await;
    demo.orders.cancel_order(CancelOrderRequest::default().with_id(ID)).await.unwrap();
    mail(&demo, 2, MailState::Dropped).await;
}

/// Registers, changes, opens an account, orders: each leaves something of the user somewhere.
async fn live(demo: &Clients, backoffice: &Clients) {
    let address = Address::default().with_street(CANARIES[3]);
    let user = RegisterUserRequest::default().with_id(ID).with_name(CANARIES[0]).with_address(address);
    demo.users.register_user(user.with_email(CANARIES[2])).await.unwrap();
    let change = UpdateUserRequest::default().with_id(ID).with_name(CANARIES[1]);
    backoffice.users.update_user(change).await.unwrap();
    demo.account(ID).await;
    demo.order(ID, ID, PRODUCTS[0]).await;
}

async fn listed_name(clients: &Clients) -> String {
    let list = ListOrdersRequest::default().with_customer_id(ID);
    let mut listed = clients.orders.list_orders(list).await.unwrap().orders;
    assert_eq!(listed.len(), 1);
    listed.remove(0).customer_name
}

/// Waits until there are so many mails about the order, the last one in this state.
async fn mail(clients: &Clients, number: usize, state: MailState) {
    let what = format!("mail {number} is {state:?}");
    let list = ListMailsRequest::default().with_order_id(ID);
    eventually(&what, PATIENCE, async || {
        let mails: Vec<Mail> = clients.notifications.list_mails(list.clone()).await.unwrap().mails;
        let last = mails.last().filter(|_| mails.len() == number)?;
        (last.state == i32::from(state)).then_some(())
    })
    .await;
}

/// Where something of the user still is: database, table, column.
fn holders(mesh: &Shared) -> Vec<String> {
    let records = Records::of(&mesh.data());
    let mut holders = Vec::new();
    for owner in &MODEL.owners {
        for canary in CANARIES {
            let columns = records.holders(&owner.name, canary).into_iter();
            holders.extend(columns.map(|column| format!("{}: {column}: {canary}", owner.name)));
        }
    }
    holders
}
