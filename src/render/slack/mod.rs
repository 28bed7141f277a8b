//! Block Kit: one template of `blocks/` per surface, filled with views. Text from people goes through [`mrkdwn`] or
//! into `plain_text`; the limits are Slack's, documented at their constants.

pub use inputs::PHOTOS_MAX;

use crate::domain::characters::without_bidi_controls;
use chrono::NaiveDate;
use handlebars::Handlebars;
use rust_embed::RustEmbed;
use serde::Serialize;
use serde_json::Value;
use std::fmt;

pub mod announcement;
mod answers;
pub mod home;
mod inputs;
pub mod jobs;
pub mod mrkdwn;
mod offer;
mod options;
mod paging;
pub mod repair_forms;
pub mod report;
mod resolve;
pub mod status;
mod status_equipment;
mod temporary_password;

#[derive(RustEmbed)]
#[folder = "blocks/"]
struct Templates;

/// A view for `views.open`, `views.update` or an acknowledgement.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Modal(pub Value);

impl Modal {
    /// Sets `private_metadata`; at most 3000 characters.
    #[must_use]
    pub fn keeping(mut self, private_metadata: String) -> Self {
        self.0["private_metadata"] = private_metadata.into();
        self
    }
}

/// Most bytes of a message's text: `chat.update` answers `msg_too_long` beyond 4,000, markup included, although
/// `chat.postMessage` accepts more (a Slack limit).
const TEXT_MAX: usize = 4_000;

/// A message: blocks, and the text for notifications and screen readers.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Equivalent to the blocks; mrkdwn.
    pub text: String,
    pub blocks: Value,
}

impl Message {
    /// Truncates a text that exceeds Slack's limit: the blocks contain all of it.
    pub(crate) fn new(text: String, blocks: Value) -> Self {
        Self { text: mrkdwn::beginning(text, TEXT_MAX), blocks }
    }
}

/// A template cannot be rendered: a programming error.
#[derive(Debug, thiserror::Error)]
pub enum BlocksError {
    #[error("a template of blocks/ does not parse")]
    Template(#[from] Box<handlebars::TemplateError>),
    #[error("a template of blocks/ cannot be filled")]
    Render(#[from] Box<handlebars::RenderError>),
    #[error("a template of blocks/ makes no JSON")]
    Json(#[from] serde_json::Error),
}

pub struct Blocks {
    templates: Handlebars<'static>,
    /// The date in the configured zone.
    today: Box<dyn Fn() -> NaiveDate + Send + Sync>,
}

impl fmt::Debug for Blocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blocks").field("templates", &self.templates).finish_non_exhaustive()
    }
}

impl Blocks {
    /// Parses the embedded templates. `today` gives the date in the configured zone.
    pub fn new(today: impl Fn() -> NaiveDate + Send + Sync + 'static) -> Result<Self, BlocksError> {
        let mut registry = Handlebars::new();
        registry.set_strict_mode(true);
        registry.register_escape_fn(json_text);
        for file in Templates::iter() {
            let source = Templates::get(&file).map(|file| file.data.into_owned()).unwrap_or_default();
            let name = file.trim_end_matches(".json.hbs");
            let source = String::from_utf8_lossy(&source);
            registry.register_template_string(name, source).map_err(Box::new)?;
        }
        Ok(Self { templates: registry, today: Box::new(today) })
    }

    /// Names of the templates, for the test that renders each.
    pub fn names(&self) -> Vec<&str> {
        self.templates.get_templates().keys().map(String::as_str).collect()
    }

    pub fn today(&self) -> NaiveDate {
        (self.today)()
    }

    fn fill(&self, template: &str, content: &impl Serialize) -> Result<Value, BlocksError> {
        let text = self.templates.render(template, content).map_err(Box::new)?;
        Ok(serde_json::from_str(&text)?)
    }
}

/// Escapes text for a JSON string and removes bidirectional control characters, which texts stored by older versions
/// may still contain.
fn json_text(text: &str) -> String {
    let quoted = Value::String(without_bidi_controls(text).into_owned()).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}
