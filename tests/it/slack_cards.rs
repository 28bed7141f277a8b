//! Cards are live messages, one per repair and channel, and their thread shows each change.

use crate::support::app::{ANA, BO, TestApp, only};
use crate::support::ops::user;
use chrono::{NaiveDate, TimeDelta};
use esb::domain::actor::{Account, Actor, Edge, Role};
use esb::domain::delivery::DeliveryKind;
use esb::domain::edit::RepairEdit;
use esb::domain::field::FieldValue;
use esb::domain::ids::RepairId;
use esb::domain::repair::{RepairStatus, Severity};
use esb::domain::text::RequestId;
use esb::ops::repairs::update_repair::{UpdateRepair, update_repair};
use esb::store::entities::{card, delivery};
use esb::store::settings;
use esb_sandbox::{Audience, Fault, Message, Submitted};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};
use serde_json::json;

const POST: &str = "chat.postMessage";
const UPDATE: &str = "chat.update";
const WOOD: &str = "#woodshop";
const SECOND: TimeDelta = TimeDelta::seconds(1);

impl TestApp {
    /// A report whose cards have been read; Bo is a technician.
    async fn with_card() -> Self {
        Self::with_card_in(Self::with_saw().await.0).await
    }

    /// The same in a Slack that lets us read channels.
    async fn with_history() -> Self {
        Self::with_card_in(Self::with_saw_and_scopes(&["channels:history"]).await.0).await
    }

    async fn with_card_in(app: Self) -> Self {
        user(&app.app.ctx, "bo", Role::Technician).await;
        app.report("table saw", "Belt slips").await;
        app.read_all();
        app
    }

    async fn switch(&self, key: &str, on: bool) {
        let (db, now) = (self.app.ctx.store.write(), self.clock.now());
        settings::set(db, key, if on { "true" } else { "false" }, now).await.unwrap();
    }

    /// Bo changes the repair on the web; nothing is sent yet.
    async fn change(&self, values: Vec<FieldValue>) {
        let ctx = &self.app.ctx;
        let bo = Account { id: user(ctx, "bo", Role::Technician).await, role: Role::Technician };
        let actor = Actor::of_account(Edge::Web, "bo", bo);
        let edit = RepairEdit { version: self.repair(1).await.version, values, note: None };
        let request_id = RequestId::from_random(rand::random());
        let update = UpdateRepair { repair: RepairId(1), edit, request_id };
        assert!(update_repair(ctx, &actor, update).await.unwrap().changed);
    }

    /// Presses a button of the card in the wood shop; everything that follows from it is done.
    async fn press_card(&self, who: &str, action: &str) {
        let pressed = self.slack.press_message(who, WOOD, action, None).await.unwrap();
        assert!(pressed.is_acknowledged(), "{pressed:?}");
        self.settle().await;
    }

    /// Every message of the wood shop as it stands now, whoever has read it.
    fn in_wood(&self) -> Vec<Message> {
        let seen_by_all = |m: &Message| m.channel == "C0WOOD" && m.audience == Audience::Channel;
        self.slack.messages().into_iter().filter(seen_by_all).collect()
    }

    fn update_calls(&self) -> usize {
        self.slack.calls(UPDATE).len()
    }

    async fn edits(&self) -> u64 {
        let edits = delivery::Entity::find().filter(delivery::Column::Kind.eq(DeliveryKind::Edit));
        edits.count(self.app.ctx.store.read()).await.unwrap()
    }

    async fn card_in_wood(&self) -> card::Model {
        let card = card::Entity::find().filter(card::Column::Target.eq(WOOD));
        card.one(self.app.ctx.store.read()).await.unwrap().unwrap()
    }

    /// As a process leaves it that was killed after Slack took its latest message to the wood shop and
    /// before it noted that.
    async fn forget_latest(&self) {
        let latest = delivery::Entity::find()
            .filter(delivery::Column::Target.eq(WOOD))
            .filter(delivery::Column::Kind.eq(DeliveryKind::Message))
            .order_by_desc(delivery::Column::Id);
        let latest = latest.one(self.app.ctx.store.read()).await.unwrap().unwrap();
        let id = latest.id;
        self.sql(&format!(
            "UPDATE deliveries SET state = 'sending', lease = 'a dead worker', finished_at = NULL, \
             leased_until = due_at, posted_channel = NULL, posted_ts = NULL WHERE id = {id}"
        ))
        .await;
    }
}

fn eta(day: u32) -> FieldValue {
    FieldValue::Eta(NaiveDate::from_ymd_opt(2026, 3, day))
}

fn status(status: RepairStatus) -> FieldValue {
    FieldValue::Status(status)
}

