//! The life of a delivery: its states, what a failure is about, when it is tried again.
//!
//! ```text
//! pending ──lease──► sending ──sent──► delivered
//!    ▲                  │
//!    │                  ├─failed──► failed ──lease──► sending …
//!    └──not its turn────┘           └─ten rejections of the message, or 7 days─► dead
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
    /// It posts a message: that tells an event, or begins a live message.
    #[sea_orm(string_value = "message")]
    Message,
    /// It brings a live message up to date, with what is when that is sent.
    #[sea_orm(string_value = "edit")]
    Edit,
    /// It takes a temporary password to whom it is for.
    #[sea_orm(string_value = "password")]
    Password,
}

impl DeliveryState {
    /// States of a pending delivery.
    pub const PENDING: [Self; 3] = [Self::Pending, Self::Sending, Self::Failed];
}

/// What several deliveries wait for together. It is tried again by one of them, not by each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))")]
pub enum Cause {
    /// Slack as a whole does not answer, or says that it is in trouble.
    #[sea_orm(string_value = "slack")]
    Slack,
    /// Slack does not accept the token.
    #[sea_orm(string_value = "token")]
    Token,
    /// The channel takes nothing: it is archived, unknown, or the bot is not in it.
    #[sea_orm(string_value = "channel")]
    Channel,
    /// Our own database did not say what to send.
    #[sea_orm(string_value = "database")]
    Database,
}

/// Why a try failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The target refuses this message; counts towards giving up.
    Rejected {
        /// The target's own word for it.
        code: String,
    },
    /// It cannot be made into a message: a mistake of ours. Nothing was sent; counts like a rejection.
    Unsendable {
        /// A short word for it.
        code: String,
    },
    /// Not known to be about the message: network, overload, rate limit, authentication, the channel.
    Transient {
        /// A short word for it.
        code: String,
        /// What other deliveries wait for, too; none where only this one is known to wait.
        cause: Option<Cause>,
        /// How long to wait, where that is known.
        retry_after: Option<TimeDelta>,
        /// True when the target may have taken the message and we do not know.
        in_doubt: bool,
    },
}

impl Failure {
    /// The word that the attempt's record and the log carry.
    pub fn code(&self) -> &str {
        match self {
            Self::Rejected { code } | Self::Unsendable { code } | Self::Transient { code, .. } => code,
        }
    }

    /// What other deliveries wait for, too.
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
/// How long a delivery is tried at all.
pub const TRIED_FOR: TimeDelta = TimeDelta::days(7);
/// How often a cause is probed that several deliveries wait for (spec "Deliveries").
pub const PROBE_EVERY: TimeDelta = TimeDelta::minutes(1);
/// Longest wait: a hostile answer must not park a message for years.
pub const WAIT_MAX: TimeDelta = TimeDelta::hours(1);

/// Wait after the first, second … failure; the last one goes on.
const SCHEDULE: [TimeDelta; 6] = [
    TimeDelta::seconds(30),
    TimeDelta::minutes(1),
    TimeDelta::minutes(2),
    TimeDelta::minutes(5),
    TimeDelta::minutes(15),
    WAIT_MAX,
];

/// What a delivery has behind it, the present failure not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// When it was enqueued.
    pub created_at: DateTime<Utc>,
    /// Failures of any kind.
    pub failures: i32,
    /// Failures that were rejections of the message.
    pub rejections: i32,
}

/// What becomes of a delivery after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is tried again at this time.
    Retry(DateTime<Utc>),
    /// It is given up.
    Dead,
}

/// How long to wait after a failure, given the number of earlier ones: as long as was asked for, within reason, else
/// by the schedule.
pub fn wait(failures: i64, asked: Option<TimeDelta>) -> TimeDelta {
    let step = usize::try_from(failures).unwrap_or(0).min(SCHEDULE.len() - 1);
    asked.map_or(SCHEDULE[step], |asked| asked.clamp(TimeDelta::zero(), WAIT_MAX))
}

/// Decides what becomes of a delivery that has just failed. What waits for a shared cause is due again with that
/// cause's next probe.
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
