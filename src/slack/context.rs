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

/// How long a response_url works, less a margin (a Slack limit: 30 minutes).
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
    /// Whom the bot token stands for, once Slack has said so.
    pub identity: Arc<SetOnce<Identity>>,
    /// Which conflicts people have been shown.
    pub conflicts: Arc<ShownConflicts>,
}

/// Why a surface could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum EdgeError {
    /// An operation said no or failed.
    #[error("an operation failed")]
    Op(#[from] OpError),
    /// Slack said no or is away.
    #[error("a call of Slack failed")]
    Slack(#[from] SlackApiError),
    /// A template failed.
    #[error("a view could not be made")]
    Blocks(#[from] BlocksError),
    /// What came in does not fit the surface; the words are for the person.
    #[error("an unfit request: {0}")]
    Unfit(&'static str),
    /// Slack did not say in time who somebody is.
    #[error("Slack does not say who somebody is")]
    Unidentified,
    /// Somebody without an account wanted what needs one.
    #[error("no account")]
    Stranger {
        /// Their e-mail address, if known from Slack.
        email: Option<String>,
        /// False where they can have no account.
        is_member: bool,
        /// Some staff whom they may ask.
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

/// Where a private answer goes: the response_url while it lives, then a direct message.
#[derive(Debug, Clone)]
pub struct ReplyTo {
    pub user: SlackUserId,
    /// The response_url and when it was given to us.
    pub response_url: Option<(SecretString, DateTime<Utc>)>,
}

/// Where a message is answered that everybody there may read.
#[derive(Debug, Clone)]
pub struct Place {
    pub channel: String,
    pub thread: Option<String>,
}

impl ReplyTo {
    /// By direct message, where there is no response_url.
    pub fn directly(to: &Sender) -> Self {
        Self { user: SlackUserId(to.user_id.clone()), response_url: None }
    }
}

impl SlackContext {
    /// True when forms may ask for files: without the scope Slack opens no form that does.
    pub fn may_read_files(&self) -> bool {
        self.identity.get().is_some_and(|identity| identity.may("files:read"))
    }

    /// False for an event that was acted upon already, by this process or another. Of an event that is acknowledged
    /// at once: it is remembered before it is acted upon, so that two processes do not answer it both. While the
    /// database does not say so it is taken for new: a second answer is better than none.
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

    /// The actor behind an envelope's sender.
    pub async fn actor(&self, sender: &Sender) -> Result<Actor, EdgeError> {
        Ok(self.who(sender).await?.actor)
    }

    /// Lets everybody go on, and during maintenance staff alone.
    ///
    /// # Errors
    /// Unfit during maintenance.
    pub async fn admit(&self, sender: &Sender) -> Result<(), EdgeError> {
        let is_open = !maintenance::is_on(&self.ctx).await?;
        if is_open || self.actor(sender).await?.is_at_least(Role::Staff) { Ok(()) } else { Err(MAINTENANCE) }
    }

    /// True for people of another workspace, in a channel that is shared with it. In an organisation Slack names the
    /// organisation instead of the workspace, which says nothing here.
    pub fn is_outsider(&self, sender: &Sender) -> bool {
        let home = sender.home_team_id.as_deref().filter(|team| team.starts_with('T'));
        home.zip(self.identity.get()).is_some_and(|(home, ours)| home != ours.team_id)
    }

    /// Where somebody is answered who acted on a message: by direct message, or in the channel if direct messages may
    /// not reach them.
    pub fn reply_at_message(&self, sender: &Sender, response_url: Option<&SecretString>) -> ReplyTo {
        let url = response_url.filter(|_| self.is_outsider(sender));
        ReplyTo {
            response_url: url.map(|url| (url.clone(), self.ctx.clock.now())),
            ..ReplyTo::directly(sender)
        }
    }

    /// The technician or staff user behind an envelope's sender.
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

    /// Where a command is answered.
    pub fn reply_to(&self, command: &Command) -> ReplyTo {
        ReplyTo {
            user: SlackUserId(command.sender.user_id.clone()),
            response_url: Some((command.response_url.clone(), self.ctx.clock.now())),
        }
    }

    /// Answers a person privately. What cannot be said is one log line: the work is done all the same.
    pub async fn tell(&self, to: &ReplyTo, text: &str) {
        let alive = |at: &DateTime<Utc>| self.ctx.clock.now() - *at < RESPONSE_URL_LIFE;
        if let Some((url, _)) = to.response_url.as_ref().filter(|(_, at)| alive(at)) {
            let body = json!({ "response_type": "ephemeral", "replace_original": false, "text": text });
            match self.api.respond(url, &body).await {
                // Slack may have accepted it and answered late. Do not send it twice.
                Ok(()) | Err(SlackApiError::TimedOut) => return,
                Err(_) => {}
            }
        }
        self.send_direct(json!({ "channel": to.user.0, "text": text })).await;
    }

    /// Shows a person something with buttons, by direct message.
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

    /// Tells the person what went wrong, and the log.
    pub async fn reply_failure(&self, to: &ReplyTo, error: EdgeError, reference: &Reference) {
        let staff: Vec<String> = match &error {
            EdgeError::Stranger { staff, .. } => staff.iter().filter_map(mention).collect(),
            _ => Vec::new(),
        };
        let words = escape(&failure(error, reference));
        let whom = if staff.is_empty() { String::new() } else { format!(" Staff: {}.", staff.join(", ")) };
        self.tell(to, &format!(":x: {words}{whom}")).await;
    }

    /// The same of what went wrong in a view; nothing where it was closed before the answer came: nobody misses it.
    pub async fn reply_failure_in_view(&self, to: &ReplyTo, error: EdgeError, reference: &Reference) {
        if !error.is_of_a_closed_view() {
            self.reply_failure(to, error, reference).await;
        }
    }
}

impl EdgeError {
    /// True where the same may work in a while; a mistake of ours counts as such, since nobody can tell.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Op(error) => matches!(error, OpError::Internal(_)),
            Self::Slack(_) | Self::Unidentified => true,
            Self::Blocks(_) | Self::Unfit(_) | Self::Stranger { .. } => false,
        }
    }

    /// True where Slack knows the view no more.
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

/// Writes one log line for what went wrong; the words for the person.
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

/// A response_url as it travels through a view's private_metadata.
pub fn exposed(url: &SecretString) -> &str {
    url.expose_secret()
}