/// The card and the replies in its thread.
#[track_caller]
fn thread(messages: Vec<Message>) -> (Message, Vec<Message>) {
    let (cards, replies): (Vec<_>, Vec<_>) = messages.into_iter().partition(|m| m.thread_ts.is_none());
    let card = only(cards);
    assert!(replies.iter().all(|reply| reply.thread_ts.as_ref() == Some(&card.ts)), "{replies:#?}");
    (card, replies)
}

#[tokio::test]
async fn longest_report_card_can_be_edited() {
    let app = TestApp::with_saw().await.0;
    user(&app.app.ctx, "bo", Role::Technician).await;
    app.report("table saw", &"🔥 & ".repeat(600)).await;
    app.read_all();
    app.press_card(BO, "card_claim").await;
    let (card, _) = thread(app.slack.posted_in(WOOD));
    assert!(card.edited && card.shown().contains(":wrench: <@U0BO>"), "{}", card.text);
    assert!(card.text.ends_with('…') && !card.text.ends_with("&…"), "{}", card.text);
    app.read_all();
    app.finish().await;
}

#[tokio::test]
async fn claim_button_updates_cards_and_thread() {
    let app = TestApp::with_card().await;
    let seen = app.in_wood().remove(0);
    app.press_card(BO, "card_claim").await;
    assert_eq!(app.repair(1).await.status, RepairStatus::Assigned);
    for channel in [WOOD, "#oops"] {
        let (card, replies) = thread(app.slack.posted_in(channel));
        assert!(
            card.edited && card.text.starts_with("Table saw has a problem (Wood shop): Belt slips"),
            "{}",
            card.text
        );
        assert!(card.shown().contains(":wrench: <@U0BO>"), "{}", card.text);
        assert!(
            card.shown().contains("Ana Lee · <http://esb.test/repairs/1|#1> · Replies"),
            "{}",
            card.shown()
        );
        let reply = only(replies);
        assert!(reply.text.ends_with("Bo Okafor claimed this") && !reply.broadcast, "{}", reply.text);
    }
    // Pressed again, on the card as it was, it changes nothing and tells Bo alone.
    assert!(app.slack.press_in(BO, &seen, "card_claim", None).await.unwrap().is_acknowledged());
    app.settle().await;
    assert!(app.private(BO).contains("yours already"));
    assert_eq!((app.repair(1).await.version, app.update_calls()), (2, 2));
    app.finish().await;
}

#[tokio::test]
async fn later_claim_names_who_was_faster() {
    let app = TestApp::with_card().await;
    user(&app.app.ctx, "ana", Role::Technician).await;
    let seen = app.in_wood().remove(0);
    for who in [BO, ANA] {
        assert!(app.slack.press_in(who, &seen, "card_claim", None).await.unwrap().is_acknowledged());
        app.settle().await;
    }
    let told = app.private(ANA);
    assert!(told.starts_with(":x: ") && told.contains("Bo Okafor was faster"), "{told}");
    assert!(told.contains("press More… and Claim"), "{told}");
    let (card, replies) = thread(app.slack.posted_in(WOOD));
    assert!(card.shown().contains(":wrench: <@U0BO>") && replies.len() == 1, "{}", card.shown());
    assert!(!card.shown().contains("card_claim"), "{}", card.shown());
    app.read_all();
    app.finish().await;
}

#[tokio::test]
async fn two_presses_at_once_act_once() {
    let app = TestApp::with_card().await;
    let press = || app.slack.press_message(BO, WOOD, "card_claim", None);
    let (one, other) = tokio::join!(press(), press());
    assert!(one.unwrap().is_acknowledged() && other.unwrap().is_acknowledged());
    app.settle().await;
    assert_eq!(app.repair(1).await.version, 2);
    assert_eq!(thread(app.slack.posted_in(WOOD)).1.len(), 1);
    app.slack.private_to(BO);
    app.read_all();
    app.finish().await;
}

#[tokio::test]
async fn resolve_requires_note_and_is_broadcast() {
    let app = TestApp::with_card().await;
    app.press_card(BO, "card_resolve").await;
    let form = app.slack.top_view(BO).expect("a form");
    assert!(form.shown().contains("*Table saw* (Wood shop) · repair #1"), "{}", form.shown());
    app.slack.fill(BO, "note", "\u{200b}").await.unwrap();
    let Submitted::Errors(errors) = app.slack.submit(BO).await.unwrap() else { panic!("taken") };
    assert_eq!(errors.keys().collect::<Vec<_>>(), ["note"]);
    app.slack.fill(BO, "note", "New belt <!channel>").await.unwrap();
    assert_eq!(app.slack.submit(BO).await.unwrap(), Submitted::Cleared);
    app.settle().await;
    for channel in [WOOD, "#oops"] {
        let (card, replies) = thread(app.slack.posted_in(channel));
        assert!(card.text.starts_with("Table saw (Wood shop) works again"), "{}", card.text);
        assert!(!card.shown().contains("card_claim") && !card.shown().contains("card_resolve"));
        let reply = only(replies);
        assert!(reply.broadcast && reply.shown().contains("works again"), "{}", reply.text);
        assert!(reply.text.contains("New belt &lt;!channel&gt;"), "{}", reply.text);
    }
    app.finish().await;
}

