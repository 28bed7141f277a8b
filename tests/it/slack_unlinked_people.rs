//! Only members of our own workspace are linked to accounts, and staff can unlink them.

use crate::support::app::{ANA, BO, TestApp, only, world};
use crate::support::ops::user;
use crate::support::passwords::{assert_sent, log_in, made, new_user};
use crate::support::web::{Browser, Reply};
use chrono::TimeDelta;
use esb::domain::actor::Role;
use esb::domain::delivery::DeliveryState;
use esb::domain::ids::UserId;
use esb::domain::text::{EmailAddress, RequestId};
use esb::ops::OpError;
use esb::ops::accounts::manage_users::{EditUser, edit_user};
use esb::ops::accounts::slack_link::{SlackLinkChange, allow_link, unlink};
use esb::store::entities::{audit, slack_person, user as user_entity};
use esb_sandbox::{Fault, Person};
use http::StatusCode;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

const STRANGER: &str = "U0EVE";
const OTHER_TEAM: &str = "T0OTHER";

/// Somebody who says to have Bo's e-mail.
fn eve() -> Person {
    Person::new(STRANGER, "eve", "Eve").email("bo@example.org")
}

impl TestApp {
    /// Whether this person may do what technicians may; whatever they are told is read.
    async fn is_technician(&self, person: &str) -> bool {
        self.command(person, "/esb-repair", "").await;
        let told = self.slack.private_to(person);
        let opened = self.slack.close(person).await.is_ok();
        assert_ne!(opened, told.iter().any(|it| it.text.contains("a Technician or Staff account")));
        opened
    }

    async fn linked_to(&self, id: UserId) -> Option<String> {
        let user = user_entity::Entity::find_by_id(id).one(self.app.ctx.store.read()).await.unwrap();
        user.unwrap().slack_user_id
    }

    /// What the audit has of links: action, who did it, and what there is now.
    async fn links_audited(&self) -> Vec<(String, String, String)> {
        let links = audit::Entity::find().filter(audit::Column::Action.contains("link"));
        let links = links.order_by_asc(audit::Column::Id).all(self.app.ctx.store.read()).await.unwrap();
        links.into_iter().map(|it| (it.action, it.actor_name, it.new_value.unwrap_or_default())).collect()
    }

    /// Presses a button of the user's page in the form to `to` for this person.
    async fn press_for(&self, staff: &Browser<'_>, user: UserId, to: &str, person: &str) -> Reply {
        let page = format!("/admin/users/{user}");
        staff.fill_in_new(&page, &format!("{page}/{to}"), &[("person", person)]).await
    }

    fn link_change(&self, user: UserId, person: &str, request: u8) -> SlackLinkChange {
        let person = esb::domain::actor::SlackUserId(person.into());
        SlackLinkChange { user, person, request_id: RequestId::from_random([request; 16]) }
    }
}

#[tokio::test]
async fn only_members_are_linked_by_email() {
    let app = TestApp::workshop().await;
    let bo = app.technician("bo").await;
    for (n, person) in [
        eve().of_team(OTHER_TEAM),
        eve().of_team(OTHER_TEAM).stranger(),
        eve().of_team(OTHER_TEAM).guest(),
        eve().unconfirmed(),
        eve().bot(),
        eve().deleted(),
    ]
    .into_iter()
    .enumerate()
    {
        app.slack.change_world(|world| {
            world.people.retain(|known| known.id != STRANGER);
            world.people.push(person);
        });
        app.clock.advance(TimeDelta::minutes(11));
        assert!(!app.is_technician(STRANGER).await, "{n}");
        assert_eq!(app.linked_to(bo).await, None, "{n}");
        let known = slack_person::Entity::find_by_id(STRANGER).one(app.app.ctx.store.read()).await.unwrap();
        let known = known.unwrap();
        assert_eq!((known.is_member, known.email_key), (Some(false), None), "{n}");
    }
    assert!(app.is_technician(BO).await, "the real one is not locked out");
    assert_eq!(app.linked_to(bo).await.as_deref(), Some(BO));
    app.finish().await;
}

#[tokio::test]
async fn stranger_who_presses_claim_takes_no_account() {
    let app = TestApp::with_saw().await.0;
    let bo = app.technician("bo").await;
    app.slack.change_world(|world| world.people.push(eve().of_team(OTHER_TEAM).stranger()));
    app.report("table saw", "Blade wobbles").await;
    app.read_all();
    app.slack.press_message(STRANGER, "#woodshop", "card_claim", None).await.unwrap();
    app.settle().await;
    let told = app.private(STRANGER);
    assert!(told.contains("people of other workspaces cannot have one"), "{told}");
    assert_eq!(app.linked_to(bo).await, None);
    assert!(app.links_audited().await.is_empty());
    assert!(app.is_technician(BO).await);
    app.finish().await;
}

