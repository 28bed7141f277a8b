//! User operations: permissions, audit, password hashes, the last staff user, and concurrent requests.

use crate::support::ops::{empty, user};
use esb::domain::actor::{Account, Actor, Edge, Role};
use esb::domain::ids::UserId;
use esb::domain::text::{EmailAddress, RequestId, SlackHandle, TokenName, Username};
use esb::ops::accounts::api_tokens::{TokenCreated, create_token, revoke_token, tokens};
use esb::ops::accounts::manage_users::{
    CreateUser, EditUser, UserCreated, create_user, edit_user, reset_password, set_active, users,
};
use esb::ops::accounts::setup::{SetUp, SetupCode, set_up};
use esb::ops::accounts::sign_in::{by_session, log_in};
use esb::ops::accounts::temporary_password::PasswordHandover;
use esb::ops::{Ctx, OpError};
use esb::store;
use esb::store::entities::{audit, user as user_entity};
use sea_orm::{ActiveModelTrait, EntityTrait, Set, Unchanged};
use secrecy::{ExposeSecret, SecretString};
use tokio::task::JoinSet;

fn actor(id: UserId, role: Role) -> Actor {
    Actor::of_account(Edge::Web, "stu", Account { id, role })
}

async fn staff(ops: &Ctx) -> Actor {
    actor(user(ops, "stu", Role::Staff).await, Role::Staff)
}

fn new_user(name: &str, request: u8) -> CreateUser {
    CreateUser {
        username: Username::parse(name).unwrap(),
        email: EmailAddress::parse(&format!("{name}@example.org")).unwrap(),
        role: Role::Technician,
        slack_handle: Some(SlackHandle::parse("@new").unwrap()),
        show_here: false,
        request_id: RequestId::from_random([request; 16]),
    }
}

/// A password that was told to whoever made it.
#[track_caller]
fn shown(handed_over: PasswordHandover) -> SecretString {
    match handed_over {
        PasswordHandover::Here(password) => password,
        PasswordHandover::InSlack { name } => panic!("sent to {name}"),
    }
}

async fn edit(ops: &Ctx, id: UserId, role: Role) -> EditUser {
    let user = store::users::find(ops.store.read(), id).await.unwrap().unwrap();
    EditUser { id, email: EmailAddress::parse(&user.email).unwrap(), role, slack_handle: None }
}

async fn recorded(ops: &Ctx) -> Vec<audit::Model> {
    audit::Entity::find().all(ops.store.read()).await.unwrap()
}