#[tokio::test]
async fn unauthorized_press_is_refused_privately() {
    let app = TestApp::with_card().await;
    for action in ["card_claim", "card_resolve", "card_more"] {
        app.press_card(ANA, action).await;
        let told = app.private(ANA);
        assert!(told.contains("a Technician or Staff account"), "{action}: {told}");
        assert!(app.slack.top_view(ANA).is_none());
        app.clock.advance(SECOND);
    }
    // A role that is taken away between opening and submitting is gone.
    app.press_card(BO, "card_resolve").await;
    app.slack.fill(BO, "note", "New belt").await.unwrap();
    app.sql("UPDATE users SET active = FALSE WHERE username = 'bo'").await;
    let Submitted::Errors(errors) = app.slack.submit(BO).await.unwrap() else { panic!("taken") };
    assert!(errors["note"].contains("a Technician or Staff account"), "{errors:?}");
    app.press_card(BO, "card_claim").await;
    assert!(app.private(BO).contains("a Technician or Staff account"));
    assert_eq!((app.repair(1).await.version, app.update_calls()), (1, 0));
    app.finish().await;
}

#[tokio::test]
async fn resolve_of_changed_repair_needs_confirmation() {
    let app = TestApp::with_card().await;
    app.press_card(BO, "card_resolve").await;
    app.slack.fill(BO, "note", "New belt").await.unwrap();
    app.change(vec![status(RepairStatus::PartsNeeded), eta(3)]).await;
    app.after(SECOND).await;
    let Submitted::Errors(errors) = app.slack.submit(BO).await.unwrap() else { panic!("taken") };
    assert!(errors["note"].contains("bo set the status to “Parts Needed”"), "{errors:?}");
    let mut payload = app.interaction("view_submission");
    payload["user"] = json!({ "id": BO, "name": "bo" });
    payload["view"] = app.slack.top_view(BO).unwrap().json;
    for _ in 0..2 {
        assert_eq!(app.send(payload.clone()).await.payload.unwrap()["response_action"], "clear");
    }
    app.after(SECOND).await;
    assert_eq!((app.repair(1).await.status, app.repair(1).await.version), (RepairStatus::Resolved, 3));
    assert_eq!(thread(app.in_wood()).1.len(), 2);
    app.read_all();
    app.finish().await;
}

#[tokio::test]
async fn outdated_card_buttons_say_repair_is_closed() {
    let app = TestApp::with_card().await;
    let seen = app.in_wood().remove(0);
    app.change(vec![status(RepairStatus::NoIssueFound)]).await;
    app.settle().await;
    for action in ["card_resolve", "card_claim", "me_too"] {
        app.clock.advance(SECOND);
        assert!(app.slack.press_in(BO, &seen, action, None).await.unwrap().is_acknowledged());
        app.settle().await;
        assert!(app.private(BO).contains("closed"), "{action}");
    }
    assert_eq!(app.repair(1).await.status, RepairStatus::NoIssueFound);
    app.read_all();
    app.finish().await;
}

#[tokio::test]
async fn more_button_opens_actions_and_reopens() {
    let app = TestApp::with_card().await;
    app.press_card(BO, "card_more").await;
    app.slack.choose(BO, "action", "set_eta").await.unwrap();
    app.settle().await;
    app.slack.choose(BO, "eta", "2026-03-09").await.unwrap();
    assert_eq!(app.slack.submit(BO).await.unwrap(), Submitted::Cleared);
    app.after(SECOND).await;
    assert!(
        app.slack.private_to(BO).is_empty() && app.slack.direct_messages(BO).is_empty(),
        "the card shows it"
    );
    let (card, replies) = thread(app.slack.posted_in(WOOD));
    assert!(card.shown().contains(" 9 Mar") && replies.len() == 1, "{}", card.text);
    app.change(vec![status(RepairStatus::NoIssueFound)]).await;
    app.after(SECOND).await;
    app.press_card(BO, "card_more").await;
    assert!(app.slack.top_view(BO).unwrap().shown().contains("Set the status"));
    app.read_all();
    app.finish().await;
}

