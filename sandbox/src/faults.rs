//! Injected failures of the next calls of a method.
//!
//! Owns: [`Fault`] and its queue. Must not: perform a fault. Called by: tests through [`crate::Sandbox`];
//! `server::call` checks it for every request.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// HTTP 429 with `Retry-After` in seconds.
    RateLimited(u64),
    /// `{"ok": false, "error": …}` with this code.
    Error(&'static str),
    /// A bare HTTP status, as from a proxy.
    Http(u16),
    /// The request is read and never answered; it has no effect.
    Silence,
    /// The call takes effect and is answered after this real time.
    Delay(Duration),
    /// The call takes effect, and the connection breaks before the response.
    CutAfterAccept,
}

/// Pending faults.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    next: HashMap<String, VecDeque<Fault>>,
    always: HashMap<String, Fault>,
}

impl Faults {
    pub(crate) fn push(&mut self, method: &str, fault: Fault) {
        self.next.entry(method.to_owned()).or_default().push_back(fault);
    }

    pub(crate) fn set(&mut self, method: &str, fault: Fault) {
        self.always.insert(method.to_owned(), fault);
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The fault of this call: queued faults first, then the permanent one.
    pub(crate) fn take(&mut self, method: &str) -> Option<Fault> {
        let queued = self.next.get_mut(method).and_then(VecDeque::pop_front);
        queued.or_else(|| self.always.get(method).copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queued_faults_come_once_before_the_lasting_one() {
        let mut faults = Faults::default();
        faults.set("a", Fault::Http(503));
        faults.push("a", Fault::Silence);
        assert_eq!(faults.take("a"), Some(Fault::Silence));
        assert_eq!(faults.take("a"), Some(Fault::Http(503)));
        assert_eq!(faults.take("a"), Some(Fault::Http(503)));
        assert_eq!(faults.take("b"), None);
        faults.clear();
        assert_eq!(faults.take("a"), None);
    }
}
