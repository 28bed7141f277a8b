//! Opens the modal `report_problem`: from a command, a shortcut or a button, with prefilled values.

use super::{Metadata, ReportMetadata};
use crate::domain::text::Note;
use crate::ops::board;
use crate::ops::search::{any_equipment, exact_equipment};
use crate::render::slack::report::ReportModal;
use crate::slack::context::{EdgeError, ReplyTo, SlackContext};
use crate::slack::envelope::Sender;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

const NO_MACHINES: &str =
    "No machines are registered yet, so there is nothing to report. Please ask staff to add them.";

/// Prefilled values of a report form.
#[derive(Debug, Clone, Default)]
pub(crate) struct Beginning<'a> {
    /// The machine: a name, or `#` and its number.
    pub(crate) typed: &'a str,
    pub(crate) description: &'a str,
    /// The reported message.
    pub(crate) source: Option<Source>,
}

/// A message that is reported.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Source {
    pub(crate) channel: String,
    pub(crate) ts: String,
}

impl Source {
    /// The note about the message for the repair's timeline. Slack is called only at submission: nothing may delay
    /// the modal after its trigger. `None` on failure: a repair without its source is better than none.
    pub(super) async fn note(&self, edge: &SlackContext) -> Option<Note> {
        match edge.api.permalink(&self.channel, &self.ts).await {
            Ok(link) => Note::parse(&format!("From Slack: {link}")).ok(),
            Err(error) => {
                tracing::warn!(error = error.outcome(), "permalink of a reported message unknown");
                None
            }
        }
    }
}

/// Opens the form; without any machine, answers privately that there is nothing to report.
///
/// # Errors
/// Unfit during maintenance; Slack's errors.
pub(crate) async fn open(
    edge: &SlackContext,
    sender: &Sender,
    trigger: &SecretString,
    to: &ReplyTo,
    begun: Beginning<'_>,
) -> Result<(), EdgeError> {
    edge.admit(sender).await?;
    if !any_equipment(&edge.ctx).await? {
        edge.tell(to, NO_MACHINES).await;
        return Ok(());
    }
    let (actor, chosen) = tokio::join!(edge.actor(sender), exact_equipment(&edge.ctx, begun.typed));
    let (actor, chosen) = (actor?, chosen?);
    let (known, known_count) = match &chosen {
        Some(equipment) => {
            let equipment = board::equipment(&edge.ctx, equipment.id).await?;
            (equipment.open_repairs, equipment.open_count)
        }
        None => (Vec::new(), 0),
    };
    let kept = ReportMetadata { source: begun.source, ..ReportMetadata::default() };
    let modal = edge.blocks.report_problem(&ReportModal {
        private_metadata: &Metadata::new(to, kept).to_json(),
        equipment: chosen.as_ref(),
        unknown: Some(begun.typed.trim()).filter(|typed| chosen.is_none() && !typed.is_empty()),
        reporter_name: &actor.name,
        description: begun.description,
        known: &known,
        known_count,
        photos: edge.may_read_files(),
        counted: &[],
    })?;
    edge.api.views_open(trigger, &modal.0).await?;
    Ok(())
}
