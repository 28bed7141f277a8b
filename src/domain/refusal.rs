//! A no with words for the person. Rules and operations say it, edges show it.

/// Why a rule says no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The input at fault, by its name in the spec; `None` when it is the request as a whole.
    pub field: Option<&'static str>,
    /// One or two kind sentences.
    pub message: String,
}

impl Refusal {
    /// A no that is about one input.
    pub fn on(field: &'static str, message: impl Into<String>) -> Self {
        Self { field: Some(field), message: message.into() }
    }
}
