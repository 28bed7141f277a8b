//! Slash commands, one file each: acknowledged immediately, then a modal or a private answer.

pub mod repair;
pub mod report;
pub mod status;
pub mod update;

use super::context::{EdgeError, ReplyTo, SlackContext};
use super::envelope::Command;
use crate::domain::ids::RepairId;
use crate::domain::text::cut;
use crate::render::slack::Modal;

/// The argument of a technician's command.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Named<'a> {
    /// There is none.
    Nothing,
    /// A number as typed, `42` or `#42`, and the id that it may be.
    Number(&'a str, Option<RepairId>),
    /// Anything else.
    Words(&'a str),
}

pub(super) fn named(text: &str) -> Named<'_> {
    let text = text.trim();
    let number = text.strip_prefix('#').unwrap_or(text);
    match text {
        "" => Named::Nothing,
        _ if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) => {
            Named::Number(number, number.parse().ok())
        }
        words => Named::Words(words),
    }
}

/// The answer for a number without a repair.
fn unknown(number: &str) -> String {
    format!(":x: There is no repair #{}.", cut(number, 20))
}

/// Opens a modal, or answers privately why there is none.
async fn open_or_tell(
    edge: &SlackContext,
    command: &Command,
    to: &ReplyTo,
    modal: Result<Modal, String>,
) -> Result<(), EdgeError> {
    match modal {
        Ok(modal) => {
            edge.api.views_open(&command.trigger_id, &modal.0).await?;
        }
        Err(words) => edge.tell(to, &words).await,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_is_a_repair_other_text_is_search() {
        for (text, expected) in [
            ("  ", Named::Nothing),
            ("42", Named::Number("42", Some(RepairId(42)))),
            (" #42 ", Named::Number("42", Some(RepairId(42)))),
            ("0", Named::Number("0", None)),
            ("99999999999999999999", Named::Number("99999999999999999999", None)),
            ("#", Named::Words("#")),
            ("##4", Named::Words("##4")),
            ("-1", Named::Words("-1")),
            ("table saw", Named::Words("table saw")),
        ] {
            assert_eq!(named(text), expected, "{text}");
        }
    }
}
