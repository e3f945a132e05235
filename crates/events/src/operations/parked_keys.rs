//! The keys whose events wait: found by filter, shown with their events and their record, redriven or skipped.

use freehold_store::outbox::timestamp;
use freehold_store::{Queries, Row, Store, StoreError, Work, vals};
use freehold_wire::page::{Page, next_token};
use freehold_wire::pb::{
    Decision, GetParkedKeyRequest, GetParkedKeyResponse, ListParkedKeysRequest, ListParkedKeysResponse,
    ParkedKey, RedriveDeadLetterRequest, RedriveDeadLetterResponse, SkipDeadLetterRequest,
    SkipDeadLetterResponse, Waiting,
};
use freehold_wire::reason::{bad_field, not_found};
use freehold_wire::{Committed, Context};
use tonic::Status;

use crate::dead_letters::{self, DecisionError, Owned};
use crate::parked::{self, Parking};

/// The columns of a parked key; where it stands in a list is the last four.
macro_rules! parked_keys {
    ($rest:literal) => {
        concat!(
            "SELECT version, state, attempts, reason, parked_ms, subscription, entity, key FROM freehold_parked \
             WHERE state <> 'behind' AND ",
            $rest
        )
    };
}

/// The one of a subscription that has waited longest.
pub(crate) async fn oldest(
    queries: &mut impl Queries,
    subscription: &str,
) -> Result<Option<ParkedKey>, StoreError> {
    const OLDEST: &str = parked_keys!("subscription = $1 ORDER BY parked_ms, entity, key LIMIT 1");
    queries.one(OLDEST, vals![subscription]).await?.as_ref().map(read).transpose()
}

/// Where a page ends: what its rows are ordered by, of the last one shown.
struct Place {
    parked_ms: i64,
    subscription: String,
    entity: String,
    key: String,
}

impl Place {
    /// Before all others.
    const FIRST: Self =
        Self { parked_ms: i64::MIN, subscription: String::new(), entity: String::new(), key: String::new() };

    fn of(row: &Row) -> Result<Self, StoreError> {
        let (parked_ms, subscription) = (row.get("parked_ms")?, row.get("subscription")?);
        Ok(Self { parked_ms, subscription, entity: row.get("entity")?, key: row.get("key")? })
    }

    /// Names of subscriptions and entities have no line end in them; a key may.
    fn text(&self) -> String {
        format!("{}\n{}\n{}\n{}", self.parked_ms, self.subscription, self.entity, self.key)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(4, '\n');
        let parked_ms = parts.next()?.parse().ok()?;
        let mut part = || parts.next().map(str::to_owned);
        Some(Self { parked_ms, subscription: part()?, entity: part()?, key: part()? })
    }
}

/// A page of those that the filter leaves.
pub(crate) async fn list(
    queries: &mut impl Queries,
    request: ListParkedKeysRequest,
) -> Result<ListParkedKeysResponse, Status> {
    const LIST: &str = parked_keys!(
        "($1 = '' OR subscription = $1) AND ($2 = '' OR entity = $2) AND ($3 = '' OR key = $3) \
         AND ($4 = '' OR replace(reason, $4, '') <> reason) AND ($5 = 0 OR state = 'dead') \
         AND (parked_ms, subscription, entity, key) > ($6, $7, $8, $9) \
         ORDER BY parked_ms, subscription, entity, key LIMIT $10"
    );
    let ListParkedKeysRequest { subscription, entity, key, reason, dead_letters, .. } = &request;
    let name = format!("ParkedKeys {subscription:?} {entity:?} {key:?} {reason:?} {dead_letters}");
    let page = Page::parse(&name, request.page_size, &request.page_token)?;
    let after = match page.after.as_str() {
        "" => Place::FIRST,
        text => Place::parse(text).ok_or_else(|| bad_field("page_token", "is damaged"))?,
    };
    let values = vals![
        subscription,
        entity,
        key,
        reason,
        i64::from(*dead_letters),
        after.parked_ms,
        after.subscription,
        after.entity,
        after.key,
        i64::from(page.size) + 1,
    ];
    let rows = queries.all(LIST, values).await?;
    let (shown, more) = page.cut(&rows);
    let keys = shown.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let mut response = ListParkedKeysResponse::default().with_keys(keys);
    if more && let Some(last) = shown.last() {
        response.next_page_token = next_token(&name, &Place::of(last)?.text());
    }
    Ok(response)
}

