//! Commands: the time from a command to its acknowledgement and to its modal; one after the other, 500 at once, and at
//! the highest rate. The same with the floor.

use super::floors::SocketFloor;
use super::{Effort, Subject};
use crate::esb::Machine;
use crate::figures::{Figures, Times, each, median, per_second};
use crate::floor::socket::Sizes;
use crate::payloads::{Command, PEOPLE, number, value};
use crate::process::Process;
use crate::slack::{Slack, SlackCall};
use anyhow::Context;
use bytes::Bytes;
use serde_json::Value;
use std::time::{Duration, Instant};
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// Commands of a burst.
const CROWD: usize = 500;
/// Commands in flight in the sustained run: enough to keep two cores busy.
const WINDOW: usize = 64;

/// A command with the times of its responses.
struct Trace {
    command: Command,
    sent: Instant,
    acknowledged: Option<(Instant, Utf8Bytes)>,
    opened: Option<(Instant, Bytes)>,
}

/// Commands that were sent to one app, in the order of their numbers.
struct Run<'a> {
    slack: &'a mut Slack,
    first: Option<u64>,
    traces: Vec<Trace>,
    /// Commands with both responses.
    done: usize,
}

impl<'a> Run<'a> {
    const fn new(slack: &'a mut Slack) -> Self {
        Self { slack, first: None, traces: Vec::new(), done: 0 }
    }

    fn send(&mut self, command: Command) -> anyhow::Result<()> {
        let sent = Instant::now();
        let number = self.slack.command(&command)?;
        self.first.get_or_insert(number);
        self.traces.push(Trace { command, sent, acknowledged: None, opened: None });
        Ok(())
    }

    /// Waits for the next response.
    async fn receive(&mut self) -> anyhow::Result<()> {
        let arrival = self.slack.next().await;
        let arrival = arrival.with_context(|| {
            let missing = |is: fn(&Trace) -> bool| self.traces.iter().filter(|trace| is(trace)).count();
            let (acks, modals) =
                (missing(|trace| trace.acknowledged.is_none()), missing(|trace| trace.opened.is_none()));
            format!("{acks} acknowledgements and {modals} modals of {} are missing", self.traces.len())
        })?;
        let (id, bytes) = match &arrival.what {
            SlackCall::Acknowledged(text) => ("envelope_id", text.as_bytes()),
            SlackCall::Opened(body) => ("trigger_id", &body[..]),
            other => anyhow::bail!("a command brought about {other:?}"),
        };
        let n = number(bytes, id)
            .zip(self.first)
            .and_then(|(n, first)| usize::try_from(n.checked_sub(first)?).ok());
        let trace = n.and_then(|n| self.traces.get_mut(n)).context("an answer to what was not asked")?;
        match arrival.what {
            SlackCall::Acknowledged(text) => trace.acknowledged = Some((arrival.at, text)),
            SlackCall::Opened(body) => trace.opened = Some((arrival.at, body)),
            _ => {}
        }
        self.done += usize::from(trace.acknowledged.is_some() && trace.opened.is_some());
        Ok(())
    }

    async fn finish(mut self) -> anyhow::Result<Vec<Trace>> {
        while self.done < self.traces.len() {
            self.receive().await?;
        }
        Ok(self.traces)
    }
}

/// An app under test.
struct App<'a> {
    slack: &'a mut Slack,
    process: &'a Process,
    machines: &'a [Machine],
    /// A word that the board's modal must contain; `None` for the floor.
    area: Option<&'a str>,
}

/// The results of one app.
struct CommandTimes {
    report: Vec<Trace>,
    status: Vec<Trace>,
    crowds: Vec<Vec<Trace>>,
    sustained: Vec<Trace>,
    /// Duration of the sustained run.
    took: Duration,
    /// Processor time of the app for the sustained run.
    cpu: Duration,
}

