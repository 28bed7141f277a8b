//! Temporary passwords are revoked or held back when the user's e-mail address changes.

use crate::support::app::{BO, TestApp};
use crate::support::database::Kind;
use crate::support::lines::Lines;
use crate::support::ops::lease;
use crate::support::passwords::{assert_sent, log_in, made, new_user};
use chrono::TimeDelta;
use esb::domain::actor::{Account, Actor, Edge, Role};
use esb::domain::delivery::DeliveryState;
use esb::domain::ids::UserId;
use esb::domain::text::EmailAddress;
use esb::ops::accounts::change_password::{ChangePassword, change_password};
use esb::ops::accounts::manage_users::{EditUser, edit_user, reset_password};
use esb::ops::accounts::sign_in;
use esb::store::entities::audit;
use esb_sandbox::Fault;
use http::StatusCode;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use tracing::Level;

const INFO: &str = "users.info";
const REFUSED: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;

impl TestApp {
    /// Staff set another e-mail for this user.
    async fn is_now(&self, user: UserId, email: &str) {
        let email = EmailAddress::parse(email).unwrap();
        let edit = EditUser { id: user, email, role: Role::Technician, slack_handle: None };
        edit_user(&self.app.ctx, &self.staff_user().await, edit, "").await.unwrap();
    }

    /// What staff read of this user.
    async fn page_of(&self, user: UserId) -> String {
        self.staff().await.get(&format!("/admin/users/{user}")).await.text()
    }

    /// How many passwords were ended, as the audit has it.
    async fn ended(&self) -> usize {
        let changes = audit::Entity::find().filter(audit::Column::Action.eq("user.updated"));
        let changes = changes.all(self.app.ctx.store.read()).await.unwrap().into_iter();
        changes.filter(|it| it.new_value.as_deref().is_some_and(|new| new.contains("ended"))).count()
    }

    /// Bo has that e-mail in Slack, which has not told it.
    fn bo_moves_to(&self, email: &str) {
        self.slack.change_world(|world| world.people[1].email = Some(email.into()));
    }
}

#[tokio::test]
async fn correcting_email_revokes_misdirected_password() {
    let app = TestApp::with_bo().await;
    let (ctx, by) = (&app.app.ctx, app.staff_user().await);
    let (them, sent) = made(ctx, &by, new_user("bo", false)).await;
    assert_sent(&sent);
    app.settle().await;
    let password = app.password_sent_to_bo();
    let wrong = app.web.browser();
    assert_eq!(log_in(&wrong, "bo", &password).await.status, StatusCode::SEE_OTHER);
    assert_eq!(wrong.get("/password").await.status, StatusCode::OK);

    app.is_now(them, "BO@example.org").await;
    assert_eq!(wrong.get("/password").await.status, StatusCode::OK, "the same e-mail");
    app.is_now(them, "nia@example.org").await;
    assert_ne!(wrong.get("/password").await.status, StatusCode::OK, "the session is over");
    assert_eq!(log_in(&wrong, "bo", &password).await.status, REFUSED);
    for guess in ["", "!ended"] {
        assert_eq!(log_in(&wrong, "bo", guess).await.status, REFUSED);
    }
    let page = app.page_of(them).await;
    assert!(page.contains("is no longer valid") && page.contains("Give a new temporary password."), "{page}");
    assert_eq!(app.ended().await, 1);
    app.is_now(them, "bo@example.org").await;
    assert_eq!(log_in(&wrong, "bo", &password).await.status, REFUSED, "once ended it stays so");

    // Also one that a worker has in its hands, or was given up after nobody knows what.
    app.clock.advance(TimeDelta::minutes(1));
    assert_sent(&app.reset_bo(them).await);
    assert!(!app.page_of(them).await.contains("is no longer valid"));
    let (now, held) = (app.clock.now(), app.passwords().await.remove(1).id);
    lease(ctx, held, "another", now).await.unwrap();
    app.is_now(them, "nia@example.org").await;
    assert_eq!(app.states().await[1], (DeliveryState::Sending, true));
    assert_eq!(app.ended().await, 2);
    app.is_now(them, "bo@example.org").await;
    app.clock.advance(TimeDelta::minutes(1));
    assert_sent(&app.reset_bo(them).await);
    app.sql("UPDATE deliveries SET state = 'dead', event = '' WHERE state = 'pending'").await;
    app.is_now(them, "nia@example.org").await;
    assert_eq!(app.ended().await, 3);
    app.after(TimeDelta::minutes(1)).await;
    assert!(app.slack.direct_messages(BO).is_empty());
    app.finish().await;
}

#[tokio::test]
async fn handed_over_password_survives_email_change() {
    let app = TestApp::with_bo().await;
    let (ctx, by) = (&app.app.ctx, app.staff_user().await);
    let (bo, _) = made(ctx, &by, new_user("bo", false)).await;
    app.settle().await;
    app.password_sent_to_bo();
    let staff = app.staff().await;
    let page = format!("/admin/users/{bo}");
    let reset = format!("{page}/reset-password");
    let shown = staff.fill_in(&page, &reset, &[("show_here", "1")]).await.secret();
    app.is_now(bo, "other@example.org").await;
    let browser = app.web.browser();
    assert_eq!(log_in(&browser, "bo", &shown).await.status, StatusCode::SEE_OTHER);
    let change = [("current", &*shown), ("password", "a good one!"), ("repeated", "a good one!")];
    browser.fill_in("/password", "/password", &change).await;
    app.is_now(bo, "bo@example.org").await;
    assert_eq!(browser.get("/repairs").await.status, StatusCode::OK);
    assert_eq!(app.ended().await, 0);
    app.finish().await;
}

