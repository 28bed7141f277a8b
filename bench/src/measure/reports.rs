//! Reports: the time from a submitted form to the card in both channels; from a claim to the edit of both cards; then
//! the time of the next page and the next modal, which are rendered again. The same with the floors, which render
//! nothing.

use super::floors::{SocketFloor, WebFloor};
use super::{Effort, Subject, page_time};
use crate::esb::{Area, Machine};
use crate::figures::{Figures, Times};
use crate::floor::socket::Sizes;
use crate::payloads::{Command, number};
use crate::slack::{Slack, SlackCall};
use anyhow::Context;
use bytes::Bytes;
use serde_json::Value;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Time between two reports: each goes to `#oops`, which gets one message a second.
const PACE: Duration = Duration::from_millis(1_300);
/// The same for the floor, which has no such limit.
const BARE_PACE: Duration = Duration::from_millis(100);

/// esb or the floors.
struct App<'a> {
    slack: &'a mut Slack,
    web: SocketAddr,
    board: &'a str,
    is_bare: bool,
}

/// The times of all reports, and the sizes of the calls.
#[derive(Default)]
struct ReportTimes {
    acks: Vec<Duration>,
    posted: Vec<Duration>,
    claims: Vec<Duration>,
    pages: Vec<Duration>,
    modals: Vec<Duration>,
    sizes: Sizes,
}

pub(super) async fn measure(
    subject: &mut Subject<'_>,
    web: &WebFloor,
    effort: &Effort,
    figures: &mut Figures,
) -> anyhow::Result<()> {
    // The eighth area of the made-up data has no channel.
    let areas: Vec<&Area> = subject.areas.iter().filter(|area| area.name != "Kitchen").collect();
    let machine =
        |n: usize| areas[n % areas.len()].equipment.get(n / areas.len()).context("too few machines");
    let machines = (0..effort.reports).map(machine).collect::<anyhow::Result<Vec<_>>>()?;
    let installation = &mut *subject.installation;
    let esb = App { slack: &mut installation.slack, web: installation.web, board: "/", is_bare: false };
    let done = esb.run(&machines).await.context("esb")?;
    let mut floor = SocketFloor::start(&done.sizes).await?;
    let bare = App { slack: &mut floor.slack, web: web.address, board: "/0", is_bare: true };
    let bare = bare.run(&machines).await.context("floor")?;
    for (name, done, bare) in [
        ("report sent to form closed", done.acks, bare.acks),
        ("report sent to message in both channels", done.posted, bare.posted),
        ("claim pressed to both cards edited", done.claims, bare.claims),
        ("first board after a change (gzip)", done.pages, bare.pages),
        ("first /esb-status after a change, modal", done.modals, bare.modals),
    ] {
        let (done, bare) = (Times::new(done), Times::new(bare));
        figures.compare(format!("{name}, p50"), "ms", done.p50(), bare.p50());
        figures.compare(format!("{name}, max"), "ms", done.max(), bare.max());
    }
    Ok(())
}

