//! `/esb-report [equipment]`: anyone reports a problem.

use crate::ops::board::equipment;
use crate::ops::search::{any_equipment, exact_equipment};
use crate::render::slack::report::ReportModal;
use crate::slack::edge::{EdgeError, SlackEdge};
use crate::slack::envelope::Command;
use crate::slack::intake::{Ack, Reference};
use crate::slack::modals::report_problem::{Counted, Metadata};

const NO_MACHINES: &str =
    "No machines are registered yet, so there is nothing to report. Please ask staff to add them.";

pub(crate) async fn run(edge: &SlackEdge, command: Command, ack: Ack, reference: &Reference) {
    ack.at_once().await;
    if let Err(error) = open(edge, &command).await {
        edge.tell_failure(&edge.reply_to(&command), error, reference).await;
    }
}

async fn open(edge: &SlackEdge, command: &Command) -> Result<(), EdgeError> {
    if !any_equipment(&edge.ctx).await? {
        edge.tell(&edge.reply_to(command), NO_MACHINES).await;
        return Ok(());
    }
    let (actor, chosen) =
        tokio::join!(edge.actor(&command.sender), exact_equipment(&edge.ctx, &command.text));
    let (actor, chosen) = (actor?, chosen?);
    let (known, known_count) = match &chosen {
        Some(machine) => {
            let machine = equipment(&edge.ctx, machine.id).await?;
            (machine.open_repairs, machine.open_count)
        }
        None => (Vec::new(), 0),
    };
    let metadata = Metadata::new(&edge.reply_to(command), Counted::default()).to_json();
    let modal = edge.blocks.report_problem(&ReportModal {
        private_metadata: &metadata,
        equipment: chosen.as_ref(),
        unknown: Some(command.text.trim()).filter(|typed| chosen.is_none() && !typed.is_empty()),
        reporter_name: &actor.name,
        known: &known,
        known_count,
        photos: edge.may_read_files(),
        counted: &[],
    })?;
    edge.api.views_open(&command.trigger_id, &modal.0).await?;
    Ok(())
}
