//! The pages at which people log in, choose a password and set up an installation.

use super::forms::{Form, Input};
use super::{FieldError, Hidden, Html};
use handlebars::RenderError;
use serde::Serialize;

/// What the page to log in shows.
#[derive(Debug)]
pub struct LoginPage<'a> {
    /// The name as it was typed.
    pub username: &'a str,
    /// Where to go then; empty: where the role leads.
    pub next: &'a str,
    /// Why nobody was let in.
    pub errors: &'a [FieldError],
    /// What the form carries.
    pub hidden: Hidden<'a>,
}

/// What the page to choose a password shows.
#[derive(Debug)]
pub struct PasswordPage<'a> {
    /// The present one is temporary.
    pub must_change: bool,
    /// What is wrong with the new one.
    pub errors: &'a [FieldError],
    /// What the form carries.
    pub hidden: Hidden<'a>,
}

/// What the page to make the first staff user shows.
#[derive(Debug)]
pub struct SetupPage<'a> {
    /// The code as it was typed.
    pub code: &'a str,
    /// The name as it was typed.
    pub username: &'a str,
    /// The e-mail as it was typed.
    pub email: &'a str,
    /// What is wrong with them.
    pub errors: &'a [FieldError],
    /// What the form carries.
    pub hidden: Hidden<'a>,
}

/// A page that is one form.
#[derive(Serialize)]
struct Page<'a> {
    heading: &'static str,
    lead: Option<&'static str>,
    form: Form<'a>,
    note: Option<&'static str>,
}

impl Html {
    /// The page at which people log in.
    ///
    /// # Errors
    /// A template that does not fit its fields.
    pub fn login(&self, page: &LoginPage<'_>) -> Result<String, RenderError> {
        let inputs = vec![
            Input::text("username", "Username", page.username).complete("username"),
            Input::password("password", "Password", "current-password"),
        ];
        let form = Form::new(("/login", "Log in"), page.hidden, inputs, page.errors).then(page.next);
        let lead = Some("For technicians and staff. Nobody needs this to report a problem.");
        let note = Some("Forgot your password? Staff can give you a new one.");
        self.page("form", "Log in", &Page { heading: "Log in", lead, form, note })
    }

    /// The page at which people choose a password.
    ///
    /// # Errors
    /// A template that does not fit its fields.
    pub fn password(&self, page: &PasswordPage<'_>) -> Result<String, RenderError> {
        let inputs = vec![
            Input::password("current", "Current password", "current-password"),
            Input::password("password", "New password", "new-password").hint("At least 10 characters."),
            Input::password("repeated", "New password, again", "new-password"),
        ];
        let heading = if page.must_change { "Choose your own password" } else { "Change your password" };
        let lead = page.must_change.then_some("Your password is temporary: somebody else has seen it.");
        let form = Form::new(("/password", "Change the password"), page.hidden, inputs, page.errors);
        let note = Some("You stay signed in here, and are logged out everywhere else.");
        self.page("form", heading, &Page { heading, lead, form, note })
    }

    /// The page at which the first staff user is made.
    ///
    /// # Errors
    /// A template that does not fit its fields.
    pub fn setup(&self, page: &SetupPage<'_>) -> Result<String, RenderError> {
        let email = Input::email(page.email).complete("email");
        let inputs = vec![
            Input::text("code", "Code", page.code).hint("ESB wrote it to its log when it started."),
            Input::text("username", "Username", page.username).complete("username"),
            email.hint("The address of your Slack account, so that you can work in Slack too."),
            Input::password("password", "Password", "new-password").hint("At least 10 characters."),
        ];
        let heading = "Set up this installation";
        let lead = Some("You become its first staff user, and can then add the others.");
        let form = Form::new(("/setup", "Begin"), page.hidden, inputs, page.errors);
        self.page("form", heading, &Page { heading, lead, form, note: None })
    }
}
