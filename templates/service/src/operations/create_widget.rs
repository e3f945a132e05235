//! Creates one under an id that is free.

use freehold_sdk::widgets::v1 as pb;
use freehold_store::{Store, Work};
use freehold_wire::{Committed, Context, Reason};
use tonic::Status;

use crate::convert;
use crate::store::widget;
use crate::widget::Widget;

/// Creates it.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    new: Widget,
) -> Result<Committed<pb::Widget>, Status> {
    store.write(context, async move |work: &mut Work| create(work, new).await).await
}

async fn create(work: &mut Work, new: Widget) -> Result<pb::Widget, Status> {
    if work.lock::<pb::Widget>(&new.id).await?.is_some() {
        let taken = format!("the id `{}` is taken", new.id);
        return Err(Reason::FailedPrecondition.because("WIDGET_EXISTS", taken));
    }
    widget::save(work, &new).await?;
    Ok(convert::reply(&new))
}
