//! Table `requests`: accepted submissions, so that a repeated one gets the same answer; processed events, so that a
//! repeated one has no effect.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "requests")]
pub struct Model {
    /// `domain::idempotency::IdempotencyKey`, or `event:` and a `domain::text::EventId`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// The answer, as JSON.
    #[sea_orm(column_type = "Text")]
    pub answer: String,
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
