//! One open view: its content, its typed values, and its errors.
//!
//! Owns: [`View`], which tests read, and [`OpenView`], which the sandbox changes. Must not: depend on the stack it is
//! in. Called by: `views`, `act`, `terminal`.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value, json};

use super::values::{self, Element};
use crate::{
    blocks::{self, Surface},
    ids::Ids,
    world::World,
};

/// Values of the elements of a view: state objects by block id and action id.
pub(crate) type Typed = BTreeMap<(String, String), Value>;

/// An open view of a person.
#[derive(Clone, Debug)]
pub(crate) struct OpenView {
    pub(crate) id: String,
    pub(crate) hash: String,
    root: String,
    previous: Option<String>,
    /// The view from the app, completed.
    pub(crate) body: Value,
    pub(crate) typed: Typed,
    /// Error messages at inputs, by block id.
    pub(crate) errors: BTreeMap<String, String>,
    /// The latest suggestions, by action id.
    pub(crate) suggested: HashMap<String, Vec<Value>>,
}

impl OpenView {
    /// A new view with the initial values of its elements.
    pub(super) fn new(ids: &mut Ids, body: Value, beneath: Option<&Self>) -> Self {
        let id = ids.id("V");
        let mut view = Self {
            root: beneath.map_or_else(|| id.clone(), |b| b.root.clone()),
            previous: beneath.map(|b| b.id.clone()),
            id,
            hash: String::new(),
            body: Value::Null,
            typed: Typed::new(),
            errors: BTreeMap::new(),
            suggested: HashMap::new(),
        };
        view.replace(ids, body);
        view
    }

    /// Replaces the content. Slack keeps the value of an element whose block id and action id stay, even if the new
    /// content has another initial value; an option that is gone is not kept.
    pub(super) fn replace(&mut self, ids: &mut Ids, mut body: Value) {
        if let Some(blocks) = body.get_mut("blocks").and_then(Value::as_array_mut) {
            blocks::complete(blocks, ids);
        }
        self.hash = ids.id("h");
        self.body = body;
        self.errors.clear();
        let old = std::mem::take(&mut self.typed);
        let mut typed = Typed::new();
        for element in self.elements() {
            let kept = old.get(&element.key()).filter(|state| element.can_hold(state)).cloned();
            if let Some(state) = kept.or_else(|| element.initial()) {
                typed.insert(element.key(), state);
            }
        }
        self.typed = typed;
    }

    pub(crate) fn blocks(&self) -> &[Value] {
        self.body["blocks"].as_array().map_or(&[], Vec::as_slice)
    }

    pub(crate) fn elements(&self) -> impl Iterator<Item = Element<'_>> {
        values::elements(self.blocks())
    }

    pub(crate) fn surface(&self) -> Surface {
        if self.body["type"] == "home" { Surface::Home } else { Surface::Modal }
    }

    /// `state.values` as in payloads.
    fn state(&self) -> Value {
        let mut values = Map::new();
        for ((block, action), state) in &self.typed {
            let of_block = values.entry(block).or_insert_with(|| json!({}));
            of_block[action.as_str()] = state.clone();
        }
        json!({"values": values})
    }

    /// The whole view as in responses and payloads.
    pub(crate) fn to_json(&self, world: &World) -> Value {
        let mut view = json!({
            "id": self.id,
            "team_id": world.team_id,
            "private_metadata": "",
            "callback_id": "",
            "external_id": "",
            "state": self.state(),
            "hash": self.hash,
            "title": null,
            "submit": null,
            "close": null,
            "clear_on_close": false,
            "notify_on_close": false,
            "submit_disabled": false,
            "root_view_id": self.root,
            "previous_view_id": self.previous,
            "app_id": world.app_id,
            "app_installed_team_id": world.team_id,
            "bot_id": world.bot_id,
        });
        if let (Some(view), Some(body)) = (view.as_object_mut(), self.body.as_object()) {
            view.extend(body.clone());
        }
        view
    }

    pub(crate) fn snapshot(&self, world: &World) -> View {
        View { json: self.to_json(world), errors: self.errors.clone(), typed: self.typed.clone() }
    }
}

/// A snapshot of a view.
#[derive(Clone, Debug)]
pub struct View {
    /// The whole view as in Slack's payloads, `state.values` included.
    pub json: Value,
    /// Error messages at inputs, by block id.
    pub errors: BTreeMap<String, String>,
    typed: Typed,
}

impl View {
    fn field(&self, name: &str) -> &str {
        self.json[name].as_str().unwrap_or_default()
    }

    pub fn id(&self) -> &str {
        self.field("id")
    }

    /// Changes with every update.
    pub fn hash(&self) -> &str {
        self.field("hash")
    }

    /// The app's identifier of this kind of view.
    pub fn callback_id(&self) -> &str {
        self.field("callback_id")
    }

    pub fn private_metadata(&self) -> &str {
        self.field("private_metadata")
    }

    /// The title's text; empty for a Home tab.
    pub fn title(&self) -> &str {
        self.json["title"]["text"].as_str().unwrap_or_default()
    }

    /// The blocks, completed.
    pub fn blocks(&self) -> &[Value] {
        self.json["blocks"].as_array().map_or(&[], Vec::as_slice)
    }

    /// The first element with this action id, as the app sent it.
    pub fn element(&self, action_id: &str) -> Option<&Value> {
        values::elements(self.blocks()).find(|e| e.action_id == action_id).map(|e| e.element)
    }

    /// The value of an element as plain text: typed text, an option's label, a date. `None` if it has no value or does
    /// not exist.
    pub fn value(&self, action_id: &str) -> Option<String> {
        let state = self.typed.iter().find(|((_, action), _)| action == action_id)?.1;
        let shown = values::shown(state);
        (!shown.is_empty()).then(|| shown.join(", "))
    }

    /// The input to type into next: the first empty one, else the last.
    pub(crate) fn text_input(&self) -> Option<String> {
        let inputs: Vec<&str> = values::elements(self.blocks())
            .filter(|element| element.kind == "plain_text_input")
            .map(|element| element.action_id)
            .collect();
        let empty = inputs.iter().find(|input| self.value(input).is_none());
        empty.or(inputs.last()).map(ToString::to_string)
    }

    /// The state object of an element.
    pub(crate) fn state_in(&self, block_id: &str, action_id: &str) -> &Value {
        &self.json["state"]["values"][block_id][action_id]
    }

    /// All visible content, as plain text.
    pub fn shown(&self) -> String {
        crate::terminal::view_text(self)
    }
}
