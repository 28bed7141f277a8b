//! Modals, one file each: what they carry, what a submission or a choice in them does.

pub mod report_problem;
pub mod resolve_repair;
pub mod status;
