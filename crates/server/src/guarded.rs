//! A connection whose peer is held to its allowance of control frames: beyond it, nothing more is read.
//!
//! The HTTP library has limits for some floods and no hook for the rest; what it would spend its time on is counted here,
//! before it sees it. Only the heads of frames are looked at.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use freehold_metrics::Counter;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::flood::{Allowance, Flood};
use crate::frames::Frames;

/// An HTTP/2 connection after its preface.
pub(crate) struct Guarded<Io> {
    io: Io,
    /// The rest of the preface, which is no frame.
    before: usize,
    frames: Frames,
    allowance: Allowance,
    floods: Counter,
}

impl<Io> Guarded<Io> {
    /// Guards a connection of which `before` bytes are the preface; `floods` counts those that are cut off.
    pub(crate) fn new(io: Io, before: usize, floods: Counter) -> Self {
        Self { io, before, frames: Frames::default(), allowance: Allowance::new(Instant::now()), floods }
    }

    fn count(&mut self, mut bytes: &[u8]) -> Result<(), Flood> {
        let skipped = self.before.min(bytes.len());
        self.before -= skipped;
        bytes = &bytes[skipped..];
        let now = Instant::now();
        while let Some(head) = self.frames.next(&mut bytes) {
            self.allowance.received(head, now)?;
        }
        Ok(())
    }

    fn sent(&mut self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = written {
            self.allowance.sent(bytes);
        }
        written
    }
}

impl<Io: AsyncRead + Unpin> AsyncRead for Guarded<Io> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(context, buffer))?;
        let counted = self.count(&buffer.filled()[before..]);
        Poll::Ready(counted.map_err(|flood| {
            self.floods.inc();
            io::Error::other(flood)
        }))
    }
}

impl<Io: AsyncWrite + Unpin> AsyncWrite for Guarded<Io> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(context, bytes);
        self.sent(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(context, slices);
        self.sent(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}
