//! `GET /health` (can we work?) and `GET /health/live` (does the process answer?).

use super::equipment::rfc3339;
use crate::ops::{OpError, watch};
use crate::web::Web;
use crate::web::kernel::answer::json;
use crate::web::kernel::error::NoAnswer;
use crate::web::kernel::{Answer, PageError};
use http::StatusCode;
use serde::Serialize;
use std::time::Duration;

/// How long the database may take before we are called unhealthy.
const DATABASE_WITHIN: Duration = Duration::from_secs(2);

#[derive(Serialize)]
struct Health {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    version: &'static str,
    poller_last_poll_at: Option<String>,
    worker_last_iteration_at: Option<String>,
    /// `off`, `connected` or `disconnected`.
    socket_mode: &'static str,
}

pub(super) async fn ready(web: &Web) -> Result<Answer, PageError> {
    let asked = tokio::time::timeout(DATABASE_WITHIN, watch::worker_last_iteration(&web.ctx)).await;
    let asked = asked.unwrap_or_else(|_| Err(OpError::Internal(NoAnswer(DATABASE_WITHIN).into())));
    let (code, status, reason) = match &asked {
        Ok(_) => (StatusCode::OK, "ok", None),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable", Some("the database does not answer")),
    };
    let health = Health {
        status,
        reason,
        version: env!("CARGO_PKG_VERSION"),
        poller_last_poll_at: None,
        worker_last_iteration_at: asked.ok().flatten().map(rfc3339),
        socket_mode: match (web.config.socket_mode, web.metrics.is_socket_connected()) {
            (false, _) => "off",
            (true, true) => "connected",
            (true, false) => "disconnected",
        },
    };
    json(code, &health)
}

#[derive(Serialize)]
struct Live {
    status: &'static str,
}

pub(super) async fn live() -> Result<Answer, PageError> {
    json(StatusCode::OK, &Live { status: "ok" })
}
