//! Takes the locations of one driver from a stream, and says in the end how many have been kept.
//!
//! The first message names the driver. A message that is refused ends the stream; what came before it is written down
//! all the same. **Invariant:** the counts are those of commits, never of messages that arrived.

use std::sync::Arc;

use freehold_sdk::drivers::v1 as pb;
use freehold_store::{Clock, Store};
use freehold_wire::dispatch::Messages;
use freehold_wire::reason::{self, bad_field, not_found};
use freehold_wire::{Context, Reason};
use futures_util::StreamExt;
use tonic::Status;

use crate::convert;
use crate::live::{Broken, Ended, Intake, Source};
use crate::location::{self, Location};
use crate::retention::Retention;
use crate::store::drivers;

/// What takes locations.
#[derive(Clone)]
pub(crate) struct Reporting {
    pub(crate) store: Store,
    pub(crate) intake: Intake,
    pub(crate) clock: Clock,
    pub(crate) retention: Retention,
}

/// How far a stream has come.
#[derive(Default)]
struct Course {
    /// Known from the first message on.
    source: Option<Arc<Source>>,
    /// How many messages have been taken.
    taken: u64,
}

/// Why a stream ended before its driver wanted.
enum Cut {
    /// Its next message is refused.
    Message(Status),
    /// What came before could not be kept.
    Before(Status),
}

/// Takes locations until there are no more.
pub(crate) async fn run(
    context: &Context,
    reporting: &Reporting,
    messages: Messages<pb::ReportLocationsRequest>,
) -> Result<pb::ReportLocationsResponse, Status> {
    let mut course = Course::default();
    let mut cut = reporting.follow(context, &mut course, messages).await;
    // Also where the stream was cut: what came before counts.
    if let (Err(ended), Ok(())) = (reporting.intake.settle().await, &cut) {
        cut = Err(Cut::Before(ending(ended)));
    }
    let (mut kept, mut refused) = (0, 0);
    if let Some(source) = &course.source {
        (kept, refused) = (source.kept(), source.refused());
        cut = cut.and_then(|()| intact(source));
    }
    let mut figures = vec![("kept", kept.to_string()), ("refused", refused.to_string())];
    match cut {
        Ok(()) => Ok(pb::ReportLocationsResponse::default().with_accepted(kept).with_refused(refused)),
        Err(Cut::Before(status)) => Err(reason::with_figures(status, figures)),
        Err(Cut::Message(status)) => {
            figures.push(("index", course.taken.to_string()));
            Err(reason::with_figures(status, figures))
        }
    }
}

impl Reporting {
    async fn follow(
        &self,
        context: &Context,
        course: &mut Course,
        mut messages: Messages<pb::ReportLocationsRequest>,
    ) -> Result<(), Cut> {
        while let Some(message) = messages.next().await {
            let message = message.map_err(Cut::Message)?;
            let source = match &course.source {
                Some(source) => source,
                None => course.source.insert(self.source(context, &message.driver_id).await?),
            };
            intact(source)?;
            let location = self.judge(source, message).map_err(Cut::Message)?;
            self.intake.put(source, location).await.map_err(|ended| Cut::Before(ending(ended)))?;
            course.taken += 1;
        }
        Ok(())
    }

    /// The stream of the driver of that id.
    async fn source(&self, context: &Context, id: &str) -> Result<Arc<Source>, Cut> {
        let read = self.store.read_within(context).await;
        let mut read = read.map_err(|error| Cut::Message(error.into()))?;
        match drivers::number(&mut read, id).await {
            Ok(Some(driver)) => Ok(Arc::new(Source::new(id.to_owned(), driver))),
            Ok(None) => Err(Cut::Message(not_found("driver", id))),
            Err(error) => Err(Cut::Message(error.into())),
        }
    }

    fn judge(&self, source: &Source, message: pb::ReportLocationsRequest) -> Result<Location, Status> {
        if message.driver_id != source.id {
            let problem = format!("must be `{}`, the driver of this stream's first message", source.id);
            return Err(bad_field("driver_id", problem));
        }
        let location = convert::reported(message.location)?;
        location::judge(location.time_ms, (self.clock)(), self.retention.as_millis())
            .map_err(|wrong| bad_field("location.time_ms", wrong.to_string()))?;
        Ok(location)
    }
}

/// Whether all that came from there could be kept.
fn intact(source: &Source) -> Result<(), Cut> {
    match source.broken() {
        None => Ok(()),
        Some(Broken::Erased) => Err(Cut::Before(not_found("driver", &source.id))),
        Some(Broken::Store(error)) => Err(Cut::Before(error.clone().into())),
    }
}

fn ending(ended: Ended) -> Status {
    Reason::Unavailable.because("ENDING", ended.to_string())
}
