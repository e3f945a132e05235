//! Reads one payment.

use freehold_sdk::payments::v1 as pb;
use freehold_store::Store;
use freehold_wire::Context;
use freehold_wire::reason::not_found;
use tonic::Status;

use crate::convert;
use crate::store::payments;

/// The payment of that id.
pub(crate) async fn run(context: &Context, store: &Store, id: &str) -> Result<pb::Payment, Status> {
    let mut read = store.read_within(context).await?;
    let payment = payments::find(&mut read, id).await?.ok_or_else(|| not_found("payment", id))?;
    Ok(convert::payment(&payment))
}
