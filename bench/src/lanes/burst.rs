//! A burst of reports in four areas, and messages that must not wait for it: a temporary password by direct message,
//! and reports in a quiet area.

use super::ledger::Ledger;
use super::{BUSY_AREAS, Form, Options, closed_form};
use crate::esb::{Area, Installation};
use crate::figures::Figures;
use crate::http1::Connection;
use crate::payloads::{Command, TECHNICIAN};
use crate::process::Process;
use crate::slack::{Slack, SlackCall};
use crate::{say, sign_in};
use std::collections::HashSet;
use std::time::{Duration, Instant};

/// Most submissions without acknowledgement at one time.
const AT_ONCE: usize = 20;
/// The password and the first quiet report come this long after the burst began.
const EARLY: Duration = Duration::from_secs(5);
/// The second quiet report.
const LATE: Duration = Duration::from_secs(60);
/// Numbers of the quiet reports.
const QUIET: [usize; 2] = [9_001, 9_002];
/// The technician's number in the made-up data: the first user.
const TECHNICIAN_PAGE: &str = "/admin/users/1";
/// Longest wait for an arrival before the script is checked.
const STEP: Duration = Duration::from_millis(20);
/// Interval of memory samples.
const SAMPLE: Duration = Duration::from_secs(1);
/// Samples between printed lines.
const SHOW: u64 = 15;

struct Burst<'a> {
    options: &'a Options,
    process: &'a Process,
    slack: &'a mut Slack,
    web: Connection,
    cookies: String,
    forms: Vec<Form>,
    quiet: Vec<Form>,
    /// Reports submitted so far.
    submitted: usize,
    /// Envelopes not acknowledged yet.
    open: HashSet<u64>,
    ledger: Ledger,
    began: Instant,
    /// When the last report of the burst was acknowledged.
    acknowledged: Option<Instant>,
    /// When the page announced the password message.
    password_reset: Option<Instant>,
    /// When the quiet reports were submitted.
    quiet_submitted: Vec<Instant>,
    /// MiB, once a second.
    memory: Vec<f64>,
}

pub(super) async fn play(
    options: &Options,
    installation: &mut Installation,
    process: &Process,
    areas: &[Area],
    figures: &mut Figures,
) -> anyhow::Result<()> {
    let cookies = sign_in::cookies(installation).await?;
    let web = Connection::open(installation.web).await?;
    let slack = &mut installation.slack;
    introduce_technician(slack).await?;
    let forms = Form::open_many(slack, areas, options.reports).await?;
    let mut quiet = Vec::new();
    for (nth, number) in QUIET.into_iter().enumerate() {
        quiet.push(Form::open(slack, &areas[BUSY_AREAS], nth, number).await?);
    }
    figures.add("memory, forms opened", "MiB", process.memory("VmRSS")?);
    let mut burst = Burst {
        options,
        process,
        slack,
        web,
        cookies,
        forms,
        quiet,
        submitted: 0,
        open: HashSet::new(),
        ledger: Ledger::default(),
        began: Instant::now(),
        acknowledged: None,
        password_reset: None,
        quiet_submitted: Vec::new(),
        memory: Vec::new(),
    };
    burst.run().await?;
    burst.add_figures(figures);
    Ok(())
}

/// Opens a repair as the technician, which links them to their Slack account.
async fn introduce_technician(slack: &mut Slack) -> anyhow::Result<()> {
    slack.command(&Command::Repair("1".to_owned()))?;
    while !matches!(slack.next().await?.what, SlackCall::Opened(_)) {}
    Ok(())
}

