//! The life of a delivery: its states, who is to blame for a failure, when it is tried again.
//!
//! ```text
//! pending ──lease──► sending ──sent──► delivered
//!    ▲                  │
//!    │                  ├─failed──► failed ──lease──► sending …
//!    └──not its turn────┘           └─ten blamed on the message, or 7 days─► dead
//! ```

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::prelude::StringLen;
use sea_orm::{DeriveActiveEnum, EnumIter};

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))")]
pub enum DeliveryState {
    /// Never tried.
    #[sea_orm(string_value = "pending")]
    Pending,
    /// A worker holds its lease.
    #[sea_orm(string_value = "sending")]
    Sending,
    /// Slack has it.
    #[sea_orm(string_value = "delivered")]
    Delivered,
    /// At least one failure, still trying.
    #[sea_orm(string_value = "failed")]
    Failed,
    /// Given up.
    #[sea_orm(string_value = "dead")]
    Dead,
}

/// What a delivery does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))")]
pub enum DeliveryKind {
    /// It posts a message: that tells an event, or begins a living one.
    #[sea_orm(string_value = "message")]
    Message,
    /// It brings a living message up to date, with what is when that is sent.
    #[sea_orm(string_value = "edit")]
    Edit,
    /// It takes a temporary password to whom it is for.
    #[sea_orm(string_value = "password")]
    Password,
}

impl DeliveryState {
    /// States of a delivery that is still owed.
    pub const OWED: [Self; 3] = [Self::Pending, Self::Sending, Self::Failed];
}

/// Why a try failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The target refuses this message; counts towards giving up.
    Message {
        /// The target's own word for it.
        code: String,
    },
    /// Nothing is wrong with the message: network, overload, rate limit, authentication.
    Circumstance {
        /// A short word for it.
        code: String,
        /// How long the target asked us to wait.
        retry_after: Option<TimeDelta>,
        /// True when the target may have taken the message and we do not know.
        in_doubt: bool,
    },
}

impl Failure {
    /// The word that the attempt's record and the log carry.
    pub fn code(&self) -> &str {
        match self {
            Self::Message { code } | Self::Circumstance { code, .. } => code,
        }
    }
}

/// Refusals after which a delivery is dead (spec "Deliveries").
pub const BLAMED_MAX: i32 = 10;
/// How long a delivery is tried at all.
pub const TRIED_FOR: TimeDelta = TimeDelta::days(7);
/// Longest wait that a target can ask for: a hostile answer must not park a message for years.
const RETRY_AFTER_MAX: TimeDelta = TimeDelta::hours(1);

/// Wait after the first, second … failure; the last one goes on.
const SCHEDULE: [TimeDelta; 6] = [
    TimeDelta::seconds(30),
    TimeDelta::minutes(1),
    TimeDelta::minutes(2),
    TimeDelta::minutes(5),
    TimeDelta::minutes(15),
    TimeDelta::hours(1),
];

/// What a delivery has behind it, the present failure not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// When it began to be owed.
    pub created_at: DateTime<Utc>,
    /// Failures of any kind.
    pub failures: i32,
    /// Failures blamed on the message.
    pub blamed: i32,
}

/// What becomes of a delivery after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is tried again at this time.
    Retry(DateTime<Utc>),
    /// It is given up.
    Dead,
}

/// How long to wait after a failure that so many came before: as long as was asked for, within reason, else
/// by the schedule.
pub fn wait(failures: i64, asked: Option<TimeDelta>) -> TimeDelta {
    let step = usize::try_from(failures).unwrap_or(0).min(SCHEDULE.len() - 1);
    asked.map_or(SCHEDULE[step], |asked| asked.clamp(TimeDelta::zero(), RETRY_AFTER_MAX))
}

/// Decides what becomes of a delivery that has just failed.
pub fn after_failure(tally: Tally, failure: &Failure, now: DateTime<Utc>) -> Verdict {
    let blamed = matches!(failure, Failure::Message { .. });
    if blamed && tally.blamed + 1 >= BLAMED_MAX {
        return Verdict::Dead;
    }
    let asked = match failure {
        Failure::Circumstance { retry_after, .. } => *retry_after,
        Failure::Message { .. } => None,
    };
    let wait = wait(tally.failures.into(), asked);
    if now + wait > tally.created_at + TRIED_FOR { Verdict::Dead } else { Verdict::Retry(now + wait) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: DateTime<Utc> = DateTime::UNIX_EPOCH;

    fn message() -> Failure {
        Failure::Message { code: "channel_not_found".into() }
    }

    fn circumstance(retry_after: Option<i64>) -> Failure {
        Failure::Circumstance {
            code: "ratelimited".into(),
            retry_after: retry_after.map(TimeDelta::seconds),
            in_doubt: false,
        }
    }

    #[track_caller]
    fn check(failures: i32, blamed: i32, failure: &Failure, expected: Option<i64>) {
        let tally = Tally { created_at: START, failures, blamed };
        let expected = expected.map_or(Verdict::Dead, |s| Verdict::Retry(START + TimeDelta::seconds(s)));
        assert_eq!(after_failure(tally, failure, START), expected);
    }

    #[test]
    fn waits_grow_and_then_stay_at_an_hour() {
        for (failures, wait) in [30, 60, 120, 300, 900, 3600, 3600, 3600].into_iter().enumerate() {
            check(i32::try_from(failures).unwrap(), 0, &circumstance(None), Some(wait));
        }
    }

    #[test]
    fn the_tenth_refusal_is_the_last_and_circumstances_do_not_count() {
        check(8, 8, &message(), Some(3600));
        check(9, 9, &message(), None);
        check(50, 9, &circumstance(None), Some(3600));
    }

    #[test]
    fn retry_after_is_obeyed_within_reason() {
        check(0, 0, &circumstance(Some(2)), Some(2));
        check(5, 0, &circumstance(Some(2)), Some(2));
        check(0, 0, &circumstance(Some(-5)), Some(0));
        check(0, 0, &circumstance(Some(1 << 40)), Some(3600));
    }

    #[test]
    fn after_seven_days_it_is_given_up() {
        let tally = Tally { created_at: START, failures: 160, blamed: 0 };
        let almost = START + TRIED_FOR - TimeDelta::hours(1);
        assert_eq!(after_failure(tally, &circumstance(None), almost), Verdict::Retry(START + TRIED_FOR));
        assert_eq!(after_failure(tally, &circumstance(None), almost + TimeDelta::seconds(1)), Verdict::Dead);
    }
}
