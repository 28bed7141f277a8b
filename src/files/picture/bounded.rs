//! Limits the size of encoded pictures: a WebP of a few bytes can contain fifty million pixels of any pattern. Encoding
//! stops at the limit or when the client has disconnected. Called by `picture`.

use crate::domain::file::PICTURE_MAX;
use std::io::{self, ErrorKind, Write};
use std::sync::Weak;

/// The client that waits for a picture. The strong reference is dropped with its request.
#[derive(Debug, Clone)]
pub(in crate::files) struct Sender(pub(in crate::files) Weak<()>);

impl Sender {
    /// Fails once the client has disconnected.
    pub(super) fn check(&self) -> io::Result<()> {
        if self.0.strong_count() > 0 { Ok(()) } else { Err(ErrorKind::ConnectionAborted.into()) }
    }
}

/// More than the limit was to be written.
#[derive(Debug, thiserror::Error)]
#[error("the picture is larger than pictures may be")]
pub(super) struct OverLimit;

impl OverLimit {
    /// True for the error with which [`Bounded`] refuses. The disk has one of the same kind.
    pub(super) fn is(error: &io::Error) -> bool {
        error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<Self>)
    }
}

/// Lets at most [`PICTURE_MAX`] bytes through.
#[derive(Debug)]
pub(super) struct Bounded<'a, W> {
    to: W,
    left: u64,
    sender: &'a Sender,
}

impl<'a, W> Bounded<'a, W> {
    pub(super) const fn new(to: W, sender: &'a Sender) -> Self {
        Self { to, left: PICTURE_MAX, sender }
    }
}

impl<W: Write> Write for Bounded<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.sender.check()?;
        if bytes.len() as u64 > self.left {
            return Err(io::Error::new(ErrorKind::FileTooLarge, OverLimit));
        }
        let written = self.to.write(bytes)?;
        self.left -= written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn writing_ends_at_limit() {
        let request = Arc::new(());
        let sender = Sender(Arc::downgrade(&request));
        let mut bounded = Bounded { to: Vec::new(), left: 5, sender: &sender };
        bounded.write_all(b"abc").unwrap();
        assert!(OverLimit::is(&bounded.write_all(b"def").unwrap_err()));
        assert!(!OverLimit::is(&ErrorKind::FileTooLarge.into()), "that is the disk's");
        bounded.write_all(b"de").unwrap();
        assert_eq!(bounded.to, b"abcde");
    }

    #[test]
    fn writing_ends_when_sender_leaves() {
        let request = Arc::new(());
        let sender = Sender(Arc::downgrade(&request));
        let mut bounded = Bounded::new(Vec::new(), &sender);
        bounded.write_all(b"abc").unwrap();
        drop(request);
        assert_eq!(bounded.write_all(b"d").unwrap_err().kind(), ErrorKind::ConnectionAborted);
    }
}
