//! The workspace that the sandbox plays: its people, its channels and the app installed in it.
//!
//! Owns: [`World`], [`Person`], [`Channel`], [`File`]. Must not: hold what happens later (messages, views).
//! Called by: callers of [`crate::Sandbox::start`]; read by every part that names a person or channel.

use bytes::Bytes;
use serde_json::{Value, json};

/// Somebody with an account in the workspace.
#[derive(Clone, Debug)]
pub struct Person {
    /// User id, such as `U01`.
    pub id: String,
    /// User name, without `@`.
    pub name: String,
    /// The name that Slack shows.
    pub real_name: String,
    /// E-mail address; shown to apps that have the scope `users:read.email`.
    pub email: Option<String>,
    /// Deactivated accounts stay known to users.info.
    pub deleted: bool,
    /// The account of an app.
    pub is_bot: bool,
    /// Workspace that the person belongs to, if it is another one: Slack Connect brings such people into channels.
    pub team_id: Option<String>,
    /// Of another workspace, and in no channel that the app sees.
    pub is_stranger: bool,
    /// Whether the e-mail address was confirmed.
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

    /// Puts the person into another workspace.
    #[must_use]
    pub fn of_team(mut self, team_id: &str) -> Self {
        self.team_id = Some(team_id.into());
        self
    }

    /// Puts the person into no channel that the app sees.
    #[must_use]
    pub fn stranger(mut self) -> Self {
        self.is_stranger = true;
        self
    }

    /// Leaves the e-mail address unconfirmed.
    #[must_use]
    pub fn unconfirmed(mut self) -> Self {
        self.is_email_confirmed = false;
        self
    }

    /// Makes the person a guest.
    #[must_use]
    pub fn guest(mut self) -> Self {
        self.is_guest = true;
        self
    }

    /// Gives the person an e-mail address.
    #[must_use]
    pub fn email(mut self, email: &str) -> Self {
        self.email = Some(email.into());
        self
    }

    /// Makes it the account of an app.
    #[must_use]
    pub fn bot(mut self) -> Self {
        self.is_bot = true;
        self
    }

    /// Deactivates the account.
    #[must_use]
    pub fn deleted(mut self) -> Self {
        self.deleted = true;
        self
    }
}

/// A channel: public, unless it is made private.
#[derive(Clone, Debug)]
pub struct Channel {
    /// Channel id, such as `C01`.
    pub id: String,
    /// Name, without `#`.
    pub name: String,
    /// Whether the app's bot was invited.
    pub bot_is_member: bool,
    /// Archived channels take no messages.
    pub archived: bool,
    /// Private channels do not exist for people who are not in them.
    pub private: bool,
}

impl Channel {
    /// An open channel that the bot is a member of.
    pub fn new(id: &str, name: &str) -> Self {
        Self { id: id.into(), name: name.into(), bot_is_member: true, archived: false, private: false }
    }

    /// Leaves the bot out.
    #[must_use]
    pub fn without_bot(mut self) -> Self {
        self.bot_is_member = false;
        self
    }

    /// Archives the channel.
    #[must_use]
    pub fn archived(mut self) -> Self {
        self.archived = true;
        self
    }

    /// Makes the channel private.
    #[must_use]
    pub fn private(mut self) -> Self {
        self.private = true;
        self
    }

    /// Whether an app without the bot in it gets `channel_not_found`.
    pub(crate) fn is_hidden(&self) -> bool {
        self.private && !self.bot_is_member
    }
}

/// A file that somebody sent to the workspace.
#[derive(Clone, Debug)]
pub struct File {
    /// File id, such as `F01`.
    pub id: String,
    /// What its owner called it.
    pub name: String,
    /// Media type with which it is given out.
    pub media_type: String,
    pub content: Bytes,
    /// Where it is, if somebody else than Slack keeps it.
    pub external: Option<String>,
    /// Payloads say no more than its id: the app has to ask files.info, as in channels shared with other workspaces.
    pub hidden: bool,
}

impl File {
    /// A file of that name and type.
    pub fn new(id: &str, name: &str, media_type: &str, content: impl Into<Bytes>) -> Self {
        let (id, name, media_type) = (id.into(), name.into(), media_type.into());
        Self { id, name, media_type, content: content.into(), external: None, hidden: false }
    }

