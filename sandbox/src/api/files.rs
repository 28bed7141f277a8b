//! Methods about files: `files.info`.
//!
//! Owns: a file's metadata for apps. Must not: serve its bytes (that is `server::file`). Called by: the table in `api`.

use serde_json::json;

use super::{Answer, Args};
use crate::state::State;

pub(super) fn info(state: &mut State, args: &Args) -> Answer {
    let id = args.need("file")?;
    let file = state.world.files.iter().find(|file| file.id == id).ok_or("file_not_found")?;
    Ok(json!({"file": file.to_json(&state.world, &state.file_url(id))}))
}
