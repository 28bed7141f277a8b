//! Limits per client: requests per time ([`rate_limiter`]), concurrent use ([`shares`]), and the definition of one
//! client ([`client_network`]). [`known_browser`] gives a browser that has logged in before its own count. Used by the
//! server, the kernel and pages.

pub mod client_network;
pub mod known_browser;
pub mod rate_limiter;
pub mod shares;
