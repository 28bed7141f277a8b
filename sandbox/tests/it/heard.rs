//! What the app hears of by itself: as far as its scopes go, and where its bot is.

use crate::app::{Caller, Link, workshop};
use esb_sandbox::{Channel, Delivered, Options, Outcome, Sandbox};
use serde_json::{Value, json};

/// Grants one scope more.
fn grant(sandbox: &Sandbox, scope: &str) {
    sandbox.change_world(|world| world.scopes.push(scope.into()));
}

/// Whether Slack would have told it: nobody is connected.
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
async fn what_happens_where_the_bot_is_not_is_not_told() {
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
async fn a_private_channel_is_there_for_those_in_it_and_has_scopes_of_its_own() {
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
async fn a_reply_says_whose_thread_it_is_in_and_in_what_kind_of_channel() {
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
