//! `POST /slack/events`: Slack requests over HTTP, if a signing secret is configured. `app` injects the inbox that
//! interprets them: edges do not depend on each other.

use crate::web::Web;
use crate::web::kernel::response::{JSON, TEXT, response};
use crate::web::kernel::{PageError, PageRequest, PageResponse};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderMap, StatusCode};
use serde_json::Value;
use std::fmt;
use std::sync::Arc;

/// Decides by the headers how many bytes of a body to read.
type Check = dyn Fn(&HeaderMap) -> Result<usize, StatusCode> + Send + Sync;
type Receive = dyn Fn(HeaderMap, Bytes) -> BoxFuture<'static, (StatusCode, Option<Value>)> + Send + Sync;

/// Handles Slack's requests; cheap to clone.
#[derive(Clone)]
pub struct SlackInbox {
    check: Arc<Check>,
    receive: Arc<Receive>,
}

impl SlackInbox {
    /// `receive` handles a request by its headers and whole body. `check` limits the body's size by the headers.
    pub fn new(
        check: impl Fn(&HeaderMap) -> Result<usize, StatusCode> + Send + Sync + 'static,
        receive: impl Fn(HeaderMap, Bytes) -> BoxFuture<'static, (StatusCode, Option<Value>)>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self { check: Arc::new(check), receive: Arc::new(receive) }
    }
}

impl fmt::Debug for SlackInbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SlackInbox")
    }
}

/// Rejects a request before its body is read: if Slack uses another transport, or if the headers show that Slack did
/// not send it.
pub(super) fn check(web: &Web, headers: &HeaderMap) -> Result<usize, PageError> {
    let inbox = web.slack.as_ref().ok_or(PageError::NotFound)?;
    (inbox.check)(headers).map_err(|_| PageError::Unsigned)
}

pub(super) async fn receive(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let inbox = web.slack.as_ref().ok_or(PageError::NotFound)?;
    let (status, payload) = (inbox.receive)(request.headers.clone(), request.raw.clone()).await;
    Ok(match payload {
        Some(payload) => response(status, JSON, payload.to_string()),
        None => response(status, TEXT, ""),
    })
}
