//! How much one client may use: requests in a time ([`rate_limiter`]), what is held at once ([`shares`]), and who
//! counts as one client ([`client_network`]). [`known_browser`] lets a browser that has logged in before count by
//! itself. Used by the server, the kernel and pages.

pub mod client_network;
pub mod known_browser;
pub mod rate_limiter;
pub mod shares;
