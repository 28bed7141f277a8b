//! The event of a delivery as the database stores it: it survives a round trip, and its message stays within Slack's
//! limits and mentions nobody.

#![no_main]

use esb::domain::announce::Event;
use esb::domain::text::Description;
use esb::render::slack::Blocks;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use std::sync::LazyLock;

static BLOCKS: LazyLock<Blocks> = LazyLock::new(|| Blocks::new().expect("templates"));

/// Every text of a message, with the most characters that it may have.
fn texts<'a>(block: &'a Value, found: &mut Vec<(&'a str, usize)>) {
    let max = match block.get("type").and_then(Value::as_str) {
        Some("header") => 150,
        _ => 3000,
    };
    if let Some(text) = block.get("text").and_then(|text| text.as_str().or_else(|| text["text"].as_str())) {
        found.push((text, max));
    }
    for list in ["elements", "fields"] {
        for part in block.get(list).and_then(Value::as_array).into_iter().flatten() {
            texts(part, found);
        }
    }
}

fuzz_target!(|text: &str| {
    let Ok(event) = serde_json::from_str::<Event>(text) else { return };
    let kept = serde_json::to_string(&event).expect("JSON");
    assert_eq!(serde_json::from_str::<Event>(&kept).expect("what was written"), event);
    // A repair without a description does not come to be: Slack would refuse an empty section.
    if Description::parse(&event.repair().description).is_err() {
        return;
    }
    let message = BLOCKS.announcement(&event, Some("https://esb.example.org/e/1")).expect("a message");
    let blocks = message.blocks.as_array().expect("blocks");
    assert!((1..=50).contains(&blocks.len()));
    let mut found = vec![(message.text.as_str(), 40_000)];
    blocks.iter().for_each(|block| texts(block, &mut found));
    assert!(found.len() > 2, "{blocks:?}");
    for (text, max) in found {
        assert!((1..=max).contains(&text.chars().count()), "{} characters", text.chars().count());
        // Our own link is the only thing in angle brackets.
        let rest = text.replace("<https://esb.example.org/e/1|", "");
        assert!(!rest.contains('<'), "{rest}");
    }
});
