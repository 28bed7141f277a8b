//! Eleven visitors, each from a separate address, who open the board, a piece of equipment and the JSON endpoints, say
//! "me too" and report with a photo at intervals. Each request uses a new connection, like the first request of a
//! phone.

use super::{Target, files, forms};
use crate::figures::Times;
use crate::http1::Connection;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// Last octets of the visitors' addresses, 127.0.0.x.
const ADDRESSES: std::ops::RangeInclusive<u8> = 10..=20;
/// Interval of each visitor's requests.
const EVERY: Duration = Duration::from_millis(100);
/// Time-out of a visitor's request.
const PATIENCE: Duration = Duration::from_secs(3);
/// The paths that they request, in turn.
const PAGES: [&str; 6] = ["/", "/e/", "/status.json", "/", "/health", "/metrics"];
/// Every n-th request of a visitor is of another kind.
const ME_TOO_EVERY: u64 = 23;
const REPORT_EVERY: u64 = 41;

#[derive(Debug)]
struct Sample {
    kind: &'static str,
    took: Duration,
    is_answered: bool,
}

/// The visitors' results in a period.
#[derive(Debug, Default)]
pub(super) struct Samples(Vec<Sample>);

impl Samples {
    /// Durations of all requests, also of failed ones.
    pub(super) fn times(&self) -> Times {
        Times::new(self.0.iter().map(|sample| sample.took))
    }

    /// The share of requests of these kinds with a wrong response; 0 without requests.
    #[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    pub(super) fn failed_percent(&self, is_counted: impl Fn(&str) -> bool) -> f64 {
        let counted: Vec<&Sample> = self.0.iter().filter(|sample| is_counted(sample.kind)).collect();
        let failed = counted.iter().filter(|sample| !sample.is_answered).count();
        failed as f64 * 100.0 / counted.len().max(1) as f64
    }
}

/// The visitors; dropping it stops them.
pub(super) struct Visitors {
    samples: Arc<Mutex<Samples>>,
    _tasks: JoinSet<()>,
}

impl Visitors {
    pub(super) fn start(target: Target) -> Self {
        let (samples, mut tasks) = (Arc::<Mutex<Samples>>::default(), JoinSet::new());
        let photo: Arc<[u8]> = files::photo().into();
        for address in ADDRESSES {
            tasks.spawn(visit(target, address, Arc::clone(&photo), Arc::clone(&samples)));
        }
        Self { samples, _tasks: tasks }
    }

    /// The results since the last call.
    pub(super) fn take(&self) -> Samples {
        std::mem::take(&mut *self.samples.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn visit(target: Target, address: u8, photo: Arc<[u8]>, samples: Arc<Mutex<Samples>>) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // Each visitor starts at another request.
    for count in u64::from(address).. {
        ticks.tick().await;
        let number = u64::from(address) << 32 | count;
        let (kind, request) = match count {
            _ if count % REPORT_EVERY == 0 => {
                ("report", forms::report(target, number, &[("photo.png", &photo)]))
            }
            _ if count % ME_TOO_EVERY == 0 => ("me-too", forms::me_too(target, None)),
            _ => ("page", forms::get(&page(target, count))),
        };
        let began = Instant::now();
        let asked = timeout(PATIENCE, ask(target, Ipv4Addr::new(127, 0, 0, address), &request)).await;
        let is_answered = matches!(asked, Ok(Ok(200 | 303)));
        let sample = Sample { kind, took: began.elapsed(), is_answered };
        samples.lock().unwrap_or_else(PoisonError::into_inner).0.push(sample);
    }
}

fn page(target: Target, count: u64) -> String {
    let turn = usize::try_from(count % PAGES.len() as u64).unwrap_or_default();
    match PAGES.get(turn).copied().unwrap_or("/") {
        "/e/" => format!("/e/{}", target.equipment),
        page => page.to_owned(),
    }
}

async fn ask(target: Target, source: Ipv4Addr, request: &[u8]) -> anyhow::Result<u16> {
    let mut connection = Connection::open_from(source, target.web).await?;
    Ok(connection.ask(request).await?.status())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_counted_by_kind() {
        let sample = |kind, is_answered| Sample { kind, took: Duration::from_millis(3), is_answered };
        let samples = Samples(vec![sample("page", true), sample("report", false), sample("report", true)]);
        assert_eq!(samples.failed_percent(|kind| kind == "report").to_bits(), 50.0_f64.to_bits());
        assert_eq!(samples.failed_percent(|kind| kind == "me-too").to_bits(), 0.0_f64.to_bits());
        assert_eq!(samples.times().p95().to_bits(), 3.0_f64.to_bits());
    }
}
