//! The events of this owner that are kept, in the order of its feed: filtered here, page by page.

use freehold_store::{Store, outbox};
use freehold_wire::Context;
use freehold_wire::page::Page;
use freehold_wire::pb::{Envelope, ListEventsRequest, ListEventsResponse, Position};
use freehold_wire::reason::{Reason, bad_field};
use tonic::Status;

use crate::feed::{PAGE_BYTES, position};
use crate::link::HISTORY_LOST;

/// How many events are looked at for one page.
const LOOKED_AT: usize = 10_000;
/// How many are read at once.
const CHUNK: i64 = 500;

/// A page of those that the filter leaves.
pub(crate) async fn list(
    store: &Store,
    context: &Context,
    request: ListEventsRequest,
) -> Result<ListEventsResponse, Status> {
    let size = usize::try_from(Page::parse("Events", request.page_size, "")?.size).unwrap_or(0);
    let wanted = Filter::read(&request)?;
    let head = store.latest().await?;
    let lost = |error: freehold_wire::TokenError| {
        Reason::FailedPrecondition.because(HISTORY_LOST, error.to_string())
    };
    request.after.iter().try_for_each(|after| head.reached(after).map_err(lost))?;
    let mut mark = request.after.map_or(0, |after: Position| after.mark);
    let (mut events, mut looked_at, mut bytes) = (Vec::new(), 0, 0);
    while mark < head.mark() && looked_at < LOOKED_AT {
        let mut read = store.read_within(context).await?;
        let (page, _) = outbox::page(store, &mut read, mark, CHUNK, PAGE_BYTES).await?;
        let Some(last) = page.last() else {
            // The head was read before: what lies up to it is no longer kept.
            mark = head.mark();
            break;
        };
        let end = last.position.as_ref().map_or(mark, |position| position.mark);
        looked_at += page.len();
        for event in page.into_iter().filter(|event| wanted.takes(event)) {
            let at = event.position.as_ref().map_or(end, |position| position.mark);
            bytes += event.data.as_ref().map_or(0, Vec::len);
            events.push(event);
            if events.len() == size || bytes >= PAGE_BYTES {
                return Ok(response(events, position(&head, at), at >= head.mark()));
            }
        }
        mark = end;
    }
    Ok(response(events, position(&head, mark), mark >= head.mark()))
}

fn response(events: Vec<Envelope>, position: Position, at_head: bool) -> ListEventsResponse {
    ListEventsResponse::default().with_events(events).with_position(position).with_at_head(at_head)
}

/// Which events are wanted.
struct Filter<'a> {
    entity: &'a str,
    key: &'a str,
    trace: &'a str,
}

impl<'a> Filter<'a> {
    fn read(request: &'a ListEventsRequest) -> Result<Self, Status> {
        let ListEventsRequest { entity, key, trace, .. } = request;
        let is_trace = trace.len() == 32 && trace.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !trace.is_empty() && !is_trace {
            return Err(bad_field("trace", "must be 32 hexadecimal digits"));
        }
        Ok(Self { entity, key, trace })
    }

    fn takes(&self, event: &Envelope) -> bool {
        let fits = |wanted: &str, given: &str| wanted.is_empty() || wanted == given;
        let trace = event.traceparent.split('-').nth(1).unwrap_or_default();
        fits(self.entity, &event.entity)
            && fits(self.key, &event.subject)
            && (self.trace.is_empty() || trace.eq_ignore_ascii_case(self.trace))
    }
}
