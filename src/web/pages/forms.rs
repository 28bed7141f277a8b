//! What pages with forms have in common: hidden fields, and answers that bring the form back.

use crate::domain::text::RequestId;
use crate::ops::Refusal;
use crate::render::html::{FieldError, Hidden};
use crate::web::kernel::error::{minutes, seconds};
use crate::web::kernel::{PageError, PageRequest, PageResponse};
use http::header::RETRY_AFTER;
use rand::RngExt;
use std::time::Duration;

/// What a form carries unseen.
pub(super) fn hidden<'a>(csrf_token: &'a str, request_id: Option<&'a RequestId>) -> Hidden<'a> {
    Hidden { csrf_token, request_id: request_id.map(RequestId::as_str) }
}

/// A name for a submission that is yet to come.
pub(super) fn new_request_id() -> RequestId {
    RequestId::from_random(rand::rng().random())
}

/// The name that a submission brought back.
pub(super) fn request_id(request: &PageRequest) -> Result<RequestId, PageError> {
    RequestId::parse(request.form.required("request_id")?)
        .map_err(|error| PageError::Refused { message: error.to_string() })
}

/// A refusal of an operation, at its field.
pub(super) fn refused(refusal: Refusal) -> FieldError {
    FieldError { field: refusal.field, message: refusal.message }
}

/// The form again, since it came too often.
pub(super) fn too_often(
    wait: Duration,
    again: impl FnOnce(&[FieldError]) -> Result<PageResponse, PageError>,
) -> Result<PageResponse, PageError> {
    let message = format!("Too many attempts. Please try again in {}.", minutes(wait));
    let mut response = again(&[FieldError { field: None, message }])?;
    response.headers_mut().insert(RETRY_AFTER, seconds(wait).into());
    Ok(response)
}
