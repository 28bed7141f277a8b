//! How many files the process may have open. Each connection is one, and the usual soft limit of 1,024
//! leaves no room beside a thousand boards that listen. Called once by `App::serve`.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the soft limit to `wanted`, or as near to it as the hard limit lets, and tells the log when
/// that is too few.
pub(super) fn allow(wanted: u64) {
    let limit = getrlimit(Resource::Nofile);
    let is_enough = |most: Option<u64>| most.is_none_or(|most| most >= wanted);
    if is_enough(limit.current) {
        return;
    }
    let current = if is_enough(limit.maximum) { Some(wanted) } else { limit.maximum };
    let raised = setrlimit(Resource::Nofile, Rlimit { current, maximum: limit.maximum });
    let allowed = if raised.is_ok() { current } else { limit.current };
    if !is_enough(allowed) {
        let allowed = allowed.unwrap_or_default();
        tracing::warn!(
            wanted,
            allowed,
            "limit of open files is too low for all web connections: raise the hard limit (ulimit -Hn, LimitNOFILE)"
        );
    }
}
