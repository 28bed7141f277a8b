//! What a delivery comes to: a message of its own, a live message (a repair's card, a job's private message), a
//! reply in a card's thread, an edit of a live message, or a temporary password for one person. Reads what it
//! needs and sends; the deliverer settles what came of it.
//!
//! ```text
//! message ──nothing lives──► posted
//!    ├─live_message one not there──► posted as that, showing what is
//!    ├─card there──► reply in its thread ──gone──► card forgotten, tried again
//!    └─job's message there──► nothing to do
//! edit ──there and behind──► chat.update ──gone──► forgotten
//!    └─else──► nothing to do
//! password ──sealed──► opened, posted to the person, if they are of our workspace; found by the e-mail: if it still
//!    │                 is theirs
//!    └─erased──► withdrawn: nothing to do
//! ```

use super::channels::slack::{Post, SlackChannel, Thread};
use crate::error_chain::ErrorChain;
use crate::clients::slack_api::PostedMessage;
use crate::domain::actor::SlackUserId;
use crate::domain::announce::Event;
use crate::domain::channel::is_person;
use crate::domain::delivery::{Cause, DeliveryKind, Failure};
use crate::ops::cards::{self, PresentCard};
use crate::ops::job_messages::{self, PresentJob};
use crate::ops::secret_box::SealError;
use crate::ops::{Ctx, OpError, slack_link};
use crate::render::slack::Message;
use crate::store::deliveries::{self, Delivery};
use crate::store::live_message::{LiveMessage, RenderedMessage};
use chrono::TimeDelta;
use std::time::Duration;
use tokio::time::timeout;

/// Longest that what a live message shows may take to read.
const READ_MAX: Duration = Duration::from_secs(10);
/// How far Slack's clock may be behind ours.
const SKEW: TimeDelta = TimeDelta::minutes(1);

/// How soon a message is tried again that our database did not tell of.
const DATABASE_WAIT: TimeDelta = TimeDelta::seconds(5);

/// Slack's words for a message that is no longer there, or never to be edited again.
const NOT_EDITABLE: [&str; 3] = ["message_not_found", "cant_update_message", "edit_window_closed"];
/// Slack's words for a thread that is no longer there.
const NO_THREAD: [&str; 3] = ["message_not_found", "thread_not_found", "cannot_reply_to_message"];
/// Slack's words for a thread that takes no replies: told as a message of its own, which becomes the card.
const CLOSED_THREAD: [&str; 2] =
    ["restricted_action_non_threadable_channel", "restricted_action_thread_locked"];

/// What came of a try that met no failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SendOutcome {
    /// A message stands in its channel.
    Posted(PostedMessage),
    /// The live message stands in its channel and shows this.
    Shows(RenderedMessage),
    /// There was nothing to do.
    Nothing,
    /// The live message is gone; an edit ends with it, a message is tried again and becomes the new card.
    Gone {
        /// Slack's name of it.
        ts: String,
    },
}

/// A live message, with what it shows as that is now.
enum LiveContent {
    Card(Box<PresentCard>),
    Job(Box<PresentJob>),
}

impl LiveContent {
    /// Channel and name of the message, where it stands.
    fn place(&self) -> Option<(String, String)> {
        let (channel, ts) = match self {
            Self::Card(present) => (&present.card.channel, &present.card.ts),
            Self::Job(present) => (&present.job.message_channel, &present.job.message_ts),
        };
        channel.clone().zip(ts.clone())
    }

    /// Counts the changes that it has to show, and those that it shows.
    fn counts(&self) -> (i64, i64) {
        match self {
            Self::Card(present) => (present.card.desired_version, present.card.rendered_version),
            Self::Job(present) => (present.job.message_desired_version.unwrap_or_default(), present.job.message_rendered_version),
        }
    }
}

