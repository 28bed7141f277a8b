//! Plain structs that operations return and `render` takes. No behavior, no markup, no SQL.

pub mod account;
pub mod attachments;
pub mod board;
pub mod deliveries;
pub mod equipment;
pub mod jobs;
pub mod records;
pub mod repairs;
