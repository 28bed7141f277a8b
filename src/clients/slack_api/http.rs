//! The connector for slack-morphism. The library's own connector reads responses of any size, shows no headers, and
//! keeps idle connections for 90 s, each with a buffer as large as its largest response.
//! It handles responses, not methods; the client in `mod.rs` calls it.

use crate::clients::tls::Connector;
use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, Request, StatusCode, response};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use serde::{Deserialize, Serialize};
use slack_morphism::errors::{
    SlackClientApiError, SlackClientError, SlackClientHttpError, SlackClientHttpProtocolError,
    SlackClientProtocolError, SlackRateLimitError,
};
use slack_morphism::multipart_form::FileMultipartData;
use slack_morphism::{
    ClientResult, SlackApiToken, SlackClientApiCallContext, SlackClientHttpConnector, SlackClientId,
    SlackClientSecret,
};
use std::time::Duration;
use url::Url;

/// Longest response, in bytes: a view with 100 blocks of text has a tenth of it.
const LONGEST_ANSWER: usize = 4 * 1024 * 1024;
/// Idle connections that are kept after a load peak, and for how long.
const IDLE_MAX: usize = 16;
const IDLE_FOR: Duration = Duration::from_secs(5);
/// Buffer per connection, in bytes; longer responses are read in parts.
const BUFFER: usize = 16 * 1024;

/// HTTP client for Slack; clones share their connections.
#[derive(Debug, Clone)]
pub(super) struct Http {
    client: Client<Connector, Full<Bytes>>,
    /// Without a trailing slash.
    api_url: String,
}

/// The fields of every Web API response.
#[derive(Deserialize)]
struct Verdict {
    #[serde(default)]
    error: Option<String>,
}

impl Http {
    pub(super) fn new(connector: Connector, api_url: &str) -> Self {
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_FOR)
            .pool_max_idle_per_host(IDLE_MAX)
            .http1_max_buf_size(BUFFER)
            .build(connector);
        Self { client, api_url: api_url.to_owned() }
    }

    /// Calls a method without arguments; returns head and body of a successful response.
    pub(super) async fn call(
        &self,
        method: &str,
        token: &SlackApiToken,
    ) -> ClientResult<(response::Parts, Bytes)> {
        let url = self.create_method_uri_path(method)?;
        let request = Request::post(url.as_str()).header(AUTHORIZATION, bearer(token));
        self.exchange(request.body(Full::default())).await
    }

    async fn exchange(
        &self,
        request: http::Result<Request<Full<Bytes>>>,
    ) -> ClientResult<(response::Parts, Bytes)> {
        let answer = self.client.request(request.map_err(network)?).await.map_err(network)?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, LONGEST_ANSWER).collect().await;
        let body = body.map_err(network_boxed)?.to_bytes();
        match head.status {
            StatusCode::OK => {}
            StatusCode::TOO_MANY_REQUESTS => return Err(too_often(&head.headers)),
            status => {
                let text = String::from_utf8_lossy(&body).into_owned();
                let error = SlackClientHttpError::new(status).with_http_response_body(text);
                return Err(SlackClientError::HttpError(error));
            }
        }
        if is_json(&head) {
            let verdict: Verdict = serde_json::from_slice(&body).map_err(unreadable)?;
            if let Some(code) = verdict.error {
                return Err(SlackClientError::ApiError(SlackClientApiError::new(code)));
            }
        }
        Ok((head, body))
    }

    async fn ask<A>(&self, request: http::Result<Request<Full<Bytes>>>) -> ClientResult<A>
    where
        A: for<'de> Deserialize<'de>,
    {
        let (head, body) = self.exchange(request).await?;
        // A response_url responds with "ok" as plain text.
        let body = if is_json(&head) { body.as_ref() } else { b"{}" };
        serde_json::from_slice(body).map_err(unreadable)
    }
}

fn too_often(headers: &HeaderMap) -> SlackClientError {
    let asked = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let asked = asked.and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs);
    SlackClientError::RateLimitError(SlackRateLimitError::new().opt_retry_after(asked))
}

fn bearer(token: &SlackApiToken) -> String {
    format!("Bearer {}", token.token_value.0)
}

