//! Calls of the Web API: who may call, what is refused, how fast.

use chrono::TimeDelta;
use esb_sandbox::{APP_TOKEN, BOT_TOKEN, Person};
use serde_json::{Value, json};

use crate::app::{Caller, start, start_unlimited, start_with_clock};

#[tokio::test]
async fn token_opens_what_it_is_for() {
    let sandbox = start();
    let caller = Caller::new(&sandbox);
    let check = async |method: &str, token: Option<&str>, error: Value| {
        assert_eq!(caller.with_token(method, token).await["error"], error, "{method}");
    };
    check("auth.test", None, json!("not_authed")).await;
    check("auth.test", Some("xoxb-somebody-else"), json!("invalid_auth")).await;
    check("auth.test", Some(APP_TOKEN), json!("not_allowed_token_type")).await;
    check("apps.connections.open", Some(BOT_TOKEN), json!("not_allowed_token_type")).await;
    check("auth.test", Some(BOT_TOKEN), Value::Null).await;
    check("api.test", None, Value::Null).await;
    check("chat.shout", Some(BOT_TOKEN), json!("unknown_method")).await;
    assert_eq!(sandbox.unexpected(), ["unknown method chat.shout"]);
    assert_eq!(sandbox.calls("auth.test").len(), 4);
}

#[tokio::test]
async fn missing_scope_is_named() {
    let sandbox = start();
    let caller = Caller::new(&sandbox);
    sandbox.change_world(|world| world.scopes = vec!["commands".into(), "users:read".into()]);
    let refused = caller.call("chat.postMessage", json!({"channel": "#wood", "text": "x"})).await;
    assert_eq!((&refused["error"], &refused["needed"]), (&json!("missing_scope"), &json!("chat:write")));
    let ana = caller.call("users.info", json!({"user": "U01"})).await;
    assert!(ana["user"]["profile"].get("email").is_none(), "the address has a scope of its own");
    assert_eq!(ana["user"]["is_bot"], false);
    sandbox.change_world(|world| world.people.push(Person::new("U0APP", "app", "App").bot()));
    let app = caller.call("users.info", json!({"user": "U0APP"})).await;
    assert_eq!(app["user"]["is_bot"], true);
}

#[tokio::test]
async fn where_a_message_may_go() {
    let sandbox = start();
    let caller = Caller::new(&sandbox);
    let post =
        async |channel: &str| caller.call("chat.postMessage", json!({"channel": channel, "text": "x"})).await;
    for channel in ["C01", "#wood", "wood"] {
        assert_eq!(post(channel).await["channel"], "C01");
    }
    assert_eq!(post("U01").await["channel"], "D01");
    assert_eq!(post("C99").await["error"], "channel_not_found");
    assert_eq!(post("private").await["error"], "not_in_channel");
    assert_eq!(post("old").await["error"], "is_archived");
    assert_eq!((sandbox.posted_in("#wood").len(), sandbox.direct_messages("ana").len()), (3, 1));
    assert!(sandbox.posted_in("#wood").is_empty(), "read once");
    assert_eq!(sandbox.messages().len(), 4);
}

#[tokio::test]
async fn what_a_message_must_say() {
    let sandbox = start_unlimited();
    let caller = Caller::new(&sandbox);
    let error = async |mut args: Value| {
        args["channel"] = json!("C01");
        caller.call("chat.postMessage", args).await["error"].clone()
    };
    assert_eq!(error(json!({})).await, "no_text");
    assert_eq!(error(json!({"text": "x".repeat(40_001)})).await, "msg_too_long");
    assert_eq!(error(json!({"blocks": [{"type": "section"}]})).await, "invalid_blocks");
    assert_eq!(error(json!({"blocks": {"type": "section"}})).await, "invalid_blocks_format");
    assert_eq!(error(json!({"text": "x", "metadata": {"event_type": "e"}})).await, "invalid_metadata_format");
    assert_eq!(error(json!({"text": "x".repeat(40_000)})).await, Value::Null);
    assert_eq!(sandbox.complaints().len(), 3, "{:?}", sandbox.complaints());
}

