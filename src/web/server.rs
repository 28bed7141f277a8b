//! Accepts connections and passes their requests to the kernel. Connections are limited in total and per client, slow
//! clients time out, and shutdown drains connections. Called by `app` and `startup`.

use super::Web;
use super::connections::{Activity, Connections};
use super::kernel::client_address::{client_address, is_proxy};
use super::kernel::service::{NoCapacity, Peer};
use super::kernel::{Kernel, PageResponse};
use super::limits::client_network::ClientNetwork;
use super::limits::shares::Shares;
use super::write_timeout::WriteTimeout;
use crate::clock::{Clock, Throttle};
use crate::domain::network::Network;
use bytes::Bytes;
use http::header::ACCEPT_RANGES;
use http::{Extensions, HeaderMap, Request, StatusCode, Version};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tower::{Service, ServiceExt};
use tower_http::compression::Compression;
use tower_http::compression::predicate::{DefaultPredicate, Predicate};

/// Limits on connections, requests and time.
///
/// A whole makerspace may sit behind one IPv4 address: six hundred members, thirty wall screens. At its busiest that
/// is some fifty boards that listen, as many pages and pictures under way and a few uploads; next to them are the
/// connections that browsers keep open for a while, two to six each.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Concurrent connections; for the next one, the longest-idle connection is closed.
    pub connections: usize,
    /// Connections per client. Browsers beyond this are served too, each with a new connection for each page.
    pub connections_of_client: usize,
    /// Requests in flight; more are refused. Fewer than connections, so that there is always one for health checks.
    pub requests: usize,
    /// Requests in flight per client: twice what the makerspace above needs, and an eighth of all.
    pub requests_of_client: usize,
    /// From the start of waiting for a request to the end of its head; also the keep-alive timeout.
    pub head: Duration,
    /// Largest request head, in bytes.
    pub head_bytes: usize,
    /// How long a write may make no progress.
    pub stall: Duration,
    /// How long requests in flight may take at shutdown.
    pub drain: Duration,
}

impl Limits {
    /// The production limits.
    pub const STANDARD: Self = Self {
        // A thousand of them may listen to the board's events, and pages need connections too.
        connections: 2048,
        connections_of_client: 512,
        requests: 1984,
        requests_of_client: 256,
        head: Duration::from_secs(15),
        head_bytes: 16 * 1024,
        stall: Duration::from_secs(30),
        drain: Duration::from_secs(10),
    };
}

/// Delay after `accept` failed (too many open files).
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);
/// Read buffer per connection, in bytes: two thousand stalled bodies hold this much each.
const READ_BUFFER_BYTES: usize = 32 * 1024;

/// Serves until `shutdown`, then drains requests in flight (at most [`Limits::drain`]).
pub async fn serve(listener: TcpListener, web: Arc<Web>, shutdown: CancellationToken) {
    serve_within(Limits::STANDARD, listener, web, shutdown).await;
}

/// [`serve`] with custom limits.
pub async fn serve_within(limits: Limits, listener: TcpListener, web: Arc<Web>, shutdown: CancellationToken) {
    let (clock, proxies) = (web.ctx.clock.clone(), web.config.trusted_proxies.clone());
    let server = Server::new(limits, clock, proxies, shutdown.clone());
    let kernel = || Kernel::new(Arc::clone(&web), shutdown.clone());
    let connections = server.serve_until_shutdown(&listener, kernel).await;
    drop(listener);
    connections.drain(limits.drain).await;
}

/// Serves with `service` until `end`, and keeps the listener open: another server continues with it.
pub(super) async fn serve_until<S>(
    end: CancellationToken,
    limits: Limits,
    proxies: Vec<Network>,
    listener: &TcpListener,
    service: S,
) where
    S: Answers,
{
    let server = Server::new(limits, Clock::system(), proxies, end);
    let connections = server.serve_until_shutdown(listener, || service.clone()).await;
    connections.drain(limits.drain).await;
}

/// A service that answers requests and never fails.
pub(super) trait Answers:
    Service<Request<Incoming>, Response = PageResponse, Error = Infallible, Future: Send> + Clone + Send + 'static
{
}

impl<S> Answers for S where
    S: Service<Request<Incoming>, Response = PageResponse, Error = Infallible, Future: Send>
        + Clone
        + Send
        + 'static
{
}

