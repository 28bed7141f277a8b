//! Text that people type: rules, comparison, limits.

pub use super::characters::is_visible;
use super::characters::{is_zero_width, without_unseen_in_lines, without_unseen_in_name};
use serde::{Deserialize, Serialize};
use std::fmt;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Why a text was rejected; its `Display` is the sentence for the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing visible.
    #[error("Please fill this in.")]
    Empty,
    #[error("Please keep this to {max} characters; it has {len}.")]
    TooLong {
        /// Limit in characters.
        max: usize,
        /// Actual length in characters.
        len: usize,
    },
    /// It contains U+0000, which not every database can store.
    #[error("This contains an invisible character (U+0000). Please type the text again.")]
    Unstorable,
    /// Not in the format of an e-mail address.
    #[error("This does not look like an e-mail address, such as ana@example.org.")]
    NotAnAddress,
    /// Not an http or https address.
    #[error("Please give a whole address that begins with https:// or http://.")]
    NotALink,
    #[error("This form is incomplete. Please open it again and send it once more.")]
    NotARequestId,
}

/// Longest folded key in characters: the limit of a unique index on every database.
pub const KEY_MAX: usize = 191;

/// Folds a name for search and comparison: case and accents ignored, white space collapsed, control characters
/// removed. Marks that make another letter (й, が) stay: only those on Latin and Greek letters are accents.
pub fn fold(text: &str) -> String {
    let mut base = ' ';
    // Lower case twice: it decomposes İ, and Ⅳ becomes capital letters without it.
    let lower = text.chars().flat_map(char::to_lowercase).nfkd().flat_map(char::to_lowercase);
    let plain = lower.filter(|c| {
        if !is_combining_mark(*c) {
            base = *c;
        }
        base == *c || !takes_accents(base)
    });
    let plain: String = plain.filter(|c| *c != '\0').nfc().collect();
    let blank = |c: char| c.is_whitespace() || c.is_control();
    let words: Vec<&str> = plain.split(blank).filter(|word| !word.is_empty()).collect();
    words.join(" ").chars().take(KEY_MAX).collect()
}

/// The form in which user names are compared: case ignored, accents not.
pub fn caseless(text: &str) -> String {
    text.nfc().flat_map(char::to_lowercase).nfc().take(KEY_MAX).collect()
}

const fn takes_accents(base: char) -> bool {
    matches!(base, 'a'..='z' | 'A'..='Z' | '\u{aa}'..='\u{24f}' | '\u{370}'..='\u{3ff}'
        | '\u{1e00}'..='\u{1fff}')
}

