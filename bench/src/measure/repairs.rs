//! A technician at work: `/esb-repair` with a repair's id, and changes of that repair in `act_on_repair`. Measures from
//! each form to its response, while the worker posts to the channels. Runs last, since the channels get one message a
//! second and need long for the rest. The same with the floor.

use super::floors::SocketFloor;
use super::{Effort, Subject};
use crate::figures::{Figures, Times};
use crate::floor::socket::Sizes;
use crate::payloads::{Act, Command, number};
use crate::slack::{Slack, SlackCall};
use anyhow::Context;
use bytes::Bytes;
use serde_json::Value;
use std::time::{Duration, Instant};

/// The changes of each repair. A closed one is reopened first.
const ACTS: [Act; 4] = [
    Act::SetStatus("Parts Ordered"),
    Act::Claim,
    Act::SetEta("2031-05-17"),
    Act::Resolve("Bench: the belt is new"),
];

/// The times of all forms, and the size of the largest.
#[derive(Default)]
struct RepairTimes {
    shown: Vec<Duration>,
    answered: Vec<Duration>,
    bytes: usize,
}

pub(super) async fn measure(
    subject: &mut Subject<'_>,
    effort: &Effort,
    figures: &mut Figures,
) -> anyhow::Result<()> {
    let done = run(&mut subject.installation.slack, effort).await.context("esb")?;
    let sizes = Sizes { repair_bytes: done.bytes, ..Sizes::default() };
    let mut floor = SocketFloor::start(&sizes).await?;
    let bare = run(&mut floor.slack, effort).await.context("floor")?;
    for (name, done, bare) in [
        ("/esb-repair with a number, modal", done.shown, bare.shown),
        ("act_on_repair sent to form closed", done.answered, bare.answered),
    ] {
        let (done, bare) = (Times::new(done), Times::new(bare));
        figures.compare(format!("{name}, p50"), "ms", done.p50(), bare.p50());
        figures.compare(format!("{name}, p99"), "ms", done.p99(), bare.p99());
    }
    Ok(())
}

async fn run(slack: &mut Slack, effort: &Effort) -> anyhow::Result<RepairTimes> {
    let mut done = RepairTimes::default();
    for repair in 1..=effort.repairs {
        for act in ACTS {
            let began = Instant::now();
            let (at, body) = modal(slack, repair).await.with_context(|| format!("/esb-repair {repair}"))?;
            done.shown.push(at - began);
            done.bytes = done.bytes.max(body.len());
            let view = form(&body)?;
            let began = Instant::now();
            let at = submit(slack, &view, act).await.with_context(|| format!("{act:?} on #{repair}"))?;
            done.answered.push(at - began);
        }
    }
    Ok(done)
}

/// Requests a repair's form; returns its time and body.
async fn modal(slack: &mut Slack, repair: usize) -> anyhow::Result<(Instant, Bytes)> {
    let sent = slack.command(&Command::Repair(repair.to_string()))?;
    let (mut acknowledged, mut opened) = (false, None);
    while opened.is_none() || !acknowledged {
        let arrival = slack.next().await?;
        match arrival.what {
            SlackCall::Acknowledged(text) => {
                acknowledged |= number(text.as_bytes(), "envelope_id") == Some(sent);
            }
            SlackCall::Opened(body) => opened = Some((arrival.at, body)),
            SlackCall::Posted(_) | SlackCall::Edited(_) => {}
            other => anyhow::bail!("brought about {other:?}"),
        }
    }
    opened.context("no form")
}

/// The form in the body of `views.open`.
fn form(body: &[u8]) -> anyhow::Result<Value> {
    let body: Value = serde_json::from_slice(body)?;
    anyhow::ensure!(body["view"]["callback_id"] == "act_on_repair", "opened {}", body["view"]);
    Ok(body["view"].clone())
}

/// Submits the form and waits until it is closed and the person has the response. Returns when it closed.
async fn submit(slack: &mut Slack, view: &Value, act: Act) -> anyhow::Result<Instant> {
    let sent = slack.act(view, act)?;
    let (mut closed, mut is_answered) = (None, false);
    while closed.is_none() || !is_answered {
        let arrival = slack.next().await?;
        match arrival.what {
            SlackCall::Acknowledged(text) => {
                let answer: Value = serde_json::from_str(&text)?;
                let right = answer["payload"]["response_action"] == "clear"
                    && number(text.as_bytes(), "envelope_id") == Some(sent);
                anyhow::ensure!(right, "the form is answered {answer}");
                closed = Some(arrival.at);
            }
            SlackCall::PrivateAnswer(body) => {
                let words = String::from_utf8_lossy(&body).into_owned();
                anyhow::ensure!(!words.contains(":x:"), "the person is is_answered {words}");
                is_answered = true;
            }
            SlackCall::Posted(_) | SlackCall::Edited(_) => {}
            other => anyhow::bail!("brought about {other:?}"),
        }
    }
    closed.context("no answer")
}