/// State shared by all connections; cheap to clone.
#[derive(Clone)]
struct Server {
    limits: Limits,
    requests: Arc<Shares>,
    clock: Clock,
    /// Proxies, whose connections carry many clients.
    proxies: Arc<[Network]>,
    shutdown: CancellationToken,
}

/// The connection was closed to make room just as a request arrived; nothing was done or answered.
#[derive(Debug, thiserror::Error)]
#[error("the connection was closed to make room")]
struct MadeRoom;

impl Server {
    fn new(limits: Limits, clock: Clock, proxies: Vec<Network>, shutdown: CancellationToken) -> Self {
        let (all, of_client) = (limits.requests, limits.requests_of_client);
        let requests = Shares::new(clock.clone(), "requests under way", all, of_client);
        Self { limits, requests, clock, proxies: proxies.into(), shutdown }
    }

    /// Accepts connections until shutdown; returns those that are still open.
    async fn serve_until_shutdown<S: Answers>(
        &self,
        listener: &TcpListener,
        service: impl Fn() -> S,
    ) -> Connections {
        let Limits { connections, connections_of_client, .. } = self.limits;
        let once_a_minute = || Throttle::new(self.clock.clone());
        let log_throttle = once_a_minute();
        let mut connections = Connections::new(connections, connections_of_client, once_a_minute());
        loop {
            let accepted = tokio::select! {
                biased;
                () = self.shutdown.cancelled() => return connections,
                () = connections.ended() => continue,
                accepted = listener.accept() => accepted,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    if let Some(skipped) = log_throttle.pass() {
                        tracing::warn!(%error, skipped, "web connection could not be accepted");
                    }
                    // The usual cause is too many open files.
                    connections.close_one();
                    tokio::time::sleep(ACCEPT_AGAIN).await;
                    continue;
                }
            };
            let client = (!is_proxy(peer.ip(), &self.proxies)).then(|| ClientNetwork::of(peer.ip()));
            tokio::select! {
                biased;
                () = self.shutdown.cancelled() => return connections,
                () = connections.make_room(client) => {}
            }
            let (server, service) = (self.clone(), service());
            connections.spawn(client, |activity| server.serve_connection(stream, peer, service, activity));
        }
    }

    /// Serves the requests of one connection until either side closes it.
    async fn serve_connection<S: Answers>(
        self,
        stream: TcpStream,
        peer: SocketAddr,
        service: S,
        activity: Arc<Activity>,
    ) {
        // Files are not compressed: most already are, and ranges count uncompressed bytes.
        let is_page = |_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions| {
            !headers.contains_key(ACCEPT_RANGES)
        };
        let service = Compression::new(service).compress_when(DefaultPredicate::new().and(is_page));
        let Self { limits, requests, proxies, shutdown, .. } = self;
        let answering = Arc::clone(&activity);
        let response = service_fn(move |mut request: Request<Incoming>| {
            let client = client_address(peer.ip(), request.headers(), &proxies);
            let place = requests.take(client);
            if let Err(exhausted) = place {
                request.extensions_mut().insert(NoCapacity(exhausted));
            }
            request.extensions_mut().insert(Peer(peer));
            let (begun, activity) = (answering.begin(place.ok()), Arc::clone(&answering));
            let answered = begun.then(|| service.clone().oneshot(request));
            async move {
                let response = answered.ok_or(MadeRoom)?.await.unwrap_or_else(|never| match never {});
                Ok::<_, MadeRoom>(response.map(|body| TrackedBody { body, activity }))
            }
        });
        // Responses are written whole, so Nagle's algorithm would only delay them.
        let _ = stream.set_nodelay(true);
        let flushed = Arc::clone(&activity);
        let stream = WriteTimeout::new(stream, limits.stall, move || flushed.flushed());
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.head)
            .max_header_size(limits.head_bytes)
            .max_buf_size(READ_BUFFER_BYTES)
            .serve_connection(TokioIo::new(stream), response);
        let mut connection = pin!(connection);
        // Requests that have already arrived are answered first.
        let ended = tokio::select! {
            biased;
            ended = connection.as_mut() => ended,
            () = activity.closed() => return,
            () = shutdown.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "web connection broke off");
        }
    }
}

/// A response body that marks the connection idle when it is dropped.
struct TrackedBody<B> {
    body: B,
    activity: Arc<Activity>,
}

impl<B> Drop for TrackedBody<B> {
    fn drop(&mut self) {
        self.activity.answered();
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for TrackedBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
