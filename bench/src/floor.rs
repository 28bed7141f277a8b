//! The floors: programs of the same libraries that do nothing but answer. Each is this program, started
//! once more with a hidden command, so that it is a process of its own as esb is.

pub mod socket;
pub mod web;

/// The runtime that esb has.
///
/// # Errors
/// The operating system's.
pub fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}
