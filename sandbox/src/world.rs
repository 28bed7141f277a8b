//! The simulated workspace: its people, its channels and the installed app.
//!
//! Owns: [`World`], [`Person`], [`Channel`], [`File`]. Must not: contain later state (messages, views). Called by:
//! callers of [`crate::Sandbox::start`]; read by every part that refers to a person or channel.

use bytes::Bytes;
use serde_json::{Value, json};

/// A person with an account in the workspace.
#[derive(Clone, Debug)]
pub struct Person {
    /// User id, such as `U01`.
    pub id: String,
    /// User name, without `@`.
    pub name: String,
    /// The displayed name.
    pub real_name: String,
    /// Only shown to apps with the scope `users:read.email`.
    pub email: Option<String>,
    /// Deactivated accounts remain visible in users.info.
    pub deleted: bool,
    /// The account of an app.
    pub is_bot: bool,
    /// The person's workspace, if it is another one: Slack Connect brings such people into channels.
    pub team_id: Option<String>,
    /// In another workspace, and in no channel that the app sees.
    pub is_stranger: bool,
    pub is_email_confirmed: bool,
    /// A guest, who is in a few channels only.
    pub is_guest: bool,
}

impl Person {
    /// An active person without an e-mail address.
    pub fn new(id: &str, name: &str, real_name: &str) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            real_name: real_name.into(),
            email: None,
            deleted: false,
            is_bot: false,
            team_id: None,
            is_stranger: false,
            is_email_confirmed: true,
            is_guest: false,
        }
    }

    #[must_use]
    pub fn of_team(mut self, team_id: &str) -> Self {
        self.team_id = Some(team_id.into());
        self
    }

    #[must_use]
    pub fn stranger(mut self) -> Self {
        self.is_stranger = true;
        self
    }

    #[must_use]
    pub fn unconfirmed(mut self) -> Self {
        self.is_email_confirmed = false;
        self
    }

    #[must_use]
    pub fn guest(mut self) -> Self {
        self.is_guest = true;
        self
    }

    #[must_use]
    pub fn email(mut self, email: &str) -> Self {
        self.email = Some(email.into());
        self
    }

    #[must_use]
    pub fn bot(mut self) -> Self {
        self.is_bot = true;
        self
    }

    #[must_use]
    pub fn deleted(mut self) -> Self {
        self.deleted = true;
        self
    }
}

/// A channel: public by default.
#[derive(Clone, Debug)]
pub struct Channel {
    /// Channel id, such as `C01`.
    pub id: String,
    /// Name, without `#`.
    pub name: String,
    /// Whether the app's bot was invited.
    pub bot_is_member: bool,
    /// Archived channels accept no messages.
    pub archived: bool,
    /// Private channels are invisible to people outside them.
    pub private: bool,
}

impl Channel {
    /// An open channel with the bot as a member.
    pub fn new(id: &str, name: &str) -> Self {
        Self { id: id.into(), name: name.into(), bot_is_member: true, archived: false, private: false }
    }

    #[must_use]
    pub fn without_bot(mut self) -> Self {
        self.bot_is_member = false;
        self
    }

    #[must_use]
    pub fn archived(mut self) -> Self {
        self.archived = true;
        self
    }

    #[must_use]
    pub fn private(mut self) -> Self {
        self.private = true;
        self
    }

    /// Whether an app whose bot is not a member gets `channel_not_found`.
    pub(crate) fn is_hidden(&self) -> bool {
        self.private && !self.bot_is_member
    }
}

/// A file in the workspace.
#[derive(Clone, Debug)]
pub struct File {
    /// File id, such as `F01`.
    pub id: String,
    /// File name given by its owner.
    pub name: String,
    pub media_type: String,
    pub content: Bytes,
    /// The address of a file that is stored outside Slack.
    pub external: Option<String>,
    /// Payloads contain only its id: the app must call files.info, as in channels shared with other workspaces.
    pub hidden: bool,
}

impl File {
    pub fn new(id: &str, name: &str, media_type: &str, content: impl Into<Bytes>) -> Self {
        let (id, name, media_type) = (id.into(), name.into(), media_type.into());
        Self { id, name, media_type, content: content.into(), external: None, hidden: false }
    }

    /// Stores the file outside Slack, at this address.
    #[must_use]
    pub fn external(mut self, url: &str) -> Self {
        self.external = Some(url.into());
        self
    }

    /// Hides everything but the id from payloads.
    #[must_use]
    pub fn hidden(mut self) -> Self {
        self.hidden = true;
        self
    }

    /// The file as in payloads (docs.slack.dev, Slack Connect); `url` is where Slack serves it.
    pub(crate) fn in_payload(&self, world: &World, url: &str) -> Value {
        if !self.hidden {
            return self.to_json(world, url);
        }
        json!({
            "id": self.id, "mode": "file_access", "file_access": "check_file_info", "created": 0, "timestamp": 0,
            "user": "",
        })
    }

    /// The file as in files.info.
    pub(crate) fn to_json(&self, world: &World, url: &str) -> Value {
        let extension = self.name.rsplit_once('.').map_or("", |(_, extension)| extension);
        json!({
            "id": self.id,
            "name": self.name,
            "title": self.name,
            "mimetype": self.media_type,
            "filetype": extension,
            "mode": if self.external.is_some() { "external" } else { "hosted" },
            "is_external": self.external.is_some(),
            "size": self.content.len(),
            "url_private": self.external.as_deref().unwrap_or(url),
            "url_private_download": self.external.as_deref().unwrap_or(url),
            "permalink": format!("https://{}.slack.com/files/{}/{}", world.team_domain, self.id, self.name),
            "file_access": "visible",
        })
    }
}

