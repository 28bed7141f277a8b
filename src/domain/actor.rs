//! Who acts, through which edge.

use crate::domain::ids::UserId;
use sea_orm::prelude::StringLen;
use sea_orm::{DeriveActiveEnum, EnumIter};
use serde::{Deserialize, Serialize};

/// What a user with an account may be; the later one may all that the earlier one may.
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
    /// Runs the place.
    #[sea_orm(string_value = "Staff")]
    Staff,
}

impl Role {
    /// Both, the lower first.
    pub const ALL: [Self; 2] = [Self::Technician, Self::Staff];

    /// The word that people read and forms send.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Technician => "Technician",
            Self::Staff => "Staff",
        }
    }

    /// The role of that word.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == word)
    }
}

/// Where a request came in.
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
    /// The Python system, in entries that were copied from it: it did not write down the way.
    #[sea_orm(string_value = "python")]
    Python,
}

/// Slack's id of a person, such as `U012ABCDEF`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SlackUserId(pub String);

/// An account, as far as acting needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub id: UserId,
    pub role: Role,
}

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The edge of the request.
    pub edge: Edge,
    /// The name under which the record keeps what was done.
    pub name: String,
    /// Slack's id, for those who come from there.
    pub slack_id: Option<SlackUserId>,
    /// The account, for those who have an active one.
    pub account: Option<Account>,
}

impl Actor {
    /// Somebody without an account, by the name that they gave.
    pub fn visitor(edge: Edge, name: &str) -> Self {
        Self { edge, name: name.to_owned(), slack_id: None, account: None }
    }

    /// Somebody with an account.
    pub fn of_account(edge: Edge, name: &str, account: Account) -> Self {
        Self { edge, name: name.to_owned(), slack_id: None, account: Some(account) }
    }

    /// True when they have this role, or one that may more.
    pub fn is_at_least(&self, role: Role) -> bool {
        self.account.as_ref().is_some_and(|account| account.role >= role)
    }
}
