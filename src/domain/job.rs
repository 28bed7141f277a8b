//! The life of a job: long work in steps, each of which may be repeated. Kinds, inputs, and what to do after a
//! failed step.
//!
//! ```text
//! queued ──lease──► running ──step──► running … ──last step──► succeeded
//!   ▲                  ├─transient failure──► queued, due later
//!   │                  ├─final failure, or for a day──► failed
//!   ├──cancel──────────┴─cancel, between steps──► canceled
//!   └──resume, from the last checkpoint── failed, canceled
//! ```

use crate::domain::characters::without_unseen_in_name;
use crate::domain::delivery::wait;
use crate::domain::ids::RepairId;
use crate::domain::refusal::Refusal;
use crate::domain::text::cut;
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::prelude::StringLen;
use sea_orm::{DeriveActiveEnum, EnumIter};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))")]
pub enum JobState {
    /// Waits for a worker, or for a retry.
    #[sea_orm(string_value = "queued")]
    Queued,
    #[sea_orm(string_value = "running")]
    Running,
    #[sea_orm(string_value = "succeeded")]
    Succeeded,
    /// Given up, with a reason.
    #[sea_orm(string_value = "failed")]
    Failed,
    #[sea_orm(string_value = "cancelled")]
    Cancelled,
}

impl JobState {
    /// All of them, in the order of a life.
    pub const ALL: [Self; 5] = [Self::Queued, Self::Running, Self::Succeeded, Self::Failed, Self::Cancelled];

    /// The word in addresses and metrics.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The word on pages.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Queued => "Queued",
            Self::Running => "Running",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Cancelled => "Cancelled",
        }
    }

    pub fn of_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.key() == key)
    }

    /// True when the job has ended; staff may resume it.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }

    pub const fn may_be_cancelled(self) -> bool {
        matches!(self, Self::Queued | Self::Running)
    }

    pub const fn may_be_resumed(self) -> bool {
        matches!(self, Self::Failed | Self::Cancelled)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JobKind {
    /// Photos from Slack to a repair, one step each.
    FetchPhotos,
}

impl JobKind {
    pub const ALL: [Self; 1] = [Self::FetchPhotos];

    /// The word in the database, addresses and metrics.
    pub const fn key(self) -> &'static str {
        match self {
            Self::FetchPhotos => "fetch_photos",
        }
    }

    /// The words on pages.
    pub const fn words(self) -> &'static str {
        match self {
            Self::FetchPhotos => "Photos from Slack",
        }
    }

    pub fn of_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.key() == key)
    }
}

/// The input of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// Photos from Slack to a repair.
    FetchPhotos(FetchPhotos),
}

/// Why stored work cannot be run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownWork {
    /// A kind of another version.
    #[error(
        "This version of ESB does not know jobs of the kind “{0}”. Install the version that started it, \
         then resume the job."
    )]
    Kind(String),
    /// A known kind with another version's format.
    #[error("This version of ESB cannot read the job's input. Please start the work again.")]
    Input,
}

impl Work {
    pub const fn kind(&self) -> JobKind {
        match self {
            Self::FetchPhotos(_) => JobKind::FetchPhotos,
        }
    }

    /// Number of steps, as estimated before the first.
    pub const fn steps(&self) -> usize {
        match self {
            Self::FetchPhotos(work) => work.photos.len(),
        }
    }

    /// Activity of the first step.
    pub fn begins_with(&self) -> String {
        match self {
            Self::FetchPhotos(work) => work.photos.first().map(PhotoSource::activity).unwrap_or_default(),
        }
    }

    /// Description for the person who started it.
    pub fn about(&self) -> String {
        match self {
            Self::FetchPhotos(work) => format!("Photos for repair #{}", work.repair),
        }
    }

    /// The repair that the job works for.
    pub const fn repair(&self) -> RepairId {
        match self {
            Self::FetchPhotos(work) => work.repair,
        }
    }

