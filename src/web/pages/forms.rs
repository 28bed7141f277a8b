//! Shared by pages with forms: hidden fields, and responses that show the form again.

use crate::domain::text::RequestId;
use crate::ops::Refusal;
use crate::render::html::{FieldError, Hidden};
use crate::web::kernel::error::{minutes, seconds};
use crate::web::kernel::{PageError, PageRequest, PageResponse};
use http::header::RETRY_AFTER;
use rand::RngExt;
use std::time::Duration;

pub(super) fn hidden<'a>(csrf_token: &'a str, request_id: Option<&'a RequestId>) -> Hidden<'a> {
    Hidden { csrf_token, request_id: request_id.map(RequestId::as_str) }
}

/// A random idempotency key for the next submission.
pub(super) fn new_request_id() -> RequestId {
    RequestId::from_random(rand::rng().random())
}

/// The idempotency key of a submission.
pub(super) fn request_id(request: &PageRequest) -> Result<RequestId, PageError> {
    RequestId::parse(request.form.required("request_id")?)
        .map_err(|error| PageError::Refused { message: error.to_string() })
}

/// A rejection of an operation, as an error at its field.
pub(super) fn refused(refusal: Refusal) -> FieldError {
    FieldError { field: refusal.field, message: refusal.message }
}

/// The form again with status 429.
pub(super) fn too_often(
    wait: Duration,
    again: impl FnOnce(&[FieldError]) -> Result<PageResponse, PageError>,
) -> Result<PageResponse, PageError> {
    let message = format!("Too many attempts. Please try again in {}.", minutes(wait));
    let mut response = again(&[FieldError { field: None, message }])?;
    response.headers_mut().insert(RETRY_AFTER, seconds(wait).into());
    Ok(response)
}
