//! A text-mode Slack: takes input lines, returns what Slack would show.
//!
//! Owns: the acting person and channel, and the output after an act. Must not: print or read stdin: the caller runs the
//! loop. Called by: demos.

mod act;
mod line;
mod show;
mod text;

use std::{fmt, pin::Pin, sync::Arc};

pub(crate) use text::{message_text, view_text};

use crate::{messages::Message, sandbox::Sandbox};
use line::Line;

/// Waits until the app is idle; awaited after every line that acts, before its effect is shown.
pub type Settle = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// One person in one channel of a sandbox.
pub struct Terminal {
    sandbox: Sandbox,
    settle: Settle,
    person: String,
    channel: String,
    /// The last message read, for `reply` and `react`.
    last: Option<Message>,
}

impl fmt::Debug for Terminal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Terminal")
            .field("person", &self.person)
            .field("channel", &self.channel)
            .finish_non_exhaustive()
    }
}

/// The text of `help`.
const HELP: &str = "\
as ana                  be somebody else
in #channel             go to a channel
/command text           type a command in the channel
set name text           type, choose or tick in the form; the names are before the colons
unset name [label]      empty it, or take a tick away
search name text        see what a list offers
press name [value]      press a button in the form, in a message or on the Home tab
submit, close           send the form or close it
look                    see the form again
read #channel           see what is new in a channel; read alone: this channel
say text, reply text    write in the channel, or in the thread of the message read last
react eyes              react to the message read last
home                    open the app's Home tab
who                     the people and channels there are
help                    this list";

impl Terminal {
    /// Starts with the workspace's first person in its first channel.
    pub fn new(sandbox: Sandbox, settle: Settle) -> Self {
        let world = sandbox.world();
        let person = world.people.first().map(|p| p.name.clone()).unwrap_or_default();
        let channel = world.channels.first().map(|c| c.name.clone()).unwrap_or_default();
        Self { sandbox, settle, person, channel, last: None }
    }

    /// The prompt: `ana in #wood`.
    pub fn place(&self) -> String {
        format!("{} in #{}", self.person, self.channel)
    }

    /// Runs one line and returns what Slack would show; empty for an empty line.
    pub async fn line(&mut self, line: &str) -> String {
        match Line::parse(line) {
            Line::Nothing => String::new(),
            Line::Help => HELP.into(),
            Line::Unfinished(word) => usage(word),
            Line::Unknown(line) => self.instead_of(line),
            Line::As(who) => self.sit(who),
            Line::In(channel) => self.go(channel),
            Line::Look => self.look(),
            Line::Read(channel) => self.read(channel),
            Line::Who => self.who(),
            acting => self.act(acting).await,
        }
    }
}

/// The usage text of a command without its argument.
fn usage(word: &str) -> String {
    let is_of = |line: &&str| {
        let usage = line.split("  ").next().unwrap_or_default();
        usage.split([' ', ',']).any(|part| part == word)
    };
    format!("\"{word}\" wants more after it:\n{}", HELP.lines().find(is_of).unwrap_or(HELP))
}
