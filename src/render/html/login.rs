//! The page at which people log in.

use super::Html;
use handlebars::RenderError;
use serde::Serialize;

/// Everything that the page shows.
#[derive(Debug, Serialize)]
pub struct LoginPage<'a> {
    /// The name as it was typed.
    pub username: &'a str,
    /// Where to go then; empty: where the role leads.
    pub next: &'a str,
    /// Why nobody was let in.
    pub error: Option<&'a str>,
    /// The hidden field that proves where the form came from.
    pub csrf_token: &'a str,
}

impl Html {
    /// The page at which people log in.
    ///
    /// # Errors
    /// A template that does not fit its fields.
    pub fn login(&self, page: &LoginPage<'_>) -> Result<String, RenderError> {
        self.page("login", "Log in", page)
    }
}