#[track_caller]
fn refused<T: std::fmt::Debug>(outcome: Result<T, OpError>, field: Option<&str>) {
    match outcome {
        Err(OpError::Refused(refusal)) => assert_eq!(refusal.field, field, "{}", refusal.message),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn user_is_created_once_and_audited_without_password() {
    let ops = empty().await;
    let stu = staff(&ops).await;
    let Ok(UserCreated::Now(id, password)) = create_user(&ops, &stu, new_user("Nia", 1)).await else {
        panic!("the user is made")
    };
    let password = shown(password);
    assert!(
        matches!(create_user(&ops, &stu, new_user("Nia", 1)).await, Ok(UserCreated::Before(same)) if same == id)
    );
    refused(create_user(&ops, &stu, new_user("nIA", 2)).await, Some("username"));
    let mut same_email = new_user("other", 3);
    same_email.email = EmailAddress::parse("NIA@example.org").unwrap();
    refused(create_user(&ops, &stu, same_email).await, Some("email"));
    let begun = log_in(&ops, "nia", password.clone(), None).await.unwrap().unwrap();
    assert!(begun.must_change_password && begun.role == Role::Technician);

    edit_user(&ops, &stu, edit(&ops, id, Role::Staff).await, "").await.unwrap();
    edit_user(&ops, &stu, edit(&ops, id, Role::Staff).await, "").await.unwrap();
    set_active(&ops, &stu, id, false).await.unwrap();
    set_active(&ops, &stu, id, false).await.unwrap();
    set_active(&ops, &stu, id, true).await.unwrap();
    let again = shown(reset_password(&ops, &stu, id, false, "").await.unwrap());
    let rows = recorded(&ops).await;
    let told: Vec<_> =
        rows.iter().map(|row| (row.action.as_str(), row.noun_id, row.actor_name.as_str())).collect();
    let expected =
        ["user.created", "user.updated", "user.deactivated", "user.activated", "user.password_reset"];
    assert_eq!(told, expected.map(|action| (action, id.0, "stu")), "what changes nothing is not recorded");
    assert_eq!(rows[1].old_value.as_deref(), Some("{\"role\":\"Technician\",\"slack_handle\":\"@new\"}"));
    assert_eq!(rows[1].new_value.as_deref(), Some("{\"role\":\"Staff\",\"slack_handle\":\"\"}"));
    let all = format!("{rows:?}");
    assert!(!all.contains(password.expose_secret()) && !all.contains(again.expose_secret()));
    assert!(!all.contains("argon2"));
}

#[tokio::test]
async fn only_staff_may() {
    let ops = empty().await;
    let tess = user(&ops, "tess", Role::Technician).await;
    for who in [actor(tess, Role::Technician), Actor::visitor(Edge::Web, "x")] {
        let id = RequestId::from_random([1; 16]);
        let name = TokenName::parse("x").unwrap();
        let outcomes = [
            users(&ops, &who, 1).await.map(drop),
            create_user(&ops, &who, new_user("x", 1)).await.map(drop),
            edit_user(&ops, &who, edit(&ops, tess, Role::Staff).await, "").await,
            set_active(&ops, &who, tess, false).await,
            reset_password(&ops, &who, tess, false, "").await.map(drop),
            tokens(&ops, &who).await.map(drop),
            create_token(&ops, &who, &name, &id).await.map(drop),
            revoke_token(&ops, &who, esb::domain::ids::ApiTokenId(1)).await,
        ];
        for (n, outcome) in outcomes.into_iter().enumerate() {
            assert!(matches!(outcome, Err(OpError::Forbidden)), "{n}: {outcome:?}");
        }
    }
    assert!(recorded(&ops).await.is_empty());
}

#[tokio::test]
async fn role_or_password_change_ends_sessions() {
    let ops = empty().await;
    let stu = staff(&ops).await;
    let made = create_user(&ops, &stu, new_user("nia", 1)).await.unwrap();
    let UserCreated::Now(id, password) = made else { panic!("the user is made") };
    let password = shown(password);
    let begin = async |password: &SecretString| {
        log_in(&ops, "nia", password.clone(), None).await.unwrap().unwrap().token
    };
    let (one, other) = (begin(&password).await, begin(&password).await);
    let kept = by_session(&ops, &other).await.unwrap().unwrap().session;
    edit_user(&ops, &stu, edit(&ops, id, Role::Staff).await, &kept).await.unwrap();
    assert!(by_session(&ops, &one).await.unwrap().is_none());
    assert_eq!(by_session(&ops, &other).await.unwrap().unwrap().role, Role::Staff);
    let temporary = shown(reset_password(&ops, &stu, id, false, "").await.unwrap());
    assert!(by_session(&ops, &other).await.unwrap().is_none());
    assert!(log_in(&ops, "nia", password, None).await.unwrap().is_none());
    let third = begin(&temporary).await;
    set_active(&ops, &stu, id, false).await.unwrap();
    assert!(log_in(&ops, "nia", temporary, None).await.unwrap().is_none(), "inactive");
    set_active(&ops, &stu, id, true).await.unwrap();
    assert!(by_session(&ops, &third).await.unwrap().is_none(), "it does not come back");

    let linked = user_entity::ActiveModel {
        id: Unchanged(id),
        slack_user_id: Set(Some("U1".into())),
        ..Default::default()
    };
    linked.update(ops.store.write()).await.unwrap();
    let mut moved = edit(&ops, id, Role::Staff).await;
    moved.slack_handle = Some(SlackHandle::parse("@nia").unwrap());
    edit_user(&ops, &stu, moved.clone(), "").await.unwrap();
    let now = store::users::find(ops.store.read(), id).await.unwrap().unwrap();
    assert_eq!(now.slack_user_id.as_deref(), Some("U1"));
    moved.email = EmailAddress::parse("other@example.org").unwrap();
    edit_user(&ops, &stu, moved, "").await.unwrap();
    let now = store::users::find(ops.store.read(), id).await.unwrap().unwrap();
    assert_eq!((now.slack_user_id, now.email_key), (None, "other@example.org".into()));
}

#[tokio::test]
async fn last_staff_user_stays() {
    let ops = empty().await;
    let stu = staff(&ops).await;
    let id = stu.account.as_ref().unwrap().id;
    user(&ops, "tess", Role::Technician).await;
    let sue = user(&ops, "sue", Role::Staff).await;
    set_active(&ops, &stu, sue, false).await.unwrap();
    refused(set_active(&ops, &stu, id, false).await, Some("active"));
    refused(edit_user(&ops, &stu, edit(&ops, id, Role::Technician).await, "").await, Some("role"));
    set_active(&ops, &stu, sue, true).await.unwrap();
    set_active(&ops, &stu, id, false).await.unwrap();
    refused(set_active(&ops, &actor(sue, Role::Staff), sue, false).await, Some("active"));
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_cannot_deactivate_each_other_concurrently() {
    let ops = empty().await;
    for round in 0..8 {
        let (stu, sue) = (user(&ops, "stu", Role::Staff).await, user(&ops, "sue", Role::Staff).await);
        let mut both = JoinSet::new();
        for (by, whom) in [(stu, sue), (sue, stu)] {
            let (ctx, demoted) = (ops.ctx.clone(), edit(&ops, whom, Role::Technician).await);
            both.spawn(async move {
                let by = actor(by, Role::Staff);
                if round % 2 == 0 {
                    set_active(&ctx, &by, whom, false).await
                } else {
                    edit_user(&ctx, &by, demoted, "").await
                }
            });
        }
        let outcomes = both.join_all().await;
        let done = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        assert_eq!(done, 1, "{outcomes:?}");
        assert!(outcomes.iter().any(|outcome| matches!(outcome, Err(OpError::Refused(_)))), "{outcomes:?}");
        for id in [stu, sue] {
            let back = user_entity::ActiveModel {
                id: Unchanged(id),
                active: Set(true),
                role: Set(Role::Staff),
                ..Default::default()
            };
            back.update(ops.store.write()).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_setup_creates_one_staff_user() {
    let ops = empty().await;
    let code = SetupCode::random();
    let mut all = JoinSet::new();
    for n in 0..4 {
        let (ctx, code) = (ops.ctx.clone(), code.clone());
        let wanted = SetUp {
            code: format!(" {} ", code.for_log()),
            username: Username::parse(&format!("user{n}")).unwrap(),
            email: EmailAddress::parse(&format!("user{n}@example.org")).unwrap(),
            password: "changeme123".into(),
        };
        all.spawn(async move { set_up(&ctx, &Actor::visitor(Edge::Web, "A visitor"), &code, wanted).await });
    }
    let outcomes = all.join_all().await;
    let done = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    let late = outcomes.iter().filter(|outcome| matches!(outcome, Err(OpError::NotFound))).count();
    assert_eq!((done, late), (1, 3), "{outcomes:?}");
    assert_eq!(user_entity::Entity::find().all(ops.store.read()).await.unwrap().len(), 1);
    assert_eq!(recorded(&ops).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_submissions_create_one_user_and_token() {
    let ops = empty().await;
    let stu = staff(&ops).await;
    let (mut made, mut tokens_made) = (JoinSet::new(), JoinSet::new());
    for _ in 0..4 {
        let (ctx, by) = (ops.ctx.clone(), stu.clone());
        made.spawn(async move { create_user(&ctx, &by, new_user("nia", 1)).await });
        let (ctx, by) = (ops.ctx.clone(), stu.clone());
        let (name, id) = (TokenName::parse("x").unwrap(), RequestId::from_random([2; 16]));
        tokens_made.spawn(async move { create_token(&ctx, &by, &name, &id).await });
    }
    let made = made.join_all().await;
    assert_eq!(made.iter().filter(|one| matches!(one, Ok(UserCreated::Now(..)))).count(), 1, "{made:?}");
    assert!(made.iter().all(Result::is_ok), "{made:?}");
    let tokens_made = tokens_made.join_all().await;
    assert_eq!(tokens_made.iter().filter(|one| matches!(one, Ok(TokenCreated::Now(_)))).count(), 1);
    assert!(tokens_made.iter().all(Result::is_ok), "{tokens_made:?}");
    assert_eq!(tokens(&ops, &stu).await.unwrap().len(), 1);
    assert_eq!(users(&ops, &stu, 1).await.unwrap().count, 2);
}
