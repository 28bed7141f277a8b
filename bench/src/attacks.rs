//! `esb-bench attacks`: what other visitors notice while one address attacks, and what the attack costs. Each attack
//! meets a freshly started program; the visitors run alone for a while before it begins. Not part of the timed gate:
//! it takes minutes, and its figures only compare two versions on one machine.

mod crowds;
mod files;
mod floods;
mod forms;
mod uploads;
mod visitors;

use crate::esb::Installation;
use crate::figures::Figures;
use crate::http1::Connection;
use crate::process::Process;
use crate::say;
use anyhow::Context;
use clap::{Args, ValueEnum};
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::Path;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use visitors::{Samples, Visitors};

/// Time in which the visitors open each page once before the first figure.
const WARM_UP: Duration = Duration::from_secs(1);
/// How long the program is watched after the attack.
const AFTER: Duration = Duration::from_secs(3);

#[derive(Debug, Args)]
pub struct Options {
    /// How long each attack lasts, in seconds
    #[arg(long, default_value_t = 15)]
    seconds: u64,
    /// How long the visitors run alone before it, in seconds
    #[arg(long, default_value_t = 6)]
    calm: u64,
    /// Only these attacks
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Attack>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Attack {
    /// 10 MB HEICs whose Exif is the whole file 10,000 times over
    Heic,
    /// 380 kB PNGs with a color profile of 390 MB
    Png,
    /// 200 bodies of 1 MB at /slack/events that stop before their end, while Slack is off
    StalledBodies,
    /// 2,048 silent connections
    IdleConnections,
    /// 1,000 listeners of /events
    Listeners,
    /// 16 uploads at the slowest permitted rate
    SlowUploads,
    /// 10,200 "me too" from as many IPv6 networks of one customer
    MeToo,
    /// Reports with five photos of 10 MB, until the disk is full
    Disk,
}

/// The target of an attack.
#[derive(Debug, Clone, Copy)]
struct Target {
    web: SocketAddr,
    equipment: i64,
    repair: i64,
    /// Distinguishes the reports of this attack from those of others.
    round: u64,
}

impl Attack {
    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// Attacks until the future is dropped, or nothing more can be done.
    async fn play(self, target: Target) -> anyhow::Result<()> {
        match self {
            Self::Heic => uploads::send_again_and_again(target, "a.heic", &files::overlapping_heic()?).await,
            Self::Png => uploads::send_again_and_again(target, "a.png", &files::png_with_profile()?).await,
            Self::StalledBodies => crowds::stall_bodies(target).await,
            Self::IdleConnections => crowds::stay_idle(target).await,
            Self::Listeners => crowds::listen(target).await,
            Self::SlowUploads => uploads::send_slowly(target).await,
            Self::MeToo => floods::say_me_too(target).await,
            Self::Disk => uploads::fill_disk(target).await,
        }
    }

    /// Attacks from a separate thread, so that it does not delay the visitors' clocks.
    fn begin(self, target: Target) -> Running {
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let played = runtime.block_on(async {
                tokio::select! {
                    played = self.play(target) => Some(played),
                    _ = stopped => None,
                }
            });
            runtime.shutdown_background();
            played.unwrap_or(Ok(()))
        });
        Running { stop, thread }
    }
}

struct Running {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<anyhow::Result<()>>,
}

impl Running {
    fn end(self) -> anyhow::Result<()> {
        // The receiver is gone if the attack has ended by itself.
        let _ = self.stop.send(());
        self.thread.join().map_err(|_| anyhow::anyhow!("the attack panicked"))?
    }
}

impl Options {
    /// Runs each attack against a fresh program. Failed requests of visitors are figures, not errors.
    pub async fn measure(
        &self,
        installation: &mut Installation,
        figures: &mut Figures,
    ) -> anyhow::Result<()> {
        let attacks = if self.only.is_empty() { Attack::value_variants() } else { &self.only };
        for attack in attacks {
            say(&mut std::io::stderr(), &format!("attack: {}", attack.name()));
            self.measure_one(*attack, installation, figures).await.with_context(|| attack.name())?;
        }
        Ok(())
    }

