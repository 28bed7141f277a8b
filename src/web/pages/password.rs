//! `GET` and `POST /password`: somebody chooses a password of their own.

use super::forms::{hidden, refused, too_often};
use super::login::{HOME, let_in};
use crate::ops::OpError;
use crate::ops::change_password::{ChangePassword, change_password};
use crate::render::html::{FieldError, PasswordPage};
use crate::web::Web;
use crate::web::kernel::answer::html_with_forms;
use crate::web::kernel::{Answer, Call, PageError};
use http::StatusCode;

pub(super) async fn show(web: &Web, call: &Call) -> Result<Answer, PageError> {
    page(web, call, StatusCode::OK, &[])
}

fn page(web: &Web, call: &Call, status: StatusCode, errors: &[FieldError]) -> Result<Answer, PageError> {
    let csrf_token = web.browsers.token(&call.browser);
    let must_change = call.account()?.must_change_password;
    let page = PasswordPage { must_change, errors, hidden: hidden(&csrf_token, None) };
    let page = web.html(call).password(&page).map_err(PageError::internal)?;
    html_with_forms(web, call, status, page)
}

pub(super) async fn change(web: &Web, call: &Call) -> Result<Answer, PageError> {
    let who = call.account()?;
    // Whoever guesses at another session, or at the page to log in, keeps nobody from this one.
    if let Err(wait) = web.password_changes.count_name(&who.session) {
        return too_often(wait, |errors| page(web, call, StatusCode::TOO_MANY_REQUESTS, errors));
    }
    let change = ChangePassword {
        current: call.form.typed("current")?.into(),
        password: call.form.typed("password")?.into(),
        repeated: call.form.typed("repeated")?.into(),
    };
    match change_password(&web.ctx, &call.actor(), who, change).await {
        Ok(begun) => let_in(web, call, &begun, HOME),
        Err(OpError::Refused(refusal)) => {
            page(web, call, StatusCode::UNPROCESSABLE_ENTITY, &[refused(refusal)])
        }
        Err(error) => Err(error.into()),
    }
}
