//! An HTTP client that tolerates servers that do not answer.

use bytes::Bytes;
use form_urlencoded::Serializer;
use http::Request;
use http::header::{CONTENT_TYPE, COOKIE, HOST, SET_COOKIE};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Timeout for a page; longer than the program takes to answer with an error.
const WAIT: Duration = Duration::from_secs(20);

pub struct Reply {
    pub status: u16,
    pub text: String,
    /// The cookie that the response sets.
    pub cookie: Option<String>,
}

impl Reply {
    /// The value of the first hidden field of that name.
    pub fn hidden(&self, name: &str) -> Option<String> {
        let (_, after) = self.text.split_once(&format!("name=\"{name}\" value=\""))?;
        Some(after.split('"').next()?.replace("&#x3D;", "="))
    }
}

/// Gets a page; `None` without an answer.
pub async fn get(site: SocketAddr, path: &str, cookie: &str) -> Option<Reply> {
    let request = Request::get(path).header(HOST, "esb").header(COOKIE, cookie);
    timeout(WAIT, send(site, request.body(Full::default()).unwrap())).await.ok()?
}

/// Sends a form with that client address; `None` without an answer.
pub async fn post(
    site: SocketAddr,
    path: &str,
    cookie: &str,
    from: &str,
    fields: &[(&str, &str)],
) -> Option<Reply> {
    let form = Serializer::new(String::new()).extend_pairs(fields).finish();
    let request = Request::post(path)
        .header(HOST, "esb")
        .header(COOKIE, cookie)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("x-forwarded-for", from)
        .body(Full::new(Bytes::from(form)))
        .unwrap();
    timeout(WAIT, send(site, request)).await.ok()?
}

async fn send(site: SocketAddr, request: Request<Full<Bytes>>) -> Option<Reply> {
    let stream = TcpStream::connect(site).await.ok()?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
    tokio::spawn(connection);
    let (head, body) = sender.send_request(request).await.ok()?.into_parts();
    let body = body.collect().await.ok()?.to_bytes();
    let cookie = head.headers.get(SET_COOKIE).and_then(|line| line.to_str().ok()?.split(';').next());
    Some(Reply {
        status: head.status.as_u16(),
        cookie: cookie.map(str::to_owned),
        text: String::from_utf8_lossy(&body).into_owned(),
    })
}
