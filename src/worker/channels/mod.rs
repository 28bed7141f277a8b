//! The delivery channels, one file each: render, send, and classify failures.

pub mod slack;
