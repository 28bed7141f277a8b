//! The floors: programs of the same libraries that only send canned answers. Each is this program, started again with
//! a hidden command, so that it is a separate process like esb.

pub mod socket;
pub mod web;

/// The runtime that esb has.
pub fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}
