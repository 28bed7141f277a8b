//! Reads the workspace: posted messages, open views, API calls.
//!
//! Owns: which messages a test has read. Must not: change anything else. Called by: tests and demos.
//!
//! People and channels are named by id or by name, with or without `@` and `#`.

use serde_json::Value;

use crate::{
    messages::{Audience, Message},
    record::Call,
    sandbox::Sandbox,
    state::State,
    views::View,
    world::World,
};

/// The id for a name in a test. An unknown name is returned unchanged and matches nothing.
fn person_id(state: &State, who: &str) -> String {
    state.world.find_person(who).map_or_else(|| who.to_owned(), |p| p.id.clone())
}

fn channel_id(state: &State, which: &str) -> String {
    state.world.find_channel(which).map_or_else(|| which.to_owned(), |c| c.id.clone())
}

impl Sandbox {
    /// The unread messages that everyone in a channel can see, oldest first; marks them read. A message that the app
    /// edits counts as unread again.
    pub fn posted_in(&self, channel: &str) -> Vec<Message> {
        self.shared.peek(|state| {
            let id = channel_id(state, channel);
            state.messages.read(|m| m.channel == id && m.audience == Audience::Channel)
        })
    }

    /// The unread messages that only this person can see: ephemeral ones and responses to their commands.
    pub fn private_to(&self, user: &str) -> Vec<Message> {
        self.shared.peek(|state| {
            let audience = Audience::Only(person_id(state, user));
            state.messages.read(|m| m.audience == audience)
        })
    }

    /// The unread direct messages to a person.
    pub fn direct_messages(&self, user: &str) -> Vec<Message> {
        self.shared.peek(|state| {
            let id = World::dm_of(&person_id(state, user));
            state.messages.read(|m| m.channel == id && m.audience == Audience::Channel)
        })
    }

    /// Every message, read or not, without reading it.
    pub fn messages(&self) -> Vec<Message> {
        self.shared.peek(|state| state.messages.all().to_vec())
    }

    /// All unread messages: empty at the end of a good test.
    pub fn unread(&self) -> Vec<Message> {
        self.shared.peek(|state| state.messages.all().iter().filter(|m| !m.read).cloned().collect())
    }

    /// A person's modals, the top one last.
    pub fn views_of(&self, user: &str) -> Vec<View> {
        self.shared.peek(|state| {
            let id = person_id(state, user);
            state.views.stack(&id).iter().map(|v| v.snapshot(&state.world)).collect()
        })
    }

    pub fn top_view(&self, user: &str) -> Option<View> {
        self.views_of(user).pop()
    }

    /// A person's Home tab, if the app has published one.
    pub fn home_of(&self, user: &str) -> Option<View> {
        self.shared.peek(|state| {
            let id = person_id(state, user);
            state.views.home(&id).map(|v| v.snapshot(&state.world))
        })
    }

    /// The calls of one method so far.
    pub fn calls(&self, method: &str) -> Vec<Call> {
        self.all_calls().into_iter().filter(|c| c.method == method).collect()
    }

    /// Every call so far.
    pub fn all_calls(&self) -> Vec<Call> {
        self.shared.peek(|state| state.record.calls.clone())
    }

    /// Protocol errors of the app: unknown methods, acknowledgements of unknown envelopes, expired or used triggers.
    /// Empty at the end of a good test.
    pub fn unexpected(&self) -> Vec<String> {
        self.shared.peek(|state| state.record.unexpected.clone())
    }

    /// Content from the app that Slack rejects or shows wrongly, in calls and in acknowledgements. Empty at the end of
    /// a good test.
    pub fn complaints(&self) -> Vec<String> {
        self.shared.peek(|state| state.record.complaints.clone())
    }

    /// Clears `unexpected` and `complaints`: for tests that provoke them.
    pub fn forgive(&self) {
        self.shared.with(|state| {
            state.record.unexpected.clear();
            state.record.complaints.clear();
        });
    }

    /// The arguments of the last call of a method.
    pub fn last_args(&self, method: &str) -> Option<Value> {
        self.calls(method).pop().map(|c| c.args)
    }
}
