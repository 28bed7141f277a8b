//! `POST /slack/events`: what Slack sends over HTTP, where a signing secret is configured. What it means is
//! the business of the inbox that `app` brings: edges do not know each other.

use crate::web::Web;
use crate::web::kernel::answer::{JSON, TEXT, answer};
use crate::web::kernel::{Answer, Call, PageError};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderMap, StatusCode};
use serde_json::Value;
use std::fmt;
use std::sync::Arc;

/// Most bytes of a request: Slack's largest are views with all their inputs filled.
pub(super) const LIMIT: usize = 1024 * 1024;

type Receive = dyn Fn(HeaderMap, Bytes) -> BoxFuture<'static, (StatusCode, Option<Value>)> + Send + Sync;

/// Answers Slack's requests; cheap to clone.
#[derive(Clone)]
pub struct SlackInbox(Arc<Receive>);

impl SlackInbox {
    /// Answers by `receive`, which takes the headers and the whole body of a request.
    pub fn new(
        receive: impl Fn(HeaderMap, Bytes) -> BoxFuture<'static, (StatusCode, Option<Value>)>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self(Arc::new(receive))
    }
}

impl fmt::Debug for SlackInbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SlackInbox")
    }
}

pub(super) async fn receive(web: &Web, call: &Call) -> Result<Answer, PageError> {
    let inbox = web.slack.as_ref().ok_or(PageError::NotFound)?;
    let (status, payload) = (inbox.0)(call.headers.clone(), call.raw.clone()).await;
    Ok(match payload {
        Some(payload) => answer(status, JSON, payload.to_string()),
        None => answer(status, TEXT, ""),
    })
}
