//! `/admin/tokens`: API tokens, for staff.

use super::form_parser::FormParser;
use super::forms::{hidden, new_request_id, refused, request_id};
use super::users::secret_page;
use crate::domain::text::{RequestId, TokenName};
use crate::ops::OpError;
use crate::ops::accounts::api_tokens::{self, TokenCreated};
use crate::render::html::{FieldError, TokensPage};
use crate::web::Web;
use crate::web::kernel::response::{html_with_forms, see_other};
use crate::web::kernel::{PageError, PageRequest, PageResponse};
use http::StatusCode;
use secrecy::ExposeSecret;

pub(super) async fn list(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    page(web, request, StatusCode::OK, &[], &new_request_id()).await
}

async fn page(
    web: &Web,
    request: &PageRequest,
    status: StatusCode,
    errors: &[FieldError],
    request_id: &RequestId,
) -> Result<PageResponse, PageError> {
    let tokens = api_tokens::tokens(&web.ctx, &request.actor()).await?;
    let csrf_token = web.browsers.token(&request.browser);
    let (name, hidden) = (request.form.typed("name")?, hidden(&csrf_token, Some(request_id)));
    let page = web.html(request).tokens(&TokensPage { tokens: &tokens, name, errors, hidden });
    html_with_forms(web, request, status, page.map_err(PageError::internal)?)
}

pub(super) async fn create(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let request_id = request_id(request)?;
    let mut parser = FormParser::new(&request.form);
    let Some(name) = parser.read("name", TokenName::parse)? else {
        return page(web, request, StatusCode::UNPROCESSABLE_ENTITY, &parser.errors, &request_id).await;
    };
    match api_tokens::create_token(&web.ctx, &request.actor(), &name, &request_id).await {
        Ok(TokenCreated::Now(token)) => {
            let heading = format!("The token for {name}");
            let advice =
                "It is shown only once. The program sends it as Authorization: Bearer or as X-API-Key.";
            secret_page(web, request, &heading, Some(token.expose_secret()), advice, "/admin/tokens")
        }
        Ok(TokenCreated::Before) => {
            let advice = "It was shown then. If nobody copied it, revoke it and create another one.";
            secret_page(web, request, "The token was made before", None, advice, "/admin/tokens")
        }
        Err(OpError::Refused(refusal)) => {
            page(web, request, StatusCode::UNPROCESSABLE_ENTITY, &[refused(refusal)], &request_id).await
        }
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn revoke(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    api_tokens::revoke_token(&web.ctx, &request.actor(), request.id("id")?).await?;
    see_other("/admin/tokens")
}
