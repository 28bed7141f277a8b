//! Table `slack_people`: cached Slack profiles.

use sea_orm::entity::prelude::*;

/// One row.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "slack_people")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub slack_user_id: String,
    /// Real name.
    pub name: String,
    /// E-mail in lower case, where Slack tells it; never of those who may not be linked to an account.
    pub email_key: Option<String>,
    /// Whether they may be linked to an account: a person of our workspace whose e-mail was confirmed. `None`: Slack
    /// was asked before that counted.
    pub is_member: Option<bool>,
    /// When Slack was last asked.
    pub asked_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
