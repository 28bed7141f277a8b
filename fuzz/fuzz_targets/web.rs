//! Bytes of a connection through hyper and the kernel, with a database: no input leads to an internal error, and every
//! response has the security headers.

#![no_main]

use chrono::TimeDelta;
use esb::web::kernel::service::{Kernel, Peer};
use esb_fuzz::{Installation, runtime};
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use libfuzzer_sys::fuzz_target;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use tower::{ServiceExt, service_fn as tower_service_fn};
use tower_http::compression::Compression;

/// More than the largest head and a form.
const ROOM: usize = 64 * 1024;

thread_local! {
    static INSTALLATION: (Runtime, Installation, Kernel) = {
        let runtime = runtime();
        let (installation, web) = runtime.block_on(async {
            let installation = Installation::new().await;
            let web = installation.web().await;
            (installation, web)
        });
        (runtime, installation, Kernel::new(Arc::new(web), CancellationToken::new()))
    };
}

fn check<B>(answer: &Response<B>) {
    let status = answer.status().as_u16();
    assert!(status < 500, "status {status}");
    for header in ["content-security-policy", "x-content-type-options", "cache-control", "x-request-id"] {
        assert!(answer.headers().contains_key(header), "no {header} with {status}");
    }
}

async fn converse(kernel: Kernel, bytes: &[u8]) {
    let (ours, theirs) = duplex(ROOM);
    let checked = tower_service_fn(move |request| {
        let asked = kernel.clone().oneshot(request);
        async move { asked.await.inspect(|answer| check(answer)) }
    });
    let service = Compression::new(checked);
    let answer = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(([127, 0, 0, 1], 9).into()));
        service.clone().oneshot(request)
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(15))
        .max_header_size(16 * 1024)
        .serve_connection(TokioIo::new(ours), answer);
    let (mut listen, mut say) = tokio::io::split(theirs);
    let asking = async {
        // A server that has heard enough may hang up.
        let _ = say.write_all(bytes).await;
        let _ = say.shutdown().await;
    };
    let listening = async {
        let mut answers = Vec::new();
        let _ = listen.read_to_end(&mut answers).await;
    };
    let _ = tokio::join!(serving, asking, listening);
}

fuzz_target!(|bytes: &[u8]| {
    INSTALLATION.with(|(runtime, installation, kernel)| {
        // Nobody runs into the limits of an address.
        installation.clock.advance(TimeDelta::minutes(1));
        let ended = runtime.block_on(async {
            tokio::time::timeout(Duration::from_secs(5), converse(kernel.clone(), bytes)).await
        });
        assert!(ended.is_ok(), "a connection whose client is done does not end");
    });
});
