//! Form errors are shown on inputs that are visible in the view.

use crate::support::app::{ANA, TestApp};
use crate::support::slack::{errors, errors_of, put};
use esb_sandbox::Fault;
use serde_json::json;
use std::collections::BTreeMap;

fn on(input: &str, words: &str) -> BTreeMap<String, String> {
    BTreeMap::from([(input.to_owned(), words.to_owned())])
}

#[tokio::test]
async fn errors_on_hidden_inputs_go_to_their_chooser() {
    let app = TestApp::workshop().await;
    app.command(ANA, "/esb-repair", "1").await;
    for (action, words) in [
        ("resolve_with_note", "Please write a note about what was done."),
        ("set_eta", "Please pick a date."),
        ("set_status", "Please choose a status."),
    ] {
        // The form is sent before the input that it needs is there.
        app.slack.fail_next("views.update", Fault::Http(503));
        app.choose("action", action).await;
        app.slack.private_to(ANA);
        assert_eq!(errors(app.submit().await), on("action", words));
        let mut with_state = app.submission();
        for input in ["note", "eta", "status"] {
            put(&mut with_state, input, json!({ "type": "plain_text_input", "value": null }));
        }
        assert_eq!(errors_of(&app.send(with_state).await), on("action", words), "whatever the state has");
    }
    app.choose("action", "claim").await;
    app.choose("action", "set_status").await;
    app.slack.fail_next("views.update", Fault::Http(503));
    app.choose("status", "Closed - Duplicate").await;
    app.slack.private_to(ANA);
    assert_eq!(errors(app.submit().await), on("status", "Please choose the original repair."));
    assert!(app.timeline().await.is_empty());
    app.finish().await;
}

#[tokio::test]
async fn several_errors_on_one_input_are_joined() {
    let app = TestApp::workshop().await;
    app.command(ANA, "/esb-report", "table saw").await;
    let mut sent = app.submission();
    let blocks = sent["view"]["blocks"].as_array_mut().unwrap();
    blocks.retain(|block| block["type"] != "input" || block["block_id"] == "equipment");
    sent["view"]["state"]["values"] = json!({});
    let refused = errors_of(&app.send(sent).await);
    assert_eq!(refused.keys().collect::<Vec<_>>(), ["equipment"]);
    for words in
        ["Please choose a machine from the list.", "Please fill this in.", "Please choose one of these."]
    {
        assert!(refused["equipment"].contains(words), "{refused:?}");
    }
    app.slack.close(ANA).await.unwrap();
    app.finish().await;
}