#[tokio::test]
async fn guests_and_people_of_our_organization_are_members() {
    let mut world = world();
    world.enterprise_id = Some("E0OURS".into());
    let app = TestApp::start_in(world).await;
    let area = app.area("Wood shop", "#woodshop").await;
    app.add_equipment(area, "Table saw").await;
    app.add_open_repairs("Table saw", "Blade wobbles", 1).await;
    for name in ["bo", "gus", "ora"] {
        app.technician(name).await;
    }
    app.slack.change_world(|world| {
        world.people.push(Person::new("U0GUS", "gus", "Gus").email("gus@example.org").guest());
        world.people.push(Person::new("U0ORA", "ora", "Ora").email("ora@example.org").of_team("E0OURS"));
    });
    for person in [BO, "U0GUS", "U0ORA"] {
        assert!(app.is_technician(person).await, "{person}");
    }
    app.finish().await;
}

#[tokio::test]
async fn link_to_stranger_is_dropped_on_lookup() {
    let app = TestApp::workshop().await;
    let bo = app.technician("bo").await;
    app.slack.change_world(|world| world.people.push(eve().of_team(OTHER_TEAM)));
    // As a former version linked them: nothing is known of their workspace.
    app.sql(&format!("UPDATE users SET slack_user_id = '{STRANGER}' WHERE id = {bo}")).await;
    app.slack.fail_next("users.info", Fault::Http(500));
    app.command(STRANGER, "/esb-repair", "").await;
    assert!(app.private(STRANGER).contains("Please try again"), "nobody is let in unasked");
    assert!(!app.is_technician(STRANGER).await);
    assert_eq!(app.linked_to(bo).await, None);
    let audited = app.links_audited().await;
    assert_eq!((audited[0].0.as_str(), audited[0].1.as_str()), ("user.unlinked", "Eve"));
    assert!(app.is_technician(BO).await);
    app.finish().await;
}

#[tokio::test]
async fn link_to_a_stranger_locks_nobody_out() {
    let app = TestApp::workshop().await;
    let bo = app.technician("bo").await;
    app.slack.change_world(|world| world.people.push(eve().of_team(OTHER_TEAM)));
    for stranger in [STRANGER, "U0GONE"] {
        // As a former version linked them.
        app.sql(&format!("UPDATE users SET slack_user_id = '{stranger}' WHERE id = {bo}")).await;
        app.clock.advance(TimeDelta::minutes(11));
        assert!(app.is_technician(BO).await, "{stranger}");
        assert_eq!(app.linked_to(bo).await.as_deref(), Some(BO));
    }
    app.finish().await;
}

#[tokio::test]
async fn link_to_stranger_is_dropped_on_event() {
    let app = TestApp::workshop().await;
    let bo = app.technician("bo").await;
    assert!(app.is_technician(BO).await);
    app.slack.change_world(|world| world.people[1].is_email_confirmed = false);
    app.slack.user_changed(BO).await.unwrap();
    app.settle().await;
    assert_eq!(app.linked_to(bo).await, None);
    assert!(!app.is_technician(BO).await);
    app.slack.change_world(|world| world.people[1].is_email_confirmed = true);
    app.slack.user_changed(BO).await.unwrap();
    app.settle().await;
    assert!(app.is_technician(BO).await);
    app.finish().await;
}

#[tokio::test]
async fn password_is_sent_to_no_stranger() {
    let app = TestApp::workshop().await;
    let bo = app.technician("bo").await;
    app.slack.change_world(|world| world.people.push(eve().of_team(OTHER_TEAM)));
    app.sql(&format!("UPDATE users SET slack_user_id = '{STRANGER}' WHERE id = {bo}")).await;
    app.reset_bo(bo).await;
    app.settle().await;
    assert!(app.slack.direct_messages(STRANGER).is_empty());
    assert_eq!(app.linked_to(bo).await, None, "the link is dropped");
    assert_eq!(
        app.states().await,
        [(DeliveryState::Delivered, true)],
        "withdrawn: {:?}",
        app.passwords().await
    );
    let page = app.staff().await.get(&format!("/admin/users/{bo}")).await.text();
    assert!(page.contains("is no longer valid") && page.contains("Not linked"), "{page}");
    app.after(TimeDelta::hours(1)).await;
    assert!(app.slack.direct_messages(STRANGER).is_empty());

    // The real one gets the next.
    assert!(app.is_technician(BO).await);
    assert_sent(&app.reset_bo(bo).await);
    app.settle().await;
    assert_eq!(
        log_in(&app.web.browser(), "bo", &app.password_sent_to_bo()).await.status,
        StatusCode::SEE_OTHER
    );
    app.finish().await;
}

