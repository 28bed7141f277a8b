//! Repairs for technicians: the queue, one repair with its forms, and a new repair.

pub(super) mod create;
pub(super) mod edit;
pub(super) mod photos;
pub(super) mod queue;
pub(super) mod show;
