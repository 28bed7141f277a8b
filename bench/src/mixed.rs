//! `esb-bench mixed`: how much memory a long mixed load leaves. People report, technicians act on repairs and search
//! for them, and browsers read pages, at an even rate, while open repairs and waiting messages accumulate. Not part of
//! the timed gate.

use crate::esb::{Area, Installation};
use crate::figures::Figures;
use crate::http1::Connection;
use crate::payloads::{Act, Command, number};
use crate::process::Process;
use crate::slack::{Slack, SlackCall};
use crate::{say, sign_in};
use anyhow::Context;
use clap::Args;
use serde_json::Value;
use std::time::{Duration, Instant};

/// Idle times before memory is read: a short one, and one after which caches may be freed.
const RESTS: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(60)];
/// Interval of memory samples.
const SAMPLE: Duration = Duration::from_millis(500);
/// Samples between printed lines.
const SHOW_EVERY_SAMPLES: usize = 40;
/// A description of usual length.
const DESCRIPTION: &str = "The belt slips when the load is high. It smells of rubber, and the noise is louder than \
    last week. I switched it off and left a note on the machine for whoever comes next.";
/// Repairs of the sample data, open and closed ones.
const DEMO_REPAIRS: usize = 325;
const STATUSES: [&str; 3] = ["In Progress", "Parts Needed", "Parts Ordered"];

/// What to play.
#[derive(Debug, Args)]
pub struct Options {
    /// Repairs that are reported, spread over the machines and the time
    #[arg(long, default_value_t = 4_054)]
    reports: usize,
    /// How long
    #[arg(long, default_value_t = 600)]
    seconds: u64,
}

impl Options {
    /// Starts the installation, runs the load and measures.
    pub async fn measure(
        &self,
        installation: &mut Installation,
        figures: &mut Figures,
    ) -> anyhow::Result<()> {
        let (process, ..) = installation.start().await?;
        let areas = installation.areas().await?;
        let cookies = sign_in::cookies(installation).await?;
        let mut web = Connection::open(installation.web).await?;
        tokio::time::sleep(RESTS[0]).await;
        add(figures, "idle", &process)?;
        let pace = Duration::from_secs(self.seconds).div_f64(f64::from(u32::try_from(self.reports.max(1))?));
        let mut memory = Memory { process: &process, began: Instant::now(), samples: Vec::new() };
        for nth in 0..self.reports {
            let due = memory.began + pace.mul_f64(f64::from(u32::try_from(nth)?));
            tokio::time::sleep_until(due.into()).await;
            step(&mut installation.slack, &mut web, &areas, &cookies, nth).await?;
            memory.sample(nth)?;
        }
        memory.add_figures(figures);
        figures.add("took", "s", memory.began.elapsed().as_secs_f64());
        for rest in RESTS {
            wait(&mut installation.slack, rest).await?;
            add(figures, &format!("after a rest of {} s", rest.as_secs()), &process)?;
        }
        process.terminate().await
    }
}

fn add(figures: &mut Figures, when: &str, process: &Process) -> anyhow::Result<()> {
    for field in ["VmRSS", "RssAnon"] {
        figures.add(format!("{field}, {when}"), "MiB", process.memory(field)?);
    }
    Ok(())
}

