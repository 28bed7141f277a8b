//! The request as a page gets it: read, decoded and checked by the kernel.

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
    /// Its name.
    pub reference: Reference,
    /// Address that limits count for.
    pub client: IpAddr,
    /// Who asks, as far as a cookie tells.
    pub browser: Browser,
    /// Who asks, as far as the database tells.
    pub caller: Caller,
    /// What stands around the page.
    pub frame: Frame,
    /// Where to.
    pub uri: Uri,
    pub headers: HeaderMap,
    /// The form, empty where the route reads none.
    pub form: Fields,
    /// The body, empty unless the route takes it as it is.
    pub raw: Bytes,
    /// The files, none where the route takes none.
    pub uploads: Uploads,
    /// Names and raw values of the pattern's parameters.
    pub params: Vec<(String, String)>,
}

impl PageRequest {
    /// Who is signed in.
    ///
    /// # Errors
    /// `NotSignedIn`: never on routes that let only people in.
    pub fn account(&self) -> Result<&SignedIn, PageError> {
        self.caller.person().ok_or(PageError::NotSignedIn { next: None })
    }

    /// Who acts, for operations.
    pub fn actor(&self) -> Actor {
        self.caller.actor()
    }

    /// How a page that has a version may be kept: by nobody else where it says who is signed in.
    pub fn may_keep(&self) -> HeaderValue {
        if self.caller.person().is_some() { REVALIDATE_PRIVATE } else { REVALIDATE }
    }

    /// A parameter of the path, not decoded.
    ///
    /// # Errors
    /// `NotFound`, when the pattern has no such parameter.
    pub fn param(&self, name: &str) -> Result<&str, PageError> {
        let param = self.params.iter().find(|(n, _)| n == name);
        param.map(|(_, value)| value.as_str()).ok_or(PageError::NotFound)
    }

    /// The parameter `id` or another of the path, as what it names.
    ///
    /// # Errors
    /// `NotFound`, when it can be the number of nothing.
    pub fn id<T: FromStr>(&self, name: &str) -> Result<T, PageError> {
        self.param(name)?.parse().map_err(|_| PageError::NotFound)
    }

    /// The query.
    ///
    /// # Errors
    /// `Malformed`, when it is not written as queries are.
    pub fn query(&self) -> Result<Fields, PageError> {
        Ok(Fields::parse(self.uri.query().unwrap_or_default().as_bytes())?)
    }
}
