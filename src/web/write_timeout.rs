//! A stream that fails if the peer reads nothing for too long: hyper limits slow requests, this limits slow readers.
//! Also reports when everything has been written. Used by `server`.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// A stream whose writes fail after making no progress for a while.
#[derive(Debug)]
pub struct WriteTimeout<S, F> {
    stream: S,
    stall: Duration,
    on_flush: F,
    waiting: Option<Pin<Box<Sleep>>>,
}

impl<S, F> WriteTimeout<S, F> {
    /// Waits at most `stall` for progress; calls `on_flush` each time the buffer is empty.
    pub const fn new(stream: S, stall: Duration, on_flush: F) -> Self {
        Self { stream, stall, on_flush, waiting: None }
    }

    /// Returns a write's result, or an error if it has been pending for too long.
    fn judge<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.waiting = None;
            return written;
        }
        let stall = self.stall;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(stall)));
        ready!(waiting.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin, F: Unpin> AsyncRead for WriteTimeout<S, F> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin, F: FnMut() + Unpin> AsyncWrite for WriteTimeout<S, F> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.judge(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.judge(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        if matches!(flushed, Poll::Ready(Ok(()))) {
            (self.on_flush)();
        }
        self.judge(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.judge(cx, shut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    #[tokio::test]
    async fn peer_that_takes_nothing_is_given_up() {
        let (ours, _theirs) = duplex(4);
        let mut stream = WriteTimeout::new(ours, Duration::from_millis(10), || ());
        let stalled = stream.write_all(b"more than four").await.unwrap_err();
        assert_eq!(stalled.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn slow_reader_is_not_timed_out() {
        let (ours, mut theirs) = duplex(1);
        let mut stream = WriteTimeout::new(ours, Duration::from_secs(60), || ());
        let (written, read) = tokio::join!(stream.write_all(b"slowly"), async {
            let mut all = [0; 6];
            theirs.read_exact(&mut all).await.map(|_| all)
        });
        written.unwrap();
        assert_eq!(&read.unwrap(), b"slowly");
    }
}
