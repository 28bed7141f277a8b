//! Table `requests`: submissions that were accepted, so that a second arrival gets the same answer; events that were
//! acted upon, so that a second arrival is none.

use sea_orm::entity::prelude::*;

/// One row.
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
    /// When.
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