#[tokio::test]
async fn password_waits_while_membership_is_unknown() {
    let app = TestApp::with_bo().await;
    let (bo, sent) = made(&app.app.ctx, &app.staff_user().await, new_user("bo", false)).await;
    assert_sent(&sent);
    app.sql(&format!("UPDATE users SET slack_user_id = '{BO}' WHERE id = {bo}")).await;
    app.reset_bo(bo).await;
    app.slack.fail_next("users.info", Fault::Http(500));
    app.settle().await;
    assert!(app.slack.direct_messages(BO).is_empty());
    assert_eq!(app.linked_to(bo).await.as_deref(), Some(BO));
    app.after(TimeDelta::hours(1)).await;
    app.password_sent_to_bo();
    app.finish().await;
}

#[tokio::test]
async fn unlinked_person_is_not_linked_again() {
    let app = TestApp::workshop().await;
    let (bo, staff) = (app.technician("bo").await, app.staff().await);
    assert!(app.is_technician(BO).await);
    let page = format!("/admin/users/{bo}");
    let text = staff.get(&page).await.text();
    assert!(text.contains("Bo Okafor") && text.contains(BO) && text.contains("Unlink"), "{text}");
    assert_eq!(app.press_for(&staff, bo, "unlink-slack", BO).await.header("location"), page);
    assert_eq!(app.linked_to(bo).await, None);
    for wait in [0, 11] {
        app.clock.advance(TimeDelta::minutes(wait));
        assert!(!app.is_technician(BO).await, "the e-mail still is theirs");
    }
    app.slack.user_changed(BO).await.unwrap();
    app.settle().await;
    assert!(!app.is_technician(BO).await);

    // Another person of that e-mail is linked, whom nobody unlinked.
    app.slack.change_world(|world| world.people[0].email = Some("bo@example.org".into()));
    app.clock.advance(TimeDelta::minutes(11));
    assert!(app.is_technician(ANA).await);
    assert_eq!(app.linked_to(bo).await.as_deref(), Some(ANA));
    app.slack.change_world(|world| world.people[0].email = Some("ana@example.org".into()));
    app.press_for(&staff, bo, "unlink-slack", ANA).await;

    let text = staff.get(&page).await.text();
    assert_eq!(text.matches("Allow linking again").count(), 2, "{text}");
    app.clock.advance(TimeDelta::minutes(1));
    assert_eq!(app.press_for(&staff, bo, "allow-slack", BO).await.header("location"), page);
    assert!(app.is_technician(BO).await, "at once");
    let audited = app.links_audited().await;
    let audited: Vec<_> = audited.iter().map(|(action, who, _)| (action.as_str(), who.as_str())).collect();
    let expected = [
        ("user.linked", "Bo Okafor"),
        ("user.unlinked", "stu"),
        ("user.linked", "Ana Lee"),
        ("user.unlinked", "stu"),
        ("user.link_allowed", "stu"),
        ("user.linked", "Bo Okafor"),
    ];
    assert_eq!(audited, expected);
    app.finish().await;
}

#[tokio::test]
async fn changed_email_allows_linking_again() {
    let app = TestApp::workshop().await;
    let (bo, by) = (app.technician("bo").await, app.staff_user().await);
    assert!(app.is_technician(BO).await);
    let ctx = &app.app.ctx;
    unlink(ctx, &by, &app.link_change(bo, BO, 1)).await.unwrap();
    for email in ["other@example.org", "bo@example.org"] {
        app.clock.advance(TimeDelta::minutes(1));
        let email = EmailAddress::parse(email).unwrap();
        let edit = EditUser { id: bo, email, role: Role::Technician, slack_handle: None };
        edit_user(ctx, &by, edit, "").await.unwrap();
    }
    assert!(app.is_technician(BO).await);
    app.finish().await;
}

