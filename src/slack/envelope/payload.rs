//! The kinds of envelopes, field by field. Credentials (trigger ids, response_urls, private_metadata that contains
//! one) are secrets: Debug hides them.

use super::input::{Input, State};
use crate::domain::text::{EventId, PersonName};
use crate::slack::typed_markup::unescaped;
use secrecy::SecretString;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// The person who acted.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "RawSender")]
pub struct Sender {
    /// The workspace in which they acted.
    pub team_id: String,
    /// Their own workspace, if Slack sends it: another one in a shared channel.
    pub home_team_id: Option<String>,
    pub user_id: String,
    /// The person's user name; empty if Slack omits it.
    pub user_name: String,
}

/// Commands have the sender in flat fields, interactions in objects; in an organization's app `team` is null and
/// the user's own team counts.
#[derive(Deserialize)]
struct RawSender {
    team_id: Option<String>,
    user_id: Option<String>,
    user_name: Option<String>,
    team: Option<RawTeam>,
    user: Option<RawUser>,
}

#[derive(Deserialize)]
struct RawTeam {
    id: String,
}

#[derive(Deserialize)]
struct RawUser {
    id: String,
    name: Option<String>,
    username: Option<String>,
    team_id: Option<String>,
}

impl TryFrom<RawSender> for Sender {
    type Error = &'static str;

    fn try_from(raw: RawSender) -> Result<Self, Self::Error> {
        let (user_id, name, home) = match raw.user {
            Some(user) => (Some(user.id), user.username.or(user.name), user.team_id),
            None => (raw.user_id, raw.user_name, None),
        };
        let team_id = raw.team.map(|team| team.id).or(raw.team_id).or_else(|| home.clone());
        Ok(Self {
            team_id: team_id.ok_or("missing field `team`")?,
            home_team_id: home,
            user_id: user_id.filter(|id| is_id(id)).ok_or("missing field `user`")?,
            user_name: PersonName::parse(&name.unwrap_or_default())
                .map_or_else(|_| String::new(), PersonName::into_string),
        })
    }
}

/// Slack's ids are about ten capital letters and digits.
fn is_id(id: &str) -> bool {
    (1..=32).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric())
}

#[derive(Debug, Clone, Deserialize)]
pub struct Command {
    #[serde(flatten)]
    pub sender: Sender,
    /// With its slash, such as `/esb-report`.
    pub command: String,
    /// The text after it, as typed.
    #[serde(default, deserialize_with = "typed")]
    pub text: String,
    /// Where private answers go: 5 times within 30 minutes.
    pub response_url: SecretString,
    /// Opens one modal within 3 s.
    pub trigger_id: SecretString,
}

/// The manifest requests no markup of mentions and links; three characters are still escaped.
fn typed<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    Ok(unescaped(&String::deserialize(from)?))
}

/// A modal or a Home tab, as the person sees it.
#[derive(Debug, Clone, Deserialize)]
pub struct View {
    pub id: String,
    #[serde(default)]
    pub callback_id: String,
    /// Its state, for `views.update`.
    #[serde(default)]
    pub hash: Option<String>,
    /// Our metadata; may contain a response_url.
    #[serde(default)]
    pub private_metadata: SecretString,
    /// The values of its inputs.
    #[serde(default)]
    pub state: State,
    /// The lowest modal of its stack.
    #[serde(default)]
    pub root_view_id: Option<String>,
    /// The modal below it.
    #[serde(default)]
    pub previous_view_id: Option<String>,
    /// The workspace whose app opened it; another one than the sender's in a shared channel.
    #[serde(default)]
    pub app_installed_team_id: Option<String>,
}

impl View {
    /// True for the third modal of a stack, Slack's limit.
    pub fn is_deepest(&self) -> bool {
        self.previous_view_id.is_some() && self.previous_view_id != self.root_view_id
    }
}

#[derive(Debug, Clone, Deserialize)]
pub struct ViewSubmission {
    #[serde(flatten)]
    pub sender: Sender,
    pub view: View,
    /// Opens one modal within 3 s.
    #[serde(default)]
    pub trigger_id: Option<SecretString>,
    /// Where answers go, if the modal has a channel input.
    #[serde(default)]
    pub response_urls: Vec<ResponseUrl>,
}

/// Where an answer to a submission goes.
#[derive(Debug, Clone, Deserialize)]
pub struct ResponseUrl {
    pub channel_id: String,
    /// 5 times within 30 minutes.
    pub response_url: SecretString,
}

#[derive(Debug, Clone, Deserialize)]
pub struct ViewClosed {
    #[serde(flatten)]
    pub sender: Sender,
    pub view: View,
}

/// A pressed button or a chosen option.
#[derive(Debug, Clone, Deserialize)]
pub struct BlockActions {
    #[serde(flatten)]
    pub sender: Sender,
    /// Opens one modal within 3 s.
    #[serde(default)]
    pub trigger_id: Option<SecretString>,
    /// Where private answers go; only from messages.
    #[serde(default)]
    pub response_url: Option<SecretString>,
    /// Where the element is.
    #[serde(default)]
    pub container: Container,
    #[serde(default)]
    pub channel: Option<ChannelId>,
    #[serde(default)]
    pub message: Option<Message>,
    #[serde(default)]
    pub view: Option<View>,
    /// One entry in practice.
    pub actions: Vec<Action>,
}

