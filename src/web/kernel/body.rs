//! Reads a body within a size and a time, so that no client can fill memory or hold a place.

use super::PageError;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Body;
use std::pin::pin;
use std::time::Duration;

/// Longest time from the head of a request to the end of its body.
const READ_WITHIN: Duration = Duration::from_secs(20);
/// How much of an oversized body is read and dropped, and for how long: a client that is still
/// sending when the connection closes never sees the answer.
const DISCARD_AT_MOST: usize = 16 * 1024 * 1024;
const DISCARD_WITHIN: Duration = Duration::from_secs(2);

/// The whole body.
///
/// # Errors
/// `TooLarge` above `limit` bytes, `TooSlow`, `BrokenOff` when the client went away.
pub async fn read<B>(body: B, limit: usize) -> Result<Bytes, PageError>
where
    B: Body<Data = Bytes> + Send,
{
    let mut kept = Vec::new();
    read_into(&mut kept, body, limit).await?;
    Ok(kept.into())
}

/// As [`read`]; after an error `kept` has what came within the limit.
///
/// # Errors
/// As [`read`].
pub async fn read_into<B>(kept: &mut Vec<u8>, body: B, limit: usize) -> Result<(), PageError>
where
    B: Body<Data = Bytes> + Send,
{
    let mut body = pin!(body);
    let read = async {
        while let Some(data) = next(&mut body).await? {
            let room = limit - kept.len();
            kept.extend_from_slice(data.get(..room).unwrap_or(&data));
            if data.len() > room {
                return Err(PageError::TooLarge { limit });
            }
        }
        Ok(())
    };
    let read = tokio::time::timeout(READ_WITHIN, read).await.map_err(|_| PageError::TooSlow)?;
    if matches!(read, Err(PageError::TooLarge { .. })) {
        discard(&mut body, DISCARD_AT_MOST, DISCARD_WITHIN).await;
    }
    read
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

/// Reads and drops what is still sent, so much and so long at most.
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
    // Whether the client stopped, was cut off or is still sending: it gets the same answer.
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

    #[tokio::test]
    async fn the_limit_counts_while_reading() {
        assert_eq!(read(chunks(&[4, 4, 2]), 10).await.unwrap().len(), 10);
        assert!(matches!(read(chunks(&[4, 4, 3]), 10).await, Err(PageError::TooLarge { limit: 10 })));
        assert!(matches!(read(Full::from("eleven byte"), 10).await, Err(PageError::TooLarge { .. })));
        assert!(matches!(read(chunks(&[4, 0]), 10).await, Err(PageError::BrokenOff)));
        assert_eq!(read(chunks(&[]), 0).await.unwrap().len(), 0);
        for (sizes, length) in [(&[4, 4, 3][..], 10), (&[4, 0], 4)] {
            let mut kept = Vec::new();
            assert!(read_into(&mut kept, chunks(sizes), 10).await.is_err());
            assert_eq!(kept.len(), length);
        }
    }
}
