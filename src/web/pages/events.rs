//! `GET /events`: server-sent events, one at each new revision of the board. A slow client receives only the newest.

use crate::clock::Clock;
use crate::ops;
use crate::ops::board::Revisions;
use crate::web::Web;
use crate::web::kernel::cache_control::NO_STORE;
use crate::web::kernel::response::streamed;
use crate::web::kernel::{PageError, PageRequest, PageResponse};
use crate::web::limits::shares::{Share, Shares};
use bytes::Bytes;
use futures_util::{Stream, stream};
use http::header::CACHE_CONTROL;
use http::{HeaderName, HeaderValue};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Concurrent listeners, in total and per client (spec, `GET /`). A makerspace behind one address has some thirty wall
/// screens and the phones that show the board right now: hidden tabs do not listen, and a page without a place polls
/// every half minute instead.
const LISTENERS: usize = 1_000;
const LISTENERS_OF_CLIENT: usize = 50;
/// `Retry-After` when there is no place.
const COME_BACK: Duration = Duration::from_secs(60);
/// Longest pause between writes: a proxy drops a silent connection after a minute, and only a write detects a client
/// that has disconnected silently.
const SILENCE: Duration = Duration::from_secs(15);
/// Shortest time between two events; bursts of changes are combined.
const PACE: Duration = Duration::from_millis(250);

const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream");
/// Disables response buffering in nginx and similar proxies.
const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

pub(in crate::web) fn places(clock: Clock) -> Arc<Shares> {
    Shares::new(clock, "listeners to /events", LISTENERS, LISTENERS_OF_CLIENT)
}

pub(super) async fn listen(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let place = web.listeners.take(request.client);
    let place = place.map_err(|exhausted| PageError::exhausted(exhausted, COME_BACK))?;
    let revisions = ops::board::follow(&web.ctx).await?;
    let mut response = streamed(EVENT_STREAM, events(revisions, place));
    response.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    response.headers_mut().insert(BUFFERING, HeaderValue::from_static("no"));
    Ok(response)
}

/// The events; ends when the place is dropped.
fn events(revisions: Revisions, place: Share) -> impl Stream<Item = Bytes> + Send {
    stream::unfold((revisions, place, Duration::ZERO), |(mut revisions, place, pause)| async move {
        sleep(pause).await;
        let (event, pause) = match timeout(SILENCE, revisions.next()).await {
            Ok(revision) => (format!("event: board\ndata: {{\"revision\": {}}}\n\n", revision?), PACE),
            Err(_) => (":\n\n".into(), Duration::ZERO),
        };
        Some((Bytes::from(event), (revisions, place, pause)))
    })
}