#[tokio::test]
async fn me_too_updates_card_link_does_nothing() {
    let app = TestApp::with_card().await;
    app.press_card(ANA, "me_too").await;
    for channel in [WOOD, "#oops"] {
        let card = only(app.slack.posted_in(channel));
        assert!(card.edited && card.shown().contains("1 other too"), "{}", card.text);
    }
    app.press_card(BO, "me_too").await;
    assert!(only(app.slack.posted_in(WOOD)).shown().contains("2 others too"));
    app.press_card(ANA, "me_too").await;
    assert!(app.private(ANA).contains("counted on repair #1 already"));
    app.press_card(ANA, "card_page").await;
    assert_eq!(app.slack.posted_in(WOOD).len(), 0);
    app.read_all();
    app.finish().await;
}

/// What Bo does, which switch lets it be told, and whether the whole channel hears of it in the thread.
fn changes() -> Vec<(&'static str, FieldValue, bool)> {
    use FieldValue::{Assignee, SafetyRisk, Severity as Severe};
    vec![
        ("notify_eta_updated", eta(9), false),
        ("notify_severity_changed", Severe(Some(Severity::Degraded)), false),
        ("notify_severity_changed", Severe(Some(Severity::Down)), true),
        ("notify_severity_changed", SafetyRisk(true), true),
        ("notify_status_changed", status(RepairStatus::InProgress), false),
        ("notify_assignee_changed", Assignee(None), false),
        ("notify_resolved", status(RepairStatus::NoIssueFound), true),
    ]
}

#[tokio::test]
async fn switches_filter_replies_but_not_card_edits() {
    let app = TestApp::with_card().await;
    app.press_card(BO, "card_claim").await;
    app.read_all();
    for (switch, value, broadcast) in changes() {
        for on in [true, false] {
            app.clock.advance(TimeDelta::seconds(3));
            app.switch(switch, on).await;
            let before = app.update_calls();
            app.change(vec![value.clone()]).await;
            app.settle().await;
            assert_eq!(app.update_calls(), before + 2, "{value:?}: both cards are edited");
            let (card, replies) = thread(app.slack.posted_in(WOOD));
            assert!(card.edited);
            let told: Vec<bool> = replies.iter().map(|reply| reply.broadcast).collect();
            assert_eq!(told, if on { vec![broadcast] } else { vec![] }, "{switch} {on}: {value:?}");
            app.read_all();
            // Back to where it was, unheard.
            let sql =
                "status = 'Assigned', open = TRUE, severity = 'Not Sure', eta = NULL, safety_risk = FALSE";
            app.sql(&format!("UPDATE repairs SET {sql}, assignee_id = (SELECT MIN(id) FROM users)")).await;
        }
    }
    app.finish().await;
}

#[tokio::test]
async fn without_cards_each_event_is_a_message() {
    let (app, _) = TestApp::with_saw().await;
    app.switch("slack_thread_updates", false).await;
    let app = TestApp::with_card_in(app).await;
    let report = only(app.in_wood());
    assert!(
        report.text.starts_with("Table saw") && !report.shown().contains("card_claim"),
        "{}",
        report.shown()
    );
    for (switch, value, _) in changes() {
        if value == FieldValue::Assignee(None) {
            app.sql("UPDATE repairs SET assignee_id = (SELECT MIN(id) FROM users)").await;
        }
        for on in [false, true] {
            app.clock.advance(TimeDelta::seconds(3));
            app.switch(switch, on).await;
            app.change(vec![value.clone()]).await;
            app.settle().await;
            let told = app.slack.posted_in(WOOD);
            assert_eq!(told.len(), usize::from(on), "{switch} {on}");
            assert!(told.iter().all(|message| message.thread_ts.is_none()));
            app.read_all();
            let sql =
                "status = 'Assigned', open = TRUE, severity = 'Not Sure', eta = NULL, safety_risk = FALSE";
            app.sql(&format!("UPDATE repairs SET {sql}, assignee_id = (SELECT MIN(id) FROM users)")).await;
        }
    }
    assert_eq!((app.update_calls(), app.edits().await), (0, 0));
    app.finish().await;
}

