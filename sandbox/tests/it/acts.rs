//! Acting in views: stacks, triggers, answers that Slack takes and answers that it does not.

use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use esb_sandbox::{Cannot, Outcome, Sandbox, Submitted};
use serde_json::{Value, json};

use crate::app::{Caller, Hands, Link, form, plain, run, start_with_clock};

/// An app that opens a form, pushes another by its button, answers submissions as the test says, and keeps
/// what it was sent.
struct Shop {
    sandbox: Sandbox,
    hands: Hands,
    caller: Caller,
    answer: Arc<Mutex<Option<Value>>>,
    seen: Arc<Mutex<Vec<Value>>>,
}

impl Shop {
    async fn open() -> Self {
        let (sandbox, hands) = start_with_clock();
        let caller = Caller::new(&sandbox);
        let (answer, seen) = (Arc::new(Mutex::new(None::<Value>)), Arc::new(Mutex::new(Vec::new())));
        let app = (caller.clone(), Arc::clone(&answer), Arc::clone(&seen));
        run(Link::open(&caller).await, move |payload| {
            let (caller, answer, seen) = app.clone();
            async move {
                seen.lock().unwrap().push(payload.clone());
                if payload["command"] == "/form" {
                    let view = json!({"trigger_id": payload["trigger_id"], "view": form("First")});
                    caller.call("views.open", view).await;
                } else if payload["actions"][0]["action_id"] == "deeper" {
                    let view = json!({"trigger_id": payload["trigger_id"], "view": form("Next")});
                    caller.call("views.push", view).await;
                }
                let replies =
                    ["view_submission", "block_suggestion"].map(|t| payload["type"] == t).contains(&true);
                if replies { answer.lock().unwrap().clone() } else { None }
            }
        });
        sandbox.command("ana", "wood", "/form", "").await.unwrap();
        Self { sandbox, hands, caller, answer, seen }
    }

    async fn submit(&self, answer: Value) -> Submitted {
        *self.answer.lock().unwrap() = Some(answer);
        self.sandbox.submit("ana").await.unwrap()
    }

    fn titles(&self) -> Vec<String> {
        self.sandbox.views_of("ana").iter().map(|v| v.title().to_owned()).collect()
    }

    fn last_seen(&self) -> Value {
        self.seen.lock().unwrap().last().unwrap().clone()
    }
}

#[tokio::test]
async fn three_forms_and_back() {
    let shop = Shop::open().await;
    for _ in 0..3 {
        shop.sandbox.press("ana", "deeper", None).await.unwrap();
    }
    assert_eq!(shop.titles(), ["First", "Next", "Next"]);
    assert_eq!(shop.sandbox.calls("views.push")[2].error(), Some("push_limit_reached"));
    let pressed = shop.last_seen();
    assert_eq!(pressed["container"]["view_id"], pressed["view"]["id"]);
    assert_eq!(pressed["view"]["state"]["values"]["note"]["note"]["value"], Value::Null);

    assert_eq!(
        shop.submit(json!({"response_action": "push", "view": form("Last")})).await,
        Submitted::Refused
    );
    assert!(shop.sandbox.complaints()[0].contains("push_limit_reached"));
    assert_eq!(shop.submit(json!({})).await, Submitted::Closed);
    assert!(shop.sandbox.close("ana").await.unwrap().is_acknowledged(), "it asked to be notified");
    assert_eq!(
        (&shop.last_seen()["type"], &shop.last_seen()["is_cleared"]),
        (&json!("view_closed"), &json!(false))
    );
    assert_eq!(shop.titles(), ["First"]);
    assert_eq!(
        shop.submit(json!({"response_action": "push", "view": form("Pushed")})).await,
        Submitted::Pushed
    );
    assert_eq!(
        shop.submit(json!({"response_action": "update", "view": form("Updated")})).await,
        Submitted::Updated
    );
    assert_eq!(shop.titles(), ["First", "Updated"]);
    assert_eq!(shop.submit(json!({"response_action": "clear"})).await, Submitted::Cleared);
    assert!(shop.titles().is_empty());
    assert_eq!(shop.sandbox.submit("ana").await, Err(Cannot::NoView("ana".into())));
}

