//! Table `slack_people`: cached Slack profiles.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "slack_people")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub slack_user_id: String,
    /// Real name.
    pub name: String,
    /// E-mail in lower case, if Slack returns it; never of people who may not be linked to an account.
    pub email_key: Option<String>,
    /// Whether they may be linked to an account: a person of our workspace with a confirmed e-mail. `None`: looked
    /// up by a version without this check.
    pub is_member: Option<bool>,
    /// Time of the latest lookup.
    pub asked_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