#[tokio::test]
async fn thread_and_a_change() {
    let sandbox = start();
    let caller = Caller::new(&sandbox);
    let first = caller.call("chat.postMessage", json!({"channel": "C01", "text": "first"})).await;
    let reply = json!({"channel": "C01", "text": "reply", "thread_ts": first["ts"], "reply_broadcast": true});
    caller.call("chat.postMessage", reply).await;
    let replies = sandbox.posted_in("wood");
    assert_eq!(replies[1].thread_ts.as_deref(), first["ts"].as_str());
    assert!(replies[1].broadcast);

    let update = async |channel: &str, ts: &Value| {
        caller.call("chat.update", json!({"channel": channel, "ts": ts, "text": "changed"})).await
    };
    assert_eq!(update("C01", &first["ts"]).await["text"], "changed");
    assert_eq!(sandbox.posted_in("wood")[0].text, "changed", "a change is to be read again");
    let long = json!({"channel": "C01", "ts": first["ts"], "text": "ä".repeat(2_001)});
    assert_eq!(
        caller.call("chat.update", long).await["error"],
        "msg_too_long",
        "an edit takes fewer, and bytes"
    );
    assert_eq!(update("C01", &json!("1.2")).await["error"], "message_not_found");
    assert_eq!(update("#wood", &first["ts"]).await["error"], "channel_not_found", "an update wants the id");
    let said = sandbox.say("ana", "wood", "mine", None).await.unwrap();
    assert!(!said.outcome.is_acknowledged());
    let mine = sandbox.messages().pop().unwrap();
    assert_eq!(update("C01", &json!(mine.ts)).await["error"], "cant_update_message");

    let stray = json!({"channel": "C01", "text": "to nobody", "thread_ts": "1.2"});
    caller.call("chat.postMessage", stray).await;
    let stray = sandbox.complaints().pop().unwrap();
    assert!(stray.contains("no message 1.2"), "{stray}");
}

#[tokio::test]
async fn history_needs_channel_id_and_scope() {
    let sandbox = start();
    let caller = Caller::new(&sandbox);
    let read = async |method: &str, args: Value| caller.call(method, args).await;
    let of_wood = json!({"channel": "C01"});
    let refused = read("conversations.history", of_wood.clone()).await;
    assert_eq!(
        (&refused["error"], &refused["needed"]),
        (&json!("missing_scope"), &json!("channels:history"))
    );
    sandbox.change_world(|world| world.scopes.push("channels:history".into()));
    for (channel, error) in
        [("#wood", "channel_not_found"), ("C99", "channel_not_found"), ("C02", "not_in_channel")]
    {
        assert_eq!(read("conversations.history", json!({"channel": channel})).await["error"], error);
    }
    assert_eq!(
        read("conversations.history", json!({"channel": "C01", "limit": 1000})).await["error"],
        "invalid_limit"
    );

    let metadata = json!({"event_type": "order", "event_payload": {"key": "7"}});
    let first =
        caller.call("chat.postMessage", json!({"channel": "C01", "text": "first", "metadata": metadata}));
    let first = first.await["ts"].clone();
    let post = async |text: &str, broadcast: bool| {
        let reply = json!({"channel": "C01", "text": text, "thread_ts": first, "reply_broadcast": broadcast});
        caller.call("chat.postMessage", reply).await["ts"].clone()
    };
    let quiet = post("quiet", false).await;
    post("loud", true).await;
    let texts = |answer: &Value| -> Vec<String> {
        answer["messages"]
            .as_array()
            .unwrap()
            .iter()
            .map(|m| m["text"].as_str().unwrap().to_owned())
            .collect()
    };
    let history = read("conversations.history", of_wood).await;
    assert_eq!(texts(&history), ["loud", "first"], "newest first, and of replies those that were broadcast");
    assert_eq!(history["messages"][1]["metadata"], Value::Null, "only on request");
    let args = json!({"channel": "C01", "include_all_metadata": "true", "limit": "1", "oldest": "0"});
    let page = read("conversations.history", args).await;
    assert_eq!(
        (texts(&page), &page["has_more"]),
        (vec!["first".to_owned()], &json!(true)),
        "closest to oldest"
    );
    assert_eq!(page["messages"][0]["metadata"]["event_payload"]["key"], "7");
    let args = json!({"channel": "C01", "ts": first, "oldest": quiet});
    assert_eq!(texts(&read("conversations.replies", args).await), ["first", "loud"], "the root always");
    assert_eq!(
        read("conversations.replies", json!({"channel": "C01", "ts": "1.2"})).await["error"],
        "thread_not_found"
    );
}