/// One pressed element.
#[derive(Debug, Clone, Deserialize)]
pub struct Action {
    pub action_id: String,
    #[serde(default)]
    pub block_id: String,
    /// Its current value.
    #[serde(flatten)]
    pub input: Input,
}

/// Where a pressed element is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Container {
    /// `message` or `view`.
    #[serde(rename = "type")]
    pub kind: String,
    pub view_id: Option<String>,
    /// The message's channel.
    pub channel_id: Option<String>,
    /// Slack's timestamp of the message.
    pub message_ts: Option<String>,
    /// True for a message that is only visible to its reader.
    pub is_ephemeral: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ChannelId {
    pub id: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Message {
    /// Its id within the channel.
    pub ts: String,
    #[serde(default)]
    pub text: String,
    /// Its thread.
    #[serde(default)]
    pub thread_ts: Option<String>,
    /// Its author; absent for some apps' messages.
    #[serde(default)]
    pub user: Option<String>,
}

/// An external select that requests its options.
#[derive(Debug, Clone, Deserialize)]
pub struct BlockSuggestion {
    #[serde(flatten)]
    pub sender: Sender,
    pub action_id: String,
    #[serde(default)]
    pub block_id: String,
    /// The typed text so far.
    #[serde(default)]
    pub value: String,
    #[serde(default)]
    pub view: Option<View>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Shortcut {
    #[serde(flatten)]
    pub sender: Sender,
    pub callback_id: String,
    /// Opens one modal within 3 s.
    pub trigger_id: SecretString,
}

/// A shortcut chosen on a message.
#[derive(Debug, Clone, Deserialize)]
pub struct MessageShortcut {
    #[serde(flatten)]
    pub sender: Sender,
    pub callback_id: String,
    /// Opens one modal within 3 s.
    pub trigger_id: SecretString,
    /// Where private answers go.
    pub response_url: SecretString,
    pub channel: ChannelId,
    pub message: Message,
}

/// Something that happened in the workspace.
#[derive(Debug, Clone, Deserialize)]
pub struct Event {
    /// The workspace; in a shared channel, the acting person's.
    pub team_id: String,
    /// The app's installations that see it; Slack sends one of them.
    #[serde(default)]
    pub authorizations: Option<Vec<Authorization>>,
    /// The same in every delivery of one event.
    pub event_id: String,
    /// `type` and the fields of that type.
    #[serde(rename = "event")]
    pub body: Map<String, Value>,
    /// Present in a retry.
    #[serde(skip)]
    pub retry: Option<Retry>,
}

/// An installation of the app.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Authorization {
    /// Its workspace; `None` for an organization-wide one.
    pub team_id: Option<String>,
}

/// Slack's retry of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    /// 1 for the first retry.
    pub attempt: u64,
    /// Slack's reason, such as `timeout`.
    pub reason: String,
}

impl Retry {
    /// The last retry: immediately, after a minute, after five.
    pub const LAST: u64 = 3;
}

impl Event {
    /// The event's `type`, such as `app_home_opened`; empty if missing.
    pub fn kind(&self) -> &str {
        self.text("type")
    }

    /// Its id; `None` if it is not one of Slack's.
    pub fn id(&self) -> Option<EventId> {
        EventId::parse(&self.event_id)
    }

    /// Number of earlier deliveries.
    pub fn attempt(&self) -> u64 {
        self.retry.as_ref().map_or(0, |retry| retry.attempt)
    }

    /// True for Slack's last retry.
    pub fn is_last_attempt(&self) -> bool {
        self.attempt() == Retry::LAST
    }

    /// True for a direct message to the bot.
    pub fn is_direct(&self) -> bool {
        self.text("channel_type") == "im"
    }

    /// The person who caused it, if any.
    pub fn sender(&self) -> Option<Sender> {
        self.sender_of(self.text("user"))
    }

    /// The person with that id as the sender; `None` if it is not an id.
    pub fn sender_of(&self, user_id: &str) -> Option<Sender> {
        let team_of = |of: &Map<String, Value>| {
            let team = of.get("user_team").or_else(|| of.get("source_team"))?;
            team.as_str().map(str::to_owned)
        };
        // The author of a changed or deleted message.
        let previous = || self.body.get("previous_message").and_then(Value::as_object).and_then(team_of);
        // The outer team is theirs or, if unknown, ours.
        let home_team_id = team_of(&self.body).or_else(previous).or_else(|| Some(self.team_id.clone()));
        Some(Sender {
            team_id: self.team_id.clone(),
            home_team_id,
            user_id: Some(user_id).filter(|id| is_id(id))?.to_owned(),
            user_name: String::new(),
        })
    }

    fn text(&self, field: &str) -> &str {
        self.body.get(field).and_then(Value::as_str).unwrap_or_default()
    }
}
