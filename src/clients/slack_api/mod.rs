//! Slack's Web API through slack-morphism, one method per call. Each call has a time-out and is counted. Must not:
//! retry or limit rates; the callers do (the worker, `people`, `slack`). The bot token goes only to the host of
//! `SLACK_API_URL`.

mod answers;
mod auth_test;
mod dial;
mod download;
mod error;
mod http;
mod membership;

pub use answers::{ChannelMessage, OpenView, PostedMessage, SlackFile, SlackUser};
pub use auth_test::{Identity, OPTIONAL_SCOPES, REQUIRED_SCOPES, absent_scopes, missing_scopes};
pub use dial::SlackStream;
pub use download::{Download, DownloadError};
pub use error::{Blame, Outage, SlackApiError};
pub use membership::Workspace;

use self::http::Http;
use crate::clients::tls::{self, Connector};
use crate::config::SlackConfig;
use crate::metrics::Metrics;
use ::http::Uri;
use answers::{
    ChannelAnswer, ConnectionAnswer, FileAnswer, MessagesAnswer, Nothing, PermalinkAnswer, UserAnswer,
    ViewAnswer,
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use slack_morphism::{
    ClientResult, SlackApiToken, SlackApiTokenValue, SlackClient, SlackClientApiCallContext,
    SlackClientHttpConnector,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{Semaphore, SetOnce};

/// A method of the Web API and its time limit.
struct Method {
    name: &'static str,
    limit: Duration,
}

const fn method(name: &'static str, milliseconds: u64) -> Method {
    Method { name, limit: Duration::from_millis(milliseconds) }
}

const AUTH_TEST: Method = method("auth.test", 5_000);
// A form waits for the first call.
const OUR_WORKSPACE: Method = method("auth.test", 1_000);
const OPEN_CONNECTION: Method = method("apps.connections.open", 10_000);
const POST_MESSAGE: Method = method("chat.postMessage", 15_000);
const UPDATE_MESSAGE: Method = method("chat.update", 15_000);
const HISTORY: Method = method("conversations.history", 5_000);
const REPLIES: Method = method("conversations.replies", 5_000);
const CHANNEL_INFO: Method = method("conversations.info", 5_000);
const FILE_INFO: Method = method("files.info", 5_000);
const USERS_INFO: Method = method("users.info", 1_000);
// A form waits for it.
const PERMALINK: Method = method("chat.getPermalink", 1_000);
const RESPOND: Method = method("response_url", 5_000);
// A trigger expires 3 s after the press and works once. A shorter limit would not help, since no retry is possible; a
// longer one would only delay the error message.
const VIEWS_OPEN: Method = method("views.open", 2_400);
const VIEWS_PUSH: Method = method("views.push", 2_400);
const VIEWS_UPDATE: Method = method("views.update", 2_400);
const VIEWS_PUBLISH: Method = method("views.publish", 5_000);

/// Messages per page of a channel's history.
const PAGE: &str = "200";

/// Views in flight at the same time. Slack returns each view in full, so many of them cost memory and connections.
/// At 100 to 400 ms per view, 500 people still get theirs within a trigger's 3 s.
const VIEWS_AT_ONCE: usize = 128;

/// Cheap to clone; all clones share their connections.
#[derive(Clone)]
pub struct SlackApi(Arc<Inner>);

struct Inner {
    client: SlackClient<Http>,
    connector: Connector,
    /// Without a trailing slash.
    api_url: String,
    bot_token: Option<SlackApiToken>,
    app_token: Option<SlackApiToken>,
    /// Limits concurrent views.
    views: Semaphore,
    /// Slack rejected the bot token at the last call.
    bot_token_refused: AtomicBool,
    /// The bot token's workspace, which never changes.
    workspace: SetOnce<Workspace>,
    metrics: Metrics,
}

#[derive(Serialize)]
struct ByTrigger<'a> {
    trigger_id: &'a str,
    view: &'a Value,
}

#[derive(Serialize)]
struct ById<'a> {
    view_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hash: Option<&'a str>,
    view: &'a Value,
}

