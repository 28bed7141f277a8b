//! Renders every page with arbitrary text in every place that a person could have typed, and parses it as browsers do:
//! it must have the same elements and attributes as with plain letters, and no others.

use super::every_page::pages;
use html5gum::{Token, Tokenizer};
use proptest::prelude::*;

/// The page without its text: tags with attribute names, comments, doctypes.
fn skeleton(page: &str) -> Vec<String> {
    let mut bones = Vec::new();
    let name = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    for Ok(token) in Tokenizer::new(page) {
        match token {
            Token::StartTag(tag) => {
                let attributes: Vec<String> = tag.attributes.keys().map(|key| name(key)).collect();
                bones.push(format!("<{} {}>", name(&tag.name), attributes.join(" ")));
            }
            Token::EndTag(tag) => bones.push(format!("</{}>", name(&tag.name))),
            Token::Comment(_) => bones.push("<!-- -->".to_owned()),
            Token::Doctype(_) => bones.push("<!doctype>".to_owned()),
            Token::String(_) | Token::Error(_) => {}
        }
    }
    bones
}

/// Arbitrary text, often with characters that are special in HTML or in a template.
fn typed() -> impl Strategy<Value = String> {
    let telling = "(<|>|\"|'|=|`|&|/|;|#|</?(script|textarea|title|svg|a)|<!--|-->|]]>|&(lt|quot|#60|amp);?|\\{\\{|\\}\\}|onload=|javascript:|\u{0}|\n| |x|é){0,12}";
    prop_oneof![1 => "\\PC{0,40}", 1 => any::<String>(), 2 => telling]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn text_never_adds_markup_to_a_page(text in typed()) {
        let letters: String = text.chars().map(|c| if c.is_ascii_punctuation() { 'x' } else { c }).collect();
        for (page, plain) in pages(&text).iter().zip(pages(&letters)) {
            prop_assert_eq!(skeleton(page), skeleton(&plain), "{}", page);
        }
    }
}

#[test]
fn skeleton_detects_unescaped_markup() {
    let bones = |inside: &str| skeleton(&format!("<p class=\"{inside}\">{inside}</p>"));
    assert_eq!(bones("x"), ["<p class>", "</p>"]);
    for raw in ["<b>", "\" onload=\"x", "<!---->"] {
        assert_ne!(bones(raw), bones("x"), "{raw}");
    }
}
