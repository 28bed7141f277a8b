//! Builds responses and sets the headers that all of them carry.

use super::PageError;
use super::cache_control::{NO_STORE, REVALIDATE_PRIVATE};
use super::request::PageRequest;
use super::response_body::{BrokenOff, ResponseBody};
use crate::error_chain::ErrorChain;
use crate::ops::OpError;
use crate::web::Web;
use bytes::Bytes;
use futures_util::{Stream, TryStreamExt};
use http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY,
    SET_COOKIE, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde::Serialize;

pub type PageResponse = Response<ResponseBody>;

/// Media type of pages.
pub const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
/// Media type of responses for programs.
pub const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// Media type of the fallback response.
pub const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// Header that carries a request's reference.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Only our own styles, scripts and pictures; no inline code, no framing.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; font-src 'self'; \
     connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);

pub fn response(status: StatusCode, media_type: HeaderValue, body: impl Into<Bytes>) -> PageResponse {
    let mut response = Response::new(ResponseBody::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, media_type);
    response
}

/// A response that streams until the client disconnects.
pub fn streamed(media_type: HeaderValue, pieces: impl Stream<Item = Bytes> + Send + 'static) -> PageResponse {
    let mut response = Response::new(ResponseBody::stream(pieces));
    response.headers_mut().insert(CONTENT_TYPE, media_type);
    response
}

pub fn html(status: StatusCode, page: String) -> PageResponse {
    response(status, HTML, page)
}

/// A page for the requesting browser only, because its forms are bound to it. It is not cached at all for signed-in
/// people: after logout it is gone.
pub fn html_with_forms(
    web: &Web,
    request: &PageRequest,
    status: StatusCode,
    page: String,
) -> Result<PageResponse, PageError> {
    let mut response = html(status, page);
    if request.caller.person().is_none() {
        response.headers_mut().insert(CACHE_CONTROL, REVALIDATE_PRIVATE);
    }
    set_browser_cookie(web, request, &mut response)?;
    Ok(response)
}

/// Sets the cookie of a new browser, so that it is recognized next time.
pub fn set_browser_cookie(
    web: &Web,
    request: &PageRequest,
    response: &mut PageResponse,
) -> Result<(), PageError> {
    if let Some(cookie) = web.browsers.session_cookie_header(&request.browser).map_err(PageError::internal)? {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    Ok(())
}

/// A JSON response for programs.
pub fn json<T: Serialize>(status: StatusCode, shape: &T) -> Result<PageResponse, PageError> {
    Ok(response(status, JSON, serde_json::to_vec(shape).map_err(PageError::internal)?))
}

/// 303: the response to an accepted form.
pub fn see_other(path: &str) -> Result<PageResponse, PageError> {
    let mut response = Response::new(ResponseBody::default());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let location = HeaderValue::try_from(path).map_err(PageError::internal)?;
    response.headers_mut().insert(LOCATION, location);
    Ok(response)
}

/// 302: the response to an address of the Python system.
pub fn found(path: &str) -> Result<PageResponse, PageError> {
    let mut response = see_other(path)?;
    *response.status_mut() = StatusCode::FOUND;
    Ok(response)
}

/// A spreadsheet file, streamed while it is generated. An error closes the connection, so that a partial file is not
/// mistaken for a complete one.
pub fn spreadsheet(
    name: &'static str,
    pieces: impl Stream<Item = Result<Bytes, OpError>> + Send + 'static,
) -> PageResponse {
    let pieces = pieces.map_err(move |error| {
        tracing::error!(name, error = %ErrorChain(&error), "export broke off while sending");
        BrokenOff
    });
    let mut response = Response::new(ResponseBody::pieces(pieces));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    if let Ok(disposition) = HeaderValue::try_from(format!("attachment; filename=\"{name}\"")) {
        headers.insert(CONTENT_DISPOSITION, disposition);
    }
    response
}

/// Adds the headers of every response.
pub fn secure(response: &mut PageResponse, reference: &str) {
    let headers = response.headers_mut();
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(POLICY);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.entry(CACHE_CONTROL).or_insert(NO_STORE);
    if let Ok(reference) = HeaderValue::try_from(reference) {
        headers.insert(REQUEST_ID, reference);
    }
}