/// One workspace with one app installed.
#[derive(Clone, Debug)]
pub struct World {
    /// Workspace id, `T…`.
    pub team_id: String,
    /// The workspace's subdomain.
    pub team_domain: String,
    /// Id of the organization that the workspace is part of, `E…`.
    pub enterprise_id: Option<String>,
    /// App id, `A…`.
    pub app_id: String,
    /// The bot's user id, `U…`.
    pub bot_user: String,
    /// The bot's own id, `B…`, which differs from its user id.
    pub bot_id: String,
    /// The bot's user name.
    pub bot_name: String,
    /// Scopes of the bot token; every response lists them in `x-oauth-scopes`.
    pub scopes: Vec<String>,
    /// Everyone except the bot.
    pub people: Vec<Person>,
    /// All channels except direct messages, which exist for each person.
    pub channels: Vec<Channel>,
    /// See [`crate::Sandbox::file_url`] for their URLs.
    pub files: Vec<File>,
}

/// Scopes to answer commands, post, and look up people.
const USUAL_SCOPES: [&str; 5] = ["commands", "chat:write", "users:read", "users:read.email", "im:write"];

impl Default for World {
    fn default() -> Self {
        Self {
            team_id: "T0SANDBOX".into(),
            team_domain: "sandbox".into(),
            enterprise_id: None,
            app_id: "A0SANDBOX".into(),
            bot_user: "U0BOT".into(),
            bot_id: "B0BOT".into(),
            bot_name: "bot".into(),
            scopes: USUAL_SCOPES.map(String::from).to_vec(),
            people: Vec::new(),
            channels: Vec::new(),
            files: Vec::new(),
        }
    }
}

impl World {
    /// An empty workspace with the app installed and the usual scopes granted.
    pub fn new() -> Self {
        Self::default()
    }

    #[must_use]
    pub fn person(mut self, person: Person) -> Self {
        self.people.push(person);
        self
    }

    #[must_use]
    pub fn channel(mut self, channel: Channel) -> Self {
        self.channels.push(channel);
        self
    }

    #[must_use]
    pub fn file(mut self, file: File) -> Self {
        self.files.push(file);
        self
    }

    #[must_use]
    pub fn scopes(mut self, scopes: &[&str]) -> Self {
        self.scopes = scopes.iter().copied().map(String::from).collect();
        self
    }

    /// Finds a person by id, `name` or `@name`.
    pub fn find_person(&self, who: &str) -> Option<&Person> {
        let name = who.strip_prefix('@').unwrap_or(who);
        self.people.iter().find(|p| p.id == who || p.name == name)
    }

    /// Finds a channel by id, `name` or `#name`.
    pub fn find_channel(&self, which: &str) -> Option<&Channel> {
        let name = which.strip_prefix('#').unwrap_or(which);
        self.channels.iter().find(|c| c.id == which || c.name == name)
    }

    /// The channel of direct messages between a person and the bot.
    pub(crate) fn dm_of(user: &str) -> String {
        format!("D{}", user.strip_prefix('U').unwrap_or(user))
    }

    /// The person of a direct message channel.
    pub(crate) fn person_of_dm(&self, channel: &str) -> Option<&Person> {
        self.people.iter().find(|p| Self::dm_of(&p.id) == channel)
    }

    /// The kind of a channel as in events; with an `s` it is the prefix of scopes.
    pub(crate) fn kind_of(&self, channel: &str) -> &'static str {
        match self.channels.iter().find(|c| c.id == channel) {
            Some(channel) if channel.private => "group",
            None if self.person_of_dm(channel).is_some() => "im",
            _ => "channel",
        }
    }

    /// The scope for reading a channel's messages or receiving their events.
    pub(crate) fn history_scope(kind: &str) -> &'static str {
        match kind {
            "group" => "groups:history",
            "im" => "im:history",
            "mpim" => "mpim:history",
            _ => "channels:history",
        }
    }

    /// The channel name in payloads; Slack uses the same name for every direct message channel.
    pub(crate) fn channel_name(&self, id: &str) -> String {
        self.find_channel(id).map_or_else(|| "directmessage".into(), |c| c.name.clone())
    }

    /// A person as in interaction payloads.
    pub(crate) fn user_json(&self, user: &str) -> Value {
        let name = self.find_person(user).map_or(user, |p| p.name.as_str());
        json!({"id": user, "username": name, "name": name, "team_id": self.team_of(user)})
    }

    /// A person's workspace.
    pub(crate) fn team_of(&self, user: &str) -> &str {
        let outside = self.find_person(user).and_then(|person| person.team_id.as_deref());
        outside.unwrap_or(&self.team_id)
    }

    /// Whether a person is in another workspace than the app.
    pub(crate) fn is_outside(&self, user: &str) -> bool {
        self.team_of(user) != self.team_id
    }

    /// A workspace as in interaction payloads.
    pub(crate) fn team_json(&self, team_id: &str) -> Value {
        let domain = if team_id == self.team_id { self.team_domain.as_str() } else { "elsewhere" };
        json!({"id": team_id, "domain": domain})
    }

    pub(crate) fn has_scope(&self, scope: &str) -> bool {
        self.scopes.iter().any(|s| s == scope)
    }
}
