//! Who acts, through which edge.

use crate::domain::ids::UserId;
use sea_orm::prelude::StringLen;
use sea_orm::{DeriveActiveEnum, EnumIter};
use serde::{Deserialize, Serialize};

/// The role of a user with an account; a higher one includes the lower.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    EnumIter,
    DeriveActiveEnum,
)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))")]
pub enum Role {
    /// Repairs machines.
    #[sea_orm(string_value = "Technician")]
    Technician,
    /// Runs the makerspace.
    #[sea_orm(string_value = "Staff")]
    Staff,
}

impl Role {
    pub const ALL: [Self; 2] = [Self::Technician, Self::Staff];

    pub const fn word(self) -> &'static str {
        match self {
            Self::Technician => "Technician",
            Self::Staff => "Staff",
        }
    }

    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == word)
    }
}

/// The interface of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(8))")]
pub enum Edge {
    #[sea_orm(string_value = "slack")]
    Slack,
    #[sea_orm(string_value = "web")]
    Web,
    /// The command line.
    #[sea_orm(string_value = "cli")]
    Cli,
    /// The Python system, for copied entries: it did not record the edge.
    #[sea_orm(string_value = "python")]
    Python,
}

/// Slack's id of a person, such as `U012ABCDEF`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SlackUserId(pub String);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub id: UserId,
    pub role: Role,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    pub edge: Edge,
    /// The name in the records.
    pub name: String,
    /// For people who act in Slack.
    pub slack_id: Option<SlackUserId>,
    /// For people with an active account.
    pub account: Option<Account>,
}

impl Actor {
    /// A person without an account, with the name that they entered.
    pub fn visitor(edge: Edge, name: &str) -> Self {
        Self { edge, name: name.to_owned(), slack_id: None, account: None }
    }

    pub fn of_account(edge: Edge, name: &str, account: Account) -> Self {
        Self { edge, name: name.to_owned(), slack_id: None, account: Some(account) }
    }

    /// True when they have this role or a higher one.
    pub fn is_at_least(&self, role: Role) -> bool {
        self.account.as_ref().is_some_and(|account| account.role >= role)
    }
}
