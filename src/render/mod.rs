//! Renders views as Block Kit and HTML. Pure: all data, the time included, are arguments.

pub mod csv;
pub mod html;
pub mod links;
pub mod slack;
mod timeline_text;
