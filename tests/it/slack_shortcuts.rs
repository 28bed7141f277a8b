//! Shortcuts: the report form opened from anywhere in Slack or from a message.

use crate::support::app::{ANA, BO, TestApp, only, world};
use crate::support::slack::errors;
use chrono::TimeDelta;
use esb_sandbox::{Fault, Message, Submitted};

const GLOBAL: &str = "report_problem_shortcut";
const FROM_MESSAGE: &str = "report_from_message";
const PERMALINK: &str = "chat.getPermalink";

impl TestApp {
    /// Bo writes something in the channel.
    async fn said(&self, text: &str) -> Message {
        self.slack.say(BO, "#woodshop", text, None).await.unwrap();
        self.slack.messages().into_iter().rfind(|message| message.user == BO).unwrap()
    }

    /// Ana reports it by its menu; everything that follows from it is done.
    async fn report_from(&self, message: &Message) {
        let outcome = self.slack.message_shortcut(ANA, message, FROM_MESSAGE).await.unwrap();
        assert!(outcome.is_acknowledged(), "{outcome:?}");
        self.settle().await;
    }

    async fn shortcut(&self, callback_id: &str) {
        let outcome = self.slack.shortcut(ANA, callback_id).await.unwrap();
        assert!(outcome.is_acknowledged(), "{outcome:?}");
        self.settle().await;
    }

    /// The notes of all repairs.
    async fn written(&self) -> Vec<(String, Option<String>)> {
        let happened = self.timeline().await.into_iter();
        happened.filter(|(kind, ..)| kind == "Note").map(|(_, by, text)| (by, text)).collect()
    }
}

#[tokio::test]
async fn global_shortcut_opens_form() {
    let (app, _) = TestApp::with_saw().await;
    app.shortcut(GLOBAL).await;
    let view = app.view();
    assert_eq!(view.callback_id(), "report_problem");
    assert_eq!((view.value("reporter_name").as_deref(), view.value("equipment")), (Some("Ana Lee"), None));
    app.choose("equipment", "Table saw").await;
    app.fill("description", "Belt slips").await;
    assert_eq!(app.submit().await, Submitted::Cleared);
    let told = only(app.slack.direct_messages(ANA)).text;
    assert!(told.contains("repair #1") && !told.contains("link"), "{told}");
    assert_eq!(app.written().await, []);
    app.settle_and_finish().await;
}

#[tokio::test]
async fn message_shortcut_copies_text_and_link() {
    let (app, _) = TestApp::with_saw().await;
    app.command(ANA, "/esb-report", "").await;
    app.slack.close(ANA).await.unwrap();
    app.clock.advance(TimeDelta::minutes(11));
    let message = app.said("<@U0ANA> the saw is &lt; 3 mm off, see <https://a.org/x|the manual>").await;
    let mark = app.calls();
    app.report_from(&message).await;
    assert_eq!(app.called_since(mark), ["users.info", "views.open"], "nothing else before the form");
    let described = "@Ana Lee the saw is < 3 mm off, see the manual (https://a.org/x)";
    assert_eq!(app.view().value("description").as_deref(), Some(described));
    let missing = errors(app.submit().await);
    assert!(missing.contains_key("equipment") && missing.len() == 1, "{missing:?}");
    app.choose("equipment", "Table saw").await;
    assert_eq!(app.view().value("description").as_deref(), Some(described), "kept by the form shown anew");
    assert_eq!(app.slack.calls(PERMALINK).len(), 0);
    assert_eq!(app.submit().await, Submitted::Cleared);
    assert_eq!(app.repair(1).await.description, described);
    let link = format!("https://sandbox.slack.com/archives/C0WOOD/p{}", message.ts.replace('.', ""));
    assert_eq!(app.written().await, [("Ana Lee".to_owned(), Some(format!("From Slack: {link}")))]);
    let told = only(app.slack.direct_messages(ANA)).text;
    assert!(told.contains("repair #1") && !told.contains("without it"), "{told}");
    app.technician("ana").await;
    app.command(ANA, "/esb-update", "1").await;
    assert!(app.view().shown().contains("From Slack: "), "{}", app.view().shown());
    app.settle_and_finish().await;
}

#[tokio::test]
async fn report_without_permalink_is_accepted() {
    let (app, _) = TestApp::with_saw().await;
    let faults = [Fault::Error("channel_not_found"), Fault::Http(503), Fault::Silence];
    for (n, fault) in (1..).zip(faults) {
        let message = app.said("Blade wobbles").await;
        app.report_from(&message).await;
        app.choose("equipment", "Table saw").await;
        app.slack.fail_next(PERMALINK, fault);
        assert_eq!(app.submit().await, Submitted::Cleared, "{fault:?}");
        let told = only(app.slack.direct_messages(ANA)).text;
        assert!(told.contains(&format!("repair #{n}")) && told.contains("is without it"), "{told}");
        app.after(TimeDelta::seconds(1)).await;
    }
    assert_eq!(app.written().await, []);
    assert_eq!(app.repairs().await, 3);
    app.settle_and_finish().await;
}

#[tokio::test]
async fn any_message_text_opens_the_form() {
    let (app, _) = TestApp::with_saw().await;
    for (text, chars) in [("x".repeat(9000), 3000), ("&amp;".repeat(2000), 2000), ("🔥".repeat(3001), 3000)]
    {
        let message = app.said(&text).await;
        app.report_from(&message).await;
        let shown = app.view().value("description").unwrap();
        assert_eq!(shown.chars().count(), chars);
        assert!(app.slack.close(ANA).await.is_ok());
    }
    for text in ["", "  \n "] {
        let message = app.said(text).await;
        app.report_from(&message).await;
        assert_eq!(app.view().value("description"), None, "{text:?}");
        assert!(app.slack.close(ANA).await.is_ok());
    }
    app.finish().await;
}

#[tokio::test]
async fn shortcut_without_equipment_answers_by_message() {
    let app = TestApp::start_in(world()).await;
    app.shortcut(GLOBAL).await;
    assert!(only(app.slack.direct_messages(ANA)).text.starts_with("No machines are registered yet"));
    let message = app.said("It is broken").await;
    app.report_from(&message).await;
    assert!(only(app.slack.direct_messages(ANA)).text.starts_with("No machines are registered yet"));
    app.shortcut("of_another_version").await;
    assert!(app.slack.top_view(ANA).is_none());
    app.finish().await;
}

#[tokio::test]
async fn failed_shortcut_form_is_reported_by_message() {
    let (app, _) = TestApp::with_saw().await;
    app.slack.fail_next("views.open", Fault::RateLimited(30));
    app.shortcut(GLOBAL).await;
    assert!(only(app.slack.direct_messages(ANA)).text.contains("Slack is very busy"));
    app.finish().await;
}
