//! A job as a private message tells it.

use super::mrkdwn::{escape_within, line};
use crate::views::jobs::JobDetails;

/// Most characters of a name or activity.
const LINE_MAX: usize = 200;
/// Most characters of what a job wrote or why it failed.
const TEXT_MAX: usize = 500;

/// State, step n of m, what it is at, and its latest lines, the oldest of them first. `link` leads to its page.
pub fn told(details: &JobDetails, link: Option<&str>) -> String {
    let job = &details.job;
    let mut lines = vec![
        format!("*Job #{}* · {} · {}", job.id, line(&job.kind, LINE_MAX), job.state.word()),
        format!("Step {} of {} done", job.step, job.steps),
    ];
    if !job.activity.is_empty() {
        lines[1].push_str(&format!(": {}", line(&job.activity, LINE_MAX)));
    }
    if job.is_ending {
        lines.push("It ends after this step: somebody cancelled it.".into());
    }
    lines.extend(job.failure.as_ref().map(|why| format!("Why it failed: {}", escape_within(why, TEXT_MAX))));
    lines.extend(details.lines.iter().rev().map(|update| format!("• {}", line(&update.text, TEXT_MAX))));
    lines.extend(link.map(|link| format!("<{link}|Open its page>")));
    lines.join("\n")
}