    async fn measure_one(
        &self,
        attack: Attack,
        installation: &mut Installation,
        figures: &mut Figures,
    ) -> anyhow::Result<()> {
        let (process, ..) = installation.start().await?;
        let target = find_target(installation, attack as u64).await?;
        let uploads = installation.folder().join("data/uploads");
        let visitors = Visitors::start(target);
        tokio::time::sleep(WARM_UP).await;
        visitors.take();
        let mut calm = Phase::begin(&process, &uploads)?;
        tokio::time::sleep(Duration::from_secs(self.calm)).await;
        calm.end(&process, &uploads, &visitors)?;
        let mut attacked = Phase::begin(&process, &uploads)?;
        let running = attack.begin(target);
        tokio::time::sleep(Duration::from_secs(self.seconds)).await;
        attacked.end(&process, &uploads, &visitors)?;
        running.end()?;
        drop(visitors);
        let left = process.cpu()?;
        tokio::time::sleep(AFTER).await;
        let after = process.cpu()? - left;
        attacked.peak = process.memory("VmHWM")?;
        let name = attack.name();
        add_times(figures, &name, &attacked.samples, &calm.samples);
        add_costs(figures, &name, &attacked, &calm);
        figures.add(format!("{name}: processor time in the 3 s after"), "s", after.as_secs_f64());
        // Killed, not terminated: it may still be busy with the attack.
        drop(process);
        Ok(())
    }
}

/// A period with the visitors' results and the program's resource use.
struct Phase {
    began: Instant,
    lasted: Duration,
    cpu: Duration,
    written: u64,
    stored: u64,
    /// Most memory since the program was started, in MiB.
    peak: f64,
    samples: Samples,
}

impl Phase {
    fn begin(process: &Process, uploads: &Path) -> anyhow::Result<Self> {
        Ok(Self {
            began: Instant::now(),
            lasted: Duration::ZERO,
            cpu: process.cpu()?,
            written: process.written()?,
            stored: bytes_in(uploads)?,
            peak: 0.0,
            samples: Samples::default(),
        })
    }

    fn end(&mut self, process: &Process, uploads: &Path, visitors: &Visitors) -> anyhow::Result<()> {
        self.lasted = self.began.elapsed();
        self.cpu = process.cpu()? - self.cpu;
        self.written = process.written()? - self.written;
        self.stored = bytes_in(uploads)?.saturating_sub(self.stored);
        self.peak = process.memory("VmHWM")?;
        self.samples = visitors.take();
        Ok(())
    }

    fn per_second(&self, amount: f64) -> f64 {
        amount / self.lasted.as_secs_f64()
    }
}

fn add_costs(figures: &mut Figures, name: &str, attacked: &Phase, calm: &Phase) {
    let mut add = |what: &str, unit, of: &dyn Fn(&Phase) -> f64| {
        figures.compare(format!("{name}: {what}"), unit, of(attacked), of(calm));
    };
    add("peak memory", "MiB", &|phase| phase.peak);
    add("processor time a second", "s", &|phase| phase.per_second(phase.cpu.as_secs_f64()));
    add("written to files a second", "MB", &|phase| phase.per_second(megabytes(phase.written)));
    add("uploads left on the disk", "MB", &|phase| megabytes(phase.stored));
}

fn add_times(figures: &mut Figures, name: &str, attacked: &Samples, calm: &Samples) {
    figures.compare(format!("{name}: visitors' p50"), "ms", attacked.times().p50(), calm.times().p50());
    figures.compare(format!("{name}: visitors' p95"), "ms", attacked.times().p95(), calm.times().p95());
    figures.compare(
        format!("{name}: failed requests"),
        "%",
        attacked.failed_percent(|_| true),
        calm.failed_percent(|_| true),
    );
    for (what, kind) in [("failed reports with photo", "report"), ("failed me-toos", "me-too")] {
        let failed = |samples: &Samples| samples.failed_percent(|of| of == kind);
        figures.compare(format!("{name}: {what}"), "%", failed(attacked), failed(calm));
    }
}

#[derive(Deserialize)]
struct EquipmentJson {
    open_repairs: Vec<RepairJson>,
}

#[derive(Deserialize)]
struct RepairJson {
    id: i64,
}

/// Equipment with an open repair.
async fn find_target(installation: &Installation, round: u64) -> anyhow::Result<Target> {
    let web = installation.web;
    for machine in installation.areas().await?.into_iter().flat_map(|area| area.equipment) {
        let mut connection = Connection::open(web).await?;
        let request = format!("GET /e/{}.json HTTP/1.1\r\nhost: bench\r\n\r\n", machine.id);
        let answer = connection.ask(request.as_bytes()).await?;
        let equipment: EquipmentJson = serde_json::from_slice(answer.body)?;
        if let Some(repair) = equipment.open_repairs.first() {
            return Ok(Target { web, equipment: machine.id, repair: repair.id, round });
        }
    }
    anyhow::bail!("no machine has an open repair")
}

/// Bytes of all files of a directory; 0 if it does not exist.
fn bytes_in(directory: &Path) -> anyhow::Result<u64> {
    let Ok(listing) = std::fs::read_dir(directory) else { return Ok(0) };
    let mut bytes = 0;
    for entry in listing {
        // A file may be deleted during the count.
        bytes += entry?.metadata().map_or(0, |metadata| metadata.len());
    }
    Ok(bytes)
}

#[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
const fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
