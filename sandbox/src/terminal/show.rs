//! Output for a person: after an act, and on request.
//!
//! Owns: the order and framing of the output. Must not: act. Called by: `terminal`.

use super::Terminal;
use crate::messages::{Audience, Message};

/// Shown after an act without output.
const NOTHING: &str = "(nothing yet: answers to you, forms and new messages in channels appear here)";

impl Terminal {
    /// The text about an act, then the person's new messages.
    pub(super) fn after(&mut self, said: Option<String>, shows_view: bool) -> String {
        let mut parts: Vec<String> = said.into_iter().collect();
        for message in self.sandbox.private_to(&self.person) {
            parts.push(format!("Only visible to you\n{}", indented(&message)));
        }
        for message in self.sandbox.direct_messages(&self.person) {
            parts.push(format!("Direct message\n{}", indented(&message)));
            self.last = Some(message);
        }
        if let Some(view) = self.sandbox.top_view(&self.person).filter(|_| shows_view) {
            parts.push(view.shown());
        }
        parts.extend(self.news());
        if parts.is_empty() {
            return NOTHING.into();
        }
        parts.join("\n\n")
    }

    /// Channels with new messages.
    fn news(&self) -> Option<String> {
        let unread = self.sandbox.unread();
        let count =
            |id: &str| unread.iter().filter(|m| m.channel == id && m.audience == Audience::Channel).count();
        let channels = self.sandbox.world().channels;
        let news: Vec<String> = channels
            .iter()
            .map(|channel| (channel, count(&channel.id)))
            .filter(|(_, count)| *count > 0)
            .map(|(channel, count)| format!("#{} ({count})", channel.name))
            .collect();
        (!news.is_empty()).then(|| format!("New in {}", news.join(", ")))
    }

    /// A hint for a line that is not a command.
    pub(super) fn instead_of(&self, line: &str) -> String {
        let word = line.split_whitespace().next().unwrap_or_default();
        let view = self.sandbox.top_view(&self.person);
        let set = view.as_ref().and_then(|view| match view.element(word) {
            Some(_) => Some(format!("set {line}")),
            None => view.text_input().map(|name| format!("set {name} {line}")),
        });
        match set {
            Some(set) => {
                format!(
                    "To write that into the form: {set}\n\"submit\" sends it, \"help\" lists what else there is."
                )
            }
            None => format!(
                "There is no \"{word}\" here; \"help\" lists what there is.\n\
                 To write that in #{}: say {line}",
                self.channel
            ),
        }
    }

    pub(super) fn look(&self) -> String {
        self.sandbox.top_view(&self.person).map_or_else(|| "No form is open.".into(), |view| view.shown())
    }

    pub(super) fn read(&mut self, channel: Option<&str>) -> String {
        let channel = channel.unwrap_or(&self.channel).to_owned();
        if self.sandbox.world().find_channel(&channel).is_none() {
            return format!("There is no channel {channel}.");
        }
        let messages = self.sandbox.posted_in(&channel);
        let texts: Vec<String> = messages.iter().map(|m| self.titled(m)).collect();
        self.last = messages.last().cloned().or(self.last.take());
        if texts.is_empty() { "Nothing new.".into() } else { texts.join("\n\n") }
    }

    /// A message under a line with its author, and with the message that it replies to.
    fn titled(&self, message: &Message) -> String {
        let world = self.sandbox.world();
        let author = world.find_person(&message.user).map_or(&world.bot_name, |p| &p.name);
        let edited = if message.edited { " (edited)" } else { "" };
        let thread = match (&message.thread_ts, message.broadcast) {
            (None, _) => "",
            (Some(_), false) => " in the thread",
            (Some(_), true) => " in the thread and the channel",
        };
        format!("#{} {author}{thread}{edited}\n{}", world.channel_name(&message.channel), indented(message))
    }

    pub(super) fn sit(&mut self, who: &str) -> String {
        match self.sandbox.world().find_person(who) {
            Some(person) => {
                self.person.clone_from(&person.name);
                let view = self.sandbox.top_view(&self.person).map(|view| format!("\n\n{}", view.shown()));
                format!("You are {} now.{}", person.real_name, view.unwrap_or_default())
            }
            None => format!("Nobody is called {who}; \"who\" lists everybody."),
        }
    }

    pub(super) fn go(&mut self, channel: &str) -> String {
        match self.sandbox.world().find_channel(channel) {
            Some(channel) => {
                self.channel.clone_from(&channel.name);
                format!("You are in #{} now.", channel.name)
            }
            None => format!("There is no channel {channel}; \"who\" lists them."),
        }
    }

    pub(super) fn who(&self) -> String {
        let world = self.sandbox.world();
        let people = world.people.iter().map(|p| format!("{:<12} {}", p.name, p.real_name));
        let channels = world.channels.iter().map(|c| format!("#{}", c.name));
        people.chain(channels).collect::<Vec<_>>().join("\n")
    }
}

fn indented(message: &Message) -> String {
    let text = message.shown();
    text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}