impl SendOutcome {
    /// The word that the attempt's record carries.
    pub(super) const fn word(&self) -> &'static str {
        match self {
            Self::Posted(_) | Self::Shows(_) => "delivered",
            Self::Nothing => "nothing_to_do",
            Self::Gone { .. } => "message_gone",
        }
    }

    /// Channel and name of the message that Slack has.
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

    /// Sends what a delivery owes. At most 40 s: reading twice, searching, sending. Whoever drops it before it ends
    /// does not know what Slack has.
    ///
    /// # Errors
    /// The failure, with who is to blame.
    pub(super) async fn send(&self, delivery: &Delivery) -> Result<SendOutcome, Failure> {
        match (delivery.kind, LiveMessage::of(delivery)) {
            (DeliveryKind::Edit, None) => Ok(SendOutcome::Nothing),
            (DeliveryKind::Edit, Some(live_message)) => self.edit(self.present(live_message).await?).await,
            (DeliveryKind::Password, _) => self.password(delivery).await,
            (DeliveryKind::Message, None) => self.message(delivery).await,
            (DeliveryKind::Message, Some(live_message)) => {
                let present = self.present(live_message).await?;
                match (present.place(), &present) {
                    (None, _) => self.begin(delivery, present).await,
                    (Some((channel, ts)), LiveContent::Card(_)) => self.reply(delivery, channel, ts).await,
                    (Some(_), LiveContent::Job(_)) => Ok(SendOutcome::Nothing),
                }
            }
        }
    }

    /// Posts a temporary password to its user. One in doubt is posted again: in direct messages we do not look.
    async fn password(&self, delivery: &Delivery) -> Result<SendOutcome, Failure> {
        if delivery.event.is_empty() {
            return Ok(SendOutcome::Nothing);
        }
        let unopened = |error: &SealError| {
            tracing::error!(id = delivery.id.0, error = %ErrorChain(error), "temporary password could not be decrypted");
            Failure::Unsendable { code: "cannot_open".into() }
        };
        let seal = self.ctx.seal.as_ref().ok_or_else(|| unopened(&SealError::Unusable))?;
        let given = seal.open(&delivery.dedupe_key, &delivery.event).map_err(|error| unopened(&error))?;
        self.check_recipient(delivery, given.email_key.as_ref()).await?;
        let message = self.slack.temporary_password(&given)?;
        let (channel, key) = (delivery.target.as_str(), delivery.dedupe_key.as_str());
        self.slack
            .post(&Post { channel, message: &message, key, thread: None })
            .await
            .map(SendOutcome::Posted)
    }

    /// Fails where the person is not of our workspace, or was found by an e-mail and Slack knows them by another one
    /// by now: what we know of them may be old. A link to somebody who is not of our workspace is dropped.
    async fn check_recipient(&self, delivery: &Delivery, email_key: Option<&String>) -> Result<(), Failure> {
        let recipient = self.slack.recipient(&delivery.target).await?;
        if recipient.is_member && (email_key.is_none() || recipient.email_key.as_ref() == email_key) {
            return Ok(());
        }
        let (id, is_member) = (delivery.id.0, recipient.is_member);
        tracing::warn!(
            id,
            is_member,
            "temporary password not sent: the email belongs to another person"
        );
        if !is_member {
            let person = SlackUserId(delivery.target.clone());
            within(slack_link::let_go(&self.ctx, &person, &recipient.name)).await?;
        }
        Err(Failure::Rejected { code: "another_person".into() })
    }

    async fn message(&self, delivery: &Delivery) -> Result<SendOutcome, Failure> {
        if let Some(found) = self.find(delivery, None).await? {
            return Ok(SendOutcome::Posted(found));
        }
        let message = self.slack.announcement(&event(delivery)?)?;
        let post =
            Post { channel: &delivery.target, message: &message, key: &delivery.dedupe_key, thread: None };
        self.slack.post(&post).await.map(SendOutcome::Posted)
    }

    /// Posts a live message, or finds the one that an earlier try posted: what that one shows is not known.
    async fn begin(&self, delivery: &Delivery, present: LiveContent) -> Result<SendOutcome, Failure> {
        let (posted, desired_version) = match self.find(delivery, None).await? {
            Some(found) => (found, 0),
            None => {
                let message = self.shown(&present)?;
                let (channel, key) = (delivery.target.as_str(), delivery.dedupe_key.as_str());
                let post = Post { channel, message: &message, key, thread: None };
                (self.slack.post(&post).await?, present.counts().0)
            }
        };
        Ok(SendOutcome::Shows(RenderedMessage { channel: posted.channel, ts: posted.ts, desired_version }))
    }

    async fn reply(&self, delivery: &Delivery, channel: String, ts: String) -> Result<SendOutcome, Failure> {
        if let Some(found) = self.find(delivery, Some((&channel, &ts))).await? {
            return Ok(SendOutcome::Posted(found));
        }
        let event = event(delivery)?;
        let message = self.slack.announcement(&event)?;
        let thread = Some(Thread { ts: &ts, broadcast: event.is_broadcast() });
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
        let (desired_version, shown) = present.counts();
        let Some((channel, ts)) = present.place().filter(|_| shown < desired_version) else {
            return Ok(SendOutcome::Nothing);
        };
        let message = self.shown(&present)?;
        match self.slack.update(&channel, &ts, &message).await {
            Err(Failure::Rejected { code }) if NOT_EDITABLE.contains(&code.as_str()) => {
                Ok(SendOutcome::Gone { ts })
            }
            edited => edited.map(|()| SendOutcome::Shows(RenderedMessage { channel, ts, desired_version })),
        }
    }

    /// Looks for a message that an earlier try may have posted; in a thread, where it belongs in one. Where
    /// Slack does not let us look it is posted again: told twice is better than never.
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
                LiveMessage::Job(id) => LiveContent::Job(Box::new(job_messages::present(&self.ctx, id).await?)),
            })
        };
        within(reading).await
    }

    fn shown(&self, present: &LiveContent) -> Result<Message, Failure> {
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

/// Reads from a database that may not answer.
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
