//! The end of a process, in the middle of whatever it was doing.
//!
//! What runs in the database is undone, and nothing that was waiting for it goes on: the thread that runs a unit stands
//! still until all of the process is gone.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread::{self, ThreadId};

use tokio::sync::Notify;

use crate::consumer::fault::Point;

/// How a process may end.
#[derive(Debug)]
pub(super) struct Death {
    /// Where, after so many times there.
    at: Mutex<Option<(Point, u32)>>,
    came: AtomicBool,
    comes: Notify,
    /// Nothing of the process is left.
    gone: Mutex<bool>,
    is_gone: Condvar,
    /// Where the process runs, but for its units.
    home: ThreadId,
}

impl Default for Death {
    fn default() -> Self {
        Self {
            at: Mutex::default(),
            came: AtomicBool::default(),
            comes: Notify::new(),
            gone: Mutex::default(),
            is_gone: Condvar::new(),
            home: thread::current().id(),
        }
    }
}

impl Death {
    /// It will come at a point, after so many times there; or not.
    pub(super) fn will_come(&self, at: Option<(Point, u32)>) {
        *self.at.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }

    /// Whether it comes here.
    pub(super) fn comes_at(&self, point: Point) -> bool {
        let mut at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((_, left)) = at.as_mut().filter(|(at, _)| *at == point) else { return false };
        *left = left.saturating_sub(1);
        let comes = *left == 0;
        drop(at);
        if comes {
            self.comes();
        }
        comes
    }

    /// It comes now.
    pub(super) fn comes(&self) {
        self.came.store(true, Ordering::SeqCst);
        self.comes.notify_one();
        if thread::current().id() != self.home {
            let gone = self.gone.lock().unwrap_or_else(PoisonError::into_inner);
            drop(self.is_gone.wait_while(gone, |gone| !*gone));
        }
    }

    /// What `work` comes to; `None` where death came first.
    pub(super) async fn before<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let done = tokio::select! {
            biased;
            () = self.comes.notified() => None,
            done = work => Some(done),
        };
        *self.gone.lock().unwrap_or_else(PoisonError::into_inner) = self.came.load(Ordering::SeqCst);
        self.is_gone.notify_all();
        done.filter(|_| !self.came.load(Ordering::SeqCst))
    }
}
