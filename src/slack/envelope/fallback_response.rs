//! Answers for when the regular one is impossible (too busy, too late, a panic, a malformed payload), and the field
//! errors of a submission: text for the person in the format of each kind of envelope.

use super::Source;
use crate::slack::ids::input::chooser_of;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Errors of a submission, by input.
pub type FieldErrors = BTreeMap<&'static str, String>;

/// How to show a text in response to an envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FallbackResponse {
    /// A private message to the sender of the command.
    Private,
    /// Errors at the inputs of the submitted view: the modal stays open and keeps the typed text.
    OnInputs(Inputs),
    /// An empty list: a select cannot show a text.
    NoOptions,
    /// Nothing: this kind cannot show a text.
    Nothing,
}

/// The input blocks of a submitted view. If errors name any other block, Slack shows its own error instead of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inputs {
    first: String,
    others: Vec<String>,
}

impl FallbackResponse {
    /// Finds the form in a payload that may be malformed.
    pub fn of(source: &Source, payload: &Value) -> Self {
        let kind = payload.get("type").and_then(Value::as_str);
        match (source, kind) {
            (Source::Command, _) => Self::Private,
            (Source::Interaction, Some("view_submission")) => {
                Inputs::of(payload).map_or(Self::Nothing, Self::OnInputs)
            }
            (Source::Interaction, Some("block_suggestion")) => Self::NoOptions,
            (Source::Interaction | Source::Event(_), _) => Self::Nothing,
        }
    }

    /// The payload of an acknowledgement that shows `words`; `None` for an empty one.
    pub fn say(&self, words: &str) -> Option<Value> {
        match self {
            Self::Private => Some(json!({ "response_type": "ephemeral", "text": format!(":x: {words}") })),
            Self::OnInputs(inputs) => {
                Some(json!({ "response_action": "errors", "errors": { &inputs.first: words } }))
            }
            Self::NoOptions => Some(json!({ "options": [] })),
            Self::Nothing => None,
        }
    }

    /// The payload for the errors of a submission. An error on an input that the view lacks goes to the input that
    /// chose it, else to the first one.
    pub fn with_field_errors(&self, faults: FieldErrors) -> Option<Value> {
        let Self::OnInputs(inputs) = self else {
            return self.say(&Vec::from_iter(faults.into_values()).join(" "));
        };
        let mut errors: Map<String, Value> = Map::new();
        for (input, words) in faults {
            let at = inputs.nearest(input);
            let before = errors.get(at).and_then(Value::as_str);
            let words = before.map_or_else(|| words.clone(), |before| format!("{before} {words}"));
            errors.insert(at.to_owned(), words.into());
        }
        Some(json!({ "response_action": "errors", "errors": errors }))
    }
}

impl Inputs {
    fn of(payload: &Value) -> Option<Self> {
        let blocks = payload.get("view")?.get("blocks")?.as_array()?;
        let inputs = blocks.iter().filter(|block| block.get("type").and_then(Value::as_str) == Some("input"));
        let mut ids = inputs.filter_map(|block| block.get("block_id")?.as_str()).map(str::to_owned);
        Some(Self { first: ids.next()?, others: ids.collect() })
    }

    /// The input itself if the view has it, else the one that chose it.
    fn nearest<'a>(&'a self, input: &'a str) -> &'a str {
        let has = |id: &str| self.first == id || self.others.iter().any(|other| other == id);
        std::iter::successors(Some(input), |id| chooser_of(id)).find(|id| has(id)).unwrap_or(&self.first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(inputs: &[&str]) -> FallbackResponse {
        let input = |id: &&str| json!({ "type": "input", "block_id": id });
        let blocks =
            [json!({ "type": "context", "block_id": "note" })].into_iter().chain(inputs.iter().map(input));
        let payload = json!({ "type": "view_submission", "view": { "blocks": Vec::from_iter(blocks) } });
        FallbackResponse::of(&Source::Interaction, &payload)
    }

    #[test]
    fn field_errors_move_to_existing_inputs() {
        let faults = FieldErrors::from([("duplicate_of", "Choose.".into()), ("note", "Say.".into())]);
        for (inputs, expected) in [
            (
                &["action", "status", "duplicate_of", "note"][..],
                json!({ "duplicate_of": "Choose.", "note": "Say." }),
            ),
            (&["action", "status"], json!({ "status": "Choose.", "action": "Say." })),
            (&["action"], json!({ "action": "Choose. Say." })),
            (&["description", "severity"], json!({ "description": "Choose. Say." })),
        ] {
            let said = form(inputs).with_field_errors(faults.clone()).unwrap();
            assert_eq!(said, json!({ "response_action": "errors", "errors": expected }), "{inputs:?}");
        }
        assert_eq!(form(&[]).with_field_errors(faults), None);
    }
}
