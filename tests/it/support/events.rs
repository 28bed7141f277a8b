//! Somebody who listens to `/events`.

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

/// An open stream of events; gone with the value.
pub struct Listener {
    pub status: StatusCode,
    pub headers: HeaderMap,
    body: Incoming,
    heard: String,
    _connection: SendRequest<Empty<Bytes>>,
}

impl Listener {
    /// Begins to listen, as a browser that takes gzip.
    pub async fn at(site: &Site) -> Self {
        Self::of(site, "203.0.113.1").await
    }

    /// The same behind a proxy that has seen this address.
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

    /// Many who listen at once, fifty of each address.
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

    /// Waits until one more is answered so.
    pub async fn until_answered(site: &Site, status: StatusCode) {
        let answered = async { while Self::at(site).await.status != status {} };
        timeout(DEADLINE, answered).await.unwrap_or_else(|_| panic!("nobody is answered {status}"));
    }

    /// The next event's revision; `None` when the stream has ended in order.
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

    /// Listens until a revision is told.
    pub async fn until(&mut self, revision: i64) {
        while self.next().await.expect("the stream goes on") != revision {}
    }
}
