//! The life of a delivery: its states, the kinds of failures, and retries.
//!
//! ```text
//! pending ──lease──► sending ──sent──► delivered
//!    ▲                  │
//!    │                  ├─failed──► failed ──lease──► sending …
//!    └──rate limited────┘           └─ten rejections of the message, or 7 days─► dead
//! ```

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::prelude::StringLen;
use sea_orm::{DeriveActiveEnum, EnumIter};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))")]
pub enum DeliveryState {
    /// Never tried.
    #[sea_orm(string_value = "pending")]
    Pending,
    /// A worker has its lease.
    #[sea_orm(string_value = "sending")]
    Sending,
    /// Slack has it.
    #[sea_orm(string_value = "delivered")]
    Delivered,
    /// At least one failure; will be retried.
    #[sea_orm(string_value = "failed")]
    Failed,
    /// Given up.
    #[sea_orm(string_value = "dead")]
    Dead,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))")]
pub enum DeliveryKind {
    /// Posts a message about an event, or begins a live message.
    #[sea_orm(string_value = "message")]
    Message,
    /// Updates a live message to the state at the time of sending.
    #[sea_orm(string_value = "edit")]
    Edit,
    /// Sends a temporary password to its user.
    #[sea_orm(string_value = "password")]
    Password,
}

impl DeliveryState {
    /// States of a pending delivery.
    pub const PENDING: [Self; 3] = [Self::Pending, Self::Sending, Self::Failed];
}

/// A shared cause of failure. One of the waiting deliveries is retried, not each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))")]
pub enum Cause {
    /// Slack as a whole does not answer, or reports an outage.
    #[sea_orm(string_value = "slack")]
    Slack,
    /// Slack does not accept the token.
    #[sea_orm(string_value = "token")]
    Token,
    /// The channel accepts nothing: it is archived, unknown, or the bot is not in it.
    #[sea_orm(string_value = "channel")]
    Channel,
    /// Our database did not return the content.
    #[sea_orm(string_value = "database")]
    Database,
}

/// Why an attempt failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The target rejects this message; counts towards giving up.
    Rejected {
        /// The target's error code.
        code: String,
    },
    /// The message could not be built: a bug. Nothing was sent; counts like a rejection.
    Unsendable {
        /// A short error code.
        code: String,
    },
    /// Not known to be caused by the message: network, overload, rate limit, authentication, the channel.
    Transient {
        /// A short error code.
        code: String,
        /// The shared cause; `None` if only this delivery is known to be affected.
        cause: Option<Cause>,
        /// How long to wait, if known.
        retry_after: Option<TimeDelta>,
        /// True when the target may have received the message.
        in_doubt: bool,
    },
}

impl Failure {
    /// The code in the attempt's row and in the log.
    pub fn code(&self) -> &str {
        match self {
            Self::Rejected { code } | Self::Unsendable { code } | Self::Transient { code, .. } => code,
        }
    }

    /// The shared cause, if any.
    pub const fn cause(&self) -> Option<Cause> {
        match self {
            Self::Rejected { .. } | Self::Unsendable { .. } => None,
            Self::Transient { cause, .. } => *cause,
        }
    }

    /// True when it counts towards giving up.
    pub const fn is_rejection(&self) -> bool {
        matches!(self, Self::Rejected { .. } | Self::Unsendable { .. })
    }
}

/// Rejections after which a delivery is dead (spec "Deliveries").
pub const REJECTIONS_MAX: i32 = 10;
/// How long a delivery is retried.
pub const TRIED_FOR: TimeDelta = TimeDelta::days(7);
/// How often a shared cause is probed (spec "Deliveries").
pub const PROBE_EVERY: TimeDelta = TimeDelta::minutes(1);
/// Longest delay: a hostile response must not delay a message for years.
pub const WAIT_MAX: TimeDelta = TimeDelta::hours(1);

/// Delay after the first, second … failure; the last one repeats.
const SCHEDULE: [TimeDelta; 6] = [
    TimeDelta::seconds(30),
    TimeDelta::minutes(1),
    TimeDelta::minutes(2),
    TimeDelta::minutes(5),
    TimeDelta::minutes(15),
    WAIT_MAX,
];