/// One step: a report, a technician's action, and page requests.
async fn step(
    slack: &mut Slack,
    web: &mut Connection,
    areas: &[Area],
    cookies: &str,
    nth: usize,
) -> anyhow::Result<()> {
    let area = &areas[nth % areas.len()];
    let machine = &area.equipment[nth / areas.len() % area.equipment.len()];
    let form = view(slack, &Command::Report(machine.name.clone())).await?;
    let sent = slack.submit(&form, machine.id, &format!("{DESCRIPTION} ({nth})"))?;
    closed(slack, sent).await?;
    let repair = (DEMO_REPAIRS + nth + 1).to_string();
    let form = view(slack, &Command::Repair(repair.clone())).await?;
    let act = if nth.is_multiple_of(2) { Act::Claim } else { Act::SetStatus(STATUSES[nth % STATUSES.len()]) };
    let sent = slack.act(&form, act)?;
    closed(slack, sent).await?;
    let sent = slack.suggest(&machine.name)?;
    let options = acknowledged(slack, sent).await?;
    anyhow::ensure!(options["payload"].to_string().contains("option"), "no options: {options}");
    view(slack, &Command::Status).await?;
    for path in
        ["/", &format!("/e/{}", machine.id), "/status.json", "/repairs", &format!("/repairs/{repair}")]
    {
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost:5000\r\ncookie: {cookies}\r\n\r\n");
        let answer = web.ask(request.as_bytes()).await?;
        anyhow::ensure!(answer.status() == 200, "{path} answers {}", answer.status());
    }
    Ok(())
}

/// Sends a command. Returns the view that it opens.
async fn view(slack: &mut Slack, command: &Command) -> anyhow::Result<Value> {
    let sent = slack.command(command)?;
    let (mut is_acknowledged, mut opened) = (false, None);
    while opened.is_none() || !is_acknowledged {
        match slack.next().await?.what {
            SlackCall::Acknowledged(text) => {
                is_acknowledged |= number(text.as_bytes(), "envelope_id") == Some(sent);
            }
            SlackCall::Opened(body) => opened = Some(body),
            _ => {}
        }
    }
    let body: Value = serde_json::from_slice(&opened.context("no view")?)?;
    Ok(body["view"].clone())
}

/// Waits until a form is closed.
async fn closed(slack: &mut Slack, sent: u64) -> anyhow::Result<()> {
    let answer = acknowledged(slack, sent).await?;
    anyhow::ensure!(answer["payload"]["response_action"] == "clear", "the form is answered {answer}");
    Ok(())
}

async fn acknowledged(slack: &mut Slack, sent: u64) -> anyhow::Result<Value> {
    loop {
        if let SlackCall::Acknowledged(text) = slack.next().await?.what
            && number(text.as_bytes(), "envelope_id") == Some(sent)
        {
            return Ok(serde_json::from_str(&text)?);
        }
    }
}

/// Collects calls for a while.
async fn wait(slack: &mut Slack, time: Duration) -> anyhow::Result<()> {
    let end = Instant::now() + time;
    while Instant::now() < end {
        slack.next_within(end.saturating_duration_since(Instant::now())).await?;
    }
    Ok(())
}

/// MiB over the time.
struct Memory<'a> {
    process: &'a Process,
    began: Instant,
    samples: Vec<f64>,
}

impl Memory<'_> {
    fn sample(&mut self, nth: usize) -> anyhow::Result<()> {
        let due = SAMPLE * u32::try_from(self.samples.len())?;
        if self.began.elapsed() < due {
            return Ok(());
        }
        let memory = self.process.memory("VmRSS")?;
        if self.samples.len().is_multiple_of(SHOW_EVERY_SAMPLES) {
            let (seconds, own) = (self.began.elapsed().as_secs(), self.process.memory("RssAnon")?);
            let line = format!("{seconds:>4} s: {memory:.1} MiB, {own:.1} of its own; {nth} reports");
            say(&mut std::io::stderr(), &line);
        }
        self.samples.push(memory);
        Ok(())
    }

    fn add_figures(&self, figures: &mut Figures) {
        let tenth = (self.samples.len() / 10).max(1);
        let mean = |samples: &[f64]| {
            samples.iter().sum::<f64>() / f64::from(u32::try_from(samples.len().max(1)).unwrap_or(u32::MAX))
        };
        figures.add("VmRSS, first tenth, mean", "MiB", mean(&self.samples[..tenth]));
        figures.add("VmRSS, last tenth, mean", "MiB", mean(&self.samples[self.samples.len() - tenth..]));
        figures.add("VmRSS, highest", "MiB", self.samples.iter().copied().fold(0.0, f64::max));
    }
}