#[tokio::test]
async fn first_announced_event_becomes_the_card() {
    let (app, _) = TestApp::with_saw().await;
    app.switch("notify_new_report", false).await;
    user(&app.app.ctx, "bo", Role::Technician).await;
    app.report("table saw", "Belt slips").await;
    assert!(app.in_wood().is_empty(), "nothing is told");
    app.private(ANA);
    app.change(vec![FieldValue::Severity(Some(Severity::Down)), FieldValue::SafetyRisk(true)]).await;
    app.settle().await;
    let (card, replies) = thread(app.slack.posted_in(WOOD));
    assert!(card.text.starts_with("Do not use: Table saw"), "{}", card.text);
    assert!(!card.broadcast && !card.edited && replies.is_empty());
    assert!(card.text.contains(" down (Wood shop): Belt slips"));
    app.change(vec![status(RepairStatus::NoIssueFound)]).await;
    app.after(SECOND).await;
    let (_, replies) = thread(app.slack.posted_in(WOOD));
    assert!(only(replies).broadcast);
    app.read_all();
    app.finish().await;
}

#[tokio::test]
async fn waiting_changes_are_one_edit_many_replies() {
    let app = TestApp::with_card().await;
    for day in 1..=4 {
        app.change(vec![eta(day)]).await;
    }
    assert_eq!(app.edits().await, 2, "one a card");
    app.settle().await;
    assert_eq!(app.update_calls(), 2);
    let (card, replies) = thread(app.slack.posted_in(WOOD));
    assert!(card.shown().contains(" 4 Mar"), "the card shows what is");
    assert!(only(replies).shown().contains(" 1 Mar"), "a reply tells what was");
    // A change is seen on the card at once, although replies wait for their turn in the channel.
    app.change(vec![eta(5)]).await;
    app.settle().await;
    assert!(only(app.slack.posted_in(WOOD)).shown().contains(" 5 Mar"));
    let mut told = Vec::new();
    for _ in 0..4 {
        app.after(SECOND).await;
        told.extend(app.slack.posted_in(WOOD).into_iter().map(|m| m.text));
    }
    for (text, day) in told.iter().zip(2..) {
        assert!(text.contains(&format!(" {day} Mar")), "in their order: {told:#?}");
    }
    assert_eq!((told.len(), app.update_calls()), (4, 4));
    app.read_all();
    app.finish().await;
}

#[tokio::test]
async fn change_during_card_post_is_not_lost() {
    let (app, _) = TestApp::with_saw().await;
    app.command(ANA, "/esb-report", "table saw").await;
    app.fill("description", "Belt slips").await;
    app.slack.submit(ANA).await.unwrap();
    app.app.intake.idle().await;
    // Slack answers late, and while it does the repair changes.
    for method in [POST, UPDATE] {
        for _ in 0..2 {
            app.slack.fail_next(method, Fault::Delay(std::time::Duration::from_secs(1)));
        }
        let calls = app.slack.calls(method).len();
        let changing = async {
            let begun = |s: &esb_sandbox::Sandbox| (s.calls(method).len() >= calls + 2).then_some(());
            app.slack.wait_for(crate::support::app::DEADLINE, begun).await.expect("it is being sent");
            app.change(vec![eta(if method == POST { 7 } else { 8 })]).await;
        };
        let sending = async {
            app.app.deliverer.settle().await.unwrap();
        };
        tokio::join!(sending, changing);
        app.settle().await;
        let card = app.in_wood().remove(0);
        let expected = if method == POST { " 7 Mar" } else { " 8 Mar" };
        assert!(card.shown().contains(expected), "{method}: {}", card.shown());
        app.after(SECOND).await;
        app.change(vec![eta(1)]).await;
    }
    app.after(TimeDelta::seconds(5)).await;
    app.after(TimeDelta::seconds(5)).await;
    app.after(TimeDelta::seconds(5)).await;
    app.read_all();
    app.finish().await;
}

#[tokio::test]
async fn card_converges_after_any_chat_update_answer() {
    let app = TestApp::with_card().await;
    for (day, fault, wait) in [
        (1, Fault::Http(503), 60),
        (2, Fault::RateLimited(7), 7),
        (3, Fault::Error("invalid_auth"), 60),
        (4, Fault::CutAfterAccept, 60),
        (5, Fault::Error("internal_error"), 60),
        (6, Fault::Error("not_in_channel"), 60),
        (7, Fault::Error("invalid_blocks"), 30),
    ] {
        app.slack.fail_always(UPDATE, fault);
        app.change(vec![eta(day)]).await;
        app.after(SECOND).await;
        app.slack.clear_faults();
        let tries = app.update_calls();
        app.after(TimeDelta::seconds(wait - 1)).await;
        assert_eq!(app.update_calls(), tries, "{fault:?}: not before its time");
        app.after(SECOND).await;
        app.after(SECOND).await;
        let card = app.in_wood().remove(0);
        assert!(card.shown().contains(&format!(" {day} Mar")), "{fault:?}: {}", card.text);
    }
    let replies = thread(app.in_wood()).1;
    for (reply, day) in replies.iter().zip(1..) {
        assert!(reply.shown().contains(&format!(" {day} Mar")), "in their order: {replies:#?}");
    }
    assert_eq!(replies.len(), 7);
    app.read_all();
    app.finish().await;
}

