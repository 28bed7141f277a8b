//! Channels shared with another workspace (Slack Connect): its people report, say "me too" and reply, on both
//! transports, and work on nothing.

use crate::support::app::{ANA, TestApp, only, world};
use crate::support::jobs::{PNG, photos, pictures};
use crate::support::ops::user;
use crate::support::slack::errors_of;
use chrono::TimeDelta;
use esb::domain::actor::Role;
use esb::domain::ids::JobId;
use esb::domain::job::JobState;
use esb_sandbox::{Fault, File, Message, Person, Submitted, World};
use serde_json::{Value, json};

/// Somebody of another workspace, in the shared channel `#woodshop`.
const CY: &str = "U2CY";
const OUTSIDE: &str = "T2OUTSIDE";

fn shared() -> World {
    let mut world =
        world().person(Person::new(CY, "cy", "Cy Young").email("cy@example.org").of_team(OUTSIDE));
    world.scopes.extend(["channels:history", "app_mentions:read", "reactions:read"].map(String::from));
    pictures(&mut world, &[]);
    world
}

impl TestApp {
    /// A workshop whose channel is shared, by Socket Mode and over HTTP.
    async fn by_both_transports() -> [Self; 2] {
        let apps = [Self::start_in(shared()).await, Self::over_http_in(shared()).await];
        for app in &apps {
            app.app.identity.wait().await;
            let area = app.area("Wood shop", "#woodshop").await;
            app.add_equipment(area, "Table saw").await;
        }
        apps
    }

    /// Ana's report, whose card has been read.
    async fn with_shared_card(&self) -> Message {
        self.report("table saw", "Belt slips").await;
        self.read_all();
        self.card()
    }

    async fn cy_presses(&self, card: &Message, action_id: &str) {
        let pressed = self.slack.press_in(CY, card, action_id, None).await.unwrap();
        assert!(pressed.is_acknowledged(), "{action_id}: {pressed:?}");
        self.settle().await;
    }

    async fn cy_replies(&self, card: &Message, text: &str, files: &[&str]) {
        let said = self.slack.say_with(CY, "#woodshop", text, Some(&card.ts), files).await.unwrap();
        assert!(said.outcome.is_acknowledged(), "{said:?}");
        self.settle().await;
    }

    /// Reads what is left, and ends.
    async fn done(self) {
        for _ in 0..3 {
            self.after(TimeDelta::seconds(1)).await;
        }
        self.read_all();
        self.slack.direct_messages(CY);
        self.finish().await;
    }
}

#[tokio::test]
async fn outside_member_reports_by_a_form() {
    for app in TestApp::by_both_transports().await {
        app.slack.mention(CY, "#woodshop", "report", None).await.unwrap();
        app.settle().await;
        let answer = only(app.slack.posted_in("#woodshop"));
        app.cy_presses(&answer, "report").await;
        let found = app.slack.suggest(CY, "equipment", "tabel").await.unwrap();
        assert_eq!(found.iter().map(|it| it.label.as_str()).collect::<Vec<_>>(), ["Table saw"]);
        app.slack.choose(CY, "equipment", "Table saw").await.unwrap();
        app.settle().await;
        app.slack.fill(CY, "description", "Belt slips").await.unwrap();
        assert_eq!(app.slack.submit(CY).await.unwrap(), Submitted::Cleared);
        app.settle().await;
        let (told, repair) = (app.private(CY), app.repair(1).await);
        assert!(told.contains("Your report on *Table saw* is repair #1."), "{told}");
        assert_eq!(
            (repair.reporter_name.as_str(), repair.reporter_slack_id.as_deref()),
            ("Cy Young", Some(CY))
        );
        app.done().await;
    }
}

#[tokio::test]
async fn outside_member_says_me_too_and_replies() {
    for app in TestApp::by_both_transports().await {
        let card = app.with_shared_card().await;
        app.cy_presses(&card, "me_too").await;
        app.cy_replies(&card, "It smells", &[]).await;
        app.after(TimeDelta::seconds(2)).await;
        assert!(app.card().shown().contains("1 other too"), "{}", app.card().shown());
        assert_eq!(app.notes().await, [("Cy Young".to_owned(), Some("It smells".to_owned()), false)]);

        let said = app.slack.messages().into_iter().rfind(|message| message.user == CY).unwrap();
        assert!(app.slack.edit(&said, "It smokes").await.unwrap().outcome.is_acknowledged());
        app.settle().await;
        assert_eq!(app.notes().await.last().unwrap().1.as_deref(), Some("It smokes"));
        app.done().await;
    }
}