/// Cuts to at most `max` characters, the last one an ellipsis if something was cut.
pub fn cut(text: &str, max: usize) -> String {
    if text.chars().nth(max).is_none() {
        return text.to_owned();
    }
    let kept: String = text.chars().take(max.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

fn checked(text: String, max: usize) -> Result<String, TextError> {
    let len = text.chars().count();
    if text.contains('\0') {
        return Err(TextError::Unstorable);
    }
    if !is_visible(&text) {
        return Err(TextError::Empty);
    }
    if len > max {
        return Err(TextError::TooLong { max, len });
    }
    Ok(text)
}

/// Like [`checked`], for an optional text: if nothing is visible, it is empty.
fn checked_if_any(text: String, max: usize) -> Result<String, TextError> {
    match checked(text, max) {
        Err(TextError::Empty) => Ok(String::new()),
        given => given,
    }
}

/// One line: white space and control characters collapse to single blanks, and invisible characters are removed
/// ([`super::characters`]); U+0000 stays, to be rejected.
fn one_line(text: &str) -> String {
    let blank = |c: char| c.is_whitespace() || (c.is_control() && c != '\0');
    let text = without_unseen_in_name(text);
    text.split(blank).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A line without zero-width characters: two such names that look the same are the same.
fn plain_line(text: &str) -> String {
    one_line(&text.chars().filter(|c| !is_zero_width(*c)).collect::<String>())
}

/// Several lines: line ends become `\n`; other control characters except tab, and bidi controls, are removed; the
/// ends are trimmed.
pub fn tidy_lines(text: &str) -> String {
    let text = without_unseen_in_lines(text).replace("\r\n", "\n").replace('\r', "\n");
    let keep = |c: &char| !c.is_control() || matches!(c, '\n' | '\t' | '\0');
    text.chars().filter(keep).collect::<String>().trim().to_owned()
}

macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $shape:ident, $max:literal) => {
        text!($(#[$doc])* $name, $shape, $max, checked);
    };
    ($(#[$doc:meta])* $name:ident, $shape:ident, $max:literal, $check:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// In characters.
            pub const MAX: usize = $max;

            /// Normalizes and checks a typed text.
            ///
            /// # Errors
            /// Nothing visible, too long, or contains U+0000.
            pub fn parse(text: &str) -> Result<Self, TextError> {
                $check($shape(text), Self::MAX).map(Self)
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }

            pub fn into_string(self) -> String {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text!(
    /// Name of a person who reports (spec "Nouns": at most 200).
    PersonName, one_line, 200
);
text!(
    /// What is wrong with a machine (spec "Nouns": 1 to 3000).
    Description, tidy_lines, 3000
);
text!(
    /// A note on a repair: as long as a description.
    Note, tidy_lines, 3000
);
text!(
    /// What a specialist is needed for (spec "Nouns": at most 3000).
    SpecialistDescription, tidy_lines, 3000
);
text!(
    /// Name of a machine (spec "Nouns": 1 to 200).
    EquipmentName, one_line, 200
);
text!(
    /// Name of an area (spec "Nouns": 1 to 80).
    AreaName, one_line, 80
);
text!(
    /// A detail of a machine, such as its model (spec "Nouns": 0 to 200).
    #[derive(Default)]
    Detail, one_line, 200, checked_if_any
);
text!(
    /// The purpose of a machine and how to treat it: empty, or up to 10,000 characters.
    #[derive(Default)]
    About, tidy_lines, 10000, checked_if_any
);
text!(
    /// A technician's note on a machine.
    EquipmentNote, tidy_lines, 3000
);
text!(
    /// Title of a link of a machine.
    LinkTitle, one_line, 200
);
text!(
    /// Title of a document of a machine.
    DocumentTitle, one_line, 200
);
text!(
    /// The name to log in with.
    Username, plain_line, 80
);

text!(
    /// Name of an API token.
    TokenName, one_line, 80
);

text!(
    /// A Slack handle as people type it, such as `@sam`.
    SlackHandle, one_line, 80
);

/// An e-mail address; only its format is checked.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// Most characters (the limit of e-mail itself).
    pub const MAX: usize = 254;

    /// Parses `name@host`.
    ///
    /// # Errors
    /// Another format, too long, or nothing visible.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let text = checked(one_line(text), Self::MAX)?;
        let odd = |c: char| {
            c.is_whitespace() || c.is_control() || is_zero_width(c) || matches!(c, '<' | '>' | ',' | ';')
        };
        match text.split_once('@') {
            Some((name, host))
                if !name.is_empty() && !host.is_empty() && !host.contains('@') && !text.contains(odd) =>
            {
                Ok(Self(text))
            }
            _ => Err(TextError::NotAnAddress),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A web address: http or https, so that following it runs no code.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LinkUrl(String);

impl LinkUrl {
    /// In characters.
    pub const MAX: usize = 2000;

    /// Parses `https://host/…`.
    ///
    /// # Errors
    /// Another scheme, no host, blanks, control characters or quotes in it, too long, nothing visible.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let text = checked(text.trim().to_owned(), Self::MAX)?;
        let rest = ["https://", "http://"].iter().find_map(|scheme| {
            let (head, rest) = text.split_at_checked(scheme.len())?;
            head.eq_ignore_ascii_case(scheme).then_some(rest)
        });
        let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
        let odd =
            |c: char| c.is_whitespace() || c.is_control() || is_zero_width(c) || "\"<>\\^`{|}".contains(c);
        if host.is_empty() || host.contains('@') || text.contains(odd) {
            return Err(TextError::NotALink);
        }
        Ok(Self(text))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Identifies one submission of a form or modal, so that a repeated one is recognized.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct RequestId(String);

impl TryFrom<String> for RequestId {
    type Error = TextError;

    /// Like [`RequestId::parse`]: the id in a modal comes from outside.
    fn try_from(text: String) -> Result<Self, TextError> {
        Self::parse(&text)
    }
}

impl RequestId {
    /// An id of 128 random bits.
    pub fn from_random(bits: [u8; 16]) -> Self {
        Self(hex::encode(bits))
    }

    /// The request id of an event's effects, the same each time Slack sends the event.
    pub fn of_event(event: &EventId) -> Self {
        // No event id contains a dash, so two ids cannot become one.
        Self(format!("slack-event-{:->4}", event.0))
    }

    /// Parses an id from a form: 16 to 64 letters, digits, `-` or `_`.
    ///
    /// # Errors
    /// Anything else.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let fits = (16..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        if fits { Ok(Self(text.to_owned())) } else { Err(TextError::NotARequestId) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Slack's id of an event, the same each time Slack sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventId(String);

impl EventId {
    /// Parses an id: 1 to 48 letters and digits. `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=48).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric());
        fits.then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn invisible_text_is_no_text() {
        for nothing in ["", " ", "\n\t", "\u{200b}", "\u{feff}\u{2060}", "\u{3164}", "\u{1f}"] {
            assert_eq!(Description::parse(nothing), Err(TextError::Empty), "{nothing:?}");
        }
        assert_eq!(Description::parse("\0"), Err(TextError::Unstorable));
        assert!(Description::parse("🔥").is_ok());
    }

    #[test]
    fn limits_count_characters_not_bytes() {
        assert!(Description::parse(&"🔥".repeat(3000)).is_ok());
        assert_eq!(
            Description::parse(&"x".repeat(100_000)),
            Err(TextError::TooLong { max: 3000, len: 100_000 })
        );
    }

    #[test]
    fn names_are_one_line_descriptions_preserve_lines() {
        assert_eq!(PersonName::parse(" Ana\r\nLee\u{7} ").unwrap().as_str(), "Ana Lee");
        assert_eq!(Description::parse(" a\r\nb\rc\u{7} ").unwrap().as_str(), "a\nb\nc");
    }

    #[test]
    fn bidi_overrides_are_removed_from_all_text() {
        let turned = "photo\u{202e}gpj.exe";
        for read in [
            PersonName::parse(turned).unwrap().into_string(),
            EquipmentName::parse(turned).unwrap().into_string(),
            Description::parse(turned).unwrap().into_string(),
            Detail::parse(turned).unwrap().into_string(),
            About::parse(turned).unwrap().into_string(),
            Username::parse(turned).unwrap().into_string(),
        ] {
            assert_eq!(read, "photogpj.exe");
        }
        assert_eq!(Description::parse("\u{2067}\u{202e}"), Err(TextError::Empty));
        assert_eq!(AreaName::parse("Wood\u{200b} shop").unwrap().as_str(), "Wood shop");
        let hebrew = "המסור\u{200f} (A-3) שבור";
        assert_eq!(Description::parse(hebrew).unwrap().as_str(), hebrew);
    }

    #[test]
    fn user_names_hide_no_character() {
        for typed in ["te\u{200b}ss", "tess\u{200d}", "\u{feff}tess", "te\u{2800}ss", " t\u{fe0f}ess "] {
            assert_eq!(Username::parse(typed).unwrap().as_str(), "tess", "{typed:?}");
        }
        for typed in ["te\u{200b}ss@example.org", "tess@exam\u{2060}ple.org"] {
            assert_eq!(EmailAddress::parse(typed).unwrap().as_str(), "tess@example.org", "{typed:?}");
        }
        assert_eq!(EmailAddress::parse("ת\u{200d}@example.org"), Err(TextError::NotAnAddress));
    }

    #[test]
    fn folding_ignores_case_accents_and_spacing() {
        assert_eq!(fold("  Säge  ÉLAN "), fold("sage elan"));
        assert_eq!(fold("ﬁne Ⅳ"), "fine iv");
        assert_eq!(fold("a\0b\u{7}c"), "ab c");
        assert_eq!(fold("Άλφα"), fold("αλφα"));
        for (one, other) in [("ガス", "カス"), ("й", "и")] {
            assert_ne!(fold(one), fold(other));
        }
        assert_eq!(caseless("JOSÉ"), caseless("jose\u{301}"));
        assert_ne!(caseless("José"), caseless("Jose"));
        assert!(fold(&"ﷺ".repeat(80)).chars().count() <= KEY_MAX);
    }

    #[test]
    fn cut_text_ends_with_ellipsis() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcd", 3), "ab…");
        assert_eq!(cut("ab cd", 4), "ab…");
    }

    #[test]
    fn email_addresses_and_request_ids_are_validated() {
        assert!(EmailAddress::parse("ana@example.org").is_ok());
        for bad in ["ana", "@x", "a@", "a@b@c", "a b@c", "<a@b>"] {
            assert_eq!(EmailAddress::parse(bad), Err(TextError::NotAnAddress), "{bad}");
        }
        let event = |id: &str| RequestId::of_event(&EventId::parse(id).unwrap());
        for id in [RequestId::from_random([7; 16]), event("E"), event(&"E".repeat(48))] {
            assert_eq!(RequestId::parse(id.as_str()), Ok(id));
        }
        for bad in ["", "short", &"x".repeat(65), "0123456789abcde/", "0123456789abcdeé"] {
            assert_eq!(RequestId::parse(bad), Err(TextError::NotARequestId), "{bad}");
        }
    }

    #[test]
    fn blank_optional_text_becomes_empty() {
        assert_eq!(Detail::parse(" \u{200b} ").unwrap().as_str(), "");
        assert_eq!(Detail::parse(" Jet ").unwrap().as_str(), "Jet");
        assert_eq!(Detail::parse("\0"), Err(TextError::Unstorable));
        assert_eq!(Detail::parse(&"x".repeat(201)), Err(TextError::TooLong { max: 200, len: 201 }));
    }

    #[test]
    fn links_lead_to_the_web_and_nowhere_else() {
        for good in ["https://example.org", " HTTP://example.org:8080/a?b=c#d ", "https://bücher.example/ä"]
        {
            assert_eq!(LinkUrl::parse(good).unwrap().as_str(), good.trim());
        }
        for bad in [
            "javascript:alert(1)",
            "data:text/html,x",
            "//example.org",
            "example.org",
            "https://",
            "https:///x",
            "https://user:secret@example.org",
            "https://a b",
            "https://a\"b",
            "https://a\u{202e}b",
            "ftp://a",
            "https:\\\\a",
            "h\u{200b}ttps://a",
        ] {
            assert_eq!(LinkUrl::parse(bad), Err(TextError::NotALink), "{bad}");
        }
        assert_eq!(LinkUrl::parse(" "), Err(TextError::Empty));
    }

    proptest! {
        #[test]
        fn accepted_text_is_within_limit_and_unchanged(text in any::<String>()) {
            if let Ok(name) = PersonName::parse(&text) {
                prop_assert!(name.as_str().chars().count() <= PersonName::MAX);
                prop_assert_eq!(PersonName::parse(name.as_str()), Ok(name.clone()));
            }
            if let Ok(description) = Description::parse(&text) {
                prop_assert_eq!(Description::parse(description.as_str()), Ok(description.clone()));
            }
        }

        #[test]
        fn folding_twice_is_folding_once(text in "\\PC{0,40}") {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once.clone());
        }
    }
}
