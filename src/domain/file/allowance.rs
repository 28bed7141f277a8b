//! How much people who are not signed in may leave on the disk, and how many photos of theirs were not kept.
//! Must not: count (the web does, and the store).

use super::MB;
use chrono::TimeDelta;

/// Most bytes of photos that visitors may leave in a day. Reports are recorded beyond it, without their photos.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VisitorAllowance {
    pub address_bytes: u64,
    /// From all addresses together.
    pub total_bytes: u64,
}

impl VisitorAllowance {
    /// What the product allows. A phone's photo has 2 to 5 MB: 40 to 100 photos a day from one network, behind
    /// which a whole makerspace may be. Somebody who does nothing else fills 15 GB a month at most.
    pub const STANDARD: Self = Self { address_bytes: 200 * MB, total_bytes: 500 * MB };
    /// The window of the allowance.
    pub const DAY: TimeDelta = TimeDelta::days(1);
}

/// How many photos of a report were not kept, by the reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LostPhotos {
    /// The disk was full or could not be written.
    pub disk: usize,
    /// Visitors had left as many bytes as they may.
    pub allowance: usize,
}

impl LostPhotos {
    pub const NONE: Self = Self { disk: 0, allowance: 0 };

    /// How many in all.
    pub const fn total(self) -> usize {
        self.disk + self.allowance
    }
}
