//! Clients of `/events`.

use super::app::DEADLINE;
use super::web::Site;
use bytes::Bytes;
use http::header::HOST;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// An open stream of events; dropping it closes it.
pub struct Listener {
    pub status: StatusCode,
    pub headers: HeaderMap,
    body: Incoming,
    heard: String,
    _connection: SendRequest<Empty<Bytes>>,
}

impl Listener {
    /// Connects like a browser that accepts gzip.
    pub async fn at(site: &Site) -> Self {
        Self::of(site, "203.0.113.1").await
    }

    /// The same through a proxy that reports this client address.
    pub async fn of(site: &Site, client: &str) -> Self {
        let stream = TcpStream::connect(site.0).await.unwrap();
        let (mut connection, driver) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(driver);
        let request = Request::get("/events")
            .header(HOST, "esb")
            .header("accept-encoding", "gzip")
            .header("x-forwarded-for", client);
        let answer = connection.send_request(request.body(Empty::new()).unwrap());
        let (head, body) = timeout(DEADLINE, answer).await.expect("an answer").unwrap().into_parts();
        let heard = String::new();
        Self { status: head.status, headers: head.headers, body, heard, _connection: connection }
    }

    /// Many concurrent listeners, fifty per address.
    pub async fn crowd(site: &Site, listeners: usize) -> Vec<Self> {
        let files = getrlimit(Resource::Nofile);
        setrlimit(Resource::Nofile, Rlimit { current: files.maximum, ..files }).unwrap();
        let mut crowd = Vec::new();
        for n in 0..listeners {
            let listener = Self::of(site, &format!("198.51.100.{}", n / 50)).await;
            assert_eq!(listener.status, StatusCode::OK);
            crowd.push(listener);
        }
        crowd
    }

    /// Connects until the answer has this status.
    pub async fn until_answered(site: &Site, status: StatusCode) {
        let answered = async { while Self::at(site).await.status != status {} };
        timeout(DEADLINE, answered).await.unwrap_or_else(|_| panic!("nobody is answered {status}"));
    }

    /// The revision of the next event; `None` after the orderly end of the stream.
    pub async fn next(&mut self) -> Option<i64> {
        loop {
            if let Some((event, rest)) = self.heard.split_once("\n\n") {
                let data = event.strip_prefix("event: board\ndata: ").expect("an event of the board");
                let revision = serde_json::from_str::<serde_json::Value>(data).unwrap()["revision"].as_i64();
                self.heard = rest.to_owned();
                return revision;
            }
            let frame = timeout(DEADLINE, self.body.frame()).await.expect("something to hear")?.unwrap();
            self.heard.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
        }
    }

    /// Reads until a revision arrives.
    pub async fn until(&mut self, revision: i64) {
        while self.next().await.expect("the stream goes on") != revision {}
    }
}
