//! Hands over a temporary password: by direct message if the user is in Slack, else through the person who made it,
//! who sees it once. Called within the transaction that sets the password's hash; the password is not stored in
//! plain text. Ends a password that may have reached the wrong person.

use crate::domain::actor::{Actor, SlackUserId};
use crate::domain::delivery::DeliveryState;
use crate::domain::ids::UserId;
use crate::ops::secret_box::SecretBox;
use crate::ops::{Announce, Ctx, OpError, secret};
use crate::store::users::{self, User, email_key};
use crate::store::{password_messages, sessions, slack_people, slack_unlinks};
use crate::views::account::{PasswordMessage, TemporaryPassword};
use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait;
use secrecy::SecretString;

/// Replaces the hash of an ended temporary password: no password matches it.
const ENDED: &str = "!ended";

/// How a temporary password was handed over.
#[derive(Debug)]
pub enum PasswordHandover {
    /// The only time that it is returned.
    Here(SecretString),
    /// It is being sent to this person in Slack, and shown nowhere else.
    InSlack { name: String },
}

impl PasswordHandover {
    /// From a password and the person it was sent to, if any.
    pub(in crate::ops) fn of(password: SecretString, sent_to: Option<String>) -> Self {
        sent_to.map_or(Self::Here(password), |name| Self::InSlack { name })
    }
}

/// A new password for a user.
pub(in crate::ops) struct Issued<'a> {
    pub(in crate::ops) by: &'a Actor,
    pub(in crate::ops) password: &'a SecretString,
    /// What is stored of it.
    pub(in crate::ops) hash: &'a str,
    pub(in crate::ops) is_new: bool,
}

/// A person in Slack.
pub(in crate::ops) struct Recipient {
    id: SlackUserId,
    pub(in crate::ops) name: String,
    /// The e-mail address that identified them; `None` if the user is linked to them.
    email_key: Option<String>,
}

impl Ctx {
    /// Encrypts passwords in messages, if Slack is on.
    fn sealing(&self) -> Option<&SecretBox> {
        match self.announce {
            Announce::Nowhere => None,
            Announce::Slack { .. } => self.seal.as_deref(),
        }
    }

    /// Whether temporary passwords may be sent by direct message.
    pub(in crate::ops) fn sends_passwords(&self) -> bool {
        self.sealing().is_some()
    }
}

/// The Slack user of a user: the linked one, else the one with the same e-mail, if they are linked to nobody else
/// and were not unlinked. `None` if the user cannot log in, or the Slack user is of another workspace; if their
/// workspace is not known yet, the worker checks before it sends.
pub(in crate::ops) async fn recipient(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    user: &User,
) -> Result<Option<Recipient>, OpError> {
    if !ctx.sends_passwords() || !user.active {
        return Ok(None);
    }
    if let Some(id) = user.slack_user_id.clone().map(SlackUserId) {
        let known = slack_people::find(db, &id).await?;
        if known.as_ref().is_some_and(|person| person.is_member == Some(false)) {
            return Ok(None);
        }
        let name = known.map_or_else(|| user.username.clone(), |person| person.name);
        return Ok(Some(Recipient { id, name, email_key: None }));
    }
    let key = email_key(&user.email);
    let Some(person) = slack_people::with_email(db, &key).await? else { return Ok(None) };
    let id = SlackUserId(person.slack_user_id);
    let is_free =
        users::linked(db, &id).await?.is_none() && !slack_unlinks::contains(db, user.id, &id).await?;
    Ok(is_free.then_some(Recipient { id, name: person.name, email_key: Some(key) }))
}

/// Withdraws pending messages with earlier passwords; then enqueues one with this password, unless it is to be
/// shown or the user is not in Slack. Returns the recipient's name.
pub(in crate::ops) async fn send(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    user: UserId,
    issued: &Issued<'_>,
    show_here: bool,
    now: DateTime<Utc>,
) -> Result<Option<String>, OpError> {
    password_messages::withdraw(db, user, now).await?;
    let Some(seal) = ctx.sealing().filter(|_| !show_here) else { return Ok(None) };
    let user = users::find(db, user).await?.ok_or(OpError::NotFound)?;
    let Some(to) = recipient(ctx, db, &user).await? else { return Ok(None) };
    let key = key(user.id, issued.hash);
    let given = TemporaryPassword {
        username: user.username,
        password: issued.password.clone(),
        by: issued.by.name.clone(),
        is_new: issued.is_new,
        email_key: to.email_key,
    };
    let sealed = seal.seal(&key, &given)?;
    password_messages::enqueue(db, user.id, &to.id, (&key, sealed), now).await?;
    Ok(Some(to.name))
}

/// After a change of e-mail or an unlinking, within that transaction, which has locked the user's row: withdraws
/// pending messages, and ends the current temporary password if a message was to take it to the owner of the old
/// e-mail or link, whether or not it has arrived. A password that staff handed over stays valid. Returns whether it
/// was ended.
pub(in crate::ops) async fn end_misdirected(
    db: &impl ConnectionTrait,
    user: UserId,
    now: DateTime<Utc>,
) -> Result<bool, OpError> {
    password_messages::withdraw(db, user, now).await?;
    // Read under the row's lock: the password may have been set after the caller read the user.
    let user = users::find(db, user).await?.ok_or(OpError::NotFound)?;
    let key = key(user.id, &user.password_hash);
    if !user.must_change_password || password_messages::find(db, &key).await?.is_none() {
        return Ok(false);
    }
    users::set_password(db, user.id, ENDED.to_owned(), true, now).await?;
    sessions::end_others(db, user.id, None).await?;
    Ok(true)
}

/// The state of the message with the user's current password; `None` when there is none, or the password was
/// changed.
pub(in crate::ops) async fn message(
    db: &impl ConnectionTrait,
    user: &User,
) -> Result<Option<PasswordMessage>, OpError> {
    if !user.must_change_password {
        return Ok(None);
    }
    if user.password_hash == ENDED {
        return Ok(Some(PasswordMessage::Ended));
    }
    let message = password_messages::find(db, &key(user.id, &user.password_hash)).await?;
    Ok(message.map(|message| match message.state {
        DeliveryState::Delivered if message.posted_ts.is_none() => PasswordMessage::Withdrawn,
        DeliveryState::Delivered => PasswordMessage::Delivered,
        DeliveryState::Dead => PasswordMessage::GivenUp,
        DeliveryState::Pending | DeliveryState::Sending | DeliveryState::Failed => {
            PasswordMessage::Waiting { failures: message.failures }
        }
    }))
}

/// Dedupe key of the message with one password. Identifies the password without revealing anything about it.
fn key(user: UserId, hash: &str) -> String {
    let digest = secret::digest_of(hash);
    format!("password:{user}:{}", digest.get(..16).unwrap_or(&digest))
}
