//! The one tower `Service`: a request in, an answer out, never an error. Wrapped by `server`.

use super::access::{self, Caller};
use super::answer::{Answer, found, secure};
use super::body;
use super::browser::{Browser, TOKEN_FIELD};
use super::call::{Call, Reference};
use super::client_address::client_address;
use super::error::{NoAnswer, PageError};
use super::fields::Fields;
use super::resubmit::{self, Resubmit, TypedForm};
use super::route::{BodyRule, CsrfRule, Route};
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
    let mut shown = Shown::default();
    let (pattern, outcome) = match found {
        None => elsewhere(web, &parts),
        Some(found) => {
            let outcome = match found.route {
                Ok(route) => ask(web, route, &reference, &mut shown, found.params, parts, body).await,
                Err(allow) => Err(PageError::MethodNotAllowed { allow }),
            };
            (found.pattern, outcome)
        }
    };
    let mut answer = outcome.unwrap_or_else(|error| {
        error.log(&reference, pattern);
        error.answer(Some(&web.html.framed(shown.frame)), &reference, for_program, shown.form.as_ref())
    });
    let took = (web.ctx.clock.now() - arrived).to_std().unwrap_or_default();
    finish(&mut answer, &reference, &web.metrics, (method, pattern), took);
    answer
}

/// Where a path without a route leads: to the page that is meant, where only capitals and slashes differ.
fn elsewhere(web: &Web, parts: &Parts) -> (&'static str, Result<Answer, PageError>) {
    let is_look = matches!(parts.method, Method::GET | Method::HEAD);
    match web.routes.canonical(parts.uri.path()).filter(|_| is_look) {
        None => (UNKNOWN_ROUTE, Err(PageError::NotFound)),
        Some((pattern, path)) => {
            let query = parts.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
            (pattern, found(&format!("{path}{query}")))
        }
    }
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

/// What an error page shows beside its words.
#[derive(Default)]
struct Shown {
    frame: Frame,
    /// The form that was not accepted.
    form: Option<Resubmit>,
}

impl Shown {
    fn keep(&mut self, typed: TypedForm) {
        if let Some(form) = &mut self.form {
            form.typed = typed;
        }
    }
}

/// Lets the caller in, reads what the route takes and asks its page. `shown` is what stands around the page,
/// and on the one that is shown instead where this fails.
async fn ask<B: Body<Data = Bytes> + Send + 'static>(
    web: &Web,
    route: &Route,
    reference: &Reference,
    shown: &mut Shown,
    params: Vec<(String, String)>,
    parts: Parts,
    body: B,
) -> Result<Answer, PageError> {
    let mut browser = web.browsers.recognise(&parts.headers);
    let for_program = access::shows_api_token(&parts.headers);
    let form = Resubmit::of(&parts, route.body, web.config.base_url.as_deref());
    shown.form = form.filter(|_| !for_program);
    let mut typed = TypedForm::default();
    let came = match let_in(web, route, &mut browser, &mut shown.frame, &parts).await {
        Ok(caller) => {
            let read = read(web, route, (&caller, &browser), &parts, body, &mut typed).await;
            read.map(|(uploads, raw)| (caller, uploads, raw))
        }
        Err(error) => {
            if shown.form.is_some() {
                typed = resubmit::read_text(route.body, &parts.headers, body).await;
            }
            Err(error)
        }
    };
    if let Some(form) = &mut shown.form {
        // While nobody knows whose session it is, the token that came may still be the right one.
        let is_known = browser.is_signed_in() || !access::shows_session(web, &parts.headers);
        if is_known || matches!(came, Err(PageError::Forged)) {
            form.with_new_token(web, &browser);
        }
    }
    let (caller, uploads, raw) = match came {
        Ok(came) => came,
        Err(error) => {
            shown.keep(typed);
            return Err(without_cookies(web, &browser, error));
        }
    };
    let (client, frame) = (client_of(web, &parts), shown.frame.clone());
    let (reference, form) = (reference.clone(), std::mem::take(&mut typed.fields));
    let Parts { uri, headers, .. } = parts;
    let call = Call { reference, client, browser, caller, frame, uri, headers, form, uploads, raw, params };
    let outcome = answered(web, route, &call).await;
    shown.keep(TypedForm { fields: call.form, ..typed });
    outcome
}

