//! Ratings: each counts once.

use freehold_testkit::mounted::{refusal, wrong_fields};
use tonic::Code;

use super::*;

#[tokio::test]
async fn a_rating_is_the_mean_of_all_stars() {
    on_each_engine(async |bench| {
        bench.have(&["ada"]).await;
        for (rating, stars) in [("ride-1", 5), ("ride-2", 4)] {
            bench.rate("ada", rating, stars).await.unwrap();
        }
        let rating = bench.rate("ada", "ride-3", 4).await.unwrap();
        assert_eq!((rating.hundredths, rating.ratings), (433, 3));
        assert_eq!(bench.get("ada").await.unwrap().rating, Some(rating));
    })
    .await;
}

#[tokio::test]
async fn a_rating_of_one_id_counts_once() {
    on_each_engine(async |bench| {
        bench.have(&["ada", "grace"]).await;
        let first = bench.rate("ada", "ride-1", 2).await.unwrap();
        assert_eq!(bench.rate("ada", "ride-1", 2).await.unwrap(), first);
        let other = refusal(bench.rate("ada", "ride-1", 5).await);
        assert_eq!(other, (Code::FailedPrecondition, "RATING_EXISTS".to_owned()));
        assert_eq!(bench.get("ada").await.unwrap().rating, Some(first));
        let grace = bench.rate("grace", "ride-1", 5).await.unwrap();
        assert_eq!((grace.hundredths, grace.ratings), (500, 1), "ids are a driver's own");
    })
    .await;
}

#[tokio::test]
async fn stars_are_one_to_five() {
    on_each_engine(async |bench| {
        bench.have(&["ada"]).await;
        for stars in [i32::MIN, -1, 0, 6, i32::MAX] {
            assert_eq!(wrong_fields(bench.rate("ada", "ride-1", stars).await), ["stars"], "{stars}");
        }
    })
    .await;
}
