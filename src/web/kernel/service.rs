//! The tower `Service` that answers every request and never fails. `server` wraps it.

use super::Access;
use super::PageError;
use super::access::{self, Caller};
use super::body;
use super::browser::{Browser, TOKEN_FIELD};
use super::client_address::client_address;
use super::error::TimedOut;
use super::fields::Fields;
use super::host;
use super::reference::Reference;
use super::request::PageRequest;
use super::response::{PageResponse, found, secure};
use super::resubmit::{self, Resubmit, TypedForm};
use super::route::{BodyRule, CsrfRule, Route, RouteMatch};
use crate::metrics::Metrics;
use crate::render::html::Frame;
use crate::web::Web;
use crate::web::limits::shares::{Exhausted, Share};
use crate::web::upload::{self, Gate, Uploads};
use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::header::{CONNECTION, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request};
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

/// Longest time that a page may take.
const PAGE_TIMEOUT: Duration = Duration::from_secs(15);
/// `Retry-After` when too many requests are in flight.
const RETRY_WITHOUT_CAPACITY: Duration = Duration::from_secs(10);
/// Route label of unknown paths, in logs and metrics.
pub const UNKNOWN_ROUTE: &str = "other";

/// The peer address of the connection; `server` puts it into the request's extensions.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// The server has no capacity for this request; `server` puts it into the extensions. Only routes with
/// `is_always_answered` are run then.
#[derive(Debug, Clone, Copy)]
pub struct NoCapacity(pub Exhausted);

impl NoCapacity {
    /// `TooOften` if this client has too many requests in flight, else `Crowded`.
    pub fn check(parts: &Parts) -> Result<(), PageError> {
        match parts.extensions.get() {
            None => Ok(()),
            Some(Self(exhausted)) => Err(PageError::exhausted(*exhausted, RETRY_WITHOUT_CAPACITY)),
        }
    }
}

/// Cheap to clone.
#[derive(Debug, Clone)]
pub struct Kernel {
    web: Arc<Web>,
    shutdown: CancellationToken,
}

impl Kernel {
    /// `shutdown` ends responses that stream without an end.
    pub const fn new(web: Arc<Web>, shutdown: CancellationToken) -> Self {
        Self { web, shutdown }
    }
}

impl<B> Service<Request<B>> for Kernel
where
    B: Body<Data = Bytes> + Send + 'static,
{
    type Response = PageResponse;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<PageResponse, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let Self { web, shutdown } = self.clone();
        Box::pin(async move { Ok(respond(&web, request).await.map(|body| body.until(&shutdown))) })
    }
}

async fn respond<B: Body<Data = Bytes> + Send + 'static>(web: &Web, request: Request<B>) -> PageResponse {
    let arrived = web.ctx.clock.monotonic();
    let reference = Reference::random();
    let (parts, body) = request.into_parts();
    let method = method_label(&parts.method);
    let for_program = parts.uri.path().ends_with(".json");

    let is_last = NoCapacity::check(&parts).is_err();
    let mut context = ErrorContext::default();
    let (pattern, outcome) = match find_route(web, &parts) {
        (pattern, Err(error)) => (pattern, Err(error)),
        (pattern, Ok(Target::Moved(path))) => (pattern, found(&path)),
        (pattern, Ok(Target::Page(route, params))) => {
            (pattern, handle(web, route, &reference, &mut context, params, parts, body).await)
        }
    };
    let mut response = outcome.unwrap_or_else(|error| {
        error.log(&reference, pattern);
        error.response(Some(&web.html.framed(context.frame)), &reference, for_program, context.form.as_ref())
    });
    if is_last {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    if let Some(held) = context.held {
        response = response.map(|body| body.holding(held));
    }
    let took = web.ctx.clock.monotonic().saturating_sub(arrived);
    finish(&mut response, &reference, &web.metrics, (method, pattern), took);
    response
}

enum Target<'a> {
    /// With the parameters of the path.
    Page(&'a Route, Vec<(String, String)>),
    /// The canonical path, which differs only in capitals and slashes.
    Moved(String),
}