/// Slack's silence is real, and lasts as long as we wait: the only test that waits for 15 s.
#[tokio::test]
async fn unanswered_edit_times_out_and_applies_once() {
    let app = TestApp::with_card().await;
    app.switch("notify_eta_updated", false).await;
    for _ in 0..2 {
        app.slack.fail_next(UPDATE, Fault::Silence);
    }
    app.change(vec![eta(3)]).await;
    let begun = tokio::time::Instant::now();
    app.settle().await;
    let waited = begun.elapsed().as_secs();
    assert!((15..29).contains(&waited), "{waited} s for both at once");
    assert_eq!((app.update_calls(), app.slack.posted_in(WOOD).len()), (2, 0));
    app.after(TimeDelta::seconds(59)).await;
    assert_eq!(app.update_calls(), 2, "not before its time");
    app.after(SECOND).await;
    assert!(only(app.slack.posted_in(WOOD)).shown().contains(" 3 Mar"));
    app.after(TimeDelta::minutes(10)).await;
    assert_eq!(app.update_calls(), 4, "once a card");
    app.read_all();
    app.finish().await;
}

#[tokio::test]
async fn refused_edit_blocks_no_reply() {
    let app = TestApp::with_card().await;
    app.slack.fail_always(UPDATE, Fault::Error("internal_error"));
    for day in 1..=3 {
        app.change(vec![eta(day)]).await;
        app.after(SECOND).await;
        let reply = only(app.slack.posted_in(WOOD));
        assert!(reply.thread_ts.is_some() && reply.shown().contains(&format!(" {day} Mar")), "{reply:?}");
    }
    app.slack.clear_faults();
    app.after(TimeDelta::hours(1)).await;
    assert!(app.in_wood().remove(0).shown().contains(" 3 Mar"));
    app.read_all();
    app.finish().await;
}

#[tokio::test]
async fn failed_edits_converge_within_a_minute() {
    let app = TestApp::with_card().await;
    app.switch("notify_eta_updated", false).await;
    app.slack.fail_always(UPDATE, Fault::Http(503));
    app.change(vec![eta(1)]).await;
    for _ in 0..8 {
        app.after(TimeDelta::hours(1)).await;
    }
    app.slack.clear_faults();
    app.change(vec![eta(2)]).await;
    app.after(TimeDelta::minutes(1)).await;
    assert!(only(app.slack.posted_in(WOOD)).shown().contains(" 2 Mar"));
    assert_eq!(app.edits().await, 2, "one a card");
    app.read_all();
    app.finish().await;
}

#[tokio::test]
async fn deleted_card_is_replaced_by_next_message() {
    let app = TestApp::with_card().await;
    app.slack.delete_message(&app.in_wood()[0]).unwrap();
    app.switch("notify_eta_updated", false).await;
    app.change(vec![eta(3)]).await;
    app.settle().await;
    assert!(app.in_wood().is_empty(), "an edit alone posts nothing");
    assert_eq!(app.card_in_wood().await.ts, None);
    app.change(vec![eta(4)]).await;
    app.settle().await;
    assert!(app.in_wood().is_empty());
    app.switch("notify_eta_updated", true).await;
    app.change(vec![eta(5)]).await;
    app.after(SECOND).await;
    let card = only(app.slack.posted_in(WOOD));
    assert!(card.thread_ts.is_none() && card.shown().contains("card_claim"), "{}", card.shown());
    assert!(card.shown().contains(" 5 Mar"));
    // It is the card from now on.
    app.after(SECOND).await;
    app.press_card(BO, "card_claim").await;
    let (again, replies) = thread(app.slack.posted_in(WOOD));
    assert!(again.ts == card.ts && again.shown().contains(":wrench: <@U0BO>"));
    assert_eq!(replies.len(), 1);
    app.read_all();
    app.finish().await;
}

