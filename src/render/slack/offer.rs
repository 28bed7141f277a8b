//! What a technician is offered who reacted to a card: a button of the card, by direct message.

use super::card::buttons_of_version;
use super::mrkdwn::{bold, line, line_within};
use super::{Blocks, BlocksError, Message};
use crate::domain::ids::RepairId;
use crate::views::repairs::RepairBrief;
use serde::Serialize;

/// Most characters of the description: it only tells which repair is meant.
const HINT_MAX: usize = 300;

/// What is offered.
#[derive(Debug, Clone, Copy)]
pub enum Offer<'a> {
    /// To close it.
    Resolve(&'a RepairBrief),
    /// To claim what is somebody else's.
    TakeOver(&'a RepairBrief),
}

#[derive(Serialize)]
struct Content {
    text: String,
    /// Block id: it says which version of the repair is meant.
    buttons: String,
    resolve: bool,
    repair: RepairId,
}

impl Blocks {
    /// The message that offers it.
    ///
    /// # Errors
    /// A mistake of ours in the template.
    pub fn offer(&self, offer: &Offer<'_>) -> Result<Message, BlocksError> {
        let (Offer::Resolve(repair) | Offer::TakeOver(repair)) = offer;
        let which =
            format!("{} ({}) · repair #{}", bold(&repair.equipment, 200), line(&repair.area, 80), repair.id);
        let what = line_within(&repair.fields.description, HINT_MAX);
        let (question, resolve) = match offer {
            Offer::Resolve(_) => {
                ("Is it done? The button asks what was done, and closes it.".to_owned(), true)
            }
            Offer::TakeOver(_) => {
                let who = repair.fields.assignee.as_ref().map_or("nobody", |person| person.name.as_str());
                (format!("It is assigned to {}. The button makes it yours.", line(who, 200)), false)
            }
        };
        let text = format!("{which}\n{what}\n{question}");
        let buttons = buttons_of_version(repair.version);
        let blocks =
            self.fill("offer", &Content { text: text.clone(), buttons, resolve, repair: repair.id })?;
        Ok(Message::new(text, blocks))
    }
}
