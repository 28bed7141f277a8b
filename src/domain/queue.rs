//! Filter and order of the queue of repairs.

use crate::domain::ids::{AreaId, UserId};
use crate::domain::repair::{RepairStatus, Severity};

/// Filter by assignee.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Whose {
    #[default]
    All,
    Of(UserId),
    /// Unassigned ones.
    Nobody,
}

/// The sort column of the queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum QueueOrder {
    /// Worst first, then oldest: the order to work in.
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

    /// The column with that name; the queue's default for any other.
    pub fn named(name: &str) -> Self {
        Self::ALL.into_iter().find(|(_, known)| *known == name).map(|(order, _)| order).unwrap_or_default()
    }

    /// Its name in addresses.
    pub fn name(self) -> &'static str {
        Self::ALL.into_iter().find(|(order, _)| *order == self).map_or("urgency", |(_, name)| name)
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct QueueFilter {
    pub area: Option<AreaId>,
    pub status: Option<RepairStatus>,
    pub severity: Option<Severity>,
    pub whose: Whose,
    /// Only those whose text, machine or number matches; empty for all.
    pub text: String,
    /// Closed repairs instead of open ones.
    pub closed: bool,
    pub order: QueueOrder,
    /// Descending instead of ascending.
    pub reversed: bool,
}
