//! Sends one delivery: a separate message, a live message (a repair's card, a job's private message), a reply in a
//! card's thread, an edit of a live message, or a temporary password for one person. The deliverer records the
//! outcome.
//!
//! ```text
//! message ──no live message──► posted
//!    ├─live message not posted──► posted, with its current content
//!    ├─card there──► reply in its thread ──gone──► card forgotten, tried again
//!    └─job's message there──► nothing to do
//! edit ──there and behind──► chat.update ──gone──► forgotten
//!    └─else──► nothing to do
//! password ──sealed──► opened, posted to the person, if they are of our workspace; found by the e-mail: if it still
//!    │                 is theirs
//!    └─erased──► withdrawn: nothing to do
//! ```

use super::channels::slack::{Post, SlackChannel, Thread};
use crate::clients::slack_api::PostedMessage;
use crate::domain::actor::SlackUserId;
use crate::domain::announce::Event;
use crate::domain::channel::is_person;
use crate::domain::delivery::{Cause, DeliveryKind, Failure};
use crate::error_chain::ErrorChain;
use crate::ops::jobs::messages::{self, JobSnapshot};
use crate::ops::repairs::cards::{self, PresentCard};
use crate::ops::secret_box::SecretBoxError;
use crate::ops::{Ctx, OpError, accounts::slack_link};
use crate::render::slack::Message;
use crate::render::slack::announcement::Placement;
use crate::store::deliveries::{self, Delivery};
use crate::store::live_message::{LiveMessage, RenderedMessage};
use chrono::TimeDelta;
use std::time::Duration;
use tokio::time::timeout;

/// Longest that reading the content of a live message may take.
const READ_MAX: Duration = Duration::from_secs(10);
/// How far Slack's clock may be behind ours.
const SKEW: TimeDelta = TimeDelta::minutes(1);

/// Delay before the next attempt when our database did not respond.
const DATABASE_WAIT: TimeDelta = TimeDelta::seconds(5);

/// Slack's error codes for a message that is gone or can no longer be edited.
const NOT_EDITABLE: [&str; 3] = ["message_not_found", "cant_update_message", "edit_window_closed"];
/// Slack's error codes for a thread that is gone.
const NO_THREAD: [&str; 3] = ["message_not_found", "thread_not_found", "cannot_reply_to_message"];
/// Slack's error codes for a thread without replies: the text is posted as a message, which becomes the card.
const CLOSED_THREAD: [&str; 2] =
    ["restricted_action_non_threadable_channel", "restricted_action_thread_locked"];

/// The outcome of a successful attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SendOutcome {
    /// The message is in its channel.
    Posted(PostedMessage),
    /// The live message is in its channel, with this version.
    Shows(RenderedMessage),
    /// There was nothing to do.
    Nothing,
    /// The live message is gone. An edit ends; a message is tried again and becomes the new card.
    Gone { ts: String },
}

/// A live message with its current content.
enum LiveContent {
    Card(Box<PresentCard>),
    Job(Box<JobSnapshot>),
}

impl LiveContent {
    /// Channel and `ts` of the message, once it is posted.
    fn place(&self) -> Option<(String, String)> {
        let (channel, ts) = match self {
            Self::Card(present) => (&present.card.channel, &present.card.ts),
            Self::Job(present) => (&present.job.message_channel, &present.job.message_ts),
        };
        channel.clone().zip(ts.clone())
    }

    /// Desired and rendered version.
    fn versions(&self) -> (i64, i64) {
        match self {
            Self::Card(present) => (present.card.desired_version, present.card.rendered_version),
            Self::Job(present) => {
                let desired = present.job.message_desired_version.unwrap_or_default();
                (desired, present.job.message_rendered_version)
            }
        }
    }
}

impl SendOutcome {
    /// The word in the attempt's row.
    pub(super) const fn word(&self) -> &'static str {
        match self {
            Self::Posted(_) | Self::Shows(_) => "delivered",
            Self::Nothing => "nothing_to_do",
            Self::Gone { .. } => "message_gone",
        }
    }

    /// Channel and `ts` of the message.
    pub(super) fn posted(&self) -> Option<(String, String)> {
        match self {
            Self::Posted(posted) => Some((posted.channel.clone(), posted.ts.clone())),
            Self::Shows(shown) => Some((shown.channel.clone(), shown.ts.clone())),
            Self::Nothing | Self::Gone { .. } => None,
        }
    }
}

