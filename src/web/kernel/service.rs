//! The one tower `Service`: a request in, an answer out, never an error. Wrapped by `server`.

use super::access::{self, Caller};
use super::answer::{Answer, secure};
use super::body;
use super::browser::TOKEN_FIELD;
use super::call::{Call, Reference};
use super::client_address::client_address;
use super::error::{NoAnswer, PageError};
use super::fields::Fields;
use super::route::{BodyRule, Route};
use super::upload::{self, Gate};
use super::{Access, UploadRule, Uploads};
use crate::metrics::Metrics;
use crate::render::html::Frame;
use crate::web::Web;
use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, Method, Request};
use hyper::body::Body;
use std::any::Any;
use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tower::Service;

/// Longest time that a page may take: after that the person is better off trying again.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);
/// How paths that no route knows are called in logs and metrics.
pub const UNKNOWN_ROUTE: &str = "other";

/// Who is at the other end of a connection; `server` puts it into each request's extensions.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// Answers requests; cheap to clone.
#[derive(Debug, Clone)]
pub struct Kernel {
    web: Arc<Web>,
    shutdown: CancellationToken,
}

impl Kernel {
    /// A kernel with the routes of `web`; answers without an end are ended by `shutdown`.
    pub const fn new(web: Arc<Web>, shutdown: CancellationToken) -> Self {
        Self { web, shutdown }
    }
}

impl<B> Service<Request<B>> for Kernel
where
    B: Body<Data = Bytes> + Send + 'static,
{
    type Response = Answer;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Answer, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let Self { web, shutdown } = self.clone();
        Box::pin(async move { Ok(respond(&web, request).await.map(|body| body.until(&shutdown))) })
    }
}

/// Answers one request and writes its line and its metric.
async fn respond<B: Body<Data = Bytes> + Send + 'static>(web: &Web, request: Request<B>) -> Answer {
    let arrived = web.ctx.clock.now();
    let reference = Reference::random();
    let (parts, body) = request.into_parts();
    let method = method_label(&parts.method);
    let for_program = parts.uri.path().ends_with(".json");

    let found = web.routes.find(&parts.method, parts.uri.path());
    let mut frame = Frame::default();
    let (pattern, outcome) = match found {
        None => (UNKNOWN_ROUTE, Err(PageError::NotFound)),
        Some(found) => {
            let outcome = match found.route {
                Ok(route) => ask(web, route, &reference, &mut frame, found.params, parts, body).await,
                Err(allow) => Err(PageError::MethodNotAllowed { allow }),
            };
            (found.pattern, outcome)
        }
    };
    let mut answer = outcome.unwrap_or_else(|error| {
        error.log(&reference, pattern);
        error.answer(Some(&web.html.framed(frame)), &reference, for_program)
    });
    let took = (web.ctx.clock.now() - arrived).to_std().unwrap_or_default();
    finish(&mut answer, &reference, &web.metrics, (method, pattern), took);
    answer
}

/// What every answer gets at its end: its headers, its line in the log, its place in the metrics. `asked` is
/// method and route, each of a closed set.
pub fn finish(
    answer: &mut Answer,
    reference: &Reference,
    metrics: &Metrics,
    asked: (&'static str, &'static str),
    took: Duration,
) {
    secure(answer, reference.as_str());
    let ((method, route), status) = (asked, answer.status().as_u16());
    let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    tracing::info!(id = %reference, method, route, status, ms, "request");
    metrics.http_request(route, method, status, took);
}

/// What came in a body.
#[derive(Default)]
struct Brought {
    form: Fields,
    uploads: Uploads,
    raw: Bytes,
}

/// Lets the caller in, reads what the route takes and asks its page. `frame` is what stands around the
/// page, and around the one that is shown instead.
async fn ask<B: Body<Data = Bytes> + Send + 'static>(
    web: &Web,
    route: &Route,
    reference: &Reference,
    frame: &mut Frame,
    params: Vec<(String, String)>,
    parts: Parts,
    body: B,
) -> Result<Answer, PageError> {
    let mut browser = web.browsers.recognise(&parts.headers);
    let caller = access::caller(web, route.access, &parts.headers).await?;
    if let Some(person) = caller.person() {
        browser.bind(&person.session);
        *frame = Frame::of(&person.username, person.role, web.browsers.token(&browser), parts.uri.path());
    }
    access::admit(route.access, &caller, &parts)?;
    if route.access == Access::Editor {
        access::admit_editor(web, &caller).await?;
    }
    let peer = parts.extensions.get::<Peer>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip());
    let client = client_address(peer, &parts.headers, &web.config.trusted_proxies);
    // A program shows its token with each request: nobody can make it ask unawares.
    let is_program = matches!(caller, Caller::Program(_));
    let vouches = |token: &str| is_program || web.browsers.vouches(&browser, token);
    let brought = match (route.body, upload::boundary(&parts.headers)) {
        (BodyRule::Ignored, _) => Brought::default(),
        (BodyRule::Raw { limit }, _) => Brought { raw: body::read(body, limit).await?, ..Brought::default() },
        (BodyRule::Upload(rule), Some(boundary)) => {
            let visitor = matches!(caller, Caller::Nobody).then_some(client);
            let gate = Gate { vouches: &vouches, visitor };
            let (form, uploads) = upload::read(web, rule, gate, boundary, body).await?;
            Brought { form, uploads, ..Brought::default() }
        }
        (BodyRule::Form { limit } | BodyRule::Upload(UploadRule { text: limit, .. }), _) => {
            let form = read_form(&parts.headers, body, limit).await?;
            if !vouches(form.typed(TOKEN_FIELD)?) {
                return Err(PageError::Forged);
            }
            Brought { form, ..Brought::default() }
        }
    };
    let call = Call {
        reference: reference.clone(),
        client,
        browser,
        caller,
        frame: frame.clone(),
        uri: parts.uri,
        headers: parts.headers,
        form: brought.form,
        uploads: brought.uploads,
        raw: brought.raw,
        params,
    };
    // A page shares nothing with others that a panic could leave half done.
    let page = AssertUnwindSafe((route.page)(web, &call)).catch_unwind();
    match tokio::time::timeout(ANSWER_WITHIN, page).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(panic)) => Err(PageError::Panicked(panic_text(panic.as_ref()))),
        Err(_) => Err(PageError::Unavailable(NoAnswer(ANSWER_WITHIN).into())),
    }
}

async fn read_form<B: Body<Data = Bytes> + Send>(
    headers: &HeaderMap,
    body: B,
    limit: usize,
) -> Result<Fields, PageError> {
    let encoded = body::read(body, limit).await?;
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(PageError::NotAForm);
    }
    Ok(Fields::parse(&encoded)?)
}

/// Methods as metrics name them: a closed set.
pub const fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        _ => "other",
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message").to_owned()
}
