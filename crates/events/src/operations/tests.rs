//! Operations over the database of a consumer that fails, and over that of the owner that it reads.

use freehold_store::Work;
use freehold_testkit::engines;
use freehold_wire::metadata::OPERATOR;
use freehold_wire::operations::OperationsService;
use freehold_wire::pb::{
    ForgetSubscriberRequest, GetParkedKeyRequest, ListEventsRequest, ListParkedKeysRequest,
    ListRecordsRequest, ListSubscribersRequest, ListSubscriptionsRequest, RedriveDeadLetterRequest,
    SkipDeadLetterRequest, Waiting,
};
use freehold_wire::{Context, Witness, async_trait, pb};
use tonic::{Code, Status};

use super::Operations;
use crate::fixture::{Mails, ORDER, Owner, SOON, SUBSCRIPTION, Way, eventually, placed};
use crate::{Handle, ReactionError};

fn operator() -> Context {
    Context::new(OPERATOR, SOON)
}

/// Three keys of two events: `k0` waits for a decision, `k1` for its retry, `k2` is through.
async fn failing(mails: &Mails, owner: &Owner) -> Handle {
    owner.place_all(3, 2).await;
    mails.fail(|key, _| match key {
        "k0" => Err(ReactionError::Refuse("the printer is on fire".to_owned())),
        "k1" => Err(ReactionError::Retry("no paper".to_owned())),
        _ => Ok(()),
    });
    let handle = mails.start(Way::sound(owner.feed()));
    eventually("both keys wait", async || {
        let status = handle.status().await.unwrap().remove(0);
        (status.parked_keys, status.dead_letters) == (2, 1)
            && mails.count("SELECT mark AS n FROM freehold_position").await == 6
    })
    .await;
    handle
}

async fn keys(operations: &Operations, request: ListParkedKeysRequest) -> Vec<String> {
    let page = operations.list_parked_keys(operator(), request).await.unwrap();
    page.keys.into_iter().map(|parked| parked.key).collect()
}

#[tokio::test]
async fn parked_keys_are_found_by_what_is_known_of_them() {
    for database in engines::each().await {
        let (owner, mails) = (Owner::open().await, Mails::on(database).await);
        let handle = failing(&mails, &owner).await;
        let operations = Operations::new(mails.store.clone());
        let all = ListParkedKeysRequest::default;
        let mut both = keys(&operations, all()).await;
        both.sort();
        assert_eq!(both, ["k0", "k1"]);
        assert_eq!(keys(&operations, all().with_dead_letters(true)).await, ["k0"]);
        assert_eq!(keys(&operations, all().with_reason("on fire")).await, ["k0"]);
        assert_eq!(keys(&operations, all().with_reason("%")).await, Vec::<String>::new());
        assert_eq!(keys(&operations, all().with_key("k1")).await, ["k1"]);
        assert_eq!(keys(&operations, all().with_subscription("mails/other")).await, Vec::<String>::new());
        assert_eq!(keys(&operations, all().with_entity(ORDER).with_key("k0")).await, ["k0"]);
        handle.stop().await;
    }
}

#[tokio::test]
async fn pages_of_parked_keys_show_each_key_once() {
    for database in engines::each().await {
        let (owner, mails) = (Owner::open().await, Mails::on(database).await);
        owner.place_all(7, 1).await;
        mails.fail(|_, _| Err(ReactionError::Refuse("no".to_owned())));
        let handle = mails.start(Way::sound(owner.feed()));
        handle.caught_up(SOON).await.unwrap();
        let operations = Operations::new(mails.store.clone());
        let (mut seen, mut token) = (Vec::new(), String::new());
        loop {
            let request = ListParkedKeysRequest::default().with_page_size(3).with_page_token(token);
            let page = operations.list_parked_keys(operator(), request).await.unwrap();
            seen.extend(page.keys.into_iter().map(|parked| parked.key));
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
        }
        seen.sort();
        assert_eq!(seen, ["k0", "k1", "k2", "k3", "k4", "k5", "k6"]);
        let foreign = ListParkedKeysRequest::default().with_page_token("rubbish");
        let refused = operations.list_parked_keys(operator(), foreign).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        handle.stop().await;
    }
}

#[tokio::test]
async fn a_parked_key_is_shown_with_its_events_and_its_record() {
    let (owner, mails) = (Owner::open().await, Mails::open().await);
    let handle = failing(&mails, &owner).await;
    let operations = Operations::new(mails.store.clone());
    let shown = operations.get_parked_key(operator(), get("k0")).await.unwrap();
    let parked = shown.parked.unwrap();
    assert_eq!((parked.version, parked.waiting()), (1, Ok(Waiting::ForDecision)));
    assert!(parked.reason.contains("the printer is on fire"), "{}", parked.reason);
    assert_eq!(shown.events.iter().map(|event| event.version).collect::<Vec<_>>(), [1, 2]);
    assert!(shown.events.iter().all(|event| event.data.is_some()));
    assert_eq!(shown.decisions.iter().map(|decision| decision.action.as_str()).collect::<Vec<_>>(), ["dead"]);
    let missing = operations.get_parked_key(operator(), get("k2")).await.unwrap_err();
    assert_eq!(missing.code(), Code::NotFound);
    handle.stop().await;
}

