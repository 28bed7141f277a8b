//! The life of a job: long work in steps, each of which may be done again. What kinds there are, what each
//! is given, and what becomes of a step that failed.
//!
//! ```text
//! queued ──lease──► running ──step──► running … ──last step──► succeeded
//!   ▲                  ├─a step failed, in passing──► queued, due later
//!   │                  ├─for good, or for a day──► failed
//!   ├──cancel──────────┴─cancel, between steps──► cancelled
//!   └──resume, from the last checkpoint── failed, cancelled
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

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))")]
pub enum JobState {
    /// Waits for its turn, or for the next try.
    #[sea_orm(string_value = "queued")]
    Queued,
    /// A worker is at it.
    #[sea_orm(string_value = "running")]
    Running,
    /// Done.
    #[sea_orm(string_value = "succeeded")]
    Succeeded,
    /// Given up; it says why.
    #[sea_orm(string_value = "failed")]
    Failed,
    /// Somebody ended it.
    #[sea_orm(string_value = "cancelled")]
    Cancelled,
}

impl JobState {
    /// All of them, in the order of a life.
    pub const ALL: [Self; 5] = [Self::Queued, Self::Running, Self::Succeeded, Self::Failed, Self::Cancelled];

    /// The word of addresses and metrics.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The word that people read.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Queued => "Queued",
            Self::Running => "Running",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Cancelled => "Cancelled",
        }
    }

    /// The state of that key.
    pub fn of_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.key() == key)
    }

    /// True when nothing more happens by itself.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }

    /// True when somebody may ask for its end.
    pub const fn may_be_cancelled(self) -> bool {
        matches!(self, Self::Queued | Self::Running)
    }

    /// True when it can go on from its checkpoint.
    pub const fn may_be_resumed(self) -> bool {
        matches!(self, Self::Failed | Self::Cancelled)
    }
}

/// What kind of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JobKind {
    /// Photos from Slack to a repair, a step each.
    FetchPhotos,
}

impl JobKind {
    pub const ALL: [Self; 1] = [Self::FetchPhotos];

    /// The word that is stored, and that addresses and metrics use.
    pub const fn key(self) -> &'static str {
        match self {
            Self::FetchPhotos => "fetch_photos",
        }
    }

    /// The words that people read.
    pub const fn words(self) -> &'static str {
        match self {
            Self::FetchPhotos => "Photos from Slack",
        }
    }

    /// The kind of that key.
    pub fn of_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.key() == key)
    }
}

/// What a job is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// Photos from Slack to a repair.
    FetchPhotos(FetchPhotos),
}

/// Why stored work cannot be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownWork {
    /// Another version's kind.
    #[error(
        "This version of ESB does not know jobs of the kind “{0}”. Install the version that started it, \
         then resume the job."
    )]
    Kind(String),
    /// A known kind, of another version's shape.
    #[error("This version of ESB cannot read the job's input. Please start the work again.")]
    Input,
}

impl Work {
    pub const fn kind(&self) -> JobKind {
        match self {
            Self::FetchPhotos(_) => JobKind::FetchPhotos,
        }
    }

    /// How many steps it takes, as far as is known before the first.
    pub const fn steps(&self) -> usize {
        match self {
            Self::FetchPhotos(work) => work.photos.len(),
        }
    }

    /// What it is at in its first step.
    pub fn begins_with(&self) -> String {
        match self {
            Self::FetchPhotos(work) => work.photos.first().map(PhotoSource::activity).unwrap_or_default(),
        }
    }

    /// What it does, for the person who started it.
    pub fn about(&self) -> String {
        match self {
            Self::FetchPhotos(work) => format!("Photos for repair #{}", work.repair),
        }
    }

    /// The repair that it does it for.
    pub const fn repair(&self) -> RepairId {
        match self {
            Self::FetchPhotos(work) => work.repair,
        }
    }

    /// What it is given, as it is stored.
    pub fn input(&self) -> Result<String, serde_json::Error> {
        match self {
            Self::FetchPhotos(work) => serde_json::to_string(work),
        }
    }

    /// Reads what is stored.
    ///
    /// # Errors
    /// Why it cannot be done, in words for people.
    pub fn read(kind: &str, input: &str) -> Result<Self, UnknownWork> {
        match JobKind::of_key(kind).ok_or_else(|| UnknownWork::Kind(kind.to_owned()))? {
            JobKind::FetchPhotos => {
                serde_json::from_str(input).map(Self::FetchPhotos).map_err(|_| UnknownWork::Input)
            }
        }
    }
}

/// Photos of one submission, to be put on a repair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchPhotos {
    pub repair: RepairId,
    /// Where they are; a step each.
    pub photos: Vec<PhotoSource>,
}

/// A file that Slack has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhotoSource {
    /// Slack's id of it, such as `F012ABCDEF`: the same file is put on a repair once.
    pub file_id: String,
    /// Slack's `url_private`; none where Slack has to be asked for it first.
    pub url: Option<String>,
    /// What its owner called it.
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
    /// Other numbers of them.
    pub fn new(repair: RepairId, photos: Vec<PhotoSource>) -> Result<Self, Refusal> {
        if (1..=PHOTOS_MAX).contains(&photos.len()) {
            return Ok(Self { repair, photos });
        }
        Err(Refusal::on("photos", format!("Please send 1 to {PHOTOS_MAX} photos at a time.")))
    }
}

impl PhotoSource {
    /// A file as Slack names it. What nobody could see is left out of the name.
    ///
    /// # Errors
    /// An id or address that is none of Slack's.
    pub fn new(file_id: &str, url: &str, name: &str) -> Result<Self, Refusal> {
        let is_url = (1..=URL_MAX).contains(&url.len()) && url.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_url {
            return Err(nowhere());
        }
        Ok(Self { url: Some(url.to_owned()), ..Self::to_look_up(file_id, name)? })
    }

    /// A file of which Slack has sent no more than this.
    ///
    /// # Errors
    /// An id that is none of Slack's.
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

    /// What people read while it is fetched.
    pub fn activity(&self) -> String {
        format!("Fetching {}", self.name)
    }
}

fn nowhere() -> Refusal {
    Refusal::on("photos", "Slack did not say where this file is. Please send it again.")
}

/// Why a step was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepFailure {
    /// Nothing is wrong with the work: network, overload, a rate limit. The same may work in a while.
    Passing {
        /// Words for people.
        why: String,
        /// How long the refusing service asked us to wait.
        wait: Option<TimeDelta>,
    },
    /// The same would fail again.
    Final {
        /// Words for people.
        why: String,
    },
}

/// A step that has lost this many workers is given up as the cause.
pub const LOSSES_MAX: i64 = 5;

/// How long a step is tried.
const TRIED_FOR: TimeDelta = TimeDelta::days(1);

/// When a step is tried again that failed in passing, `failures` times before and for the first time at
/// `failing_since`; `None`: it is given up. A wait that was asked for does not lengthen the next one.
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
    fn keys_and_words_name_one_each() {
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
