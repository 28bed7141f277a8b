//! Names that look like another user's are refused, and bidi controls are removed from text.

use crate::support::ops::{area, empty, report, user, with_saw};
use crate::support::web::serving;
use esb::domain::actor::{Account, Actor, Edge, Role};
use esb::domain::ids::UserId;
use esb::domain::text::{EmailAddress, EquipmentName, PersonName, RequestId, Username};
use esb::ops::accounts::manage_users::{CreateUser, EditUser, create_user, edit_user};
use esb::ops::accounts::setup::{SetUp, SetupCode, set_up};
use esb::ops::accounts::sign_in::log_in;
use esb::ops::install::{SeedAdmin, SeedOutcome, seed_admin};
use esb::ops::repairs::report_problem::report_problem;
use esb::ops::{Ctx, OpError, accounts::password};
use esb::store;
use esb::store::entities::{equipment, repair, user as user_entity};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, Set, Unchanged};
use tokio::task::JoinSet;

const PASSWORD: &str = "changeme123";

async fn staff(ops: &Ctx) -> Actor {
    let id = user(ops, "stu", Role::Staff).await;
    Actor::of_account(Edge::Web, "stu", Account { id, role: Role::Staff })
}

fn new_user(name: &str, email: &str, request: u8) -> CreateUser {
    CreateUser {
        username: Username::parse(name).unwrap(),
        email: EmailAddress::parse(email).unwrap(),
        role: Role::Technician,
        slack_handle: None,
        show_here: true,
        request_id: RequestId::from_random([request; 16]),
    }
}

