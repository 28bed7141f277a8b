//! Conflicts that people have already seen at their fields. Slack keeps the metadata of a view that returns with
//! errors, including the old version. This map stores the version that the person has seen, so that a second
//! submission overwrites it. It is bounded and local to the process; a lost entry shows the conflict again.

use crate::domain::text::RequestId;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// Most forms to store; the oldest is removed first.
const KEPT_MAX: usize = 1_000;

/// The newest conflicts, by form.
#[derive(Debug, Default)]
pub struct ShownConflicts(Mutex<VecDeque<(RequestId, i64)>>);

impl ShownConflicts {
    /// Stores that the person has seen the changes up to this version.
    pub fn show(&self, form: &RequestId, version: i64) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(other, _)| other != form);
        if kept.len() >= KEPT_MAX {
            kept.pop_front();
        }
        kept.push_back((form.clone(), version));
    }

    /// The version up to which the person of this form has seen the changes.
    pub fn version(&self, form: &RequestId) -> Option<i64> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|(other, _)| other == form).map(|(_, version)| *version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newest_thousand_versions_are_remembered() {
        let form = |n: u32| {
            let mut bits = [0; 16];
            bits[..4].copy_from_slice(&n.to_le_bytes());
            RequestId::from_random(bits)
        };
        let shown = ShownConflicts::default();
        shown.show(&form(0), 2);
        shown.show(&form(0), 3);
        assert_eq!((shown.version(&form(0)), shown.version(&form(1))), (Some(3), None));
        (1..=1_000).for_each(|n| shown.show(&form(n), 1));
        assert_eq!((shown.version(&form(0)), shown.version(&form(1_000))), (None, Some(1)));
    }
}
