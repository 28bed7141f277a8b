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

/// A user to add.
#[derive(Debug, Clone)]
pub struct NewUser<'a> {
    /// Name to log in with.
    pub username: &'a Username,
    /// E-mail.
    pub email: &'a EmailAddress,
    /// What they may do.
    pub role: Role,
    /// Slack handle, where known.
    pub slack_handle: Option<&'a SlackHandle>,
    /// In the PHC string format.
    pub password_hash: String,
    /// The password was made by somebody else.
    pub must_change_password: bool,
}

/// Adds an active user.
///
/// # Errors
/// The database's; a unique violation when name or e-mail are taken.
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

/// The form in which e-mail addresses are compared.
pub fn email_key(email: &str) -> String {
    email.to_lowercase().chars().take(crate::domain::text::KEY_MAX).collect()
}

/// The user of that name, case ignored.
pub async fn named(db: &impl ConnectionTrait, username: &Username) -> Result<Option<User>, DbErr> {
    user::Entity::find().filter(user::Column::UsernameKey.eq(caseless(username.as_str()))).one(db).await
}

/// The user of the name as it was typed, else of the name that is read from it; case ignored.
pub async fn typed(db: &impl ConnectionTrait, typed: &str, name: &Username) -> Result<Option<User>, DbErr> {
    let (typed, name) = (caseless(typed), caseless(name.as_str()));
    let either = user::Entity::find().filter(user::Column::UsernameKey.is_in([&typed, &name]));
    let mut either = either.all(db).await?;
    either.sort_by_key(|user| user.username_key != typed);
    Ok(either.into_iter().next())
}

/// The user of that e-mail, case ignored.
pub async fn with_email(db: &impl ConnectionTrait, email: &str) -> Result<Option<User>, DbErr> {
    user::Entity::find().filter(user::Column::EmailKey.eq(email_key(email))).one(db).await
}

/// The active user who is that person in Slack: by the stored id, else by the e-mail that Slack tells.
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

/// The user who is tied to that person in Slack, active or not.
pub async fn linked(db: &impl ConnectionTrait, id: &SlackUserId) -> Result<Option<User>, DbErr> {
    user::Entity::find().filter(user::Column::SlackUserId.eq(id.0.as_str())).one(db).await
}

/// Ties a user who is tied to nobody to a person in Slack, who is tied to no other user from then on; false
/// when somebody was faster. The user's own record counts as unchanged.
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

/// Notes that something about a user has changed which their own row does not hold.
pub async fn touch(db: &impl ConnectionTrait, id: UserId, now: DateTime<Utc>) -> Result<(), DbErr> {
    change(db, id, UserChange::default(), now).await
}

/// True when any user was made or changed after `since`.
pub async fn changed_after(db: &impl ConnectionTrait, since: DateTime<Utc>) -> Result<bool, DbErr> {
    let changed = user::Entity::find().select_only().column(user::Column::Id);
    let changed = changed.filter(user::Column::UpdatedAt.gt(since)).limit(1);
    Ok(changed.into_tuple::<UserId>().one(db).await?.is_some())
}

/// Some of the active staff users who are known in Slack, by name.
pub async fn staff_in_slack(db: &impl ConnectionTrait, most: u64) -> Result<Vec<User>, DbErr> {
    let known = active_staff().filter(user::Column::SlackUserId.is_not_null());
    known.order_by_asc(user::Column::UsernameKey).limit(most).all(db).await
}

/// The user of that number, if active.
pub async fn active(db: &impl ConnectionTrait, id: UserId) -> Result<Option<User>, DbErr> {
    user::Entity::find_by_id(id).filter(user::Column::Active.eq(true)).one(db).await
}

/// Most accounts that are searched.
const SEARCHED_MAX: u64 = 20_000;

/// Numbers, names and roles of active users, by name.
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

/// What tells a user from others.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct Label {
    pub id: UserId,
    /// Name.
    pub username: String,
    /// E-mail.
    pub email: String,
}

/// What tells all users apart, active or not.
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

/// A user as others see them.
pub fn person(user: User) -> Person {
    Person { id: user.id, name: user.username, slack_id: user.slack_user_id.map(SlackUserId) }
}

pub async fn find(db: &impl ConnectionTrait, id: UserId) -> Result<Option<User>, DbErr> {
    user::Entity::find_by_id(id).one(db).await
}

/// The user of that number, whom nobody else changes until the transaction ends.
pub async fn hold(db: &impl ConnectionTrait, id: UserId) -> Result<Option<User>, DbErr> {
    user::Entity::find_by_id(id).lock_exclusive().one(db).await
}

/// Some of all users by name, and how many there are.
pub async fn some(db: &impl ConnectionTrait, skip: u64, most: u64) -> Result<(Vec<User>, u64), DbErr> {
    let all = user::Entity::find();
    let count = all.clone().count(db).await?;
    let sorted = all.order_by_asc(user::Column::UsernameKey).offset(skip).limit(most);
    Ok((sorted.all(db).await?, count))
}

/// What a password's hash begins with: ours, and those of the Python system. Anything else is no hash, and nobody logs
/// in with it.
const HASHES: [&str; 2] = ["$argon2", "scrypt:"];

impl User {
    /// True when there is a password with which they can log in, while they are active.
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

/// Numbers of the staff users who can log in. Nobody else changes them until the transaction ends.
pub async fn lock_staff(db: &impl ConnectionTrait) -> Result<Vec<UserId>, DbErr> {
    let staff = active_staff().order_by_asc(user::Column::Id).lock_exclusive().all(db).await?;
    Ok(staff.into_iter().filter(User::has_password).map(|user| user.id).collect())
}

fn active_staff() -> Select<user::Entity> {
    user::Entity::find().filter(user::Column::Role.eq(Role::Staff)).filter(user::Column::Active.eq(true))
}

/// What staff set of a user; `None` leaves it as it is.
#[derive(Debug, Clone, Default)]
pub struct UserChange<'a> {
    /// E-mail. Another one loosens the tie to Slack: it may be another person.
    pub email: Option<&'a EmailAddress>,
    /// What they may do.
    pub role: Option<Role>,
    /// Slack handle; the inner `None` when it is unknown.
    pub slack_handle: Option<Option<&'a SlackHandle>>,
    /// False: can do nothing.
    pub active: Option<bool>,
}

/// Changes a user.
///
/// # Errors
/// The database's; a unique violation when the e-mail is taken.
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

/// True when some user's password hash begins so.
pub async fn any_hash_like(db: &impl ConnectionTrait, beginning: &str) -> Result<bool, DbErr> {
    let like = user::Entity::find().filter(user::Column::PasswordHash.starts_with(beginning));
    let id = like.select_only().column(user::Column::Id).limit(1).into_tuple::<UserId>();
    Ok(id.one(db).await?.is_some())
}

/// Keeps the same password in another form, unless it was changed since.
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