    /// A file that somebody else keeps, under this address.
    #[must_use]
    pub fn external(mut self, url: &str) -> Self {
        self.external = Some(url.into());
        self
    }

    /// Hides all but its id from payloads.
    #[must_use]
    pub fn hidden(mut self) -> Self {
        self.hidden = true;
        self
    }

    /// The file as payloads carry it (docs.slack.dev, Slack Connect); `url` is where Slack gives it out.
    pub(crate) fn in_payload(&self, world: &World, url: &str) -> Value {
        if !self.hidden {
            return self.to_json(world, url);
        }
        json!({
            "id": self.id, "mode": "file_access", "file_access": "check_file_info", "created": 0, "timestamp": 0,
            "user": "",
        })
    }

    /// The file as files.info shows it.
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
    /// The workspace's part of its address.
    pub team_domain: String,
    /// Id of the organization that the workspace is part of, `E…`.
    pub enterprise_id: Option<String>,
    /// App id, `A…`.
    pub app_id: String,
    /// The bot's user id, `U…`.
    pub bot_user: String,
    /// The bot's own id, `B…`, which is another one than its user id.
    pub bot_id: String,
    /// The bot's user name.
    pub bot_name: String,
    /// Scopes of the bot token; every answer names them in `x-oauth-scopes`.
    pub scopes: Vec<String>,
    /// Everybody but the bot.
    pub people: Vec<Person>,
    /// Every channel but direct messages, which exist for each person.
    pub channels: Vec<Channel>,
    /// Files; [`crate::Sandbox::file_url`] says where each is.
    pub files: Vec<File>,
}

/// What a bot needs to answer commands, post, and look people up.
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

    /// Adds a person.
    #[must_use]
    pub fn person(mut self, person: Person) -> Self {
        self.people.push(person);
        self
    }

    /// Adds a channel.
    #[must_use]
    pub fn channel(mut self, channel: Channel) -> Self {
        self.channels.push(channel);
        self
    }

    /// Adds a file.
    #[must_use]
    pub fn file(mut self, file: File) -> Self {
        self.files.push(file);
        self
    }

    /// Replaces the scopes of the bot token.
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

    /// Whose direct messages a channel id stands for.
    pub(crate) fn person_of_dm(&self, channel: &str) -> Option<&Person> {
        self.people.iter().find(|p| Self::dm_of(&p.id) == channel)
    }

    /// The kind of a channel, as events name it and as scopes begin but for their `s`.
    pub(crate) fn kind_of(&self, channel: &str) -> &'static str {
        match self.channels.iter().find(|c| c.id == channel) {
            Some(channel) if channel.private => "group",
            None if self.person_of_dm(channel).is_some() => "im",
            _ => "channel",
        }
    }

    /// The scope that reading a channel's messages needs, or hearing of them.
    pub(crate) fn history_scope(kind: &str) -> &'static str {
        match kind {
            "group" => "groups:history",
            "im" => "im:history",
            "mpim" => "mpim:history",
            _ => "channels:history",
        }
    }

    /// The name that payloads give a channel; Slack calls every direct message channel the same.
    pub(crate) fn channel_name(&self, id: &str) -> String {
        self.find_channel(id).map_or_else(|| "directmessage".into(), |c| c.name.clone())
    }

    /// A person as interaction payloads name them.
    pub(crate) fn user_json(&self, user: &str) -> Value {
        let name = self.find_person(user).map_or(user, |p| p.name.as_str());
        json!({"id": user, "username": name, "name": name, "team_id": self.team_of(user)})
    }

    /// The workspace that somebody has their account in.
    pub(crate) fn team_of(&self, user: &str) -> &str {
        let outside = self.find_person(user).and_then(|person| person.team_id.as_deref());
        outside.unwrap_or(&self.team_id)
    }

    /// Whether somebody is of another workspace than the app.
    pub(crate) fn is_outside(&self, user: &str) -> bool {
        self.team_of(user) != self.team_id
    }

    /// A workspace as interaction payloads name it.
    pub(crate) fn team_json(&self, team_id: &str) -> Value {
        let domain = if team_id == self.team_id { self.team_domain.as_str() } else { "elsewhere" };
        json!({"id": team_id, "domain": domain})
    }

    /// Whether the bot token carries a scope.
    pub(crate) fn has_scope(&self, scope: &str) -> bool {
        self.scopes.iter().any(|s| s == scope)
    }
}
