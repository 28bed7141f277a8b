//! Views to Block Kit and HTML; pure.

pub mod html;