fn get(key: &str) -> GetParkedKeyRequest {
    GetParkedKeyRequest::default().with_subscription(SUBSCRIPTION).with_entity(ORDER).with_key(key)
}

/// E27: under one key a decision is taken once, and answers the same again; without one it is refused the second time.
#[tokio::test]
async fn a_decision_is_taken_once_and_is_on_record() {
    for database in engines::each().await {
        let (owner, mails) = (Owner::open().await, Mails::on(database).await);
        let handle = failing(&mails, &owner).await;
        mails.fail(|_, _| Ok(()));
        let operations = Operations::new(mails.store.clone());
        let redrive = || {
            let request = RedriveDeadLetterRequest::default().with_who("ann");
            request.with_subscription(SUBSCRIPTION).with_entity(ORDER).with_key("k0")
        };
        let answer = operations.redrive_dead_letter(operator(), redrive()).await.unwrap();
        assert_eq!(answer.into_parts().0.version, 1);
        handle.caught_up(SOON).await.unwrap();
        assert_eq!(mails.versions("k0").await, [1, 2]);
        let again: Status = operations.redrive_dead_letter(operator(), redrive()).await.unwrap_err();
        assert_eq!(again.code(), Code::FailedPrecondition);
        let skip = SkipDeadLetterRequest::default().with_version(1).with_who("ann");
        let skip = skip.with_subscription(SUBSCRIPTION).with_entity(ORDER).with_key("k0");
        let refused = operations.skip_dead_letter(operator(), skip).await.unwrap_err();
        assert_eq!(refused.code(), Code::FailedPrecondition, "it took effect");
        let record =
            "SELECT count(*) AS n FROM freehold_parked_log WHERE who = 'ann' AND action = 'redriven'";
        assert_eq!(mails.count(record).await, 1);
        handle.stop().await;
    }
}

#[tokio::test]
async fn subscriptions_say_how_far_they_are_and_what_waits_longest() {
    let (owner, mails) = (Owner::open().await, Mails::open().await);
    let handle = failing(&mails, &owner).await;
    let operations = Operations::new(mails.store.clone());
    let request = ListSubscriptionsRequest::default();
    let listed = operations.list_subscriptions(operator(), request).await.unwrap().subscriptions;
    let [standing] = listed.as_slice() else { panic!("{listed:?}") };
    assert_eq!((standing.subscription.as_str(), standing.owner.as_str()), (SUBSCRIPTION, "orders"));
    assert_eq!((standing.parked_keys, standing.dead_letters), (2, 1));
    assert_eq!(standing.position.as_ref().unwrap().mark, 6);
    let first = "SELECT min(parked_ms) AS n FROM freehold_parked WHERE state <> 'behind'";
    let waited = standing.oldest.as_ref().unwrap().parked_at.unwrap();
    assert_eq!(waited.seconds * 1000 + i64::from(waited.nanos) / 1_000_000, mails.count(first).await);
    handle.stop().await;
}

#[tokio::test]
async fn subscribers_say_what_is_behind_them_until_they_are_forgotten() {
    let (owner, mails) = (Owner::open().await, Mails::open().await);
    owner.place_all(2, 1).await;
    let handle = mails.start(Way::sound(owner.feed()));
    handle.caught_up(SOON).await.unwrap();
    let operations = Operations::new(owner.store.clone());
    let subscriber = async || {
        let listed = operations.list_subscribers(operator(), ListSubscribersRequest::default()).await;
        let mut subscribers = listed.unwrap().subscribers;
        subscribers.pop()
    };
    eventually("all of it is acknowledged", async || subscriber().await.is_some_and(|it| it.behind == 0))
        .await;
    handle.stop().await;
    owner.place_all_from(2, 2, 4).await;
    let behind = subscriber().await.unwrap();
    assert_eq!((behind.consumer.as_str(), behind.behind), ("mails", 6));
    assert!(behind.behind_since.is_some());

    let forget = || ForgetSubscriberRequest::default().with_subscription(SUBSCRIPTION).with_who("ann");
    let forgotten = operations.forget_subscriber(operator(), forget()).await.unwrap();
    assert!(forgotten.into_parts().0.was_registered);
    assert_eq!(subscriber().await, None);
    let again = operations.forget_subscriber(operator(), forget()).await.unwrap();
    assert!(!again.into_parts().0.was_registered);
    let listed = operations.list_subscribers(operator(), ListSubscribersRequest::default()).await;
    let recorded = listed.unwrap().forgotten;
    let [record] = recorded.as_slice() else { panic!("{recorded:?}") };
    assert_eq!((record.subscription.as_str(), record.who.as_str()), (SUBSCRIPTION, "ann"));
    assert_eq!((record.position.as_ref().unwrap().mark, record.at.is_some()), (2, true));
}

