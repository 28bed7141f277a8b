//! Routes each envelope to its handler. The match is exhaustive and independent of the transport.

use super::context::{ReplyTo, SlackContext};
use super::envelope::{Envelope, Event, ViewSubmission};
use super::events::EventOutcome;
use super::ids::{self, known};
use super::intake::{Ack, Dispatch, Received, Reference};
use super::{actions, commands, events, home, mentions, modals, reactions, shortcuts, threads};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

pub struct Dispatcher {
    edge: SlackContext,
}

impl Dispatcher {
    /// Dispatches to the surfaces of `edge`.
    pub const fn new(edge: SlackContext) -> Self {
        Self { edge }
    }
}

impl Dispatch for Dispatcher {
    fn name(&self, envelope: &Envelope) -> &'static str {
        match envelope {
            Envelope::Command(command) => known(&command.command, ids::command::ALL),
            Envelope::ViewSubmission(submission) => known(&submission.view.callback_id, ids::view::ALL),
            Envelope::ViewClosed(closed) => known(&closed.view.callback_id, ids::view::ALL),
            Envelope::BlockActions(pressed) => {
                known(pressed.actions.first().map_or("", |action| &action.action_id), ids::action::ALL)
            }
            Envelope::BlockSuggestion(asked) => known(&asked.action_id, ids::action::ALL),
            Envelope::Event(event) => known(event.kind(), ids::event::ALL),
            Envelope::Shortcut(used) => known(&used.callback_id, ids::shortcut::ALL),
            Envelope::MessageShortcut(used) => known(&used.callback_id, ids::shortcut::ALL),
        }
    }

    /// Forms need none: they are acknowledged after the work.
    fn apology(&self, envelope: &Envelope, reference: &Reference) -> Option<BoxFuture<'static, ()>> {
        let to = match envelope {
            Envelope::Command(command) => self.edge.reply_to(command),
            Envelope::BlockActions(pressed) => ReplyTo::directly(&pressed.sender),
            Envelope::Shortcut(used) => ReplyTo::directly(&used.sender),
            Envelope::MessageShortcut(used) => ReplyTo::directly(&used.sender),
            _ => return None,
        };
        let (edge, words) = (self.edge.clone(), format!(":x: {}", reference.sorry()));
        Some(async move { edge.tell(&to, &words).await }.boxed())
    }

    fn dispatch(&self, received: Received) -> BoxFuture<'static, ()> {
        dispatch(self.edge.clone(), received).boxed()
    }
}

async fn dispatch(edge: SlackContext, received: Received) {
    let Received { envelope, ack, reference, .. } = received;
    if edge.identity.get().is_some_and(|ours| !envelope.is_for_team(&ours.team_id)) {
        tracing::warn!(%reference, kind = envelope.kind(), "envelope of another workspace refused");
        return ack.sorry("This app serves another workspace.");
    }
    match envelope {
        Envelope::Command(command) => match command.command.as_str() {
            ids::command::REPORT => commands::report::run(&edge, command, ack, &reference).await,
            ids::command::STATUS => commands::status::run(&edge, command, ack, &reference).await,
            ids::command::REPAIR => commands::repair::run(&edge, command, ack, &reference).await,
            ids::command::UPDATE => commands::update::run(&edge, command, ack, &reference).await,
            _ => unknown(ack, "command", "I do not know this command. Try /esb-report or /esb-status."),
        },
        Envelope::ViewSubmission(submission) => submit(&edge, submission, ack, &reference).await,
        Envelope::BlockActions(pressed) => actions::press(&edge, *pressed, ack, &reference).await,
        Envelope::BlockSuggestion(asked) => match asked.action_id.as_str() {
            ids::input::EQUIPMENT | ids::action::SEARCH_EQUIPMENT => {
                modals::report_problem::suggest(&edge, &asked, ack, &reference).await;
            }
            ids::input::REPAIR | ids::input::ASSIGNEE | ids::input::DUPLICATE_OF => {
                modals::choose_repair::suggest(&edge, &asked, ack, &reference).await;
            }
            _ => unknown(ack, "select", ""),
        },
        Envelope::ViewClosed(_) => ack.empty(),
        Envelope::Event(event) => happened(&edge, event, ack, &reference).await,
        Envelope::Shortcut(used) => match used.callback_id.as_str() {
            ids::shortcut::REPORT_PROBLEM => shortcuts::report(&edge, &used, ack, &reference).await,
            _ => unknown(ack, "shortcut", ""),
        },
        Envelope::MessageShortcut(used) => match used.callback_id.as_str() {
            ids::shortcut::REPORT_FROM_MESSAGE => {
                shortcuts::report_from_message(&edge, &used, ack, &reference).await;
            }
            _ => unknown(ack, "message shortcut", ""),
        },
    }
}

async fn happened(edge: &SlackContext, event: Event, ack: Ack, reference: &Reference) {
    let outcome = match event.kind() {
        ids::event::APP_HOME_OPENED => return home::opened(edge, &event, ack, reference).await,
        ids::event::APP_MENTION => return mentions::handle(edge, &event, ack, reference).await,
        ids::event::MESSAGE if event.is_direct() => {
            return mentions::handle(edge, &event, ack, reference).await;
        }
        ids::event::USER_CHANGE => events::user_change(edge, &event, reference).await,
        ids::event::MEMBER_JOINED => events::member_joined(edge, &event, reference).await,
        ids::event::MESSAGE => threads::message(edge, event, reference).await,
        ids::event::REACTION_ADDED => reactions::added(edge, &event, reference).await,
        _ => return unknown(ack, "event", ""),
    };
    match outcome {
        EventOutcome::Handled => ack.empty(),
        EventOutcome::Retry => ack.withhold(),
    }
}

async fn submit(edge: &SlackContext, submission: ViewSubmission, ack: Ack, reference: &Reference) {
    match submission.view.callback_id.as_str() {
        ids::view::REPORT_PROBLEM => modals::report_problem::submit(edge, submission, ack, reference).await,
        ids::view::CHOOSE_REPAIR => modals::choose_repair::submit(edge, submission, ack, reference).await,
        ids::view::ACT_ON_REPAIR => modals::act_on_repair::submit(edge, submission, ack, reference).await,
        ids::view::CREATE_REPAIR => modals::create_repair::submit(edge, submission, ack, reference).await,
        ids::view::UPDATE_REPAIR => modals::update_repair::submit(edge, submission, ack, reference).await,
        ids::view::RESOLVE_REPAIR => modals::resolve_repair::submit(edge, submission, ack, reference).await,
        _ => unknown(ack, "view", "This form is out of date. Please close it and start again."),
    }
}

fn unknown(ack: Ack, what: &'static str, words: &str) {
    tracing::warn!(what, "unknown Slack request");
    ack.sorry(words);
}