/// The route's pattern for logs and metrics, and the target of the path.
fn find_route<'a>(web: &'a Web, parts: &Parts) -> (&'static str, Result<Target<'a>, PageError>) {
    if let Err(error) = host::check(parts) {
        return (UNKNOWN_ROUTE, Err(error));
    }
    let path = parts.uri.path();
    if let Some(RouteMatch { pattern, route, params }) = web.routes.find(&parts.method, path) {
        let route = route.map_err(|allow| PageError::MethodNotAllowed { allow });
        return (pattern, route.map(|route| Target::Page(route, params)));
    }
    let is_read = matches!(parts.method, Method::GET | Method::HEAD);
    let Some((pattern, path)) = web.routes.canonical(path).filter(|_| is_read) else {
        return (UNKNOWN_ROUTE, Err(PageError::NotFound));
    };
    let query = parts.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    (pattern, Ok(Target::Moved(format!("{path}{query}"))))
}

/// Sets common headers, then logs and counts the request. `labels` are method and route, each of a closed set.
pub fn finish(
    response: &mut PageResponse,
    reference: &Reference,
    metrics: &Metrics,
    labels: (&'static str, &'static str),
    took: Duration,
) {
    secure(response, reference.as_str());
    let ((method, route), status) = (labels, response.status().as_u16());
    let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    tracing::info!(id = %reference, method, route, status, ms, "request");
    metrics.http_request(route, method, status, took);
}

/// What the error page of a request shows besides its message.
#[derive(Default)]
struct ErrorContext {
    frame: Frame,
    /// The rejected form.
    form: Option<Resubmit>,
    held: Option<Arc<Share>>,
}

impl ErrorContext {
    fn keep(&mut self, typed: TypedForm) {
        if let Some(form) = &mut self.form {
            form.typed = typed;
        }
    }
}

/// Authorizes the caller, reads the body and runs the page. Fills `context` on the way.
async fn handle<B: Body<Data = Bytes> + Send + 'static>(
    web: &Web,
    route: &Route,
    reference: &Reference,
    context: &mut ErrorContext,
    params: Vec<(String, String)>,
    parts: Parts,
    body: B,
) -> Result<PageResponse, PageError> {
    let mut browser = web.browsers.recognise(&parts.headers);
    let for_program = access::shows_api_token(&parts.headers);
    let form = Resubmit::of(&parts, route.body, web.config.base_url.as_deref());
    context.form = form.filter(|_| !for_program);
    let client = client_of(web, &parts);
    let mut typed = TypedForm::default();
    let input = match check_access(web, route, &mut browser, &mut context.frame, &parts).await {
        Ok(caller) => {
            let counted = (client, &mut context.held);
            let read = read(web, route, (&caller, &browser), &parts, body, counted, &mut typed).await;
            read.map(|(uploads, raw)| (caller, uploads, raw))
        }
        Err(error) => {
            if context.form.is_some() {
                let held = context.held.insert(web.bodies.open(client));
                typed = resubmit::read_text(route.body, &parts.headers, body, held).await;
            }
            Err(error)
        }
    };
    if let Some(form) = &mut context.form {
        // While the session cannot be looked up, the token that was sent may still be valid.
        let is_known = browser.is_signed_in() || !access::shows_session(web, &parts.headers);
        if is_known || matches!(input, Err(PageError::Forged)) {
            form.with_new_token(web, &browser);
        }
    }
    let (caller, uploads, raw) = match input {
        Ok(input) => input,
        Err(error) => {
            context.keep(typed);
            return Err(without_cookies(web, &browser, error));
        }
    };
    let frame = context.frame.clone();
    let (reference, form) = (reference.clone(), std::mem::take(&mut typed.fields));
    let Parts { uri, headers, .. } = parts;
    let request =
        PageRequest { reference, client, browser, caller, frame, uri, headers, form, uploads, raw, params };
    let outcome = run_page(web, route, &request).await;
    context.keep(TypedForm { fields: request.form, ..typed });
    outcome
}

/// Explains a refused token by missing cookies, if the browser sends none.
fn without_cookies(web: &Web, browser: &Browser, error: PageError) -> PageError {
    match error {
        PageError::Forged if browser.sends_no_cookies() => {
            let address = web.config.base_url.clone().filter(|_| web.browsers.is_secure());
            PageError::NoCookies { address }
        }
        error => error,
    }
}

