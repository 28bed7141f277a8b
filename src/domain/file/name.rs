//! File names: the sender's, sanitized, and the random one under which a file is stored.

use super::FileKind;
use crate::domain::characters::{is_zero_width, without_unseen_in_name};
use std::fmt;
use std::str::FromStr;

/// The sender's name for a file: one line, no path, at most [`FileName::MAX`] characters, with an extension of its
/// kind. Never used as a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileName(String);

impl FileName {
    /// In characters.
    pub const MAX: usize = 200;

    /// Sanitizes any text: takes the part after the last slash, without invisible characters.
    pub fn clean(given: &str) -> Self {
        let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
        let visible: String = last.chars().map(|c| if is_unseen(c) { ' ' } else { c }).collect();
        let visible = without_unseen_in_name(&visible);
        let words = visible.split_whitespace().collect::<Vec<_>>().join(" ");
        let bare = words.trim_matches(['.', ' ']);
        let name = if bare.is_empty() { "file" } else { bare };
        Self(shortened(name))
    }

    /// Its extension in lower case: the text after the last dot, if it looks like an extension.
    pub fn ending(&self) -> Option<String> {
        let (stem, ending) = self.0.rsplit_once('.')?;
        let plausible = (1..=5).contains(&ending.len())
            && ending.bytes().all(|b| b.is_ascii_alphanumeric())
            && ending.bytes().any(|b| b.is_ascii_alphabetic());
        (!stem.is_empty() && plausible).then(|| ending.to_ascii_lowercase())
    }