#[tokio::test]
async fn kept_events_are_listed_page_by_page_and_by_key_and_trace() {
    let owner = Owner::open().await;
    owner.place_all(3, 4).await;
    let operations = Operations::new(owner.store.clone());
    let list = async |request: ListEventsRequest| operations.list_events(operator(), request).await.unwrap();
    let (mut marks, mut after) = (Vec::new(), None);
    loop {
        let mut request = ListEventsRequest::default().with_page_size(5);
        request.after = after;
        let page = list(request).await;
        marks.extend(page.events.iter().filter_map(|event| Some(event.position.as_ref()?.mark)));
        after = page.position;
        if page.at_head {
            break;
        }
    }
    assert_eq!(marks, (1..=12).collect::<Vec<_>>());
    let of_key = list(ListEventsRequest::default().with_key("k1")).await;
    assert_eq!(of_key.events.iter().map(|event| event.version).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert!(of_key.events.iter().all(|event| event.data.is_some()) && of_key.at_head);
    let trace = of_key.events[0].traceparent.split('-').nth(1).unwrap().to_owned();
    assert_eq!(list(ListEventsRequest::default().with_trace(trace)).await.events.len(), 1);
    assert_eq!(list(ListEventsRequest::default().with_entity("o.v1.Nothing")).await.events, []);

    owner.purge(5).await;
    let kept = list(ListEventsRequest::default()).await;
    assert_eq!((kept.events.len(), kept.at_head), (7, true));
    owner.purge(12).await;
    let nothing = list(ListEventsRequest::default()).await;
    assert_eq!((nothing.events, nothing.at_head), (vec![], true), "the planted bug is asked again for ever");

    let bad = ListEventsRequest::default().with_trace("not a trace");
    assert_eq!(operations.list_events(operator(), bad).await.unwrap_err().code(), Code::InvalidArgument);
    let ahead = ListEventsRequest::default().with_after(pb::Position::default().with_epoch(7).with_mark(99));
    assert_eq!(operations.list_events(operator(), ahead).await.unwrap_err().code(), Code::FailedPrecondition);
}

/// Knows of one saga.
struct Sagas;

#[async_trait]
impl Witness for Sagas {
    async fn tell(&self, _: &Context, key: &str, told: &mut pb::ListRecordsResponse) -> Result<(), Status> {
        told.steps.extend((key == "k0").then(|| pb::SagaStep::default().with_step("reserve")));
        Ok(())
    }
}

#[tokio::test]
async fn what_is_on_record_of_a_key_is_told_by_all_who_know_it() {
    let owner = Owner::open().await;
    let context = Context::new("shop", SOON).with_key("once").with_request(&());
    let unit = async |work: &mut Work| work.emit(&placed("k0", 1)).await.map(drop);
    owner.store.write(&context, unit).await.unwrap();
    let operations = Operations::new(owner.store.clone()).with(Sagas);
    let records = async |key: &str| {
        operations.list_records(operator(), ListRecordsRequest::default().with_key(key)).await.unwrap()
    };
    let told = records("k0").await;
    let calls: Vec<_> = told.calls.iter().map(|call| (call.caller.as_str(), call.entity.as_str())).collect();
    assert_eq!((calls, told.steps[0].step.as_str()), (vec![("shop", ORDER)], "reserve"));
    assert_eq!(records("k1").await, pb::ListRecordsResponse::default());
}

/// The planted bug is one method that does not ask who calls.
#[tokio::test]
async fn nobody_but_the_operator_is_answered() {
    let owner = Owner::open().await;
    let operations = Operations::new(owner.store.clone());
    let mails = || Context::new("mails", SOON);
    let refused = [
        operations.list_subscriptions(mails(), Default::default()).await.err(),
        operations.list_subscribers(mails(), Default::default()).await.err(),
        operations.forget_subscriber(mails(), Default::default()).await.err(),
        operations.list_parked_keys(mails(), Default::default()).await.err(),
        operations.get_parked_key(mails(), Default::default()).await.err(),
        operations.redrive_dead_letter(mails(), Default::default()).await.err(),
        operations.skip_dead_letter(mails(), Default::default()).await.err(),
        operations.list_events(mails(), Default::default()).await.err(),
        operations.list_records(mails(), Default::default()).await.err(),
        operations.list_relays(mails(), Default::default()).await.err(),
        operations.replay(mails(), Default::default()).await.err(),
    ];
    for refused in refused {
        assert_eq!(refused.map(|status| status.code()), Some(Code::PermissionDenied));
    }
}
