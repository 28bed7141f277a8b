//! Runs all measurements in order, with their amounts.

mod commands;
mod floors;
mod pages;
mod repairs;
mod reports;

use crate::esb::{Area, Installation};
use crate::figures::{Figures, Times};
use crate::http1::Connection;
use crate::process::{Machine, Process};
use floors::WebFloor;
use std::net::SocketAddr;
use std::time::Duration;

/// Idle time of esb before its idle memory is read.
const REST: Duration = Duration::from_secs(1);

/// The amounts of a measurement.
#[derive(Debug)]
pub struct Effort {
    /// Starts of the program.
    pub starts: usize,
    /// Commands in a row, of each kind.
    pub in_a_row: usize,
    /// Bursts of 500 commands.
    pub crowds: usize,
    /// Duration of the sustained load.
    pub sustained: Duration,
    pub reports: usize,
    /// Repairs that get four changes each, from assignment to resolution.
    pub repairs: usize,
    /// Idle time of esb after the load, before its memory is read again.
    pub rest: Duration,
}

impl Effort {
    pub const FULL: Self = Self {
        starts: 5,
        in_a_row: 200,
        crowds: 5,
        sustained: Duration::from_secs(2),
        reports: 20,
        repairs: 50,
        rest: Duration::from_secs(10),
    };
    /// For a test that everything responds.
    pub const QUICK: Self = Self {
        starts: 1,
        in_a_row: 20,
        crowds: 1,
        sustained: Duration::from_millis(200),
        reports: 2,
        repairs: 2,
        rest: Duration::from_secs(1),
    };
}

/// A running esb with its data.
struct Subject<'a> {
    installation: &'a mut Installation,
    process: &'a Process,
    areas: Vec<Area>,
}

/// Runs all measurements of one installation.
pub async fn everything(
    installation: &mut Installation,
    effort: &Effort,
    figures: &mut Figures,
) -> anyhow::Result<()> {
    let before = Machine::now(None)?;
    let process = starts(installation, effort, figures).await?;
    tokio::time::sleep(REST).await;
    let idle = process.memory("VmRSS")?;
    let areas = installation.areas().await?;
    let mut subject = Subject { installation, process: &process, areas };
    let socket = commands::measure(&mut subject, effort, figures).await?;
    let (web, web_idle) = pages::measure(&subject, effort, figures).await?;
    reports::measure(&mut subject, &web, effort, figures).await?;
    repairs::measure(&mut subject, effort, figures).await?;
    // The sum of both floors, since esb is both.
    let bare = |field| anyhow::Ok(socket.process.memory(field)? + web.process.memory(field)?);
    figures.compare("memory, idle", "MiB", idle, socket.idle + web_idle);
    figures.compare("memory, after the load", "MiB", process.memory("VmRSS")?, bare("VmRSS")?);
    tokio::time::sleep(effort.rest).await;
    figures.compare("memory, after the load and a rest", "MiB", process.memory("VmRSS")?, bare("VmRSS")?);
    figures.compare("memory, highest", "MiB", process.memory("VmHWM")?, bare("VmHWM")?);
    // The processor time of children counts only once they have ended.
    drop((socket, web));
    let others = Machine::now(Some(&process))?.others_since(&before);
    figures.add("used by other programs", "% of the processors", others);
    process.terminate().await
}

/// Starts the program several times. The last one keeps running.
async fn starts(
    installation: &mut Installation,
    effort: &Effort,
    figures: &mut Figures,
) -> anyhow::Result<Process> {
    let (mut lives, mut boards) = (Vec::new(), Vec::new());
    loop {
        let (process, live, board) = installation.start().await?;
        lives.push(live);
        boards.push(board);
        if lives.len() >= effort.starts {
            let bare = bare_starts(installation, effort).await?;
            let bare = |number: usize| Times::new(bare.iter().filter_map(|first| first.get(number)).copied());
            figures.compare("start to /health/live, p50", "ms", Times::new(lives).p50(), bare(0).p50());
            figures.compare("start to the board, p50", "ms", Times::new(boards).p50(), bare(1).p50());
            return Ok(process);
        }
        process.terminate().await?;
    }
}

/// The same number of starts of a bare server with the same two responses; returns the time of each.
async fn bare_starts(installation: &Installation, effort: &Effort) -> anyhow::Result<Vec<Vec<Duration>>> {
    let mut answers = Vec::new();
    for path in ["/health/live", "/"] {
        answers.push(floors::answer_of(installation.web, path).await?);
    }
    let folder = installation.folder().join("floor-start");
    WebFloor::prepare(&folder, &answers)?;
    let mut starts = Vec::new();
    for _ in 0..effort.starts {
        starts.push(WebFloor::start(&folder, answers.len()).await?.first);
    }
    Ok(starts)
}

/// A request as a browser sends it.
fn request(path: &str, extra: &str) -> Vec<u8> {
    format!(
        "GET {path} HTTP/1.1\r\nhost: localhost:5000\r\nuser-agent: Mozilla/5.0 (X11; Linux x86_64) bench\r\n\
         accept: text/html,application/xhtml+xml\r\naccept-language: en\r\n{extra}\r\n"
    )
    .into_bytes()
}

/// Time of a new connection to a response with status 200.
async fn page_time(address: SocketAddr, path: &str) -> anyhow::Result<Duration> {
    let mut connection = Connection::open(address).await?;
    let request = request(path, "accept-encoding: gzip\r\n");
    let began = std::time::Instant::now();
    let answer = connection.ask(&request).await?;
    anyhow::ensure!(answer.status() == 200, "{path} answers {}", answer.status());
    Ok(began.elapsed())
}
