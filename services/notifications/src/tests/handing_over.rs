//! Mails to a mail server: at least once under the event's id, whatever becomes of the server or of us.

use freehold_testkit::eventually;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::mail_server::{MailServer, Mood};
use super::*;

fn relay(server: &MailServer) -> Outgoing {
    Outgoing::new("unused".into(), Some(server.url())).unwrap()
}

async fn hand_over(bench: &Bench, server: &MailServer) -> Result<(), OutgoingError> {
    relay(server).pass(&bench.store, &CancellationToken::new()).await
}

/// Hands over in the background, as the service does.
fn running(bench: &Bench, outgoing: Outgoing) -> (JoinHandle<()>, CancellationToken) {
    let shutdown = CancellationToken::new();
    (tokio::spawn(outgoing.run(bench.store.clone(), shutdown.clone())), shutdown)
}

fn message_id(id: &str) -> String {
    format!("<{id}@freehold.example>")
}

#[tokio::test]
async fn a_mail_is_handed_over_under_the_event_s_id() {
    on_each_engine(async |bench| {
        let server = MailServer::open().await;
        let ids = [bench.shipped("1", "VINET").await, bench.shipped("2", "TOMSP").await];
        for _ in 0..2 {
            hand_over(bench, &server).await.unwrap();
        }
        assert_eq!(server.ids(), ids.map(|id| message_id(&id)));
        let mail = &server.received()[0];
        assert!(mail.contains("\nDear Paul Henriot,\n\nIt left our house today.\n\nYour shop\n"), "{mail}");
        assert_eq!(bench.states().await, [pb::MailState::Sent; 2]);
    })
    .await;
}

#[tokio::test]
async fn a_mail_is_kept_while_the_server_is_away_and_goes_when_it_is_back() {
    on_each_engine(async |bench| {
        let server = MailServer::open().await;
        server.is(Mood::Away);
        let id = bench.shipped("1", "VINET").await;
        hand_over(bench, &server).await.unwrap_err();
        let (sending, shutdown) = running(bench, relay(&server));
        assert_eq!(bench.states().await, [pb::MailState::Pending]);
        server.is(Mood::Willing);
        let sent = async || (bench.states().await == [pb::MailState::Sent]).then_some(());
        eventually("the mail's way", SOON, sent).await;
        assert_eq!(server.ids(), [message_id(&id)]);

        let id = bench.shipped("2", "TOMSP").await;
        eventually("the next one's", SOON, async || (server.received().len() == 2).then_some(())).await;
        assert_eq!(server.ids()[1], message_id(&id));
        shutdown.cancel();
        sending.await.unwrap();
    })
    .await;
}

/// The server has the mail, and we die before we have written that down.
#[tokio::test]
async fn a_mail_that_was_handed_over_and_not_marked_goes_again_under_its_id() {
    on_each_engine(async |bench| {
        let server = MailServer::open().await;
        let id = message_id(&bench.shipped("1", "VINET").await);
        server.is(Mood::Mute);
        let (sending, _) = running(bench, relay(&server));
        eventually("a mail that was taken", SOON, async || server.received().pop()).await;
        sending.abort();
        assert!(sending.await.unwrap_err().is_cancelled());
        assert_eq!(bench.states().await, [pb::MailState::Pending]);
        server.is(Mood::Willing);
        hand_over(bench, &server).await.unwrap();
        assert_eq!(server.ids(), [id.clone(), id]);
        assert_eq!(bench.states().await, [pb::MailState::Sent]);
    })
    .await;
}

/// The planted bug: the mark comes first, and we die before the mail has gone.
#[tokio::test]
async fn a_mail_that_was_marked_before_it_went_is_lost() {
    on_each_engine(async |bench| {
        let server = MailServer::open().await;
        bench.shipped("1", "VINET").await;
        bench.execute("UPDATE mail SET state = 2").await;
        hand_over(bench, &server).await.unwrap();
        assert_eq!((server.received().len(), bench.states().await), (0, vec![pb::MailState::Sent]));
    })
    .await;
}

#[tokio::test]
async fn a_mail_that_the_server_refuses_stays_and_holds_nobody_up() {
    on_each_engine(async |bench| {
        let server = MailServer::open().await;
        server.is(Mood::Choosy);
        bench.shipped("1", "VINET").await;
        bench.shipped("2", "TOMSP").await;
        let refused = hand_over(bench, &server).await.unwrap_err();
        assert!(matches!(refused, OutgoingError::Smtp(_)), "{refused}");
        assert_eq!(bench.states().await, [pb::MailState::Pending, pb::MailState::Sent]);
        server.is(Mood::Willing);
        hand_over(bench, &server).await.unwrap();
        assert_eq!((server.received().len(), bench.states().await), (2, vec![pb::MailState::Sent; 2]));
    })
    .await;
}

#[tokio::test]
async fn what_went_before_the_server_closed_is_marked() {
    on_each_engine(async |bench| {
        let server = MailServer::open().await;
        bench.shipped("1", "VINET").await;
        bench.shipped("2", "TOMSP").await;
        let closing = async {
            eventually("the first mail", SOON, async || server.received().pop()).await;
            server.is(Mood::Closing);
        };
        server.is(Mood::Mute);
        let (passed, ()) = tokio::join!(hand_over(bench, &server), closing);
        passed.unwrap_err();
        assert_eq!(bench.states().await, [pb::MailState::Sent, pb::MailState::Pending]);
    })
    .await;
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up_and_asked_again() {
    on_each_engine(async |bench| {
        let server = MailServer::open().await;
        server.is(Mood::Mute);
        let id = message_id(&bench.shipped("1", "VINET").await);
        let impatient = relay(&server).patience(Duration::from_millis(200));
        let silent = impatient.pass(&bench.store, &CancellationToken::new()).await.unwrap_err();
        let OutgoingError::Smtp(silent) = silent else { panic!("{silent}") };
        assert_eq!(silent.to_string(), "the server said nothing for 200ms");
        assert_eq!(bench.states().await, [pb::MailState::Pending]);
        server.is(Mood::Willing);
        hand_over(bench, &server).await.unwrap();
        assert!(server.ids().iter().all(|sent| *sent == id));
        assert_eq!(bench.states().await, [pb::MailState::Sent]);
    })
    .await;
}

#[tokio::test]
async fn a_server_that_says_nothing_does_not_keep_the_service_from_ending() {
    on_each_engine(async |bench| {
        let server = MailServer::open().await;
        server.is(Mood::Mute);
        bench.shipped("1", "VINET").await;
        let (sending, shutdown) = running(bench, relay(&server));
        eventually("a mail on its way", SOON, async || server.received().pop()).await;
        shutdown.cancel();
        // Long before the server would be given up.
        timeout(SOON / 3, sending).await.unwrap().unwrap();
        assert_eq!(bench.states().await, [pb::MailState::Pending]);
    })
    .await;
}
