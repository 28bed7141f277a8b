//! Slash commands, one file each: acknowledged at once, then a modal or a private answer.

pub mod report;
pub mod status;