#[tokio::test]
async fn password_choice_during_revocation_fails() {
    let app = TestApp::with_bo().await;
    let ctx = &app.app.ctx;
    let (bo, _) = made(ctx, &app.staff_user().await, new_user("bo", false)).await;
    app.settle().await;
    let password = app.password_sent_to_bo();
    let begun = sign_in::log_in(ctx, "bo", password.as_str().into(), None).await.unwrap().unwrap();
    let who = sign_in::by_session(ctx, &begun.token).await.unwrap().unwrap();
    let actor = Actor::of_account(Edge::Web, "bo", Account { id: bo, role: Role::Technician });
    let own = || "a good one!".into();
    let change = ChangePassword { current: password.into(), password: own(), repeated: own() };
    let correct = app.is_now(bo, "nia@example.org");
    let (changed, ()) = tokio::join!(change_password(ctx, &actor, &who, change), correct);
    // Whichever was first: not both.
    assert_eq!((changed.is_ok(), app.ended().await), if changed.is_ok() { (true, 0) } else { (false, 1) });
    app.finish().await;
}

#[tokio::test]
async fn changed_slack_email_stops_password_message() {
    let app = TestApp::with_bo().await;
    let (ctx, by) = (&app.app.ctx, app.staff_user().await);
    let (bo, _) = made(ctx, &by, new_user("bo", false)).await;
    app.bo_moves_to("bo@elsewhere.org");
    let lines = Lines::from(Level::DEBUG);
    app.settle().await;
    assert_eq!(lines.with("temporary password not sent").len(), 1);
    for address in ["bo@e", "bo@E"] {
        let ours = lines.with(address).into_iter().filter(|line| line.contains(" esb::"));
        assert_eq!(ours.collect::<Vec<_>>(), [""; 0]);
    }
    app.slack.change_world(|world| world.people[1].deleted = true);
    app.bo_moves_to("bo@example.org");
    app.after(TimeDelta::hours(1)).await;
    app.slack.change_world(|world| (world.people[1].deleted, world.people[1].is_bot) = (false, true));
    app.after(TimeDelta::hours(1)).await;
    app.slack.change_world(|world| world.people[1].is_bot = false);
    for fault in [Fault::Http(500), Fault::RateLimited(3), Fault::Silence, Fault::Error("user_not_found")] {
        app.slack.fail_next(INFO, fault);
        app.after(TimeDelta::hours(1)).await;
    }
    let message = app.passwords().await.remove(0);
    let tries = app.tries(&message).await;
    assert_eq!(tries[..3], ["another_person"; 3]);
    assert_eq!(tries[3..], ["unavailable", "rate_limited", "timed_out", "user_not_found"]);
    assert_eq!(
        (message.state, message.rejections),
        (DeliveryState::Failed, 4),
        "Slack's absence is nobody's fault"
    );
    assert_eq!(message.in_doubt_since, None, "nothing was sent");
    assert!(app.page_of(bo).await.contains("Slack has not confirmed"));
    app.bo_moves_to("BO@Example.ORG");
    app.after(TimeDelta::hours(1)).await;
    assert_eq!(
        log_in(&app.web.browser(), "bo", &app.password_sent_to_bo()).await.status,
        StatusCode::SEE_OTHER
    );

    // It stays another's.
    assert_sent(&reset_password(ctx, &by, bo, false, "").await.unwrap());
    app.bo_moves_to("bo@elsewhere.org");
    for _ in 0..10 {
        app.after(TimeDelta::hours(1)).await;
    }
    assert_eq!(app.states().await[1], (DeliveryState::Dead, true));
    let page = app.page_of(bo).await;
    assert!(
        page.contains("is not sent any more") && page.contains("give a new one and show it here"),
        "{page}"
    );

    // Who is linked to the account gets it whatever the e-mail.
    app.sql(&format!("UPDATE users SET slack_user_id = '{BO}' WHERE id = {bo}")).await;
    let asked = app.slack.calls(INFO).len();
    assert_sent(&reset_password(ctx, &by, bo, false, "").await.unwrap());
    app.after(TimeDelta::seconds(1)).await;
    app.password_sent_to_bo();
    assert_eq!(app.slack.calls(INFO).len(), asked + 1, "Slack is asked whether they are of our workspace");
    app.finish().await;
}

#[tokio::test]
async fn generated_secret_is_logged_for_shared_database() {
    let app = TestApp::workshop().await;
    let elsewhere = tempfile::tempdir().unwrap();
    let lines = Lines::from(Level::WARN);
    for _ in 0..2 {
        app.another_app_with(|config| config.data_dir = elsewhere.path().to_owned()).await;
    }
    let expected = usize::from(Kind::from_env() != Kind::Sqlite);
    assert_eq!(lines.with("All processes that share the database need the same").len(), expected);
    app.finish().await;
}
