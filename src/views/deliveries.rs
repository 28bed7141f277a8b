//! Pending messages.

/// Messages that did not leave as they should.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DeliveryProblems {
    /// They failed, and are being tried again.
    pub failing: u64,
    /// They were given up.
    pub given_up: u64,
}
