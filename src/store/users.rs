//! People with an account.

use super::entities::user;
use crate::domain::actor::{Role, SlackUserId};
use crate::domain::field::Person;
use crate::domain::ids::UserId;
use crate::domain::text::{EmailAddress, SlackHandle, Username, caseless};
use chrono::{DateTime, Utc};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, FromQueryResult,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select, Set, Unchanged,
};

pub use super::entities::user::Model as User;

#[derive(Debug, Clone)]
pub struct NewUser<'a> {
    pub username: &'a Username,
    pub email: &'a EmailAddress,
    pub role: Role,
    /// If known.
    pub slack_handle: Option<&'a SlackHandle>,
    /// In the PHC string format.
    pub password_hash: String,
    /// Somebody else set the password.
    pub must_change_password: bool,
}

/// Adds an active user. A taken name or e-mail is a unique violation.
pub async fn add(db: &impl ConnectionTrait, new: NewUser<'_>, now: DateTime<Utc>) -> Result<UserId, DbErr> {
    let row = user::ActiveModel {
        username: Set(new.username.as_str().to_owned()),
        username_key: Set(caseless(new.username.as_str())),
        email: Set(new.email.as_str().to_owned()),
        email_key: Set(email_key(new.email.as_str())),
        role: Set(new.role),
        active: Set(true),
        slack_handle: Set(new.slack_handle.map(ToString::to_string).unwrap_or_default()),
        slack_user_id: Set(None),
        password_hash: Set(new.password_hash),
        must_change_password: Set(new.must_change_password),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    Ok(row.insert(db).await?.id)
}

/// Normalizes an e-mail address for comparison.
pub fn email_key(email: &str) -> String {
    email.to_lowercase().chars().take(crate::domain::text::KEY_MAX).collect()
}

/// The user with that name, ignoring case.
pub async fn named(db: &impl ConnectionTrait, username: &Username) -> Result<Option<User>, DbErr> {
    user::Entity::find().filter(user::Column::UsernameKey.eq(caseless(username.as_str()))).one(db).await
}

/// The user with the name as typed, else with the name parsed from it; ignoring case.
pub async fn typed(db: &impl ConnectionTrait, typed: &str, name: &Username) -> Result<Option<User>, DbErr> {
    let (typed, name) = (caseless(typed), caseless(name.as_str()));
    let either = user::Entity::find().filter(user::Column::UsernameKey.is_in([&typed, &name]));
    let mut either = either.all(db).await?;
    either.sort_by_key(|user| user.username_key != typed);
    Ok(either.into_iter().next())
}

/// The user with that e-mail, ignoring case.
pub async fn with_email(db: &impl ConnectionTrait, email: &str) -> Result<Option<User>, DbErr> {
    user::Entity::find().filter(user::Column::EmailKey.eq(email_key(email))).one(db).await
}

/// The active user of a person in Slack: by the stored id, else by their e-mail in Slack.
pub async fn active_in_slack(
    db: &impl ConnectionTrait,
    id: &SlackUserId,
    email: Option<&str>,
) -> Result<Option<User>, DbErr> {
    let linked = linked(db, id).await?.filter(|user| user.active);
    match (linked, email) {
        (Some(user), _) => Ok(Some(user)),
        (None, Some(email)) => {
            let user = with_email(db, email).await?;
            Ok(user.filter(|user| user.active && user.slack_user_id.is_none()))
        }
        (None, None) => Ok(None),
    }
}

/// The user who is linked to a person in Slack, active or not.
pub async fn linked(db: &impl ConnectionTrait, id: &SlackUserId) -> Result<Option<User>, DbErr> {
    user::Entity::find().filter(user::Column::SlackUserId.eq(id.0.as_str())).one(db).await
}

/// Links a user without a link to a person in Slack, and removes that person's other link; false when another
/// transaction was faster. Does not count as a change of the user.
pub async fn link(db: &impl ConnectionTrait, user: UserId, id: &SlackUserId) -> Result<bool, DbErr> {
    unlink(db, id).await?;
    let done = user::Entity::update_many()
        .col_expr(user::Column::SlackUserId, Expr::value(id.0.as_str()))
        .filter(user::Column::Id.eq(user))
        .filter(user::Column::SlackUserId.is_null())
        .exec(db)
        .await?;
    Ok(done.rows_affected == 1)
}

/// Unlinks a person in Slack from their account; false if none is linked.
pub async fn unlink(db: &impl ConnectionTrait, id: &SlackUserId) -> Result<bool, DbErr> {
    let done = user::Entity::update_many()
        .col_expr(user::Column::SlackUserId, Expr::value(Option::<String>::None))
        .filter(user::Column::SlackUserId.eq(id.0.as_str()))
        .exec(db)
        .await?;
    Ok(done.rows_affected > 0)
}

/// Marks a user as changed, though the change is not in their row.
pub async fn touch(db: &impl ConnectionTrait, id: UserId, now: DateTime<Utc>) -> Result<(), DbErr> {
    change(db, id, UserChange::default(), now).await
}

/// True when any user was made or changed after `since`.
pub async fn changed_after(db: &impl ConnectionTrait, since: DateTime<Utc>) -> Result<bool, DbErr> {
    let changed = user::Entity::find().select_only().column(user::Column::Id);
    let changed = changed.filter(user::Column::UpdatedAt.gt(since)).limit(1);
    Ok(changed.into_tuple::<UserId>().one(db).await?.is_some())
}

/// Some of the active staff users with a Slack user, by name.
pub async fn staff_in_slack(db: &impl ConnectionTrait, most: u64) -> Result<Vec<User>, DbErr> {
    let known = active_staff().filter(user::Column::SlackUserId.is_not_null());
    known.order_by_asc(user::Column::UsernameKey).limit(most).all(db).await
}

/// The user with this id, if active.
pub async fn active(db: &impl ConnectionTrait, id: UserId) -> Result<Option<User>, DbErr> {
    user::Entity::find_by_id(id).filter(user::Column::Active.eq(true)).one(db).await
}

/// Most accounts that are searched.
const SEARCHED_MAX: u64 = 20_000;

/// Ids, names and roles of active users, by name.
pub async fn names(db: &impl ConnectionTrait) -> Result<Vec<(UserId, String, Role)>, DbErr> {
    user::Entity::find()
        .select_only()
        .columns([user::Column::Id, user::Column::Username, user::Column::Role])
        .filter(user::Column::Active.eq(true))
        .order_by_asc(user::Column::UsernameKey)
        .limit(SEARCHED_MAX)
        .into_tuple()
        .all(db)
        .await
}

/// Name and e-mail of a user.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct Label {
    pub id: UserId,
    pub username: String,
    pub email: String,
}

