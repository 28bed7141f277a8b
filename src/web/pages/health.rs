//! `GET /health` (readiness) and `GET /health/live` (liveness).

use super::public_equipment::rfc3339;
use crate::metrics::Metrics;
use crate::ops::{OpError, deliveries::queue_stats};
use crate::web::Web;
use crate::web::kernel::error::TimedOut;
use crate::web::kernel::response::json;
use crate::web::kernel::{PageError, PageResponse};
use chrono::{DateTime, Utc};
use http::StatusCode;
use serde::Serialize;
use std::time::Duration;

/// How long the database may take before the program reports unhealthy.
const DATABASE_WITHIN: Duration = Duration::from_secs(2);

const NOT_WRITABLE: &str = "the database cannot be written: its disk may be full or read-only";

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

pub(super) async fn ready(web: &Web) -> Result<PageResponse, PageError> {
    let (read, written) = tokio::join!(
        within_limit(queue_stats::worker_last_iteration(&web.ctx)),
        within_limit(queue_stats::check_writable(&web.ctx))
    );
    match (read, written) {
        (Ok(iteration), Ok(())) => health(&web.metrics, None, iteration),
        (Ok(iteration), Err(_)) => health(&web.metrics, Some(NOT_WRITABLE), iteration),
        (Err(_), _) => health(&web.metrics, Some("the database does not answer"), None),
    }
}

async fn within_limit<T>(asked: impl Future<Output = Result<T, OpError>>) -> Result<T, OpError> {
    let asked = tokio::time::timeout(DATABASE_WITHIN, asked).await;
    asked.unwrap_or_else(|_| Err(OpError::Internal(TimedOut(DATABASE_WITHIN).into())))
}

/// The response before the database is ready.
pub(in crate::web) fn not_ready(metrics: &Metrics) -> Result<PageResponse, PageError> {
    health(metrics, Some("the database does not answer yet, or its schema is being brought up to date"), None)
}

fn health(
    metrics: &Metrics,
    reason: Option<&'static str>,
    iteration: Option<DateTime<Utc>>,
) -> Result<PageResponse, PageError> {
    let (code, status) = match reason {
        None => (StatusCode::OK, "ok"),
        Some(_) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
    };
    let health = Health {
        status,
        reason,
        version: env!("CARGO_PKG_VERSION"),
        poller_last_poll_at: None,
        worker_last_iteration_at: iteration.map(rfc3339),
        socket_mode: match (metrics.is_socket_mode_enabled(), metrics.is_socket_connected()) {
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

pub(in crate::web) fn live() -> Result<PageResponse, PageError> {
    json(StatusCode::OK, &Live { status: "ok" })
}