#[tokio::test]
async fn outside_member_is_never_a_technician() {
    for app in TestApp::by_both_transports().await {
        // Whoever runs the other workspace chooses what addresses its people have.
        user(&app.app.ctx, "cy", Role::Technician).await;
        let card = app.with_shared_card().await;
        for action in ["card_claim", "card_resolve", "card_more"] {
            app.cy_presses(&card, action).await;
            let told = app.private(CY);
            assert!(told.contains("people of other workspaces cannot have one"), "{action}: {told}");
            assert!(app.slack.top_view(CY).is_none());
        }
        assert!(app.slack.react(CY, &card, "eyes").await.unwrap().outcome.is_acknowledged());
        app.settle().await;
        assert_eq!(app.repair(1).await.version, 1, "nothing has changed");
        app.done().await;
    }
}

#[tokio::test]
async fn technicians_form_sent_from_outside_is_refused() {
    let [app, _] = TestApp::by_both_transports().await;
    user(&app.app.ctx, "ana", Role::Technician).await;
    app.with_shared_card().await;
    app.command(ANA, "/esb-update", "1").await;
    let mut sent = app.submission();
    sent["user"] = json!({ "id": CY, "name": "cy", "team_id": OUTSIDE });
    sent["team"] = json!({ "id": OUTSIDE });
    let refused = errors_of(&app.send(sent).await);
    assert!(refused["status"].contains("people of other workspaces cannot have one"), "{refused:?}");
    assert_eq!(app.repair(1).await.version, 1);
    app.slack.close(ANA).await.unwrap();
    app.done().await;
}

#[tokio::test]
async fn envelopes_of_other_installations_are_refused() {
    let [app, _] = TestApp::by_both_transports().await;
    let card = app.with_shared_card().await;
    app.command(ANA, "/esb-report", "table saw").await;
    let mut sent = app.submission();
    (sent["team"]["id"], sent["view"]["app_installed_team_id"]) = (json!("T3"), json!("T3"));
    let refused = errors_of(&app.send(sent).await);
    assert_eq!(refused["equipment"], "This app serves another workspace.");
    let event = json!({ "type": "event_callback", "team_id": "T3", "event_id": "EvOther",
        "authorizations": [{ "team_id": "T3" }], "event": { "type": "message", "channel": card.channel,
            "channel_type": "channel", "user": CY, "text": "Hello", "ts": "1900000000.000001",
            "thread_ts": card.ts, "event_ts": "1900000000.000001" } });
    assert_eq!(app.send_as("events_api", "other", event).await.payload, None::<Value>);
    assert!(app.notes().await.is_empty());
    app.slack.close(ANA).await.unwrap();
    app.done().await;
}

#[tokio::test]
async fn hidden_files_are_looked_up_first() {
    for app in TestApp::by_both_transports().await {
        app.slack.change_world(|world| {
            world.files.push(File::new("F1", "belt.png", "image/png", PNG).hidden());
            let kept = "https://drive.test/plan";
            world.files.push(File::new("F2", "plan.png", "image/png", PNG).external(kept).hidden());
            world.files.push(File::new("F3", "manual.pdf", "application/pdf", "%PDF-").hidden());
        });
        app.slack.fail_next("files.info", Fault::Http(503));
        let card = app.with_shared_card().await;
        app.cy_replies(&card, "See here", &["F1", "F2", "F3"]).await;
        app.after(TimeDelta::seconds(30)).await;
        assert_eq!(
            (photos(&app.app.ctx).await, app.asked_for()),
            (vec!["F1".to_owned()], vec!["F1".to_owned()])
        );
        let notes: Vec<String> = app.notes().await.into_iter().filter_map(|note| note.1).collect();
        let manual = "In Slack only:\nmanual.pdf: https://sandbox.slack.com/files/F3/manual.pdf";
        assert_eq!(notes, ["See here", "In Slack only:\nplan.png: https://drive.test/plan", manual]);
        assert_eq!(app.job(JobId(1)).await.state, JobState::Succeeded);
        app.done().await;
    }
}

#[tokio::test]
async fn hidden_file_without_scope_is_listed() {
    let [app, _] = TestApp::by_both_transports().await;
    let card = app.with_shared_card().await;
    app.slack.change_world(|world| {
        world.scopes.retain(|scope| scope != "files:read");
        world.files.push(File::new("F1", "belt.png", "image/png", PNG).hidden());
    });
    app.cy_replies(&card, "See here", &["F1"]).await;
    let missing =
        app.notes().await.into_iter().filter_map(|note| note.1).find(|note| note.contains("missing"));
    let missing = missing.expect("a note");
    assert!(
        missing.contains("F1 cannot be fetched: the bot may not read files (missing_scope: files:read)"),
        "{missing}"
    );
    assert_eq!((app.job(JobId(1)).await.state, app.asked_for().len()), (JobState::Failed, 0));
    app.done().await;
}
