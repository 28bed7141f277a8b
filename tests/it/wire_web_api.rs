//! The Web API client against the sandbox: answers, errors, time-outs, and what may not leak.

use crate::support::lines::Lines;
use crate::support::wire::{DEADLINE, sandbox, slack_config};
use esb::clients::slack_api::{Blame, Outage, SlackApi, SlackApiError};
use esb::clock::Clock;
use esb::metrics::Metrics;
use esb::slack::envelope::Envelope;
use esb::slack::intake::{Dispatch, Intake, Limits, Received};
use esb::slack::socket::{SocketMode, SocketTimings};
use esb_sandbox::{Fault, Sandbox};
use futures_util::future::BoxFuture;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

fn api(sandbox: &Sandbox) -> (SlackApi, Metrics) {
    let metrics = Metrics::new();
    (SlackApi::new(&slack_config(sandbox), metrics.clone()).unwrap(), metrics)
}

fn counted(metrics: &Metrics, method: &str, outcome: &str) -> bool {
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, metrics.registry()).unwrap();
    text.contains(&format!(r#"esb_slack_api_requests_total{{method="{method}",outcome="{outcome}"}} 1"#))
}

fn message() -> Value {
    json!({"channel": "#wood", "text": "The saw is down"})
}

#[tokio::test]
async fn auth_test_reads_identity_and_scopes() {
    let slack = sandbox();
    let (api, metrics) = api(&slack);
    let identity = api.auth_test().await.unwrap();
    assert_eq!((identity.team_id.as_str(), identity.user_id.as_str()), ("T0SANDBOX", "U0BOT"));
    assert_eq!(identity.bot_id.as_deref(), Some("B0BOT"));
    assert!(identity.scopes.unwrap().contains("chat:write"));
    assert!(counted(&metrics, "auth.test", "ok"));

    slack.fail_next("auth.test", Fault::Error("token_revoked"));
    assert!(matches!(api.auth_test().await, Err(SlackApiError::Auth { code }) if code == "token_revoked"));
    slack.fail_next("auth.test", Fault::RateLimited(3));
    let limited = api.auth_test().await.unwrap_err();
    assert!(matches!(limited, SlackApiError::RateLimited { retry_after } if retry_after.as_secs() == 3));
    slack.fail_next("auth.test", Fault::Http(503));
    let down = api.auth_test().await.unwrap_err();
    assert!(matches!(down, SlackApiError::Unavailable(Outage::Status(503))), "{down:?}");
}

#[tokio::test]
async fn message_is_posted_and_named() {
    let slack = sandbox();
    let (api, metrics) = api(&slack);
    let posted = api.post_message(&message()).await.unwrap();
    assert_eq!(posted.channel, "C01");
    assert_eq!(slack.posted_in("#wood")[0].ts, posted.ts);
    assert!(counted(&metrics, "chat.postMessage", "ok"));
}

#[tokio::test]
async fn error_kinds_are_distinguished() {
    for (fault, outcome, blame) in [
        (Fault::Error("channel_not_found"), "refused", Blame::Channel),
        (Fault::Error("invalid_blocks"), "refused", Blame::Message),
        (Fault::Error("invalid_auth"), "auth", Blame::Token),
        (Fault::Error("fatal_error"), "unavailable", Blame::Slack),
        (Fault::Error("ratelimited"), "rate_limited", Blame::Pace),
        (Fault::RateLimited(7), "rate_limited", Blame::Pace),
        (Fault::Http(500), "unavailable", Blame::Slack),
        (Fault::Http(404), "unavailable", Blame::Slack),
        (Fault::CutAfterAccept, "unavailable", Blame::Slack),
    ] {
        let slack = sandbox();
        let (api, metrics) = api(&slack);
        slack.fail_next("chat.postMessage", fault);
        let error = api.post_message(&message()).await.unwrap_err();
        assert_eq!((error.outcome(), error.blame()), (outcome, blame), "{fault:?} {error:?}");
        assert!(counted(&metrics, "chat.postMessage", outcome), "{fault:?}");
        if fault == Fault::RateLimited(7) {
            assert!(
                matches!(error, SlackApiError::RateLimited { retry_after } if retry_after.as_secs() == 7)
            );
        }
    }
}

#[tokio::test]
async fn refused_connection_is_transient() {
    let slack = sandbox();
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mut config = slack_config(&slack);
    config.api_url = format!("http://{free}/api/");
    let api = SlackApi::new(&config, Metrics::new()).unwrap();
    let error = api.post_message(&message()).await.unwrap_err();
    assert!(matches!(error, SlackApiError::Unavailable(Outage::Network(_))), "{error:?}");
}

#[tokio::test]
async fn users_info_times_out_after_a_second() {
    let slack = sandbox();
    let (api, metrics) = api(&slack);
    let ana = api.users_info("U01").await.unwrap();
    assert_eq!((ana.id.as_str(), ana.real_name.as_str()), ("U01", "Ana Lopez"));
    assert_eq!(ana.email.as_deref(), Some("ana@example.org"));
    assert!(!ana.is_bot && !ana.deleted);
    let nobody = api.users_info("U99").await.unwrap_err();
    assert!(matches!(nobody, SlackApiError::Refused { code } if code == "user_not_found"));

    slack.fail_next("users.info", Fault::Silence);
    let began = std::time::Instant::now();
    assert!(matches!(api.users_info("U01").await, Err(SlackApiError::TimedOut)));
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert!(counted(&metrics, "users.info", "timed_out"));
}

#[tokio::test]
async fn without_a_token_nothing_is_sent() {
    let slack = sandbox();
    let mut config = slack_config(&slack);
    (config.bot_token, config.app_token) = (None, None);
    let api = SlackApi::new(&config, Metrics::new()).unwrap();
    assert!(matches!(api.auth_test().await, Err(SlackApiError::Auth { code }) if code == "not_authed"));
    assert!(matches!(api.open_connection().await, Err(SlackApiError::Auth { .. })));
    assert!(matches!(api.post_message(&message()).await, Err(SlackApiError::Auth { .. })));
    assert_eq!(slack.all_calls().len(), 0);
}

/// One request over HTTP, to be answered.
async fn asked(listener: &TcpListener) -> (TcpStream, String) {
    let (mut stream, _) = listener.accept().await.unwrap();
    let (mut request, mut part) = (String::new(), [0; 4096]);
    while !request.ends_with('}') {
        let read = stream.read(&mut part).await.unwrap();
        assert!(read > 0, "{request}");
        request.push_str(&String::from_utf8_lossy(&part[..read]));
    }
    (stream, request)
}

/// Answers one request over HTTP and gives back what it was.
async fn one_request(listener: &TcpListener) -> String {
    let (mut stream, request) = asked(listener).await;
    let answer = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\nok";
    stream.write_all(answer.as_bytes()).await.unwrap();
    request.to_ascii_lowercase()
}

#[tokio::test]
async fn response_url_gets_no_token() {
    let slack = sandbox();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut config = slack_config(&slack);
    config.api_url = format!("http://127.0.0.1:{port}/api/");
    let api = SlackApi::new(&config, Metrics::new()).unwrap();

    let url = SecretString::from(format!("http://127.0.0.1:{port}/commands/secret"));
    let body = json!({"text": "Hello"});
    let (request, answer) = tokio::join!(one_request(&listener), api.respond(&url, &body));
    answer.unwrap();
    assert!(request.starts_with("post /commands/secret ") && request.contains(r#"{"text":"hello"}"#));
    assert!(!request.contains("authorization") && !request.contains("xox"), "{request}");

    let posted = message();
    let (request, _) = tokio::join!(one_request(&listener), api.post_message(&posted));
    assert!(request.contains("authorization: bearer xoxb-"), "{request}");

    for elsewhere in [
        format!("http://localhost:{port}/x"),
        "https://example.org/commands".into(),
        "https://slack.com.example.org/x".into(),
        "https://evilslack.com/x".into(),
        "https://slack.com@example.org/x".into(),
        "http://hooks.slack.com/x".into(),
        "file:///etc/passwd".into(),
        String::new(),
    ] {
        let answer = api.respond(&elsewhere.as_str().into(), &body).await;
        assert!(matches!(&answer, Err(SlackApiError::Refused { code }) if code == "not_a_response_url"));
    }
}

#[tokio::test]
async fn endless_answer_is_a_transient_error() {
    let slack = sandbox();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut config = slack_config(&slack);
    config.api_url = format!("http://{}/api/", listener.local_addr().unwrap());
    let api = SlackApi::new(&config, Metrics::new()).unwrap();
    let endless = async {
        let (mut stream, _) = asked(&listener).await;
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut sent = 0_usize;
        while stream.write_all(&[b' '; 64 * 1024]).await.is_ok() {
            sent += 64;
        }
        sent
    };
    let posted = message();
    let (kibibytes, answer) = tokio::join!(endless, api.post_message(&posted));
    assert!(matches!(answer, Err(SlackApiError::Unavailable(_))), "{answer:?}");
    assert!((4 * 1024..16 * 1024).contains(&kibibytes), "{kibibytes}");
}

#[tokio::test]
async fn secrets_are_never_logged_at_any_level() {
    let lines = Lines::from(tracing::Level::TRACE);
    let slack = sandbox();
    let (api, _) = api(&slack);
    let url = api.open_connection().await.unwrap();
    assert!(url.expose_secret().starts_with("ws://"));
    let base = slack.api_url().replace("/api/", "");
    let spent = SecretString::from(format!("{base}/hook-of-somebody"));
    let refused = api.respond(&spent, &json!({"text": "x"})).await;
    let view = json!({"type": "modal"});
    let opened = api.views_open(&"trigger-of-somebody".into(), &view).await;
    api.auth_test().await.unwrap();
    tracing::info!(?url, ?spent, ?refused, ?opened, "and what callers may write");
    assert_eq!(lines.with("and what callers may write").len(), 1);
    assert!(!lines.with("hyper_util").is_empty(), "the libraries' lines are in");
    for secret in ["xoxb-", "xapp-", "ticket", "hook-of-somebody", "trigger-of-somebody"] {
        let shown: Vec<_> =
            lines.with(secret).into_iter().filter(|line| !line.contains("esb_sandbox")).collect();
        assert_eq!(shown, [""; 0]);
    }
}

#[test]
fn machine_without_certificates_still_reaches_plain_http() {
    // The variables that name the certificates belong to the process: so a process of its own.
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "wire_web_api::auth_test_reads_identity_and_scopes"])
        .env("SSL_CERT_FILE", "/nonexistent")
        .env("SSL_CERT_DIR", "/nonexistent")
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && shown.contains("1 passed"), "{shown}");
}

