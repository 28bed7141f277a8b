//! Serves the web while the program waits for its database or migrates the schema: liveness and counters (spec
//! "Watching it"), and "starting" for everything else; a submitted form is shown again with what was typed. Called by
//! `app` before there is a [`Web`].

use super::Web;
use super::kernel::body::BodyBudget;
use super::kernel::client_address::client_address;
use super::kernel::error::TimedOut;
use super::kernel::host;
use super::kernel::reference::Reference;
use super::kernel::resubmit::{self, Resubmit};
use super::kernel::route::RouteTable;
use super::kernel::service::{NoCapacity, Peer, UNKNOWN_ROUTE, finish, method_label};
use super::kernel::{PageError, PageResponse};
use super::limits::shares::Share;
use super::pages::assets::Assets;
use super::pages::{health, metrics};
use super::server::{self, Limits};
use crate::clock::Clock;
use crate::domain::network::Network;
use crate::metrics::Metrics;
use crate::render::html::{Html, Site};
use bytes::Bytes;
use http::header::CONNECTION;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Request};
use hyper::body::Body;
use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How long a request waits before it gets the startup response; a normal start takes a tenth of it. `/metrics` is due
/// within 2 s.
const GRACE: Duration = Duration::from_secs(1);
/// Small, since the open-files limit is not raised yet. Slow clients must not delay the start of normal service.
const LIMITS: Limits = Limits {
    connections: 256,
    connections_of_client: 64,
    requests: 224,
    requests_of_client: 32,
    head: Duration::from_secs(5),
    drain: Duration::from_millis(500),
    ..Limits::STANDARD
};

/// Waits for `Web` to be built, and serves `listener` if that takes longer than a second.
pub async fn serve_until_ready<T>(
    listener: &TcpListener,
    trusted_proxies: Vec<Network>,
    counted: &Metrics,
    building: impl Future<Output = T>,
) -> T {
    let mut building = pin!(building);
    if let Ok(built) = tokio::time::timeout(GRACE, building.as_mut()).await {
        return built;
    }
    let done = CancellationToken::new();
    let built = async {
        let built = building.await;
        done.cancel();
        built
    };
    let answering = async {
        let pages = Arc::new(StartupPages {
            metrics: counted.clone(),
            site: SitePages::load().await,
            bodies: BodyBudget::new(Clock::system()),
            trusted_proxies: trusted_proxies.clone(),
        });
        let service = tower::service_fn(move |request: Request<_>| {
            let pages = Arc::clone(&pages);
            async move { Ok::<_, Infallible>(pages.serve(request).await) }
        });
        server::serve_until(done.clone(), LIMITS, trusted_proxies, listener, service).await;
    };
    tokio::join!(built, answering).0
}

/// Responses until ESB is ready.
struct StartupPages {
    metrics: Metrics,
    site: Option<SitePages>,
    bodies: BodyBudget,
    trusted_proxies: Vec<Network>,
}

/// The error page templates, and the routes that accept forms.
struct SitePages {
    html: Html,
    assets: Assets,
    routes: RouteTable,
}

impl SitePages {
    /// `None` if templates or routes are invalid; the error is reported when `Web` is built.
    async fn load() -> Option<Self> {
        let assets = Assets::load().await;
        let site = Site { timezone: "UTC".parse().ok()?, assets: assets.urls() };
        let (html, routes) = (Html::new(site).ok()?, RouteTable::new(Web::routes()).ok()?);
        Some(Self { html, assets, routes })
    }

    /// The form of a request with what was typed into it.
    async fn form<B: Body<Data = Bytes> + Send + 'static>(
        &self,
        parts: &Parts,
        body: B,
        held: &Arc<Share>,
    ) -> Option<Resubmit> {
        let route = self.routes.find(&parts.method, parts.uri.path())?.route.ok()?;
        let mut form = Resubmit::of(parts, route.body, None)?;
        form.typed = resubmit::read_text(route.body, &parts.headers, body, held).await;
        Some(form)
    }
}

impl StartupPages {
    async fn serve<B: Body<Data = Bytes> + Send + 'static>(&self, request: Request<B>) -> PageResponse {
        let (arrived, reference) = (Instant::now(), Reference::random());
        let (parts, body) = request.into_parts();
        let (method, path) = (method_label(&parts.method), parts.uri.path());
        let (route, response) = match (method, path) {
            _ if host::check(&parts).is_err() => (UNKNOWN_ROUTE, Err(PageError::NoHost)),
            ("GET" | "HEAD", "/health/live") => ("/health/live", health::live()),
            ("GET" | "HEAD", "/health") => ("/health", health::not_ready(&self.metrics)),
            ("GET" | "HEAD", "/metrics") => ("/metrics", metrics::counted(&self.metrics)),
            _ => (UNKNOWN_ROUTE, NoCapacity::check(&parts).and_then(|()| self.asset(path, &parts.headers))),
        };
        let mut response = match response {
            Ok(response) => response,
            Err(error) => {
                let held = self.bodies.open(self.client_of(&parts));
                let form = match &self.site {
                    Some(site) if !matches!(error, PageError::NoHost) => site.form(&parts, body, &held).await,
                    _ => None,
                };
                let html = self.site.as_ref().map(|site| &site.html);
                let response = error.response(html, &reference, path.ends_with(".json"), form.as_ref());
                response.map(|body| body.holding(held))
            }
        };
        // A proxy must not reuse this connection; it ends shortly.
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        finish(&mut response, &reference, &self.metrics, (method, route), arrived.elapsed());
        response
    }

    fn client_of(&self, parts: &Parts) -> IpAddr {
        let peer = parts.extensions.get::<Peer>().map_or(Ipv4Addr::UNSPECIFIED.into(), |peer| peer.0.ip());
        client_address(peer, &parts.headers, &self.trusted_proxies)
    }

    /// An asset of the error page; other paths get the startup response.
    fn asset(&self, path: &str, headers: &HeaderMap) -> Result<PageResponse, PageError> {
        match (path.strip_prefix("/assets/"), &self.site) {
            (Some(asset), Some(site)) => site.assets.response(asset, headers),
            _ => Err(PageError::Unavailable(TimedOut(GRACE).into())),
        }
    }
}
