//! Records the app's calls and mistakes for tests.
//!
//! Owns: [`Call`] and the three lists. Must not: detect mistakes; the part that detects one records it here. Called by:
//! `server`, `api`, `connection_task` and `act`; read by tests.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::faults::Fault;

/// One call of the Web API, or of a response URL (method `response_url`).
#[derive(Clone, Debug)]
pub struct Call {
    /// Method name, such as `views.open`.
    pub method: String,
    /// The arguments, without the token.
    pub args: Value,
    /// By the sandbox's clock.
    pub at: DateTime<Utc>,
    /// The response; `Null` before it is sent, or if it never is.
    pub answer: Value,
    /// The injected fault, if any.
    pub fault: Option<Fault>,
}

impl Call {
    /// Whether the call succeeded.
    pub fn ok(&self) -> bool {
        self.answer["ok"] == true
    }

    /// The error code of the response.
    pub fn error(&self) -> Option<&str> {
        self.answer["error"].as_str()
    }
}

#[derive(Debug, Default)]
pub(crate) struct Record {
    pub(crate) calls: Vec<Call>,
    pub(crate) unexpected: Vec<String>,
    pub(crate) complaints: Vec<String>,
}

impl Record {
    /// Records a call and returns its number, to add the response later.
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

    /// Records a protocol error of the app.
    pub(crate) fn unexpected(&mut self, what: impl Into<String>) {
        self.unexpected.push(what.into());
    }

    /// Records content that Slack rejects.
    pub(crate) fn complain(&mut self, what: impl Into<String>) {
        self.complaints.push(what.into());
    }
}