pub(super) async fn measure(
    subject: &mut Subject<'_>,
    effort: &Effort,
    figures: &mut Figures,
) -> anyhow::Result<SocketFloor> {
    let machines: Vec<Machine> = subject.areas.iter().flat_map(|area| area.equipment.clone()).collect();
    let area = subject.areas.first().context("there is no area")?.name.as_str();
    let slack = &mut subject.installation.slack;
    let done = App { slack, process: subject.process, machines: &machines, area: Some(area) }
        .run(effort)
        .await
        .context("esb")?;
    let mut floor = floor(&done).await?;
    let bare = App { slack: &mut floor.slack, process: &floor.process, machines: &machines, area: None }
        .run(effort)
        .await
        .context("floor")?;
    tell(&done, &bare, figures);
    Ok(floor)
}

/// A floor whose modals have the same sizes.
async fn floor(done: &CommandTimes) -> anyhow::Result<SocketFloor> {
    let size = |traces: &[Trace]| {
        let sizes = traces.iter().filter_map(|trace| Some(trace.opened.as_ref()?.1.len()));
        sizes.max().unwrap_or_default()
    };
    let sizes =
        Sizes { report_bytes: size(&done.report), status_bytes: size(&done.status), ..Sizes::default() };
    SocketFloor::start(&sizes).await
}

impl App<'_> {
    async fn run(&mut self, effort: &Effort) -> anyhow::Result<CommandTimes> {
        // One command per person, to fill all caches.
        self.in_a_row(usize::try_from(PEOPLE)?, 0).await?;
        self.in_a_row(usize::try_from(PEOPLE)?, 1).await?;
        let report = self.in_a_row(effort.in_a_row, 0).await?;
        let status = self.in_a_row(effort.in_a_row, 1).await?;
        let mut crowds = Vec::new();
        for _ in 0..effort.crowds {
            let mut run = Run::new(self.slack);
            for n in 0..CROWD {
                run.send(command(self.machines, n, n))?;
            }
            let crowd = run.finish().await?;
            crowds.push(self.checked(crowd)?);
        }
        let before = self.process.cpu()?;
        let (sustained, took) = self.sustained(effort.sustained).await?;
        let cpu = self.process.cpu()? - before;
        Ok(CommandTimes { report, status, crowds, sustained, took, cpu })
    }

    /// Sends one after the other; `kind` 0 is a report, 1 the status.
    async fn in_a_row(&mut self, count: usize, kind: usize) -> anyhow::Result<Vec<Trace>> {
        let mut run = Run::new(self.slack);
        for n in 0..count {
            run.send(command(self.machines, n, kind))?;
            while run.done < run.traces.len() {
                run.receive().await?;
            }
        }
        let traces = run.finish().await?;
        self.checked(traces)
    }

    /// Sends a command as soon as another has its modal.
    async fn sustained(&mut self, time: Duration) -> anyhow::Result<(Vec<Trace>, Duration)> {
        let mut run = Run::new(self.slack);
        let began = Instant::now();
        while began.elapsed() < time {
            while run.traces.len() - run.done < WINDOW {
                let n = run.traces.len();
                run.send(command(self.machines, n, n))?;
            }
            run.receive().await?;
        }
        let traces = run.finish().await?;
        let took = began.elapsed();
        Ok((self.checked(traces)?, took))
    }

    /// The traces, if every response in them is correct.
    fn checked(&self, traces: Vec<Trace>) -> anyhow::Result<Vec<Trace>> {
        for trace in &traces {
            let (_, ack) = trace.acknowledged.as_ref().context("no acknowledgement")?;
            let ack: Value = serde_json::from_str(ack)?;
            let fields = ack.as_object().map_or(0, serde_json::Map::len);
            anyhow::ensure!(fields == 1 && ack["envelope_id"].is_string(), "not just acknowledged: {ack}");
            let (_, body) = trace.opened.as_ref().context("no modal")?;
            anyhow::ensure!(self.is_right(&trace.command, body)?, "wrong modal for {:?}", trace.command);
        }
        Ok(traces)
    }

    fn is_right(&self, command: &Command, body: &[u8]) -> anyhow::Result<bool> {
        let Some(area) = self.area else { return Ok(value(body, "callback_id") == Some(b"floor")) };
        let modal: Value = serde_json::from_slice(body)?;
        let view = &modal["view"];
        let blocks = view["blocks"].as_array().context("a modal without blocks")?;
        Ok(match command {
            Command::Report(machine) => {
                let chosen =
                    &blocks.first().context("no block")?["element"]["initial_option"]["text"]["text"];
                view["callback_id"] == "report_problem" && *chosen == *machine
            }
            Command::Status => {
                view["callback_id"] == "status_summary" && view["blocks"].to_string().contains(area)
            }
            Command::Repair(_) => false,
        })
    }
}

