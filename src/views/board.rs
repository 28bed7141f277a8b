//! What the board shows: every live area with its live machines.

use crate::domain::board::BoardStatus;
use crate::domain::ids::{AreaId, EquipmentId, RepairId};
use chrono::{DateTime, NaiveDate, Utc};
use std::collections::HashSet;

/// The whole board as it was at one revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoardView {
    /// `board_revision` read before the data: the key of every cache made from this.
    pub revision: i64,
    /// When it was read.
    pub generated_at: DateTime<Utc>,
    /// Live areas in their order, empty ones included.
    pub areas: Vec<BoardArea>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoardArea {
    pub id: AreaId,
    pub name: String,
    /// Live machines, by name.
    pub equipment: Vec<BoardEquipment>,
}

/// One machine of the board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoardEquipment {
    pub id: EquipmentId,
    pub name: String,
    /// Its colour.
    pub status: BoardStatus,
    /// True when somebody could be hurt, by any of its open repairs.
    pub safety_risk: bool,
    /// The repair that speaks for it; `None` exactly when it is operational.
    pub headline: Option<Headline>,
}

/// The repair that the board shows for a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headline {
    pub repair: RepairId,
    /// What is wrong, as reported, whole.
    pub issue: String,
    /// When it should be done (see `domain::board::standing`).
    pub eta: Option<NaiveDate>,
    /// Who works on it.
    pub assignee: Option<String>,
    /// How many repairs of the machine are open, this one included.
    pub open_repairs: usize,
}

/// The machines of the board that a search finds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BoardMatches {
    /// Their numbers.
    pub ids: HashSet<EquipmentId>,
    /// True when none fits: these have the nearest names.
    pub are_nearest: bool,
}

/// How many machines have which colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StatusCounts {
    /// Green ones.
    pub operational: usize,
    /// Yellow ones.
    pub degraded: usize,
    /// Red ones.
    pub down: usize,
}

impl StatusCounts {
    /// Counts machines by colour.
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
