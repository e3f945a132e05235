//! Who has come how far: this service's subscriptions by its own records, and those who read its feed by what they
//! acknowledged.

use freehold_store::outbox::{self, timestamp};
use freehold_store::{Queries, Row, Store, StoreError, Work, vals};
use freehold_wire::pb::{
    ForgetSubscriberRequest, ForgetSubscriberResponse, ForgottenSubscriber, ListSubscribersResponse,
    Position, ReplayStanding, Subscriber, SubscriptionStanding,
};
use freehold_wire::{Committed, Context};

use crate::feed::{position, retention};
use crate::operations::parked_keys;
use crate::replays::{self, Replay};

/// How far events behind a subscriber are counted.
const COUNTED: i64 = 100_000;
/// Of how many forgotten subscribers is told.
const RECALLED: i64 = 100;

/// The subscriptions of this service, by name.
pub(crate) async fn subscriptions(
    queries: &mut impl Queries,
) -> Result<Vec<SubscriptionStanding>, StoreError> {
    const ALL: &str =
        "SELECT subscription, owner, epoch, mark, moved_ms FROM freehold_position ORDER BY subscription";
    const PARKED: &str = "SELECT count(*) AS parked, count(CASE WHEN state = 'dead' THEN 1 END) AS dead \
                          FROM freehold_parked WHERE subscription = $1 AND state <> 'behind'";
    let mut standings = Vec::new();
    for row in queries.all(ALL, vals![]).await? {
        let subscription: String = row.get("subscription")?;
        let mut standing = SubscriptionStanding::default()
            .with_owner(row.get::<String>("owner")?)
            .with_position(place(&row)?)
            .with_moved_at(timestamp(row.get("moved_ms")?));
        if let Some(counts) = queries.one(PARKED, vals![&subscription]).await? {
            standing.parked_keys = counts.get("parked")?;
            standing.dead_letters = counts.get("dead")?;
        }
        standing.oldest = parked_keys::oldest(queries, &subscription).await?;
        standing.replay = replays::last(queries, &subscription).await?.map(replay);
        standings.push(standing.with_subscription(subscription));
    }
    Ok(standings)
}

/// Those who read this owner's feed, by name.
pub(crate) async fn subscribers(
    store: &Store,
    queries: &mut impl Queries,
) -> Result<ListSubscribersResponse, StoreError> {
    const ALL: &str = "SELECT subscription, consumer, epoch, mark, registered_ms, acked_ms \
                       FROM freehold_subscription ORDER BY subscription";
    let (mut subscribers, head) = (Vec::new(), store.latest().await?);
    for row in queries.all(ALL, vals![]).await? {
        let (behind, since) = outbox::behind(store, queries, row.get("mark")?, COUNTED).await?;
        let mut subscriber = Subscriber::default()
            .with_subscription(row.get::<String>("subscription")?)
            .with_consumer(row.get::<String>("consumer")?)
            .with_position(place(&row)?)
            .with_registered_at(timestamp(row.get("registered_ms")?))
            .with_acknowledged_at(timestamp(row.get("acked_ms")?))
            .with_behind(behind);
        subscriber.behind_since = since.map(timestamp);
        subscribers.push(subscriber);
    }
    let (_, kept_since) = outbox::behind(store, queries, 0, 1).await?;
    let bytes = outbox::size(store, queries).await?;
    let held_by = retention::held_by(store, queries, bytes, retention::ALARM_BYTES).await?;
    let mut response = ListSubscribersResponse::default()
        .with_subscribers(subscribers)
        .with_head(position(&head, head.mark()))
        .with_kept_bytes(bytes)
        .with_held_by(held_by.unwrap_or_default())
        .with_blockers(store.blockers())
        .with_forgotten(forgotten(queries).await?);
    response.kept_since = kept_since.map(timestamp);
    Ok(response)
}

/// Withdraws a subscriber on its behalf, and puts on record who said so.
pub(crate) async fn forget(
    store: &Store,
    context: &Context,
    ForgetSubscriberRequest { subscription, who, .. }: ForgetSubscriberRequest,
) -> Result<Committed<ForgetSubscriberResponse>, StoreError> {
    const FORGET: &str = "DELETE FROM freehold_subscription WHERE subscription = $1 RETURNING epoch, mark";
    const RECORD: &str = "INSERT INTO freehold_forgotten (subscription, epoch, mark, who, at_ms) \
                          VALUES ($1, $2, $3, $4, $5)";
    let unit = async move |work: &mut Work| {
        let withdrawn = work.one(FORGET, vals![&subscription]).await?;
        if let Some(row) = &withdrawn {
            let (epoch, mark) = (row.get::<i64>("epoch")?, row.get::<i64>("mark")?);
            let now = work.now();
            work.exec(RECORD, vals![&subscription, epoch, mark, &who, now]).await?;
        }
        Ok(ForgetSubscriberResponse::default().with_was_registered(withdrawn.is_some()))
    };
    store.write(context, unit).await
}

/// The newest of those that were withdrawn, oldest first.
async fn forgotten(queries: &mut impl Queries) -> Result<Vec<ForgottenSubscriber>, StoreError> {
    const NEWEST: &str =
        "SELECT subscription, epoch, mark, who, at_ms FROM freehold_forgotten ORDER BY id DESC LIMIT $1";
    let mut forgotten = Vec::new();
    for row in queries.all(NEWEST, vals![RECALLED]).await?.iter().rev() {
        let subscriber = ForgottenSubscriber::default()
            .with_subscription(row.get::<String>("subscription")?)
            .with_position(place(row)?)
            .with_who(row.get::<String>("who")?)
            .with_at(timestamp(row.get("at_ms")?));
        forgotten.push(subscriber);
    }
    Ok(forgotten)
}

fn replay(replay: Replay) -> ReplayStanding {
    let until = Position::default().with_mark(replay.until);
    let mut standing = ReplayStanding::default()
        .with_until(until)
        .with_who(replay.who)
        .with_asked_at(timestamp(replay.asked_ms))
        .with_outcome(replay.outcome);
    standing.position = replay.position;
    standing.ended_at = replay.ended_ms.map(timestamp);
    standing
}

fn place(row: &Row) -> Result<Position, StoreError> {
    let epoch = row.get::<i64>("epoch")?.cast_unsigned();
    Ok(Position::default().with_epoch(epoch).with_mark(row.get("mark")?))
}
