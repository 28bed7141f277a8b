//! Sends deliveries to Slack: `chat.postMessage`, `chat.update`, the search for a message that was posted before, and
//! the check of a recipient.

use crate::clients::slack_api::{Blame, PostedMessage, SlackApi, SlackApiError};
use crate::domain::actor::Role;
use crate::domain::announce::Event;
use crate::domain::change::RepairSnapshot;
use crate::domain::channel::is_person;
use crate::domain::delivery::{Cause, Failure};
use crate::domain::text::{PersonName, cut};
use crate::error_chain::ErrorChain;
use crate::ops::jobs::messages::JobSnapshot;
use crate::ops::repairs::cards::PresentCard;
use crate::ops::secret_box::TemporaryPassword;
use crate::render::links::Links;
use crate::render::slack::announcement::{Placement, RepairLinks};
use crate::render::slack::jobs::JobLinks;
use crate::render::slack::{Blocks, BlocksError, Message};
use crate::store::users::email_key;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use std::sync::Arc;

/// Event type of the metadata of our messages.
const DELIVERY: &str = "esb_delivery";

/// A message to post.
#[derive(Debug)]
pub struct Post<'a> {
    /// Id or name of a channel, or id of a person.
    pub channel: &'a str,
    pub message: &'a Message,
    /// Goes into the metadata; a search finds the message by it.
    pub key: &'a str,
    pub thread: Option<Thread<'a>>,
}

/// The thread of a reply.
#[derive(Debug)]
pub struct Thread<'a> {
    /// The message that it replies to.
    pub ts: &'a str,
    /// True: the channel shows the reply, too.
    pub broadcast: bool,
}

/// A Slack user before a personal message is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    pub name: String,
    /// A person of our workspace, who may have an account.
    pub is_member: bool,
    /// As `store::users::email_key` returns it; `None` for people who are not members.
    pub email_key: Option<String>,
}

/// Posts announcements, cards and jobs' messages.
pub struct SlackChannel {
    api: SlackApi,
    blocks: Arc<Blocks>,
    links: Links,
}

impl SlackChannel {
    pub const fn new(api: SlackApi, blocks: Arc<Blocks>, links: Links) -> Self {
        Self { api, blocks, links }
    }

    pub fn announcement(&self, event: &Event, placement: Placement) -> Result<Message, Failure> {
        let links = self.links_of(event.repair());
        let links = RepairLinks { equipment: links.0.as_deref(), repair: links.1.as_deref() };
        self.blocks.announcement(event, links, placement).map_err(|error| unrendered(&error))
    }

    /// Links to the pages of the machine and of the repair.
    fn links_of(&self, repair: &RepairSnapshot) -> (Option<String>, Option<String>) {
        (self.links.equipment(repair.equipment_id), self.links.repair(repair.id))
    }

    pub fn card(&self, present: &PresentCard) -> Result<Message, Failure> {
        let links = self.links_of(&present.repair);
        let links = RepairLinks { equipment: links.0.as_deref(), repair: links.1.as_deref() };
        let card = self.blocks.card(&present.repair, &present.details, links);
        card.map_err(|error| unrendered(&error))
    }

    pub fn temporary_password(&self, given: &TemporaryPassword) -> Result<Message, Failure> {
        let message = self.blocks.temporary_password(given, self.links.log_in().as_deref());
        message.map_err(|error| unrendered(&error))
    }

    /// A job's message, with links to the pages that its starter may open.
    pub fn job(&self, present: &JobSnapshot) -> Result<Message, Failure> {
        let (message, links) = (&present.message, &self.links);
        let links = JobLinks {
            job: message.role.filter(|role| *role >= Role::Staff).and_then(|_| links.job(message.job.id)),
            repair: message.role.and(message.repair).and_then(|repair| links.repair(repair)),
        };
        self.blocks.job_message(message, &links).map_err(|error| unrendered(&error))
    }