/// Sends; shared by all sends of a process.
pub(super) struct Sender {
    ctx: Ctx,
    slack: SlackChannel,
}

impl Sender {
    pub(super) const fn new(ctx: Ctx, slack: SlackChannel) -> Self {
        Self { ctx, slack }
    }

    /// Sends a delivery. Takes 40 s at most: two reads, a search, a call. If the caller drops the future, the outcome
    /// is unknown.
    pub(super) async fn send(&self, delivery: &Delivery) -> Result<SendOutcome, Failure> {
        match (delivery.kind, LiveMessage::of(delivery)) {
            (DeliveryKind::Edit, None) => Ok(SendOutcome::Nothing),
            (DeliveryKind::Edit, Some(live_message)) => self.edit(self.present(live_message).await?).await,
            (DeliveryKind::Password, _) => self.password(delivery).await,
            (DeliveryKind::Message, None) => self.message(delivery).await,
            (DeliveryKind::Message, Some(live_message)) => {
                let present = self.present(live_message).await?;
                match (present.place(), &present) {
                    (None, _) => self.post_live(delivery, present).await,
                    (Some((channel, ts)), LiveContent::Card(_)) => self.reply(delivery, channel, ts).await,
                    (Some(_), LiveContent::Job(_)) => Ok(SendOutcome::Nothing),
                }
            }
        }
    }

    /// Posts a temporary password to its user. One in doubt is posted again: ESB does not search direct messages.
    async fn password(&self, delivery: &Delivery) -> Result<SendOutcome, Failure> {
        if delivery.event.is_empty() {
            return Ok(SendOutcome::Nothing);
        }
        let unopened = |error: &SecretBoxError| {
            tracing::error!(id = delivery.id.0, error = %ErrorChain(error), "temporary password could not be decrypted");
            Failure::Unsendable { code: "cannot_open".into() }
        };
        let seal = self.ctx.seal.as_ref().ok_or_else(|| unopened(&SecretBoxError::Unusable))?;
        let given = seal.open(&delivery.dedupe_key, &delivery.event).map_err(|error| unopened(&error))?;
        self.check_recipient(delivery, given.email_key.as_ref()).await?;
        let message = self.slack.temporary_password(&given)?;
        let (channel, key) = (delivery.target.as_str(), delivery.dedupe_key.as_str());
        self.slack
            .post(&Post { channel, message: &message, key, thread: None })
            .await
            .map(SendOutcome::Posted)
    }

    /// Fails if the person is not of our workspace, or was found by an email address that Slack no longer has for
    /// them. Removes the link to a person who is not of our workspace.
    async fn check_recipient(&self, delivery: &Delivery, email_key: Option<&String>) -> Result<(), Failure> {
        let recipient = self.slack.recipient(&delivery.target).await?;
        if recipient.is_member && (email_key.is_none() || recipient.email_key.as_ref() == email_key) {
            return Ok(());
        }
        let (id, is_member) = (delivery.id.0, recipient.is_member);
        tracing::warn!(id, is_member, "temporary password not sent: the email belongs to another person");
        if !is_member {
            let person = SlackUserId(delivery.target.clone());
            within(slack_link::unlink_departed(&self.ctx, &person, &recipient.name)).await?;
        }
        Err(Failure::Rejected { code: "another_person".into() })
    }

    async fn message(&self, delivery: &Delivery) -> Result<SendOutcome, Failure> {
        if let Some(found) = self.find(delivery, None).await? {
            return Ok(SendOutcome::Posted(found));
        }
        let message = self.slack.announcement(&event(delivery)?, Placement::Channel)?;
        let post =
            Post { channel: &delivery.target, message: &message, key: &delivery.dedupe_key, thread: None };
        self.slack.post(&post).await.map(SendOutcome::Posted)
    }

    /// Posts a live message, or finds the one that an earlier attempt posted: its content is unknown (version 0).
    async fn post_live(&self, delivery: &Delivery, present: LiveContent) -> Result<SendOutcome, Failure> {
        let (posted, desired_version) = match self.find(delivery, None).await? {
            Some(found) => (found, 0),
            None => {
                let message = self.render(&present)?;
                let (channel, key) = (delivery.target.as_str(), delivery.dedupe_key.as_str());
                let post = Post { channel, message: &message, key, thread: None };
                (self.slack.post(&post).await?, present.versions().0)
            }
        };
        Ok(SendOutcome::Shows(RenderedMessage { channel: posted.channel, ts: posted.ts, desired_version }))
    }

