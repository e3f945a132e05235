//! Erasing: nothing of the user is left in the owner's database.

use freehold_testkit::mounted::refusal;
use freehold_wire::Entity;
use tonic::Code;

use super::*;

/// What only Maria's rows and events hold.
const CANARIES: [&str; 3] = ["Maria Anders", "maria@example.com", "Obere Str. 57"];

fn holds_a_canary(event: &Envelope) -> bool {
    let data = event.data.as_deref().unwrap_or_default();
    CANARIES.iter().any(|canary| String::from_utf8_lossy(data).contains(canary))
}

/// R20, the owner's part.
#[tokio::test]
async fn an_erased_user_is_gone_from_the_rows_and_from_the_kept_events() {
    on_each_engine(async |bench| {
        bench.register(maria()).await.unwrap();
        assert!(bench.events().await.iter().any(holds_a_canary), "the canaries are found where they are");
        bench.erase("ALFKI").await.unwrap();
        assert_eq!(refusal(bench.get("ALFKI").await).0, Code::NotFound);
        assert!(!bench.events().await.iter().any(holds_a_canary));
    })
    .await;
}

#[tokio::test]
async fn an_erasure_leaves_a_tombstone() {
    on_each_engine(async |bench| {
        bench.register(maria()).await.unwrap();
        bench.erase("ALFKI").await.unwrap();
        let events = bench.events().await;
        let tombstone = events.last().unwrap();
        assert_eq!((tombstone.entity.as_str(), tombstone.version), (pb::User::NAME, 2));
        assert!(tombstone.deleted && tombstone.data.is_none());
    })
    .await;
}
