//! What the app did, kept for tests: its calls, and what it did wrong.
//!
//! Owns: [`Call`] and the three lists. Must not: judge; the part that finds a fault records it here.
//! Called by: `server`, `api`, `socket` and `act`; read by tests.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::faults::Fault;

/// One call of the Web API, or of a response URL (method `response_url`).
#[derive(Clone, Debug)]
pub struct Call {
    /// Method name, such as `views.open`.
    pub method: String,
    /// Its arguments; without the token.
    pub args: Value,
    /// When, by the sandbox's clock.
    pub at: DateTime<Utc>,
    /// What was answered; `Null` while it is not, and when it never is.
    pub answer: Value,
    /// The fault that it met.
    pub fault: Option<Fault>,
}

impl Call {
    /// Whether Slack did what was asked.
    pub fn ok(&self) -> bool {
        self.answer["ok"] == true
    }

    /// The error code answered.
    pub fn error(&self) -> Option<&str> {
        self.answer["error"].as_str()
    }
}

/// The lists.
#[derive(Debug, Default)]
pub(crate) struct Record {
    pub(crate) calls: Vec<Call>,
    pub(crate) unexpected: Vec<String>,
    pub(crate) complaints: Vec<String>,
}

impl Record {
    /// Records a call and returns its number, to add the answer later.
    pub(crate) fn call(
        &mut self,
        method: &str,
        args: &Value,
        at: DateTime<Utc>,
        fault: Option<Fault>,
    ) -> usize {
        self.calls.push(Call { method: method.into(), args: args.clone(), at, answer: Value::Null, fault });
        self.calls.len() - 1
    }

    pub(crate) fn answered(&mut self, number: usize, answer: &Value) {
        if let Some(call) = self.calls.get_mut(number) {
            call.answer = answer.clone();
        }
    }

    /// Something no well-behaved app does on the wire.
    pub(crate) fn unexpected(&mut self, what: impl Into<String>) {
        self.unexpected.push(what.into());
    }

    /// Content that Slack refuses.
    pub(crate) fn complain(&mut self, what: impl Into<String>) {
        self.complaints.push(what.into());
    }
}
