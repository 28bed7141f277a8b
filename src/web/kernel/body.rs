//! Reads request bodies within a size limit and a time limit, and counts the bytes that all bodies have in memory.

use super::PageError;
use crate::clock::Clock;
use crate::web::limits::shares::{Exhausted, Share, Shares};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Body;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

const READ_WITHIN: Duration = Duration::from_secs(20);
/// Most bytes that all bodies have in memory together, until their requests are answered. A form has one or two
/// kilobytes, Slack's largest request has a megabyte, an upload has some ten kilobytes between the wire and the disk.
const HELD_BYTES: usize = 32 * 1024 * 1024;
/// Most bytes per client: a thousand ordinary forms at once, as a whole makerspace behind one address could send them,
/// or what Slack sends from one of its hosts in its busiest second.
const HELD_BYTES_OF_CLIENT: usize = 4 * 1024 * 1024;
/// `Retry-After` when there is no room for a body: by then earlier requests have been answered or have timed out.
const NO_ROOM: Duration = READ_WITHIN;
/// How much of an oversized body is read and dropped, and for how long: a client that is still sending when the
/// connection closes never sees the response.
const DISCARD_AT_MOST: usize = 16 * 1024 * 1024;
const DISCARD_WITHIN: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub struct BodyBudget(Arc<Shares>);

impl BodyBudget {
    /// The production limits.
    pub fn new(clock: Clock) -> Self {
        Self::of(clock, HELD_BYTES, HELD_BYTES_OF_CLIENT)
    }

    /// Custom limits in bytes, in total and per client: for tests.
    pub fn of(clock: Clock, all: usize, of_client: usize) -> Self {
        Self(Shares::new(clock, "bytes of request bodies", all, of_client))
    }

    /// An empty share for a request of this client; it grows while the body is read.
    pub fn open(&self, client: IpAddr) -> Arc<Share> {
        Arc::new(self.0.open(client))
    }
}

/// The error for a body or form that exceeds the memory budget.
pub fn no_room(exhausted: Exhausted) -> PageError {
    PageError::exhausted(exhausted, NO_ROOM)
}

/// Reads the whole body, counted in `held`.
///
/// # Errors
/// `TooLarge` above `limit` bytes, `TooSlow`, `BrokenOff` if the client disconnected, `TooOften` or `Crowded` if the
/// memory budget is used up.
pub async fn read<B>(body: B, limit: usize, held: &Share) -> Result<Bytes, PageError>
where
    B: Body<Data = Bytes> + Send,
{
    let mut kept = Vec::new();
    read_into(&mut kept, body, limit, held).await?;
    Ok(kept.into())
}

/// Like [`read`]; after an error `kept` has what arrived within the limit.
pub async fn read_into<B>(kept: &mut Vec<u8>, body: B, limit: usize, held: &Share) -> Result<(), PageError>
where
    B: Body<Data = Bytes> + Send,
{
    let mut body = pin!(body);
    let declared = body.size_hint().exact().and_then(|length| usize::try_from(length).ok());
    let most = declared.map_or(limit, |declared| declared.min(limit));
    let read = async {
        while let Some(data) = next(&mut body).await? {
            let room = limit - kept.len();
            make_room(kept, data.len().min(room), most, held)?;
            kept.extend_from_slice(data.get(..room).unwrap_or(&data));
            if data.len() > room {
                return Err(PageError::TooLarge { limit });
            }
        }
        Ok(())
    };
    let read = tokio::time::timeout(READ_WITHIN, read).await.map_err(|_| PageError::TooSlow)?;
    let is_refused = |error: &PageError| !matches!(error, PageError::BrokenOff);
    if read.as_ref().is_err_and(is_refused) {
        discard(&mut body, DISCARD_AT_MOST, DISCARD_WITHIN).await;
    }
    read
}

/// Grows the vector by doubling, up to `most`, and counts the new capacity.
fn make_room(kept: &mut Vec<u8>, more: usize, most: usize, held: &Share) -> Result<(), PageError> {
    let (wanted, has) = (kept.len() + more, kept.capacity());
    if wanted > has {
        let grown = wanted.max((2 * has).min(most));
        held.grow(grown - has).map_err(no_room)?;
        kept.reserve_exact(grown - kept.len());
    }
    Ok(())
}

/// The next bytes; `None` at the end.
///
/// # Errors
/// `BrokenOff`.
pub async fn next<B: Body<Data = Bytes> + Unpin>(body: &mut B) -> Result<Option<Bytes>, PageError> {
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| PageError::BrokenOff)?;
        if let Ok(data) = frame.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}

/// Reads and drops the rest of the body, within a number of bytes and a time.
pub async fn discard<B: Body<Data = Bytes> + Unpin>(body: &mut B, at_most: usize, within: Duration) {
    let drop_all = async {
        let mut dropped = 0;
        while let Ok(Some(data)) = next(body).await {
            dropped += data.len();
            if dropped > at_most {
                break;
            }
        }
    };
    // The response is the same whether the client stopped, was cut off or is still sending.
    let _ = tokio::time::timeout(within, drop_all).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;
    use http_body_util::{Full, StreamBody};
    use hyper::body::Frame;
    use std::io;

    fn chunks(sizes: &'static [usize]) -> impl Body<Data = Bytes, Error = io::Error> + Send {
        let frames = sizes.iter().map(|&size| match size {
            0 => Err(io::ErrorKind::BrokenPipe.into()),
            size => Ok(Frame::data(Bytes::from(vec![b'x'; size]))),
        });
        StreamBody::new(stream::iter(frames))
    }

    fn budget(all: usize) -> Arc<Share> {
        BodyBudget::of(Clock::system(), all, all).open(IpAddr::from([198, 51, 100, 1]))
    }

    async fn read<B: Body<Data = Bytes> + Send>(body: B, limit: usize) -> Result<Bytes, PageError> {
        super::read(body, limit, &budget(1_000)).await
    }

    #[tokio::test]
    async fn buffered_bytes_count_until_dropped() {
        let held = budget(20);
        assert_eq!(super::read(chunks(&[4, 4, 2]), 1_000, &held).await.unwrap().len(), 10);
        let mut kept = Vec::new();
        let refused = read_into(&mut kept, chunks(&[4, 4, 4]), 1_000, &held).await;
        assert!(matches!(refused, Err(PageError::Crowded { .. })), "{refused:?}");
        assert_eq!(kept.len(), 4, "what came before is there");
        drop(held);
        let mut kept = Vec::with_capacity(2);
        read_into(&mut kept, chunks(&[4, 4, 4]), 12, &budget(10)).await.unwrap();
        assert_eq!((kept.len(), kept.capacity()), (12, 12), "what was there is not counted again");
    }

    #[tokio::test]
    async fn limit_counts_while_reading() {
        assert_eq!(read(chunks(&[4, 4, 2]), 10).await.unwrap().len(), 10);
        assert!(matches!(read(chunks(&[4, 4, 3]), 10).await, Err(PageError::TooLarge { limit: 10 })));
        assert!(matches!(read(Full::from("eleven byte"), 10).await, Err(PageError::TooLarge { .. })));
        assert!(matches!(read(chunks(&[4, 0]), 10).await, Err(PageError::BrokenOff)));
        assert_eq!(read(chunks(&[]), 0).await.unwrap().len(), 0);
        for (sizes, length) in [(&[4, 4, 3][..], 10), (&[4, 0], 4)] {
            let mut kept = Vec::new();
            assert!(read_into(&mut kept, chunks(sizes), 10, &budget(1_000)).await.is_err());
            assert_eq!(kept.len(), length);
        }
    }
}
