//! Slack users whom staff have unlinked from an account: a common e-mail address no longer links them.

use super::entities::slack_unlink;
use crate::domain::actor::SlackUserId;
use crate::domain::ids::UserId;
use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select, Set,
};

/// Most people that are listed for one account.
const NAMED_MAX: u64 = 20;

/// Prevents this person from being linked to the account again. The caller has locked the user's row.
pub async fn add(
    db: &impl ConnectionTrait,
    user: UserId,
    id: &SlackUserId,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    if contains(db, user, id).await? {
        return Ok(());
    }
    let row = slack_unlink::ActiveModel {
        user_id: Set(user),
        slack_user_id: Set(id.0.clone()),
        created_at: Set(now),
        ..Default::default()
    };
    slack_unlink::Entity::insert(row).exec_without_returning(db).await?;
    Ok(())
}

/// True when staff have unlinked this person from the account.
pub async fn contains(db: &impl ConnectionTrait, user: UserId, id: &SlackUserId) -> Result<bool, DbErr> {
    let row = of(user).filter(slack_unlink::Column::SlackUserId.eq(id.0.as_str()));
    Ok(row.one(db).await?.is_some())
}

/// The people unlinked from the account, the latest first.
pub async fn latest(db: &impl ConnectionTrait, user: UserId) -> Result<Vec<SlackUserId>, DbErr> {
    let latest = of(user).order_by_desc(slack_unlink::Column::Id).limit(NAMED_MAX);
    Ok(latest.all(db).await?.into_iter().map(|row| SlackUserId(row.slack_user_id)).collect())
}

/// Allows this person to be linked to the account again; false if that was allowed already.
pub async fn remove(db: &impl ConnectionTrait, user: UserId, id: &SlackUserId) -> Result<bool, DbErr> {
    let theirs = slack_unlink::Entity::delete_many()
        .filter(slack_unlink::Column::UserId.eq(user))
        .filter(slack_unlink::Column::SlackUserId.eq(id.0.as_str()));
    Ok(theirs.exec(db).await?.rows_affected > 0)
}

/// Allows everybody to be linked to the account again.
pub async fn clear(db: &impl ConnectionTrait, user: UserId) -> Result<(), DbErr> {
    let all = slack_unlink::Entity::delete_many().filter(slack_unlink::Column::UserId.eq(user));
    all.exec(db).await?;
    Ok(())
}

fn of(user: UserId) -> Select<slack_unlink::Entity> {
    slack_unlink::Entity::find().filter(slack_unlink::Column::UserId.eq(user))
}