fn is_json(head: &response::Parts) -> bool {
    let kind = head.headers.get(CONTENT_TYPE).map_or("application/json", |v| v.to_str().unwrap_or_default());
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

fn network(cause: impl std::error::Error + Send + Sync + 'static) -> SlackClientError {
    network_boxed(cause.into())
}

fn network_boxed(cause: Box<dyn std::error::Error + Send + Sync>) -> SlackClientError {
    let error = SlackClientHttpProtocolError { cause: Some(cause) };
    SlackClientError::HttpProtocolError(error)
}

/// Leaves the body out of the error, and so out of the log.
fn unreadable(error: serde_json::Error) -> SlackClientError {
    SlackClientError::ProtocolError(SlackClientProtocolError::new(error))
}

/// For methods that the trait requires and ESB does not use.
fn not_spoken<'a, A: Send + 'a>() -> BoxFuture<'a, ClientResult<A>> {
    let cause = std::io::Error::from(std::io::ErrorKind::Unsupported);
    std::future::ready(Err(network(cause))).boxed()
}

impl SlackClientHttpConnector for Http {
    fn create_method_uri_path(&self, method: &str) -> ClientResult<Url> {
        Ok(format!("{}/{method}", self.api_url).parse()?)
    }

    fn http_get_uri<'a, A>(
        &'a self,
        uri: Url,
        context: SlackClientApiCallContext<'a>,
    ) -> BoxFuture<'a, ClientResult<A>>
    where
        A: for<'de> Deserialize<'de> + Send + 'a,
    {
        let mut request = Request::get(uri.as_str());
        if let Some(token) = context.token {
            request = request.header(AUTHORIZATION, bearer(token));
        }
        self.ask(request.body(Full::default())).boxed()
    }

    fn http_post_uri<'a, Q, A>(
        &'a self,
        uri: Url,
        arguments: &'a Q,
        context: SlackClientApiCallContext<'a>,
    ) -> BoxFuture<'a, ClientResult<A>>
    where
        Q: Serialize + Send + Sync,
        A: for<'de> Deserialize<'de> + Send + 'a,
    {
        let body = match serde_json::to_vec(arguments) {
            Ok(body) => Full::from(body),
            Err(error) => return std::future::ready(Err(unreadable(error))).boxed(),
        };
        let mut request = Request::post(uri.as_str()).header(CONTENT_TYPE, "application/json; charset=utf-8");
        if let Some(token) = context.token {
            request = request.header(AUTHORIZATION, bearer(token));
        }
        self.ask(request.body(body)).boxed()
    }

    fn http_get_with_client_secret<'a, A>(
        &'a self,
        _: Url,
        _: &'a SlackClientId,
        _: &'a SlackClientSecret,
    ) -> BoxFuture<'a, ClientResult<A>>
    where
        A: for<'de> Deserialize<'de> + Send + 'a,
    {
        not_spoken()
    }

    fn http_post_uri_multipart_form<'a, 'p, A, P, S>(
        &'a self,
        _: Url,
        _: Option<FileMultipartData<'p>>,
        _: &'p P,
        _: SlackClientApiCallContext<'a>,
    ) -> BoxFuture<'a, ClientResult<A>>
    where
        A: for<'de> Deserialize<'de> + Send + 'a,
        P: IntoIterator<Item = (&'p str, Option<S>)> + Clone,
        S: AsRef<str> + 'p + Send,
    {
        not_spoken()
    }

    fn http_post_uri_binary<'a, 'p, A>(
        &'a self,
        _: Url,
        _: String,
        _: &'a [u8],
        _: SlackClientApiCallContext<'a>,
    ) -> BoxFuture<'a, ClientResult<A>>
    where
        A: for<'de> Deserialize<'de> + Send + 'a,
    {
        not_spoken()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::slack_api::SlackApiError;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn retry_after_is_between_second_and_hour(
            asked in prop_oneof![prop::collection::vec(any::<u8>(), 0..12), "[+-]?[0-9]{0,22}".prop_map(String::into_bytes)],
        ) {
            let header = http::HeaderValue::from_bytes(&asked).ok();
            let headers = header.into_iter().map(|value| (RETRY_AFTER, value)).collect();
            let refused = SlackApiError::from(too_often(&headers));
            let SlackApiError::RateLimited { retry_after } = refused else { panic!("{refused:?}") };
            let seconds = std::str::from_utf8(&asked).ok().and_then(|text| text.parse::<u64>().ok());
            prop_assert_eq!(retry_after.as_secs(), seconds.map_or(30, |seconds| seconds.clamp(1, 3600)));
        }
    }
}