/// The `n`th command: reports for even kinds, the status for odd ones.
fn command(machines: &[Machine], n: usize, kind: usize) -> Command {
    if kind % 2 == 1 {
        return Command::Status;
    }
    Command::Report(machines[n * 7919 % machines.len()].name.clone())
}

fn acknowledgements<'a>(traces: impl IntoIterator<Item = &'a Trace>) -> Times {
    Times::new(traces.into_iter().filter_map(|trace| Some(trace.acknowledged.as_ref()?.0 - trace.sent)))
}

fn modals<'a>(traces: impl IntoIterator<Item = &'a Trace>) -> Times {
    Times::new(traces.into_iter().filter_map(|trace| Some(trace.opened.as_ref()?.0 - trace.sent)))
}

/// Commands per second of a burst, until the last response.
fn rates(crowds: &[Vec<Trace>], answered: fn(&Trace) -> Option<Instant>) -> f64 {
    let rate = |crowd: &Vec<Trace>| {
        let began = crowd.first()?.sent;
        let ended = crowd.iter().filter_map(answered).max()?;
        Some(per_second(crowd.len(), ended - began))
    };
    median(crowds.iter().filter_map(rate).collect())
}

fn tell(done: &CommandTimes, floor: &CommandTimes, figures: &mut Figures) {
    for (name, done, floor) in
        [("/esb-report", &done.report, &floor.report), ("/esb-status", &done.status, &floor.status)]
    {
        let (ack, modal) = (format!("{name} in a row, ack"), format!("{name} in a row, modal"));
        figures.compare_times(&ack, &acknowledgements(done), &acknowledgements(floor));
        figures.compare_times(&modal, &modals(done), &modals(floor));
    }
    let (all, bare) = (done.crowds.iter().flatten(), floor.crowds.iter().flatten());
    let (times, bare_times) = (acknowledgements(all.clone()), acknowledgements(bare.clone()));
    figures.compare_times("500 at once, ack", &times, &bare_times);
    figures.compare_times("500 at once, modal", &modals(all), &modals(bare));
    for (name, limit) in [("250 ms", Duration::from_millis(250)), ("3 s", Duration::from_secs(3))] {
        let over = |times: &Times| f64::from(u32::try_from(times.over(limit)).unwrap_or(u32::MAX));
        figures.compare(format!("500 at once, acks over {name}"), "acks", over(&times), over(&bare_times));
    }
    let acknowledged = |trace: &Trace| trace.acknowledged.as_ref().map(|(at, _)| *at);
    let opened = |trace: &Trace| trace.opened.as_ref().map(|(at, _)| *at);
    let pair = |answered| (rates(&done.crowds, answered), rates(&floor.crowds, answered));
    let (value, bare) = pair(acknowledged);
    figures.compare("500 at once, commands a second until the last ack", "/s", value, bare);
    let (value, bare) = pair(opened);
    figures.compare("500 at once, commands a second until the last modal", "/s", value, bare);
    let sustained = |done: &CommandTimes| per_second(done.sustained.len(), done.took);
    figures.compare("sustained, commands acked and shown a second", "/s", sustained(done), sustained(floor));
    let cpu = |done: &CommandTimes| each(done.cpu, done.sustained.len());
    figures.compare("sustained, processor time a command", "µs", cpu(done), cpu(floor));
    let name = "sustained, ack";
    figures.compare_times(name, &acknowledgements(&done.sustained), &acknowledgements(&floor.sustained));
}
