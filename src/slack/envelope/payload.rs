//! The kinds of envelopes, field by field. Credentials (trigger ids,
//! response_urls, private_metadata with one of these) are secrets: Debug hides them.

use super::input::{Input, State};
use crate::domain::text::{EventId, PersonName};
use crate::slack::typed_markup::unescaped;
use secrecy::SecretString;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "RawSender")]
pub struct Sender {
    /// The workspace in which they did it.
    pub team_id: String,
    /// Their own workspace, as far as Slack says so: another one in a channel that is shared with it.
    pub home_team_id: Option<String>,
    pub user_id: String,
    /// The person's user name; empty where Slack leaves it out.
    pub user_name: String,
}

/// Commands name the sender by flat fields, interactions by objects; in an organisation's app `team`
/// is null and the user's own team counts.
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

/// Slack's ids are capital letters and digits, about ten of them.
fn is_id(id: &str) -> bool {
    (1..=32).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric())
}

#[derive(Debug, Clone, Deserialize)]
pub struct Command {
    #[serde(flatten)]
    pub sender: Sender,
    /// With its slash, such as `/esb-report`.
    pub command: String,
    /// What stands behind it, as it was typed.
    #[serde(default, deserialize_with = "typed")]
    pub text: String,
    /// Where private answers go: 5 times within 30 minutes.
    pub response_url: SecretString,
    /// Opens one modal within 3 s.
    pub trigger_id: SecretString,
}

/// The manifest asks for no markup of mentions and links; three signs are escaped all the same.
fn typed<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    Ok(unescaped(&String::deserialize(from)?))
}

/// A modal or a Home tab, as the person sees it.
#[derive(Debug, Clone, Deserialize)]
pub struct View {
    pub id: String,
    /// Which of our views it is.
    #[serde(default)]
    pub callback_id: String,
    /// Its state, for `views.update`.
    #[serde(default)]
    pub hash: Option<String>,
    /// What we gave it to keep; may hold a response_url.
    #[serde(default)]
    pub private_metadata: SecretString,
    /// What stands in its inputs.
    #[serde(default)]
    pub state: State,
    /// The lowest modal of its stack.
    #[serde(default)]
    pub root_view_id: Option<String>,
    /// The modal beneath it.
    #[serde(default)]
    pub previous_view_id: Option<String>,
    /// The workspace whose app has opened it; another one than the sender's in a shared channel.
    #[serde(default)]
    pub app_installed_team_id: Option<String>,
}

impl View {
    /// True for the third modal of a stack: Slack puts no other on top of it.
    pub fn is_deepest(&self) -> bool {
        self.previous_view_id.is_some() && self.previous_view_id != self.root_view_id
    }
}

/// A submitted modal.
#[derive(Debug, Clone, Deserialize)]
pub struct ViewSubmission {
    /// Who submitted it.
    #[serde(flatten)]
    pub sender: Sender,
    /// The modal with what was typed.
    pub view: View,
    /// Opens one modal within 3 s.
    #[serde(default)]
    pub trigger_id: Option<SecretString>,
    /// Where answers go, if the modal asked for a channel.
    #[serde(default)]
    pub response_urls: Vec<ResponseUrl>,
}

/// Where an answer to a submission goes.
#[derive(Debug, Clone, Deserialize)]
pub struct ResponseUrl {
    /// The channel that was chosen.
    pub channel_id: String,
    /// 5 times within 30 minutes.
    pub response_url: SecretString,
}

/// A closed modal.
#[derive(Debug, Clone, Deserialize)]
pub struct ViewClosed {
    /// Who closed it.
    #[serde(flatten)]
    pub sender: Sender,
    /// The modal.
    pub view: View,
}

/// Something pressed or chosen.
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
    /// The channel of the message.
    #[serde(default)]
    pub channel: Option<ChannelId>,
    /// The message that holds the element.
    #[serde(default)]
    pub message: Option<Message>,
    /// The view that holds the element.
    #[serde(default)]
    pub view: Option<View>,
    /// What was pressed: one entry, as far as Slack is known.
    pub actions: Vec<Action>,
}

