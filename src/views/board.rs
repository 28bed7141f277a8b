//! The board: every live area with its live equipment.

use crate::domain::board::BoardStatus;
use crate::domain::ids::{AreaId, EquipmentId, RepairId};
use chrono::{DateTime, NaiveDate, Utc};
use std::collections::HashSet;

/// The whole board at one revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoardView {
    /// `board_revision` read before the data: the key of every cache of this view.
    pub revision: i64,
    pub generated_at: DateTime<Utc>,
    /// Live areas in order, empty ones included.
    pub areas: Vec<BoardArea>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoardArea {
    pub id: AreaId,
    pub name: String,
    /// Live equipment, by name.
    pub equipment: Vec<BoardEquipment>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoardEquipment {
    pub id: EquipmentId,
    pub name: String,
    pub status: BoardStatus,
    /// True if any of its open repairs has a safety risk.
    pub safety_risk: bool,
    /// The repair to show for it; `None` exactly if it is operational.
    pub headline: Option<Headline>,
}

/// The repair that the board shows for a piece of equipment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headline {
    pub repair: RepairId,
    /// The full reported description.
    pub issue: String,
    /// See `domain::board::standing`.
    pub eta: Option<NaiveDate>,
    pub assignee: Option<String>,
    /// Number of open repairs of the equipment, including this one.
    pub open_repairs: usize,
}

/// The search results on the board.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BoardMatches {
    pub ids: HashSet<EquipmentId>,
    /// True if nothing matched; these have the nearest names.
    pub are_nearest: bool,
}

/// Number of equipment per status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StatusCounts {
    pub operational: usize,
    pub degraded: usize,
    pub down: usize,
}

impl StatusCounts {
    pub fn of<'a>(equipment: impl IntoIterator<Item = &'a BoardEquipment>) -> Self {
        let mut counts = Self::default();
        for equipment in equipment {
            match equipment.status {
                BoardStatus::Operational => counts.operational += 1,
                BoardStatus::Degraded => counts.degraded += 1,
                BoardStatus::Down => counts.down += 1,
            }
        }
        counts
    }
}
