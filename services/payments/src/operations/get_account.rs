//! Reads one account.

use freehold_sdk::payments::v1 as pb;
use freehold_store::Store;
use freehold_wire::Context;
use freehold_wire::reason::not_found;
use tonic::Status;

use crate::convert;
use crate::store::accounts;

/// The account of that customer.
pub(crate) async fn run(context: &Context, store: &Store, customer_id: &str) -> Result<pb::Account, Status> {
    let mut read = store.read_within(context).await?;
    let account =
        accounts::find(&mut read, customer_id).await?.ok_or_else(|| not_found("account", customer_id))?;
    Ok(convert::account(&account))
}
