//! How many bytes people without a session may upload, and how many of their photos were not kept. Must not count
//! (the web and the store do).

use super::MB;
use chrono::TimeDelta;

/// Most bytes of photos that visitors may leave in a day. Reports beyond it are recorded without their photos.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VisitorAllowance {
    pub address_bytes: u64,
    /// From all addresses together.
    pub total_bytes: u64,
}

impl VisitorAllowance {
    /// The product's limits. A phone's photo has 2 to 5 MB: 40 to 100 photos a day from one network, which a whole
    /// makerspace may share. Constant abuse fills 15 GB a month at most.
    pub const STANDARD: Self = Self { address_bytes: 200 * MB, total_bytes: 500 * MB };
    /// The window of the allowance.
    pub const DAY: TimeDelta = TimeDelta::days(1);
}

/// Number of photos of a report that were not kept, by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LostPhotos {
    /// The disk was full or not writable.
    pub disk: usize,
    /// Visitors had used up the allowance.
    pub allowance: usize,
}

impl LostPhotos {
    pub const NONE: Self = Self { disk: 0, allowance: 0 };

    pub const fn total(self) -> usize {
        self.disk + self.allowance
    }
}