/// Says so where a token is refused because the browser sends no cookies.
fn without_cookies(web: &Web, browser: &Browser, error: PageError) -> PageError {
    match error {
        PageError::Forged if browser.sends_no_cookies() => {
            let address = web.config.base_url.clone().filter(|_| web.browsers.is_secure());
            PageError::NoCookies { address }
        }
        error => error,
    }
}

/// What the page says, within its time.
async fn answered(web: &Web, route: &Route, call: &Call) -> Result<Answer, PageError> {
    // A page shares nothing with others that a panic could leave half done.
    let page = AssertUnwindSafe((route.page)(web, call)).catch_unwind();
    match tokio::time::timeout(ANSWER_WITHIN, page).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(panic)) => Err(PageError::Panicked(panic_text(panic.as_ref()))),
        Err(_) => Err(PageError::Unavailable(NoAnswer(ANSWER_WITHIN).into())),
    }
}

/// Who asks, where the route lets them in.
async fn let_in(
    web: &Web,
    route: &Route,
    browser: &mut Browser,
    frame: &mut Frame,
    parts: &Parts,
) -> Result<Caller, PageError> {
    let caller = access::caller(web, route.access, &parts.headers).await?;
    if let Some(person) = caller.person() {
        browser.bind(&person.session);
        *frame = Frame::of(&person.username, person.role, web.browsers.token(browser), parts.uri.path());
    }
    access::admit(route.access, &caller, parts)?;
    if route.access == Access::Editor {
        access::admit_editor(web, &caller).await?;
    }
    Ok(caller)
}

fn client_of(web: &Web, parts: &Parts) -> IpAddr {
    let peer = parts.extensions.get::<Peer>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip());
    client_address(peer, &parts.headers, &web.config.trusted_proxies)
}

/// Reads what the route takes: the form into `typed`, as far as it comes.
async fn read<B: Body<Data = Bytes> + Send + 'static>(
    web: &Web,
    route: &Route,
    (caller, browser): (&Caller, &Browser),
    parts: &Parts,
    body: B,
    typed: &mut TypedForm,
) -> Result<(Uploads, Bytes), PageError> {
    let needs_token = match caller {
        // A program shows its token with each request: nobody can make it ask unawares.
        Caller::Program(_) => false,
        Caller::Nobody => route.csrf == CsrfRule::Everybody,
        Caller::Person(_) => true,
    };
    let vouches = |token: &str| web.browsers.vouches(browser, token);
    match (route.body, upload::boundary(&parts.headers)) {
        (BodyRule::Ignored, _) => Ok(Default::default()),
        (BodyRule::Raw { limit }, _) => Ok((Uploads::default(), body::read(body, limit).await?)),
        (BodyRule::Upload(rule), Some(boundary)) => {
            let visitor = matches!(caller, Caller::Nobody).then(|| client_of(web, parts));
            let vouches: &(dyn Fn(&str) -> bool + Sync) = &vouches;
            let gate = Gate { vouches: needs_token.then_some(vouches), visitor };
            Ok((upload::read(web, rule, gate, boundary, body, typed).await?, Bytes::new()))
        }
        (BodyRule::Form { limit } | BodyRule::Upload(UploadRule { text: limit, .. }), _) => {
            read_form(&parts.headers, body, limit, typed).await?;
            if needs_token && !vouches(typed.fields.typed(TOKEN_FIELD)?) {
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
    typed: &mut TypedForm,
) -> Result<(), PageError> {
    let mut encoded = Vec::new();
    let read = body::read_into(&mut encoded, body, limit).await;
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