impl App<'_> {
    async fn run(mut self, machines: &[&Machine]) -> anyhow::Result<ReportTimes> {
        let pace = if self.is_bare { BARE_PACE } else { PACE };
        let mut done = ReportTimes::default();
        for (n, machine) in machines.iter().enumerate() {
            let began = Instant::now();
            let repair = self.report(machine, n, &mut done).await.context("a report")?;
            if n % 2 == 0 {
                done.pages.push(page_time(self.web, self.board).await?);
            } else {
                let asked = Instant::now();
                let (_, bytes) = modal(self.slack, &Command::Status).await?;
                done.modals.push(asked.elapsed());
                done.sizes.status_bytes = bytes;
            }
            tokio::time::sleep(pace.saturating_sub(began.elapsed())).await;
            let began = Instant::now();
            self.claim(&repair, &mut done).await.context("a claim")?;
            tokio::time::sleep(pace.saturating_sub(began.elapsed())).await;
        }
        Ok(done)
    }

    /// Opens the form, submits it, and waits until the form is closed, the person thanked and both channels
    /// have the message. Returns the number of the repair.
    async fn report(
        &mut self,
        machine: &Machine,
        n: usize,
        done: &mut ReportTimes,
    ) -> anyhow::Result<String> {
        let (view, bytes) = modal(self.slack, &Command::Report(machine.name.clone())).await?;
        done.sizes.report_bytes = bytes;
        let description = format!("Bench report {n:04}");
        let began = Instant::now();
        let sent = self.slack.submit(&view, machine.id, &description)?;
        let (mut acknowledged, mut thanked) = (None, false);
        let mut posted: Vec<(Instant, Bytes)> = Vec::new();
        while acknowledged.is_none() || !thanked || posted.len() < 2 {
            let arrival = self.slack.next().await?;
            match arrival.what {
                SlackCall::Acknowledged(text) => {
                    let answer: Value = serde_json::from_str(&text)?;
                    let cleared = answer["payload"]["response_action"] == "clear";
                    let right = cleared && number(text.as_bytes(), "envelope_id") == Some(sent);
                    anyhow::ensure!(right, "the form is answered {answer}");
                    acknowledged = Some(arrival.at - began);
                }
                SlackCall::PrivateAnswer(body) => {
                    let answer: Value = serde_json::from_slice(&body)?;
                    let words = answer["text"].as_str().unwrap_or_default();
                    anyhow::ensure!(words.contains("Thank you"), "the person is told {words}");
                    thanked = true;
                }
                SlackCall::Posted(body) => posted.push((arrival.at, body)),
                other => anyhow::bail!("a report brought about {other:?}"),
            }
        }
        done.acks.push(acknowledged.context("no answer")?);
        done.posted.push(posted.iter().map(|(at, _)| *at - began).max().context("nothing was posted")?);
        done.sizes.card_bytes = posted.iter().map(|(_, card)| card.len()).max().unwrap_or_default();
        check(&posted, (!self.is_bare).then_some(&description))?;
        let (_, card) = posted.first().context("nothing was posted")?;
        if self.is_bare { Ok("1".to_owned()) } else { repair_of(card) }
    }

    /// Presses "Claim" and waits until both cards show it; replies in their threads follow at the channels' rate.
    async fn claim(&mut self, repair: &str, done: &mut ReportTimes) -> anyhow::Result<()> {
        let began = Instant::now();
        let sent = self.slack.claim(repair)?;
        let (mut acknowledged, mut replies) = (false, 0);
        let mut edited = Vec::new();
        while !acknowledged || edited.len() < 2 || replies < 2 {
            let arrival = self.slack.next().await?;
            match arrival.what {
                SlackCall::Acknowledged(text) => {
                    acknowledged |= number(text.as_bytes(), "envelope_id") == Some(sent);
                }
                SlackCall::Edited(body) => {
                    let words = String::from_utf8_lossy(&body).into_owned();
                    anyhow::ensure!(words.contains("Assigned"), "the card shows {words}");
                    done.sizes.edit_bytes = body.len();
                    edited.push(arrival.at - began);
                }
                SlackCall::Posted(_) => replies += 1,
                other => anyhow::bail!("a claim brought about {other:?}"),
            }
        }
        done.claims.push(edited.into_iter().max().context("no card was edited")?);
        Ok(())
    }
}

/// The modal that a command opens, and its size in bytes.
async fn modal(slack: &mut Slack, command: &Command) -> anyhow::Result<(Value, usize)> {
    let sent = slack.command(command)?;
    let (mut acknowledged, mut opened) = (false, None);
    while opened.is_none() || !acknowledged {
        match slack.next().await?.what {
            SlackCall::Acknowledged(text) => {
                acknowledged |= number(text.as_bytes(), "envelope_id") == Some(sent);
            }
            SlackCall::Opened(body) if number(&body, "trigger_id") == Some(sent) => opened = Some(body),
            other => anyhow::bail!("{} brought about {other:?}", command.name()),
        }
    }
    let opened = opened.context("no modal")?;
    let body: Value = serde_json::from_slice(&opened)?;
    Ok((body["view"].clone(), opened.len()))
}

/// The repair id in a card's buttons.
fn repair_of(card: &[u8]) -> anyhow::Result<String> {
    let card: Value = serde_json::from_slice(card)?;
    let blocks = card["blocks"].as_array().context("no blocks")?;
    let buttons = blocks.iter().find(|block| block["type"] == "actions").context("no buttons")?;
    Ok(buttons["elements"][0]["value"].as_str().context("no repair")?.to_owned())
}

/// Checks that both messages are about this report and in two channels, one of them `#oops`. The floor's messages
/// contain no report.
fn check(posted: &[(Instant, Bytes)], description: Option<&String>) -> anyhow::Result<()> {
    let mut channels = Vec::new();
    for (_, body) in posted {
        let message: Value = serde_json::from_slice(body)?;
        let right = description.is_none_or(|description| message.to_string().contains(description));
        anyhow::ensure!(right, "posted something else: {message}");
        channels.push(message["channel"].as_str().unwrap_or_default().to_owned());
    }
    channels.sort();
    channels.dedup();
    anyhow::ensure!(
        channels.len() == 2 && channels.iter().any(|channel| channel == "#oops"),
        "posted in {channels:?}"
    );
    Ok(())
}
