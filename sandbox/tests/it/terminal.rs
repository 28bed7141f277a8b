//! The terminal: lines in, what Slack would show out.

use std::sync::Arc;

use esb_sandbox::{Settle, Terminal};
use serde_json::{Value, json};

use crate::app::{Caller, Link, plain, run, start_unlimited};

fn order_form() -> Value {
    json!({"type": "modal", "title": plain("Order"), "submit": plain("Send"), "close": plain("Cancel"), "blocks": [
        {"type": "section", "text": {"type": "mrkdwn", "text": "What do you need? :wood:"}},
        {"type": "input", "block_id": "note", "label": plain("Note"), "hint": plain("One line"), "element":
            {"type": "plain_text_input", "action_id": "note", "placeholder": plain("two boards")}},
        {"type": "input", "block_id": "sort", "label": plain("Sort"), "optional": true, "element":
            {"type": "radio_buttons", "action_id": "sort", "options": [
                {"text": plain("Oak"), "value": "o", "description": plain("Lasts")}, {"text": plain("Ash"), "value": "a"}]}},
        {"type": "input", "block_id": "soon", "label": plain("Soon"), "optional": true, "element":
            {"type": "checkboxes", "action_id": "soon", "options": [{"text": plain("Today"), "value": "t"}]}},
    ]})
}

async fn answer(caller: Caller, payload: Value) -> Option<Value> {
    match payload["type"].as_str().or(payload["command"].as_str()) {
        Some("/order") => {
            caller
                .call("views.open", json!({"trigger_id": payload["trigger_id"], "view": order_form()}))
                .await;
            Some(json!({"text": "One moment"}))
        }
        Some("view_submission") => {
            let card = json!({"channel": "wood", "text": "Ordered", "blocks": [
                {"type": "header", "text": plain("Ordered")},
                {"type": "context", "elements": [{"type": "mrkdwn", "text": "by *ana*"}]},
                {"type": "actions", "elements": [
                    {"type": "button", "action_id": "done", "value": "7", "text": plain("Done")}]}]});
            caller.call("chat.postMessage", card).await;
            None
        }
        Some("block_actions") => {
            let thanks = json!({"channel": payload["user"]["id"], "text": "Thank you"});
            caller.call("chat.postMessage", thanks).await;
            None
        }
        _ => None,
    }
}

async fn terminal() -> Terminal {
    let sandbox = start_unlimited();
    let caller = Caller::new(&sandbox);
    let app = caller.clone();
    run(Link::open(&caller).await, move |payload| answer(app.clone(), payload));
    let settle: Settle = Arc::new(|| Box::pin(async {}));
    Terminal::new(sandbox, settle)
}

#[tokio::test]
async fn order_line_by_line() {
    let mut terminal = terminal().await;
    assert_eq!(terminal.place(), "ana in #wood");
    let shown = terminal.line("/order").await;
    let form = "\
Only visible to you
  One moment

=== Order ===
What do you need? :wood:
Note
  note: ____ (two boards)
  (One line)
Sort (optional)
  sort: ( ) Oak  ( ) Ash
  - Oak: Lasts
Soon (optional)
  soon: [ ] Today
[ Send ]  [ Cancel ]";
    assert_eq!(shown, form);
    assert!(terminal.line("submit").await.contains("! Please complete this required field."));
    assert!(terminal.line("set note two metres").await.contains("note: two metres"));
    assert!(terminal.line("set sort ash").await.contains("( ) Oak  (o) Ash"));
    assert!(terminal.line("set soon today").await.contains("[x] Today"));
    assert!(terminal.line("unset soon today").await.contains("[ ] Today"));
    assert_eq!(terminal.line("submit").await, "(sent; the form is closed)\n\nNew in #wood (1)");
    assert_eq!(terminal.line("read #wood").await, "#wood bot\n  # Ordered\n  by *ana*\n  [ Done ] done 7");
    assert_eq!(terminal.line("read").await, "Nothing new.");
    assert_eq!(terminal.line("press done").await, "Direct message\n  Thank you");
    let nothing = "(nothing yet: answers to you, forms and new messages in channels appear here)";
    assert_eq!(terminal.line("reply fine").await, nothing);
}

#[tokio::test]
async fn incomplete_line_shows_usage() {
    let mut terminal = terminal().await;
    assert_eq!(
        terminal.line("two boards").await,
        "There is no \"two\" here; \"help\" lists what there is.\nTo write that in #wood: say two boards"
    );
    terminal.line("/order").await;
    let note = terminal.line("two  boards please").await;
    assert!(note.starts_with("To write that into the form: set note two  boards please\n"), "{note}");
    let sort = terminal.line("sort oak").await;
    assert!(sort.starts_with("To write that into the form: set sort oak\n"), "{sort}");
    for (word, usage) in [("set", "set name text "), ("reply", "say text, reply text "), ("as", "as ana ")] {
        let told = terminal.line(word).await;
        assert!(told.starts_with(&format!("\"{word}\" wants more after it:\n{usage}")), "{told}");
    }
    for yes in ["yes", "ON", "true", "tod", "t"] {
        assert!(terminal.line(&format!("set soon {yes}")).await.contains("[x] Today"), "{yes}");
        assert!(terminal.line("unset soon").await.contains("[ ] Today"), "{yes}");
    }
    assert!(terminal.line("set soon maybe").await.contains("does not offer maybe; it offers: Today"));
    assert!(terminal.line("set sort as").await.contains("(o) Ash"));
    assert_eq!(terminal.line("close").await, "(the form is closed)");
}

#[tokio::test]
async fn people_places_and_what_is_not_there() {
    let mut terminal = terminal().await;
    assert_eq!(terminal.line("as bo").await, "You are Bo Larsen now.");
    assert_eq!(terminal.line("in #private").await, "You are in #private now.");
    assert_eq!(terminal.place(), "bo in #private");
    assert!(terminal.line("as eve").await.starts_with("Nobody is called eve"));
    assert!(terminal.line("who").await.contains("#wood"));
    assert_eq!(terminal.line("look").await, "No form is open.");
    assert_eq!(terminal.line("reply hello").await, "Read a message first.");
    assert_eq!(terminal.line("submit").await, "That does not work: bo has no view open.");
    assert_eq!(terminal.line("press done").await, "That does not work: no message has done.");
    assert!(terminal.line("dance").await.contains("\"help\" lists what there is"));
    assert!(terminal.line("help").await.contains("read #channel"));
    assert_eq!(terminal.line("home").await, "The Home tab is empty.");
    assert_eq!(terminal.line("").await, "");
}
