//! Which Slack user an account is linked to. They are linked by e-mail address (`people` looks it up); after staff
//! unlink a user, the address does not link them again until staff allow it or the address changes; a user who has
//! left the workspace is unlinked.

use crate::domain::actor::{Actor, Edge, Role, SlackUserId};
use crate::domain::change::AuditRecord;
use crate::domain::ids::UserId;
use crate::domain::text::RequestId;
use crate::ops::idempotency::key;
use crate::ops::permission::require;
use crate::ops::submission::{Submission, nothing_is_taken, submit};
use crate::ops::{Ctx, OpError, accounts::temporary_password, retry_on_deadlock};
use crate::store::slack_people::SlackPerson;
use crate::store::users::User;
use crate::store::{slack_people, slack_unlinks, users};
use crate::views::account::{SlackLink, SlackLinks};
use sea_orm::ConnectionTrait;
use serde::Serialize;
use serde_json::{Value, json};

#[derive(Debug, Clone, Serialize)]
pub struct SlackLinkChange {
    pub user: UserId,
    /// The Slack user, as the page showed them.
    pub person: SlackUserId,
    #[serde(skip)]
    pub request_id: RequestId,
}

/// The links of an account, as staff see them.
pub(in crate::ops) async fn links(db: &impl ConnectionTrait, user: &User) -> Result<SlackLinks, OpError> {
    let linked = user.slack_user_id.clone().map(SlackUserId);
    let unlinked = slack_unlinks::latest(db, user.id).await?;
    let ids: Vec<_> = linked.iter().chain(&unlinked).cloned().collect();
    let known = slack_people::of(db, &ids).await?;
    let view = |id: &SlackUserId| {
        let person = known.iter().find(|person| person.slack_user_id == id.0);
        SlackLink {
            id: id.clone(),
            name: person.map_or_else(|| id.0.clone(), |person| person.name.clone()),
            email: person.and_then(|person| person.email_key.clone()),
        }
    };
    Ok(SlackLinks { linked: linked.as_ref().map(view), unlinked: unlinked.iter().map(view).collect() })
}

/// Links an account without a link to the Slack user with its e-mail address, and removes that user's links to
/// other accounts. Does nothing if that no longer applies, or if staff have unlinked them.
pub async fn link(ctx: &Ctx, user: UserId, person: &SlackPerson) -> Result<(), OpError> {
    let id = SlackUserId(person.slack_user_id.clone());
    let tx = ctx.store.begin().await?;
    let Some(user) = users::hold(&tx, user).await? else { return Ok(()) };
    let is_theirs = person.is_member == Some(true) && person.email_key.as_ref() == Some(&user.email_key);
    let may_be_linked = user.active && user.slack_user_id.is_none() && is_theirs;
    if !may_be_linked || slack_unlinks::contains(&tx, user.id, &id).await? {
        return Ok(());
    }
    if users::link(&tx, user.id, &id).await? {
        let record = record("user.linked", user.id, slack_id(None), slack_id(Some(&id)));
        ctx.commit_recorded(tx, &actor(&id, &person.name), record).await?;
    }
    Ok(())
}

/// Unlinks a Slack user who may no longer be linked to an account. Ends a temporary password that was sent to them
/// or is pending. Does nothing if they are not linked.
pub async fn unlink_departed(ctx: &Ctx, id: &SlackUserId, name: &str) -> Result<(), OpError> {
    let Some(user) = users::linked(ctx.store.read(), id).await? else { return Ok(()) };
    retry_on_deadlock(async || {
        let tx = ctx.store.begin().await?;
        if !users::hold(&tx, user.id).await?.is_some_and(|user| is_linked(&user, id)) {
            return Ok(());
        }
        let record = unlinked(ctx, &tx, user.id, id).await?;
        ctx.commit_recorded(tx, &actor(id, name), record).await
    })
    .await
}

/// Unlinks a Slack user from an account. Their e-mail address does not link them again.
///
/// # Errors
/// `Forbidden` unless the actor is staff; `NotFound`; refused when the account is now linked to another.
pub async fn unlink(ctx: &Ctx, actor: &Actor, change: &SlackLinkChange) -> Result<(), OpError> {
    let run = |mut submission: Submission| async move {
        let (tx, now) = (&submission.tx, submission.now);
        require(tx, actor, Role::Staff).await?;
        let user = users::hold(tx, change.user).await?.ok_or(OpError::NotFound)?;
        if !is_linked(&user, &change.person) {
            let message = "This account is no longer linked to that person. Please reload the page.";
            return Err(OpError::refused("person", message));
        }
        slack_unlinks::add(tx, user.id, &change.person, now).await?;
        let record = unlinked(ctx, tx, user.id, &change.person).await?;
        submission.record([record]);
        submission.answer(())
    };
    submit(ctx, actor, key("user.slack_unlink", actor, &change.request_id, change)?, nothing_is_taken, run)
        .await
}

/// Allows a Slack user whom staff had unlinked to be linked to the account again. Their next command in Slack
/// links them, if the e-mail address matches.
///
/// # Errors
/// `Forbidden` unless the actor is staff; `NotFound`.
pub async fn allow_link(ctx: &Ctx, actor: &Actor, change: &SlackLinkChange) -> Result<(), OpError> {
    let run = |mut submission: Submission| async move {
        let (tx, now) = (&submission.tx, submission.now);
        require(tx, actor, Role::Staff).await?;
        let user = users::hold(tx, change.user).await?.ok_or(OpError::NotFound)?;
        if slack_unlinks::remove(tx, user.id, &change.person).await? {
            // The Slack user may have been cached as one without an account.
            users::touch(tx, user.id, now).await?;
            let new = slack_id(Some(&change.person));
            submission.record([record("user.link_allowed", user.id, None, new)]);
        }
        submission.answer(())
    };
    submit(ctx, actor, key("user.slack_allow", actor, &change.request_id, change)?, nothing_is_taken, run)
        .await
}

/// Unlinks within a transaction that has locked the user's row.
async fn unlinked(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    user: UserId,
    id: &SlackUserId,
) -> Result<AuditRecord, OpError> {
    users::unlink(db, id).await?;
    let mut new = json!({ "slack_user_id": null });
    if temporary_password::end_misdirected(db, user, ctx.clock.now()).await? {
        new["temporary_password"] = json!("ended");
    }
    Ok(record("user.unlinked", user, slack_id(Some(id)), Some(new)))
}

fn is_linked(user: &User, id: &SlackUserId) -> bool {
    user.slack_user_id.as_ref() == Some(&id.0)
}

fn actor(id: &SlackUserId, name: &str) -> Actor {
    Actor { edge: Edge::Slack, name: name.to_owned(), slack_id: Some(id.clone()), account: None }
}

fn slack_id(id: Option<&SlackUserId>) -> Option<Value> {
    Some(json!({ "slack_user_id": id }))
}

fn record(action: &'static str, user: UserId, old: Option<Value>, new: Option<Value>) -> AuditRecord {
    AuditRecord { action, noun: "user", noun_id: user.0, old, new }
}
