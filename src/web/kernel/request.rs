//! The request as a page receives it: read, decoded and checked by the kernel.

use super::PageError;
use super::access::Caller;
use super::browser::Browser;
use super::cache_control::{REVALIDATE, REVALIDATE_PRIVATE};
use super::fields::Fields;
use super::reference::Reference;
use crate::domain::actor::Actor;
use crate::render::html::Frame;
use crate::views::account::SignedIn;
use crate::web::upload::Uploads;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Uri};
use std::net::IpAddr;
use std::str::FromStr;

#[derive(Debug)]
pub struct PageRequest {
    pub reference: Reference,
    /// The address that limits count for.
    pub client: IpAddr,
    /// The browser, identified by its cookie.
    pub browser: Browser,
    /// The caller, looked up in the database.
    pub caller: Caller,
    /// What the page's frame shows.
    pub frame: Frame,
    pub uri: Uri,
    pub headers: HeaderMap,
    /// Empty if the route reads no form.
    pub form: Fields,
    /// The raw body; empty unless the route uses `BodyRule::Raw`.
    pub raw: Bytes,
    /// Empty if the route takes no files.
    pub uploads: Uploads,
    /// Names and raw values of the pattern's parameters.
    pub params: Vec<(String, String)>,
}

impl PageRequest {
    /// The signed-in account.
    ///
    /// # Errors
    /// `NotSignedIn`: never on routes that require a signed-in caller.
    pub fn account(&self) -> Result<&SignedIn, PageError> {
        self.caller.person().ok_or(PageError::NotSignedIn { next: None })
    }

    /// The actor for operations.
    pub fn actor(&self) -> Actor {
        self.caller.actor()
    }

    /// `Cache-Control` of a versioned page: private if the page shows who is signed in.
    pub fn may_keep(&self) -> HeaderValue {
        if self.caller.person().is_some() { REVALIDATE_PRIVATE } else { REVALIDATE }
    }

    /// A path parameter, not decoded.
    ///
    /// # Errors
    /// `NotFound` if the pattern has no such parameter.
    pub fn param(&self, name: &str) -> Result<&str, PageError> {
        let param = self.params.iter().find(|(n, _)| n == name);
        param.map(|(_, value)| value.as_str()).ok_or(PageError::NotFound)
    }

    /// A path parameter, parsed.
    ///
    /// # Errors
    /// `NotFound` if it is not a valid id.
    pub fn id<T: FromStr>(&self, name: &str) -> Result<T, PageError> {
        self.param(name)?.parse().map_err(|_| PageError::NotFound)
    }

    /// The parsed query.
    ///
    /// # Errors
    /// `Malformed`.
    pub fn query(&self) -> Result<Fields, PageError> {
        Ok(Fields::parse(self.uri.query().unwrap_or_default().as_bytes())?)
    }
}
