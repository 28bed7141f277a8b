//! Slack's responses: only the fields that ESB uses, so that a change elsewhere in a response breaks nothing.

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PostedMessage {
    /// Channel id, even if the request used a name.
    pub channel: String,
    /// The message's id within its channel.
    pub ts: String,
}

/// A message from a channel's history.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ChannelMessage {
    /// The message's id within its channel.
    pub ts: String,
    /// The parent message of its thread; its own id if it is the parent.
    #[serde(default)]
    pub thread_ts: Option<String>,
    /// Metadata that an app attached to the message.
    #[serde(default)]
    pub metadata: Option<Metadata>,
}

/// Message metadata, which only apps can read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct Metadata {
    event_type: String,
    event_payload: Value,
}

impl Metadata {
    /// True for metadata of this type with this key.
    pub fn is(&self, event_type: &str, key: &str) -> bool {
        self.event_type == event_type && self.event_payload["key"] == key
    }
}

#[derive(Deserialize)]
pub(super) struct MessagesAnswer {
    #[serde(default)]
    pub messages: Vec<ChannelMessage>,
}

/// An open view.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct OpenView {
    /// For a later `views.update`.
    pub id: String,
    /// Identifies its state at the time of the response.
    #[serde(default)]
    pub hash: Option<String>,
}

/// A person of a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlackUser {
    pub id: String,
    /// The real name, or the user name of people without one.
    pub real_name: String,
    /// Only with scope users:read.email, and never for bots.
    pub email: Option<String>,
    /// The workspace or organization of the person.
    pub team_id: Option<String>,
    /// The organization that the workspace is part of.
    pub enterprise_id: Option<String>,
    /// A person of another workspace without a channel shared with the bot.
    pub is_stranger: bool,
    /// False if Slack reports that the address is not confirmed.
    pub is_email_confirmed: bool,
    pub is_bot: bool,
    /// True for deactivated accounts.
    pub deleted: bool,
}

/// A file's metadata from `files.info`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct SlackFile {
    /// File name given by its owner.
    pub name: Option<String>,
    /// Media type as detected by Slack.
    pub mimetype: Option<String>,
    /// Download address; for an external file, its address elsewhere.
    pub url_private: Option<String>,
    /// The file's page in Slack.
    pub permalink: Option<String>,
    /// The file is stored outside Slack.
    pub is_external: bool,
}

#[derive(Deserialize)]
pub(super) struct FileAnswer {
    pub file: SlackFile,
}

#[derive(Deserialize)]
pub(super) struct ViewAnswer {
    pub view: OpenView,
}

#[derive(Deserialize)]
pub(super) struct PermalinkAnswer {
    pub permalink: String,
}

#[derive(Deserialize)]
pub(super) struct ConnectionAnswer {
    pub url: SecretString,
}

#[derive(Deserialize)]
pub(super) struct UserAnswer {
    user: User,
}

#[derive(Deserialize)]
pub(super) struct ChannelAnswer {
    pub channel: ChannelShown,
}

#[derive(Deserialize)]
pub(super) struct ChannelShown {
    #[serde(default)]
    pub name: String,
}

/// A response without fields that are used.
#[derive(Deserialize)]
pub(super) struct Nothing {}

#[derive(Deserialize)]
struct User {
    id: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    real_name: Option<String>,
    #[serde(default)]
    team_id: Option<String>,
    #[serde(default)]
    enterprise_id: Option<String>,
    #[serde(default)]
    enterprise_user: Option<EnterpriseUser>,
    #[serde(default)]
    is_stranger: Option<bool>,
    #[serde(default)]
    is_email_confirmed: Option<bool>,
    #[serde(default)]
    is_bot: bool,
    #[serde(default)]
    is_workflow_bot: bool,
    #[serde(default)]
    is_connector_bot: bool,
    #[serde(default)]
    deleted: bool,
    #[serde(default)]
    profile: Profile,
}

#[derive(Deserialize)]
struct EnterpriseUser {
    #[serde(default)]
    enterprise_id: Option<String>,
}

#[derive(Default, Deserialize)]
struct Profile {
    #[serde(default)]
    real_name: Option<String>,
    #[serde(default)]
    email: Option<String>,
}

impl SlackUser {
    /// The person in a `user_change` event; `None` if it has none.
    pub fn of_event(user: &Value) -> Option<Self> {
        User::deserialize(user).ok().map(Self::from)
    }
}

impl From<UserAnswer> for SlackUser {
    fn from(UserAnswer { user }: UserAnswer) -> Self {
        user.into()
    }
}

impl From<User> for SlackUser {
    fn from(user: User) -> Self {
        let filled = |text: &String| !text.trim().is_empty();
        let real_name = [user.profile.real_name, user.real_name, user.name]
            .into_iter()
            .flatten()
            .find(filled)
            .unwrap_or_else(|| user.id.clone());
        Self {
            id: user.id,
            real_name,
            email: user.profile.email.filter(filled),
            team_id: user.team_id,
            enterprise_id: user.enterprise_user.and_then(|it| it.enterprise_id).or(user.enterprise_id),
            is_stranger: user.is_stranger.unwrap_or_default(),
            is_email_confirmed: user.is_email_confirmed.unwrap_or(true),
            is_bot: user.is_bot || user.is_workflow_bot || user.is_connector_bot,
            deleted: user.deleted,
        }
    }
}
