//! Terminal lines that act.
//!
//! Owns: the act of a line, and the text about its outcome. Must not: show messages or views (that is `show`). Called
//! by: `terminal`.

use serde_json::Value;

use super::{Terminal, line::Line};
use crate::{
    act::{Cannot, Outcome, Submitted},
    views::{View, values},
};

/// A reply or a reaction requires a message that was read before.
const READ_FIRST: &str = "Read a message first.";

impl Terminal {
    /// Acts, waits until the app is idle, and shows what is new.
    pub(super) async fn act(&mut self, line: Line<'_>) -> String {
        let shows_view = !matches!(line, Line::Say(_) | Line::Reply(_) | Line::React(_) | Line::Home);
        let said = match self.perform(line).await {
            Ok(said) => said,
            Err(cannot) => return format!("That does not work: {cannot}."),
        };
        (self.settle)().await;
        self.after(said, shows_view)
    }

    async fn perform(&self, line: Line<'_>) -> Result<Option<String>, Cannot> {
        let (sandbox, me) = (&self.sandbox, self.person.as_str());
        let outcome = match line {
            Line::Command { command, text } => {
                let outcome = sandbox.command(me, &self.channel, command, text).await?;
                return Ok(
                    failure(&outcome).map(|error| format!("{command} failed with the error \"{error}\""))
                );
            }
            Line::Set { name, text } => self.set(name, text).await?,
            Line::Unset { name, label: None } => sandbox.clear(me, name).await?,
            Line::Unset { name, label: Some(label) } => sandbox.uncheck(me, name, label).await?,
            Line::Press { name, value } => self.press(name, value).await?,
            Line::Search { name, typed } => return self.search(name, typed).await.map(Some),
            Line::Submit => return Ok(submitted(&sandbox.submit(me).await?)),
            Line::Close => {
                let closed = failure(&sandbox.close(me).await?);
                return Ok(Some(closed.map_or("(the form is closed)".into(), warning)));
            }
            Line::Say(text) => sandbox.say(me, &self.channel, text, None).await?.outcome,
            Line::Reply(text) => {
                let Some(message) = &self.last else { return Ok(Some(READ_FIRST.into())) };
                let thread = message.thread_ts.as_ref().unwrap_or(&message.ts);
                sandbox.say(me, &message.channel, text, Some(thread)).await?.outcome
            }
            Line::React(emoji) => {
                let Some(message) = &self.last else { return Ok(Some(READ_FIRST.into())) };
                sandbox.react(me, message, emoji).await?.outcome
            }
            Line::Home => {
                let opened = sandbox.open_home(me).await?;
                (self.settle)().await;
                let home = sandbox.home_of(me).map_or_else(|| "The Home tab is empty.".into(), |v| v.shown());
                return Ok(Some(failure(&opened.outcome).map_or(home, |error| format!("({error})"))));
            }
            _ => Outcome::Kept,
        };
        Ok(failure(&outcome).map(warning))
    }

    /// Types or chooses, depending on the kind of element.
    async fn set(&self, name: &str, text: &str) -> Result<Outcome, Cannot> {
        let me = self.person.as_str();
        let view = self.sandbox.top_view(me).or_else(|| self.sandbox.home_of(me));
        let element = view.as_ref().and_then(|view| view.element(name));
        let kind = element.and_then(|e| e["type"].as_str()).unwrap_or_default();
        match values::state_key(kind) {
            Some("value") => self.sandbox.fill(me, name, text).await,
            _ => {
                let wanted = element.map_or_else(|| text.to_owned(), |element| meant(element, text));
                self.sandbox.choose(me, name, &wanted).await
            }
        }
    }

    /// Presses a button in the open form if it has the button; else in the newest message that has it, in this channel
    /// or another; else on the Home tab.
    async fn press(&self, name: &str, value: Option<&str>) -> Result<Outcome, Cannot> {
        let me = self.person.as_str();
        let has_it = |view: Option<View>| view.is_some_and(|view| view.element(name).is_some());
        if has_it(self.sandbox.top_view(me)) {
            return self.sandbox.press(me, name, value).await;
        }
        let mut missing = None;
        for place in self.places() {
            match self.sandbox.press_message(me, &place, name, value).await {
                Err(Cannot::NoMessage(action)) => missing = Some(Cannot::NoMessage(action)),
                done => return done,
            }
        }
        match missing {
            Some(cannot) if !has_it(self.sandbox.home_of(me)) => Err(cannot),
            _ => self.sandbox.press(me, name, value).await,
        }
    }

    /// This channel, the person's direct messages, and all other channels.
    fn places(&self) -> Vec<String> {
        let others = self.sandbox.world().channels.into_iter().map(|c| c.name).filter(|n| *n != self.channel);
        [self.channel.clone(), self.person.clone()].into_iter().chain(others).collect()
    }

    async fn search(&self, name: &str, typed: &str) -> Result<String, Cannot> {
        let choices = self.sandbox.suggest(&self.person, name, typed).await?;
        if choices.is_empty() {
            return Ok("No results".into());
        }
        let mut lines = Vec::new();
        let mut group = None;
        for choice in choices {
            if choice.group != group {
                lines.extend(choice.group.clone());
                group = choice.group;
            }
            let more = choice.description.map(|d| format!("  ({d})")).unwrap_or_default();
            lines.push(format!("  {}  {}{more}", choice.value, choice.label));
        }
        Ok(lines.join("\n"))
    }
}

fn warning(error: &str) -> String {
    format!("Slack shows a warning sign: {error}")
}

/// The option that an abbreviated label means: the only checkbox by `yes`, another by a unique prefix of its label.
fn meant(element: &Value, text: &str) -> String {
    let options = values::all_options(element);
    let typed = text.to_lowercase();
    let is_tick = element["type"] == "checkboxes" && options.len() == 1;
    if is_tick && ["yes", "on", "true"].contains(&typed.as_str()) {
        return value_of(&options[0]);
    }
    let begins = |option: &&Value| {
        option["text"]["text"].as_str().unwrap_or_default().to_lowercase().starts_with(&typed)
    };
    let found: Vec<&Value> = options.iter().filter(begins).collect();
    match found.as_slice() {
        [only] if !typed.is_empty() && options.iter().all(|option| option["value"] != text) => value_of(only),
        _ => text.to_owned(),
    }
}

fn value_of(option: &Value) -> String {
    option["value"].as_str().unwrap_or_default().to_owned()
}

/// Slack's error for an act that the app did not handle.
fn failure(outcome: &Outcome) -> Option<&'static str> {
    match outcome {
        Outcome::Acknowledged(_) | Outcome::Kept => None,
        Outcome::TimedOut => Some("operation_timeout"),
        Outcome::NoConnection => Some("dispatch_failed"),
    }
}

fn submitted(submitted: &Submitted) -> Option<String> {
    match submitted {
        Submitted::Cleared | Submitted::Closed => Some("(sent; the form is closed)".into()),
        Submitted::TimedOut | Submitted::Refused => Some("We had some trouble connecting. Try again?".into()),
        Submitted::Errors(_) | Submitted::Updated | Submitted::Pushed => None,
    }
}
