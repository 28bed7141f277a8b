//! Slack's responses: only the fields that ESB uses, so that a change elsewhere in a response breaks nothing.

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;

/// A message that stands in a channel.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PostedMessage {
    /// Id of the channel, also where it was addressed by name.
    pub channel: String,
    /// The message's id within its channel.
    pub ts: String,
}

/// A message that was found in a channel.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ChannelMessage {
    /// The message's id within its channel.
    pub ts: String,
    /// The message whose thread it is in; its own id, where it has a thread.
    #[serde(default)]
    pub thread_ts: Option<String>,
    /// What an app wrote on its back.
    #[serde(default)]
    pub metadata: Option<Metadata>,
}

/// What an app wrote on the back of a message.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct Metadata {
    event_type: String,
    event_payload: Value,
}

impl Metadata {
    /// True for metadata of this kind with this key.
    pub fn is(&self, event_type: &str, key: &str) -> bool {
        self.event_type == event_type && self.event_payload["key"] == key
    }
}

#[derive(Deserialize)]
pub(super) struct MessagesAnswer {
    #[serde(default)]
    pub messages: Vec<ChannelMessage>,
}

/// A view that a person sees.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct OpenView {
    /// Slack's id of it, for a later `views.update`.
    pub id: String,
    /// Its state when this answer was given.
    #[serde(default)]
    pub hash: Option<String>,
}

/// A person of the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlackUser {
    /// Slack's id.
    pub id: String,
    /// The real name, or the user name of people without one.
    pub real_name: String,
    /// Only with scope users:read.email, and never for bots.
    pub email: Option<String>,
    /// The workspace, or the organization, that they belong to.
    pub team_id: Option<String>,
    /// The organization that their workspace is part of.
    pub enterprise_id: Option<String>,
    /// Somebody of another workspace whom we share no channel with.
    pub is_stranger: bool,
    /// False where Slack says that nobody has confirmed the address.
    pub is_email_confirmed: bool,
    /// True for apps.
    pub is_bot: bool,
    /// True for accounts that were switched off.
    pub deleted: bool,
}

/// What Slack tells of a file when it is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct SlackFile {
    /// What its owner called it.
    pub name: Option<String>,
    /// Its media type, as Slack took it.
    pub mimetype: Option<String>,
    /// Where its bytes are; for an external file, where it is kept.
    pub url_private: Option<String>,
    /// Where people look at it.
    pub permalink: Option<String>,
    /// Somebody else keeps it.
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

/// An answer of which nothing is read.
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
    /// The person whom a `user_change` event shows; `None` when it shows none.
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
