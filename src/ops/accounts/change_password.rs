//! A user changes their password.

use crate::domain::actor::Actor;
use crate::domain::change::AuditRecord;
use crate::domain::password::{OUTER_SPACE_HINT, has_outer_space};
use crate::ops::accounts::sign_in::{self, StartedSession};
use crate::ops::{Ctx, OpError, accounts::password, retry_on_deadlock};
use crate::store::{password_messages, users};
use crate::views::account::SignedIn;
use secrecy::{ExposeSecret, SecretString};

#[derive(Debug, Clone)]
pub struct ChangePassword {
    /// The current password: an open browser is not enough.
    pub current: SecretString,
    pub password: SecretString,
    pub repeated: SecretString,
}

/// Changes the password of the signed-in user, ends all their sessions and starts a new one.
///
/// # Errors
/// Refused on `current`, `password` or `repeated`.
pub async fn change_password(
    ctx: &Ctx,
    actor: &Actor,
    who: &SignedIn,
    change: ChangePassword,
) -> Result<StartedSession, OpError> {
    let user = users::find(ctx.store.read(), who.id).await?.ok_or(OpError::NotFound)?;
    if change.password.expose_secret() != change.repeated.expose_secret() {
        return Err(OpError::refused("repeated", "The two new passwords differ."));
    }
    if change.password.expose_secret() == change.current.expose_secret() {
        return Err(OpError::refused(
            "password",
            "Please choose a password that differs from the current one.",
        ));
    }
    let has_blank = has_outer_space(change.current.expose_secret());
    if !password::verify(change.current, Some(user.password_hash.clone()), false).await? {
        return Err(if has_blank { OpError::refused("current", OUTER_SPACE_HINT) } else { not_present() });
    }
    let hash = password::hash(change.password).await?;
    retry_on_deadlock(async || {
        let (tx, now) = (ctx.store.begin().await?, ctx.clock.now());
        // The session may have ended while the new password was hashed.
        let present = users::hold(&tx, who.id).await?.ok_or(OpError::NotFound)?;
        if present.password_hash != user.password_hash {
            return Err(not_present());
        }
        users::set_password(&tx, who.id, hash.clone(), false, now).await?;
        password_messages::withdraw(&tx, who.id, now).await?;
        let begun = sign_in::replace_sessions(ctx, &tx, &present, &hash).await?;
        let action = "user.password_changed";
        let record = AuditRecord { action, noun: "user", noun_id: who.id.0, old: None, new: None };
        ctx.commit_recorded(tx, actor, record).await?;
        Ok(begun)
    })
    .await
}

fn not_present() -> OpError {
    OpError::refused("current", "This is not your current password.")
}
