//! Parses forms of technicians and staff: all errors are collected and shown at once.

use crate::domain::text::{RequestId, TextError};
use crate::ops::OpError;
use crate::render::html::{FieldError, Hidden};
use crate::web::Web;
use crate::web::kernel::fields::{Fields, FieldsError};
use crate::web::kernel::{PageError, PageRequest};
use http::StatusCode;
use std::fmt::Display;

pub(super) use super::forms::{new_request_id, request_id};

pub(super) struct FormParser<'a> {
    pub(super) fields: &'a Fields,
    pub(super) errors: Vec<FieldError>,
}

impl<'a> FormParser<'a> {
    pub(super) const fn new(fields: &'a Fields) -> Self {
        Self { fields, errors: Vec::new() }
    }

    /// `None` if the field is invalid.
    pub(super) fn read<T, E: Display>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, FieldsError> {
        Ok(self.keep(name, parse(self.fields.typed(name)?)))
    }

    /// As [`FormParser::read`], for an optional field.
    pub(super) fn read_if_any<T, E: Display>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<Option<T>>, FieldsError> {
        match self.fields.typed(name)?.trim() {
            "" => Ok(Some(None)),
            typed => Ok(self.keep(name, parse(typed)).map(Some)),
        }
    }

    /// As [`FormParser::read_if_any`], for a text: one of only invisible characters counts as empty, too.
    pub(super) fn read_optional_text<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, TextError>,
    ) -> Result<Option<Option<T>>, FieldsError> {
        match parse(self.fields.typed(name)?) {
            Err(TextError::Empty) => Ok(Some(None)),
            parsed => Ok(self.keep(name, parsed).map(Some)),
        }
    }

    fn keep<T, E: Display>(&mut self, name: &'static str, parsed: Result<T, E>) -> Option<T> {
        parsed
            .map_err(|error| self.errors.push(FieldError { field: Some(name), message: error.to_string() }))
            .ok()
    }
}

/// The version of the record that the form edits.
pub(super) fn version(request: &PageRequest) -> Result<i64, PageError> {
    let version = request.form.required("version")?.parse();
    version.map_err(|_| PageError::from(FieldsError::Missing("version")))
}

/// The page of a list, from 1.
pub(super) fn page_number(query: &Fields) -> Result<u64, PageError> {
    match query.typed("page")? {
        "" => Ok(1),
        page => page.parse().map_err(|_| PageError::NotFound),
    }
}

/// The hidden fields of a form of this browser.
pub(super) fn hidden<'a>(csrf_token: &'a str, request_id: &'a RequestId) -> Hidden<'a> {
    Hidden { csrf_token, request_id: Some(request_id.as_str()) }
}

pub(super) fn csrf_token(web: &Web, request: &PageRequest) -> String {
    web.browsers.token(&request.browser)
}

/// Field errors and status for a form that is shown again; other errors are returned unchanged.
pub(super) fn why(error: OpError) -> Result<(StatusCode, Vec<FieldError>), PageError> {
    match error {
        OpError::Refused(refusal) => {
            let error = FieldError { field: refusal.field, message: refusal.message };
            Ok((StatusCode::UNPROCESSABLE_ENTITY, vec![error]))
        }
        OpError::Overtaken { by } => {
            let message = format!(
                "{by} changed this while you were editing. Your text is below. Send it again to overwrite \
                 what {by} wrote."
            );
            Ok((StatusCode::CONFLICT, vec![FieldError { field: None, message }]))
        }
        error => Err(error.into()),
    }
}
