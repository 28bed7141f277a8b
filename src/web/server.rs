//! Accepts connections and hands their requests to the kernel: bounded in number, patient with
//! slow clients but not for ever, and drained when the program ends. Called by `app` and `waiting`.

use super::Web;
use super::kernel::service::Peer;
use super::kernel::{Answer, Kernel};
use super::patience::Patience;
use http::header::ACCEPT_RANGES;
use http::{Extensions, HeaderMap, Request, StatusCode, Version};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
use tower::{Service, ServiceExt};
use tower_http::compression::Compression;
use tower_http::compression::predicate::{DefaultPredicate, Predicate};

/// How much and how long a client may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections at once; further ones wait in the operating system's queue.
    pub connections: usize,
    /// From the start of waiting for a request to the end of its head; also how long an idle
    /// connection is kept.
    pub head: Duration,
    /// Largest head of a request, in bytes.
    pub head_bytes: usize,
    /// How long a client may take none of an answer.
    pub stall: Duration,
    /// How long requests under way may take at shutdown.
    pub drain: Duration,
}

impl Limits {
    /// What the program runs with.
    pub const STANDARD: Self = Self {
        // A thousand of them may listen to the board's events, and a page wants a place beside them.
        connections: 2048,
        head: Duration::from_secs(15),
        head_bytes: 16 * 1024,
        stall: Duration::from_secs(30),
        drain: Duration::from_secs(10),
    };
}

/// How long to wait after the operating system refused to hand over a connection (too many files).
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Serves until `shutdown`, then lets requests under way end (at most [`Limits::drain`]).
pub async fn serve(listener: TcpListener, web: Arc<Web>, shutdown: CancellationToken) {
    serve_within(Limits::STANDARD, listener, web, shutdown).await;
}

/// [`serve`] with limits of one's own.
pub async fn serve_within(limits: Limits, listener: TcpListener, web: Arc<Web>, shutdown: CancellationToken) {
    let kernel = || Kernel::new(Arc::clone(&web), shutdown.clone());
    let connections = converse_until(&shutdown, limits, &listener, kernel).await;
    drop(listener);
    drain(connections, limits.drain).await;
}

/// Answers by `service` until `end`, and keeps the listener: somebody else is to go on with it.
pub(super) async fn serve_until<S>(end: CancellationToken, limits: Limits, listener: &TcpListener, service: S)
where
    S: Answers,
{
    let connections = converse_until(&end, limits, listener, || service.clone()).await;
    drain(connections, limits.drain).await;
}

/// What answers requests, and never fails.
pub(super) trait Answers:
    Service<Request<Incoming>, Response = Answer, Error = Infallible, Future: Send> + Clone + Send + 'static
{
}

impl<S> Answers for S where
    S: Service<Request<Incoming>, Response = Answer, Error = Infallible, Future: Send>
        + Clone
        + Send
        + 'static
{
}

/// Accepts connections until `end`; those that are still there then.
async fn converse_until<S: Answers>(
    end: &CancellationToken,
    limits: Limits,
    listener: &TcpListener,
    service: impl Fn() -> S,
) -> JoinSet<()> {
    let places = Arc::new(Semaphore::new(limits.connections));
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            () = end.cancelled() => return connections,
            Some(ended) = connections.join_next() => note(ended),
            Some((place, stream, peer)) = accept(listener, &places) => {
                connections.spawn(converse(limits, stream, peer, service(), end.clone(), place));
            }
        }
    }
}

/// A connection's task never fails; should it, the log must know.
fn note(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a web connection ended in disorder");
    }
}

/// Waits for what is under way, but not for ever.
async fn drain(mut connections: JoinSet<()>, at_most: Duration) {
    let drained = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(at_most, drained).await.is_err() {
        tracing::warn!(open = connections.len(), "web connections were cut off");
        connections.shutdown().await;
    }
}

/// The next connection, once there is a place for it. May be dropped at any time without losing one.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(OwnedSemaphorePermit, TcpStream, SocketAddr)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => return Some((place, stream, peer)),
            Err(error) => {
                tracing::warn!(%error, "a web connection could not be accepted");
                tokio::time::sleep(ACCEPT_AGAIN).await;
            }
        }
    }
}

/// Answers the requests of one connection until either side has had enough.
async fn converse<S: Answers>(
    limits: Limits,
    stream: TcpStream,
    peer: SocketAddr,
    service: S,
    shutdown: CancellationToken,
    _place: OwnedSemaphorePermit,
) {
    // Files are sent as they are: most are small already, and parts of them are counted in their own bytes.
    let is_page =
        |_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions| !headers.contains_key(ACCEPT_RANGES);
    let service = Compression::new(service).compress_when(DefaultPredicate::new().and(is_page));
    let answer = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        service.clone().oneshot(request)
    });
    // Answers are whole when they are written: waiting to fill a packet only delays them.
    let _ = stream.set_nodelay(true);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_header_size(limits.head_bytes)
        .serve_connection(TokioIo::new(Patience::new(stream, limits.stall)), answer);
    let mut connection = pin!(connection);
    // What has arrived already is answered first.
    let ended = tokio::select! {
        biased;
        ended = connection.as_mut() => ended,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a web connection broke off");
    }
}
