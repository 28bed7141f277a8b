//! The floors: programs with the same libraries that only send canned responses. Each is this program, started with a
//! hidden command, so that it is a separate process like esb.

pub mod socket;
pub mod web;

/// The same runtime as esb.
pub fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}
