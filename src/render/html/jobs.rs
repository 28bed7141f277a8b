//! Jobs: the list, and the page of one job, which updates itself.

use super::Html;
use super::controls::{Choice, Pager};
use super::times::Moment;
use crate::domain::ids::JobId;
use crate::domain::job::{JobKind, JobState};
use crate::domain::zone::Zone;
use crate::views::jobs::{JobDetails, JobLine, JobView, JobsView};
use handlebars::RenderError;
use serde::Serialize;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct JobFilter {
    pub state: Option<JobState>,
    pub kind: Option<JobKind>,
}

impl JobFilter {
    /// The address of the jobs that are older than this one.
    fn older(self, than: JobId) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(self.state.map(|state| ("state", state.key())));
        query.extend_pairs(self.kind.map(|kind| ("kind", kind.key())));
        query.append_pair("before", &than.to_string());
        format!("/admin/jobs?{}", query.finish())
    }
}

#[derive(Serialize)]
struct Jobs<'a> {
    states: Vec<Choice>,
    kinds: Vec<Choice>,
    is_set: bool,
    jobs: Vec<JobShown<'a>>,
    pager: Option<Pager>,
}

#[derive(Serialize)]
struct JobPage<'a> {
    /// Changes whenever the job changes.
    version: i64,
    is_over: bool,
    job: JobShown<'a>,
    lines: Vec<Line<'a>>,
    csrf_token: &'a str,
}

#[derive(Serialize)]
struct JobShown<'a> {
    id: JobId,
    kind: &'a str,
    state: &'static str,
    is_failed: bool,
    is_ending: bool,
    progress: String,
    step: i64,
    steps: i64,
    failure: Option<&'a str>,
    next_try: Option<Moment>,
    starter: &'a str,
    created: Moment,
    may_cancel: bool,
    may_resume: bool,
}

#[derive(Serialize)]
struct Line<'a> {
    text: &'a str,
    at: Moment,
}

impl Html {
    pub fn jobs(&self, view: &JobsView, filter: JobFilter) -> Result<String, RenderError> {
        let states =
            JobState::ALL.map(|state| Choice::new(state.key(), state.word(), filter.state == Some(state)));
        let kinds = JobKind::ALL.map(|kind| Choice::new(kind.key(), kind.words(), filter.kind == Some(kind)));
        let content = Jobs {
            states: states.into(),
            kinds: kinds.into(),
            is_set: filter != JobFilter::default(),
            jobs: view.jobs.iter().map(|job| shown(job, &self.site.timezone)).collect(),
            pager: view.older_than.map(|id| Pager::older(filter.older(id))),
        };
        self.page("jobs", "Jobs", &content)
    }

    pub fn job<'a>(&self, details: &'a JobDetails, csrf_token: &'a str) -> Result<String, RenderError> {
        let (job, zone) = (&details.job, &self.site.timezone);
        let line = |line: &'a JobLine| Line { text: &line.text, at: Moment::new(line.at, zone) };
        let content = JobPage {
            version: job.updated_at.timestamp_micros(),
            is_over: job.state.is_over(),
            job: shown(job, zone),
            lines: details.lines.iter().map(line).collect(),
            csrf_token,
        };
        let script = (!job.state.is_over()).then_some(self.site.assets.job_script.as_str());
        self.scripted_page("job", &format!("Job #{}", job.id), script, &content)
    }
}

fn shown<'a>(job: &'a JobView, zone: &Zone) -> JobShown<'a> {
    let next = if job.activity.is_empty() { String::new() } else { format!(": {}", job.activity) };
    JobShown {
        id: job.id,
        kind: &job.kind,
        state: job.state.word(),
        is_failed: job.state == JobState::Failed,
        is_ending: job.is_ending,
        progress: format!("Step {} of {} done{next}", job.step, job.steps),
        step: job.step,
        steps: job.steps,
        failure: job.failure.as_deref(),
        next_try: job.next_try.map(|at| Moment::new(at, zone)),
        starter: &job.starter,
        created: Moment::new(job.created_at, zone),
        may_cancel: job.state.may_be_cancelled() && !job.is_ending,
        may_resume: job.state.may_be_resumed(),
    }
}