    /// The stored input.
    pub fn input(&self) -> Result<String, serde_json::Error> {
        match self {
            Self::FetchPhotos(work) => serde_json::to_string(work),
        }
    }

    /// Parses a stored job.
    ///
    /// # Errors
    /// Why it cannot be run, in words for people.
    pub fn read(kind: &str, input: &str) -> Result<Self, UnknownWork> {
        match JobKind::of_key(kind).ok_or_else(|| UnknownWork::Kind(kind.to_owned()))? {
            JobKind::FetchPhotos => {
                serde_json::from_str(input).map(Self::FetchPhotos).map_err(|_| UnknownWork::Input)
            }
        }
    }
}

/// Photos of one submission, to add to a repair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchPhotos {
    pub repair: RepairId,
    /// One step each.
    pub photos: Vec<PhotoSource>,
}

/// A file in Slack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhotoSource {
    /// Slack's file id, such as `F012ABCDEF`: the same file is added to a repair once.
    pub file_id: String,
    /// Slack's `url_private`; `None` if it must be looked up first.
    pub url: Option<String>,
    /// The owner's name for it.
    pub name: String,
}

/// Most files of one message (a Slack limit).
const PHOTOS_MAX: usize = 10;
/// Longest id of a file in bytes; Slack's have about 11.
const FILE_ID_MAX: usize = 64;
/// Longest address in bytes.
const URL_MAX: usize = 2000;
/// Longest name in characters.
const NAME_MAX: usize = 120;

impl FetchPhotos {
    /// One to ten photos.
    ///
    /// # Errors
    /// There are none, or more than ten.
    pub fn new(repair: RepairId, photos: Vec<PhotoSource>) -> Result<Self, Refusal> {
        if (1..=PHOTOS_MAX).contains(&photos.len()) {
            return Ok(Self { repair, photos });
        }
        Err(Refusal::on("photos", format!("Please send 1 to {PHOTOS_MAX} photos at a time.")))
    }
}

impl PhotoSource {
    /// A file as Slack describes it. Removes invisible characters from the name.
    ///
    /// # Errors
    /// An id or address that is not one of Slack's.
    pub fn new(file_id: &str, url: &str, name: &str) -> Result<Self, Refusal> {
        let is_url = (1..=URL_MAX).contains(&url.len()) && url.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_url {
            return Err(nowhere());
        }
        Ok(Self { url: Some(url.to_owned()), ..Self::to_look_up(file_id, name)? })
    }

    /// A file whose address Slack has not sent.
    ///
    /// # Errors
    /// An id that is not one of Slack's.
    pub fn to_look_up(file_id: &str, name: &str) -> Result<Self, Refusal> {
        let is_id = (1..=FILE_ID_MAX).contains(&file_id.len())
            && file_id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        if !is_id {
            return Err(nowhere());
        }
        let name: String = without_unseen_in_name(name).chars().filter(|c| !c.is_control()).collect();
        let name = if name.trim().is_empty() { file_id.to_owned() } else { cut(name.trim(), NAME_MAX) };
        Ok(Self { file_id: file_id.to_owned(), url: None, name })
    }

    /// The activity while it is fetched.
    pub fn activity(&self) -> String {
        format!("Fetching {}", self.name)
    }
}

fn nowhere() -> Refusal {
    Refusal::on("photos", "Slack did not say where this file is. Please send it again.")
}

/// Why a step failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepFailure {
    /// A transient failure: network, overload, a rate limit. A retry may work.
    Passing {
        /// Words for people.
        why: String,
        /// Delay that the service requested.
        wait: Option<TimeDelta>,
    },
    /// A retry would fail again.
    Final {
        /// Words for people.
        why: String,
    },
}

/// Lost workers after which a step is given up as the cause.
pub const LOSSES_MAX: i64 = 5;

/// How long a step is retried.
const TRIED_FOR: TimeDelta = TimeDelta::days(1);