#[tokio::test]
async fn card_deleted_before_announcement_is_reposted() {
    let app = TestApp::with_card().await;
    app.slack.delete_message(&app.in_wood()[0]).unwrap();
    app.change(vec![eta(2)]).await;
    app.settle().await;
    let card = only(app.slack.posted_in(WOOD));
    assert!(card.thread_ts.is_none() && card.shown().contains(" 2 Mar"), "{}", card.text);
    // Slack says of the thread what it said of the card.
    for code in ["message_not_found", "thread_not_found"] {
        app.after(SECOND).await;
        app.read_all();
        app.slack.fail_next(POST, Fault::Error(code));
        app.slack.fail_next(POST, Fault::Error(code));
        app.change(vec![status(RepairStatus::InProgress)]).await;
        app.after(SECOND).await;
        app.after(SECOND).await;
        let posted = app.slack.posted_in(WOOD);
        let fresh = posted.last().unwrap();
        assert!(fresh.thread_ts.is_none() && fresh.shown().contains("in progress"), "{code}: {posted:#?}");
        assert_eq!(app.card_in_wood().await.ts.as_ref(), Some(&fresh.ts));
        app.change(vec![status(RepairStatus::PartsNeeded)]).await;
        app.after(SECOND).await;
    }
    app.read_all();
    app.finish().await;
}

#[tokio::test]
async fn card_whose_edits_are_rejected_is_replaced() {
    let app = TestApp::with_card().await;
    app.slack.fail_always(UPDATE, Fault::Error("invalid_blocks"));
    app.switch("notify_eta_updated", false).await;
    app.change(vec![eta(3)]).await;
    for _ in 0..12 {
        app.after(TimeDelta::hours(1)).await;
    }
    assert_eq!(app.update_calls(), 20, "ten times each");
    assert_eq!(app.card_in_wood().await.ts, None);
    app.slack.clear_faults();
    app.change(vec![status(RepairStatus::InProgress)]).await;
    app.settle().await;
    assert!(only(app.slack.posted_in(WOOD)).shown().contains(" 3 Mar"));
    app.read_all();
    app.finish().await;
}

#[tokio::test]
async fn card_is_right_after_channel_is_unarchived() {
    let app = TestApp::with_card().await;
    for method in [POST, UPDATE] {
        app.slack.fail_always(method, Fault::Error("is_archived"));
    }
    app.change(vec![eta(3)]).await;
    for _ in 0..12 {
        app.after(TimeDelta::hours(1)).await;
    }
    app.change(vec![eta(4)]).await;
    app.settle().await;
    // Given up after a week, and the card is still known to be behind.
    for _ in 0..8 {
        app.after(TimeDelta::days(1)).await;
    }
    assert!(app.card_in_wood().await.ts.is_some());
    app.slack.clear_faults();
    app.change(vec![status(RepairStatus::InProgress)]).await;
    for _ in 0..5 {
        app.after(TimeDelta::minutes(1)).await;
    }
    let (card, _) = thread(app.in_wood());
    assert!(card.shown().contains(" 4 Mar") && card.shown().contains("in progress"), "{}", card.text);
    app.read_all();
    app.finish().await;
}

#[tokio::test]
async fn found_card_is_brought_up_to_date() {
    let app = TestApp::with_history().await;
    app.change(vec![eta(3)]).await;
    app.after(SECOND).await;
    // Its card is posted anew, and only Slack knows of that.
    app.slack.delete_message(&app.in_wood()[0]).unwrap();
    app.slack.fail_next(POST, Fault::CutAfterAccept);
    app.change(vec![eta(4)]).await;
    for _ in 0..4 {
        app.after(TimeDelta::minutes(1)).await;
    }
    let cards: Vec<Message> = app.in_wood().into_iter().filter(|m| m.thread_ts.is_none()).collect();
    assert!(only(cards).shown().contains(" 4 Mar"));
    app.read_all();
    app.finish().await;
}

#[tokio::test]
async fn recovered_channel_updates_all_its_cards() {
    let app = TestApp::with_card().await;
    app.switch("notify_eta_updated", false).await;
    app.slack.fail_always(UPDATE, Fault::Error("is_archived"));
    app.change(vec![eta(3)]).await;
    for _ in 0..9 {
        app.after(TimeDelta::days(1)).await;
    }
    app.slack.clear_faults();
    assert!(!app.in_wood()[0].shown().contains(" 3 Mar"), "its edit was given up");
    // Something else of the channel gets through.
    app.report("table saw", "Smoke").await;
    app.after(TimeDelta::minutes(1)).await;
    app.after(SECOND).await;
    assert!(app.in_wood()[0].shown().contains(" 3 Mar"), "{}", app.in_wood()[0].text);
    app.read_all();
    app.finish().await;
}

