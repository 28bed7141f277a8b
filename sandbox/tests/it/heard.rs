//! Events: which ones the app gets, by its scopes and the channels of its bot.

use crate::app::{Caller, Link, workshop};
use esb_sandbox::{Channel, Delivered, Options, Outcome, Sandbox};
use serde_json::{Value, json};

/// Grants one scope more.
fn grant(sandbox: &Sandbox, scope: &str) {
    sandbox.change_world(|world| world.scopes.push(scope.into()));
}

/// Whether Slack would have sent the event: nobody is connected.
fn is_told(delivered: &Delivered) -> bool {
    matches!(delivered.outcome, Outcome::NoConnection)
}

fn among() -> Sandbox {
    let world = workshop()
        .channel(Channel::new("C04", "staff").private())
        .channel(Channel::new("C05", "board").private().without_bot());
    Sandbox::start(world, Options::default()).unwrap()
}

#[tokio::test]
async fn each_kind_of_event_wants_its_scope() {
    let sandbox = among();
    for (channel, scope) in
        [("#wood", "channels:history"), ("#staff", "groups:history"), ("ana", "im:history")]
    {
        let say = async || sandbox.say("ana", channel, "hello", None).await.unwrap();
        assert!(matches!(say().await.outcome, Outcome::Kept), "{channel}");
        grant(&sandbox, scope);
        assert!(is_told(&say().await), "{channel} with {scope}");
        let said = sandbox.messages().pop().unwrap();
        assert!(is_told(&sandbox.edit(&said, "hi").await.unwrap()));
        assert!(is_told(&sandbox.take_back(&said).await.unwrap()));
    }
    let said = sandbox.messages().remove(0);
    for (scope, kind) in [("reactions:read", "reaction"), ("app_mentions:read", "mention")] {
        let act = async || match kind {
            "reaction" => sandbox.react("bo", &said, "eyes").await.unwrap(),
            _ => sandbox.mention("bo", "#wood", "hello", None).await.unwrap(),
        };
        assert!(!is_told(&act().await), "{kind}");
        grant(&sandbox, scope);
        assert!(is_told(&act().await), "{kind} with {scope}");
    }
    assert!(is_told(&sandbox.user_changed("bo").await.unwrap()));
    sandbox.change_world(|world| world.scopes.clear());
    assert!(!is_told(&sandbox.user_changed("bo").await.unwrap()));
    assert!(is_told(&sandbox.open_home("bo").await.unwrap()), "that wants none");
}

#[tokio::test]
async fn no_events_from_channels_without_bot() {
    let sandbox = among();
    for scope in ["channels:history", "groups:history", "reactions:read"] {
        grant(&sandbox, scope);
    }
    for channel in ["#private", "#board"] {
        assert!(!is_told(&sandbox.say("ana", channel, "hello", None).await.unwrap()), "{channel}");
        let said = sandbox.messages().pop().unwrap();
        assert!(!is_told(&sandbox.react("bo", &said, "eyes").await.unwrap()), "{channel}");
    }
}

#[tokio::test]
async fn private_channel_needs_membership_and_its_scopes() {
    let sandbox = among();
    let caller = Caller::new(&sandbox);
    let call = async |method: &str, channel: &str| {
        let answer = caller.call(method, json!({"channel": channel, "text": "x"})).await;
        answer["error"].as_str().unwrap_or("ok").to_owned()
    };
    assert_eq!(call("chat.postMessage", "C05").await, "channel_not_found");
    assert_eq!(call("chat.postMessage", "C04").await, "ok");
    for (method, scope) in
        [("conversations.history", "groups:history"), ("conversations.info", "groups:read")]
    {
        grant(&sandbox, &scope.replace("groups", "channels"));
        assert_eq!(call(method, "C04").await, "missing_scope", "{method}");
        grant(&sandbox, scope);
        assert_eq!(call(method, "C04").await, "ok", "{method}");
        assert_eq!(call(method, "C05").await, "channel_not_found", "{method}");
    }
    let info = caller.call("conversations.info", json!({"channel": "C04"})).await;
    assert_eq!(
        (&info["channel"]["is_private"], &info["channel"]["is_channel"]),
        (&json!(true), &json!(false))
    );
}

#[tokio::test]
async fn reply_names_thread_author_and_channel_type() {
    let sandbox = among();
    grant(&sandbox, "groups:history");
    let caller = Caller::new(&sandbox);
    let mut link = Link::open(&caller).await;
    let posted = caller.call("chat.postMessage", json!({"channel": "C04", "text": "a card"})).await;
    let ts = posted["ts"].as_str().unwrap();
    let hear = async {
        let envelope = link.next().await.unwrap();
        link.ack(&envelope, None).await;
        envelope["payload"]["event"].clone()
    };
    let (said, heard): (_, Value) = tokio::join!(sandbox.say("ana", "#staff", "seen", Some(ts)), hear);
    assert!(said.unwrap().outcome.is_acknowledged());
    assert_eq!(
        (&heard["channel_type"], &heard["parent_user_id"], &heard["thread_ts"]),
        (&json!("group"), &json!("U0BOT"), &json!(ts))
    );
}
