//! The watch that ends kept answers: it follows the changes of one entity at its owner, for as long as the channel lives.
//!
//! In: the feed's stream of keys. Out: what it told, in its order, and that it is silent. An owner that has no watch, or
//! does not let this consumer watch, leaves answers to their time.

use std::sync::Arc;
use std::time::Instant;

use freehold_wire::Watermark;
use freehold_wire::methods::feed;
use freehold_wire::pb::watch_response::Item;
use freehold_wire::pb::{EntityChange, Heartbeat, WatchRequest};
use tokio::time::{sleep, timeout};
use tonic::Code;

use super::FIRST_WORD;
use super::topic::Topic;
use crate::channel::Channel;
use crate::error::Error;
use crate::options::CallOptions;
use crate::policy::redial::Redial;

/// Of how many heartbeats the silence is the end.
const MISSED: u32 = 3;

/// Follows an owner's entity until the task is ended.
pub(super) async fn follow(channel: Channel, owner: &'static str, entity: &'static str, topic: Arc<Topic>) {
    let mut redial = Redial::default();
    loop {
        let mut begun = false;
        let ended = listen(&channel, owner, entity, &topic, &mut begun).await;
        topic.unwatched();
        let code = ended.err().map(|error| error.code());
        if matches!(code, Some(Code::Unimplemented | Code::PermissionDenied | Code::InvalidArgument)) {
            return;
        }
        if begun {
            redial.proven();
        }
        let now = Instant::now();
        redial.failed(now, fastrand::f64());
        sleep(redial.wait(now)).await;
    }
}

/// Listens to one stream to its end, or until it is silent for too long.
async fn listen(
    channel: &Channel,
    owner: &'static str,
    entity: &'static str,
    topic: &Topic,
    begun: &mut bool,
) -> Result<(), Error> {
    let request = WatchRequest::default().with_entity(entity);
    let mut stream = channel.server_streaming(&feed::WATCH, request, &CallOptions::new()).await?;
    let mut patience = FIRST_WORD;
    while let Ok(Some(message)) = timeout(patience, stream.next()).await {
        match message?.item {
            Some(Item::Heartbeat(beat)) => {
                patience = interval(&beat).map_or(patience, |interval| interval * MISSED);
                let mark = beat.position.map_or(0, |position| position.mark);
                if *begun {
                    topic.reached(mark);
                } else {
                    topic.watched(Watermark::new(owner, beat.epochs, mark));
                    *begun = true;
                }
            }
            Some(Item::Change(EntityChange { key, position, .. })) => {
                topic.changed(&key, position.map_or(0, |position| position.mark));
            }
            _ => {}
        }
    }
    Ok(())
}

fn interval(beat: &Heartbeat) -> Option<std::time::Duration> {
    beat.interval.and_then(|interval| interval.try_into().ok())
}
