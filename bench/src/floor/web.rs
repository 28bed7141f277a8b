//! Answers `/0`, `/1`, … with the content of files: `0.json` has the status and the headers, `0.body` the body.

use anyhow::Context;
use bytes::Bytes;
use clap::Args;
use http_body_util::Full;
use hyper::header::{HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, body::Incoming};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::TcpListener;

type Answer = Response<Full<Bytes>>;

/// What it is started with.
#[derive(Debug, Args)]
pub struct Options {
    /// Where to listen
    #[arg(long)]
    pub listen: SocketAddr,
    /// The folder of the files
    #[arg(long)]
    pub answers: PathBuf,
}

/// A response as stored in its file: status, then names and values of headers.
pub type Head = (u16, Vec<(String, String)>);

impl Options {
    pub async fn run(self) -> anyhow::Result<()> {
        let mut answers = Vec::new();
        while let Some(answer) = read(&self.answers, answers.len())? {
            answers.push(answer);
        }
        let answers = Arc::new(answers);
        let listener = TcpListener::bind(self.listen).await?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let answers = Arc::clone(&answers);
            tokio::spawn(async move {
                let service = service_fn(move |request: Request<Incoming>| {
                    let number =
                        request.uri().path().get(1..).and_then(|digits| digits.parse::<usize>().ok());
                    let answer = number.and_then(|number| answers.get(number)).cloned();
                    async move { Ok::<_, Infallible>(answer.unwrap_or_default()) }
                });
                // Ignore clients that disconnect.
                let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            });
        }
    }
}

fn read(folder: &Path, number: usize) -> anyhow::Result<Option<Answer>> {
    let Ok(head) = std::fs::read(folder.join(format!("{number}.json"))) else { return Ok(None) };
    let (status, headers): Head = serde_json::from_slice(&head).context("the head")?;
    let body = std::fs::read(folder.join(format!("{number}.body")))?;
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = StatusCode::from_u16(status)?;
    for (name, value) in headers {
        answer.headers_mut().append(HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
    }
    Ok(Some(answer))
}