/// Labels of all users, active or not.
pub async fn labels(db: &impl ConnectionTrait) -> Result<Vec<Label>, DbErr> {
    let columns = [user::Column::Id, user::Column::Username, user::Column::Email];
    let all = user::Entity::find().select_only().columns(columns).limit(SEARCHED_MAX);
    all.into_model().all(db).await
}

/// Most people that a form offers.
const OFFERED_MAX: u64 = 1_000;

/// Active users by name.
pub async fn all_active(db: &impl ConnectionTrait) -> Result<Vec<User>, DbErr> {
    user::Entity::find()
        .filter(user::Column::Active.eq(true))
        .order_by_asc(user::Column::UsernameKey)
        .limit(OFFERED_MAX)
        .all(db)
        .await
}

pub fn person(user: User) -> Person {
    Person { id: user.id, name: user.username, slack_id: user.slack_user_id.map(SlackUserId) }
}

pub async fn find(db: &impl ConnectionTrait, id: UserId) -> Result<Option<User>, DbErr> {
    user::Entity::find_by_id(id).one(db).await
}

/// The user with this id, locked until the transaction ends.
pub async fn hold(db: &impl ConnectionTrait, id: UserId) -> Result<Option<User>, DbErr> {
    user::Entity::find_by_id(id).lock_exclusive().one(db).await
}

/// A page of all users by name, and their total number.
pub async fn some(db: &impl ConnectionTrait, skip: u64, most: u64) -> Result<(Vec<User>, u64), DbErr> {
    let all = user::Entity::find();
    let count = all.clone().count(db).await?;
    let sorted = all.order_by_asc(user::Column::UsernameKey).offset(skip).limit(most);
    Ok((sorted.all(db).await?, count))
}

