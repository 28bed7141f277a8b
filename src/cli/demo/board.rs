//! The demo's command `board [word]`: the web's `/status.json` as text.

use anyhow::Context;
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use std::fmt::Write;

/// Largest response, in bytes.
const RESPONSE_MAX: usize = 8 << 20;

/// All equipment that is not operational, or equipment whose name or area contains `word`.
pub(super) async fn show(board: &str, word: &str) -> anyhow::Result<String> {
    let url = format!("{board}/status.json");
    let client = Client::builder(TokioExecutor::new()).build_http();
    let answer = client.request(Request::get(&url).body(Empty::<Bytes>::new())?).await?;
    let body = Limited::new(answer.into_body(), RESPONSE_MAX)
        .collect()
        .await
        .map_err(|e| anyhow::anyhow!(e))?
        .to_bytes();
    let board: Value = serde_json::from_slice(&body).context("the board's answer is no JSON")?;
    let mut text = format!("GET {url}\n");
    for area in board["areas"].as_array().into_iter().flatten() {
        for equipment in area["equipment"].as_array().into_iter().flatten() {
            line(&mut text, word, &area["name"], equipment)?;
        }
    }
    Ok(text.trim_end().to_owned())
}

fn line(text: &mut String, word: &str, area: &Value, equipment: &Value) -> anyhow::Result<()> {
    let field = |name: &str| equipment[name].as_str().unwrap_or_default();
    let area = area.as_str().unwrap_or_default();
    let is_shown = match word {
        "" => field("status") != "operational",
        word => [area, field("name")].iter().any(|name| name.to_lowercase().contains(&word.to_lowercase())),
    };
    if is_shown {
        let entry = format!("{:<12} {} ({area}) {}", field("status"), field("name"), field("issue"));
        writeln!(text, "{}", entry.trim_end())?;
    }
    Ok(())
}
