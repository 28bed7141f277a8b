//! Pending messages.

/// Deliveries with problems.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DeliveryProblems {
    /// Failed, and being retried.
    pub failing: u64,
    /// Given up.
    pub given_up: u64,
}
