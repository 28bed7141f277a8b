//! This process's histograms, counters and gauges behind typed methods, so that labels come from closed sets. `web`
//! exports them; gauges computed from the database are read there.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct HttpLabels {
    route: &'static str,
    method: &'static str,
    status: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SlackLabels {
    kind: &'static str,
    name: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ApiLabels {
    method: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DeliveryLabels {
    channel: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BuildLabels {
    version: &'static str,
}

type Seconds<L> = Family<L, Histogram, fn() -> Histogram>;

/// Cheap to clone; all clones share the same counters.
#[derive(Debug, Clone)]
pub struct Metrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    registry: Registry,
    slack_requests: Seconds<SlackLabels>,
    slack_api: Family<ApiLabels, Counter>,
    deliveries: Family<DeliveryLabels, Counter>,
    http: Seconds<HttpLabels>,
    socket_enabled: Gauge,
    socket_connected: Gauge,
    sockets: AtomicI64,
}

/// 1 ms to about 8 s.
fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 2.0, 14))
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Registers every metric under the names of spec "Watching it".
    pub fn new() -> Self {
        let mut registry = Registry::default();
        let slack_requests = Seconds::new_with_constructor(seconds as fn() -> Histogram);
        let http = Seconds::new_with_constructor(seconds as fn() -> Histogram);
        let slack_api = Family::<ApiLabels, Counter>::default();
        let deliveries = Family::<DeliveryLabels, Counter>::default();
        let (socket_enabled, socket_connected) = (Gauge::default(), Gauge::default());
        let build = Family::<BuildLabels, Gauge>::default();
        build.get_or_create(&BuildLabels { version: env!("CARGO_PKG_VERSION") }).set(1);

        registry.register("esb_build_info", "The version that runs", build);
        registry.register(
            "esb_slack_request_duration_seconds",
            "From receipt of a Slack request to its acknowledgement",
            slack_requests.clone(),
        );
        // The encoder appends `_total` to counters.
        registry.register("esb_slack_api_requests", "Calls of Slack's Web API", slack_api.clone());
        registry.register("esb_deliveries", "Tries to deliver a message", deliveries.clone());
        registry.register("esb_http_request_duration_seconds", "Web requests answered", http.clone());
        registry.register(
            "esb_socket_mode_enabled",
            "1 if both Slack tokens are set and Socket Mode is switched on",
            socket_enabled.clone(),
        );
        registry.register(
            "esb_socket_mode_connected",
            "1 if at least one Socket Mode connection has said hello",
            socket_connected.clone(),
        );
        let sockets = AtomicI64::new(0);
        Self(Arc::new(Inner {
            registry,
            slack_requests,
            slack_api,
            deliveries,
            http,
            socket_enabled,
            socket_connected,
            sockets,
        }))
    }

    pub fn registry(&self) -> &Registry {
        &self.0.registry
    }

    /// A Slack request was acknowledged `took` after its receipt.
    pub fn slack_request(&self, kind: &'static str, name: &'static str, took: Duration) {
        self.0.slack_requests.get_or_create(&SlackLabels { kind, name }).observe(took.as_secs_f64());
    }

    pub fn slack_api_call(&self, method: &'static str, outcome: &'static str) {
        self.0.slack_api.get_or_create(&ApiLabels { method, outcome }).inc();
    }

    pub fn delivery(&self, channel: &'static str, outcome: &'static str) {
        self.0.deliveries.get_or_create(&DeliveryLabels { channel, outcome }).inc();
    }

    /// `route` is the route's pattern, or `other` if none matched.
    pub fn http_request(&self, route: &'static str, method: &'static str, status: u16, took: Duration) {
        let labels = HttpLabels { route, method, status: status.into() };
        self.0.http.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// Sets whether Socket Mode is enabled and configured.
    pub fn socket_mode_enabled(&self, enabled: bool) {
        self.0.socket_enabled.set(enabled.into());
    }

    /// True if Socket Mode is enabled and configured.
    pub fn is_socket_mode_enabled(&self) -> bool {
        self.0.socket_enabled.get() > 0
    }

    /// A Socket Mode connection received hello.
    pub fn socket_opened(&self) {
        self.socket_count(1);
    }

    /// A Socket Mode connection closed after its hello.
    pub fn socket_closed(&self) {
        self.socket_count(-1);
    }

    /// True while at least one Socket Mode connection has received hello.
    pub fn is_socket_connected(&self) -> bool {
        self.0.sockets.load(Ordering::SeqCst) > 0
    }

    fn socket_count(&self, by: i64) {
        let now = self.0.sockets.fetch_add(by, Ordering::SeqCst) + by;
        self.0.socket_connected.set((now > 0).into());
    }
}