/// Opens a modal and changes it upon a command, and puts another on top when its button is pressed.
struct Modals(SlackApi);

impl Dispatch for Modals {
    fn name(&self, _: &Envelope) -> &'static str {
        "other"
    }

    fn dispatch(&self, received: Received) -> BoxFuture<'static, ()> {
        let api = self.0.clone();
        Box::pin(async move {
            received.ack.empty();
            match received.envelope {
                Envelope::Command(it) => {
                    let first = api.views_open(&it.trigger_id, &modal("First")).await.unwrap();
                    let changed =
                        api.views_update(&first.id, first.hash.as_deref(), &modal("Changed")).await.unwrap();
                    assert_eq!(first.id, changed.id);
                    let stale = api.views_update(&first.id, first.hash.as_deref(), &modal("Stale")).await;
                    let code = "hash_conflict";
                    assert!(matches!(stale, Err(SlackApiError::Refused { code: it }) if it == code));
                    let again = api.views_open(&it.trigger_id, &modal("Again")).await.unwrap_err();
                    assert_eq!(again.code(), "exchanged_trigger_id", "a trigger works once");
                    api.respond(&it.response_url, &json!({"text": "Done"})).await.unwrap();
                }
                Envelope::BlockActions(it) => {
                    api.views_push(&it.trigger_id.unwrap(), &modal("Top")).await.unwrap();
                }
                _ => {}
            }
        })
    }
}

