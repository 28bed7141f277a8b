//! Refused reports: errors are shown on their field, and nothing is saved.

use crate::support::app::{ANA, TestApp, only};
use crate::support::lines::Lines;
use crate::support::slack::{errors, errors_of, put, put_option, put_text};
use esb_sandbox::Submitted;
use serde_json::json;
use tracing::Level;

/// Ana's form for the table saw, filled in.
async fn filled() -> TestApp {
    let (app, _) = TestApp::with_saw().await;
    app.command(ANA, "/esb-report", "table saw").await;
    app.fill("description", "Belt slips").await;
    app
}

#[tokio::test]
async fn invisible_text_is_refused_on_its_field() {
    let app = filled().await;
    for invisible in [" \n\t", "\u{200b}\u{2060}", "\u{feff}", "\u{3164}"] {
        app.fill("description", invisible).await;
        let refused = errors(app.submit().await);
        assert_eq!(refused.len(), 1);
        assert_eq!(refused["description"], "Please fill this in.", "{invisible:?}");
        assert_eq!(app.view().value("description").as_deref(), Some(invisible));
    }
    app.fill("reporter_name", "\u{200b}").await;
    let refused = errors(app.submit().await);
    assert_eq!(refused.keys().collect::<Vec<_>>(), ["description", "reporter_name"], "all at once");

    app.fill("reporter_name", "Ana").await;
    app.fill("description", "Belt slips").await;
    assert_eq!(app.submit().await, Submitted::Cleared, "the same form may come again");
    assert_eq!(app.repairs().await, 1);
    app.read_all();
    app.finish().await;
}

#[tokio::test]
async fn unstorable_text_is_refused_on_its_field() {
    let app = filled().await;
    for (input, most) in [("description", 3000), ("reporter_name", 200)] {
        for (text, words) in [
            ("a\u{0}b".to_owned(), "(U+0000)"),
            ("x".repeat(100_000), &*format!("Please keep this to {most} characters; it has 100000.")),
            ("🔥".repeat(most + 1), &*format!("Please keep this to {most} characters")),
        ] {
            let mut submission = app.submission();
            put_text(&mut submission, input, &text);
            let refused = errors_of(&app.send(submission).await);
            assert_eq!(refused.keys().collect::<Vec<_>>(), [input]);
            assert!(refused[input].contains(words), "{}", refused[input]);
        }
    }
    assert_eq!(app.repairs().await, 0);
    app.finish().await;
}

#[tokio::test]
async fn longest_text_is_saved_whole() {
    let app = filled().await;
    let longest = "🔥".repeat(3000);
    app.fill("description", &longest).await;
    assert_eq!(app.submit().await, Submitted::Cleared);
    assert_eq!(app.repair(1).await.description, longest);
    let card = only(app.slack.posted_in("#woodshop"));
    assert!(card.shown().contains(&format!(">{}…", "🔥".repeat(299))), "{}", card.shown());
    app.read_all();
    app.finish().await;
}

#[tokio::test]
async fn archived_equipment_is_refused_on_its_field() {
    let (app, saw) = TestApp::with_saw().await;
    app.command(ANA, "/esb-report", "table saw").await;
    app.fill("description", "Belt slips").await;
    app.archive(saw).await;
    let refused = errors(app.submit().await);
    assert_eq!(refused["equipment"], "Table saw is archived: it is no longer in use here.");
    assert_eq!(app.view().value("description").as_deref(), Some("Belt slips"));
    for (value, words) in [
        ("999", "not known"),
        ("0", "choose"),
        ("-1", "choose"),
        ("x", "choose"),
        ("99999999999999999999", "choose"),
    ] {
        let mut submission = app.submission();
        put_option(&mut submission, "equipment", value);
        let refused = errors_of(&app.send(submission).await);
        assert_eq!(refused.len(), 1, "{refused:?}");
        assert!(refused["equipment"].contains(words), "{value}: {refused:?}");
    }
    assert_eq!(app.repairs().await, 0);
    app.finish().await;
}

#[tokio::test]
async fn malformed_inputs_are_refused_on_their_field() {
    let app = filled().await;
    let mut empty = app.submission();
    empty["view"]["state"]["values"] = json!({});
    let refused = errors_of(&app.send(empty).await);
    assert_eq!(refused.keys().collect::<Vec<_>>(), ["description", "equipment", "reporter_name", "severity"]);

    let mut nothing = app.submission();
    nothing["view"]["state"] = json!(null);
    assert_eq!(errors_of(&app.send(nothing).await).len(), 4);

    for made_up in ["Catastrophic", "down", "", "Down\u{0}"] {
        let mut submission = app.submission();
        put_option(&mut submission, "severity", made_up);
        let refused = errors_of(&app.send(submission).await);
        assert_eq!(refused.keys().collect::<Vec<_>>(), ["severity"], "{made_up:?}");
    }
    let mut ticked = app.submission();
    let option = json!({ "text": { "type": "plain_text", "text": "x" }, "value": "something_else" });
    put(&mut ticked, "safety_risk", json!({ "type": "checkboxes", "selected_options": [option] }));
    assert_eq!(app.send(ticked).await.payload.unwrap()["response_action"], "clear");
    assert!(!app.repair(1).await.safety_risk);
    app.read_all();
    app.finish().await;
}

