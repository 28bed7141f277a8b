//! The modal `resolve_repair`.

use super::mrkdwn::{bold, line, line_within};
use super::{Blocks, BlocksError, Modal};
use crate::domain::text::Note;
use crate::views::repairs::RepairBrief;
use serde::Serialize;

/// Most characters of the description, which only identifies the repair.
const HINT_MAX: usize = 300;

#[derive(Serialize)]
struct Content<'a> {
    private_metadata: &'a str,
    repair: String,
    note_max: usize,
}

impl Blocks {
    /// The modal that asks what was done. `private_metadata` has at most 3000 characters.
    pub fn resolve_repair(&self, private_metadata: &str, repair: &RepairBrief) -> Result<Modal, BlocksError> {
        let (equipment, area) = (bold(&repair.equipment, 200), line(&repair.area, 80));
        let what = line_within(&repair.fields.description, HINT_MAX);
        let repair = format!("{equipment} ({area}) · repair #{}\n{what}", repair.id);
        Ok(Modal(self.fill("resolve_repair", &Content { private_metadata, repair, note_max: Note::MAX })?))
    }
}