#[tokio::test]
async fn answers_that_slack_does_not_take() {
    let shop = Shop::open().await;
    let mut too_long = form("T");
    too_long["title"] = plain(&"t".repeat(25));
    let bad = [
        (
            json!({"response_action": "errors", "errors": {"nothing": "x"}}),
            "no input block has the id nothing",
        ),
        (json!({"response_action": "errors", "errors": {"more": "x"}}), "no input block has the id more"),
        (json!({"response_action": "errors", "errors": {}}), "errors is not an object with keys"),
        (json!({"response_action": "errors", "errors": {"note": ""}}), "the text for note is empty"),
        (json!({"response_action": "update", "view": too_long}), "json-pointer:/view/title/text"),
        (json!({"response_action": "dance"}), "unknown response_action"),
        (json!({"text": "x"}), "no response_action"),
    ];
    for (answer, complaint) in bad {
        shop.sandbox.forgive();
        assert_eq!(shop.submit(answer).await, Submitted::Refused);
        let complaints = shop.sandbox.complaints();
        assert!(complaints.len() == 1 && complaints[0].contains(complaint), "{complaint}: {complaints:?}");
    }
    assert_eq!(shop.titles(), ["First"], "the form stays");
}

#[tokio::test]
async fn trigger_is_late_or_used() {
    let shop = Shop::open().await;
    let trigger = shop.last_seen()["trigger_id"].clone();
    let open = async |trigger: &Value| {
        shop.caller.call("views.open", json!({"trigger_id": trigger, "view": form("T")})).await["error"]
            .clone()
    };
    assert_eq!(open(&trigger).await, "exchanged_trigger_id");
    shop.sandbox.command("ana", "wood", "/other", "").await.unwrap();
    let trigger = shop.last_seen()["trigger_id"].clone();
    shop.hands.pass(TimeDelta::milliseconds(3001));
    assert_eq!(open(&trigger).await, "expired_trigger_id");
    assert_eq!(open(&json!("1.2.3")).await, "invalid_trigger_id");
    assert_eq!(shop.sandbox.unexpected().len(), 3);
}

#[tokio::test]
async fn response_url_is_late_or_used() {
    let shop = Shop::open().await;
    let url = shop.last_seen()["response_url"].as_str().unwrap().to_owned();
    let post = async |args: Value| shop.caller.post(&url, None, args).await.unwrap();
    assert_eq!(post(json!({"text": "all", "response_type": "in_channel"})).await.status, 200);
    assert_eq!(shop.sandbox.posted_in("wood")[0].text, "all");
    assert_eq!(post(json!({"text": ""})).await.json["error"], "no_text");
    shop.hands.pass(TimeDelta::minutes(31));
    let late = post(json!({"text": "late"})).await;
    assert_eq!((late.status, &late.json["error"]), (404, &json!("expired_url")));
}

#[tokio::test]
async fn update_by_hash() {
    let shop = Shop::open().await;
    let view = shop.sandbox.top_view("ana").unwrap();
    shop.sandbox.fill("ana", "note", "typed").await.unwrap();
    let update = async |hash: &str| {
        let args = json!({"view_id": view.id(), "hash": hash, "view": form("Changed")});
        shop.caller.call("views.update", args).await
    };
    assert_eq!(update(view.hash()).await["view"]["title"]["text"], "Changed");
    assert_eq!(update(view.hash()).await["error"], "hash_conflict");
    let now = shop.sandbox.top_view("ana").unwrap();
    assert_eq!((now.title(), now.value("note").as_deref()), ("Changed", Some("typed")));
    shop.sandbox.close("ana").await.unwrap();
    assert_eq!(update(now.hash()).await["error"], "not_found");
}

