//! Cached Slack profiles, so that opening a modal needs no call to Slack.

use super::entities::slack_person;
use crate::domain::actor::SlackUserId;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect};

pub use super::entities::slack_person::Model as SlackPerson;

pub async fn find(db: &impl ConnectionTrait, id: &SlackUserId) -> Result<Option<SlackPerson>, DbErr> {
    slack_person::Entity::find_by_id(id.0.as_str()).one(db).await
}

/// The only person with that e-mail (as [`super::users::email_key`] returns it); `None` if several profiles have
/// it, which were fetched at different times.
pub async fn with_email(db: &impl ConnectionTrait, key: &str) -> Result<Option<SlackPerson>, DbErr> {
    let theirs = slack_person::Entity::find().filter(slack_person::Column::EmailKey.eq(key));
    let mut theirs = theirs.limit(2).all(db).await?;
    Ok(theirs.pop().filter(|_| theirs.is_empty()))
}

/// Cached profiles of these people; a few hundred ids at most: each takes a parameter.
pub async fn of(db: &impl ConnectionTrait, ids: &[SlackUserId]) -> Result<Vec<SlackPerson>, DbErr> {
    let ids = ids.iter().map(|id| id.0.as_str());
    slack_person::Entity::find().filter(slack_person::Column::SlackUserId.is_in(ids)).all(db).await
}

/// Stores a profile.
pub async fn keep(db: &impl ConnectionTrait, person: SlackPerson) -> Result<(), DbErr> {
    let replace = OnConflict::column(slack_person::Column::SlackUserId)
        .update_columns([
            slack_person::Column::Name,
            slack_person::Column::EmailKey,
            slack_person::Column::IsMember,
            slack_person::Column::AskedAt,
        ])
        .to_owned();
    let row = slack_person::Entity::insert(person.into_active_model());
    row.on_conflict(replace).exec_without_returning(db).await?;
    Ok(())
}
