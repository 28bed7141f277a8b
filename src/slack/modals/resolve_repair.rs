//! The modal `resolve_repair`: has an input for what was done, and closes the repair with that note.

use super::act_on_repair::edit;
use super::form_parser::FormParser;
use super::submission_error::SubmissionError;
use super::view_metadata::{RepairAtVersion, ViewMetadata};
use crate::domain::field::FieldValue;
use crate::domain::ids::RepairId;
use crate::domain::repair::RepairStatus;
use crate::ops::repairs::brief;
use crate::ops::repairs::update_repair::RepairUpdated;
use crate::slack::context::{EdgeError, ReplyTo, SlackContext};
use crate::slack::envelope::{Sender, ViewSubmission};
use crate::slack::intake::{Ack, Reference};
use secrecy::SecretString;
use serde_json::json;

const CLOSED: EdgeError = EdgeError::Unfit("This repair is already closed.");
const STALE: &str = "This form is out of date. Please close it and press the button again.";

/// Opens the modal with the trigger of the pressed button.
///
/// # Errors
/// The person is not a technician; `NotFound`; the repair is closed already; Slack's errors.
pub(crate) async fn open(
    edge: &SlackContext,
    sender: &Sender,
    trigger: &SecretString,
    repair: RepairId,
) -> Result<(), EdgeError> {
    edge.technician(sender).await?;
    let brief = brief(&edge.ctx, repair).await?;
    if !brief.fields.status.is_open() {
        return Err(CLOSED);
    }
    let kept =
        ViewMetadata::new(&ReplyTo::directly(sender), RepairAtVersion { repair, version: brief.version });
    edge.api.views_open(trigger, &edge.blocks.resolve_repair(&kept.to_json(), &brief)?.0).await?;
    Ok(())
}

/// Resolves the repair; errors are shown at the note. Card and channels show the result, so the person gets a
/// private message only if there is no announcement.
pub(crate) async fn submit(edge: &SlackContext, submission: ViewSubmission, ack: Ack, reference: &Reference) {
    let resolved = match resolve(edge, &submission).await {
        Ok(resolved) => resolved,
        Err(declined) => return declined.answer(ack, reference),
    };
    ack.with(json!({ "response_action": "clear" }));
    if resolved.channels.is_empty() {
        let words = format!(":white_check_mark: Repair #{} is resolved.", resolved.repair);
        edge.tell(&ReplyTo::directly(&submission.sender), &words).await;
    }
}

async fn resolve(edge: &SlackContext, submission: &ViewSubmission) -> Result<RepairUpdated, SubmissionError> {
    let kept = ViewMetadata::<RepairAtVersion>::of(&submission.view, STALE)?;
    let actor = edge.technician(&submission.sender).await?;
    let mut typed = FormParser::new(&submission.view.state);
    let note = typed.note();
    if !typed.faults.is_empty() {
        return Err(SubmissionError::Fields(typed.faults));
    }
    let values = vec![FieldValue::Status(RepairStatus::Resolved)];
    Ok(edit(edge, &actor, kept.more, (values, note), kept.request_id, true).await?)
}
