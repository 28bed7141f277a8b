//! Builds answers, and knows the headers that every one of them carries.

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

/// What a page gives back.
pub type PageResponse = Response<ResponseBody>;

/// Media type of pages.
pub const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
/// Media type of everything for programs.
pub const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// Media type of the answer of last resort.
pub const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// The name under which a request's reference travels.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Our own styles, scripts and pictures and nothing else; no inline code, no frame around us.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; font-src 'self'; \
     connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);

/// An answer with a body.
pub fn response(status: StatusCode, media_type: HeaderValue, body: impl Into<Bytes>) -> PageResponse {
    let mut response = Response::new(ResponseBody::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, media_type);
    response
}

/// An answer that goes on for as long as somebody listens.
pub fn streamed(media_type: HeaderValue, pieces: impl Stream<Item = Bytes> + Send + 'static) -> PageResponse {
    let mut response = Response::new(ResponseBody::stream(pieces));
    response.headers_mut().insert(CONTENT_TYPE, media_type);
    response
}

pub fn html(status: StatusCode, page: String) -> PageResponse {
    response(status, HTML, page)
}

/// A page that is for the asking browser alone because its forms are. It is not kept at all where somebody
/// is signed in: after logging out it is gone.
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

/// Lets a new browser remember its id, so that it is known when it comes back.
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

/// Something for a program.
pub fn json<T: Serialize>(status: StatusCode, shape: &T) -> Result<PageResponse, PageError> {
    Ok(response(status, JSON, serde_json::to_vec(shape).map_err(PageError::internal)?))
}

/// "Look there": the answer to a form that was accepted.
pub fn see_other(path: &str) -> Result<PageResponse, PageError> {
    let mut response = Response::new(ResponseBody::default());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let location = HeaderValue::try_from(path).map_err(PageError::internal)?;
    response.headers_mut().insert(LOCATION, location);
    Ok(response)
}

/// "It is there by now": the answer to an address that was another program's.
pub fn found(path: &str) -> Result<PageResponse, PageError> {
    let mut response = see_other(path)?;
    *response.status_mut() = StatusCode::FOUND;
    Ok(response)
}

/// A file for spreadsheets, made while it is sent. What fails on the way ends the connection, so that half
/// a file is not taken for a whole one.
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

/// Adds what every answer carries.
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
