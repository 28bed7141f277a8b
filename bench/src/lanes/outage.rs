//! Slack refuses messages for a while with reports waiting, then accepts them.

use super::ledger::Ledger;
use super::{BUSY_AREAS, Form, closed_form};
use crate::esb::{Area, Installation};
use crate::figures::Figures;
use crate::slack::{Slack, SlackCall};
use std::collections::HashSet;
use std::time::{Duration, Instant};

/// Pending reports, distributed over the busy areas.
const REPORTS: usize = 12;
/// Longest wait for an arrival before the clock is checked.
const STEP: Duration = Duration::from_millis(20);

pub(super) async fn play(
    installation: &mut Installation,
    areas: &[Area],
    outage: Duration,
    limit: Duration,
    figures: &mut Figures,
) -> anyhow::Result<()> {
    let slack = &mut installation.slack;
    let forms = Form::open_many(slack, areas, REPORTS).await?;
    slack.behavior.set_down(true);
    let (began, mut ledger, mut open) = (Instant::now(), Ledger::default(), HashSet::new());
    for form in &forms {
        open.insert(form.submit(slack)?);
    }
    while began.elapsed() < outage {
        note_next(slack, &mut ledger, &mut open).await?;
    }
    anyhow::ensure!(open.is_empty(), "{} reports were not acknowledged", open.len());
    let calls = ledger.calls;
    slack.behavior.set_down(false);
    let recovered = Instant::now();
    let are_all_there = |ledger: &Ledger| {
        ledger.area_times(0..REPORTS).len() + ledger.oops_times(0..REPORTS).len() == 2 * REPORTS
    };
    while !are_all_there(&ledger) && recovered.elapsed() < limit {
        note_next(slack, &mut ledger, &mut open).await?;
    }
    add_figures(&ledger, calls, outage, recovered, figures);
    Ok(())
}

async fn note_next(slack: &mut Slack, ledger: &mut Ledger, open: &mut HashSet<u64>) -> anyhow::Result<()> {
    let Some(arrival) = slack.next_within(STEP).await? else { return Ok(()) };
    match ledger.note(arrival)? {
        Some(SlackCall::Acknowledged(text)) => {
            open.remove(&closed_form(&text)?);
        }
        None | Some(SlackCall::PrivateAnswer(_)) => {}
        Some(other) => anyhow::bail!("a report caused {other:?}"),
    }
    Ok(())
}

fn add_figures(ledger: &Ledger, calls: usize, outage: Duration, recovered: Instant, figures: &mut Figures) {
    let count = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    let (areas, oops) = (ledger.area_times(0..REPORTS), ledger.oops_times(0..REPORTS));
    let since = |at: Option<&Instant>, is_whole: bool| match at.filter(|_| is_whole) {
        Some(at) => at.saturating_duration_since(recovered).as_secs_f64(),
        None => f64::NAN,
    };
    figures.add("outage", "s", outage.as_secs_f64());
    figures.add("calls during the outage", "", count(calls));
    let first = [areas.first(), oops.first()].into_iter().flatten().min();
    figures.add("recovery to the first message", "s", since(first, true));
    let whole = |times: &[Instant]| since(times.last(), times.len() == REPORTS);
    // The first message of a channel is not delayed.
    let floor = count(REPORTS / BUSY_AREAS - 1);
    figures.compare("recovery to all 12 in the areas' channels", "s", whole(&areas), floor);
    figures.compare("recovery to all 12 in #oops", "s", whole(&oops), count(REPORTS - 1));
    figures.add("calls in all", "", count(ledger.calls));
    figures.add("messages sent twice", "", count(ledger.repeated));
}
