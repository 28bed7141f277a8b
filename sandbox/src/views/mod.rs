//! Open views: a stack of modals and a Home tab per person.
//!
//! Owns: opening, stacking, updating, closing, and typed values. Must not: check content or triggers (that is `blocks`
//! and `api::views`), or send anything. Called by: `api::views` and `act`.
//!
//! ```text
//!            open                push (at most 3)
//! nothing ────────► root ─────────────────────────► root, second, third
//!    ▲                │ update: a new hash               │
//!    └──close, clear──┘◄──────────── close ──────────────┘
//! ```

mod open_view;
pub(crate) mod values;

use std::collections::HashMap;

use serde_json::Value;

pub(crate) use open_view::OpenView;
pub use open_view::View;

use crate::ids::Ids;

/// Slack's deepest stack of modals (docs.slack.dev, modals: "up to three views").
const DEEPEST: usize = 3;

/// All open views, by person.
#[derive(Debug, Default)]
pub(crate) struct Views {
    stacks: HashMap<String, Vec<OpenView>>,
    homes: HashMap<String, OpenView>,
}

impl Views {
    /// Opens a modal. Replaces an open one: a person has one stack.
    pub(crate) fn open(&mut self, ids: &mut Ids, user: &str, view: Value) -> String {
        let view = OpenView::new(ids, view, None);
        let id = view.id.clone();
        self.stacks.insert(user.to_owned(), vec![view]);
        id
    }

    /// Pushes a modal on top of the open ones.
    pub(crate) fn push(&mut self, ids: &mut Ids, user: &str, view: Value) -> Result<String, &'static str> {
        let stack = self.stacks.get_mut(user).ok_or("not_found")?;
        let beneath = stack.last().ok_or("not_found")?;
        if stack.len() >= DEEPEST {
            return Err("push_limit_reached");
        }
        let view = OpenView::new(ids, view, Some(beneath));
        let id = view.id.clone();
        stack.push(view);
        Ok(id)
    }

    /// Replaces a view's content; typed values are kept for inputs that stay.
    pub(crate) fn update(&mut self, ids: &mut Ids, id: &str, view: Value) {
        if let Some(open) = self.get_mut(id) {
            open.replace(ids, view);
        }
    }

    /// Shows a Home tab, or replaces it.
    pub(crate) fn publish(&mut self, ids: &mut Ids, user: &str, view: Value) -> String {
        if let Some(home) = self.homes.get_mut(user) {
            home.replace(ids, view);
            return home.id.clone();
        }
        let home = OpenView::new(ids, view, None);
        let id = home.id.clone();
        self.homes.insert(user.to_owned(), home);
        id
    }

    fn all(&self) -> impl Iterator<Item = &OpenView> {
        self.stacks.values().flatten().chain(self.homes.values())
    }

    pub(crate) fn get(&self, id: &str) -> Option<&OpenView> {
        self.all().find(|v| v.id == id)
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut OpenView> {
        self.stacks.values_mut().flatten().chain(self.homes.values_mut()).find(|v| v.id == id)
    }

    pub(crate) fn by_external_id(&self, external_id: &str) -> Option<&OpenView> {
        self.all().find(|v| v.body["external_id"] == external_id)
    }

    /// An external id must be unique.
    pub(crate) fn refuse_external_id(&self, view: &Value, own: Option<&str>) -> Result<(), &'static str> {
        let Some(external) = view["external_id"].as_str().filter(|e| !e.is_empty()) else { return Ok(()) };
        match self.by_external_id(external) {
            Some(other) if Some(other.id.as_str()) != own => Err("duplicate_external_id"),
            _ => Ok(()),
        }
    }

    pub(crate) fn home(&self, user: &str) -> Option<&OpenView> {
        self.homes.get(user)
    }

    /// A person's modals, the top one last.
    pub(crate) fn stack(&self, user: &str) -> &[OpenView] {
        self.stacks.get(user).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn top(&self, user: &str) -> Option<&OpenView> {
        self.stack(user).last()
    }

    /// Closes the top modal.
    pub(crate) fn close(&mut self, user: &str) -> Option<OpenView> {
        self.stacks.get_mut(user).and_then(Vec::pop)
    }

    /// Closes all of a person's modals, the top one first.
    pub(crate) fn clear(&mut self, user: &str) -> Vec<OpenView> {
        let mut closed = self.stacks.remove(user).unwrap_or_default();
        closed.reverse();
        closed
    }
}

#[cfg(test)]
mod tests;
