//! The ways out, one file each: render, send, and say who is to blame for a failure.

pub mod slack;
