//! Views to Block Kit and HTML. Pure: takes what it shows, the time included; asks nobody.

pub mod csv;
pub mod html;
pub mod links;
pub mod slack;
mod timeline_text;
