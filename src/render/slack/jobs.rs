//! Jobs in private messages: the answer to a request, and the message that tracks a job to its end.

use super::mrkdwn::{escape_within, line, line_within, time};
use super::{Blocks, BlocksError, Message};
use crate::domain::job::JobState;
use crate::views::jobs::{JobDetails, JobMessage, JobView};
use serde::Serialize;

/// Most characters of a name or activity.
const LINE_MAX: usize = 200;
/// Most characters of a job's output or error.
const TEXT_MAX: usize = 500;
/// Most characters of an error or wait reason in a section of its own.
const WHY_MAX: usize = 2500;

/// State, step n of m, current activity, and the latest lines, oldest first. `link` is the job's page.
pub fn job_text(details: &JobDetails, link: Option<&str>) -> String {
    let job = &details.job;
    let mut lines = vec![
        format!("*Job #{}* · {} · {}", job.id, line(&job.kind, LINE_MAX), job.state.word()),
        format!("Step {} of {} done", job.step, job.steps),
    ];
    if !job.activity.is_empty() {
        lines[1].push_str(&format!(": {}", line(&job.activity, LINE_MAX)));
    }
    if job.is_ending {
        lines.push("Canceled: it ends after this step.".into());
    }
    lines.extend(job.failure.as_ref().map(|why| format!("Why it failed: {}", escape_within(why, TEXT_MAX))));
    lines.extend(details.lines.iter().rev().map(|update| format!("• {}", line(&update.text, TEXT_MAX))));
    lines.extend(link.map(|link| format!("<{link}|Open its page>")));
    lines.join("\n")
}

/// Links in a job's message; those that the recipient may not open are omitted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobLinks {
    pub job: Option<String>,
    pub repair: Option<String>,
}

#[derive(Serialize)]
struct JobMessageContent {
    header: String,
    progress: String,
    why: Option<String>,
    footer: String,
}

impl Blocks {
    /// The message to the person who started a job, with its current state.
    pub fn job_message(&self, message: &JobMessage, links: &JobLinks) -> Result<Message, BlocksError> {
        let job = &message.job;
        let why = job.failure.as_ref().or(job.waits_because.as_ref());
        let content = JobMessageContent {
            header: header(message, links),
            progress: progress(job),
            // Three backticks would turn the following text into code.
            why: why.map(|why| escape_within(&why.replace("```", "'''"), WHY_MAX)),
            footer: footer(job, links),
        };
        let why = content.why.as_ref().map(|why| format!("{why}\n")).unwrap_or_default();
        let text = format!("{}\n{}\n{why}{}", content.header, content.progress, content.footer);
        Ok(Message::new(text, self.fill("job_message", &content)?))
    }
}

fn header(message: &JobMessage, links: &JobLinks) -> String {
    let icon = match message.job.state {
        JobState::Queued | JobState::Running => ":hourglass_flowing_sand:",
        JobState::Succeeded => ":white_check_mark:",
        JobState::Failed => ":x:",
        JobState::Cancelled => ":no_entry_sign:",
    };
    let about = line_within(message.about.as_ref().unwrap_or(&message.job.kind), LINE_MAX);
    match &links.repair {
        Some(link) => format!("{icon} *<{link}|{about}>*"),
        None => format!("{icon} *{about}*"),
    }
}

/// The steps done and the current activity.
fn progress(job: &JobView) -> String {
    let (of, activity) = (format!("{} of {}", job.step, job.steps), line_within(&job.activity, LINE_MAX));
    match job.state {
        JobState::Queued => match job.next_try {
            Some(at) => format!("{of} done. It waits, and is tried again from {} on.", time(at)),
            None => format!("{of} done. Next: {activity}"),
        },
        JobState::Running if job.is_ending => {
            format!("{of} done. It ends after this step (canceled): {activity}")
        }
        JobState::Running => format!("{of} done. Now: {activity}"),
        JobState::Succeeded => format!("{of} done."),
        JobState::Failed => format!("It failed after {of} steps."),
        JobState::Cancelled => format!("Canceled after {of} steps. Finished steps stay."),
    }
}

/// The job's id, and the available actions.
fn footer(job: &JobView, links: &JobLinks) -> String {
    let next = match (job.state, &links.job) {
        (JobState::Failed, Some(link)) => {
            format!(" · put right what is said here, then <{link}|resume it on its page>")
        }
        (JobState::Failed, None) => " · staff can put right what is said here and resume it".into(),
        (_, Some(link)) => format!(" · <{link}|open its page>"),
        (_, None) => String::new(),
    };
    format!("Job #{}{next}", job.id)
}