    /// The same name with an extension of this kind: another kind's is replaced, an unknown one stays before it.
    pub fn of_kind(self, kind: FileKind) -> Self {
        let ending = self.ending();
        match ending.as_deref().map(|ending| (ending, FileKind::of_ending(ending))) {
            Some((_, Some(claimed))) if claimed == kind => self,
            Some((ending, Some(_))) => {
                let stem = self.0.len() - ending.len();
                let stem = self.0.get(..stem).unwrap_or_default();
                Self(shortened(&format!("{stem}{}", kind.ending())))
            }
            _ => Self(shortened(&format!("{}.{}", self.0, kind.ending()))),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Control characters, and invisible ones: some reverse the direction of a text and so hide the extension. Those
/// that emoji and Indian scripts need stay where they belong ([`crate::domain::characters`]).
fn is_unseen(c: char) -> bool {
    c.is_control() || (is_zero_width(c) && !matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}'))
}

/// Cuts in the middle, so that the extension stays.
fn shortened(name: &str) -> String {
    let excess = name.chars().count().saturating_sub(FileName::MAX);
    if excess == 0 {
        return name.to_owned();
    }
    let (stem, ending) = name.rsplit_once('.').filter(|(_, end)| end.len() <= 5).unwrap_or((name, ""));
    let dot = if ending.is_empty() { 0 } else { 1 };
    let room = FileName::MAX.saturating_sub(ending.chars().count() + dot);
    let stem: String = stem.chars().take(room).collect();
    if ending.is_empty() { stem } else { format!("{stem}.{ending}") }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name under which a file is stored: 32 hexadecimal digits and the kind's extension. Cannot leave the upload
/// directory, regardless of the database.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StoredName(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a name under which files are kept")]
pub struct NotStored;

/// Digits of a random name.
const DIGITS: usize = 32;
/// Suffix of a file's thumbnail.
const THUMBNAIL: &str = ".thumbnail.jpg";

impl StoredName {
    /// A name that cannot be guessed.
    pub fn from_random(bytes: [u8; DIGITS / 2], kind: FileKind) -> Self {
        Self(format!("{}.{}", hex::encode(bytes), kind.ending()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of its thumbnail.
    pub fn thumbnail(&self) -> String {
        format!("{}{THUMBNAIL}", self.0)
    }

    /// The file of a name found in the directory: the file itself, or its thumbnail.
    pub fn of_found(found: &str) -> Option<Self> {
        found.strip_suffix(THUMBNAIL).unwrap_or(found).parse().ok()
    }
}

fn is_hex(digits: &str) -> bool {
    digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

impl FromStr for StoredName {
    type Err = NotStored;

    fn from_str(text: &str) -> Result<Self, NotStored> {
        let (digits, ending) = text.split_once('.').ok_or(NotStored)?;
        let ours = digits.len() == DIGITS && is_hex(digits) && FileKind::of_ending(ending).is_some();
        if ours { Ok(Self(text.to_owned())) } else { Err(NotStored) }
    }
}

impl fmt::Display for StoredName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn file_names_lose_path_and_unsafe_characters() {
        for (given, clean) in [
            ("saw.jpg", "saw.jpg"),
            ("../../etc/passwd", "passwd"),
            ("C:\\photos\\Säge 1.JPG", "Säge 1.JPG"),
            ("/", "file"),
            ("..", "file"),
            (".htaccess", "htaccess"),
            ("a\r\nSet-Cookie: x.pdf", "a Set-Cookie: x.pdf"),
            ("gnp\u{202e}fdp.exe", "gnp fdp.exe"),
            ("  two   words .pdf", "two words .pdf"),
            ("\0", "file"),
        ] {
            assert_eq!(FileName::clean(given).as_str(), clean, "{given:?}");
        }
    }

    #[test]
    fn file_extension_follows_detected_content() {
        for (given, kind, named) in [
            ("saw.jpeg", FileKind::Jpeg, "saw.jpeg"),
            ("saw.PNG", FileKind::Jpeg, "saw.jpg"),
            ("manual", FileKind::Pdf, "manual.pdf"),
            ("manual.pdf.exe", FileKind::Pdf, "manual.pdf.exe.pdf"),
            ("notes 2.0", FileKind::Txt, "notes 2.0.txt"),
        ] {
            assert_eq!(FileName::clean(given).of_kind(kind).as_str(), named);
        }
        assert_eq!(FileName::clean("v1.5").ending(), None);
        assert_eq!(FileName::clean("x.TAR").ending().as_deref(), Some("tar"));
    }

    #[test]
    fn stored_names_are_hex_and_an_ending() {
        let name = StoredName::from_random([0xab; 16], FileKind::Jpeg);
        assert_eq!(name.as_str(), format!("{}.jpg", "ab".repeat(16)));
        assert_eq!(name.as_str().parse(), Ok(name.clone()));
        assert_eq!(StoredName::of_found(&name.thumbnail()), Some(name.clone()));
        assert_eq!(StoredName::of_found(name.as_str()), Some(name));
        let hex = "ab".repeat(16);
        for wrong in ["", "x.jpg", "../../etc/passwd", &hex, &format!("{hex}.exe"), &format!("{hex}.jpg/..")]
        {
            assert!(wrong.parse::<StoredName>().is_err(), "{wrong}");
            assert_eq!(StoredName::of_found(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn any_file_name_becomes_one_safe_line(given in any::<String>(), kind in 0..FileKind::ALL.len()) {
            let kind = FileKind::ALL[kind];
            let name = FileName::clean(&given).of_kind(kind);
            let text = name.as_str();
            prop_assert!(!text.is_empty() && text.chars().count() <= FileName::MAX);
            prop_assert!(!text.contains(['/', '\\']) && !text.starts_with('.'));
            prop_assert!(!text.chars().any(is_unseen));
            prop_assert_eq!(name.ending().and_then(|ending| FileKind::of_ending(&ending)), Some(kind));
            prop_assert_eq!(FileName::clean(text), name.clone());
        }

        #[test]
        fn stored_name_is_never_a_path(given in "[0-9a-f./\\\\]{0,40}") {
            if given.parse::<StoredName>().is_ok() {
                prop_assert!(!given.contains('/') && !given.contains('\\') && !given.contains(".."));
            }
        }
    }
}
