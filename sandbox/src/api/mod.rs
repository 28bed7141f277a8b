//! The Web API: the methods, authorization, and responses.
//!
//! Owns: the table of methods, tokens, [`ApiError`]. Must not: depend on HTTP (that is `server`). Called by:
//! `server::call`. Each method is a plain function of the state and its arguments.

mod answers;
mod apps;
mod args;
mod chat;
mod conversations;
mod files;
mod resolve;
mod users;
mod views;

use serde_json::{Value, json};

pub(crate) use answers::{answer_command, spend_response_url};
pub(crate) use args::Args;
pub(crate) use resolve::channel_id;
pub(crate) use users::to_json as user_json;

use crate::{blocks::Problem, state::State};

/// The bot token that a sandbox accepts.
pub const BOT_TOKEN: &str = "xoxb-sandbox-bot-token";
/// The app-level token that a sandbox accepts.
pub const APP_TOKEN: &str = "xapp-1-sandbox-app-token";

/// An error with Slack's code, and with details if Slack gives them.
#[derive(Debug)]
pub(crate) struct ApiError {
    pub(crate) code: String,
    more: Value,
}

impl ApiError {
    /// An error in blocks or views: every problem with a JSON pointer.
    pub(crate) fn content(code: &str, problems: &[Problem]) -> Self {
        let errors: Vec<String> = problems.iter().map(ToString::to_string).collect();
        let messages: Vec<String> = errors.iter().map(|e| format!("[ERROR] {e}")).collect();
        let more = json!({"errors": errors, "response_metadata": {"messages": messages}});
        Self { code: code.into(), more }
    }

    /// A missing or malformed argument.
    pub(crate) fn arguments(what: &str) -> Self {
        let more = json!({"response_metadata": {"messages": [format!("[ERROR] {what}")]}});
        Self { code: "invalid_arguments".into(), more }
    }

    fn missing_scope(needed: &str, provided: &[String]) -> Self {
        let more = json!({"needed": needed, "provided": provided.join(",")});
        Self { code: "missing_scope".into(), more }
    }

    /// The error response.
    pub(crate) fn into_json(self) -> Value {
        let mut answer = json!({"ok": false, "error": self.code});
        if let (Some(answer), Value::Object(more)) = (answer.as_object_mut(), self.more) {
            answer.extend(more);
        }
        answer
    }
}

impl From<&str> for ApiError {
    fn from(code: &str) -> Self {
        Self { code: code.into(), more: json!({}) }
    }
}

/// A method's result: the fields of its response except `ok`.
pub(crate) type Answer = Result<Value, ApiError>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    None,
    Bot,
    App,
}

/// One method of the Web API.
pub(crate) struct Method {
    name: &'static str,
    token: Token,
    /// Required for every call; methods whose scope depends on the kind of channel check it themselves.
    scope: Option<&'static str>,
    /// Calls a minute by Slack's tiers (docs.slack.dev/apis/web-api/rate-limits).
    pub(crate) per_minute: Option<u32>,
    run: fn(&mut State, &Args) -> Answer,
}

const fn method(
    name: &'static str,
    scope: Option<&'static str>,
    per_minute: Option<u32>,
    run: fn(&mut State, &Args) -> Answer,
) -> Method {
    Method { name, token: Token::Bot, scope, per_minute, run }
}

/// All supported methods; any other is `unknown_method`.
static METHODS: &[Method] = &[
    Method { token: Token::None, ..method("api.test", None, None, apps::test) },
    Method { token: Token::App, ..method("apps.connections.open", None, None, apps::open_connection) },
    method("auth.test", None, None, apps::auth),
    method("chat.postMessage", Some("chat:write"), None, chat::post),
    method("chat.update", Some("chat:write"), Some(50), chat::update),
    method("chat.delete", Some("chat:write"), Some(50), chat::delete),
    method("chat.postEphemeral", Some("chat:write"), Some(100), chat::post_ephemeral),
    method("chat.getPermalink", None, None, chat::permalink),
    method("conversations.open", Some("im:write"), Some(50), conversations::open),
    method("conversations.info", None, Some(50), conversations::info),
    method("conversations.history", None, Some(50), conversations::history),
    method("conversations.replies", None, Some(50), conversations::replies),
    method("files.info", Some("files:read"), Some(100), files::info),
    method("users.info", Some("users:read"), Some(100), users::info),
    method("users.lookupByEmail", Some("users:read.email"), Some(50), users::lookup_by_email),
    method("views.open", None, Some(100), views::open),
    method("views.push", None, Some(100), views::push),
    method("views.update", None, Some(100), views::update),
    method("views.publish", None, Some(100), views::publish),
];

/// An error without the scope.
fn need_scope(state: &State, scope: &str) -> Result<(), ApiError> {
    if state.world.has_scope(scope) {
        Ok(())
    } else {
        Err(ApiError::missing_scope(scope, &state.world.scopes))
    }
}

pub(crate) fn find(name: &str) -> Option<&'static Method> {
    METHODS.iter().find(|m| m.name == name)
}

impl Method {
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// Whether this token may call this method; checks in Slack's order.
    pub(crate) fn admit(&self, state: &State, token: Option<&str>) -> Result<(), ApiError> {
        if self.token == Token::None {
            return Ok(());
        }
        let token = token.ok_or("not_authed")?;
        let kind = match token {
            BOT_TOKEN => Token::Bot,
            APP_TOKEN => Token::App,
            _ => return Err("invalid_auth".into()),
        };
        if kind != self.token {
            return Err("not_allowed_token_type".into());
        }
        self.scope.map_or(Ok(()), |scope| need_scope(state, scope))
    }

    /// Runs the method, and records content that Slack rejects.
    pub(crate) fn run(&self, state: &mut State, args: &Args) -> Answer {
        let answer = (self.run)(state, args);
        if let Err(error) = &answer {
            note_refusal(state, self.name, error);
        }
        answer
    }
}

/// Records a problem for the test, even if the app ignores it.
fn note_refusal(state: &mut State, method: &str, error: &ApiError) {
    let line = format!("{method}: {} {}", error.code, error.more);
    match error.code.as_str() {
        "invalid_arguments" | "invalid_blocks" | "msg_too_long" | "no_text" | "view_too_large" => {
            state.record.complain(line);
        }
        "expired_trigger_id" | "exchanged_trigger_id" | "invalid_trigger_id" => {
            state.record.unexpected(line);
        }
        _ => {}
    }
}
