//! Channels shared with another workspace: how Slack names its people, and its files.

use std::sync::{Arc, Mutex};

use esb_sandbox::{File, Options, Person, Sandbox, Submitted};
use serde_json::{Value, json};

use crate::app::{Caller, Link, form, run, workshop};

/// An app that opens a form at a command and at any press, refuses submissions on an input that no form has, and
/// keeps what it was sent.
async fn start() -> (Sandbox, Caller, Arc<Mutex<Vec<Value>>>) {
    let world = workshop()
        .person(Person::new("U2CY", "cy", "Cy Young").of_team("T2"))
        .scopes(&["channels:history", "chat:write", "users:read", "files:read", "reactions:read"])
        .file(File::new("F01", "saw.png", "image/png", "x").hidden());
    let sandbox = Sandbox::start(world, Options::default()).unwrap();
    let (caller, seen) = (Caller::new(&sandbox), Arc::new(Mutex::new(Vec::new())));
    let app = (caller.clone(), Arc::clone(&seen));
    run(Link::open(&caller).await, move |payload| {
        let (caller, seen) = app.clone();
        async move {
            seen.lock().unwrap().push(payload.clone());
            if payload["type"] == "block_actions" {
                let view = json!({"trigger_id": payload["trigger_id"], "view": form("First")});
                caller.call("views.open", view).await;
            }
            (payload["type"] == "view_submission")
                .then(|| json!({"response_action": "errors", "errors": {"hidden": "Say more"}}))
        }
    });
    (sandbox, caller, seen)
}

#[tokio::test]
async fn outside_people_are_named_with_their_workspace() {
    let (sandbox, caller, seen) = start().await;
    let last = || seen.lock().unwrap().last().unwrap().clone();
    let ours = sandbox.world().team_id;
    let button = json!([{"type": "actions", "elements": [
        {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}}]}]);
    caller.call("chat.postMessage", json!({"channel": "C01", "text": "x", "blocks": button})).await;
    let card = sandbox.messages().pop().unwrap();

    sandbox.press_in("cy", &card, "go", None).await.unwrap();
    let pressed = last();
    assert_eq!((&pressed["team"]["id"], &pressed["user"]["team_id"]), (&json!(ours), &json!("T2")));
    sandbox.submit("cy").await.unwrap();
    let sent = last();
    assert_eq!((&sent["team"]["id"], &sent["user"]["team_id"]), (&json!("T2"), &json!("T2")));
    assert_eq!(
        (&sent["view"]["team_id"], &sent["view"]["app_installed_team_id"]),
        (&json!("T2"), &json!(ours))
    );

    sandbox.say("cy", "#wood", "hello", Some(&card.ts)).await.unwrap();
    let said = last();
    assert_eq!((&said["team_id"], &said["context_team_id"]), (&json!("T2"), &json!(ours)));
    assert_eq!(
        (&said["is_ext_shared_channel"], &said["authorizations"][0]["team_id"]),
        (&json!(true), &json!(ours))
    );
    for field in ["team", "user_team", "source_team"] {
        assert_eq!(said["event"][field], "T2", "{field}");
    }
    assert_eq!(caller.call("users.info", json!({"user": "U2CY"})).await["user"]["team_id"], "T2");

    sandbox.say("ana", "#wood", "hello", Some(&card.ts)).await.unwrap();
    let said = last();
    assert_eq!((&said["team_id"], &said["is_ext_shared_channel"]), (&json!(ours), &json!(false)));
    assert_eq!((&said["event"]["team"], said["event"].get("user_team")), (&json!(ours), None));
}

#[tokio::test]
async fn hidden_files_appear_in_files_info() {
    let (sandbox, caller, _) = start().await;
    sandbox.say_with("cy", "#wood", "look", None, &["F01"]).await.unwrap();
    let file = sandbox.messages().pop().unwrap().files.remove(0);
    assert_eq!((file["id"].as_str(), file["file_access"].as_str()), (Some("F01"), Some("check_file_info")));
    assert!(file.get("url_private").is_none() && file.get("name").is_none());
    let info = caller.call("files.info", json!({"file": "F01"})).await;
    assert_eq!(
        (&info["file"]["name"], &info["file"]["url_private"]),
        (&json!("saw.png"), &json!(sandbox.file_url("F01")))
    );
    assert_eq!(caller.call("files.info", json!({"file": "F02"})).await["error"], "file_not_found");
    sandbox.change_world(|world| world.scopes.clear());
    assert_eq!(caller.call("files.info", json!({"file": "F01"})).await["error"], "missing_scope");
}

#[tokio::test]
async fn errors_on_missing_inputs_are_reported() {
    let (sandbox, caller, _) = start().await;
    let button = json!([{"type": "actions", "elements": [
        {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}}]}]);
    caller.call("chat.postMessage", json!({"channel": "C01", "text": "x", "blocks": button})).await;
    let card = sandbox.messages().pop().unwrap();
    sandbox.press_in("ana", &card, "go", None).await.unwrap();
    assert_eq!(sandbox.submit("ana").await.unwrap(), Submitted::Refused);
    let payload = json!({"type": "view_submission", "view": sandbox.top_view("ana").unwrap().json});
    let envelope = json!({"envelope_id": "raw", "type": "interactive", "accepts_response_payload": true, "payload": payload});
    assert!(sandbox.wire().send_envelope(envelope));
    assert!(sandbox.wire().wait_for_ack("raw", crate::app::SOON).await.is_some());
    let complaints = sandbox.complaints();
    assert_eq!(complaints.len(), 2, "also where an envelope was sent by hand: {complaints:?}");
    assert!(complaints.iter().all(|it| it.contains("no input block has the id hidden")), "{complaints:?}");
}
