//! `esb-bench lanes`: how long messages wait for each other when channels are busy or Slack is down. Prepares the
//! forms; the two scenarios are in `lanes/`. Not part of the timed gate: it takes minutes, since channels get one
//! message a second.

mod burst;
mod ledger;
mod outage;

use crate::esb::{Area, Installation};
use crate::figures::Figures;
use crate::payloads::{Command, number};
use crate::process::Process;
use crate::slack::{Slack, SlackCall};
use anyhow::Context;
use clap::Args;
use serde_json::Value;
use std::time::Duration;

/// The last area stays quiet while the others are busy.
const BUSY_AREAS: usize = 4;
/// Idle time of the program before its memory is read.
const REST: Duration = Duration::from_secs(5);

/// What to play.
#[derive(Debug, Args)]
pub struct Options {
    /// Reports in the burst, spread over four areas
    #[arg(long, default_value_t = 500)]
    reports: usize,
    /// Stop after this time, even if messages still wait
    #[arg(long, default_value_t = 240)]
    seconds: u64,
    /// How long Slack takes to answer chat.postMessage
    #[arg(long, default_value_t = 150)]
    latency_ms: u64,
    /// Go on until #oops has everything, too: a second for each report
    #[arg(long)]
    drain: bool,
    /// Instead of the burst: chat.postMessage answers 503 for this number of seconds while 12 reports wait
    #[arg(long, value_name = "SECONDS")]
    outage: Option<u64>,
}

impl Options {
    /// Starts the installation, plays and measures.
    pub async fn measure(
        &self,
        installation: &mut Installation,
        figures: &mut Figures,
    ) -> anyhow::Result<()> {
        let (process, ..) = installation.start().await?;
        installation.slack.behavior.set_latency_ms(self.latency_ms);
        let areas = installation.areas().await?;
        anyhow::ensure!(areas.len() == BUSY_AREAS + 1, "there are {} areas", areas.len());
        tokio::time::sleep(REST).await;
        figures.add("memory, idle", "MiB", process.memory("VmRSS")?);
        match self.outage {
            Some(seconds) => {
                outage::play(installation, &areas, Duration::from_secs(seconds), self.limit(), figures)
                    .await?;
            }
            None => burst::play(self, installation, &process, &areas, figures).await?,
        }
        figures.add("memory, highest", "MiB", process.memory("VmHWM")?);
        rest(&process, figures).await?;
        process.terminate().await
    }

    const fn limit(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }
}

async fn rest(process: &Process, figures: &mut Figures) -> anyhow::Result<()> {
    figures.add("memory, at the end", "MiB", process.memory("VmRSS")?);
    tokio::time::sleep(REST).await;
    figures.add("memory, at the end after a rest of 5 s", "MiB", process.memory("VmRSS")?);
    Ok(())
}

/// An opened report form.
struct Form {
    view: Value,
    machine: i64,
    number: usize,
}

impl Form {
    /// Opens the form for equipment of an area.
    async fn open(slack: &mut Slack, area: &Area, nth: usize, number: usize) -> anyhow::Result<Self> {
        let machine = &area.equipment[nth % area.equipment.len()];
        let command = Command::Report(machine.name.clone());
        let sent = slack.command(&command)?;
        let (mut is_acknowledged, mut opened) = (false, None);
        while opened.is_none() || !is_acknowledged {
            match slack.next().await?.what {
                SlackCall::Acknowledged(text) => {
                    is_acknowledged |= envelope(&text) == Some(sent);
                }
                SlackCall::Opened(body) => opened = Some(body),
                other => anyhow::bail!("{} caused {other:?}", command.name()),
            }
        }
        let body: Value = serde_json::from_slice(&opened.context("no form")?)?;
        Ok(Self { view: body["view"].clone(), machine: machine.id, number })
    }

    /// Opens forms for all busy areas in turn.
    async fn open_many(slack: &mut Slack, areas: &[Area], count: usize) -> anyhow::Result<Vec<Self>> {
        let mut forms = Vec::with_capacity(count);
        for number in 0..count {
            let area = &areas[number % BUSY_AREAS];
            forms.push(Self::open(slack, area, number / BUSY_AREAS, number).await?);
        }
        Ok(forms)
    }

    /// Submits the form; returns the envelope's number.
    fn submit(&self, slack: &mut Slack) -> anyhow::Result<u64> {
        slack.submit(&self.view, self.machine, &ledger::description(self.number))
    }
}

fn envelope(text: &str) -> Option<u64> {
    number(text.as_bytes(), "envelope_id")
}

/// An acknowledgement that closes the form.
fn closed_form(text: &str) -> anyhow::Result<u64> {
    let answer: Value = serde_json::from_str(text)?;
    anyhow::ensure!(answer["payload"]["response_action"] == "clear", "the form is answered {answer}");
    envelope(text).context("an acknowledgement of nothing")
}
