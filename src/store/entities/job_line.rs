//! Table `job_updates`: lines of jobs; append-only.

use sea_orm::entity::prelude::*;

use crate::domain::ids::JobId;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "job_updates")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub job_id: JobId,
    #[sea_orm(column_type = "Text")]
    pub text: String,
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
