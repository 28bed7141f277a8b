//! Records which report arrived where and when, and the number of calls.

use crate::payloads::{after, value};
use crate::slack::{Arrival, SlackCall};
use anyhow::Context;
use std::collections::HashMap;
use std::time::Instant;

/// The channel that gets every report.
const EVERYTHING: &str = "#oops";
/// Prefix of every description.
const MARK: &str = "Lanes report ";

/// The description that identifies a report in its messages.
pub(super) fn description(number: usize) -> String {
    format!("{MARK}{number:04}")
}

/// All messages that arrived.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// By report, in the channel of its area.
    in_area: HashMap<usize, Instant>,
    /// By report, in `#oops`.
    in_oops: HashMap<usize, Instant>,
    /// To people, with the person.
    direct: Vec<(String, Instant)>,
    /// Messages, edits and searches for messages, refused ones included.
    pub(super) calls: usize,
    /// Of these, the ones that Slack refused.
    pub(super) refused: usize,
    /// Duplicate messages of a report in a channel.
    pub(super) repeated: usize,
}

impl Ledger {
    /// Records an arrival. Returns it if it is not a message.
    pub(super) fn note(&mut self, arrival: Arrival) -> anyhow::Result<Option<SlackCall>> {
        match arrival.what {
            SlackCall::Posted(body) => {
                self.calls += 1;
                self.note_message(&body, arrival.at)?;
            }
            SlackCall::Refused => {
                self.calls += 1;
                self.refused += 1;
            }
            SlackCall::Edited(_) | SlackCall::Searched => self.calls += 1,
            other => return Ok(Some(other)),
        }
        Ok(None)
    }

    fn note_message(&mut self, body: &[u8], at: Instant) -> anyhow::Result<()> {
        let channel = value(body, "channel").context("a message without a channel")?;
        let channel = std::str::from_utf8(channel)?;
        if !channel.starts_with('#') {
            self.direct.push((channel.to_owned(), at));
            return Ok(());
        }
        let digits = after(body, MARK.as_bytes()).and_then(|rest| rest.get(..4));
        let digits = digits.with_context(|| format!("{channel} got a message about no report"))?;
        let number = std::str::from_utf8(digits)?.parse()?;
        let arrived = if channel == EVERYTHING { &mut self.in_oops } else { &mut self.in_area };
        // The first one counts.
        let first = *arrived.entry(number).or_insert(at);
        self.repeated += usize::from(first != at);
        Ok(())
    }

    /// When a report arrived in the channel of its area.
    pub(super) fn in_area(&self, report: usize) -> Option<Instant> {
        self.in_area.get(&report).copied()
    }

    /// When the first message to a person arrived.
    pub(super) fn direct(&self, person: &str) -> Option<Instant> {
        self.direct.iter().find(|(to, _)| to == person).map(|(_, at)| *at)
    }

    /// Arrivals of these reports in the channels of their areas, earliest first.
    pub(super) fn area_times(&self, reports: impl Iterator<Item = usize>) -> Vec<Instant> {
        times(&self.in_area, reports)
    }

    /// Arrivals of these reports in `#oops`, earliest first.
    pub(super) fn oops_times(&self, reports: impl Iterator<Item = usize>) -> Vec<Instant> {
        times(&self.in_oops, reports)
    }
}

fn times(arrived: &HashMap<usize, Instant>, reports: impl Iterator<Item = usize>) -> Vec<Instant> {
    let mut times: Vec<Instant> = reports.filter_map(|report| arrived.get(&report).copied()).collect();
    times.sort();
    times
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn arrival(what: fn(Bytes) -> SlackCall, channel: &str, text: &str) -> Arrival {
        let body = format!(r#"{{"channel":"{channel}","text":"{text}"}}"#);
        Arrival { at: Instant::now(), what: what(body.into()) }
    }

    #[test]
    fn messages_are_counted_by_report_and_channel() {
        let mut ledger = Ledger::default();
        let text = format!("*{}*", description(7));
        for channel in ["#woodshop", EVERYTHING, EVERYTHING] {
            ledger.note(arrival(SlackCall::Posted, channel, &text)).unwrap();
        }
        ledger.note(Arrival { at: Instant::now(), what: SlackCall::Refused }).unwrap();
        ledger.note(arrival(SlackCall::Posted, "TOM", "Your password")).unwrap();
        assert!(ledger.in_area(7).is_some() && ledger.in_area(8).is_none());
        assert!(ledger.direct("TOM").is_some() && ledger.direct("ANA").is_none());
        assert_eq!((ledger.area_times(0..9).len(), ledger.oops_times(0..9).len()), (1, 1));
        assert_eq!((ledger.calls, ledger.refused, ledger.repeated), (5, 1, 1));
    }

    #[test]
    fn message_about_no_report_is_an_error() {
        assert!(Ledger::default().note(arrival(SlackCall::Posted, "#woodshop", "Hello")).is_err());
    }
}
