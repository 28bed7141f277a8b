//! What is measured, in which order, and how much of it.

mod commands;
mod pages;
mod repairs;
mod reports;

use crate::esb::{Area, Installation};
use crate::figures::{Figures, Times};
use crate::http1::Connection;
use crate::process::{Machine, Process};
use std::time::Duration;

/// How long esb rests before its idle memory is read.
const REST: Duration = Duration::from_secs(1);

/// How much is done.
#[derive(Debug)]
pub struct Effort {
    /// How often the program is started.
    pub starts: usize,
    /// Commands in a row, of each kind.
    pub in_a_row: usize,
    /// How often 500 commands come at once.
    pub crowds: usize,
    /// How long commands and pages are asked for without a break.
    pub sustained: Duration,
    /// Reports.
    pub reports: usize,
    /// Repairs that are taken from their status to their end, in four submissions each.
    pub repairs: usize,
    /// How long esb rests after the load before its memory is read once more.
    pub rest: Duration,
}

impl Effort {
    /// For figures.
    pub const FULL: Self = Self {
        starts: 5,
        in_a_row: 200,
        crowds: 5,
        sustained: Duration::from_secs(2),
        reports: 20,
        repairs: 50,
        rest: Duration::from_secs(10),
    };
    /// For a test that everything answers.
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

/// A running esb and what is in it.
struct Subject<'a> {
    installation: &'a mut Installation,
    process: &'a Process,
    areas: Vec<Area>,
}

/// Measures everything of one installation.
///
/// # Errors
/// When anything is missing or wrong.
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
    commands::measure(&mut subject, effort, figures).await?;
    pages::measure(&subject, effort, figures).await?;
    reports::measure(&mut subject, effort, figures).await?;
    repairs::measure(&mut subject, effort, figures).await?;
    figures.add("memory, idle", "MiB", idle);
    figures.add("memory, after the load", "MiB", process.memory("VmRSS")?);
    tokio::time::sleep(effort.rest).await;
    figures.add("memory, after the load and a rest", "MiB", process.memory("VmRSS")?);
    figures.add("memory, highest", "MiB", process.memory("VmHWM")?);
    let others = Machine::now(Some(&process))?.others_since(&before);
    figures.add("taken by other programs meanwhile", "% of the processors", others);
    process.terminate().await
}

/// The last of several starts goes on running.
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
            figures.add("start to /health/live, p50", "ms", Times::new(lives).p50());
            figures.add("start to the board, p50", "ms", Times::new(boards).p50());
            return Ok(process);
        }
        process.terminate().await?;
    }
}

/// A request as a browser sends it.
fn request(path: &str, extra: &str) -> Vec<u8> {
    format!(
        "GET {path} HTTP/1.1\r\nhost: localhost:5000\r\nuser-agent: Mozilla/5.0 (X11; Linux x86_64) bench\r\n\
         accept: text/html,application/xhtml+xml\r\naccept-language: en\r\n{extra}\r\n"
    )
    .into_bytes()
}

/// How long a new connection takes to an answer with status 200.
async fn page_time(installation: &Installation, path: &str) -> anyhow::Result<Duration> {
    let mut connection = Connection::open(installation.web).await?;
    let request = request(path, "accept-encoding: gzip\r\n");
    let began = std::time::Instant::now();
    let answer = connection.ask(&request).await?;
    anyhow::ensure!(answer.status() == 200, "{path} answers {}", answer.status());
    Ok(began.elapsed())
}