/// One of them, with its events and what was decided about it.
pub(crate) async fn get(
    queries: &mut impl Queries,
    request: GetParkedKeyRequest,
) -> Result<GetParkedKeyResponse, Status> {
    const GET: &str = parked_keys!("subscription = $1 AND entity = $2 AND key = $3");
    const EVENTS: &str =
        parked::events!("subscription = $1 AND entity = $2 AND key = $3 ORDER BY version LIMIT 100");
    const DECISIONS: &str = "SELECT version, action, who, reason, at_ms FROM freehold_parked_log \
                             WHERE subscription = $1 AND entity = $2 AND key = $3 ORDER BY id DESC LIMIT 100";
    let GetParkedKeyRequest { subscription, entity, key, .. } = &request;
    let row = queries.one(GET, vals![subscription, entity, key]).await?;
    let row = row.ok_or_else(|| not_found("freehold.v1.ParkedKey", key))?;
    let events = queries.all(EVENTS, vals![subscription, entity, key]).await?;
    let events = events.iter().map(|row| parked::read(row).map(|first| first.event));
    let decisions = queries.all(DECISIONS, vals![subscription, entity, key]).await?;
    let decisions = decisions.iter().rev().map(decision).collect::<Result<Vec<_>, _>>()?;
    Ok(GetParkedKeyResponse::default()
        .with_parked(read(&row)?)
        .with_events(events.collect::<Result<Vec<_>, _>>()?)
        .with_decisions(decisions))
}

/// Tries a dead letter again, on record.
pub(crate) async fn redrive(
    store: &Store,
    context: &Context,
    request: RedriveDeadLetterRequest,
) -> Result<Committed<RedriveDeadLetterResponse>, DecisionError> {
    let owned = Owned::new(&request.subscription, &request.entity, &request.key);
    let unit = async move |work: &mut Work| {
        let version = dead_letters::redrive(work, &owned, &request.who).await?;
        Ok(RedriveDeadLetterResponse::default().with_version(version))
    };
    store.write(context, unit).await
}

/// Gives up a version, on record.
pub(crate) async fn skip(
    store: &Store,
    context: &Context,
    request: SkipDeadLetterRequest,
) -> Result<Committed<SkipDeadLetterResponse>, DecisionError> {
    let owned = Owned::new(&request.subscription, &request.entity, &request.key);
    let unit = async move |work: &mut Work| {
        dead_letters::skip(work, &owned, request.version, &request.who).await?;
        Ok(SkipDeadLetterResponse::default())
    };
    store.write(context, unit).await
}

fn read(row: &Row) -> Result<ParkedKey, StoreError> {
    let waiting = match Parking::of(&row.get::<String>("state")?)? {
        Parking::Dead => Waiting::ForDecision,
        Parking::Gap => Waiting::ForVersion,
        Parking::Waiting | Parking::Behind => Waiting::ForRetry,
    };
    Ok(ParkedKey::default()
        .with_subscription(row.get::<String>("subscription")?)
        .with_entity(row.get::<String>("entity")?)
        .with_key(row.get::<String>("key")?)
        .with_version(row.get("version")?)
        .with_waiting(waiting)
        .with_attempts(row.get("attempts")?)
        .with_reason(row.get::<String>("reason")?)
        .with_parked_at(timestamp(row.get("parked_ms")?)))
}

fn decision(row: &Row) -> Result<Decision, StoreError> {
    Ok(Decision::default()
        .with_version(row.get("version")?)
        .with_action(row.get::<String>("action")?)
        .with_who(row.get::<String>("who")?)
        .with_reason(row.get::<String>("reason")?)
        .with_at(timestamp(row.get("at_ms")?)))
}
