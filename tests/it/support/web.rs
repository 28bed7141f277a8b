//! The web server on a free port, and a simple HTTP client with cookies.

use super::app::DEADLINE;
use super::ops::{TestOps, user};
use bytes::Bytes;
use chrono::TimeDelta;
use esb::domain::actor::Role;
use esb::domain::file::VisitorAllowance;
use esb::domain::ids::UserId;
use esb::files::Files;
use esb::metrics::Metrics;
use esb::ops::Ctx;
use esb::store::sessions::{self, NewSession};
use esb::web::kernel::Route;
use esb::web::kernel::access::SESSION_COOKIE;
use esb::web::kernel::body::BodyBudget;
use esb::web::kernel::cookies::Cookies;
use esb::web::server::{Limits, serve_within};
use esb::web::upload::Places;
use esb::web::{Web, WebConfig};
use form_urlencoded::Serializer;
use http::header::{CONTENT_TYPE, COOKIE, HOST, SET_COOKIE};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Body;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// A running web server with its own database.
pub struct TestWeb {
    pub ops: TestOps,
    pub site: Site,
    pub shutdown: CancellationToken,
    pub serving: JoinHandle<()>,
    /// The setup code, which the log shows at start.
    pub setup_code: Option<String>,
}

/// A complete response.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Reply {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8(self.body.to_vec()).unwrap()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The secret that a page shows once.
    pub fn secret(&self) -> String {
        let text = self.text();
        let (_, rest) = text.split_once("<p class=\"secret\"><code>").expect("a secret is shown");
        rest.split('<').next().unwrap().to_owned()
    }

    /// The value of a header; empty if missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The fields of the "Send again" form of an error page, without files.
    pub fn form_again(&self) -> Vec<(String, String)> {
        let text = self.text();
        let (_, form) = text.split_once("<form class=\"report resubmit\"").expect("the form comes back");
        let form = form.split("</form>").next().unwrap();
        let hidden = form.split("<input type=\"hidden\" name=\"").skip(1).map(|field| {
            let (name, rest) = field.split_once("\" value=\"").unwrap();
            (name, rest.split('"').next().unwrap())
        });
        let long = form.split("<textarea ").skip(1).map(|field| {
            let name = field.split("name=\"").nth(1).unwrap().split('"').next().unwrap();
            let (_, rest) = field.split_once(">\n").unwrap();
            (name, rest.split("</textarea>").next().unwrap())
        });
        hidden.chain(long).map(|(name, value)| (plain(name), plain(value))).collect()
    }

    /// The value of the first hidden field of that name.
    pub fn hidden(&self, name: &str) -> String {
        let text = self.text();
        let start = format!("name=\"{name}\" value=\"");
        let from = text.find(&start).expect("the field is on the page") + start.len();
        let value = text[from..].split('"').next().unwrap();
        value.replace("&#x3D;", "=")
    }
}

/// Decodes HTML entities.
fn plain(escaped: &str) -> String {
    let pairs =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#x27;", "'"), ("&#x3D;", "="), ("&#x60;", "`")];
    let text = pairs.iter().fold(escaped.to_owned(), |text, (from, to)| text.replace(from, to));
    text.replace("&amp;", "&")
}

/// The configuration of test servers.
pub fn config() -> WebConfig {
    WebConfig {
        base_url: Some("https://esb.example.org".into()),
        secret_key: "a secret of the tests".into(),
        secret_key_previous: None,
        timezone: "America/New_York".parse().unwrap(),
        trusted_proxies: vec!["127.0.0.1".parse().unwrap()],
    }
}

/// Serves all pages.
pub async fn serving(ops: TestOps) -> TestWeb {
    serving_routes(ops, Web::routes(), Limits::STANDARD).await
}

/// Serves other routes.
pub async fn serving_routes(ops: TestOps, routes: &'static [Route], limits: Limits) -> TestWeb {
    serving_all(ops, config(), routes, limits).await
}

/// Serves other routes and trusts no proxy, so that each loopback address is a client.
pub async fn serving_without_proxies(ops: TestOps, routes: &'static [Route], limits: Limits) -> TestWeb {
    serving_all(ops, WebConfig { trusted_proxies: Vec::new(), ..config() }, routes, limits).await
}

