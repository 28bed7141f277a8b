//! A rejection with a message for the person. Rules and operations return it, edges show it.

/// Why a rule forbids a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The invalid input, by its name in the spec; `None` when it is the request as a whole.
    pub field: Option<&'static str>,
    /// One or two polite sentences.
    pub message: String,
}

impl Refusal {
    /// A refusal that belongs to one input.
    pub fn on(field: &'static str, message: impl Into<String>) -> Self {
        Self { field: Some(field), message: message.into() }
    }
}