    /// Posts a message. At most 15 s.
    pub async fn post(&self, post: &Post<'_>) -> Result<PostedMessage, Failure> {
        let mut body = json!({
            "channel": post.channel,
            "text": post.message.text,
            "blocks": post.message.blocks,
            "metadata": { "event_type": DELIVERY, "event_payload": { "key": post.key } },
            "unfurl_links": false,
            "unfurl_media": false,
        });
        if let Some(thread) = &post.thread {
            body["thread_ts"] = json!(thread.ts);
            body["reply_broadcast"] = json!(thread.broadcast);
        }
        self.api.post_message(&body).await.map_err(|error| failure_at(post.channel, &error))
    }

    /// Replaces the content of a message of ours. At most 15 s.
    pub async fn update(&self, channel: &str, ts: &str, message: &Message) -> Result<(), Failure> {
        let body = json!({ "channel": channel, "ts": ts, "text": message.text, "blocks": message.blocks });
        self.api.update_message(&body).await.map_err(|error| failure(&error))
    }

    /// Looks up a person before something personal is sent to them. At most 2 s.
    pub async fn recipient(&self, person: &str) -> Result<Recipient, Failure> {
        let unsent = |error| match failure_at(person, &error) {
            // Nothing was sent yet.
            Failure::Transient { code, cause, retry_after, .. } => {
                Failure::Transient { code, cause, retry_after, in_doubt: false }
            }
            refused => refused,
        };
        let ours = self.api.workspace().await.map_err(unsent)?;
        let user = self.api.users_info(person).await.map_err(unsent)?;
        let is_member = user.is_member(&ours);
        let email = user.email.as_deref().map(email_key).filter(|_| is_member);
        let name = PersonName::parse(&cut(user.real_name.trim(), PersonName::MAX));
        let name = name.map_or_else(|_| person.to_owned(), PersonName::into_string);
        Ok(Recipient { name, is_member, email_key: email })
    }

    /// Searches for one of our messages by its key, in a thread or outside of threads, in one page since a time.
    /// Returns `None` also if Slack refuses the search. At most 5 s.
    ///
    /// # Errors
    /// Slack is unavailable or rate-limits the search.
    pub async fn find(
        &self,
        channel: &str,
        thread: Option<&str>,
        key: &str,
        since: DateTime<Utc>,
    ) -> Result<Option<PostedMessage>, Failure> {
        let there = match self.api.messages(channel, thread, since.timestamp_micros()).await {
            Ok(there) => there,
            Err(SlackApiError::Refused { code }) => {
                tracing::info!(code, "Slack refuses message lookup");
                return Ok(None);
            }
            Err(error) => return Err(failure(&error)),
        };
        let found = there.into_iter().find(|message| {
            let alone = message.thread_ts.as_ref().is_none_or(|root| *root == message.ts);
            message.metadata.as_ref().is_some_and(|ours| ours.is(DELIVERY, key))
                && (thread.is_some() || alone)
        });
        Ok(found.map(|message| PostedMessage { channel: channel.to_owned(), ts: message.ts }))
    }
}

fn unrendered(error: &BlocksError) -> Failure {
    tracing::error!(error = %ErrorChain(error), "message could not be rendered");
    Failure::Unsendable { code: "cannot_render".into() }
}

/// Unlike a channel, a person is never unarchived: a message that cannot reach one is given up after some attempts.
fn failure_at(target: &str, error: &SlackApiError) -> Failure {
    match failure(error) {
        Failure::Transient { code, cause: Some(Cause::Channel), .. } if is_person(target) => {
            Failure::Rejected { code }
        }
        failure => failure,
    }
}

fn failure(error: &SlackApiError) -> Failure {
    let code = error.code().to_owned();
    let cause = match error.blame() {
        Blame::Message => return Failure::Rejected { code },
        Blame::Channel => Some(Cause::Channel),
        Blame::Token => Some(Cause::Token),
        Blame::Slack => Some(Cause::Slack),
        Blame::Pace | Blame::Unknown => None,
    };
    let retry_after = match error {
        SlackApiError::RateLimited { retry_after } => TimeDelta::from_std(*retry_after).ok(),
        _ => None,
    };
    let in_doubt = matches!(error, SlackApiError::TimedOut | SlackApiError::Unavailable(_));
    Failure::Transient { code, cause, retry_after, in_doubt }
}