/// Serves the pages with another configuration.
pub async fn serving_as(ops: TestOps, config: WebConfig) -> TestWeb {
    serving_all(ops, config, Web::routes(), Limits::STANDARD).await
}

/// Serves the pages with another directory of uploads.
pub async fn serving_files(ops: TestOps, files: Files) -> TestWeb {
    serving_with(ops, config(), files, Web::routes(), Limits::STANDARD).await
}

/// Serves the pages with these upload limits.
pub async fn serving_with_places(ops: TestOps, places: Places) -> TestWeb {
    let web = Web::new(ops.ctx.clone(), config(), Metrics::new(), ops.files()).await.unwrap();
    serving_web(ops, web.with_upload_places(places), Limits::STANDARD).await
}

/// Serves the pages with this byte limit for visitors' photos.
pub async fn serving_with_allowance(ops: TestOps, allowance: VisitorAllowance) -> TestWeb {
    let web = Web::new(ops.ctx.clone(), config(), Metrics::new(), ops.files()).await.unwrap();
    serving_web(ops, web.with_visitor_allowance(allowance), Limits::STANDARD).await
}

/// Serves the pages with these byte limits for request bodies, in total and per client.
pub async fn serving_with_bodies(ops: TestOps, all: usize, of_client: usize) -> TestWeb {
    let web = Web::new(ops.ctx.clone(), config(), Metrics::new(), ops.files()).await.unwrap();
    let bodies = BodyBudget::of(ops.clock.clone(), all, of_client);
    serving_web(ops, web.with_body_budget(bodies), Limits::STANDARD).await
}

async fn serving_all(ops: TestOps, config: WebConfig, routes: &'static [Route], limits: Limits) -> TestWeb {
    let files = ops.files();
    serving_with(ops, config, files, routes, limits).await
}

async fn serving_with(
    ops: TestOps,
    config: WebConfig,
    files: Files,
    routes: &'static [Route],
    limits: Limits,
) -> TestWeb {
    let web = Web::with_routes(ops.ctx.clone(), config, Metrics::new(), files, routes).await.unwrap();
    serving_web(ops, web, limits).await
}

async fn serving_web(ops: TestOps, web: Web, limits: Limits) -> TestWeb {
    let setup_code = web.setup_code().await.unwrap().map(str::to_owned);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let serving = tokio::spawn(serve_within(limits, listener, Arc::new(web), shutdown.clone()));
    TestWeb { ops, site: Site(address), shutdown, serving, setup_code }
}

impl TestWeb {
    /// A signed-in browser: `tess`, a technician, or `stu`, a staff user.
    pub async fn signed_in(&self, role: Role) -> Browser<'_> {
        let name = if role == Role::Staff { "stu" } else { "tess" };
        let user = user(&self.ops, name, role).await;
        self.signed_in_as(user).await
    }

    /// A browser with a session of this user, without hashing a password.
    pub async fn signed_in_as(&self, user: UserId) -> Browser<'_> {
        let browser = self.browser();
        browser.set_cookie(SESSION_COOKIE, &self.session_of(user).await);
        browser
    }

    /// The token of a new session of this user.
    pub async fn session_of(&self, user: UserId) -> String {
        session_of(&self.ops, user).await
    }
}