/// Earlier failures of a delivery, without the current one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    pub created_at: DateTime<Utc>,
    /// Failures of any kind.
    pub failures: i32,
    /// Failures that were rejections of the message.
    pub rejections: i32,
}

/// What to do after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Retry(DateTime<Utc>),
    Dead,
}

/// The delay after a failure, given the number of earlier ones: the requested one up to a limit, else by the
/// schedule.
pub fn wait(failures: i64, asked: Option<TimeDelta>) -> TimeDelta {
    let step = usize::try_from(failures).unwrap_or(0).min(SCHEDULE.len() - 1);
    asked.map_or(SCHEDULE[step], |asked| asked.clamp(TimeDelta::zero(), WAIT_MAX))
}

/// Decides what to do with a failed delivery. A delivery with a shared cause is due again with that cause's next
/// probe.
pub fn after_failure(tally: Tally, failure: &Failure, now: DateTime<Utc>) -> Verdict {
    let failures = i64::from(tally.failures);
    if failure.is_rejection() && tally.rejections + 1 >= REJECTIONS_MAX {
        return Verdict::Dead;
    }
    let wait = match failure {
        Failure::Rejected { .. } | Failure::Unsendable { .. } => wait(failures, None),
        Failure::Transient { cause: Some(_), retry_after: None, .. } => wait(failures, None).min(PROBE_EVERY),
        Failure::Transient { retry_after, .. } => wait(failures, *retry_after),
    };
    if now + wait > tally.created_at + TRIED_FOR { Verdict::Dead } else { Verdict::Retry(now + wait) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: DateTime<Utc> = DateTime::UNIX_EPOCH;

    fn rejected() -> Failure {
        Failure::Rejected { code: "invalid_blocks".into() }
    }

    fn transient(cause: Option<Cause>, retry_after: Option<i64>) -> Failure {
        let retry_after = retry_after.map(TimeDelta::seconds);
        Failure::Transient { code: "ratelimited".into(), cause, retry_after, in_doubt: false }
    }

    #[track_caller]
    fn check(failures: i32, rejections: i32, failure: &Failure, expected: Option<i64>) {
        let tally = Tally { created_at: START, failures, rejections };
        let expected = expected.map_or(Verdict::Dead, |s| Verdict::Retry(START + TimeDelta::seconds(s)));
        assert_eq!(after_failure(tally, failure, START), expected);
    }

    #[test]
    fn waits_grow_and_then_stay_at_an_hour() {
        for (failures, wait) in [30, 60, 120, 300, 900, 3600, 3600, 3600].into_iter().enumerate() {
            check(i32::try_from(failures).unwrap(), 0, &transient(None, None), Some(wait));
        }
    }

    #[test]
    fn shared_causes_are_due_again_within_a_minute() {
        for cause in [Cause::Slack, Cause::Token, Cause::Channel] {
            check(0, 0, &transient(Some(cause), None), Some(30));
            check(1, 0, &transient(Some(cause), None), Some(60));
            check(5_000, 0, &transient(Some(cause), None), Some(60));
        }
    }

    #[test]
    fn tenth_rejection_is_last_and_transient_never_counts() {
        check(8, 8, &rejected(), Some(3600));
        check(9, 9, &rejected(), None);
        check(50, 9, &transient(None, None), Some(3600));
        check(50, 9, &transient(Some(Cause::Channel), None), Some(60));
    }

    #[test]
    fn retry_after_is_obeyed_within_reason() {
        check(0, 0, &transient(None, Some(2)), Some(2));
        check(5, 0, &transient(None, Some(2)), Some(2));
        check(0, 0, &transient(None, Some(-5)), Some(0));
        check(0, 0, &transient(None, Some(1 << 40)), Some(3600));
    }

    #[test]
    fn after_seven_days_it_is_dead() {
        let tally = Tally { created_at: START, failures: 160, rejections: 0 };
        let almost = START + TRIED_FOR - TimeDelta::hours(1);
        let late = almost + TimeDelta::seconds(1);
        assert_eq!(after_failure(tally, &transient(None, None), almost), Verdict::Retry(START + TRIED_FOR));
        assert_eq!(after_failure(tally, &transient(None, None), late), Verdict::Dead);
    }
}