/// One pressed element.
#[derive(Debug, Clone, Deserialize)]
pub struct Action {
    /// Which element.
    pub action_id: String,
    #[serde(default)]
    pub block_id: String,
    /// What it holds now.
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
    /// The message within its channel.
    pub message_ts: Option<String>,
    /// True for a message that only its reader sees.
    pub is_ephemeral: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ChannelId {
    /// Slack's id.
    pub id: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Message {
    /// Its id within the channel.
    pub ts: String,
    /// Its plain text.
    #[serde(default)]
    pub text: String,
    /// The thread that it stands in.
    #[serde(default)]
    pub thread_ts: Option<String>,
    /// Who wrote it; absent for some apps' messages.
    #[serde(default)]
    pub user: Option<String>,
}

/// An external select that asks for its options.
#[derive(Debug, Clone, Deserialize)]
pub struct BlockSuggestion {
    /// Who types.
    #[serde(flatten)]
    pub sender: Sender,
    /// Which select.
    pub action_id: String,
    #[serde(default)]
    pub block_id: String,
    /// What was typed so far.
    #[serde(default)]
    pub value: String,
    /// The view that holds it.
    #[serde(default)]
    pub view: Option<View>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Shortcut {
    /// Who chose it.
    #[serde(flatten)]
    pub sender: Sender,
    /// Which shortcut.
    pub callback_id: String,
    /// Opens one modal within 3 s.
    pub trigger_id: SecretString,
}

/// A shortcut chosen on a message.
#[derive(Debug, Clone, Deserialize)]
pub struct MessageShortcut {
    /// Who chose it.
    #[serde(flatten)]
    pub sender: Sender,
    /// Which shortcut.
    pub callback_id: String,
    /// Opens one modal within 3 s.
    pub trigger_id: SecretString,
    /// Where private answers go.
    pub response_url: SecretString,
    /// The message's channel.
    pub channel: ChannelId,
    pub message: Message,
}

/// Something that happened in the workspace.
#[derive(Debug, Clone, Deserialize)]
pub struct Event {
    /// The workspace; of what people of another one did in a shared channel, theirs.
    pub team_id: String,
    /// The installations of the app to which it is shown; Slack names one of them.
    #[serde(default)]
    pub authorizations: Option<Vec<Authorization>>,
    /// The same in every delivery of one event.
    pub event_id: String,
    /// What happened: `type` and the fields of that type.
    #[serde(rename = "event")]
    pub body: Map<String, Value>,
    /// Present when Slack sent it before.
    #[serde(skip)]
    pub retry: Option<Retry>,
}

/// An installation of the app.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Authorization {
    /// Its workspace; none for one of a whole organisation.
    pub team_id: Option<String>,
}

/// Why an event comes again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    /// 1 for the first repetition.
    pub attempt: u64,
    /// Slack's word for it, such as `timeout`.
    pub reason: String,
}

impl Retry {
    /// The last repetition: at once, after a minute, after five.
    pub const LAST: u64 = 3;
}

impl Event {
    /// The event's `type`, such as `app_home_opened`; empty where there is none.
    pub fn kind(&self) -> &str {
        self.text("type")
    }

    /// Its id; `None` where that is none of Slack's.
    pub fn id(&self) -> Option<EventId> {
        EventId::parse(&self.event_id)
    }

    /// How often it was sent before.
    pub fn attempt(&self) -> u64 {
        self.retry.as_ref().map_or(0, |retry| retry.attempt)
    }

    /// True when Slack sends it for the last time.
    pub fn is_last_attempt(&self) -> bool {
        self.attempt() == Retry::LAST
    }

    /// True for what stands in somebody's direct messages with the bot.
    pub fn is_direct(&self) -> bool {
        self.text("channel_type") == "im"
    }

    /// The person who caused it; `None` where it names none.
    pub fn sender(&self) -> Option<Sender> {
        self.sender_of(self.text("user"))
    }

    /// The person of that id, as who caused it; `None` for what is no id.
    pub fn sender_of(&self, user_id: &str) -> Option<Sender> {
        let team_of = |of: &Map<String, Value>| {
            let team = of.get("user_team").or_else(|| of.get("source_team"))?;
            team.as_str().map(str::to_owned)
        };
        // Of what was changed or deleted.
        let previous = || self.body.get("previous_message").and_then(Value::as_object).and_then(team_of);
        // The outer one is theirs or, as far as we know, ours.
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
