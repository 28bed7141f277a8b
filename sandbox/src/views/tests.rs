//! Tests of opening, stacking, updating and closing views.

use serde_json::{Value, json};

use super::{OpenView, Views};
use crate::ids::Ids;

fn plain(text: &str) -> Value {
    json!({"type": "plain_text", "text": text})
}

fn input(name: &str, element: Value) -> Value {
    let mut element = element;
    element["action_id"] = json!(name);
    json!({"type": "input", "block_id": name, "label": plain("L"), "element": element})
}

fn form(blocks: Value) -> Value {
    json!({"type": "modal", "title": plain("T"), "submit": plain("S"), "blocks": blocks})
}

fn key(name: &str) -> (String, String) {
    (name.into(), name.into())
}

fn type_into(view: &mut OpenView, name: &str, text: &str) {
    view.typed.insert(key(name), json!({"type": "plain_text_input", "value": text}));
}

#[test]
fn three_deep_and_no_deeper() {
    let (mut views, mut ids) = (Views::default(), Ids::new());
    assert_eq!(views.push(&mut ids, "U1", form(json!([]))), Err("not_found"));
    let root = views.open(&mut ids, "U1", form(json!([])));
    let second = views.push(&mut ids, "U1", form(json!([]))).unwrap();
    let third = views.push(&mut ids, "U1", form(json!([]))).unwrap();
    assert_eq!(views.push(&mut ids, "U1", form(json!([]))), Err("push_limit_reached"));
    let shown = views.get(&third).unwrap().to_json(&crate::World::new());
    assert_eq!((&shown["root_view_id"], &shown["previous_view_id"]), (&json!(root), &json!(second)));
    views.close("U1");
    assert_eq!(views.top("U1").unwrap().id, second);
    assert_eq!(views.clear("U1").len(), 2);
    assert!(views.top("U1").is_none() && views.get(&root).is_none());
}

#[test]
fn update_keeps_values_of_remaining_inputs() {
    let (mut views, mut ids) = (Views::default(), Ids::new());
    let text = |initial: &str| json!({"type": "plain_text_input", "initial_value": initial});
    let id = views.open(&mut ids, "U1", form(json!([input("stays", text("a")), input("goes", text("b"))])));
    let hash = views.get(&id).unwrap().hash.clone();
    type_into(views.get_mut(&id).unwrap(), "stays", "typed");
    views.update(&mut ids, &id, form(json!([input("stays", text("c")), input("comes", text("d"))])));
    let view = views.get(&id).unwrap();
    assert_ne!(view.hash, hash);
    assert_eq!(view.typed[&key("stays")]["value"], "typed");
    assert_eq!(view.typed[&key("comes")]["value"], "d");
    assert!(!view.typed.contains_key(&key("goes")));
}

#[test]
fn update_drops_choice_no_longer_offered() {
    let (mut views, mut ids) = (Views::default(), Ids::new());
    let option = |value: &str| json!({"text": plain(value), "value": value});
    let select = |values: &[&str]| {
        let options: Vec<Value> = values.iter().map(|v| option(v)).collect();
        input(
            "wood",
            json!({"type": "static_select", "options": options, "initial_option": option(values[0])}),
        )
    };
    let id = views.open(&mut ids, "U1", form(json!([select(&["oak", "ash"])])));
    views.update(&mut ids, &id, form(json!([select(&["ash", "oak"])])));
    let chosen =
        |views: &Views| views.get(&id).unwrap().typed[&key("wood")]["selected_option"]["value"].clone();
    assert_eq!(chosen(&views), "oak", "still offered");
    views.update(&mut ids, &id, form(json!([select(&["ash", "elm"])])));
    assert_eq!(chosen(&views), "ash", "the initial one, as oak is gone");
}

#[test]
fn external_id_is_one_views_only() {
    let (mut views, mut ids) = (Views::default(), Ids::new());
    let mut view = form(json!([]));
    view["external_id"] = json!("mine");
    let id = views.open(&mut ids, "U1", view.clone());
    assert_eq!(views.refuse_external_id(&view, None), Err("duplicate_external_id"));
    assert_eq!(views.refuse_external_id(&view, Some(&id)), Ok(()));
    assert_eq!(views.by_external_id("mine").unwrap().id, id);
}

#[test]
fn home_tab_keeps_its_id() {
    let (mut views, mut ids) = (Views::default(), Ids::new());
    let home = json!({"type": "home", "blocks": [{"type": "divider"}]});
    let first = views.publish(&mut ids, "U1", home.clone());
    let hash = views.home("U1").unwrap().hash.clone();
    assert_eq!(views.publish(&mut ids, "U1", home), first);
    assert_ne!(views.home("U1").unwrap().hash, hash);
    assert!(views.top("U1").is_none(), "it is no modal");
}
