//! `/esb-status [area or equipment]`: anyone sees what works.

use crate::domain::text::{cut, fold};
use crate::ops::board::board;
use crate::ops::search::search_equipment;
use crate::slack::edge::{EdgeError, SlackEdge};
use crate::slack::envelope::Command;
use crate::slack::intake::{Ack, Reference};
use crate::slack::modals::status::Screen;

pub(crate) async fn run(edge: &SlackEdge, command: Command, ack: Ack, reference: &Reference) {
    ack.at_once().await;
    if let Err(error) = open(edge, &command).await {
        edge.tell_failure(&edge.reply_to(&command), error, reference).await;
    }
}

async fn open(edge: &SlackEdge, command: &Command) -> Result<(), EdgeError> {
    let modal = screen(edge, command.text.trim()).await?.show(edge, &command.sender).await?;
    edge.api.views_open(&command.trigger_id, &modal.0).await?;
    Ok(())
}

/// An area of that name, else what a search finds, else the board.
async fn screen(edge: &SlackEdge, text: &str) -> Result<Screen, EdgeError> {
    if text.is_empty() {
        return Ok(Screen::Summary { page: 1, notice: None });
    }
    let key = fold(text);
    if let Some(area) = board(&edge.ctx).await?.areas.iter().find(|area| fold(&area.name) == key) {
        return Ok(Screen::Area { id: area.id, page: 1 });
    }
    let found = search_equipment(&edge.ctx, text).await?;
    Ok(match found.as_slice() {
        [] => {
            let typed = cut(text, 80);
            let notice = format!("No area and no machine is called “{typed}”. Here is the whole board.");
            Screen::Summary { page: 1, notice: Some(notice) }
        }
        [machine] => Screen::Equipment { id: machine.id, page: 1 },
        _ => Screen::Matches { typed: text.to_owned(), page: 1 },
    })
}
