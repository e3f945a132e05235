//! The store through its public face.
mod sample;
use freehold_store::{Queries, StoreError, Work, outbox, vals};
use sample::{Order, Paid, context};

#[tokio::test]
async fn a_unit_writes_all() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("a.db").display());
    let store = sample::open(&url).await;
    let (version, token) = store
        .unit(&context(), async |work: &mut Work| -> Result<i64, StoreError> {
            work.put(&Order::new("a", 5)).await?;
            work.exec("INSERT INTO orders (id, cents) VALUES ($1, $2)", vals!["a", 5_i64]).await?;
            work.emit(&Paid { order_id: "a".to_owned(), receipt: vec![] }).await
        })
        .await
        .unwrap();
    assert_eq!((version, token.mark), (2, 2));
    let mut read = store.read().await.unwrap();
    let events = outbox::after(&store, &mut read, 0, 10).await.unwrap();
    assert_eq!(events.len(), 2);
    drop(read);
    store.close().await;
    let store = sample::open(&url).await;
    assert_eq!(store.head().epochs().len(), 2);
}
