//! Account names that people confuse: `tеss` with a Cyrillic е must not be a second `tess`. Compared by the
//! skeletons of Unicode Technical Standard 39, on every path that makes a user.

use super::text::caseless;
use std::collections::HashMap;
use unicode_normalization::UnicodeNormalization;
use unicode_security::confusable_detection::skeleton;

/// The skeletons of a name: as written, and in lower case. Names look alike if they share one of the two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appearance {
    written: String,
    lower: String,
}

impl Appearance {
    /// From a user name or an e-mail address.
    pub fn of(name: &str) -> Self {
        // A text in full width or bold is the same text.
        let plain: String = name.nfkc().collect();
        let seen = |text: &str| caseless(&skeleton(text).collect::<String>());
        Self { written: seen(&plain), lower: seen(&plain.to_lowercase()) }
    }

    /// True when people may confuse the two.
    pub fn is_like(&self, other: &Self) -> bool {
        self.written == other.written || self.lower == other.lower
    }
}

/// Finds names that look like another among many.
#[derive(Debug, Clone, Default)]
pub struct Appearances {
    written: HashMap<String, String>,
    lower: HashMap<String, String>,
}

impl Appearances {
    pub fn add(&mut self, name: &str) {
        let Appearance { written, lower } = Appearance::of(name);
        self.written.entry(written).or_insert_with(|| name.to_owned());
        self.lower.entry(lower).or_insert_with(|| name.to_owned());
    }

    /// A name that looks like this one and differs by more than case.
    pub fn like(&self, name: &str) -> Option<&str> {
        let Appearance { written, lower } = Appearance::of(name);
        let found = [self.written.get(&written), self.lower.get(&lower)];
        found.into_iter().flatten().map(String::as_str).find(|other| caseless(other) != caseless(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_look_alike_are_found() {
        for (one, other) in [
            ("tess", "tеss"),
            ("Tess", "ΤΕSS"),
            ("tess", "ｔｅｓｓ"),
            ("tess", "𝐭𝐞𝐬𝐬"),
            ("Ian", "lan"),
            ("bo", "bо"),
            ("sam1", "saml"),
            ("O'Neil", "O’Neil"),
            ("ana@example.org", "аna@example.org"),
        ] {
            assert!(Appearance::of(one).is_like(&Appearance::of(other)), "{one} {other}");
            let mut names = Appearances::default();
            names.add(one);
            assert_eq!(names.like(other), Some(one));
        }
    }

    #[test]
    fn visibly_different_names_are_accepted() {
        let names = [
            "tess",
            "tess2",
            "tessa",
            "téss",
            "boss",
            "bo",
            "sam",
            "sam2",
            "дима",
            "Дима2",
            "علی",
            "田中",
            "田口",
        ];
        for (at, one) in names.iter().enumerate() {
            for other in &names[at + 1..] {
                assert!(!Appearance::of(one).is_like(&Appearance::of(other)), "{one} {other}");
            }
        }
    }

    #[test]
    fn same_name_is_not_a_look_alike() {
        let mut names = Appearances::default();
        names.add("Tess");
        assert_eq!(names.like("tESS"), None, "that is the same one, which is another rule's");
    }
}
