//! The answer that is left when the regular one cannot be given (too busy, too late, a panic, a
//! payload that cannot be read): words for the person in the form that each kind of envelope has for
//! them. The only place that knows these forms.

use super::Source;
use serde_json::{Value, json};

/// How an envelope can be answered with words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LastResort {
    /// A private message to whoever typed the command.
    Private,
    /// An error on the view's first input block: the modal stays and keeps what was typed.
    OnInput {
        /// The block at whose foot the words appear.
        block_id: String,
    },
    /// An empty list: a select has no place for words.
    NoOptions,
    /// Nothing: this kind has no place for words.
    Nothing,
}

impl LastResort {
    /// Finds the form in a payload that may well be malformed.
    pub fn of(source: &Source, payload: &Value) -> Self {
        let kind = payload.get("type").and_then(Value::as_str);
        match (source, kind) {
            (Source::Command, _) => Self::Private,
            (Source::Interaction, Some("view_submission")) => {
                first_input(payload).map_or(Self::Nothing, |block_id| Self::OnInput { block_id })
            }
            (Source::Interaction, Some("block_suggestion")) => Self::NoOptions,
            (Source::Interaction | Source::Event(_), _) => Self::Nothing,
        }
    }

    /// The payload of an acknowledgement that says `words`; `None` for an empty one.
    pub fn say(&self, words: &str) -> Option<Value> {
        match self {
            Self::Private => Some(json!({ "response_type": "ephemeral", "text": format!(":x: {words}") })),
            Self::OnInput { block_id } => {
                Some(json!({ "response_action": "errors", "errors": { block_id: words } }))
            }
            Self::NoOptions => Some(json!({ "options": [] })),
            Self::Nothing => None,
        }
    }
}

fn first_input(payload: &Value) -> Option<String> {
    let blocks = payload.get("view")?.get("blocks")?.as_array()?;
    let input = blocks.iter().find(|block| block.get("type").and_then(Value::as_str) == Some("input"))?;
    Some(input.get("block_id")?.as_str()?.to_owned())
}