/// Prefixes of password hashes: ours, and those of the Python system. Any other text is not a hash, and no password
/// matches it.
const HASHES: [&str; 2] = ["$argon2", "scrypt:"];

impl User {
    /// True when they can log in with some password while active.
    pub fn has_password(&self) -> bool {
        HASHES.iter().any(|beginning| self.password_hash.starts_with(beginning))
    }
}

/// True when there is a staff user who can log in.
pub async fn has_staff(db: &impl ConnectionTrait) -> Result<bool, DbErr> {
    let begins = |beginning: &&str| user::Column::PasswordHash.starts_with(*beginning);
    let has_password = HASHES.iter().map(begins).fold(Condition::any(), Condition::add);
    Ok(active_staff().filter(has_password).limit(1).one(db).await?.is_some())
}

/// Locks the staff users who can log in until the transaction ends; returns their ids.
pub async fn lock_staff(db: &impl ConnectionTrait) -> Result<Vec<UserId>, DbErr> {
    let staff = active_staff().order_by_asc(user::Column::Id).lock_exclusive().all(db).await?;
    Ok(staff.into_iter().filter(User::has_password).map(|user| user.id).collect())
}

fn active_staff() -> Select<user::Entity> {
    user::Entity::find().filter(user::Column::Role.eq(Role::Staff)).filter(user::Column::Active.eq(true))
}

/// A change of a user by staff; `None` leaves a field unchanged.
#[derive(Debug, Clone, Default)]
pub struct UserChange<'a> {
    /// A new address removes the link to Slack: it may belong to another person.
    pub email: Option<&'a EmailAddress>,
    pub role: Option<Role>,
    /// The inner `None` removes it.
    pub slack_handle: Option<Option<&'a SlackHandle>>,
    pub active: Option<bool>,
}

/// Changes a user. A taken e-mail is a unique violation.
pub async fn change(
    db: &impl ConnectionTrait,
    id: UserId,
    change: UserChange<'_>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let mut row = user::ActiveModel { id: Unchanged(id), updated_at: Set(now), ..Default::default() };
    if let Some(email) = change.email {
        row.email = Set(email.as_str().to_owned());
        row.email_key = Set(email_key(email.as_str()));
        row.slack_user_id = Set(None);
    }
    if let Some(role) = change.role {
        row.role = Set(role);
    }
    if let Some(handle) = change.slack_handle {
        row.slack_handle = Set(handle.map(ToString::to_string).unwrap_or_default());
    }
    if let Some(active) = change.active {
        row.active = Set(active);
    }
    user::Entity::update(row).exec_without_returning(db).await?;
    Ok(())
}

/// Sets a user's password, in the PHC string format.
pub async fn set_password(
    db: &impl ConnectionTrait,
    id: UserId,
    password_hash: String,
    must_change_password: bool,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let row = user::ActiveModel {
        id: Unchanged(id),
        password_hash: Set(password_hash),
        must_change_password: Set(must_change_password),
        updated_at: Set(now),
        ..Default::default()
    };
    user::Entity::update(row).exec_without_returning(db).await?;
    Ok(())
}

/// True when some user's password hash begins with this.
pub async fn any_hash_like(db: &impl ConnectionTrait, beginning: &str) -> Result<bool, DbErr> {
    let like = user::Entity::find().filter(user::Column::PasswordHash.starts_with(beginning));
    let id = like.select_only().column(user::Column::Id).limit(1).into_tuple::<UserId>();
    Ok(id.one(db).await?.is_some())
}

/// Stores another hash of the same password, unless the password was changed since.
pub async fn replace_hash(
    db: &impl ConnectionTrait,
    id: UserId,
    from: &str,
    to: String,
) -> Result<(), DbErr> {
    let row = user::ActiveModel { password_hash: Set(to), ..Default::default() };
    let same = user::Entity::update_many().set(row).filter(user::Column::Id.eq(id));
    same.filter(user::Column::PasswordHash.eq(from)).exec(db).await?;
    Ok(())
}