async fn run_page(web: &Web, route: &Route, request: &PageRequest) -> Result<PageResponse, PageError> {
    // Pages share no state that a panic could leave inconsistent.
    let page = AssertUnwindSafe((route.handler)(web, request)).catch_unwind();
    match tokio::time::timeout(PAGE_TIMEOUT, page).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(panic)) => Err(PageError::Panicked(panic_text(panic.as_ref()))),
        Err(_) => Err(PageError::Unavailable(TimedOut(PAGE_TIMEOUT).into())),
    }
}

async fn check_access(
    web: &Web,
    route: &Route,
    browser: &mut Browser,
    frame: &mut Frame,
    parts: &Parts,
) -> Result<Caller, PageError> {
    if !route.is_always_answered {
        NoCapacity::check(parts)?;
    }
    let caller = access::caller(web, route.access, &parts.headers).await?;
    if let Some(person) = caller.person() {
        browser.bind(&person.session);
        *frame = Frame::of(&person.username, person.role, web.browsers.token(browser), parts.uri.path());
    }
    access::authorize(route.access, &caller, parts)?;
    if route.access == Access::Editor {
        access::authorize_editor(web, &caller).await?;
    }
    Ok(caller)
}

fn client_of(web: &Web, parts: &Parts) -> IpAddr {
    let peer = parts.extensions.get::<Peer>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip());
    client_address(peer, &parts.headers, &web.config.trusted_proxies)
}

/// Reads the body as the route requires: a form into `typed`, also a part of it before an error.
async fn read<B: Body<Data = Bytes> + Send + 'static>(
    web: &Web,
    route: &Route,
    (caller, browser): (&Caller, &Browser),
    parts: &Parts,
    body: B,
    (client, held): (IpAddr, &mut Option<Arc<Share>>),
    typed: &mut TypedForm,
) -> Result<(Uploads, Bytes), PageError> {
    let limit = match route.body {
        BodyRule::Ignored => return Ok(Default::default()),
        BodyRule::Raw(check) => check(web, &parts.headers)?,
        BodyRule::Form { limit } => limit,
        BodyRule::Upload(rule) => rule.text,
    };
    let held = held.insert(web.bodies.open(client));
    let needs_token = match caller {
        // A program sends its API token explicitly, so its requests cannot be forged.
        Caller::Program(_) => false,
        Caller::Nobody => route.csrf == CsrfRule::Everybody,
        Caller::Person(_) => true,
    };
    let verify_csrf_token = |token: &str| web.browsers.verify_csrf_token(browser, token);
    match (route.body, upload::boundary(&parts.headers)) {
        (BodyRule::Ignored | BodyRule::Raw(_), _) => {
            Ok((Uploads::default(), body::read(body, limit, held).await?))
        }
        (BodyRule::Upload(rule), Some(boundary)) => {
            let verify_csrf_token: &(dyn Fn(&str) -> bool + Sync) = &verify_csrf_token;
            let visitor = matches!(caller, Caller::Nobody).then_some(client);
            let gate = Gate { verify_csrf_token: needs_token.then_some(verify_csrf_token), client, visitor };
            Ok((upload::read(web, rule, gate, boundary, body, held, typed).await?, Bytes::new()))
        }
        (BodyRule::Form { .. } | BodyRule::Upload(_), _) => {
            read_form(&parts.headers, body, limit, held, typed).await?;
            if needs_token && !verify_csrf_token(typed.fields.typed(TOKEN_FIELD)?) {
                return Err(PageError::Forged);
            }
            Ok(Default::default())
        }
    }
}

async fn read_form<B: Body<Data = Bytes> + Send>(
    headers: &HeaderMap,
    body: B,
    limit: usize,
    held: &Share,
    typed: &mut TypedForm,
) -> Result<(), PageError> {
    let mut encoded = Vec::new();
    let read = body::read_into(&mut encoded, body, limit, held).await;
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(read.err().unwrap_or(PageError::NotAForm));
    }
    typed.is_cut = read.is_err();
    match read.and_then(|()| Ok(Fields::parse(&encoded)?)) {
        Ok(fields) => typed.fields = fields,
        Err(error) => {
            typed.fields = Fields::parse_lossy(&encoded);
            return Err(error);
        }
    }
    Ok(())
}

/// The method label of metrics and logs: a closed set.
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
