//! The context that every Slack handler gets, and how it reports errors to the person.

use super::acknowledged_conflicts::ShownConflicts;
use super::envelope::{Command, Event, Sender};
use super::intake::Reference;
use crate::clients::slack_api::{Identity, SlackApi, SlackApiError};
use crate::domain::actor::{Actor, Role, SlackUserId};
use crate::error_chain::ErrorChain;
use crate::ops::accounts::staff_contacts::staff_in_slack;
use crate::ops::events::first_arrival;
use crate::ops::settings::maintenance;
use crate::ops::{Ctx, OpError};
use crate::people::{People, Who};
use crate::render::links::Links;
use crate::render::slack::mrkdwn::{escape, mention};
use crate::render::slack::{Blocks, BlocksError, Message, Modal};
use crate::revision_cache::LatestCache;
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::SetOnce;

/// How long a response_url works, minus a margin (a Slack limit: 30 minutes).
const RESPONSE_URL_LIFE: TimeDelta = TimeDelta::minutes(29);

/// Cheap to clone.
#[derive(Clone)]
pub struct SlackContext {
    pub ctx: Ctx,
    pub api: SlackApi,
    pub people: People,
    pub blocks: Arc<Blocks>,
    pub links: Links,
    /// The first page of the whole board, by revision.
    pub summary: Arc<LatestCache<i64, Arc<Modal>>>,
    /// The bot's user and workspace, once Slack has returned them.
    pub identity: Arc<SetOnce<Identity>>,
    /// The conflicts that people have seen.
    pub conflicts: Arc<ShownConflicts>,
}

