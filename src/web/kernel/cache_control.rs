//! Values of `Cache-Control`.

use http::HeaderValue;

/// Caches may store it, and must revalidate it each time.
pub const REVALIDATE: HeaderValue = HeaderValue::from_static("no-cache");
/// As [`REVALIDATE`], only in the caller's own browser.
pub const REVALIDATE_PRIVATE: HeaderValue = HeaderValue::from_static("private, no-cache");
pub const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
