//! The direct message to a technician who reacted to a card: it offers a button that resolves the repair.

use super::mrkdwn::{bold, line, line_within};
use super::{Blocks, BlocksError, Message};
use crate::domain::ids::RepairId;
use crate::views::repairs::RepairBrief;
use serde::Serialize;

/// Most characters of the description, which only identifies the repair.
const HINT_MAX: usize = 300;

#[derive(Serialize)]
struct Content {
    text: String,
    repair: RepairId,
}

impl Blocks {
    /// The message with the button.
    pub fn offer_to_resolve(&self, repair: &RepairBrief) -> Result<Message, BlocksError> {
        let which =
            format!("{} ({}) · repair #{}", bold(&repair.equipment, 200), line(&repair.area, 80), repair.id);
        let what = line_within(&repair.fields.description, HINT_MAX);
        let text = format!("{which}\n{what}\nIs it done? The button asks what was done, and closes it.");
        let blocks = self.fill("offer", &Content { text: text.clone(), repair: repair.id })?;
        Ok(Message::new(text, blocks))
    }
}
