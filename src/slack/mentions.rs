//! Mentions of the bot and direct messages to it. The answer goes to the same place, with buttons, because an event
//! carries no trigger to open a form. Messages from apps are ignored.

use super::commands::{Named, named};
use super::context::{EdgeError, Place, ReplyTo, SlackContext};
use super::envelope::Event;
use super::ids::word;
use super::intake::{Ack, Reference};
use super::modals::status::Screen;
use super::typed_markup::as_read;
use crate::clients::slack_api::SlackApiError;
use crate::ops::OpError;
use crate::ops::board::{board, equipment};
use crate::ops::repairs::brief;
use crate::ops::search::{exact_equipment, search_equipment};
use crate::render::slack::Message;
use serde::Deserialize;
use serde_json::Value;

/// Subtypes of messages that people write; others report edits, deletions, joins and leaves.
const WRITTEN: [&str; 2] = ["file_share", "thread_broadcast"];

#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    text: String,
    channel: String,
    ts: String,
    #[serde(default)]
    thread_ts: Option<String>,
    #[serde(default)]
    subtype: Option<String>,
    #[serde(default)]
    bot_id: Option<String>,
}

impl Said {
    fn is_from_a_person(&self) -> bool {
        self.bot_id.is_none() && self.subtype.as_deref().is_none_or(|kind| WRITTEN.contains(&kind))
    }
}

#[derive(Debug, PartialEq, Eq)]
enum MentionCommand<'a> {
    Help,
    Status(&'a str),
    Report(&'a str),
    Repair(&'a str),
}

pub(crate) async fn handle(edge: &SlackContext, event: &Event, ack: Ack, reference: &Reference) {
    ack.at_once().await;
    let Ok(said) = Said::deserialize(&Value::Object(event.body.clone())) else {
        return tracing::warn!(%reference, "malformed message event");
    };
    let Some(sender) = event.sender().filter(|_| said.is_from_a_person()) else { return };
    if !edge.is_new(event, reference).await {
        return;
    }
    let thread = said.thread_ts.or_else(|| (!event.is_direct()).then_some(said.ts));
    let (place, to) = (Place { channel: said.channel, thread }, ReplyTo::directly(&sender));
    let answered = async {
        edge.admit(&sender).await?;
        let message = answer(edge, &said.text).await?;
        match edge.answer(&place, &message).await {
            // The bot may not write there: answer by direct message.
            Err(SlackApiError::Refused { .. }) => edge.tell(&to, &message.text).await,
            posted => posted?,
        }
        Ok(())
    };
    if let Err(error) = answered.await {
        edge.reply_failure(&to, error, reference).await;
    }
}

async fn answer(edge: &SlackContext, text: &str) -> Result<Message, EdgeError> {
    let (ctx, blocks, text) = (&edge.ctx, &edge.blocks, as_read(edge, unaddressed(text)).await?);
    Ok(match parse_mention(&text) {
        MentionCommand::Help => blocks.answer_help()?,
        MentionCommand::Report(name) => {
            blocks.answer_report(exact_equipment(ctx, name).await?.as_ref(), name)?
        }
        MentionCommand::Repair(number) => match number.parse() {
            Ok(id) => match brief(ctx, id).await {
                Err(OpError::NotFound) => blocks.answer_no_repair(number)?,
                repair => blocks.answer_repair(&repair?)?,
            },
            Err(_) => blocks.answer_no_repair(number)?,
        },
        MentionCommand::Status(name) => status(edge, name).await?,
    })
}

async fn status(edge: &SlackContext, name: &str) -> Result<Message, EdgeError> {
    let (ctx, blocks) = (&edge.ctx, &edge.blocks);
    let screen = Screen::named(edge, name).await?;
    let board = board(ctx).await?;
    Ok(match screen {
        Screen::Summary { notice, .. } => blocks.answer_board(&board, notice.as_deref())?,
        Screen::Area { id, .. } => match board.areas.iter().find(|area| area.id == id) {
            Some(area) => blocks.answer_area(area)?,
            None => blocks.answer_board(&board, None)?,
        },
        Screen::Equipment { id, .. } => blocks.answer_equipment(&equipment(ctx, id).await?)?,
        Screen::Matches { typed, .. } => {
            blocks.answer_matches(&typed, &search_equipment(ctx, &typed).await?)?
        }
    })
}

/// The text without the mentions around it, one of which is the bot's.
fn unaddressed(text: &str) -> &str {
    let mut text = text.trim();
    while let Some((_, rest)) = text.strip_prefix("<@").and_then(|rest| rest.split_once('>')) {
        text = rest.trim_start_matches([':', ',']).trim();
    }
    while let Some((rest, _)) = text.strip_suffix('>').and_then(|rest| rest.rsplit_once("<@")) {
        text = rest.trim();
    }
    text
}

fn parse_mention(text: &str) -> MentionCommand<'_> {
    let text = text.trim();
    if let Named::Number(number, _) = named(text) {
        return MentionCommand::Repair(number);
    }
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    match word.to_lowercase().as_str() {
        word::STATUS => MentionCommand::Status(rest.trim()),
        word::REPORT => MentionCommand::Report(rest.trim()),
        _ => MentionCommand::Help,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mention_knows_four_commands_otherwise_help() {
        for (text, expected) in [
            ("<@U0BOT> status", MentionCommand::Status("")),
            ("<@U0BOT>: Status  band saw ", MentionCommand::Status("band saw")),
            ("status\ntable saw", MentionCommand::Status("table saw")),
            ("status band saw <@U0BOT>", MentionCommand::Status("band saw")),
            ("<@U0BOT|esb>, report saw", MentionCommand::Report("saw")),
            ("REPORT", MentionCommand::Report("")),
            ("<@U0BOT> #42", MentionCommand::Repair("42")),
            ("42", MentionCommand::Repair("42")),
            ("99999999999999999999", MentionCommand::Repair("99999999999999999999")),
            ("help", MentionCommand::Help),
            ("<@U0BOT>", MentionCommand::Help),
            ("", MentionCommand::Help),
            ("statuses", MentionCommand::Help),
            ("42 saws", MentionCommand::Help),
            ("<@", MentionCommand::Help),
        ] {
            assert_eq!(parse_mention(unaddressed(text)), expected, "{text}");
        }
    }
}
