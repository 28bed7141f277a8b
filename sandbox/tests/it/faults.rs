//! Faults on demand.

use std::time::Duration;

use esb_sandbox::{BOT_TOKEN, Fault};
use serde_json::json;

use crate::app::{Caller, start};

const POST: &str = "chat.postMessage";

#[tokio::test]
async fn fault_is_met_once_and_in_order() {
    let sandbox = start();
    let caller = Caller::new(&sandbox);
    sandbox.fail_next(POST, Fault::RateLimited(7));
    sandbox.fail_next(POST, Fault::Error("fatal_error"));
    sandbox.fail_next(POST, Fault::Http(503));
    let post = async || caller.reply(POST, json!({"channel": "C01", "text": "x"})).await;
    let limited = post().await;
    assert_eq!((limited.status, limited.retry_after), (429, Some(7)));
    assert_eq!(post().await.json["error"], "fatal_error");
    assert_eq!(post().await.status, 503);
    assert!(sandbox.messages().is_empty(), "a fault has no effect");
    assert_eq!(post().await.json["ok"], true);
    assert_eq!(sandbox.calls(POST).len(), 4);
    assert_eq!(sandbox.calls(POST)[1].error(), Some("fatal_error"));

    sandbox.fail_always(POST, Fault::Http(500));
    assert_eq!((post().await.status, post().await.status), (500, 500));
    sandbox.clear_faults();
    assert_eq!(post().await.status, 200);
}

#[tokio::test]
async fn message_is_posted_although_response_is_lost() {
    let sandbox = start();
    let caller = Caller::new(&sandbox);
    sandbox.fail_next(POST, Fault::CutAfterAccept);
    let url = format!("{}{POST}", sandbox.api_url());
    let reply = caller.post(&url, Some(BOT_TOKEN), json!({"channel": "C01", "text": "x"})).await;
    assert!(reply.is_none(), "the connection broke");
    assert_eq!(sandbox.posted_in("wood").len(), 1);
}

#[tokio::test]
async fn silence_and_delay() {
    let sandbox = start();
    let caller = Caller::new(&sandbox);
    sandbox.fail_next(POST, Fault::Silence);
    let url = format!("{}{POST}", sandbox.api_url());
    let silent = tokio::spawn({
        let caller = caller.clone();
        async move { caller.post(&url, Some(BOT_TOKEN), json!({"channel": "C01", "text": "x"})).await }
    });
    let taken = |s: &esb_sandbox::Sandbox| (s.calls(POST).len() == 1).then_some(());
    sandbox.wait_for(crate::app::SOON, taken).await.unwrap();
    assert!(sandbox.messages().is_empty() && !silent.is_finished());

    sandbox.fail_next(POST, Fault::Delay(Duration::from_millis(50)));
    let started = std::time::Instant::now();
    caller.call(POST, json!({"channel": "C01", "text": "x"})).await;
    assert!(started.elapsed() >= Duration::from_millis(50));

    drop(sandbox);
    assert!(silent.await.unwrap().is_none(), "a sandbox that stops answers nobody");
}
