//! Invisible characters: which they are, which of them a text needs, and how the others are removed. `text` uses it
//! for everything that people type; `render` for texts that were stored before.
//!
//! | Characters | One line (names) | Several lines |
//! | --- | --- | --- |
//! | overrides, embeddings and isolates (U+202A–202E, U+2066–2069) | removed: they show a text in another order than it has | removed |
//! | direction marks (U+200E, U+200F, U+061C) | removed | kept: Hebrew and Arabic sentences use them |
//! | joiners (U+200C, U+200D) | kept behind letters that join and behind emoji | kept |
//! | variation selectors | kept behind what has variants | kept |
//! | tags (U+E0020–E007F) | kept within a flag | kept within a flag |
//! | zero-width blanks, fillers, soft hyphens and the like | removed | kept |
//! | what no text needs (deprecated format characters, annotations) | removed | removed |

use std::borrow::Cow;

/// True for characters without width, and for those that look like a blank but are not white space.
pub const fn is_zero_width(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// True when a reader would see something: not only white space, control and zero-width characters.
pub fn is_visible(text: &str) -> bool {
    text.chars().any(|c| !is_unseen(c))
}

/// True for invisible characters: white space, control and zero-width characters.
pub fn is_unseen(c: char) -> bool {
    c.is_whitespace() || c.is_control() || is_zero_width(c)
}

/// True for characters that display a text in another order: embeddings, overrides and isolates. Right-to-left
/// scripts need none of them.
pub const fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Removes bidi controls from a text that was stored before they were removed at input.
pub fn without_bidi_controls(text: &str) -> Cow<'_, str> {
    if text.contains(is_bidi_control) {
        Cow::Owned(text.chars().filter(|c| !is_bidi_control(*c)).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// Removes invisible characters from a name, except those that join letters and emoji.
pub fn without_unseen_in_name(text: &str) -> String {
    let mut before = None;
    text.chars().filter(|&c| kept(c, &mut before, true)).collect()
}

/// Removes characters from lines that no text needs.
pub fn without_unseen_in_lines(text: &str) -> String {
    let mut before = None;
    text.chars().filter(|&c| kept(c, &mut before, false)).collect()
}

/// Whether to keep this character; `before` is the last kept one.
fn kept(c: char, before: &mut Option<char>, is_name: bool) -> bool {
    let stays = match c {
        _ if is_bidi_control(c) => false,
        '\u{206a}'..='\u{206f}' | '\u{fff0}'..='\u{fffb}' => false,
        '\u{e0020}'..='\u{e007f}' => before.is_some_and(takes_tags),
        '\u{e0100}'..='\u{e01ef}' => !is_name || before.is_some_and(has_variants),
        '\u{e0000}'..='\u{e0fff}' => false,
        // A visible blank counts as a blank.
        '\u{2800}' => true,
        _ if !is_name => true,
        '\u{200c}' | '\u{200d}' => before.is_some_and(joins),
        '\u{fe00}'..='\u{fe0f}' | '\u{180b}'..='\u{180d}' | '\u{180f}' => before.is_some_and(has_variants),
        _ => !is_zero_width(c),
    };
    if stays {
        *before = Some(c);
    }
    stays
}

/// True for the black flag and for the tags after it, which form flags of regions.
const fn takes_tags(c: char) -> bool {
    matches!(c, '\u{1f3f4}' | '\u{e0020}'..='\u{e007e}')
}

/// True for characters after which a joiner may be visible: no script with ASCII or Latin, Greek and Cyrillic
/// letters joins.
fn joins(c: char) -> bool {
    c >= '\u{590}' && !c.is_whitespace() && (!is_zero_width(c) || matches!(c, '\u{fe00}'..='\u{fe0f}'))
        || matches!(c, '©' | '®')
}

/// True for characters with variants: digits and signs that become emoji, and everything beyond Western letters.
fn has_variants(c: char) -> bool {
    joins(c) || c.is_ascii_digit() || matches!(c, '#' | '*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn overrides_and_isolates_are_removed_everywhere() {
        for c in ('\u{202a}'..='\u{202e}').chain('\u{2066}'..='\u{2069}') {
            let text = format!("photo{c}gpj.exe");
            assert_eq!(without_unseen_in_name(&text), "photogpj.exe", "{c:?}");
            assert_eq!(without_unseen_in_lines(&text), "photogpj.exe", "{c:?}");
            assert_eq!(without_bidi_controls(&text), "photogpj.exe", "{c:?}");
        }
    }

    #[test]
    fn direction_marks_are_removed_from_names_only() {
        for c in ['\u{200e}', '\u{200f}', '\u{61c}'] {
            let text = format!("שלום{c} C++");
            assert_eq!(without_unseen_in_name(&text), "שלום C++", "{c:?}");
            assert_eq!(without_unseen_in_lines(&text), text, "{c:?}");
        }
    }

    #[test]
    fn names_hide_no_zero_width_character() {
        let hidden =
            "\u{ad}\u{34f}\u{200b}\u{200c}\u{200d}\u{2060}\u{2063}\u{180e}\u{3164}\u{fe0f}\u{feff}\u{e0074}";
        for c in hidden.chars() {
            for name in ["tess", "tеss", "Tüß"] {
                let text: String = name.chars().flat_map(|letter| [letter, c]).collect();
                assert_eq!(without_unseen_in_name(&text), name, "{c:?}");
            }
        }
    }

    #[test]
    fn scripts_and_emoji_keep_what_they_need() {
        for text in [
            "👩\u{200d}🔧",
            "❤\u{fe0f}\u{200d}🔥",
            "1\u{fe0f}\u{20e3}",
            "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
            "می\u{200c}خواهم",
            "क्\u{200d}ष",
            "שלום עולם",
            "مرحبا بالعالم",
            "ⓘ\u{fe0e}",
        ] {
            assert_eq!(without_unseen_in_name(text), text);
            assert_eq!(without_unseen_in_lines(text), text);
        }
    }

    #[test]
    fn tags_hide_no_text() {
        let hidden = "saw\u{e0001}\u{e0065}\u{e0076}\u{e0069}\u{e006c}";
        assert_eq!(
            (without_unseen_in_name(hidden), without_unseen_in_lines(hidden)),
            ("saw".into(), "saw".into())
        );
    }

    proptest! {
        #[test]
        fn removing_unseen_characters_is_idempotent(text in any::<String>()) {
            let (name, lines) = (without_unseen_in_name(&text), without_unseen_in_lines(&text));
            prop_assert_eq!(without_unseen_in_name(&name), name.as_str());
            prop_assert_eq!(without_unseen_in_lines(&lines), lines.as_str());
            prop_assert!(!name.contains(is_bidi_control) && !lines.contains(is_bidi_control));
            prop_assert_eq!(is_visible(&name), is_visible(&text));
        }
    }
}