/// The token of a new session of a user.
pub async fn session_of(ops: &Ctx, user: UserId) -> String {
    let token: String = rand::random::<[u8; 32]>().iter().map(|byte| format!("{byte:02x}")).collect();
    let token_hash = Sha256::digest(token.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    let now = ops.clock.now();
    let session = NewSession { token_hash, user, expires_at: now + TimeDelta::hours(12) };
    sessions::add(ops.store.write(), session, now).await.unwrap();
    token
}

impl Deref for TestWeb {
    type Target = Site;

    fn deref(&self) -> &Site {
        &self.site
    }
}

/// The address of a web server.
pub struct Site(pub SocketAddr);

impl Site {
    /// Sends a request on a new connection.
    pub async fn send<B>(&self, request: Request<B>) -> Reply
    where
        B: Body<Data = Bytes, Error: std::error::Error + Send + Sync> + Send + 'static,
    {
        let stream = TcpStream::connect(self.0).await.unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        let connection = tokio::spawn(connection);
        let (head, body) = sender.send_request(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        drop(sender);
        // A server that rejects a request may close before it has read everything.
        let _ = connection.await.unwrap();
        Reply { status: head.status, headers: head.headers, body }
    }

    /// Sends a request without a body.
    pub async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Reply {
        let mut request = Request::builder().method(method).uri(path).header(HOST, "esb");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Full::<Bytes>::default()).unwrap()).await
    }

    /// Writes raw bytes from a loopback address and keeps the connection open.
    pub async fn begin(&self, from: [u8; 4], request: &str) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((from, 0).into()).unwrap();
        let mut stream = socket.connect(self.0).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    }

    /// Writes raw bytes and reads until the connection closes.
    pub async fn raw(&self, request: &str) -> String {
        let mut stream = self.begin([127, 0, 0, 1], request).await;
        let mut answer = Vec::new();
        let read = timeout(DEADLINE, stream.read_to_end(&mut answer)).await.expect("an answer and an end");
        assert!(read.is_ok() || !answer.is_empty(), "{read:?}");
        String::from_utf8(answer).unwrap()
    }

    /// Gets a page without cookies.
    pub async fn get(&self, path: &str) -> Reply {
        self.ask(Method::GET, path, &[]).await
    }

    /// A browser that keeps its cookies.
    pub fn browser(&self) -> Browser<'_> {
        Browser { site: self, cookies: Mutex::default(), from: "203.0.113.1".into() }
    }
}

/// A browser with cookies and a client address.
pub struct Browser<'a> {
    site: &'a Site,
    cookies: Mutex<BTreeMap<String, String>>,
    from: String,
}