impl Burst<'_> {
    async fn run(&mut self) -> anyhow::Result<()> {
        while self.began.elapsed() < self.options.limit() && !self.is_over() {
            self.play_script().await?;
            self.sample_memory()?;
            let Some(arrival) = self.slack.next_within(STEP).await? else { continue };
            let at = arrival.at;
            match self.ledger.note(arrival)? {
                Some(SlackCall::Acknowledged(text)) => {
                    self.open.remove(&closed_form(&text)?);
                    if self.submitted == self.forms.len() && self.open.is_empty() {
                        self.acknowledged.get_or_insert(at);
                    }
                }
                None | Some(SlackCall::PrivateAnswer(_)) => {}
                Some(other) => anyhow::bail!("a report caused {other:?}"),
            }
        }
        Ok(())
    }

    /// Runs the steps that are due.
    async fn play_script(&mut self) -> anyhow::Result<()> {
        while self.open.len() < AT_ONCE && self.submitted < self.forms.len() {
            self.open.insert(self.forms[self.submitted].submit(self.slack)?);
            self.submitted += 1;
        }
        let due = match self.quiet_submitted.len() {
            0 => EARLY,
            1 => LATE,
            _ => return Ok(()),
        };
        if self.began.elapsed() < due {
            return Ok(());
        }
        let form = &self.quiet[self.quiet_submitted.len()];
        self.quiet_submitted.push(Instant::now());
        self.open.insert(form.submit(self.slack)?);
        if self.password_reset.is_none() {
            self.reset_password().await?;
        }
        Ok(())
    }

    async fn reset_password(&mut self) -> anyhow::Result<()> {
        let action = format!("{TECHNICIAN_PAGE}/reset-password");
        let page = sign_in::send_form(&mut self.web, &self.cookies, TECHNICIAN_PAGE, &action).await?;
        anyhow::ensure!(page.contains("by direct message in Slack"), "the password went nowhere: {page}");
        self.password_reset = Some(Instant::now());
        Ok(())
    }

    fn sample_memory(&mut self) -> anyhow::Result<()> {
        let seconds = self.began.elapsed().as_secs();
        if seconds < SAMPLE.as_secs() * self.memory.len() as u64 {
            return Ok(());
        }
        let memory = self.process.memory("VmRSS")?;
        self.memory.push(memory);
        if (self.memory.len() as u64 - 1).is_multiple_of(SHOW) {
            let (areas, oops) = (self.ledger.area_times(self.all()).len(), self.oops().len());
            let line = format!("{seconds:>4} s: {memory:.1} MiB; {areas} in areas, {oops} in #oops");
            say(&mut std::io::stderr(), &line);
        }
        Ok(())
    }

    const fn all(&self) -> std::ops::Range<usize> {
        0..self.options.reports
    }

    fn area(&self, area: usize) -> Vec<Instant> {
        self.ledger.area_times(self.all().skip(area).step_by(BUSY_AREAS))
    }

    fn oops(&self) -> Vec<Instant> {
        self.ledger.oops_times(self.all())
    }

    fn is_over(&self) -> bool {
        QUIET.iter().all(|report| self.ledger.in_area(*report).is_some())
            && self.ledger.direct(TECHNICIAN).is_some()
            && self.ledger.area_times(self.all()).len() == self.options.reports
            && (!self.options.drain || self.oops().len() == self.options.reports)
    }

    fn add_figures(&self, figures: &mut Figures) {
        let took = self.began.elapsed().as_secs_f64();
        let since = |from: Option<Instant>, at: Option<Instant>| match (from, at) {
            // A message may arrive before the page that announces it.
            (Some(from), Some(at)) => at.saturating_duration_since(from).as_secs_f64(),
            _ => f64::NAN,
        };
        let began = Some(self.began);
        figures.add("burst, until all reports were acknowledged", "s", since(began, self.acknowledged));
        let password = since(self.password_reset, self.ledger.direct(TECHNICIAN));
        figures.add("password by direct message, 5 s into the burst", "s", password);
        for (nth, when) in ["5 s into the burst", "60 s into the burst"].into_iter().enumerate() {
            let from = self.quiet_submitted.get(nth).copied();
            let delay = since(from, self.ledger.in_area(QUIET[nth]));
            figures.add(format!("report in the quiet area, {when}"), "s", delay);
        }
        for area in 0..BUSY_AREAS {
            let expected = self.all().skip(area).step_by(BUSY_AREAS).len();
            self.add_channel(figures, &format!("busy area {}", area + 1), &self.area(area), expected);
        }
        self.add_channel(figures, "#oops", &self.oops(), self.options.reports);
        let count = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
        figures.add("calls of Slack in all", "", count(self.ledger.calls));
        figures.add("calls a second", "/s", count(self.ledger.calls) / took);
        figures.add("messages sent twice", "", count(self.ledger.repeated));
        figures.add("took", "s", took);
        let mean = self.memory.iter().sum::<f64>() / count(self.memory.len().max(1));
        figures.add("memory, mean of the run", "MiB", mean);
    }

    /// How long a channel took for all messages, or how many it got, compared with one message a second.
    fn add_channel(&self, figures: &mut Figures, name: &str, times: &[Instant], expected: usize) {
        let count = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
        let (Some(first), Some(last)) = (times.first(), times.last()) else {
            return figures.compare(format!("{name}, messages arrived"), "", 0.0, count(expected));
        };
        if times.len() == expected {
            let took = last.saturating_duration_since(self.began).as_secs_f64();
            // The first message is not delayed.
            figures.compare(format!("{name}, all {expected} messages"), "s", took, count(expected - 1));
        } else {
            figures.compare(format!("{name}, messages arrived"), "", count(times.len()), count(expected));
        }
        let span = last.saturating_duration_since(*first).as_secs_f64();
        if span > 0.0 {
            let rate = count(times.len() - 1) / span;
            figures.compare(format!("{name}, messages a second"), "/s", rate, 1.0);
        }
    }
}
