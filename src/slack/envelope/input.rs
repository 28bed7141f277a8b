//! Typed and chosen values: the state of a view's inputs and of pressed elements.

use chrono::NaiveDate;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;

/// The content of one element of any type. An element fills at most one of these.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Input {
    /// Typed text, or a button's value.
    pub value: Option<String>,
    /// Value of the option chosen in a select or among radio buttons.
    #[serde(deserialize_with = "option_value")]
    pub selected_option: Option<String>,
    /// Values of the checked options.
    #[serde(deserialize_with = "option_values")]
    pub selected_options: Vec<String>,
    pub selected_date: Option<NaiveDate>,
    #[serde(deserialize_with = "or_none")]
    pub files: Vec<SentFile>,
}

/// A file that a person sent to Slack, as Slack describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct SentFile {
    pub id: String,
    /// The owner's name for it.
    pub name: Option<String>,
    /// Media type according to Slack.
    pub mimetype: Option<String>,
    /// Address of its bytes; for an external file, of its host.
    pub url_private: Option<String>,
    /// Address of its page.
    pub permalink: Option<String>,
    /// It is stored outside of Slack.
    pub is_external: bool,
    /// `check_file_info` if only the id is set, as for files of people of other workspaces.
    pub file_access: Option<String>,
}

/// The inputs of a view by `action_id`. An input that the view lacks is absent; an input without a value is present
/// and empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "Option<Values>")]
pub struct State(BTreeMap<String, Input>);

#[derive(Deserialize)]
struct Values {
    #[serde(default)]
    values: BTreeMap<String, BTreeMap<String, Input>>,
}

impl From<Option<Values>> for State {
    fn from(state: Option<Values>) -> Self {
        Self(state.into_iter().flat_map(|state| state.values).flat_map(|(_, block)| block).collect())
    }
}

impl State {
    /// The input, or `None` if the view lacks it.
    pub fn get(&self, action_id: &str) -> Option<&Input> {
        self.0.get(action_id)
    }

    /// Typed text; `None` also if it is empty.
    pub fn text(&self, action_id: &str) -> Option<&str> {
        self.get(action_id)?.value.as_deref().filter(|text| !text.is_empty())
    }

    pub fn selected(&self, action_id: &str) -> Option<&str> {
        self.get(action_id)?.selected_option.as_deref()
    }

    /// Values of the checked options.
    pub fn ticked(&self, action_id: &str) -> &[String] {
        self.get(action_id).map_or(&[], |input| &input.selected_options)
    }

    pub fn date(&self, action_id: &str) -> Option<NaiveDate> {
        self.get(action_id)?.selected_date
    }

    pub fn files(&self, action_id: &str) -> &[SentFile] {
        self.get(action_id).map_or(&[], |input| &input.files)
    }
}

#[derive(Deserialize)]
struct Choice {
    value: String,
}

fn option_value<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<Choice>::deserialize(from)?.map(|choice| choice.value))
}

fn option_values<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let choices = Option::<Vec<Choice>>::deserialize(from)?.unwrap_or_default();
    Ok(choices.into_iter().map(|choice| choice.value).collect())
}

/// Null is an empty list.
fn or_none<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<SentFile>, D::Error> {
    Ok(Option::<Vec<SentFile>>::deserialize(from)?.unwrap_or_default())
}
