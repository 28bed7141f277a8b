//! Downloads files from Slack as streams. Requests, and with them the bot token, go only to Slack's hosts and to the
//! host of `SLACK_API_URL`. Redirects to other hosts are not followed.

use super::error::{Outage, SlackApiError};
use super::{SlackApi, present};
use bytes::Bytes;
use futures_util::{Stream, stream};
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use http::response::Parts;
use http::{HeaderName, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use std::time::Duration;
use tokio::time::timeout;

/// How long Slack may take to begin a response, connecting included.
const BEGIN_MAX: Duration = Duration::from_secs(15);
/// Longest silence within a file.
const SILENCE_MAX: Duration = Duration::from_secs(20);
const REDIRECTS_MAX: usize = 3;
const METHOD: &str = "file";

/// Why a download failed.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// The network, an overloaded Slack or a rate limit: a retry may succeed.
    #[error(transparent)]
    Slack(#[from] SlackApiError),
    /// Slack shows its login page or rejects the request: the token lacks `files:read`, or is no longer valid.
    #[error("the bot may not read files (missing_scope: files:read)")]
    NotPermitted,
    #[error("the file is not there")]
    Gone,
    /// The address, or its redirect, is outside Slack.
    #[error("the file is not Slack's")]
    Elsewhere,
    #[error("the file is larger than {most} bytes")]
    TooLarge {
        /// In bytes.
        most: u64,
    },
}

/// A file that is being downloaded.
#[derive(Debug)]
pub struct Download {
    body: Incoming,
    most: u64,
    seen: u64,
}

impl SlackApi {
    /// Starts the download of a file of at most `most` bytes. The response begins within 15 s, or this fails.
    pub async fn download(&self, url: &str, most: u64) -> Result<Download, DownloadError> {
        let begun = timeout(BEGIN_MAX, self.begin(url, most)).await;
        let begun = begun.unwrap_or(Err(SlackApiError::TimedOut.into()));
        let outcome = match &begun {
            Ok(_) => "ok",
            Err(DownloadError::Slack(error)) => error.outcome(),
            Err(_) => "refused",
        };
        self.0.metrics.slack_api_call(METHOD, outcome);
        begun
    }

    async fn begin(&self, url: &str, most: u64) -> Result<Download, DownloadError> {
        let token = present(self.0.bot_token.as_ref())?;
        let client = Client::builder(TokioExecutor::new()).build(self.0.connector.clone());
        let mut url = url.to_owned();
        for _ in 0..=REDIRECTS_MAX {
            if !self.is_of_slack(&url) {
                return Err(DownloadError::Elsewhere);
            }
            let request = Request::get(&url)
                .header(AUTHORIZATION, format!("Bearer {}", token.token_value.0))
                .body(Empty::<Bytes>::new())
                .map_err(|_| DownloadError::Elsewhere)?;
            let answer = client.request(request).await.map_err(|error| network(error.into()))?;
            let (head, body) = answer.into_parts();
            if !head.status.is_redirection() {
                check(&head, most)?;
                return Ok(Download { body, most, seen: 0 });
            }
            url = redirect(&url, &head).ok_or(DownloadError::Elsewhere)?;
        }
        Err(DownloadError::Elsewhere)
    }
}

impl Download {
    /// The bytes as a stream: it ends with an error after a silence of 20 s, or if the file exceeds the limit.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, DownloadError>> + Send {
        stream::try_unfold(self, |mut file| async move { Ok(file.next().await?.map(|bytes| (bytes, file))) })
    }

    async fn next(&mut self) -> Result<Option<Bytes>, DownloadError> {
        loop {
            let frame = timeout(SILENCE_MAX, self.body.frame()).await.map_err(|_| SlackApiError::TimedOut)?;
            let Some(frame) = frame.transpose().map_err(|error| network(error.into()))? else {
                return Ok(None);
            };
            let Ok(bytes) = frame.into_data() else { continue };
            self.seen += bytes.len() as u64;
            if self.seen > self.most {
                return Err(DownloadError::TooLarge { most: self.most });
            }
            return Ok(Some(bytes));
        }
    }
}

fn network(error: Box<dyn std::error::Error + Send + Sync>) -> DownloadError {
    SlackApiError::Unavailable(Outage::Network(error)).into()
}

fn text(head: &Parts, name: HeaderName) -> Option<&str> {
    head.headers.get(name)?.to_str().ok()
}

/// Checks the response head of a file.
fn check(head: &Parts, most: u64) -> Result<(), DownloadError> {
    match head.status {
        StatusCode::OK => {}
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => return Err(DownloadError::NotPermitted),
        StatusCode::NOT_FOUND | StatusCode::GONE => return Err(DownloadError::Gone),
        StatusCode::TOO_MANY_REQUESTS => {
            let seconds = text(head, RETRY_AFTER).and_then(|value| value.parse().ok());
            return Err(SlackApiError::rate_limited(seconds.map(Duration::from_secs)).into());
        }
        status => return Err(SlackApiError::Unavailable(Outage::Status(status.as_u16())).into()),
    }
    if text(head, CONTENT_TYPE)
        .is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("text/html"))
    {
        return Err(DownloadError::NotPermitted);
    }
    let length = text(head, CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok());
    if length.is_some_and(|length| length > most) {
        return Err(DownloadError::TooLarge { most });
    }
    Ok(())
}

/// The redirect target: another address, or another path of the same host.
fn redirect(from: &str, head: &Parts) -> Option<String> {
    let to = text(head, LOCATION)?;
    if !to.starts_with('/') || to.starts_with("//") {
        return Some(to.to_owned());
    }
    let from: Uri = from.parse().ok()?;
    Some(format!("{}://{}{to}", from.scheme_str()?, from.authority()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Response;

    fn head(status: u16, headers: &[(&str, &str)]) -> Parts {
        let mut answer = Response::builder().status(status);
        for (name, value) in headers {
            answer = answer.header(*name, *value);
        }
        answer.body(()).unwrap().into_parts().0
    }

    #[test]
    fn response_head_decides_whether_download_starts() {
        let said = |status, headers: &[(&str, &str)]| match check(&head(status, headers), 100) {
            Ok(()) => "comes".to_owned(),
            Err(error) => error.to_string(),
        };
        assert_eq!(said(200, &[("content-type", "image/jpeg"), ("content-length", "100")]), "comes");
        assert_eq!(said(200, &[]), "comes");
        assert!(said(200, &[("content-length", "101")]).contains("larger than 100 bytes"));
        for page in ["text/html", " Text/HTML; charset=utf-8"] {
            assert!(said(200, &[("content-type", page)]).contains("missing_scope: files:read"), "{page}");
        }
        assert!(said(403, &[]).contains("missing_scope"));
        assert!(said(404, &[]).contains("not there"));
        assert!(said(429, &[("retry-after", "7")]).contains("wait 7 s"));
        for status in [500, 503, 418, 204] {
            assert!(said(status, &[]).contains("unavailable"), "{status}");
        }
    }

    #[test]
    fn redirect_target_is_resolved_from_location() {
        let to = |location| redirect("https://files.slack.com/a?b=c", &head(302, &[("location", location)]));
        assert_eq!(to("/x/y?z").as_deref(), Some("https://files.slack.com/x/y?z"));
        for elsewhere in ["https://evil.example/", "//evil.example/x", "x", ""] {
            assert_eq!(to(elsewhere).as_deref(), Some(elsewhere));
        }
        assert_eq!(redirect("https://files.slack.com/a", &head(302, &[])), None);
    }
}
