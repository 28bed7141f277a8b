//! The limit of open files. Each connection is one, and the usual soft limit of 1,024 is too low for a thousand open
//! boards. Called once by `App::serve`.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the soft limit to `wanted` or to the hard limit, and logs if that is too low.
pub(super) fn raise_limit(wanted: u64) {
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
