//! Temporary passwords by direct message: recipients, visibility, retries and revocation.

use crate::support::app::{BO, DEADLINE, TestApp, only};
use crate::support::lines::Lines;
use crate::support::ops::{lease, user};
use crate::support::passwords::{assert_sent, log_in, made, new_user, password_of};
use crate::support::wait::pause;
use chrono::TimeDelta;
use esb::domain::actor::Role;
use esb::domain::delivery::DeliveryState;
use esb::domain::text::EmailAddress;
use esb::ops::accounts::manage_users::{EditUser, edit_user, reset_password, set_active};
use esb::ops::accounts::temporary_password::PasswordHandover;
use esb::store::delivery_queue::{self, Settlement};
use esb::store::entities::{delivery, slack_person};
use esb::store::password_messages;
use esb_sandbox::{Fault, Message};
use http::StatusCode;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, JsonValue, QueryFilter, Set, Statement,
};
use std::time::Duration;
use tokio::task::JoinSet;

const POST: &str = "chat.postMessage";
const USERS: &str = "/admin/users";

impl TestApp {
    /// Every row of every table, as JSON.
    async fn everything_kept(&self) -> String {
        use sea_orm::DatabaseBackend::{MySql, Postgres, Sqlite};
        let db = self.app.ctx.store.read();
        let backend = db.get_database_backend();
        let tables = match backend {
            Sqlite => "SELECT name FROM sqlite_master WHERE type = 'table'",
            MySql => {
                "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE()"
            }
            Postgres => {
                "SELECT table_name::text AS name FROM information_schema.tables WHERE table_schema = 'public'"
            }
            _ => panic!("another database"),
        };
        let mut all = String::new();
        for table in db.query_all_raw(Statement::from_string(backend, tables)).await.unwrap() {
            let table: String = table.try_get("", "name").unwrap();
            let rows = Statement::from_string(backend, format!("SELECT * FROM {table}"));
            for row in JsonValue::find_by_statement(rows).all(db).await.unwrap() {
                all += &format!("{table}: {row}\n");
            }
        }
        assert!(all.contains("deliveries: ") && all.contains("users: "), "{all}");
        all
    }
}

/// The fields of a new user called like Bo in Slack.
const BO_FORM: [(&str, &str); 3] = [("username", "bo"), ("email", "BO@example.org"), ("role", "Technician")];