#[tokio::test]
async fn message_is_found_again_after_crash() {
    let app = TestApp::with_history().await;
    // A reply, of which only Slack knows.
    app.press_card(BO, "card_claim").await;
    app.forget_latest().await;
    app.after(TimeDelta::minutes(1)).await;
    assert_eq!(thread(app.in_wood()).1.len(), 1, "it is found, not told again");
    assert_eq!(app.slack.calls("conversations.replies").len(), 1);
    // A card, of which only Slack knows; it is made to show what is.
    app.report("table saw", "Smoke").await;
    app.forget_latest().await;
    app.sql(
        "UPDATE cards SET ts = NULL, channel = NULL, rendered_version = 0 WHERE repair_id = 2 AND target = '#woodshop'",
    )
    .await;
    app.after(TimeDelta::minutes(1)).await;
    let smoke: Vec<Message> = app.in_wood().into_iter().filter(|m| m.text.contains("Smoke")).collect();
    assert!(only(smoke).edited);
    assert_eq!(app.slack.calls("conversations.history").len(), 1);
    // The connection breaks after Slack took it.
    for _ in 0..2 {
        app.slack.fail_next(POST, Fault::CutAfterAccept);
    }
    app.report("table saw", "Sparks").await;
    app.after(TimeDelta::minutes(1)).await;
    let sparks = |app: &TestApp| app.slack.messages().iter().filter(|m| m.text.contains("Sparks")).count();
    assert_eq!(sparks(&app), 2, "one a channel");
    // Slack is away when we look: it is not posted unseen.
    for _ in 0..2 {
        app.slack.fail_next(POST, Fault::CutAfterAccept);
    }
    app.slack.fail_always("conversations.history", Fault::RateLimited(9));
    app.report("table saw", "Screws").await;
    app.after(TimeDelta::minutes(5)).await;
    app.slack.clear_faults();
    app.after(TimeDelta::minutes(5)).await;
    assert_eq!(app.slack.messages().iter().filter(|m| m.text.contains("Screws")).count(), 2);
    app.read_all();
    app.finish().await;
}

#[tokio::test]
async fn message_in_doubt_is_repeated_without_scope() {
    let app = TestApp::with_card().await;
    app.press_card(BO, "card_claim").await;
    app.forget_latest().await;
    app.after(TimeDelta::minutes(1)).await;
    assert_eq!(thread(app.in_wood()).1.len(), 2);
    assert_eq!(app.slack.calls("conversations.replies")[0].error(), Some("missing_scope"));
    app.read_all();
    app.finish().await;
}

#[tokio::test]
async fn card_stays_when_area_changes_channel() {
    let app = TestApp::with_card().await;
    app.sql("UPDATE areas SET slack_channel = '#metalshop'").await;
    app.switch("notify_eta_updated", false).await;
    app.change(vec![eta(3)]).await;
    app.settle().await;
    assert!(only(app.slack.posted_in(WOOD)).shown().contains(" 3 Mar"));
    assert!(app.slack.posted_in("#metalshop").is_empty(), "an edit begins no card");
    app.change(vec![status(RepairStatus::InProgress)]).await;
    app.settle().await;
    let card = only(app.slack.posted_in("#metalshop"));
    assert!(card.thread_ts.is_none() && card.shown().contains("in progress"), "{}", card.text);
    assert!(only(app.slack.posted_in(WOOD)).shown().contains("in progress"), "edited, and no reply");
    app.change(vec![status(RepairStatus::NoIssueFound)]).await;
    app.after(SECOND).await;
    let (_, replies) = thread(app.slack.posted_in("#metalshop"));
    assert!(only(replies).broadcast);
    assert!(only(app.slack.posted_in(WOOD)).text.contains("works again"));
    app.read_all();
    app.finish().await;
}

#[tokio::test]
async fn existing_cards_are_edited_when_cards_are_off() {
    let app = TestApp::with_card().await;
    app.switch("slack_thread_updates", false).await;
    app.press_card(BO, "card_claim").await;
    let told = app.slack.posted_in(WOOD);
    assert_eq!(told.len(), 2);
    assert!(told[0].edited && told[0].shown().contains(":wrench: <@U0BO>"));
    assert!(told[1].thread_ts.is_none() && told[1].text.contains("claimed this"));
    app.read_all();
    app.finish().await;
}

#[tokio::test]
async fn no_card_edits_while_slack_is_off() {
    let (ops, saw) = crate::support::ops::with_saw().await;
    let ctx = esb::ops::Ctx::new(ops.ctx.store.clone(), ops.ctx.clock.clone(), esb::ops::Announce::Nowhere);
    let report = crate::support::ops::report(saw, 1);
    esb::ops::repairs::report_problem::report_problem(&ctx, &crate::support::ops::ana(), report)
        .await
        .unwrap();
    assert_eq!(card::Entity::find().count(ctx.store.read()).await.unwrap(), 0);
    assert_eq!(delivery::Entity::find().count(ctx.store.read()).await.unwrap(), 0);
}
