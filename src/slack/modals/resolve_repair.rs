//! The modal `resolve_repair`: asks what was done, and closes the repair with that note.

use crate::domain::actor::{Actor, Role};
use crate::domain::edit::{Conflict, RepairEdit};
use crate::domain::field::FieldValue;
use crate::domain::ids::RepairId;
use crate::domain::repair::RepairStatus;
use crate::domain::text::{Note, RequestId};
use crate::ops::update_repair::{UpdateRepair, update_repair};
use crate::ops::{OpError, allow, repairs};
use crate::slack::edge::{EdgeError, ReplyTo, SlackEdge, failure};
use crate::slack::envelope::ViewSubmission;
use crate::slack::ids::input;
use crate::slack::intake::{Ack, Reference};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::json;

const CLOSED: EdgeError = EdgeError::Unfit("This repair is closed already.");
const STALE: EdgeError =
    EdgeError::Unfit("I no longer know this form. Please close it and press the button again.");

/// What the modal keeps between its opening and its submission.
#[derive(Serialize, Deserialize)]
struct Metadata {
    request_id: RequestId,
    repair: RepairId,
    /// Of the repair, as the person saw it.
    version: i64,
}

/// Opens the modal for a technician.
///
/// # Errors
/// `Forbidden`; `NotFound`; closed already; Slack's; the database's.
pub(crate) async fn open(
    edge: &SlackEdge,
    actor: &Actor,
    repair: RepairId,
    trigger: &SecretString,
) -> Result<(), EdgeError> {
    allow(actor, Role::Technician)?;
    let shown = repairs::repair(&edge.ctx, repair, None).await?;
    if !shown.fields.status.is_open() {
        return Err(CLOSED);
    }
    let request_id = RequestId::from_random(rand::random());
    let metadata = json!(Metadata { request_id, repair, version: shown.version }).to_string();
    let modal = edge.blocks.resolve_repair(&shown, &metadata)?;
    edge.api.views_open(trigger, &modal.0).await?;
    Ok(())
}

/// Resolves the repair; what is wrong stands at the note, and the form keeps it.
pub(crate) async fn submit(edge: &SlackEdge, submission: ViewSubmission, ack: Ack, reference: &Reference) {
    match resolve(edge, &submission).await {
        Ok((repair, told)) => {
            ack.with(json!({ "response_action": "clear" }));
            if !told {
                let words = format!(":white_check_mark: Repair #{repair} is resolved.");
                edge.tell(&ReplyTo::directly(&submission.sender), &words).await;
            }
        }
        Err(error) => ack.sorry(&failure(error, reference)),
    }
}

/// The repair, and whether the channels say so.
async fn resolve(edge: &SlackEdge, submission: &ViewSubmission) -> Result<(RepairId, bool), EdgeError> {
    let kept = submission.view.private_metadata.expose_secret();
    let Metadata { request_id, repair, version } = serde_json::from_str(kept).map_err(|_| STALE)?;
    let note = Note::parse(submission.view.state.text(input::NOTE).unwrap_or_default())
        .map_err(|error| OpError::refused(input::NOTE, error.to_string()))?;
    let actor = edge.actor(&submission.sender).await?;
    let values = vec![FieldValue::Status(RepairStatus::Resolved)];
    let edit = RepairEdit { version, values, note: Some(note) };
    let update = UpdateRepair { repair, edit, request_id };
    let resolved = match update_repair(&edge.ctx, &actor, update.clone()).await {
        Err(OpError::Conflict(conflicts)) => {
            update_repair(&edge.ctx, &actor, overtaken(&conflicts, update, edge).await?).await?
        }
        resolved => resolved?,
    };
    Ok((repair, !resolved.told.is_empty()))
}

/// Somebody gave the repair another status since the form was opened: whoever says that it is done need not
/// have seen that one, unless the repair is closed.
async fn overtaken(
    conflicts: &[Conflict],
    update: UpdateRepair,
    edge: &SlackEdge,
) -> Result<UpdateRepair, EdgeError> {
    let now = repairs::repair(&edge.ctx, update.repair, None).await?;
    if now.fields.status.is_open() {
        let edit = RepairEdit { version: now.version, ..update.edit };
        return Ok(UpdateRepair { edit, ..update });
    }
    let by = conflicts.first().map_or("Somebody", |conflict| &conflict.by);
    let words = format!("{by} closed it meanwhile: {}. Your note is not kept.", now.fields.status);
    Err(OpError::refused(input::NOTE, words).into())
}