fn modal(title: &str) -> Value {
    json!({"type": "modal", "title": {"type": "plain_text", "text": title}, "blocks": [
        {"type": "actions", "elements": [{"type": "button", "action_id": "more", "value": "1",
            "text": {"type": "plain_text", "text": "More"}}]}]})
}

#[tokio::test]
async fn views_are_opened_updated_and_pushed() {
    let slack = sandbox();
    let (api, metrics) = api(&slack);
    let dispatch = Arc::new(Modals(api.clone()));
    let intake = Intake::new(dispatch, Clock::system(), metrics.clone(), Limits::default());
    let socket = SocketMode::new(api, intake.clone(), metrics.clone(), 1, SocketTimings::default());
    tokio::spawn(socket.run(CancellationToken::new()));
    assert!(slack.wire().wait_for_connections(1, DEADLINE).await);

    assert!(slack.command("ana", "#wood", "/esb-report", "").await.unwrap().is_acknowledged());
    intake.idle().await;
    assert_eq!(slack.top_view("ana").unwrap().title(), "Changed");
    assert_eq!(slack.private_to("ana").len(), 1);
    assert!(slack.press("ana", "more", None).await.unwrap().is_acknowledged());
    intake.idle().await;
    assert_eq!(slack.top_view("ana").unwrap().title(), "Top");
    assert_eq!(slack.views_of("ana").len(), 2);
    assert!(counted(&metrics, "views.push", "ok") && counted(&metrics, "response_url", "ok"));
}