#[track_caller]
fn refused<T: std::fmt::Debug>(outcome: Result<T, OpError>, field: &str, told: &str) {
    match outcome {
        Err(OpError::Refused(refusal)) => {
            assert_eq!(refusal.field, Some(field));
            assert!(refusal.message.contains(told), "{}", refusal.message);
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn look_alike_names_are_refused() {
    let ops = empty().await;
    let stu = staff(&ops).await;
    user(&ops, "tess", Role::Technician).await;
    for (n, name) in (1..).zip(["tеss", "ТЕSS", "ｔｅｓｓ", "ѕtu"]) {
        let outcome = create_user(&ops, &stu, new_user(name, &format!("new{n}@example.org"), n)).await;
        refused(outcome, "username", "looks like the name of user");
    }
    let hidden = create_user(&ops, &stu, new_user("te\u{200b}ss", "new@example.org", 8)).await;
    refused(hidden, "username", "Another user has this name.");
    let other = create_user(&ops, &stu, new_user("tessa", "new@example.org", 9)).await;
    assert!(other.is_ok(), "{other:?}");
    let email = create_user(&ops, &stu, new_user("eve", "tеss@example.org", 10)).await;
    refused(email, "email", "looks like the e-mail address of user tess");
    let plain = create_user(&ops, &stu, new_user("rob", "te55@example.org", 11)).await;
    assert!(plain.is_ok(), "{plain:?}");
}

#[tokio::test]
async fn names_of_deactivated_users_stay_reserved() {
    let ops = empty().await;
    let stu = staff(&ops).await;
    let tess = user(&ops, "tess", Role::Technician).await;
    let gone = user_entity::ActiveModel { id: Unchanged(tess), active: Set(false), ..Default::default() };
    gone.update(ops.store.write()).await.unwrap();
    let outcome = create_user(&ops, &stu, new_user("tеss", "new@example.org", 1)).await;
    refused(outcome, "username", "looks like the name of user");
}

#[tokio::test]
async fn look_alike_email_is_refused() {
    let ops = empty().await;
    let stu = staff(&ops).await;
    let (tess, bo) = (user(&ops, "tess", Role::Technician).await, user(&ops, "bo", Role::Technician).await);
    let edit = |id: UserId, email: &str| {
        let email = EmailAddress::parse(email).unwrap();
        EditUser { id, email, role: Role::Technician, slack_handle: None }
    };
    refused(edit_user(&ops, &stu, edit(bo, "tеss@example.org"), "").await, "email", "user tess");
    edit_user(&ops, &stu, edit(tess, "tеss@example.org"), "").await.unwrap();
    edit_user(&ops, &stu, edit(bo, "bo@Example.org"), "").await.unwrap();
}

#[tokio::test]
async fn seed_admin_and_setup_refuse_look_alikes() {
    let ops = empty().await;
    user(&ops, "tess", Role::Technician).await;
    let nobody = Actor::visitor(Edge::Cli, "command line");
    let seed = |name: &str, email: &str| SeedAdmin {
        username: Username::parse(name).unwrap(),
        email: EmailAddress::parse(email).unwrap(),
        slack_handle: None,
        password_hash: "none".into(),
    };
    let told = "looks like the name of user tess";
    refused(seed_admin(&ops, &nobody, seed("tеss", "new@example.org")).await, "username", told);
    let code = SetupCode::random();
    let wanted = SetUp {
        code: code.for_log().to_owned(),
        username: Username::parse("tеss").unwrap(),
        email: EmailAddress::parse("new@example.org").unwrap(),
        password: PASSWORD.into(),
    };
    refused(set_up(&ops, &nobody, &code, wanted.clone()).await, "username", told);
    let blanks =
        SetUp { username: Username::parse("sam").unwrap(), password: "            ".into(), ..wanted };
    refused(set_up(&ops, &nobody, &code, blanks).await, "password", "at least 10 characters");
    assert!(matches!(
        seed_admin(&ops, &nobody, seed("te\u{200d}ss", "x@example.org")).await,
        Ok(SeedOutcome::Exists(_))
    ));
    assert_eq!(user_entity::Entity::find().count(ops.store.read()).await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_look_alikes_create_one_user() {
    let ops = empty().await;
    let stu = staff(&ops).await;
    let mut all = JoinSet::new();
    for (n, name) in (1..).zip(["tess", "tеss", "teѕs", "ｔess"]) {
        let (ctx, by, new) =
            (ops.ctx.clone(), stu.clone(), new_user(name, &format!("new{n}@example.org"), n));
        all.spawn(async move { create_user(&ctx, &by, new).await });
    }
    let outcomes = all.join_all().await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
    assert!(outcomes.iter().all(|it| matches!(it, Ok(_) | Err(OpError::Refused(_)))), "{outcomes:?}");
}

#[tokio::test]
async fn names_of_former_versions_still_let_in() {
    let ops = empty().await;
    let old = user(&ops, "tess", Role::Technician).await;
    let rows = user_entity::Entity::update_many()
        .col_expr(user_entity::Column::Username, Expr::value("te\u{200b}ss"))
        .col_expr(user_entity::Column::UsernameKey, Expr::value("te\u{200b}ss"))
        .col_expr(user_entity::Column::Email, Expr::value("old@example.org"))
        .col_expr(user_entity::Column::EmailKey, Expr::value("old@example.org"))
        .filter(user_entity::Column::Id.eq(old));
    rows.exec(ops.store.write()).await.unwrap();
    let (hash, now) = (password::hash(PASSWORD.into()).await.unwrap(), ops.clock.now());
    store::users::set_password(ops.store.write(), old, hash, false, now).await.unwrap();
    for typed in ["te\u{200b}ss", " TE\u{200b}SS "] {
        assert!(log_in(&ops, typed, PASSWORD.into(), None).await.unwrap().is_some(), "{typed:?}");
    }
    assert!(log_in(&ops, "tess", PASSWORD.into(), None).await.unwrap().is_none());
    let tess = user(&ops, "tess", Role::Technician).await;
    let hash = password::hash("another one".into()).await.unwrap();
    store::users::set_password(ops.store.write(), tess, hash, false, now).await.unwrap();
    let begun = log_in(&ops, "tess", "another one".into(), None).await.unwrap().unwrap();
    assert_eq!(begun.account.user, tess);
    let begun = log_in(&ops, "te\u{200b}ss", PASSWORD.into(), None).await.unwrap().unwrap();
    assert_eq!(begun.account.user, old, "who is meant who types it whole");
}

#[tokio::test]
async fn bidi_controls_are_removed_from_text() {
    let (ops, saw) = with_saw().await;
    let turned = "\u{202e}was elbaT\u{2066} \u{5e9}\u{5dc}\u{5d5}\u{5dd}";
    let plain = "was elbaT \u{5e9}\u{5dc}\u{5d5}\u{5dd}";
    let mut problem = report(saw, 1);
    problem.reporter_name = PersonName::parse(turned).unwrap();
    problem.description = esb::domain::text::Description::parse(turned).unwrap();
    report_problem(&ops, &Actor::visitor(Edge::Web, "x"), problem).await.unwrap();
    let kept = repair::Entity::find().one(ops.store.read()).await.unwrap().unwrap();
    assert_eq!((kept.reporter_name.as_str(), kept.description.as_str()), (plain, plain));
    assert_eq!(EquipmentName::parse(turned).unwrap().as_str(), plain);
    assert_eq!(area(turned, "#wood").name.as_str(), plain);
}

#[tokio::test]
async fn bidi_controls_are_removed_when_shown() {
    let (ops, saw) = with_saw().await;
    let rename = equipment::Entity::update_many()
        .col_expr(equipment::Column::Name, Expr::value("Saw \u{202e}nwod\u{202c}"))
        .filter(equipment::Column::Id.eq(saw));
    rename.exec(ops.store.write()).await.unwrap();
    let web = serving(ops).await;
    for page in ["/", &format!("/e/{saw}")] {
        let text = web.get(page).await.text();
        assert!(text.contains("Saw nwod") && !text.contains('\u{202e}'), "{page}: {text}");
    }
}
