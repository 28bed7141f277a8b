//! Severity and status of a repair.

use sea_orm::prelude::StringLen;
use sea_orm::{DeriveActiveEnum, EnumIter};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A word that is not a severity or status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not one of the choices")]
pub struct UnknownWord;

macro_rules! words {
    ($name:ident { $($variant:ident => $word:literal),+ $(,)? }) => {
        impl $name {
            /// All variants, in the order of forms.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word that is shown and stored.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.word())
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(s: &str) -> Result<Self, UnknownWord> {
                match s { $($word => Ok(Self::$variant),)+ _ => Err(UnknownWord) }
            }
        }
    };
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))")]
pub enum Severity {
    /// The machine is unusable.
    #[sea_orm(string_value = "Down")]
    #[serde(rename = "Down")]
    Down,
    /// Usable with care.
    #[sea_orm(string_value = "Degraded")]
    #[serde(rename = "Degraded")]
    Degraded,
    /// The reporter could not tell.
    #[sea_orm(string_value = "Not Sure")]
    #[serde(rename = "Not Sure")]
    NotSure,
}

words!(Severity { Down => "Down", Degraded => "Degraded", NotSure => "Not Sure" });

impl Severity {
    /// Its meaning, for the person who chooses.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Down => "It cannot be used.",
            Self::Degraded => "It can be used, with care.",
            Self::NotSure => "Somebody who knows it should look.",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(32))")]
pub enum RepairStatus {
    /// Reported, not looked at yet.
    #[sea_orm(string_value = "New")]
    #[serde(rename = "New")]
    New,
    /// It has an assignee.
    #[sea_orm(string_value = "Assigned")]
    #[serde(rename = "Assigned")]
    Assigned,
    /// Being worked on.
    #[sea_orm(string_value = "In Progress")]
    #[serde(rename = "In Progress")]
    InProgress,
    /// Parts must be ordered.
    #[sea_orm(string_value = "Parts Needed")]
    #[serde(rename = "Parts Needed")]
    PartsNeeded,
    /// Parts are on their way.
    #[sea_orm(string_value = "Parts Ordered")]
    #[serde(rename = "Parts Ordered")]
    PartsOrdered,
    /// Parts have arrived.
    #[sea_orm(string_value = "Parts Received")]
    #[serde(rename = "Parts Received")]
    PartsReceived,
    /// An external specialist is needed.
    #[sea_orm(string_value = "Needs Specialist")]
    #[serde(rename = "Needs Specialist")]
    NeedsSpecialist,
    /// Done.
    #[sea_orm(string_value = "Resolved")]
    #[serde(rename = "Resolved")]
    Resolved,
    /// Checked, nothing found.
    #[sea_orm(string_value = "Closed - No Issue Found")]
    #[serde(rename = "Closed - No Issue Found")]
    NoIssueFound,
    /// Another repair is about the same problem.
    #[sea_orm(string_value = "Closed - Duplicate")]
    #[serde(rename = "Closed - Duplicate")]
    Duplicate,
}

words!(RepairStatus {
    New => "New",
    Assigned => "Assigned",
    InProgress => "In Progress",
    PartsNeeded => "Parts Needed",
    PartsOrdered => "Parts Ordered",
    PartsReceived => "Parts Received",
    NeedsSpecialist => "Needs Specialist",
    Resolved => "Resolved",
    NoIssueFound => "Closed - No Issue Found",
    Duplicate => "Closed - Duplicate",
});

impl RepairStatus {
    /// True until the repair is closed.
    pub const fn is_open(self) -> bool {
        !matches!(self, Self::Resolved | Self::NoIssueFound | Self::Duplicate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severity_and_status_words_round_trip() {
        for &severity in Severity::ALL {
            assert_eq!(severity.word().parse(), Ok(severity));
        }
        for &status in RepairStatus::ALL {
            assert_eq!(status.word().parse(), Ok(status));
            assert_eq!(serde_json::to_value(status).unwrap(), status.word());
        }
        assert_eq!("down".parse::<Severity>(), Err(UnknownWord));
        assert_eq!("".parse::<RepairStatus>(), Err(UnknownWord));
    }

    #[test]
    fn seven_are_open_and_three_closed() {
        let open = RepairStatus::ALL.iter().filter(|s| s.is_open()).count();
        assert_eq!((open, RepairStatus::ALL.len() - open), (7, 3));
    }
}
