//! Renders views as pages, through the templates of `templates/`. Pure: the caller passes the time. Independent of
//! requests; `web` calls it.

use crate::domain::board::BoardStatus;
use crate::domain::characters::without_bidi_controls;
use crate::domain::zone::Zone;
use chrono::{DateTime, NaiveDate, Utc};
use handlebars::{Handlebars, RenderError, TemplateError};
use rust_embed::Embed;
use serde::Serialize;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

mod admin;
mod area;
mod attachments;
mod board;
mod board_equipment;
mod controls;
mod equipment;
mod fields;
mod frame;
mod jobs;
mod new_repair;
mod public_equipment;
mod queue;
mod repair;
mod reported;
mod resubmit;
mod times;
mod users;

pub use admin::{AreasPage, AuditForm, NOUNS};
pub use area::PAGE_SIZE as AREA_PAGE_SIZE;
pub use board::BoardFilter;
pub use equipment::{EquipmentFilter, EquipmentPage};
pub use fields::{Field, FormPage, Group, Hidden, Input};
pub use frame::{Frame, NAVIGATION};
pub use jobs::JobFilter;
pub use new_repair::NewRepairPage;
pub use public_equipment::{FieldError, PublicEquipmentPage, ReportForm};
pub use queue::QueuePage;
pub use repair::{RepairForm, RepairPage};
pub use reported::ReportedPage;
pub use resubmit::{ResubmitFiles, ResubmitForm, is_typed};
pub use users::{SecretPage, TokensPage, UserForm, UserPage, UsersPage};

#[derive(Embed)]
#[folder = "templates/"]
struct Templates;

/// A template is invalid: a mistake in the build.
#[derive(Debug, thiserror::Error)]
pub enum TemplatesError {
    #[error("a template does not parse")]
    Parse(#[source] Box<TemplateError>),
    #[error("the template {0} is not UTF-8")]
    NotUtf8(String),
}

/// What all pages share.
#[derive(Debug, Clone)]
pub struct Site {
    /// The zone in which times are shown.
    pub timezone: Zone,
    pub assets: AssetUrls,
}

/// Addresses of the assets that pages use.
#[derive(Debug, Clone, Hash, Serialize)]
pub struct AssetUrls {
    pub stylesheet: String,
    /// Updates a board.
    pub board_script: String,
    /// Updates the page of a job.
    pub job_script: String,
    /// Shows times in the reader's time zone.
    pub time_script: String,
    pub icon: String,
}

/// An error page.
#[derive(Debug)]
pub struct Problem<'a> {
    pub title: &'a str,
    /// What happened and what to do.
    pub message: &'a str,
    /// The reference to give to staff, if they can help.
    pub reference: Option<&'a str>,
    /// What to do first, in a new tab: address and label.
    pub link: Option<(&'a str, &'a str)>,
    /// The rejected form.
    pub form: Option<ResubmitForm<'a>>,
}

#[derive(Serialize)]
struct ProblemShown<'a> {
    title: &'a str,
    message: &'a str,
    reference: Option<&'a str>,
    link: Option<LinkShown<'a>>,
    form: Option<resubmit::Shown<'a>>,
}

#[derive(Serialize)]
struct LinkShown<'a> {
    path: &'a str,
    words: &'a str,
}

/// The layout's data, with the page's own fields.
#[derive(Serialize)]
struct Page<'a, T> {
    page_title: &'a str,
    /// The script that updates the page, if any.
    script: Option<&'a str>,
    assets: &'a AssetUrls,
    frame: &'a Frame,
    #[serde(flatten)]
    content: &'a T,
}

/// Renders pages; cheap to clone.
#[derive(Debug, Clone)]
pub struct Html {
    registry: Arc<Handlebars<'static>>,
    site: Arc<Site>,
    frame: Frame,
}

impl Html {
    /// Parses the templates.
    pub fn new(site: Site) -> Result<Self, TemplatesError> {
        let mut registry = Handlebars::new();
        registry.set_strict_mode(true);
        registry.register_escape_fn(plain_text);
        for path in Templates::iter() {
            let file = Templates::get(&path).map(|file| file.data.into_owned()).unwrap_or_default();
            let text = String::from_utf8(file).map_err(|_| TemplatesError::NotUtf8(path.to_string()))?;
            let name = path.strip_suffix(".hbs").unwrap_or(&path);
            registry
                .register_template_string(name, text)
                .map_err(|error| TemplatesError::Parse(Box::new(error)))?;
        }
        Ok(Self { registry: Arc::new(registry), site: Arc::new(site), frame: Frame::default() })
    }

    /// Renders pages within this frame.
    pub fn framed(&self, frame: Frame) -> Self {
        Self { frame, ..self.clone() }
    }

    /// Distinguishes two sets of templates or assets.
    pub fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        for path in Templates::iter() {
            Templates::get(&path).map(|file| file.metadata.sha256_hash()).hash(&mut hasher);
        }
        self.site.assets.hash(&mut hasher);
        hasher.finish()
    }

    pub fn problem(&self, problem: &Problem<'_>) -> Result<String, RenderError> {
        let shown = ProblemShown {
            title: problem.title,
            message: problem.message,
            reference: problem.reference,
            link: problem.link.map(|(path, words)| LinkShown { path, words }),
            form: problem.form.as_ref().map(resubmit::Shown::from),
        };
        self.page("problem", problem.title, &shown)
    }

    fn page<T: Serialize>(&self, template: &str, title: &str, content: &T) -> Result<String, RenderError> {
        self.scripted_page(template, title, None, content)
    }

    /// A page that this script updates.
    fn scripted_page<T: Serialize>(
        &self,
        template: &str,
        title: &str,
        script: Option<&str>,
        content: &T,
    ) -> Result<String, RenderError> {
        let page = Page { page_title: title, script, assets: &self.site.assets, frame: &self.frame, content };
        self.registry.render(template, &page)
    }

    fn today(&self, now: DateTime<Utc>) -> NaiveDate {
        self.site.timezone.local(now).date()
    }
}

/// A status as templates use it: a class name for shape and color, and the word.
#[derive(Debug, Clone, Copy, Serialize)]
struct StatusMark {
    key: &'static str,
    word: &'static str,
}

impl From<BoardStatus> for StatusMark {
    fn from(status: BoardStatus) -> Self {
        Self { key: status.key(), word: status.word() }
    }
}

/// Escapes HTML and removes bidirectional control characters, which texts stored by older versions may still contain.
fn plain_text(text: &str) -> String {
    handlebars::html_escape(&without_bidi_controls(text))
}

/// "1 machine", "2 machines".
fn counted(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

#[cfg(test)]
mod every_page;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
