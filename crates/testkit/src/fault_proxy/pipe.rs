//! One direction of one connection: reads, waits as long as the course says, writes.
//!
//! What is under way is bounded; beyond it nothing is read, and the sender feels it as it would feel a full network.

use std::collections::VecDeque;
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::sleep_until;

use super::course::{self, Course};
use super::faults::{End, Faults, Lane};

/// The most bytes that are under way in a direction.
const UNDER_WAY: usize = 1024 * 1024;

/// Which direction of the faults a pipe is.
pub(super) type Direction = fn(&Faults) -> &Lane;

/// What is under way.
#[derive(Default)]
struct UnderWay {
    pieces: VecDeque<(Instant, Vec<u8>)>,
    bytes: usize,
    /// The sender has said all.
    complete: bool,
}

/// Passes bytes on until the sender has ended, and all it said has arrived.
///
/// # Errors
/// How both directions end before that: cut on purpose, or as one of the two peers went.
pub(super) async fn pass(
    mut read: impl AsyncRead + Unpin,
    mut write: impl AsyncWrite + Unpin,
    mut course: Course,
    mut faults: watch::Receiver<Faults>,
    direction: Direction,
) -> Result<(), End> {
    let mut way = UnderWay::default();
    let mut buffer = vec![0; course::PIECE];
    loop {
        let lane = *direction(&faults.borrow_and_update());
        let front = way.pieces.front().map(|(due, _)| *due);
        if way.complete && front.is_none() {
            return write.shutdown().await.map_err(|_| End::Reset);
        }
        let takes = !way.complete && !lane.held && way.bytes < UNDER_WAY;
        let most = course.most(&lane);
        tokio::select! {
            changed = faults.changed() => changed.map_err(|_| End::Close)?,
            taken = read.read(&mut buffer[..most]), if takes => {
                let taken = taken.map_err(|_| End::Reset)?;
                way.complete = taken == 0;
                way.bytes += taken;
                if taken > 0 {
                    let due = course.due(&lane, taken, Instant::now());
                    way.pieces.push_back((due, buffer[..taken].to_vec()));
                }
            }
            () = at(front), if front.is_some() && !lane.held => {
                let Some((_, piece)) = way.pieces.pop_front() else { continue };
                way.bytes -= piece.len();
                let (passes, end) = course.pass(&lane, piece.len());
                write.write_all(&piece[..passes]).await.map_err(|_| End::Reset)?;
                end.map_or(Ok(()), Err)?;
            }
        }
    }
}

async fn at(due: Option<Instant>) {
    if let Some(due) = due {
        sleep_until(due.into()).await;
    }
}
