//! How a temporary password gets to whom it is for: by a direct message if Slack knows them, else by the person who made
//! it, who sees it once. Called within the transaction that sets the password's hash; nothing here keeps it readable.
//! One that may have got to the wrong person is ended.

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

/// Kept in place of a hash once a temporary password was ended: no password fits it.
const ENDED: &str = "!ended";

/// How a temporary password was handed over.
#[derive(Debug)]
pub enum PasswordHandover {
    /// It is returned only here.
    Here(SecretString),
    /// It is on its way to this person in Slack, and shown nowhere else.
    InSlack { name: String },
}

impl PasswordHandover {
    /// Of a password that went to this person, or to nobody.
    pub(in crate::ops) fn of(password: SecretString, sent_to: Option<String>) -> Self {
        sent_to.map_or(Self::Here(password), |name| Self::InSlack { name })
    }
}

/// A password that was made for somebody.
pub(in crate::ops) struct Issued<'a> {
    /// Who made it.
    pub(in crate::ops) by: &'a Actor,
    pub(in crate::ops) password: &'a SecretString,
    /// What is kept of it.
    pub(in crate::ops) hash: &'a str,
    /// It is for a new user.
    pub(in crate::ops) is_new: bool,
}

/// Somebody in Slack.
pub(in crate::ops) struct Recipient {
    id: SlackUserId,
    pub(in crate::ops) name: String,
    /// By which they were found; `None` where the user is linked to them.
    email_key: Option<String>,
}

impl Ctx {
    /// By which messages with passwords are sealed, where messages go anywhere.
    fn sealing(&self) -> Option<&SecretBox> {
        match self.announce {
            Announce::Nowhere => None,
            Announce::Slack { .. } => self.seal.as_deref(),
        }
    }

    /// Whether temporary passwords may go by direct message.
    pub(in crate::ops) fn sends_passwords(&self) -> bool {
        self.sealing().is_some()
    }
}

/// As whom Slack knows a user: the person they are linked to, else the one whose e-mail is theirs, who is linked to
/// nobody else and was not unlinked from them. Nobody for whom cannot log in anyway, and nobody of another workspace:
/// where we do not know that yet, the worker asks before it sends.
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

/// Withdraws pending messages with earlier passwords; then enqueues one with this password, unless it is to be shown or Slack
/// does not know them. Returns to whom it goes.
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

/// After another e-mail was set or somebody was unlinked, within that transaction, which holds the user's row:
/// withdraws what is still pending, and ends the present temporary password if a message was to take it to whom the
/// e-mail or the link before led to. Whether it has arrived is not asked: nobody can be sure that it has not. One that
/// staff handed over stays. Returns whether it was ended.
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

/// What became of the message with the user's present password; `None` when there is none, or it was changed.
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

/// Names the message of one password: it tells which password that was, and nothing about it.
fn key(user: UserId, hash: &str) -> String {
    let digest = secret::digest_of(hash);
    format!("password:{user}:{}", digest.get(..16).unwrap_or(&digest))
}
