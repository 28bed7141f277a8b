//! `/esb-status [area or equipment]`: anyone views the status. `/esb-status help` explains it. `/esb-status job 12`:
//! staff view a job's status.

use crate::domain::ids::JobId;
use crate::ops::{OpError, jobs};
use crate::render::slack::jobs::job_text;
use crate::slack::context::{EdgeError, SlackContext};
use crate::slack::envelope::Command;
use crate::slack::intake::{Ack, Reference};
use crate::slack::modals::status::Screen;

pub(crate) async fn run(edge: &SlackContext, command: Command, ack: Ack, reference: &Reference) {
    ack.at_once().await;
    if let Err(error) = open(edge, &command).await {
        edge.reply_failure(&edge.reply_to(&command), error, reference).await;
    }
}

const HELP: &str = "`/esb-status` shows what does not work, area by area.\n\
    `/esb-status wood shop` shows one area, `/esb-status band saw` one machine, `/esb-status #17` the machine with that \
    number on its label.\n\
    Is something broken? `/esb-report band saw`";

/// Most lines of a job in the answer.
const LINES: u64 = 5;

async fn open(edge: &SlackContext, command: &Command) -> Result<(), EdgeError> {
    edge.admit(&command.sender).await?;
    let to = edge.reply_to(command);
    if command.text.trim().eq_ignore_ascii_case("help") {
        edge.tell(&to, HELP).await;
        return Ok(());
    }
    if let Some(id) = job_of(&command.text) {
        let words = describe_job(edge, command, id).await?;
        edge.tell(&to, &words).await;
        return Ok(());
    }
    let screen = Screen::named(edge, command.text.trim()).await?;
    let modal = screen.modal(edge, &command.sender, &to).await?;
    edge.api.views_open(&command.trigger_id, &modal.0).await?;
    Ok(())
}

/// The number in `job 12` or `job #12`.
fn job_of(text: &str) -> Option<JobId> {
    let mut words = text.split_whitespace();
    let (word, number) = (words.next()?, words.next()?);
    let is_job = word.eq_ignore_ascii_case("job") && words.next().is_none();
    is_job.then(|| number.trim_start_matches('#').parse().ok()).flatten()
}

async fn describe_job(edge: &SlackContext, command: &Command, id: JobId) -> Result<String, EdgeError> {
    let actor = edge.actor(&command.sender).await?;
    match jobs::job(&edge.ctx, &actor, id, LINES).await {
        Ok(details) => Ok(job_text(&details, edge.links.job(id).as_deref())),
        Err(OpError::NotFound) => {
            Ok(format!(":x: There is no job #{id}. Jobs are kept for 30 days after their end."))
        }
        Err(OpError::Forbidden) => Ok(":x: Only staff can look at jobs.".into()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn job_number_is_parsed_from_command_text() {
        for text in ["job 12", " Job  #12 ", "JOB 012"] {
            assert_eq!(job_of(text), Some(JobId(12)), "{text}");
        }
        for text in ["", "job", "12", "job x", "job 0", "job -1", "job 1 2", "jobs 1", "the job 1"] {
            assert_eq!(job_of(text), None, "{text}");
        }
    }
}