#[tokio::test]
async fn tampered_form_gets_an_answer() {
    let app = filled().await;
    let lines = Lines::from(Level::INFO);
    for metadata in ["", "{}", "\u{0}", "{\"request_id\": \"../..\"}", "[[[["] {
        let mut submission = app.submission();
        submission["view"]["private_metadata"] = json!(metadata);
        let refused = errors_of(&app.send(submission).await);
        assert!(refused["equipment"].contains("start again with /esb-report"), "{refused:?}");
        lines.only_slack_line();
    }
    let mut malformed = app.submission();
    malformed["view"]["state"]["values"]["description"] = json!({ "description": { "value": 7 } });
    let refused = errors_of(&app.send(malformed).await);
    assert!(refused["equipment"].starts_with("Something went wrong (ref "), "{refused:?}");
    assert!(lines.only_slack_line().contains("a field of a wrong type"));
    assert_eq!(app.repairs().await, 0);
    app.finish().await;
}

#[tokio::test]
async fn typed_text_notifies_nobody() {
    let (app, _) = TestApp::with_saw().await;
    app.command(ANA, "/esb-report", "table saw").await;
    let hostile = "<!channel> <@U0BO> <#C0OOPS> & {{x}} \"quoted\" \\n ```*_~";
    app.fill("reporter_name", "<!here> *Ana*").await;
    app.fill("description", hostile).await;
    assert_eq!(app.submit().await, Submitted::Cleared);
    assert_eq!(app.repair(1).await.description, hostile);
    for channel in ["#woodshop", "#oops"] {
        let card = only(app.slack.posted_in(channel));
        let everything = format!("{} {}", card.text, card.shown());
        for live in ["<!", "<@", "<#"] {
            assert!(!everything.contains(live), "{live}: {everything}");
        }
        assert!(
            card.text.contains("&lt;!channel&gt; &lt;@U0BO&gt; &lt;#C0OOPS&gt; &amp; {{x}}"),
            "{}",
            card.text
        );
    }
    app.private(ANA);
    for command in ["/esb-status", "/esb-report"] {
        for text in ["table saw", "wood shop", "<!channel>", ""] {
            app.command(ANA, command, text).await;
            assert!(!app.view().shown().contains("<!"), "{command} {text}: {}", app.view().shown());
        }
    }
    app.finish().await;
}

#[tokio::test]
async fn report_form_survives_database_outage() {
    let app = filled().await;
    for table in ["slack_people", "repairs", "deliveries", "requests"] {
        app.sql(&format!("ALTER TABLE {table} RENAME TO away")).await;
        let lines = Lines::from(Level::INFO);
        let submitted = app.slack.submit(ANA).await.unwrap();
        let refused = errors(submitted);
        assert_eq!(refused.keys().collect::<Vec<_>>(), ["equipment"], "the first input");
        let words = &refused["equipment"];
        let reference = words.split_once("(ref ").and_then(|(_, rest)| rest.split_once(')')).unwrap().0;
        let line = lines.only_slack_line();
        let says_why =
            ["no such table", "doesn't exist", "does not exist"].iter().any(|why| line.contains(why));
        assert!(line.contains(reference) && line.contains("ERROR") && says_why, "{line}");
        app.sql(&format!("ALTER TABLE away RENAME TO {table}")).await;
        assert_eq!(app.view().value("description").as_deref(), Some("Belt slips"));
    }
    assert_eq!(app.repairs().await, 0);
    assert_eq!(app.submit().await, Submitted::Cleared);
    assert_eq!(app.repairs().await, 1);
    app.read_all();
    app.finish().await;
}

#[tokio::test]
async fn closed_database_is_answered_at_once() {
    let (app, _) = TestApp::with_saw().await;
    app.command(ANA, "/esb-report", "table saw").await;
    app.fill("description", "Belt slips").await;
    app.app.ctx.store.write().clone().close().await.unwrap();
    let refused = errors(app.slack.submit(ANA).await.unwrap());
    assert!(refused["equipment"].starts_with("The database does not answer."), "{refused:?}");
    assert!(refused["equipment"].contains("(ref "), "{refused:?}");
    assert_eq!(app.view().value("description").as_deref(), Some("Belt slips"));
    app.app.ctx.store.read().clone().close().await.unwrap();
    for command in ["/esb-report", "/esb-status"] {
        app.slack.command(ANA, "#woodshop", command, "").await.unwrap();
        app.app.intake.idle().await;
        assert!(app.private(ANA).starts_with(":x: The database does not answer."), "{command}");
    }
    assert_eq!(app.slack.complaints(), Vec::<String>::new());
}
