//! Mails as files: what is in them, and that each is there once.

use super::*;

#[tokio::test]
async fn a_mail_is_a_file_named_by_the_event() {
    on_each_engine(async |bench| {
        let event = OrderConfirmed::default().with_order_id("10248").with_customer_id("VINET");
        let id = bench.world.orders.emit(event.with_total_cents(39_205)).await.id;
        bench.caught_up().await;
        bench.file().await.unwrap();
        let files = bench.files();
        assert_eq!(files.keys().collect::<Vec<_>>(), [&format!("{id}.eml")]);
        let mail = &files[&format!("{id}.eml")];
        let (head, body) = mail.split_once("\r\n\r\n").unwrap();
        for line in [
            &format!("Message-ID: <{id}@freehold.example>"),
            "From: \"The shop\" <shop@freehold.example>",
            "To: \"Paul Henriot\" <vinet@example.com>",
            "Subject: Your order 10248 is confirmed",
        ] {
            assert!(head.lines().any(|found| found == line), "{line} is not in {head}");
        }
        let text = "Dear Paul Henriot,\n\nWe hold your goods and have taken 392.05.\n\nYour shop\n";
        assert_eq!(body.replace("\r\n", "\n"), text);
        assert_eq!(bench.states().await, [pb::MailState::Sent]);
    })
    .await;
}

#[tokio::test]
async fn a_mail_goes_out_once_and_again_after_a_crash_as_the_same_file() {
    on_each_engine(async |bench| {
        bench.shipped("10248", "VINET").await;
        bench.file().await.unwrap();
        let first = bench.files();
        std::fs::remove_dir_all(bench.folder.join("mails")).unwrap();
        bench.file().await.unwrap();
        assert!(bench.files().is_empty(), "what is marked does not go out again");

        // The crash came between the file and the mark.
        bench.execute("UPDATE mail SET state = 1").await;
        for _ in 0..2 {
            bench.file().await.unwrap();
        }
        assert_eq!(bench.files().keys().collect::<Vec<_>>(), first.keys().collect::<Vec<_>>());
        assert_eq!(bench.states().await, [pb::MailState::Sent]);
    })
    .await;
}

#[tokio::test]
async fn a_mail_waits_for_a_folder_that_can_be_written() {
    on_each_engine(async |bench| {
        bench.shipped("10248", "VINET").await;
        let in_the_way = bench.folder.join("mails");
        std::fs::write(&in_the_way, "").unwrap();
        let failed = bench.file().await.unwrap_err();
        assert!(matches!(failed, OutgoingError::File(_)), "{failed}");
        assert_eq!(bench.states().await, [pb::MailState::Pending]);
        std::fs::remove_file(&in_the_way).unwrap();
        bench.file().await.unwrap();
        assert_eq!((bench.files().len(), bench.states().await), (1, vec![pb::MailState::Sent]));
    })
    .await;
}
