//! Who may do what (spec/product.md "Who may do what"), checked in the database within the transaction: a revoked
//! permission takes effect immediately.

use super::OpError;
use crate::domain::actor::{Actor, Role};
use crate::domain::setting::TECH_DOC_EDIT;
use crate::store::users::User;
use crate::store::{settings, users};
use sea_orm::ConnectionTrait;

/// The active user of the actor, if they have this role or a higher one.
pub(super) async fn require(db: &impl ConnectionTrait, actor: &Actor, role: Role) -> Result<User, OpError> {
    let account = actor.account.as_ref().ok_or(OpError::Forbidden)?;
    let user = users::find(db, account.id).await?.filter(|user| user.active).ok_or(OpError::Forbidden)?;
    if user.role < role { Err(OpError::Forbidden) } else { Ok(user) }
}

/// The user of the actor, if they may edit documents, photos and links of equipment.
pub(super) async fn require_editor(db: &impl ConnectionTrait, actor: &Actor) -> Result<User, OpError> {
    let user = require(db, actor, Role::Technician).await?;
    let allowed = user.role == Role::Staff || settings::stored(db).await?.get(TECH_DOC_EDIT) == Some("true");
    if allowed { Ok(user) } else { Err(OpError::Forbidden) }
}

/// True when the actor may edit documents, photos and links of equipment.
pub(super) async fn may_edit(db: &impl ConnectionTrait, actor: &Actor) -> Result<bool, OpError> {
    match require_editor(db, actor).await {
        Ok(_) => Ok(true),
        Err(OpError::Forbidden) => Ok(false),
        Err(error) => Err(error),
    }
}
