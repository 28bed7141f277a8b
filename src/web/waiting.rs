//! What the web answers while the program waits for its database, or brings the schema up to date: that it
//! lives and what it counts (spec "Watching it"), and that everything else comes in a moment. Called by `app`
//! before there is a [`Web`](super::Web).

use super::kernel::call::Reference;
use super::kernel::error::NoAnswer;
use super::kernel::service::{UNKNOWN_ROUTE, finish, method_label};
use super::kernel::{Answer, PageError};
use super::pages::{health, metrics};
use super::server::{self, Limits};
use crate::metrics::Metrics;
use http::header::CONNECTION;
use http::{HeaderValue, Request};
use std::convert::Infallible;
use std::pin::pin;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How long who asks is left waiting, since a start takes a tenth of it. `/metrics` is due within 2 s.
const GRACE: Duration = Duration::from_secs(1);
/// Few files are open by now, and more are not allowed yet. Whoever is slow must not hold up the beginning of
/// the real answers.
const LIMITS: Limits = Limits {
    connections: 256,
    head: Duration::from_secs(5),
    drain: Duration::from_millis(500),
    ..Limits::STANDARD
};

/// Waits for what is being built, and answers at `listener` once that takes longer than a second.
pub async fn meanwhile<T>(listener: &TcpListener, counted: &Metrics, building: impl Future<Output = T>) -> T {
    let mut building = pin!(building);
    if let Ok(built) = tokio::time::timeout(GRACE, building.as_mut()).await {
        return built;
    }
    let (done, counted) = (CancellationToken::new(), counted.clone());
    let service = tower::service_fn(move |request: Request<_>| {
        std::future::ready(Ok::<_, Infallible>(respond(&counted, &request)))
    });
    let built = async {
        let built = building.await;
        done.cancel();
        built
    };
    tokio::join!(built, server::serve_until(done.clone(), LIMITS, listener, service)).0
}

fn respond<B>(counted: &Metrics, request: &Request<B>) -> Answer {
    let (arrived, reference) = (Instant::now(), Reference::random());
    let (method, path) = (method_label(request.method()), request.uri().path());
    let (route, answer) = match (method, path) {
        ("GET" | "HEAD", "/health/live") => ("/health/live", health::live()),
        ("GET" | "HEAD", "/health") => ("/health", health::not_ready(counted)),
        ("GET" | "HEAD", "/metrics") => ("/metrics", metrics::counted(counted)),
        _ => (UNKNOWN_ROUTE, Err(PageError::Unavailable(NoAnswer(GRACE).into()))),
    };
    let mut answer = answer.unwrap_or_else(|error| error.answer(None, &reference, path.ends_with(".json")));
    // A proxy must not keep a connection to what ends in a moment.
    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    finish(&mut answer, &reference, counted, (method, route), arrived.elapsed());
    answer
}
