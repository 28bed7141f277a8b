//! What every page stands on: one tower `Service` that finds the route, reads the request within
//! limits, calls the page and turns its result into a response. Depends on no page; `server`
//! calls it, `pages` are called by it.
//!
//! A request's way: [`host`] → [`route`] → [`access`] (strangers end here) → [`body`] → [`fields`], or [`crate::web::upload`] for files → [`browser`]
//! (forged forms end here) → the page function with its [`request::PageRequest`] → [`response`] or [`error`] → headers, log line, metrics.
//! A form that ends anywhere on this way comes back on its error page ([`resubmit`]).

pub mod access;
pub mod body;
pub mod browser;
pub mod cache_control;
pub mod cached;
pub mod client_address;
pub mod cookies;
pub mod error;
mod error_page;
pub mod fields;
pub mod file_response;
pub mod host;
pub mod reference;
pub mod request;
pub mod response;
pub mod response_body;
pub mod resubmit;
pub mod route;
pub mod service;

pub use access::Access;
pub use error::PageError;
pub use request::PageRequest;
pub use response::PageResponse;
pub use route::Route;
pub use service::Kernel;
