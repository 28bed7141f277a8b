//! The modal `update_repair`: all fields of a repair at once. Fields that the person did not touch keep other
//! people's changes; inputs that the form lacks stay unchanged.

use super::act_on_repair::edit;
use super::announced_in;
use super::form_parser::FormParser;
use super::submission_error::SubmissionError;
use super::view_metadata::{RepairAtVersion, ViewMetadata};
use crate::domain::field::FieldValue;
use crate::domain::ids::RepairId;
use crate::domain::text::Note;
use crate::ops::repairs::brief;
use crate::ops::repairs::update_repair::RepairUpdated;
use crate::render::slack::Modal;
use crate::slack::context::{EdgeError, ReplyTo, SlackContext};
use crate::slack::envelope::{State, ViewSubmission};
use crate::slack::ids::input;
use crate::slack::intake::{Ack, Reference};
use serde_json::json;

const STALE: &str = "This form is out of date. Please close it and start again with /esb-update.";

/// The modal for a repair in its current state.
///
/// # Errors
/// `NotFound`.
pub(crate) async fn modal(edge: &SlackContext, to: &ReplyTo, repair: RepairId) -> Result<Modal, EdgeError> {
    let brief = brief(&edge.ctx, repair).await?;
    let kept = ViewMetadata::new(to, RepairAtVersion { repair, version: brief.version }).to_json();
    Ok(edge.blocks.update_repair(&kept, &brief, edge.ctx.clock.now())?)
}

/// Saves it: errors at the invalid fields, conflicts among them, or all modals close and a private message
/// confirms.
pub(crate) async fn submit(edge: &SlackContext, submission: ViewSubmission, ack: Ack, reference: &Reference) {
    let (to, updated) = match save(edge, &submission).await {
        Ok(done) => done,
        Err(declined) => return declined.answer(ack, reference),
    };
    ack.with(json!({ "response_action": "clear" }));
    edge.tell(&to, &confirmation(&updated)).await;
}

async fn save(
    edge: &SlackContext,
    submission: &ViewSubmission,
) -> Result<(ReplyTo, RepairUpdated), SubmissionError> {
    let kept = ViewMetadata::<RepairAtVersion>::of(&submission.view, STALE)?;
    let actor = edge.technician(&submission.sender).await?;
    let typed = read(&submission.view.state)?;
    let to = kept.reply_to(&submission.sender.user_id);
    Ok((to, edit(edge, &actor, kept.more, typed, kept.request_id, true).await?))
}

/// Parses all inputs of the form.
fn read(state: &State) -> Result<(Vec<FieldValue>, Option<Note>), SubmissionError> {
    let mut typed = FormParser::new(state);
    let mut values = Vec::new();
    if state.get(input::STATUS).is_some() {
        values.extend(typed.chosen(input::STATUS, "Please choose a status.").map(FieldValue::Status));
    }
    values.extend(typed.duplicate_of());
    values.extend(typed.optional(input::SEVERITY).map(FieldValue::Severity));
    values.extend(typed.assignee());
    values.extend(state.get(input::ETA).map(|input| FieldValue::Eta(input.selected_date)));
    values.extend(
        state
            .get(input::SPECIALIST_DESCRIPTION)
            .map(|input| FieldValue::SpecialistDescription(input.value.clone().unwrap_or_default())),
    );
    values.extend(typed.ticked(input::SAFETY_RISK).map(FieldValue::SafetyRisk));
    values.extend(typed.ticked(input::CONSUMABLE).map(FieldValue::Consumable));
    let note = typed.note();
    if typed.faults.is_empty() { Ok((values, note)) } else { Err(SubmissionError::Fields(typed.faults)) }
}

fn confirmation(done: &RepairUpdated) -> String {
    let RepairUpdated { repair, status, .. } = done;
    if !done.changed {
        return format!(":white_check_mark: Nothing to change: repair #{repair} was like that already.");
    }
    format!(":white_check_mark: Repair #{repair} is saved. It is {status}.{}", announced_in(&done.channels))
}
