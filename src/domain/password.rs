//! Rules for passwords (spec/web.md "Staff").

use super::characters::is_unseen;

/// Fewest characters of a password.
pub const LENGTH_MIN: usize = 10;

/// Why a password was rejected; its `Display` is the sentence for the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    #[error("A password needs at least {LENGTH_MIN} characters. Several spaces in a row count as one.")]
    TooShort,
    /// A person who copies or types it would lose the blank.
    #[error("A password cannot begin or end with a space. Please leave it out.")]
    OuterSpace,
}

/// Checks a new password. Consecutive blanks, and invisible characters next to a blank, count as one character:
/// twelve blanks are not a password.
///
/// # Errors
/// Too short, or a blank at either end.
pub fn check_new(password: &str) -> Result<(), PasswordError> {
    if has_outer_space(password) && password.chars().any(|c| !is_unseen(c)) {
        return Err(PasswordError::OuterSpace);
    }
    let mut after_blank = true;
    let counted = password.chars().filter(|&c| {
        let counts = !is_unseen(c) || !after_blank;
        after_blank = is_unseen(c);
        counts
    });
    if counted.count() < LENGTH_MIN { Err(PasswordError::TooShort) } else { Ok(()) }
}

/// True if a blank or another invisible character was copied along with a password.
pub fn has_outer_space(password: &str) -> bool {
    // Joiners and variation selectors belong to the character that they follow.
    let is_blank = |c: char| {
        c.is_whitespace()
            || c.is_control()
            || matches!(c, '\u{200b}' | '\u{2060}' | '\u{2800}' | '\u{3164}' | '\u{feff}')
    };
    password.starts_with(is_blank) || password.ends_with(is_blank)
}

/// The hint after a wrong password that [`has_outer_space`]; reveals nothing about the right one.
pub const OUTER_SPACE_HINT: &str =
    "The password begins or ends with a space. Copy it without the space, or type it.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_blank_passwords_are_rejected() {
        for typed in [
            "",
            "short",
            "            ",
            "\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}",
            "a          b",
            "ninechars",
            "a\u{3164} b\u{2800} c d",
        ] {
            assert_eq!(check_new(typed), Err(PasswordError::TooShort), "{typed:?}");
        }
        for typed in [" changeme123", "changeme123\t", "changeme123\u{a0}", "changeme123\u{feff}"] {
            assert_eq!(check_new(typed), Err(PasswordError::OuterSpace), "{typed:?}");
        }
        for typed in [
            "changeme123",
            "a good one!",
            "пароль-мой",
            "🔧🔧🔧🔧🔧🔧🔧🔧🔧🔧",
            "abcd-efgh-jkmn-pqrs",
            "changeme ❤\u{fe0f}",
        ] {
            assert_eq!(check_new(typed), Ok(()), "{typed:?}");
        }
    }

    #[test]
    fn outer_spaces_of_passwords_are_detected() {
        for typed in [" x", "x ", "x\n", "\u{a0}x", "x\u{200b}", "\u{feff}x"] {
            assert!(has_outer_space(typed), "{typed:?}");
        }
        for typed in ["", "x", "a b"] {
            assert!(!has_outer_space(typed), "{typed:?}");
        }
    }
}
