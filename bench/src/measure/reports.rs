//! Reports: from a form submitted to the card in both channels; a claim pressed there, until both cards show
//! it; then how long the next page and the
//! next modal take, which have to be made anew.

use super::{Effort, Subject, page_time};
use crate::esb::{Area, Machine};
use crate::figures::{Figures, Times};
use crate::payloads::{Command, number};
use crate::slack::{Slack, What};
use anyhow::Context;
use bytes::Bytes;
use serde_json::Value;
use std::time::{Duration, Instant};

/// Between two reports: every one goes to the channel of everything, which takes a message a second.
const PACE: Duration = Duration::from_millis(1_300);

/// The times of one report.
struct Reported {
    acknowledged: Duration,
    told: Duration,
    /// Number of the repair.
    repair: String,
}

pub(super) async fn measure(
    subject: &mut Subject<'_>,
    effort: &Effort,
    figures: &mut Figures,
) -> anyhow::Result<()> {
    // The eighth area of the made-up data has no channel.
    let areas: Vec<&Area> = subject.areas.iter().filter(|area| area.name != "Kitchen").collect();
    let (mut acks, mut told, mut claims) = (Vec::new(), Vec::new(), Vec::new());
    let (mut pages, mut modals) = (Vec::new(), Vec::new());
    for n in 0..effort.reports {
        let area = areas[n % areas.len()];
        let machine = area.equipment.get(n / areas.len()).context("too few machines")?;
        let began = Instant::now();
        let installation = &mut *subject.installation;
        let reported = report(&mut installation.slack, machine, n).await.context("a report")?;
        acks.push(reported.acknowledged);
        told.push(reported.told);
        if n % 2 == 0 {
            pages.push(page_time(installation, "/").await?);
        } else {
            let asked = Instant::now();
            modal(&mut installation.slack, &Command::Status).await?;
            modals.push(asked.elapsed());
        }
        tokio::time::sleep(PACE.saturating_sub(began.elapsed())).await;
        let began = Instant::now();
        claims.push(claimed(&mut subject.installation.slack, &reported.repair).await.context("a claim")?);
        tokio::time::sleep(PACE.saturating_sub(began.elapsed())).await;
    }
    for (name, times) in [
        ("report sent to form closed", acks),
        ("report sent to message in both channels", told),
        ("claim pressed to both cards edited", claims),
        ("first board after a change (gzip)", pages),
        ("first /esb-status after a change, modal", modals),
    ] {
        let times = Times::new(times);
        figures.add(format!("{name}, p50"), "ms", times.p50());
        figures.add(format!("{name}, max"), "ms", times.max());
    }
    Ok(())
}

/// The modal that a command opens.
async fn modal(slack: &mut Slack, command: &Command) -> anyhow::Result<Value> {
    let sent = slack.command(command)?;
    let (mut acknowledged, mut opened) = (false, None);
    while opened.is_none() || !acknowledged {
        match slack.next().await?.what {
            What::Acknowledged(text) => acknowledged |= number(text.as_bytes(), "envelope_id") == Some(sent),
            What::Opened(body) if number(&body, "trigger_id") == Some(sent) => opened = Some(body),
            other => anyhow::bail!("{} brought about {other:?}", command.name()),
        }
    }
    let body: Value = serde_json::from_slice(&opened.context("no modal")?)?;
    Ok(body["view"].clone())
}

/// Opens the form, submits it, and waits until the form is closed, the person thanked and both channels
/// told.
async fn report(slack: &mut Slack, machine: &Machine, n: usize) -> anyhow::Result<Reported> {
    let view = modal(slack, &Command::Report(machine.name.clone())).await?;
    let description = format!("Bench report {n:04}");
    let began = Instant::now();
    let sent = slack.submit(&view, machine.id, &description)?;
    let (mut acknowledged, mut thanked) = (None, false);
    let mut told: Vec<(Instant, Bytes)> = Vec::new();
    while acknowledged.is_none() || !thanked || told.len() < 2 {
        let arrival = slack.next().await?;
        match arrival.what {
            What::Acknowledged(text) => {
                let answer: Value = serde_json::from_str(&text)?;
                let cleared = answer["payload"]["response_action"] == "clear";
                let right = cleared && number(text.as_bytes(), "envelope_id") == Some(sent);
                anyhow::ensure!(right, "the form is answered {answer}");
                acknowledged = Some(arrival.at - began);
            }
            What::Told(body) => {
                let answer: Value = serde_json::from_slice(&body)?;
                let words = answer["text"].as_str().unwrap_or_default();
                anyhow::ensure!(words.contains("Thank you"), "the person is told {words}");
                thanked = true;
            }
            What::Posted(body) => told.push((arrival.at, body)),
            other => anyhow::bail!("a report brought about {other:?}"),
        }
    }
    let last = told.iter().map(|(at, _)| *at - began).max().context("nobody was told")?;
    check(&told, &description)?;
    let (_, card) = told.first().context("nobody was told")?;
    Ok(Reported { acknowledged: acknowledged.context("no answer")?, told: last, repair: repair_of(card)? })
}

/// The repair that the buttons of a card are about.
fn repair_of(card: &[u8]) -> anyhow::Result<String> {
    let card: Value = serde_json::from_slice(card)?;
    let blocks = card["blocks"].as_array().context("no blocks")?;
    let buttons = blocks.iter().find(|block| block["type"] == "actions").context("no buttons")?;
    Ok(buttons["elements"][0]["value"].as_str().context("no repair")?.to_owned())
}

/// Presses "Claim" and waits until both cards show it; replies in their threads follow at the channels' pace.
async fn claimed(slack: &mut Slack, repair: &str) -> anyhow::Result<Duration> {
    let began = Instant::now();
    let sent = slack.claim(repair)?;
    let (mut acknowledged, mut replies) = (false, 0);
    let mut edited = Vec::new();
    while !acknowledged || edited.len() < 2 || replies < 2 {
        let arrival = slack.next().await?;
        match arrival.what {
            What::Acknowledged(text) => acknowledged |= number(text.as_bytes(), "envelope_id") == Some(sent),
            What::Edited(body) => {
                let words = String::from_utf8_lossy(&body).into_owned();
                anyhow::ensure!(words.contains("Assigned"), "the card shows {words}");
                edited.push(arrival.at - began);
            }
            What::Posted(_) => replies += 1,
            other => anyhow::bail!("a claim brought about {other:?}"),
        }
    }
    edited.into_iter().max().context("no card was edited")
}

/// Both messages are about this report, in two channels, one of them the channel of everything.
fn check(told: &[(Instant, Bytes)], description: &str) -> anyhow::Result<()> {
    let mut channels = Vec::new();
    for (_, body) in told {
        let message: Value = serde_json::from_slice(body)?;
        anyhow::ensure!(message.to_string().contains(description), "told of something else: {message}");
        channels.push(message["channel"].as_str().unwrap_or_default().to_owned());
    }
    channels.sort();
    channels.dedup();
    anyhow::ensure!(
        channels.len() == 2 && channels.iter().any(|channel| channel == "#oops"),
        "told in {channels:?}"
    );
    Ok(())
}