/// Why a surface failed.
#[derive(Debug, thiserror::Error)]
pub enum EdgeError {
    /// An operation was refused or failed.
    #[error("an operation failed")]
    Op(#[from] OpError),
    /// Slack refused a call, or is unavailable.
    #[error("a call of Slack failed")]
    Slack(#[from] SlackApiError),
    /// A template failed.
    #[error("a view could not be made")]
    Blocks(#[from] BlocksError),
    /// The request does not fit the surface; the text is for the person.
    #[error("an unfit request: {0}")]
    Unfit(&'static str),
    /// Slack did not return a person's profile in time.
    #[error("Slack does not say who somebody is")]
    Unidentified,
    /// A person without an account requested an action that requires one.
    #[error("no account")]
    Stranger {
        /// Their e-mail address, if known from Slack.
        email: Option<String>,
        /// False if they cannot have an account.
        is_member: bool,
        /// Some staff whom they may contact.
        staff: Vec<SlackUserId>,
    },
}

/// Shown to everybody except staff during maintenance.
const MAINTENANCE: EdgeError = EdgeError::Unfit(
    "Scheduled maintenance: nothing can be reported or changed at the moment. Please try again later.",
);

/// Shown to people of other workspaces if an action needs a technician.
const OUTSIDER: EdgeError = EdgeError::Unfit(
    "This needs an account, and people of other workspaces cannot have one. You can still report problems, press \
     Me too and reply in a repair's thread.",
);

/// Where a private answer goes: the response_url while it is valid, else a direct message.
#[derive(Debug, Clone)]
pub struct ReplyTo {
    pub user: SlackUserId,
    /// The response_url, and when we received it.
    pub response_url: Option<(SecretString, DateTime<Utc>)>,
}

/// The place of a message, for answers that everybody there may read.
#[derive(Debug, Clone)]
pub struct Place {
    pub channel: String,
    pub thread: Option<String>,
}

impl ReplyTo {
    /// By direct message, without a response_url.
    pub fn directly(to: &Sender) -> Self {
        Self { user: SlackUserId(to.user_id.clone()), response_url: None }
    }
}

impl SlackContext {
    /// True when forms may have file inputs: without the scope Slack rejects such forms.
    pub fn may_read_files(&self) -> bool {
        self.identity.get().is_some_and(|identity| identity.may("files:read"))
    }

    /// False for an event that this process or another has already processed. For events that are acknowledged
    /// immediately: the event is stored before processing, so that two processes do not both answer. If the
    /// database does not respond, the event counts as new: a second answer is better than none.
    pub async fn is_new(&self, event: &Event, reference: &Reference) -> bool {
        let Some(id) = event.id() else { return true };
        match first_arrival(&self.ctx, &id).await {
            Ok(true) => true,
            Ok(false) => {
                tracing::info!(%reference, kind = event.kind(), "repeated event ignored");
                false
            }
            Err(error) => {
                tracing::warn!(%reference, error = %ErrorChain(&error), "event dedup failed: database unavailable");
                true
            }
        }
    }

    /// The actor of an envelope's sender.
    pub async fn actor(&self, sender: &Sender) -> Result<Actor, EdgeError> {
        Ok(self.who(sender).await?.actor)
    }

    /// Admits everybody, but only staff during maintenance.
    ///
    /// # Errors
    /// Unfit during maintenance.
    pub async fn admit(&self, sender: &Sender) -> Result<(), EdgeError> {
        let is_open = !maintenance::is_on(&self.ctx).await?;
        if is_open || self.actor(sender).await?.is_at_least(Role::Staff) { Ok(()) } else { Err(MAINTENANCE) }
    }

    /// True for people of another workspace, in a channel that is shared with it. In an organization Slack sends
    /// the organization's id instead of the workspace's, which cannot be judged.
    pub fn is_outsider(&self, sender: &Sender) -> bool {
        let home = sender.home_team_id.as_deref().filter(|team| team.starts_with('T'));
        home.zip(self.identity.get()).is_some_and(|(home, ours)| home != ours.team_id)
    }

    /// Where to answer a person who acted on a message: by direct message, or in the channel if direct messages
    /// cannot reach them.
    pub fn reply_at_message(&self, sender: &Sender, response_url: Option<&SecretString>) -> ReplyTo {
        let url = response_url.filter(|_| self.is_outsider(sender));
        ReplyTo {
            response_url: url.map(|url| (url.clone(), self.ctx.clock.now())),
            ..ReplyTo::directly(sender)
        }
    }

    /// Where to answer a person who pressed a button of a card: where it was pressed, visible to them alone.
    pub fn reply_where_pressed(&self, sender: &Sender, response_url: Option<&SecretString>) -> ReplyTo {
        let now = self.ctx.clock.now();
        ReplyTo { response_url: response_url.map(|url| (url.clone(), now)), ..ReplyTo::directly(sender) }
    }

    /// The technician or staff user of an envelope's sender.
    ///
    /// # Errors
    /// [`EdgeError::Stranger`]; [`EdgeError::Unidentified`]; unfit for people of other workspaces and during
    /// maintenance.
    pub async fn technician(&self, sender: &Sender) -> Result<Actor, EdgeError> {
        self.admit(sender).await?;
        if self.is_outsider(sender) {
            return Err(OUTSIDER);
        }
        let who = self.who(sender).await?;
        if who.actor.is_at_least(Role::Technician) {
            return Ok(who.actor);
        }
        if !who.is_certain {
            return Err(EdgeError::Unidentified);
        }
        let staff = staff_in_slack(&self.ctx).await?;
        Err(EdgeError::Stranger { email: who.email, is_member: who.is_member, staff })
    }

    async fn who(&self, sender: &Sender) -> Result<Who, EdgeError> {
        let mut who = self.people.who(&SlackUserId(sender.user_id.clone()), &sender.user_name).await?;
        // Another workspace controls the profile, so the e-mail address proves nothing.
        who.actor.account.take_if(|_| self.is_outsider(sender));
        Ok(who)
    }

    /// Where to answer a command.
    pub fn reply_to(&self, command: &Command) -> ReplyTo {
        ReplyTo {
            user: SlackUserId(command.sender.user_id.clone()),
            response_url: Some((command.response_url.clone(), self.ctx.clock.now())),
        }
    }

    /// Answers a person privately. A failure is only logged: the work is done already.
    pub async fn tell(&self, to: &ReplyTo, text: &str) {
        let alive = |at: &DateTime<Utc>| self.ctx.clock.now() - *at < RESPONSE_URL_LIFE;
        if let Some((url, _)) = to.response_url.as_ref().filter(|(_, at)| alive(at)) {
            let body = json!({ "response_type": "ephemeral", "replace_original": false, "text": text });
            match self.api.respond(url, &body).await {
                // Slack may have accepted it and responded late. Do not send it twice.
                Ok(()) | Err(SlackApiError::TimedOut) => return,
                Err(_) => {}
            }
        }
        self.send_direct(json!({ "channel": to.user.0, "text": text })).await;
    }

    /// Sends a message with buttons by direct message.
    pub async fn show(&self, to: &SlackUserId, message: &Message) {
        let message = json!({ "channel": to.0, "text": message.text, "blocks": message.blocks });
        self.send_direct(message).await;
    }

    async fn send_direct(&self, message: Value) {
        if let Err(error) = self.api.post_message(&message).await {
            tracing::warn!(error = error.outcome(), "private answer failed");
        }
    }

    /// Answers a message in its channel or thread.
    pub async fn answer(&self, place: &Place, message: &Message) -> Result<(), SlackApiError> {
        let mut body = json!({
            "channel": place.channel,
            "text": message.text,
            "blocks": message.blocks,
            "unfurl_links": false,
            "unfurl_media": false,
        });
        if let Some(thread) = &place.thread {
            body["thread_ts"] = json!(thread);
        }
        self.api.post_message(&body).await.map(drop)
    }

    /// Logs an error and shows it to the person.
    pub async fn reply_failure(&self, to: &ReplyTo, error: EdgeError, reference: &Reference) {
        let staff: Vec<String> = match &error {
            EdgeError::Stranger { staff, .. } => staff.iter().filter_map(mention).collect(),
            _ => Vec::new(),
        };
        let words = escape(&failure(error, reference));
        let whom = if staff.is_empty() { String::new() } else { format!(" Staff: {}.", staff.join(", ")) };
        self.tell(to, &format!(":x: {words}{whom}")).await;
    }

    /// Like [`Self::reply_failure`], for an error in a view; nothing if the view is closed: the person does not
    /// expect an answer.
    pub async fn reply_failure_in_view(&self, to: &ReplyTo, error: EdgeError, reference: &Reference) {
        if !error.is_of_a_closed_view() {
            self.reply_failure(to, error, reference).await;
        }
    }
}

impl EdgeError {
    /// True if a retry may work; our bugs count as transient, since they cannot be distinguished.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Op(error) => matches!(error, OpError::Internal(_)),
            Self::Slack(_) | Self::Unidentified => true,
            Self::Blocks(_) | Self::Unfit(_) | Self::Stranger { .. } => false,
        }
    }

    /// True if the view is already closed in Slack.
    fn is_of_a_closed_view(&self) -> bool {
        matches!(self, Self::Slack(SlackApiError::Refused { code }) if code == "not_found")
    }
}

fn stranger(email: Option<&str>, is_member: bool) -> String {
    if !is_member {
        return "This needs a Technician or Staff account. Accounts are for members of this space's own Slack workspace \
                whose e-mail address Slack has confirmed. Please ask staff."
            .to_owned();
    }
    let email = match email {
        Some(email) => format!("your Slack e-mail address ({email})"),
        None => "the e-mail address of your Slack profile".to_owned(),
    };
    format!("You need a Technician or Staff account with {email} for this. Please ask staff.")
}

/// Logs an error; returns the text for the person.
pub fn failure(error: EdgeError, reference: &Reference) -> String {
    let words = match &error {
        EdgeError::Op(OpError::Refused(refusal)) => Some(refusal.message.clone()),
        EdgeError::Op(OpError::NotFound | OpError::Archived) => {
            Some("This no longer exists. Somebody may have removed it.".into())
        }
        EdgeError::Op(OpError::Forbidden) => Some("Your account is not allowed to do this.".into()),
        EdgeError::Unfit(words) => Some((*words).to_owned()),
        EdgeError::Unidentified => {
            Some("Slack did not identify you in time. Please try again in a moment.".into())
        }
        EdgeError::Stranger { email, is_member, .. } => Some(stranger(email.as_deref(), *is_member)),
        EdgeError::Slack(SlackApiError::RateLimited { .. }) => {
            Some("Slack is very busy and did not let me open that. Please try again in a moment.".into())
        }
        EdgeError::Slack(SlackApiError::Refused { code }) if code.contains("trigger_id") => {
            Some("That took too long, so Slack did not let me open it. Please try again.".into())
        }
        _ => None,
    };
    if let Some(words) = words {
        // The text for a stranger contains their e-mail address; keep it out of the log.
        let shown = if matches!(error, EdgeError::Stranger { .. }) { "" } else { words.as_str() };
        tracing::info!(%reference, %error, words = shown, "Slack request refused");
        return words;
    }
    let is_transient = matches!(&error, EdgeError::Op(error) if error.is_transient());
    tracing::error!(%reference, error = %ErrorChain(&error), "Slack request failed");
    if is_transient {
        return format!("The database does not answer. Please try again in a few minutes (ref {reference}).");
    }
    reference.sorry()
}

/// A response_url for a view's private_metadata.
pub fn exposed(url: &SecretString) -> &str {
    url.expose_secret()
}
