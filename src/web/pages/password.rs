//! `GET` and `POST /password`: a signed-in person chooses a new password.

use super::forms::{hidden, refused, too_often};
use super::login::{HOME, check_access};
use crate::ops::OpError;
use crate::ops::accounts::change_password::{ChangePassword, change_password};
use crate::render::html::{Field, FieldError, FormPage, Group};
use crate::web::Web;
use crate::web::kernel::response::html_with_forms;
use crate::web::kernel::{PageError, PageRequest, PageResponse};
use http::StatusCode;

pub(super) async fn show(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    page(web, request, StatusCode::OK, &[])
}

fn page(
    web: &Web,
    request: &PageRequest,
    status: StatusCode,
    errors: &[FieldError],
) -> Result<PageResponse, PageError> {
    let csrf_token = web.browsers.token(&request.browser);
    let must_change = request.account()?.must_change_password;
    let fields = vec![
        Field::password("current", "Current password", "current-password"),
        Field::password("password", "New password", "new-password").hint("At least 10 characters."),
        Field::password("repeated", "New password, again", "new-password"),
    ];
    let page = FormPage {
        title: if must_change { "Choose your own password" } else { "Change your password" },
        lead: if must_change { "Your password is temporary: somebody else has seen it." } else { "" },
        action: "/password",
        hidden: hidden(&csrf_token, None),
        groups: &[Group { legend: "", fields }],
        errors,
        submit: "Change the password",
        note: "You stay signed in here, and are logged out everywhere else.",
        ..FormPage::EMPTY
    };
    let page = web.html(request).form(&page).map_err(PageError::internal)?;
    html_with_forms(web, request, status, page)
}

pub(super) async fn change(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let who = request.account()?;
    // Guesses in another session or on the login page do not count here.
    if let Err(wait) = web.password_changes.count_name(&who.session) {
        return too_often(wait, |errors| page(web, request, StatusCode::TOO_MANY_REQUESTS, errors));
    }
    let change = ChangePassword {
        current: request.form.typed("current")?.into(),
        password: request.form.typed("password")?.into(),
        repeated: request.form.typed("repeated")?.into(),
    };
    match change_password(&web.ctx, &request.actor(), who, change).await {
        Ok(begun) => check_access(web, request, &begun, HOME),
        Err(OpError::Refused(refusal)) => {
            page(web, request, StatusCode::UNPROCESSABLE_ENTITY, &[refused(refusal)])
        }
        Err(error) => Err(error.into()),
    }
}
