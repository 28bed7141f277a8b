//! What of the queue of repairs somebody wants to see, and in which order.

use crate::domain::ids::{AreaId, UserId};
use crate::domain::repair::{RepairStatus, Severity};

/// Whose repairs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Whose {
    /// Everybody's.
    #[default]
    All,
    /// Those of this person.
    Of(UserId),
    /// Those that nobody has taken.
    Nobody,
}

/// The sort column of the queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum QueueOrder {
    /// Worst first, then oldest: the order in which to work.
    #[default]
    Urgency,
    /// By machine.
    Equipment,
    Status,
    Assignee,
    /// By ETA, those without one last.
    Eta,
    /// Oldest first.
    Age,
}

impl QueueOrder {
    /// Every column, with its name in addresses.
    pub const ALL: [(Self, &'static str); 6] = [
        (Self::Urgency, "urgency"),
        (Self::Equipment, "machine"),
        (Self::Status, "status"),
        (Self::Assignee, "assignee"),
        (Self::Eta, "eta"),
        (Self::Age, "age"),
    ];

    /// The column of that name; the queue's own order for any other.
    pub fn named(name: &str) -> Self {
        Self::ALL.into_iter().find(|(_, known)| *known == name).map(|(order, _)| order).unwrap_or_default()
    }

    /// Its name in addresses.
    pub fn name(self) -> &'static str {
        Self::ALL.into_iter().find(|(order, _)| *order == self).map_or("urgency", |(_, name)| name)
    }
}

/// What of the queue is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct QueueFilter {
    /// Only this area.
    pub area: Option<AreaId>,
    /// Only this status.
    pub status: Option<RepairStatus>,
    /// Only this severity.
    pub severity: Option<Severity>,
    pub whose: Whose,
    /// Only those whose text, machine or number matches; empty for all.
    pub text: String,
    /// Closed ones instead of open ones.
    pub closed: bool,
    pub order: QueueOrder,
    /// The other way round.
    pub reversed: bool,
}