    async fn reply(&self, delivery: &Delivery, channel: String, ts: String) -> Result<SendOutcome, Failure> {
        if let Some(found) = self.find(delivery, Some((&channel, &ts))).await? {
            return Ok(SendOutcome::Posted(found));
        }
        let event = event(delivery)?;
        let broadcast = event.is_broadcast();
        let placement = if broadcast { Placement::Channel } else { Placement::Thread };
        let message = self.slack.announcement(&event, placement)?;
        let thread = Some(Thread { ts: &ts, broadcast });
        let post = Post { channel: &channel, message: &message, key: &delivery.dedupe_key, thread };
        match self.slack.post(&post).await {
            Err(Failure::Rejected { code }) if NO_THREAD.contains(&code.as_str()) => {
                Ok(SendOutcome::Gone { ts })
            }
            Err(Failure::Transient { code, .. }) if CLOSED_THREAD.contains(&code.as_str()) => {
                Ok(SendOutcome::Gone { ts })
            }
            posted => posted.map(SendOutcome::Posted),
        }
    }

    async fn edit(&self, present: LiveContent) -> Result<SendOutcome, Failure> {
        let (desired_version, rendered_version) = present.versions();
        let Some((channel, ts)) = present.place().filter(|_| rendered_version < desired_version) else {
            return Ok(SendOutcome::Nothing);
        };
        let message = self.render(&present)?;
        match self.slack.update(&channel, &ts, &message).await {
            Err(Failure::Rejected { code }) if NOT_EDITABLE.contains(&code.as_str()) => {
                Ok(SendOutcome::Gone { ts })
            }
            edited => edited.map(|()| SendOutcome::Shows(RenderedMessage { channel, ts, desired_version })),
        }
    }

    /// Searches for a message that an earlier attempt may have posted, in its thread if it has one. Returns `None`
    /// if Slack does not permit the search: a duplicate is better than a lost message.
    async fn find(
        &self,
        delivery: &Delivery,
        thread: Option<(&str, &str)>,
    ) -> Result<Option<PostedMessage>, Failure> {
        let Some(since) = delivery.in_doubt_since else { return Ok(None) };
        let known = match thread {
            Some((channel, _)) => Some(channel.to_owned()),
            None if !delivery.target.starts_with('#') && !is_person(&delivery.target) => {
                Some(delivery.target.clone())
            }
            None => {
                let known = deliveries::channel_id(self.ctx.store.read(), &delivery.target);
                within(async { Ok(known.await?) }).await?
            }
        };
        let Some(channel) = known else { return Ok(None) };
        self.slack.find(&channel, thread.map(|(_, ts)| ts), &delivery.dedupe_key, since - SKEW).await
    }

    async fn present(&self, live_message: LiveMessage) -> Result<LiveContent, Failure> {
        let reading = async {
            Ok(match live_message {
                LiveMessage::Card(id) => LiveContent::Card(Box::new(cards::present(&self.ctx, id).await?)),
                LiveMessage::Job(id) => LiveContent::Job(Box::new(messages::present(&self.ctx, id).await?)),
            })
        };
        within(reading).await
    }

    fn render(&self, present: &LiveContent) -> Result<Message, Failure> {
        match present {
            LiveContent::Card(present) => self.slack.card(present),
            LiveContent::Job(present) => self.slack.job(present),
        }
    }
}

fn event(delivery: &Delivery) -> Result<Event, Failure> {
    let unreadable = |_| Failure::Unsendable { code: "unreadable_event".into() };
    serde_json::from_str(&delivery.event).map_err(unreadable)
}

/// Limits a read from the database to [`READ_MAX`].
async fn within<T>(reading: impl Future<Output = Result<T, OpError>>) -> Result<T, Failure> {
    match timeout(READ_MAX, reading).await {
        Ok(Ok(read)) => return Ok(read),
        Ok(Err(OpError::NotFound)) => return Err(Failure::Unsendable { code: "nothing_to_show".into() }),
        Ok(Err(error)) => tracing::warn!(error = %ErrorChain(&error), "message waits for the database"),
        Err(_) => tracing::warn!("message waits: the database does not answer"),
    }
    let (cause, retry_after) = (Some(Cause::Database), Some(DATABASE_WAIT));
    Err(Failure::Transient { code: "database".into(), cause, retry_after, in_doubt: false })
}