#[tokio::test]
async fn what_a_person_cannot_do() {
    let shop = Shop::open().await;
    let sandbox = &shop.sandbox;
    assert_eq!(sandbox.command("eve", "wood", "/x", "").await.unwrap_err(), Cannot::NoPerson("eve".into()));
    assert_eq!(sandbox.command("ana", "sky", "/x", "").await.unwrap_err(), Cannot::NoChannel("sky".into()));
    assert_eq!(sandbox.fill("bo", "note", "x").await.unwrap_err(), Cannot::NoView("bo".into()));
    let missing = sandbox.fill("ana", "colour", "red").await.unwrap_err().to_string();
    assert_eq!(missing, "there is no colour here; there is: note, deeper");
    assert!(matches!(sandbox.press("ana", "note", None).await.unwrap_err(), Cannot::WrongKind { .. }));
    assert!(matches!(sandbox.choose("ana", "note", "x").await.unwrap_err(), Cannot::WrongKind { .. }));
    let no_message = sandbox.press_message("ana", "wood", "done", None).await.unwrap_err();
    assert_eq!(no_message, Cannot::NoMessage("done".into()));
}

#[tokio::test]
async fn every_kind_of_element_is_filled_or_chosen() {
    let shop = Shop::open().await;
    let offered = json!([{"text": plain("Oak"), "value": "o"}, {"text": plain("Ash"), "value": "a"}]);
    let input = |name: &str, mut element: Value| {
        element["action_id"] = json!(name);
        json!({"type": "input", "block_id": name, "optional": true, "label": plain(name), "element": element})
    };
    let view = json!({"type": "modal", "title": plain("All"), "submit": plain("Send"), "blocks": [
        input("radio", json!({"type": "radio_buttons", "options": offered, "initial_option": offered[0]})),
        input("boxes", json!({"type": "checkboxes", "options": offered})),
        input("date", json!({"type": "datepicker"})),
        input("user", json!({"type": "users_select"})),
        input("channel", json!({"type": "channels_select"})),
        input("far", json!({"type": "external_select"})),
    ]});
    let id = shop.sandbox.top_view("ana").unwrap().id().to_owned();
    assert_eq!(shop.caller.call("views.update", json!({"view_id": id, "view": view})).await["ok"], true);
    let sandbox = &shop.sandbox;
    assert!(matches!(sandbox.choose("ana", "radio", "ash").await.unwrap(), Outcome::Kept));
    for tick in ["o", "Ash"] {
        sandbox.check("ana", "boxes", tick).await.unwrap();
    }
    sandbox.uncheck("ana", "boxes", "o").await.unwrap();
    sandbox.choose("ana", "date", "2026-01-31").await.unwrap();
    assert!(sandbox.choose("ana", "date", "tomorrow").await.is_err());
    sandbox.choose("ana", "user", "bo").await.unwrap();
    sandbox.choose("ana", "channel", "#wood").await.unwrap();

    assert!(
        matches!(sandbox.suggest("ana", "far", "oa").await.unwrap_err(), Cannot::WrongKind { .. }),
        "too short"
    );
    assert_eq!(sandbox.suggest("ana", "far", "oak").await.unwrap_err(), Cannot::NoSuggestions);
    let groups = json!({"option_groups": [{"label": plain("Hard"), "options": offered}]});
    *shop.answer.lock().unwrap() = Some(groups);
    let choices = sandbox.suggest("ana", "far", "oak").await.unwrap();
    assert_eq!((choices[1].label.as_str(), choices[1].group.as_deref()), ("Ash", Some("Hard")));
    assert_eq!(shop.last_seen()["value"], "oak");
    sandbox.choose("ana", "far", "a").await.unwrap();

    *shop.answer.lock().unwrap() = None;
    assert_eq!(sandbox.submit("ana").await.unwrap(), Submitted::Closed);
    let values = shop.last_seen()["view"]["state"]["values"].clone();
    assert_eq!(values["radio"]["radio"]["selected_option"]["value"], "a");
    assert_eq!(values["boxes"]["boxes"]["selected_options"][0]["value"], "a");
    assert_eq!(values["date"]["date"]["selected_date"], "2026-01-31");
    assert_eq!(values["user"]["user"]["selected_user"], "U02");
    assert_eq!(values["channel"]["channel"]["selected_channel"], "C01");
    assert_eq!(values["far"]["far"]["selected_option"]["text"]["text"], "Ash");
}

#[tokio::test]
async fn what_is_typed_after_a_command_comes_escaped() {
    let shop = Shop::open().await;
    shop.sandbox.command("ana", "wood", "/find", " R&D <saw> \"1\" ").await.unwrap();
    assert_eq!(shop.last_seen()["text"], "R&amp;D &lt;saw&gt; \"1\"");
}
