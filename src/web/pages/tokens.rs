//! `/admin/tokens`: API tokens, for staff.

use super::forms::{hidden, kept, new_request_id, refused, request_id};
use super::users::secret_page;
use crate::domain::text::{RequestId, TokenName};
use crate::ops::OpError;
use crate::ops::api_tokens::{self, TokenCreated};
use crate::render::html::{FieldError, TokensPage};
use crate::web::Web;
use crate::web::kernel::answer::{html_with_forms, see_other};
use crate::web::kernel::{Answer, Call, PageError};
use http::StatusCode;
use secrecy::ExposeSecret;

pub(super) async fn list(web: &Web, call: &Call) -> Result<Answer, PageError> {
    page(web, call, StatusCode::OK, &[], &new_request_id()).await
}

async fn page(
    web: &Web,
    call: &Call,
    status: StatusCode,
    errors: &[FieldError],
    request_id: &RequestId,
) -> Result<Answer, PageError> {
    let tokens = api_tokens::tokens(&web.ctx, &call.actor()).await?;
    let csrf_token = web.browsers.token(&call.browser);
    let (name, hidden) = (call.form.typed("name")?, hidden(&csrf_token, Some(request_id)));
    let page = web.html(call).tokens(&TokensPage { tokens: &tokens, name, errors, hidden });
    html_with_forms(web, call, status, page.map_err(PageError::internal)?)
}

pub(super) async fn create(web: &Web, call: &Call) -> Result<Answer, PageError> {
    let request_id = request_id(call)?;
    let mut errors = Vec::new();
    let Some(name) = kept(TokenName::parse(call.form.typed("name")?), "name", &mut errors) else {
        return page(web, call, StatusCode::UNPROCESSABLE_ENTITY, &errors, &request_id).await;
    };
    match api_tokens::create_token(&web.ctx, &call.actor(), &name, &request_id).await {
        Ok(TokenCreated::Now(token)) => {
            let heading = format!("The token for {name}");
            let advice =
                "It is shown only now. The program sends it as Authorization: Bearer, or as X-API-Key.";
            secret_page(web, call, &heading, Some(token.expose_secret()), advice, "/admin/tokens")
        }
        Ok(TokenCreated::Before) => {
            let advice = "It was shown then. If nobody saw it, revoke it and make another one.";
            secret_page(web, call, "The token was made before", None, advice, "/admin/tokens")
        }
        Err(OpError::Refused(refusal)) => {
            page(web, call, StatusCode::UNPROCESSABLE_ENTITY, &[refused(refusal)], &request_id).await
        }
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn revoke(web: &Web, call: &Call) -> Result<Answer, PageError> {
    api_tokens::revoke_token(&web.ctx, &call.actor(), call.id("id")?).await?;
    see_other("/admin/tokens")
}
