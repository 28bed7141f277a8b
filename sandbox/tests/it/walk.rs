//! One way through everything: a command, a modal, a search, errors, a message, a button.

use std::sync::Arc;

use esb_sandbox::{Outcome, Submitted};
use serde_json::{Value, json};

use crate::app::{Caller, Link, run, start};

fn plain(text: &str) -> Value {
    json!({"type": "plain_text", "text": text})
}

fn modal() -> Value {
    json!({
        "type": "modal",
        "callback_id": "order",
        "private_metadata": "kept",
        "title": plain("Order"),
        "submit": plain("Send"),
        "blocks": [
            {"type": "input", "block_id": "what", "label": plain("What"), "element":
                {"type": "external_select", "action_id": "what", "min_query_length": 0}},
            {"type": "input", "block_id": "note", "label": plain("Note"), "element":
                {"type": "plain_text_input", "action_id": "note", "multiline": true}},
            {"type": "input", "block_id": "size", "dispatch_action": true, "label": plain("Size"), "element":
                {"type": "static_select", "action_id": "size", "options": [
                    {"text": plain("Small"), "value": "s"}, {"text": plain("Large"), "value": "l"}]}},
        ],
    })
}

async fn answer(caller: Caller, payload: Value) -> Option<Value> {
    if payload["command"] == "/order" {
        let opened =
            caller.call("views.open", json!({"trigger_id": payload["trigger_id"], "view": modal()})).await;
        assert_eq!(opened["ok"], true, "{opened}");
        return None;
    }
    match payload["type"].as_str().unwrap() {
        "block_suggestion" => Some(json!({"options": [
            {"text": plain("Oak board"), "value": "7"}, {"text": plain("Pine board"), "value": "8"}]})),
        "view_submission" => {
            let values = &payload["view"]["state"]["values"];
            assert_eq!(values["what"]["what"]["selected_option"]["value"], "7");
            if values["note"]["note"]["value"] == "bad" {
                return Some(json!({"response_action": "errors", "errors": {"note": "Say more"}}));
            }
            let posted = json!({"channel": "#wood", "text": "Ordered", "blocks": [
                {"type": "section", "text": {"type": "mrkdwn", "text": "*Ordered*"}},
                {"type": "actions", "elements": [
                    {"type": "button", "action_id": "done", "value": "7", "text": plain("Done")}]}]});
            assert_eq!(caller.call("chat.postMessage", posted).await["ok"], true);
            Some(json!({"response_action": "clear"}))
        }
        "block_actions" if payload["container"]["type"] == "message" => {
            let url = payload["response_url"].as_str().unwrap();
            let text = json!({"text": "Well done"});
            assert_eq!(caller.post(url, None, text).await.unwrap().status, 200);
            None
        }
        _ => None,
    }
}

#[tokio::test]
async fn order_from_command_to_button() {
    let sandbox = start();
    let caller = Caller::new(&sandbox);
    let app = Arc::new(caller.clone());
    run(Link::open(&caller).await, move |payload| answer((*app).clone(), payload));

    assert!(sandbox.command("ana", "#wood", "/order", "").await.unwrap().is_acknowledged());
    let view = sandbox.top_view("ana").unwrap();
    assert_eq!((view.title(), view.callback_id(), view.private_metadata()), ("Order", "order", "kept"));

    let Submitted::Errors(missing) = sandbox.submit("ana").await.unwrap() else { panic!("inputs are empty") };
    assert_eq!(missing.keys().collect::<Vec<_>>(), ["note", "size", "what"]);

    sandbox.choose("ana", "what", "oak board").await.unwrap();
    assert!(matches!(sandbox.fill("ana", "note", "bad").await.unwrap(), Outcome::Kept));
    assert!(
        sandbox.choose("ana", "size", "l").await.unwrap().is_acknowledged(),
        "dispatch_action tells the app"
    );
    let Submitted::Errors(errors) = sandbox.submit("ana").await.unwrap() else { panic!("the note is bad") };
    assert_eq!(errors["note"], "Say more");
    let view = sandbox.top_view("ana").unwrap();
    assert_eq!(view.value("note").as_deref(), Some("bad"), "what was typed stays");
    assert!(view.shown().contains("! Say more"), "{}", view.shown());

    sandbox.fill("ana", "note", "two metres").await.unwrap();
    assert_eq!(sandbox.submit("ana").await.unwrap(), Submitted::Cleared);
    assert!(sandbox.top_view("ana").is_none());
    let posted = sandbox.posted_in("#wood");
    assert_eq!(posted[0].shown(), "*Ordered*\n[ Done ] done 7");

    sandbox.press_message("bo", "wood", "done", None).await.unwrap();
    assert_eq!(sandbox.private_to("bo")[0].text, "Well done");
    assert!(sandbox.unread().is_empty());
    assert_eq!(sandbox.unexpected(), Vec::<String>::new());
    assert_eq!(sandbox.complaints(), Vec::<String>::new());
}
