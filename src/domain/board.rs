//! Derives a machine's color on the board from its open repairs. Never stored.

use crate::domain::ids::RepairId;
use crate::domain::repair::Severity;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

/// Status of a machine on the board, ordered from best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BoardStatus {
    /// Green: no open repair.
    Operational,
    /// Yellow: something is wrong, usable with care.
    Degraded,
    /// Red: unusable.
    Down,
}

impl BoardStatus {
    /// All three, best first.
    pub const ALL: [Self; 3] = [Self::Operational, Self::Degraded, Self::Down];

    /// The word on pages.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Operational => "Operational",
            Self::Degraded => "Degraded",
            Self::Down => "Down",
        }
    }

    /// The word in JSON, in class names and in metrics.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Operational => "operational",
            Self::Degraded => "degraded",
            Self::Down => "down",
        }
    }
}

/// The facts about an open repair that determine the status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenIssue {
    pub id: RepairId,
    /// Imported repairs may have none.
    pub severity: Option<Severity>,
    pub created_at: DateTime<Utc>,
    pub eta: Option<NaiveDate>,
}

impl OpenIssue {
    /// Orders the repairs of one machine: the least is its headline, the oldest of the worst severity.
    pub const fn precedence(&self) -> (u8, DateTime<Utc>, RepairId) {
        (rank(self.severity), self.created_at, self.id)
    }
}

/// The board status of a machine with its headline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    pub status: BoardStatus,
    /// The repair that the board shows, if any is open.
    pub headline: Option<RepairId>,
    /// The ETA that the board shows.
    pub eta: Option<NaiveDate>,
}

/// Worst first: `Down` before `Degraded` before `Not Sure` before none (spec "Board status of a machine").
pub const fn rank(severity: Option<Severity>) -> u8 {
    match severity {
        Some(Severity::Down) => 0,
        Some(Severity::Degraded) => 1,
        Some(Severity::NotSure) => 2,
        None => 3,
    }
}

/// Derives a machine's standing from its open repairs, in any order.
///
/// The headline is the oldest of the worst severity. The ETA is the headline's, or without one the latest among the
/// repairs of that severity.
pub fn standing(open: &[OpenIssue]) -> Standing {
    let Some(headline) = open.iter().min_by_key(|issue| issue.precedence()) else {
        return Standing { status: BoardStatus::Operational, headline: None, eta: None };
    };
    let same = open.iter().filter(|r| r.severity == headline.severity);
    let eta = headline.eta.or_else(|| same.filter_map(|r| r.eta).max());
    let status = match headline.severity {
        Some(Severity::Down) => BoardStatus::Down,
        _ => BoardStatus::Degraded,
    };
    Standing { status, headline: Some(headline.id), eta }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn issue(id: i64, severity: Option<Severity>, minute: i64, eta: Option<u32>) -> OpenIssue {
        OpenIssue {
            id: RepairId(id),
            severity,
            created_at: DateTime::from_timestamp(minute * 60, 0).unwrap(),
            eta: eta.and_then(|day| NaiveDate::from_ymd_opt(2026, 1, day)),
        }
    }

    #[track_caller]
    fn check(open: &[OpenIssue], status: BoardStatus, headline: Option<i64>, eta: Option<u32>) {
        let eta = eta.and_then(|day| NaiveDate::from_ymd_opt(2026, 1, day));
        assert_eq!(standing(open), Standing { status, headline: headline.map(RepairId), eta });
    }

    #[test]
    fn worst_then_oldest_then_lowest_number() {
        use BoardStatus::{Degraded, Down, Operational};
        let (down, degraded, unsure) =
            (Some(Severity::Down), Some(Severity::Degraded), Some(Severity::NotSure));
        check(&[], Operational, None, None);
        check(&[issue(1, None, 0, None)], Degraded, Some(1), None);
        check(&[issue(1, None, 0, None), issue(2, unsure, 9, None)], Degraded, Some(2), None);
        check(&[issue(1, unsure, 0, None), issue(2, degraded, 9, None)], Degraded, Some(2), None);
        check(&[issue(1, degraded, 0, None), issue(2, down, 9, None)], Down, Some(2), None);
        check(&[issue(2, down, 1, None), issue(1, down, 1, None)], Down, Some(1), None);
        check(&[issue(1, down, 2, None), issue(2, down, 1, None)], Down, Some(2), None);
    }

    #[test]
    fn eta_is_headlines_or_latest_of_its_severity() {
        let (down, degraded) = (Some(Severity::Down), Some(Severity::Degraded));
        check(&[issue(1, down, 0, Some(3)), issue(2, down, 1, Some(9))], BoardStatus::Down, Some(1), Some(3));
        check(
            &[issue(1, down, 0, None), issue(2, down, 1, Some(4)), issue(3, down, 2, Some(6))],
            BoardStatus::Down,
            Some(1),
            Some(6),
        );
        check(&[issue(1, down, 0, None), issue(2, degraded, 1, Some(4))], BoardStatus::Down, Some(1), None);
    }

    fn issues() -> impl Strategy<Value = Vec<OpenIssue>> {
        let severity = prop_oneof![
            Just(None),
            Just(Some(Severity::Down)),
            Just(Some(Severity::Degraded)),
            Just(Some(Severity::NotSure))
        ];
        let one = (severity, 0..5i64, proptest::option::of(1..28u32));
        proptest::collection::vec(one, 0..8).prop_map(|rows| {
            rows.into_iter().zip(1..).map(|((s, minute, eta), id)| issue(id, s, minute, eta)).collect()
        })
    }

    proptest! {
        #[test]
        fn order_does_not_matter(open in issues(), turn in 0..8usize) {
            let mut other = open.clone();
            if !other.is_empty() {
                let turn = turn % other.len();
                other.rotate_left(turn);
                other.reverse();
            }
            prop_assert_eq!(standing(&open), standing(&other));
        }

        #[test]
        fn red_means_down_and_green_means_none_open(open in issues()) {
            let standing = standing(&open);
            prop_assert_eq!(standing.status == BoardStatus::Operational, open.is_empty());
            let any_down = open.iter().any(|r| r.severity == Some(Severity::Down));
            prop_assert_eq!(standing.status == BoardStatus::Down, any_down);
        }
    }
}
