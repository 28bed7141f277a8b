//! What tests stand on: a database of their own, a manual clock, people.

pub mod ops;
pub mod web;
