//! Lists mails in the order of their writing.

use freehold_sdk::notifications::v1 as pb;
use freehold_store::Store;
use freehold_wire::Context;
use freehold_wire::page::{Page, next_token};
use freehold_wire::reason::bad_field;
use tonic::Status;

use crate::mail::{Mail, State};
use crate::store::mails;

/// A page of mails; about one order, or about all where `order_id` is empty.
pub(crate) async fn run(
    context: &Context,
    store: &Store,
    request: &pb::ListMailsRequest,
) -> Result<pb::ListMailsResponse, Status> {
    let list = format!("mails of {}", request.order_id);
    let page = Page::parse(&list, request.page_size, &request.page_token)?;
    let after = number(&page.after)?;
    let mut read = store.read_within(context).await?;
    let found = mails::after(&mut read, after, &request.order_id, i64::from(page.size) + 1).await?;
    let (shown, more) = page.cut(&found);
    let next = if more { shown.last().map(|last| next_token(&list, &last.number.to_string())) } else { None };
    Ok(pb::ListMailsResponse::default()
        .with_mails(shown.iter().map(|numbered| mail(&numbered.mail)))
        .with_next_page_token(next.unwrap_or_default()))
}

fn number(after: &str) -> Result<i64, Status> {
    if after.is_empty() {
        return Ok(0);
    }
    after.parse().map_err(|_| bad_field("page_token", "is not a token of this list"))
}

fn mail(mail: &Mail) -> pb::Mail {
    let state = match mail.state {
        State::Pending => pb::MailState::Pending,
        State::Sent => pb::MailState::Sent,
        State::Dropped => pb::MailState::Dropped,
    };
    pb::Mail::default()
        .with_id(mail.id.as_str())
        .with_customer_id(mail.customer_id.as_str())
        .with_order_id(mail.order_id.as_str())
        .with_subject(mail.subject.as_str())
        .with_state(state)
}
