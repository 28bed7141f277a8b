//! The HTTP server on loopback.
//!
//! Owns: accepting connections and routing by path. Must not: depend on methods or views. Called by:
//! [`crate::Sandbox::start`].

mod call;
mod file;
mod upgrade;

use std::{io, sync::Arc};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use crate::state::Shared;

type Reply = Response<Full<Bytes>>;

/// A request gets no response: its connection is cut on purpose.
#[derive(Debug, thiserror::Error)]
#[error("the connection is cut as asked")]
struct Cut;

/// Serves until the sandbox stops.
pub(crate) async fn serve(shared: Arc<Shared>, listener: TcpListener) {
    loop {
        tokio::select! {
            () = shared.stop.cancelled() => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => drop(tokio::spawn(connection(Arc::clone(&shared), stream))),
                Err(error) => tracing::warn!(%error, "sandbox could not accept a connection"),
            },
        }
    }
}

async fn connection(shared: Arc<Shared>, stream: TcpStream) {
    let service = service_fn(|request| reply(Arc::clone(&shared), request));
    let serving = http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades();
    tokio::select! {
        () = shared.stop.cancelled() => {}
        // Ignore clients that disconnect.
        _ = serving => {}
    }
}

/// Routes by path prefix.
async fn reply(shared: Arc<Shared>, mut request: Request<Incoming>) -> Result<Reply, Cut> {
    let path = request.uri().path().to_owned();
    if path.starts_with("/link/") {
        return Ok(upgrade::reply(shared, &mut request));
    }
    let (parts, body) = request.into_parts();
    let Ok(body) = body.collect().await else { return Err(Cut) };
    let body = body.to_bytes();
    if let Some(method) = path.strip_prefix("/api/") {
        return call::api(&shared, method, &parts, &body).await;
    }
    if let Some(path) = path.strip_prefix("/files/") {
        return file::reply(&shared, path, &parts).await;
    }
    match path.strip_prefix("/response/") {
        Some(secret) => call::response_url(&shared, secret, &parts, &body).await,
        None => Ok(plain(StatusCode::NOT_FOUND, "no such page")),
    }
}

fn plain(status: StatusCode, text: &'static str) -> Reply {
    let mut reply = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    *reply.status_mut() = status;
    reply
}

/// Listens on loopback only.
pub(crate) fn listen(port: u16) -> io::Result<TcpListener> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", port))?;
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}
