//! `GET /metrics` for Prometheus: this process's counters, and figures from the database. If the database fails, only
//! the counters are served.

use crate::domain::job::JobKind;
use crate::metrics::Metrics;
use crate::ops::deliveries::queue_stats::{self, JobFigure, QueueFigures};
use crate::ops::{Ctx, OpError};
use crate::web::Web;
use crate::web::kernel::error::TimedOut;
use crate::web::kernel::response::response;
use crate::web::kernel::{PageError, PageResponse};
use chrono::{DateTime, Utc};
use http::{HeaderValue, StatusCode};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::error::Error;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// The OpenMetrics media type.
const OPEN_METRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
/// How long the database may take: the response is due within 2 s.
const DATABASE_WITHIN: Duration = Duration::from_millis(1500);

/// Figures from the database, as far as they could be read.
#[derive(Debug)]
struct Figures {
    queue: Result<QueueFigures, OpError>,
    worker: Result<Option<DateTime<Utc>>, OpError>,
    jobs: Result<Vec<JobFigure>, OpError>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct JobLabels {
    kind: &'static str,
    state: &'static str,
}

impl Figures {
    async fn read(ctx: &Ctx) -> Self {
        let late = || OpError::Internal(TimedOut(DATABASE_WITHIN).into());
        let (queue, worker, jobs) = tokio::join!(
            tokio::time::timeout(DATABASE_WITHIN, queue_stats::queue(ctx)),
            tokio::time::timeout(DATABASE_WITHIN, queue_stats::worker_last_iteration(ctx)),
            tokio::time::timeout(DATABASE_WITHIN, queue_stats::jobs(ctx)),
        );
        Self {
            queue: queue.unwrap_or_else(|_| Err(late())),
            worker: worker.unwrap_or_else(|_| Err(late())),
            jobs: jobs.unwrap_or_else(|_| Err(late())),
        }
    }

    /// The gauges of available figures; others are left out, as the operators' alerts expect.
    fn registry(&self) -> Registry {
        let mut registry = Registry::default();
        if let Ok(queue) = &self.queue {
            let pending: Gauge = Gauge::default();
            pending.set(queue.pending);
            let help = "Deliveries not sent yet: pending, sending or failed";
            registry.register("esb_pending_notifications_count", help, pending);
            if let Some(oldest) = queue.oldest {
                let help = "Creation time of the oldest unsent delivery";
                let name = "esb_oldest_pending_notification_timestamp_seconds";
                registry.register(name, help, moment(oldest));
            }
        }
        if let Ok(Some(iteration)) = &self.worker {
            let help = "Time of the last worker iteration";
            registry.register("esb_worker_last_iteration_timestamp_seconds", help, moment(*iteration));
        }
        if let Ok(jobs) = &self.jobs {
            let family = Family::<JobLabels, Gauge>::default();
            for (kind, state, count) in jobs {
                let kind = kind.map_or("other", JobKind::key);
                family.get_or_create(&JobLabels { kind, state: state.key() }).set(*count);
            }
            registry.register("esb_jobs", "Stored jobs, by kind and state", family);
        }
        registry
    }
}

fn moment(at: DateTime<Utc>) -> Gauge<f64, AtomicU64> {
    let gauge = Gauge::default();
    gauge.set(at.timestamp_micros() as f64 / 1e6);
    gauge
}

pub(in crate::web) async fn show(web: &Web) -> Result<PageResponse, PageError> {
    let figures = Figures::read(&web.ctx).await;
    web.figures.note(&figures);
    written(&web.metrics, &figures.registry())
}

/// The metrics before the database is ready.
pub(in crate::web) fn counted(metrics: &Metrics) -> Result<PageResponse, PageError> {
    written(metrics, &Registry::default())
}

fn written(metrics: &Metrics, figures: &Registry) -> Result<PageResponse, PageError> {
    let mut text = String::new();
    encode_registry(&mut text, metrics.registry()).map_err(PageError::internal)?;
    encode_registry(&mut text, figures).map_err(PageError::internal)?;
    encode_eof(&mut text).map_err(PageError::internal)?;
    Ok(response(StatusCode::OK, OPEN_METRICS, text))
}

/// Logs when the figures cannot be read: in full at first, then in one line each time, with the words that operators
/// alert on (spec "Watching it").
#[derive(Debug, Default)]
pub(in crate::web) struct FiguresLog {
    failing: AtomicBool,
}

impl FiguresLog {
    fn note(&self, figures: &Figures) {
        let error = figures.worker.as_ref().err();
        let error = error.or(figures.queue.as_ref().err()).or(figures.jobs.as_ref().err());
        let was_failing = self.failing.swap(error.is_some(), Ordering::Relaxed);
        match error {
            Some(error) if !was_failing => {
                let error = error as &(dyn Error + 'static);
                tracing::error!(error, "Failed to query worker_last_iteration_at from AppConfig");
            }
            Some(_) => tracing::error!("Failed to query worker_last_iteration_at from AppConfig"),
            None => {}
        }
    }
}
