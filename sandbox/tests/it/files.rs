//! Files of the workspace: for a token that may read them.

use bytes::Bytes;
use esb_sandbox::{BOT_TOKEN, Fault, File, Options, Sandbox};
use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};

use crate::app::workshop;

/// Status, media type, the wait that was asked for, and the content; `None` when the connection broke.
async fn get(url: &str, token: Option<&str>) -> Option<(u16, String, String, Bytes)> {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let mut request = Request::get(url);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let reply = client.request(request.body(Empty::<Bytes>::new()).unwrap()).await.ok()?;
    let text = |name: &str| reply.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
    let (status, kind, wait) = (reply.status().as_u16(), text("content-type"), text("retry-after"));
    Some((status, kind, wait, reply.into_body().collect().await.ok()?.to_bytes()))
}

#[tokio::test]
async fn file_needs_token_else_login_page() {
    let world =
        workshop().scopes(&["files:read"]).file(File::new("F01", "a saw.png", "image/png", "a picture"));
    let sandbox = Sandbox::start(world, Options::default()).unwrap();
    let url = sandbox.file_url("F01");
    assert!(url.ends_with("/files/F01/a+saw.png"), "{url}");
    let (status, kind, _, content) = get(&url, Some(BOT_TOKEN)).await.unwrap();
    assert_eq!((status, kind.as_str(), content.as_ref()), (200, "image/png", b"a picture".as_ref()));
    let log_in = async |token| {
        let (status, kind, ..) = get(&url, token).await.unwrap();
        (status, kind.starts_with("text/html"))
    };
    assert_eq!((log_in(None).await, log_in(Some("xoxb-wrong")).await), ((200, true), (200, true)));
    sandbox.change_world(|world| world.scopes.clear());
    assert_eq!(log_in(Some(BOT_TOKEN)).await, (200, true));
    let calls = sandbox.calls("file");
    assert_eq!((calls.len(), calls[0].args["file"].as_str(), calls[0].ok()), (4, Some("F01"), true));
}

#[tokio::test]
async fn files_meet_faults() {
    let world = workshop().scopes(&["files:read"]).file(File::new("F01", "a.png", "image/png", "x"));
    let sandbox = Sandbox::start(world, Options::default()).unwrap();
    let (here, gone) = (sandbox.file_url("F01"), sandbox.file_url("F02"));
    assert_eq!(get(&gone, Some(BOT_TOKEN)).await.unwrap().0, 404);
    for fault in [Fault::Http(503), Fault::RateLimited(7), Fault::CutAfterAccept, Fault::Error("no")] {
        sandbox.fail_next("file", fault);
    }
    assert_eq!(get(&here, Some(BOT_TOKEN)).await.unwrap().0, 503);
    let (status, _, wait, _) = get(&here, Some(BOT_TOKEN)).await.unwrap();
    assert_eq!((status, wait.as_str()), (429, "7"));
    assert!(get(&here, Some(BOT_TOKEN)).await.is_none(), "the connection broke");
    assert!(get(&here, Some(BOT_TOKEN)).await.unwrap().1.starts_with("text/html"));
    assert_eq!(get(&here, Some(BOT_TOKEN)).await.unwrap().3.as_ref(), b"x");
}

#[tokio::test]
async fn file_messages_edits_and_deletions_send_events() {
    let world = workshop()
        .file(File::new("F01", "a.png", "image/png", "x"))
        .file(File::new("F02", "b.png", "image/png", "").external("https://drive.test/b"));
    let sandbox = Sandbox::start(world, Options::default()).unwrap();
    sandbox.say_with("ana", "#wood", "look", None, &["F01", "F02"]).await.unwrap();
    assert!(sandbox.say_with("ana", "#wood", "look", None, &["F03"]).await.is_err());
    let message = sandbox.messages().pop().unwrap();
    let files: Vec<_> = message.files.iter().map(|file| file["url_private"].as_str().unwrap()).collect();
    assert_eq!(files, [sandbox.file_url("F01").as_str(), "https://drive.test/b"]);
    assert_eq!(message.files[1]["is_external"], true);
    sandbox.edit(&message, "look!").await.unwrap();
    assert_eq!(sandbox.messages().pop().unwrap().text, "look!");
    sandbox.take_back(&message).await.unwrap();
    assert!(sandbox.messages().is_empty());
    assert!(sandbox.edit(&message, "too late").await.is_err());
}