#[tokio::test]
async fn message_that_somebody_deleted_cannot_be_changed() {
    let sandbox = start();
    let caller = Caller::new(&sandbox);
    let ts = caller.call("chat.postMessage", json!({"channel": "C01", "text": "first"})).await["ts"].clone();
    let message = sandbox.posted_in("wood").remove(0);
    sandbox.delete_message(&message).unwrap();
    assert!(sandbox.messages().is_empty());
    let change = json!({"channel": "C01", "ts": ts, "text": "changed"});
    assert_eq!(caller.call("chat.update", change).await["error"], "message_not_found");
    assert!(sandbox.delete_message(&message).is_err());
}

#[tokio::test]
async fn one_person_alone_sees_it() {
    let sandbox = start();
    let caller = Caller::new(&sandbox);
    let whisper = json!({"channel": "C01", "user": "U01", "text": "psst"});
    assert_eq!(caller.call("chat.postEphemeral", whisper).await["ok"], true);
    assert!(sandbox.posted_in("wood").is_empty() && sandbox.private_to("bo").is_empty());
    assert_eq!(sandbox.private_to("ana")[0].text, "psst");
    let to_nobody = json!({"channel": "C01", "user": "U99", "text": "psst"});
    assert_eq!(caller.call("chat.postEphemeral", to_nobody).await["error"], "user_not_in_channel");
}

#[tokio::test]
async fn about_one_message_a_second() {
    let (sandbox, hands) = start_with_clock();
    let caller = Caller::new(&sandbox);
    let post = async |channel: &str| {
        caller.reply("chat.postMessage", json!({"channel": channel, "text": "x"})).await
    };
    for channel in ["#wood", "C01", "wood"] {
        assert_eq!(post(channel).await.status, 200);
    }
    let refused = post("#wood").await;
    assert_eq!(
        (refused.status, refused.retry_after, &refused.json["error"]),
        (429, Some(1), &json!("ratelimited"))
    );
    assert_eq!(post("U01").await.status, 200, "another channel");
    hands.pass(TimeDelta::seconds(1));
    assert_eq!(post("#wood").await.status, 200);
    assert_eq!(sandbox.posted_in("wood").len(), 4);
}

#[tokio::test]
async fn home_tab_is_published() {
    let sandbox = start();
    let caller = Caller::new(&sandbox);
    let publish = async |user: &str, hash: Value| {
        let view = json!({"type": "home", "blocks": [{"type": "header", "text": {"type": "plain_text", "text": "Hi"}}]});
        caller.call("views.publish", json!({"user_id": user, "view": view, "hash": hash})).await
    };
    let hash = publish("U01", Value::Null).await["view"]["hash"].clone();
    assert_eq!(sandbox.home_of("ana").unwrap().shown(), "# Hi");
    assert_eq!(publish("U01", hash.clone()).await["ok"], true);
    assert_eq!(publish("U01", hash).await["error"], "hash_conflict");
    assert_eq!(publish("U99", Value::Null).await["error"], "user_not_found");
}
