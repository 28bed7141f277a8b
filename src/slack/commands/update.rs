//! `/esb-update [repair]`: technicians edit all fields of a repair at once.

use super::repair::NONE_OPEN;
use super::{Named, named};
use crate::domain::text::cut;
use crate::ops::OpError;
use crate::render::slack::mrkdwn::escape;
use crate::slack::context::{EdgeError, SlackContext};
use crate::slack::envelope::Command;
use crate::slack::intake::{Ack, Reference};
use crate::slack::modals::choose_repair::{self, Then};
use crate::slack::modals::update_repair;

pub(crate) async fn run(edge: &SlackContext, command: Command, ack: Ack, reference: &Reference) {
    ack.at_once().await;
    if let Err(error) = open(edge, &command).await {
        edge.reply_failure(&edge.reply_to(&command), error, reference).await;
    }
}

async fn open(edge: &SlackContext, command: &Command) -> Result<(), EdgeError> {
    edge.technician(&command.sender).await?;
    let to = edge.reply_to(command);
    let modal = match named(&command.text) {
        Named::Nothing => choose_repair::modal(edge, &to, Then::Update).await?.ok_or(NONE_OPEN.to_owned()),
        Named::Number(number, None) => Err(super::unknown(number)),
        Named::Number(number, Some(repair)) => match update_repair::modal(edge, &to, repair).await {
            Err(EdgeError::Op(OpError::NotFound)) => Err(super::unknown(number)),
            modal => Ok(modal?),
        },
        Named::Words(words) => Err(format!(
            ":x: “{}” is no repair's number. Type one after `/esb-update`, such as `/esb-update 42`, or \
             nothing to choose from what is open.",
            escape(&cut(words, 80))
        )),
    };
    super::open_or_tell(edge, command, &to, modal).await
}