#[tokio::test]
async fn known_person_gets_password_privately() {
    let lines = Lines::from(tracing::Level::TRACE);
    let app = TestApp::with_bo().await;
    let stu = app.staff().await;
    let made = stu.fill_in_new(USERS, USERS, &BO_FORM).await.text();
    assert!(made.contains("sent to Bo Okafor by direct message in Slack"), "{made}");
    assert!(!made.contains("class=\"secret\""));
    let message = app.passwords().await.remove(0);
    let page = format!("{USERS}/{}", user(&app.app.ctx, "bo", Role::Technician).await);
    let waiting = stu.get(&page).await.text();
    assert!(waiting.contains("is on its way"), "{waiting}");
    let pending = app.everything_kept().await;
    assert!(pending.contains(&message.event) && message.event.len() > 100);

    app.settle().await;
    let posted = only(app.slack.direct_messages(BO));
    let password = password_of(&posted);
    let shown = posted.shown();
    for part in ["stu", "Username: `bo`", "http://esb.test/login", "choose a password of your own"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let call = app.slack.last_args(POST).unwrap();
    assert_eq!((&call["unfurl_links"], &call["channel"]), (&false.into(), &BO.into()));
    assert_eq!(app.states().await, [(DeliveryState::Delivered, true)]);
    let delivered = stu.get(&page).await.text();
    assert!(delivered.contains("was delivered, by direct message in Slack"), "{delivered}");
    let kept = app.everything_kept().await;
    assert!(!kept.contains(&message.event), "erased once delivered");
    for (n, place) in [made, waiting, delivered, pending, kept].iter().enumerate() {
        assert!(!place.contains(&password), "{n}: {place}");
    }

    let bo = app.web.browser();
    assert_eq!(log_in(&bo, "bo", &password).await.status, StatusCode::SEE_OTHER);
    assert_eq!(bo.get("/repairs").await.header("location"), "/password");
    let change = [("current", &*password), ("password", "a good one!"), ("repeated", "a good one!")];
    bo.fill_in("/password", "/password", &change).await;
    assert_eq!(bo.get("/repairs").await.status, StatusCode::OK);
    assert!(!stu.get(&page).await.text().contains("was delivered"), "it has been changed");
    assert!(!lines.with("delivered").is_empty() && !lines.with("hyper_util").is_empty());
    for secret in [&*password, &message.event] {
        let ours = lines.with(secret).into_iter().filter(|line| !line.contains("esb_sandbox"));
        assert_eq!(ours.collect::<Vec<_>>(), [""; 0]);
    }
    app.finish().await;
}

#[tokio::test]
async fn unknown_person_gets_no_message() {
    let app = TestApp::with_bo().await;
    let (ctx, by) = (&app.app.ctx, app.staff_user().await);
    let silent = app.another_app_with(|config| config.slack.bot_token = None).await;
    for (ctx, user, why) in [
        (ctx, new_user("nia", false), "Slack has told us of nobody with that e-mail"),
        (&silent.ctx, new_user("bo", false), "there is no bot token"),
    ] {
        let (id, handed_over) = made(ctx, &by, user).await;
        assert!(matches!(handed_over, PasswordHandover::Here(_)), "{why}");
        app.sql(&format!("DELETE FROM users WHERE id = {id}")).await;
    }
    // Staff may want to see it all the same.
    let (bo, handed_over) = made(ctx, &by, new_user("bo", true)).await;
    assert!(matches!(handed_over, PasswordHandover::Here(_)));
    app.sql(&format!("UPDATE users SET active = FALSE WHERE id = {bo}")).await;
    assert!(matches!(app.reset_bo(bo).await, PasswordHandover::Here(_)), "shut out");
    app.sql(&format!("UPDATE users SET active = TRUE WHERE id = {bo}")).await;
    let ana = user(ctx, "ana", Role::Technician).await;
    app.sql(&format!("UPDATE users SET slack_user_id = '{BO}' WHERE id = {ana}")).await;
    assert!(matches!(app.reset_bo(bo).await, PasswordHandover::Here(_)), "that person is somebody else's");
    app.sql("UPDATE users SET slack_user_id = NULL").await;
    let mut twin = slack_person::ActiveModel::from(
        slack_person::Entity::find_by_id(BO).one(ctx.store.read()).await.unwrap().unwrap(),
    );
    twin.slack_user_id = Set("U0TWIN".into());
    slack_person::Entity::insert(twin).exec_without_returning(ctx.store.write()).await.unwrap();
    assert!(matches!(app.reset_bo(bo).await, PasswordHandover::Here(_)), "two of that e-mail");
    assert!(app.passwords().await.is_empty());

    // Who is tied needs no e-mail.
    app.sql(&format!("UPDATE users SET slack_user_id = '{BO}' WHERE id = {bo}")).await;
    assert_sent(&app.reset_bo(bo).await);
    app.settle().await;
    app.password_sent_to_bo();
    app.finish().await;
}

#[tokio::test]
async fn staff_can_show_password_and_see_state() {
    let app = TestApp::with_bo().await;
    let stu = app.staff().await;
    let here = [&BO_FORM[..], &[("show_here", "1")]].concat();
    let shown = stu.fill_in_new(USERS, USERS, &here).await.secret();
    assert_eq!(log_in(&app.web.browser(), "bo", &shown).await.status, StatusCode::SEE_OTHER);
    let page = format!("{USERS}/{}", user(&app.app.ctx, "bo", Role::Technician).await);
    let reset = format!("{page}/reset-password");
    let offered = stu.get(&page).await.text();
    assert!(
        offered.contains("goes to Bo Okafor, by direct message in Slack") && offered.contains("show_here")
    );

    app.slack.fail_always(POST, Fault::Error("channel_not_found"));
    let sent = stu.fill_in(&page, &reset, &[]).await.text();
    assert!(sent.contains("sent to Bo Okafor") && !sent.contains("class=\"secret\""), "{sent}");
    let sealed = app.passwords().await.remove(0).event;
    app.settle().await;
    assert!(stu.get(&page).await.text().contains("Slack has not confirmed the message"));
    assert!(app.everything_kept().await.contains(&sealed), "it is tried again");
    for _ in 0..9 {
        app.after(TimeDelta::hours(1)).await;
    }
    assert_eq!(app.states().await, [(DeliveryState::Dead, true)]);
    assert!(!app.everything_kept().await.contains(&sealed), "erased once given up");
    let stu = app.staff().await;
    let given_up = stu.get(&page).await.text();
    assert!(given_up.contains("is not sent any more. It may have arrived all the same: give a new one"));
    app.slack.clear_faults();
    let shown = stu.fill_in(&page, &reset, &[("show_here", "1")]).await.secret();
    assert!(!stu.get(&page).await.text().contains("is not sent any more"), "that was another password");
    assert_eq!(log_in(&app.web.browser(), "bo", &shown).await.status, StatusCode::SEE_OTHER);
    app.finish().await;
}

#[tokio::test]
async fn of_several_passwords_only_the_newest_is_posted() {
    let app = TestApp::with_bo().await;
    let (bo, first) = made(&app.app.ctx, &app.staff_user().await, new_user("bo", false)).await;
    assert_sent(&first);
    app.slack.fail_always(POST, Fault::Http(503));
    app.settle().await;
    for _ in 0..2 {
        assert_sent(&app.reset_bo(bo).await);
    }
    use DeliveryState::{Delivered, Failed, Pending};
    assert_eq!(app.states().await, [(Delivered, true), (Delivered, true), (Pending, false)]);
    let messages = app.passwords().await;
    assert_eq!(app.tries(&messages[0]).await, ["unavailable", "withdrawn"]);
    assert_eq!(app.tries(&messages[1]).await, ["withdrawn"]);
    app.after(TimeDelta::seconds(1)).await;
    assert_eq!(app.states().await[2], (Failed, false), "the ordinary rules");
    app.slack.clear_faults();
    app.after(TimeDelta::minutes(1)).await;
    let password = app.password_sent_to_bo();
    assert_eq!(log_in(&app.web.browser(), "bo", &password).await.status, StatusCode::SEE_OTHER);
    app.finish().await;
}

#[tokio::test]
async fn concurrent_resets_post_only_valid_password() {
    let app = TestApp::with_bo().await;
    let by = app.staff_user().await;
    let (bo, _) = made(&app.app.ctx, &by, new_user("bo", true)).await;
    let mut resets = JoinSet::new();
    for _ in 0..6 {
        let (ctx, by) = (app.app.ctx.clone(), by.clone());
        resets.spawn(async move { reset_password(&ctx, &by, bo, false, "").await });
    }
    for handed_over in resets.join_all().await {
        assert_sent(&handed_over.unwrap());
    }
    let pending = app.states().await.into_iter().filter(|state| *state == (DeliveryState::Pending, false));
    assert_eq!(pending.count(), 1);
    app.settle().await;
    assert_eq!(
        log_in(&app.web.browser(), "bo", &app.password_sent_to_bo()).await.status,
        StatusCode::SEE_OTHER
    );
    assert_eq!(app.states().await, [(DeliveryState::Delivered, true); 6]);
    app.finish().await;
}

#[tokio::test]
async fn withdrawn_message_in_flight_is_not_retried() {
    let app = TestApp::with_bo().await;
    let (bo, _) = made(&app.app.ctx, &app.staff_user().await, new_user("bo", false)).await;
    // Slack takes its time, and another password is made meanwhile.
    app.slack.fail_next(POST, Fault::Delay(Duration::from_millis(1500)));
    let deliverer = app.app.deliverer.clone();
    let sending = tokio::spawn(async move { deliverer.settle().await });
    let posting = async {
        while app.slack.calls(POST).is_empty() {
            pause().await;
        }
    };
    tokio::time::timeout(DEADLINE, posting).await.unwrap();
    app.reset_bo(bo).await;
    assert_eq!(app.states().await, [(DeliveryState::Sending, true), (DeliveryState::Pending, false)]);
    sending.await.unwrap().unwrap();
    app.after(TimeDelta::seconds(1)).await;
    let [old, new] = <[Message; 2]>::try_from(app.slack.direct_messages(BO)).unwrap();
    assert_eq!(
        log_in(&app.web.browser(), "bo", &password_of(&old)).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    assert_eq!(log_in(&app.web.browser(), "bo", &password_of(&new)).await.status, StatusCode::SEE_OTHER);

    // A worker dies with one in its hands.
    app.clock.advance(TimeDelta::minutes(1));
    app.reset_bo(bo).await;
    let held = app.passwords().await.remove(2).id;
    lease(&app.app.ctx, held, "another", app.clock.now()).await.unwrap();
    app.reset_bo(bo).await;
    app.settle().await;
    assert!(app.slack.direct_messages(BO).is_empty(), "it waits for its turn");
    app.after(TimeDelta::minutes(1)).await;
    app.after(TimeDelta::seconds(1)).await;
    assert_eq!(
        log_in(&app.web.browser(), "bo", &app.password_sent_to_bo()).await.status,
        StatusCode::SEE_OTHER,
        "only the newest"
    );
    assert_eq!(app.states().await, [(DeliveryState::Delivered, true); 4]);
    app.finish().await;
}

#[tokio::test]
async fn withdrawn_message_blocks_no_other() {
    let app = TestApp::with_bo().await;
    let (bo, _) = made(&app.app.ctx, &app.staff_user().await, new_user("bo", false)).await;
    let (now, db) = (app.clock.now(), app.app.ctx.store.write());
    let held = app.passwords().await.remove(0);
    let leased = lease(&app.app.ctx, held.id, "mine", now).await;
    assert_eq!(leased.unwrap().event, held.event);
    app.reset_bo(bo).await;
    let failed = Settlement {
        state: DeliveryState::Failed,
        failures: 1,
        rejections: 0,
        cause: None,
        due_at: now + TimeDelta::hours(1),
        posted: None,
        in_doubt_since: None,
    };
    assert!(delivery_queue::settle(db, held.id, "mine", &failed, now).await.unwrap());
    password_messages::end_withdrawn(db, &held.lane, now).await.unwrap();
    assert_eq!(app.tries(&held).await, ["withdrawn"]);
    app.settle().await;
    assert_eq!(
        log_in(&app.web.browser(), "bo", &app.password_sent_to_bo()).await.status,
        StatusCode::SEE_OTHER
    );
    app.finish().await;
}

#[tokio::test]
async fn lost_answer_or_worker_repeats_password_message() {
    let app = TestApp::with_bo().await;
    let (bo, _) = made(&app.app.ctx, &app.staff_user().await, new_user("bo", false)).await;
    app.slack.fail_next(POST, Fault::CutAfterAccept);
    app.settle().await;
    assert_eq!(app.states().await, [(DeliveryState::Failed, false)]);
    app.after(TimeDelta::seconds(30)).await;
    let [one, other] = <[Message; 2]>::try_from(app.slack.direct_messages(BO)).unwrap();
    assert_eq!(password_of(&one), password_of(&other));

    app.reset_bo(bo).await;
    let held = app.passwords().await.remove(1).id;
    lease(&app.app.ctx, held, "another", app.clock.now()).await.unwrap();
    app.after(TimeDelta::minutes(1)).await;
    app.password_sent_to_bo();
    assert_eq!(app.states().await, [(DeliveryState::Delivered, true); 2]);
    app.finish().await;
}

#[tokio::test]
async fn same_form_sent_twice_is_one_message() {
    let app = TestApp::with_bo().await;
    let stu = app.staff().await;
    let page = stu.get(USERS).await;
    let (token, request) = (page.hidden("csrf_token"), page.hidden("request_id"));
    let form = [&BO_FORM[..], &[("csrf_token", &token), ("request_id", &request)]].concat();
    assert!(stu.post(USERS, &form).await.text().contains("sent to Bo Okafor"));
    assert!(stu.post(USERS, &form).await.text().contains("The user was added before"));
    app.settle().await;
    assert!(stu.post(USERS, &form).await.text().contains("The user was added before"));
    app.settle().await;
    app.password_sent_to_bo();
    assert_eq!(app.passwords().await.len(), 1);
    app.finish().await;
}

#[tokio::test]
async fn rotated_key_decrypts_or_message_dies() {
    let app = TestApp::with_bo().await;
    let by = app.staff_user().await;
    let first = "a secret of the first year";
    let before = app.another_app_with(|config| config.secret_key = Some(first.into())).await;
    let (bo, _) = made(&before.ctx, &by, new_user("bo", false)).await;
    let lines = Lines::from(tracing::Level::WARN);
    let with_liveness_check =
        app.another_app_with(|config| config.secret_key = Some("another secret".into())).await;
    with_liveness_check.deliverer.settle().await.unwrap();
    assert_eq!(lines.with("temporary password could not be decrypted").len(), 1);
    assert_eq!(app.states().await, [(DeliveryState::Failed, false)]);
    let rotated = app.another_app_with(|config| {
        config.secret_key = Some("another secret".into());
        config.secret_key_previous = Some(first.into());
    });
    let rotated = rotated.await;
    app.clock.advance(TimeDelta::seconds(30));
    rotated.deliverer.settle().await.unwrap();
    assert_eq!(
        log_in(&app.web.browser(), "bo", &app.password_sent_to_bo()).await.status,
        StatusCode::SEE_OTHER
    );

    // Somebody who can write to the database moves a password to another message, or changes it.
    let mut sealed = Vec::new();
    for _ in 0..2 {
        app.reset_bo(bo).await;
        sealed.push(app.passwords().await.pop().unwrap());
    }
    let (stolen, theirs) = (sealed.remove(0).event, sealed.remove(0));
    for spoilt in [stolen, theirs.event.replace("sealed:1:", "sealed:1:00"), "{}".into(), "x".repeat(5000)] {
        let spoil = delivery::Entity::update_many().col_expr(delivery::Column::Event, Expr::value(spoilt));
        let spoil = spoil.filter(delivery::Column::Id.eq(theirs.id));
        spoil.exec(app.app.ctx.store.write()).await.unwrap();
        app.after(TimeDelta::hours(1)).await;
    }
    for _ in 0..6 {
        app.after(TimeDelta::hours(1)).await;
    }
    assert_eq!(app.tries(&theirs).await, ["cannot_open"; 10]);
    assert_eq!(app.states().await[2], (DeliveryState::Dead, true));
    assert!(app.slack.direct_messages(BO).is_empty());
    app.finish().await;
}

#[tokio::test]
async fn changed_user_gets_no_old_password() {
    let app = TestApp::with_bo().await;
    let (by, stu) = (app.staff_user().await, app.staff().await);
    let ctx = &app.app.ctx;
    let (bo, _) = made(ctx, &by, new_user("bo", false)).await;
    let page = format!("{USERS}/{bo}");
    let email = EmailAddress::parse("other@example.org").unwrap();
    let edit = EditUser { id: bo, email, role: Role::Technician, slack_handle: None };
    edit_user(ctx, &by, edit.clone(), "").await.unwrap();
    assert!(stu.get(&page).await.text().contains("is no longer valid"));
    edit_user(ctx, &by, EditUser { email: EmailAddress::parse("bo@example.org").unwrap(), ..edit }, "")
        .await
        .unwrap();
    assert_sent(&app.reset_bo(bo).await);
    set_active(ctx, &by, bo, false).await.unwrap();
    assert!(stu.get(&page).await.text().contains("was withdrawn when the user was deactivated. It may have"));
    assert_eq!(app.states().await, [(DeliveryState::Delivered, true); 2]);
    app.settle().await;
    assert!(app.slack.direct_messages(BO).is_empty());
    app.finish().await;
}