#[derive(Serialize)]
struct ForPerson<'a> {
    user_id: &'a str,
    view: &'a Value,
}

impl SlackApi {
    /// Does not connect yet. Without a token every call fails as Slack would: `not_authed`.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn new(config: &SlackConfig, metrics: Metrics) -> Result<Self, rustls::Error> {
        let connector = tls::connector(config.proxy.as_ref())?;
        let api_url = config.api_url.trim_end_matches('/').to_owned();
        let token =
            |secret: &SecretString| SlackApiToken::new(SlackApiTokenValue(secret.expose_secret().to_owned()));
        Ok(Self(Arc::new(Inner {
            client: SlackClient::new(Http::new(connector.clone(), &api_url)),
            connector,
            api_url,
            bot_token: config.bot_token.as_ref().map(token),
            app_token: config.app_token.as_ref().map(token),
            views: Semaphore::new(VIEWS_AT_ONCE),
            bot_token_refused: AtomicBool::new(false),
            workspace: SetOnce::new(),
            metrics,
        })))
    }

    /// The bot token's identity and scopes. At most 5 s.
    pub async fn auth_test(&self) -> Result<Identity, SlackApiError> {
        self.identity(&AUTH_TEST).await
    }

    /// The workspace of the bot token, cached after the first response. At most 1 s.
    pub async fn workspace(&self) -> Result<Workspace, SlackApiError> {
        if let Some(known) = self.0.workspace.get() {
            return Ok(known.clone());
        }
        let Identity { team_id, enterprise_id, .. } = self.identity(&OUR_WORKSPACE).await?;
        Ok(Workspace { team_id, enterprise_id })
    }

    async fn identity(&self, method: &Method) -> Result<Identity, SlackApiError> {
        let identity = self.counted(method, async {
            let token = present(self.0.bot_token.as_ref())?;
            auth_test::auth_test(&self.0.client.http_api.connector, token).await
        });
        let identity = identity.await?;
        let (team_id, enterprise_id) = (identity.team_id.clone(), identity.enterprise_id.clone());
        // A concurrent call may have set the same value first.
        let _ = self.0.workspace.set(Workspace { team_id, enterprise_id });
        Ok(identity)
    }

    /// Requests the URL of one Socket Mode connection, with the app token. At most 10 s.
    pub async fn open_connection(&self) -> Result<SecretString, SlackApiError> {
        let token = self.0.app_token.as_ref();
        let answer: ConnectionAnswer = self.post(&OPEN_CONNECTION, token, &serde_json::json!({})).await?;
        Ok(answer.url)
    }

    /// Opens the byte stream of a Socket Mode connection. The caller limits the time.
    pub async fn dial(&self, url: &SecretString) -> Result<SlackStream, SlackApiError> {
        dial::dial(self.0.connector.clone(), url.expose_secret()).await
    }

    /// At most 2.4 s.
    pub async fn views_open(&self, trigger: &SecretString, view: &Value) -> Result<OpenView, SlackApiError> {
        let body = ByTrigger { trigger_id: trigger.expose_secret(), view };
        self.view(&VIEWS_OPEN, &body).await
    }

    /// Pushes a modal on top of the open one. At most 2.4 s.
    pub async fn views_push(&self, trigger: &SecretString, view: &Value) -> Result<OpenView, SlackApiError> {
        let body = ByTrigger { trigger_id: trigger.expose_secret(), view };
        self.view(&VIEWS_PUSH, &body).await
    }

    /// Replaces a view; with `hash` only if it is still in that state. At most 2.4 s.
    ///
    /// # Errors
    /// See [`SlackApiError`]; `hash_conflict` is `Refused`.
    pub async fn views_update(
        &self,
        view_id: &str,
        hash: Option<&str>,
        view: &Value,
    ) -> Result<OpenView, SlackApiError> {
        self.view(&VIEWS_UPDATE, &ById { view_id, hash, view }).await
    }

    /// Publishes a person's Home tab. At most 5 s.
    pub async fn views_publish(&self, user_id: &str, view: &Value) -> Result<OpenView, SlackApiError> {
        self.view(&VIEWS_PUBLISH, &ForPerson { user_id, view }).await
    }

    /// A message's permalink. At most 1 s.
    pub async fn permalink(&self, channel: &str, ts: &str) -> Result<String, SlackApiError> {
        let params = [("channel", Some(channel)), ("message_ts", Some(ts))];
        let answer: PermalinkAnswer = self.get(&PERMALINK, &params).await?;
        Ok(answer.permalink)
    }

    /// Posts a message; `body` has the arguments of `chat.postMessage`. At most 15 s.
    pub async fn post_message(&self, body: &Value) -> Result<PostedMessage, SlackApiError> {
        self.post(&POST_MESSAGE, self.0.bot_token.as_ref(), body).await
    }

    /// Edits a message; `body` has the arguments of `chat.update`. At most 15 s.
    pub async fn update_message(&self, body: &Value) -> Result<(), SlackApiError> {
        let _: Nothing = self.post(&UPDATE_MESSAGE, self.0.bot_token.as_ref(), body).await?;
        Ok(())
    }

    /// A page of the messages of a channel, or of one of its threads, since a time in microseconds. At most 5 s.
    /// `channel` is a channel id.
    ///
    /// # Errors
    /// See [`SlackApiError`]; a missing scope is `Refused`.
    pub async fn messages(
        &self,
        channel: &str,
        thread: Option<&str>,
        since: i64,
    ) -> Result<Vec<ChannelMessage>, SlackApiError> {
        let oldest = format!("{}.{:06}", since.div_euclid(1_000_000), since.rem_euclid(1_000_000));
        let mut params = vec![
            ("channel", Some(channel)),
            ("oldest", Some(&oldest)),
            ("limit", Some(PAGE)),
            ("include_all_metadata", Some("true")),
        ];
        params.extend(thread.map(|ts| ("ts", Some(ts))));
        let method = if thread.is_some() { REPLIES } else { HISTORY };
        let answer: MessagesAnswer = self.get(&method, &params).await?;
        Ok(answer.messages)
    }

    /// A channel's name, without the `#`. At most 5 s.
    ///
    /// # Errors
    /// See [`SlackApiError`]; a missing scope is `Refused`, as is a channel that the bot may not see.
    pub async fn channel_name(&self, channel: &str) -> Result<String, SlackApiError> {
        let answer: ChannelAnswer = self.get(&CHANNEL_INFO, &[("channel", Some(channel))]).await?;
        Ok(answer.channel.name)
    }

    /// A file's metadata. At most 5 s.
    ///
    /// # Errors
    /// See [`SlackApiError`]; a missing scope is `Refused`, as is a file that the bot may not see.
    pub async fn file_info(&self, file_id: &str) -> Result<SlackFile, SlackApiError> {
        let answer: FileAnswer = self.get(&FILE_INFO, &[("file", Some(file_id))]).await?;
        Ok(answer.file)
    }

    /// A person's profile. At most 1 s.
    pub async fn users_info(&self, user_id: &str) -> Result<SlackUser, SlackApiError> {
        let answer: UserAnswer = self.get(&USERS_INFO, &[("user", Some(user_id))]).await?;
        Ok(answer.into())
    }

    /// Responds through a `response_url`, without any token. At most 5 s.
    ///
    /// # Errors
    /// See [`SlackApiError`]; a URL that is not Slack's, or was used up, is `Refused`.
    pub async fn respond(&self, response_url: &SecretString, body: &Value) -> Result<(), SlackApiError> {
        self.counted(&RESPOND, async {
            let url = response_url.expose_secret();
            if !self.is_of_slack(url) {
                return Err(SlackApiError::Refused { code: "not_a_response_url".to_owned() });
            }
            let url = url.parse().map_err(slack_morphism::errors::SlackClientError::from)?;
            // The library writes URLs to its debug lines unless they are marked as sensitive.
            let context = SlackClientApiCallContext {
                rate_control_params: None,
                token: None,
                tracing_span: &tracing::Span::none(),
                is_sensitive_url: true,
            };
            let answer: ClientResult<Nothing> =
                self.0.client.http_api.connector.http_post_uri(url, body, context).await;
            answer?;
            Ok(())
        })
        .await
    }

    /// True for `https` under slack.com, and for the host of `SLACK_API_URL` and its subdomains.
    fn is_of_slack(&self, url: &str) -> bool {
        let Ok(url) = url.parse::<Uri>() else { return false };
        let api = self.0.api_url.parse::<Uri>().unwrap_or_default();
        let (Some(host), api_host) = (url.host(), api.host().unwrap_or("slack.com")) else { return false };
        let below = |domain: &str| host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
        let secure = url.scheme_str() == Some("https");
        host == api_host && (secure || url.scheme() == api.scheme())
            || secure && (below(api_host) || below("slack.com"))
    }

    async fn view(&self, method: &Method, body: &impl Body) -> Result<OpenView, SlackApiError> {
        self.counted(method, async {
            // The semaphore is never closed.
            let _turn = self.0.views.acquire().await;
            let answer: ViewAnswer = self.send(method, self.0.bot_token.as_ref(), body).await?;
            Ok(answer.view)
        })
        .await
    }

    /// Slack's read methods accept no JSON bodies.
    async fn get<A>(&self, method: &Method, params: &[(&str, Option<&str>)]) -> Result<A, SlackApiError>
    where
        A: for<'de> Deserialize<'de> + Send,
    {
        self.counted(method, async {
            let session = self.0.client.open_session(present(self.0.bot_token.as_ref())?);
            let params = params.to_vec();
            let answer: ClientResult<A> = session.http_session_api.http_get(method.name, &params, None).await;
            Ok(answer?)
        })
        .await
    }

    async fn post<A>(
        &self,
        method: &Method,
        token: Option<&SlackApiToken>,
        body: &impl Body,
    ) -> Result<A, SlackApiError>
    where
        A: for<'de> Deserialize<'de> + Send,
    {
        self.counted(method, self.send(method, token, body)).await
    }

    async fn send<A>(
        &self,
        method: &Method,
        token: Option<&SlackApiToken>,
        body: &impl Body,
    ) -> Result<A, SlackApiError>
    where
        A: for<'de> Deserialize<'de> + Send,
    {
        let session = self.0.client.open_session(present(token)?);
        let answer: ClientResult<A> = session.http_session_api.http_post(method.name, body, None).await;
        Ok(answer?)
    }

    async fn counted<A>(
        &self,
        method: &Method,
        call: impl Future<Output = Result<A, SlackApiError>>,
    ) -> Result<A, SlackApiError> {
        let answer = tokio::time::timeout(method.limit, call).await.unwrap_or(Err(SlackApiError::TimedOut));
        let outcome = answer.as_ref().map_or_else(SlackApiError::outcome, |_| "ok");
        self.0.metrics.slack_api_call(method.name, outcome);
        if ![OPEN_CONNECTION.name, RESPOND.name].contains(&method.name) {
            self.note_bot_token(answer.as_ref().err());
        }
        answer
    }

    /// Logs one ERROR line when Slack first rejects the bot token, in any call (spec "Configuration"), and one line
    /// when Slack accepts it again.
    fn note_bot_token(&self, error: Option<&SlackApiError>) {
        let refused = &self.0.bot_token_refused;
        match error {
            Some(SlackApiError::Auth { code }) if !refused.swap(true, Ordering::Relaxed) => tracing::error!(
                code,
                "Slack does not accept SLACK_BOT_TOKEN: messages wait. Copy the token from the app's settings and \
                 restart ESB"
            ),
            // Slack checks the token before it rejects a request.
            None | Some(SlackApiError::Refused { .. }) if refused.swap(false, Ordering::Relaxed) => {
                tracing::info!("Slack accepts SLACK_BOT_TOKEN again");
            }
            _ => {}
        }
    }
}

/// Arguments that can be sent as JSON.
trait Body: Serialize + Send + Sync {}
impl<T: Serialize + Send + Sync> Body for T {}

fn present(token: Option<&SlackApiToken>) -> Result<&SlackApiToken, SlackApiError> {
    token.ok_or_else(|| SlackApiError::Auth { code: "not_authed".to_owned() })
}
