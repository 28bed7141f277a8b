//! Repeated messages and what explains them.

use crate::damage::Struck;
use crate::judgement::{Evidence, Found, is_of, time};
use chrono::TimeDelta;
use esb::store::entities::delivery;
use esb_sandbox::{Call, Fault};
use std::time::Duration;

/// If Slack answers a send later than this, the answer is lost: we wait 15 s.
const LOST: Duration = Duration::from_secs(14);
/// Longest time between a send and its record if the database is cut off in between. A lost message is sent
/// again after half a minute, so this does not weaken the check.
const RECORDED: TimeDelta = TimeDelta::seconds(10);

/// Each message is posted at least once. Each repeat is explained by a kill before the send was recorded, or
/// by a lost answer while the worker could not search for the message.
pub fn told_often_enough(
    evidence: &Evidence,
    delivery: &delivery::Model,
    struck: &Struck,
    found: &mut Found,
) {
    let Some(repair) = evidence.repairs.iter().find(|repair| is_of(delivery, repair)) else {
        return found.wrong.push(format!("a delivery of no repair: {delivery:?}"));
    };
    let mark = repair.description.as_str();
    let shown = evidence.messages.iter().filter(|message| {
        evidence.channels.get(&message.channel) == Some(&delivery.target) && message.shown().contains(mark)
    });
    let shown: Vec<_> = shown.collect();
    let Some(first) = shown.first() else {
        return found.wrong.push(format!("{} was never told: {mark}", delivery.target));
    };
    found.longest = found.longest.max(time(&first.ts) - repair.created_at);
    let sent = evidence.calls.iter().filter(|call| {
        call.ok() && call.args["channel"] == delivery.target.as_str() && call.args.to_string().contains(mark)
    });
    let sent: Vec<_> = sent.collect();
    let lost = sent.iter().filter(|call| is_lost(call)).count();
    let unseen = lost_unseen(evidence, delivery, &sent);
    let hits = struck.leased.get(&delivery.id).copied().unwrap_or(0);
    let repeats = shown.len() - 1;
    found.repeats += repeats;
    found.explained += hits + unseen;
    found.lost += lost;
    if repeats > hits + unseen || sent.len() != shown.len() {
        found.wrong.push(format!(
            "{} was told {} times ({} sent): {mark} Its lease was hit by {hits} kills, {lost} answers were lost, \
             {unseen} of them when nobody could look.",
            delivery.target,
            shown.len(),
            sent.len(),
        ));
    }
}

fn is_lost(call: &Call) -> bool {
    match call.fault {
        Some(Fault::CutAfterAccept) => true,
        Some(Fault::Delay(time)) => time >= LOST,
        _ => false,
    }
}

/// Lost answers after which the message was sent again without a search: no message to that channel was on
/// record yet, so its id was unknown, or Slack refused the search (decision 8).
fn lost_unseen(evidence: &Evidence, delivery: &delivery::Model, sent: &[&Call]) -> usize {
    let arrived = evidence.deliveries.iter().filter(|other| other.posted_channel.is_some());
    let there = arrived.filter(|other| other.target == delivery.target);
    let known = there.filter_map(|other| other.finished_at).min();
    let is_unseen = |first: &Call, again: &Call| {
        let is_known = known.is_some_and(|known| known + RECORDED < again.at);
        let is_refused = evidence.looks.iter().any(|look| {
            let channel = look.args["channel"].as_str().and_then(|id| evidence.channels.get(id));
            matches!(look.fault, Some(Fault::Error(_)))
                && channel == Some(&delivery.target)
                && (first.at..=again.at).contains(&look.at)
        });
        !is_known || is_refused
    };
    let pairs = sent.windows(2).filter(|pair| is_lost(pair[0]) && is_unseen(pair[0], pair[1]));
    pairs.count()
}
