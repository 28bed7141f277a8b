//! Response bodies: bytes in memory, or a stream that runs until the client disconnects or the server shuts down.

use crate::web::limits::shares::Share;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{FutureExt, Stream, StreamExt};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Frame, SizeHint};
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio_util::sync::CancellationToken;

pub enum ResponseBody {
    Whole(Full<Bytes>),
    /// An endless stream. The next piece is requested only after the client took the last one, so the producer must
    /// skip outdated pieces.
    Stream(BoxStream<'static, Bytes>),
    /// A stream that ends.
    Pieces(BoxStream<'static, Result<Bytes, BrokenOff>>),
}

/// The rest could not be produced; the producer has logged why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the rest could not be made")]
pub struct BrokenOff;

impl ResponseBody {
    pub fn stream(pieces: impl Stream<Item = Bytes> + Send + 'static) -> Self {
        Self::Stream(pieces.boxed())
    }

    pub fn pieces(pieces: impl Stream<Item = Result<Bytes, BrokenOff>> + Send + 'static) -> Self {
        Self::Pieces(pieces.boxed())
    }

    /// Adds `held`, which is released after the last byte was written: a form that is shown again stays in memory for
    /// as long as the client takes to read it.
    pub fn holding(self, held: Arc<Share>) -> Self {
        match self {
            Self::Whole(mut body) => {
                let bytes =
                    body.frame().now_or_never().flatten().and_then(|frame| frame.ok()?.into_data().ok());
                Bytes::from_owner(Holding { bytes: bytes.unwrap_or_default(), _held: held }).into()
            }
            stream => stream,
        }
    }

    /// Ends an endless stream when `end` is cancelled.
    pub fn until(self, end: &CancellationToken) -> Self {
        match self {
            Self::Whole(_) | Self::Pieces(_) => self,
            Self::Stream(pieces) => Self::stream(pieces.take_until(end.clone().cancelled_owned())),
        }
    }
}

/// Bytes with a share that must outlive them.
struct Holding {
    bytes: Bytes,
    _held: Arc<Share>,
}

impl AsRef<[u8]> for Holding {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Default for ResponseBody {
    fn default() -> Self {
        Self::Whole(Full::default())
    }
}

impl<T: Into<Bytes>> From<T> for ResponseBody {
    fn from(bytes: T) -> Self {
        Self::Whole(Full::new(bytes.into()))
    }
}

impl fmt::Debug for ResponseBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Whole(_) => "Whole",
            Self::Stream(_) => "Stream",
            Self::Pieces(_) => "Pieces",
        })
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        match self.get_mut() {
            Self::Whole(body) => Pin::new(body).poll_frame(cx).map_err(|never| match never {}),
            Self::Stream(pieces) => pieces.poll_next_unpin(cx).map(|piece| piece.map(Frame::data).map(Ok)),
            Self::Pieces(pieces) => pieces.poll_next_unpin(cx).map(|piece| Some(piece?.map(Frame::data))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.is_end_stream(),
            Self::Stream(_) | Self::Pieces(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => body.size_hint(),
            Self::Stream(_) | Self::Pieces(_) => SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::web::limits::shares::Shares;
    use std::net::IpAddr;

    #[tokio::test]
    async fn response_text_counts_until_written() {
        let shares = Shares::new(Clock::system(), "bytes of a test", 10, 10);
        let client = IpAddr::from([198, 51, 100, 1]);
        let held = Arc::new(shares.open(client));
        held.grow(10).unwrap();
        let mut body = ResponseBody::from("what was typed").holding(held);
        assert_eq!(body.size_hint().exact(), Some(14));
        let written = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert!(body.frame().await.is_none());
        drop(body);
        assert!(shares.take(client).is_err(), "the connection has it still");
        drop(written);
        assert!(shares.take(client).is_ok());
    }
}
