//! API tokens: made by staff for programs, shown once, revoked when no longer needed.

use crate::domain::actor::{Actor, Role};
use crate::domain::change::AuditRecord;
use crate::domain::ids::ApiTokenId;
use crate::domain::text::{RequestId, TokenName};
use crate::ops::idempotency::{find_answer, key, remember};
use crate::ops::{Ctx, OpError, allow, retry_on_deadlock, secret};
use crate::store::api_tokens;
use crate::views::account::TokenView;
use secrecy::SecretString;
use serde_json::json;

/// Most active tokens: staff could not review more.
pub const MOST: u64 = 100;

#[derive(Debug)]
pub enum TokenCreated {
    /// The only time that the token is returned.
    Now(SecretString),
    /// The same submission made it before.
    Before,
}

/// The tokens that are not revoked, newest first.
///
/// # Errors
/// `Forbidden` unless the actor is staff.
pub async fn tokens(ctx: &Ctx, actor: &Actor) -> Result<Vec<TokenView>, OpError> {
    allow(actor, Role::Staff)?;
    let tokens = api_tokens::newest(ctx.store.read(), MOST).await?;
    let shown = |(token, maker): (api_tokens::ApiToken, String)| TokenView {
        id: token.id,
        name: token.name,
        maker,
        created_at: token.created_at,
    };
    Ok(tokens.into_iter().map(shown).collect())
}

/// Makes a token. It has the permissions of a program of staff, as long as its maker is active staff.
///
/// # Errors
/// `Forbidden` unless the actor is staff; refused when there are too many.
pub async fn create_token(
    ctx: &Ctx,
    actor: &Actor,
    name: &TokenName,
    request_id: &RequestId,
) -> Result<TokenCreated, OpError> {
    allow(actor, Role::Staff)?;
    let maker = actor.account.as_ref().ok_or(OpError::Forbidden)?.id;
    let key = key("token.create", actor, request_id, name)?;
    let (token, digest) = secret::random();
    let created = retry_on_deadlock(async || {
        let now = ctx.clock.now();
        let tx = ctx.store.begin().await?;
        if find_answer::<ApiTokenId>(&tx, &key).await?.is_some() {
            return Ok(false);
        }
        if api_tokens::count(&tx).await? >= MOST {
            return Err(OpError::refused("name", "There are 100 tokens already. Please revoke some first."));
        }
        let id = api_tokens::add(&tx, name, digest.clone(), maker, now).await?;
        remember(&tx, &key, &id, now).await?;
        let new = Some(json!({ "name": name }));
        let record = AuditRecord { action: "token.created", noun: "token", noun_id: id.0, old: None, new };
        ctx.commit_recorded(tx, actor, record).await?;
        Ok(true)
    });
    match created.await {
        Ok(true) => Ok(TokenCreated::Now(token)),
        Ok(false) => Ok(TokenCreated::Before),
        // Another process has just accepted the same submission.
        Err(error) if error.is_unique_violation() => Ok(TokenCreated::Before),
        Err(error) => Err(error),
    }
}

/// Revokes a token, effective immediately.
///
/// # Errors
/// `Forbidden` unless the actor is staff; `NotFound`, also when it was revoked before.
pub async fn revoke_token(ctx: &Ctx, actor: &Actor, id: ApiTokenId) -> Result<(), OpError> {
    allow(actor, Role::Staff)?;
    retry_on_deadlock(async || {
        let tx = ctx.store.begin().await?;
        let name = api_tokens::revoke(&tx, id, ctx.clock.now()).await?.ok_or(OpError::NotFound)?;
        let old = Some(json!({ "name": name }));
        let record = AuditRecord { action: "token.revoked", noun: "token", noun_id: id.0, old, new: None };
        ctx.commit_recorded(tx, actor, record).await
    })
    .await
}