/// When to retry a step after a transient failure, with `failures` earlier ones, the first at `failing_since`;
/// `None`: give up. A requested delay does not lengthen the next one.
pub fn next_try(
    failures: i64,
    failing_since: DateTime<Utc>,
    asked: Option<TimeDelta>,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let at = now + wait(failures, asked);
    (at <= failing_since + TRIED_FOR).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn job_keys_and_words_are_unique() {
        for state in JobState::ALL {
            assert_eq!(JobState::of_key(state.key()), Some(state));
            assert_eq!(state.word().to_lowercase(), state.key());
            assert!(state.may_be_cancelled() != state.is_over());
            assert!(!state.may_be_resumed() || state.is_over());
        }
        for kind in JobKind::ALL {
            assert_eq!(JobKind::of_key(kind.key()), Some(kind));
        }
        assert_eq!((JobState::of_key(""), JobKind::of_key("other")), (None, None));
    }

    #[test]
    fn step_is_retried_for_a_day() {
        let start = DateTime::UNIX_EPOCH;
        for (failures, seconds) in [30, 60, 120, 300, 900, 3600, 3600].into_iter().enumerate() {
            let next = next_try(i64::try_from(failures).unwrap(), start, None, start);
            assert_eq!(next, Some(start + TimeDelta::seconds(seconds)));
        }
        assert_eq!(
            next_try(0, start, Some(TimeDelta::seconds(7)), start),
            Some(start + TimeDelta::seconds(7))
        );
        let last = start + TRIED_FOR - TimeDelta::hours(1);
        assert_eq!(next_try(30, start, None, last), Some(start + TRIED_FOR));
        assert_eq!(next_try(30, start, None, last + TimeDelta::seconds(1)), None);
        assert_eq!(next_try(0, start, Some(TimeDelta::hours(1)), last + TimeDelta::seconds(1)), None);
    }

    #[test]
    fn job_input_round_trips_and_unknown_kind_fails() {
        let photo = PhotoSource::new("F1", "https://files.slack.com/a.jpg", "a.jpg").unwrap();
        let work = Work::FetchPhotos(FetchPhotos::new(RepairId(7), vec![photo]).unwrap());
        assert_eq!((work.about().as_str(), work.repair()), ("Photos for repair #7", RepairId(7)));
        assert_eq!(Work::read(work.kind().key(), &work.input().unwrap()), Ok(work));
        let unknown = Work::read("bake_bread", "{}").unwrap_err();
        assert!(unknown.to_string().contains("does not know jobs of the kind “bake_bread”"));
        assert_eq!(Work::read("fetch_photos", "{}"), Err(UnknownWork::Input));
    }

    #[test]
    fn file_job_lists_slack_ids_within_limit() {
        let url = "https://files.slack.com/x";
        for (id, url) in
            [("", url), ("F 1", url), ("F\0", url), (&"F".repeat(65), url), ("F1", ""), ("F1", "a b")]
        {
            assert!(PhotoSource::new(id, url, "x").is_err(), "{id} {url}");
        }
        let named = |name: &str| PhotoSource::new("F1", url, name).unwrap().name;
        assert_eq!((named(" a\0\n.jpg "), named("\t")), ("a.jpg".into(), "F1".into()));
        assert_eq!(named(&"x".repeat(500)).chars().count(), NAME_MAX);
        let unnamed = PhotoSource::to_look_up("F1", " ").unwrap();
        assert_eq!((unnamed.url, unnamed.name.as_str()), (None, "F1"));
        assert!(PhotoSource::to_look_up("F 1", "x").is_err());
        let photo = PhotoSource::new("F1", url, "x").unwrap();
        for (count, fits) in [(0, false), (1, true), (10, true), (11, false)] {
            assert_eq!(FetchPhotos::new(RepairId(1), vec![photo.clone(); count]).is_ok(), fits, "{count}");
        }
    }
}