impl Browser<'_> {
    /// The same with another client address.
    pub fn from(self, address: &str) -> Self {
        Self { from: address.to_owned(), ..self }
    }

    /// Gets a page.
    pub async fn get(&self, path: &str) -> Reply {
        let headers = [("cookie", &*self.cookie()), ("x-forwarded-for", &self.from)];
        let reply = self.site.ask(Method::GET, path, &headers).await;
        self.keep(&reply);
        reply
    }

    /// Sends a HEAD request.
    pub async fn head(&self, path: &str) -> Reply {
        self.site.ask(Method::HEAD, path, &[("cookie", &self.cookie())]).await
    }

    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let form = Serializer::new(String::new()).extend_pairs(fields).finish();
        self.post_raw(path, form).await
    }

    /// Submits the "Send again" form of an error page to `path`, where it came from.
    pub async fn send_again(&self, path: &str, refused: &Reply) -> Reply {
        let form = refused.form_again();
        let fields: Vec<(&str, &str)> = form.iter().map(|(name, value)| (&**name, &**value)).collect();
        self.post(path, &fields).await
    }

    /// Fills in the form of the page `at` and submits it to `to`.
    pub async fn fill_in(&self, at: &str, to: &str, fields: &[(&str, &str)]) -> Reply {
        let token = self.get(at).await.hidden("csrf_token");
        self.post(to, &[&[("csrf_token", &*token)], fields].concat()).await
    }

    /// As [`Browser::fill_in`], for a form that creates something.
    pub async fn fill_in_new(&self, at: &str, to: &str, fields: &[(&str, &str)]) -> Reply {
        let page = self.get(at).await;
        let (token, request) = (page.hidden("csrf_token"), page.hidden("request_id"));
        self.post(to, &[&[("csrf_token", &*token), ("request_id", &*request)], fields].concat()).await
    }

    /// Sends a raw body as a form.
    pub async fn post_raw(&self, path: &str, body: impl Into<Bytes>) -> Reply {
        let request = Request::post(path)
            .header(HOST, "esb")
            .header(COOKIE, self.cookie())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("x-forwarded-for", &self.from)
            .body(Full::new(body.into()))
            .unwrap();
        let reply = self.site.send(request).await;
        self.keep(&reply);
        reply
    }

    pub async fn send_parts(&self, path: &str, parts: &Parts) -> Reply {
        self.send_body(path, Full::new(parts.body().into())).await
    }

    /// Sends a raw body as a multipart form.
    pub async fn send_body<B>(&self, path: &str, body: B) -> Reply
    where
        B: Body<Data = Bytes, Error: std::error::Error + Send + Sync> + Send + 'static,
    {
        let request = Request::post(path)
            .header(HOST, "esb")
            .header(COOKIE, self.cookie())
            .header(CONTENT_TYPE, format!("multipart/form-data; boundary={BOUNDARY}"))
            .header("x-forwarded-for", &self.from)
            .body(body)
            .unwrap();
        let reply = self.site.send(request).await;
        self.keep(&reply);
        reply
    }

    /// A multipart form with the hidden fields of the form of a page that submits to `to`.
    pub async fn form(&self, at: &str, to: &str) -> Parts {
        let page = self.get(at).await.text();
        let (_, form) = page.split_once(&format!("action=\"{to}\" enctype=")).expect("the form is there");
        let form = form.split("</form>").next().unwrap();
        let hidden = form.split("type=\"hidden\" name=\"").skip(1).map(|field| {
            let mut parts = field.split('"');
            let (name, value) = (parts.next().unwrap(), parts.nth(1).unwrap());
            (name.to_owned(), value.replace("&#x3D;", "="))
        });
        hidden.fold(Parts::default(), |parts, (name, value)| parts.text(&name, &value))
    }

    /// Gets a page with additional headers.
    pub async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        let cookie = self.cookie();
        self.site.ask(Method::GET, path, &[&[("cookie", &*cookie)], headers].concat()).await
    }

    /// Sets a cookie, such as `esb_session`.
    pub fn set_cookie(&self, name: &str, value: &str) {
        self.cookies.lock().unwrap().insert(name.to_owned(), value.to_owned());
    }

    /// The value of a cookie; empty if missing.
    pub fn cookie_value(&self, name: &str) -> String {
        self.cookies.lock().unwrap().get(name).cloned().unwrap_or_default()
    }

    fn keep(&self, reply: &Reply) {
        for cookie in reply.headers.get_all(SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.set_cookie(held_by(name), value);
        }
    }

    /// The `Cookie` header.
    pub fn cookie(&self) -> String {
        let cookies = self.cookies.lock().unwrap();
        let named = cookies.iter().flat_map(|(what, value)| {
            installations().map(|cookies| format!("{}={value}", cookies.cookie_name(what)))
        });
        named.collect::<Vec<_>>().join("; ")
    }
}

/// The base URLs of test servers. Each has its own cookie names; a test browser has each cookie under all
/// of them.
fn installations() -> [Cookies; 3] {
    let addresses = [config().base_url, None, Some("http://esb.test".into())];
    addresses.map(|address| Cookies::new(address.as_deref(), &config().secret_key))
}

/// The value of a cookie with this name, such as `esb_session`.
fn held_by(name: &str) -> &str {
    let name = name.strip_prefix("__Host-").unwrap_or(name);
    name.rsplit_once('_').map_or(name, |(what, _)| what)
}

/// The boundary of multipart forms.
pub const BOUNDARY: &str = "----esb-of-the-tests";

/// A multipart form, built part by part.
#[derive(Debug, Clone, Default)]
pub struct Parts(Vec<u8>);

impl Parts {
    pub fn text(self, name: &str, value: &str) -> Self {
        self.part(&format!("name=\"{name}\""), value.as_bytes())
    }

    pub fn file(self, name: &str, file_name: &str, content: &[u8]) -> Self {
        self.part(&format!("name=\"{name}\"; filename=\"{file_name}\""), content)
    }

    /// Adds a part with any `Content-Disposition` parameters.
    pub fn part(mut self, names: &str, content: &[u8]) -> Self {
        let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; {names}\r\n\r\n");
        self.0.extend([head.as_bytes(), content, b"\r\n"].concat());
        self
    }

    /// The complete body.
    pub fn body(&self) -> Vec<u8> {
        [&self.0[..], format!("--{BOUNDARY}--\r\n").as_bytes()].concat()
    }

    /// The body without its final boundary.
    pub fn unfinished(&self) -> Vec<u8> {
        self.0.clone()
    }
}
