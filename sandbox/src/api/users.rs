//! Methods about people: `users.info`, `users.lookupByEmail`.
//!
//! Owns: a person's profile for apps. Must not: change people. Called by: the table in `api`.

use serde_json::{Value, json};

use super::{Answer, Args};
use crate::{
    state::State,
    world::{Person, World},
};

pub(super) fn info(state: &mut State, args: &Args) -> Answer {
    let id = args.need("user")?;
    let person = state.world.people.iter().find(|p| p.id == id).ok_or("user_not_found")?;
    Ok(json!({"user": to_json(&state.world, person)}))
}

pub(super) fn lookup_by_email(state: &mut State, args: &Args) -> Answer {
    let email = args.need("email")?;
    let has_it =
        |p: &&Person| !p.deleted && p.email.as_deref().is_some_and(|e| e.eq_ignore_ascii_case(email));
    let person = state.world.people.iter().find(has_it).ok_or("users_not_found")?;
    Ok(json!({"user": to_json(&state.world, person)}))
}

/// A person as in users.info and user_change.
pub(crate) fn to_json(world: &World, person: &Person) -> Value {
    let team = world.team_of(&person.id);
    let mut user = json!({
        "id": person.id,
        "team_id": team,
        "name": person.name,
        "deleted": person.deleted,
        "real_name": person.real_name,
        "tz": "Etc/UTC",
        "tz_label": "Coordinated Universal Time",
        "tz_offset": 0,
        "profile": {
            "real_name": person.real_name,
            "real_name_normalized": person.real_name,
            "display_name": person.name,
            "display_name_normalized": person.name,
            "team": team,
        },
        "is_admin": false,
        "is_owner": false,
        "is_primary_owner": false,
        "is_restricted": person.is_guest,
        "is_ultra_restricted": false,
        "is_bot": person.is_bot,
        "is_app_user": false,
        "is_email_confirmed": person.is_email_confirmed,
        "updated": 0,
    });
    // Slack sends this only for people of other workspaces.
    if person.team_id.is_some() {
        user["is_stranger"] = json!(person.is_stranger);
    }
    // Without the scope Slack omits the address and does not fail the call.
    if let Some(email) = person.email.as_ref().filter(|_| world.has_scope("users:read.email")) {
        user["profile"]["email"] = json!(email);
    }
    user
}
