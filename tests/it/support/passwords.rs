//! Temporary passwords that are sent to Bo Okafor, and their deliveries.

use super::app::{BO, TestApp, only};
use super::ops::user;
use super::web::{Browser, Reply};
use esb::domain::actor::{Account, Actor, Edge, Role};
use esb::domain::delivery::{DeliveryKind, DeliveryState};
use esb::domain::ids::UserId;
use esb::domain::text::{EmailAddress, RequestId, Username};
use esb::ops::Ctx;
use esb::ops::accounts::manage_users::{CreateUser, UserCreated, create_user, reset_password};
use esb::ops::accounts::temporary_password::PasswordHandover;
use esb::store::entities::{delivery, delivery_attempt};
use esb_sandbox::Message;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

impl TestApp {
    /// Bo Okafor is known in Slack and has no account.
    pub async fn with_bo() -> Self {
        let app = Self::workshop().await;
        app.command(BO, "/esb-repair", "").await;
        only(app.slack.private_to(BO));
        app
    }

    /// Every delivery of a password, oldest first.
    pub async fn passwords(&self) -> Vec<delivery::Model> {
        let all = delivery::Entity::find().filter(delivery::Column::Kind.eq(DeliveryKind::Password));
        all.order_by_asc(delivery::Column::Id).all(self.app.ctx.store.read()).await.unwrap()
    }

    /// The state of each of these deliveries, and whether its password is erased.
    pub async fn states(&self) -> Vec<(DeliveryState, bool)> {
        let all = self.passwords().await.into_iter();
        all.map(|message| (message.state, message.event.is_empty())).collect()
    }

    /// The outcome of each attempt of a delivery.
    pub async fn tries(&self, of: &delivery::Model) -> Vec<String> {
        let tries = delivery_attempt::Entity::find()
            .filter(delivery_attempt::Column::DeliveryId.eq(of.id))
            .order_by_asc(delivery_attempt::Column::Id);
        tries.all(self.app.ctx.store.read()).await.unwrap().into_iter().map(|a| a.outcome).collect()
    }

    /// The password of the only new direct message to Bo.
    #[track_caller]
    pub fn password_sent_to_bo(&self) -> String {
        password_of(&only(self.slack.direct_messages(BO)))
    }

    /// The staff user `stu`.
    pub async fn staff_user(&self) -> Actor {
        let id = user(&self.app.ctx, "stu", Role::Staff).await;
        Actor::of_account(Edge::Web, "stu", Account { id, role: Role::Staff })
    }

    /// Resets Bo's password.
    pub async fn reset_bo(&self, bo: UserId) -> PasswordHandover {
        reset_password(&self.app.ctx, &self.staff_user().await, bo, false, "").await.unwrap()
    }
}

#[track_caller]
pub fn password_of(message: &Message) -> String {
    let shown = message.shown();
    let (_, rest) = shown.split_once("Temporary password: ").expect("a password");
    let password: String = rest.trim_start_matches('`').chars().take(19).collect();
    assert_eq!(password.matches('-').count(), 3, "{shown}");
    assert!(!message.text.contains(&password), "notifications show the text");
    password
}

pub fn new_user(name: &str, show_here: bool) -> CreateUser {
    CreateUser {
        username: Username::parse(name).unwrap(),
        email: EmailAddress::parse(&format!("{name}@Example.org")).unwrap(),
        role: Role::Technician,
        slack_handle: None,
        show_here,
        request_id: RequestId::from_random(rand::random()),
    }
}

pub async fn made(ctx: &Ctx, by: &Actor, user: CreateUser) -> (UserId, PasswordHandover) {
    match create_user(ctx, by, user).await.unwrap() {
        UserCreated::Now(id, handed_over) => (id, handed_over),
        UserCreated::Before(id) => panic!("{id} was made before"),
    }
}

#[track_caller]
pub fn assert_sent(handed_over: &PasswordHandover) {
    assert!(
        matches!(handed_over, PasswordHandover::InSlack { name } if name == "Bo Okafor"),
        "{handed_over:?}"
    );
}

pub async fn log_in(browser: &Browser<'_>, username: &str, password: &str) -> Reply {
    browser.fill_in("/login", "/login", &[("username", username), ("password", password)]).await
}
