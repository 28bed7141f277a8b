//! The basis of every page: one tower `Service` that finds the route, reads the request within limits, calls the page
//! and turns its result into a response. It depends on no page; `server` calls it, and it calls `pages`.
//!
//! A request passes [`host`] → [`route`] → [`access`] (unauthorized callers are rejected here) → [`body`] → [`fields`],
//! or [`crate::web::upload`] for files → [`browser`] (forged forms are rejected here) → the page function with its
//! [`request::PageRequest`] → [`response`] or [`error`] → headers, log line, metrics. A form that is rejected on this
//! way is shown again on its error page ([`resubmit`]).

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