#[tokio::test]
async fn unlinking_ends_a_password_that_was_sent() {
    let app = TestApp::workshop().await;
    let (bo, by) = (app.technician("bo").await, app.staff_user().await);
    assert!(app.is_technician(BO).await);
    assert_sent(&app.reset_bo(bo).await);
    app.settle().await;
    let password = app.password_sent_to_bo();
    let thief = app.web.browser();
    assert_eq!(log_in(&thief, "bo", &password).await.status, StatusCode::SEE_OTHER);
    unlink(&app.app.ctx, &by, &app.link_change(bo, BO, 1)).await.unwrap();
    assert_ne!(thief.get("/password").await.status, StatusCode::OK, "the session is over");
    assert_eq!(log_in(&thief, "bo", &password).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let audited = app.links_audited().await;
    assert!(audited[1].2.contains("\"temporary_password\":\"ended\""), "{audited:?}");
    let handed_over = app.reset_bo(bo).await;
    assert!(format!("{handed_over:?}").starts_with("Here"), "whoever was unlinked gets no other one");
    app.finish().await;
}

#[tokio::test]
async fn unlinking_twice_is_unlinking_once() {
    let app = TestApp::workshop().await;
    let (bo, by) = (app.technician("bo").await, app.staff_user().await);
    assert!(app.is_technician(BO).await);
    let ctx = &app.app.ctx;
    for _ in 0..2 {
        unlink(ctx, &by, &app.link_change(bo, BO, 1)).await.unwrap();
    }
    for _ in 0..2 {
        allow_link(ctx, &by, &app.link_change(bo, BO, 2)).await.unwrap();
        allow_link(ctx, &by, &app.link_change(bo, BO, 3)).await.unwrap();
    }
    assert_eq!(app.links_audited().await.len(), 3);
    let late = unlink(ctx, &by, &app.link_change(bo, ANA, 4)).await;
    assert!(matches!(late, Err(OpError::Refused(_))), "somebody else is on the page: {late:?}");
    let nobody = unlink(ctx, &by, &app.link_change(UserId(999), BO, 5)).await;
    assert!(matches!(nobody, Err(OpError::NotFound)));
    app.finish().await;
}

#[tokio::test]
async fn only_staff_unlink() {
    let app = TestApp::workshop().await;
    let bo = app.technician("bo").await;
    assert!(app.is_technician(BO).await);
    let ctx = &app.app.ctx;
    let mut former = app.staff_user().await;
    former.account.as_mut().unwrap().id = user(ctx, "ana", Role::Technician).await;
    for _ in 0..2 {
        let outcomes = [
            unlink(ctx, &former, &app.link_change(bo, BO, 1)).await,
            allow_link(ctx, &former, &app.link_change(bo, BO, 2)).await,
        ];
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Err(OpError::Forbidden))), "{outcomes:?}");
    }
    assert_eq!(app.linked_to(bo).await.as_deref(), Some(BO));
    let page = app.staff().await.get(&format!("/admin/users/{bo}")).await;
    let form = [("request_id", page.hidden("request_id")), ("person", BO.to_owned())];
    let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, &**value)).collect();
    let unsigned = app.web.browser().post(&format!("/admin/users/{bo}/unlink-slack"), &form).await;
    assert_eq!(unsigned.status, StatusCode::SEE_OTHER, "sent to log in");
    assert_eq!(app.linked_to(bo).await.as_deref(), Some(BO));
    app.finish().await;
}

#[tokio::test]
async fn concurrent_unlink_wins_over_command() {
    let app = TestApp::workshop().await;
    let (bo, by) = (app.technician("bo").await, app.staff_user().await);
    for round in 0..6 {
        app.clock.advance(TimeDelta::minutes(1));
        assert!(app.is_technician(BO).await);
        let (change, back) = (app.link_change(bo, BO, 2 * round), app.link_change(bo, BO, 2 * round + 1));
        let command = app.slack.command(BO, "#woodshop", "/esb-repair", "");
        let (unlinked, _) = tokio::join!(unlink(&app.app.ctx, &by, &change), command);
        unlinked.unwrap();
        app.settle().await;
        app.slack.private_to(BO);
        let _ = app.slack.close(BO).await;
        assert_eq!(app.linked_to(bo).await, None, "{round}");
        app.clock.advance(TimeDelta::minutes(1));
        allow_link(&app.app.ctx, &by, &back).await.unwrap();
    }
    app.finish().await;
}

#[tokio::test]
async fn names_of_strangers_are_known_without_accounts() {
    let app = TestApp::workshop().await;
    app.slack.change_world(|world| world.people.push(eve().of_team(OTHER_TEAM)));
    app.command(STRANGER, "/esb-report", "table saw").await;
    assert_eq!(app.slack.top_view(STRANGER).unwrap().value("reporter_name").as_deref(), Some("Eve"));
    app.slack.close(STRANGER).await.unwrap();
    assert!(app.slack.private_to(STRANGER).is_empty());
    let told = app.slack.command(STRANGER, "#woodshop", "/esb-repair", "").await.unwrap();
    assert!(told.is_acknowledged());
    app.settle().await;
    assert!(
        only(app.slack.private_to(STRANGER))
            .text
            .contains("Accounts are for members of this space's own Slack workspace")
    );
    app.finish().await;
}
