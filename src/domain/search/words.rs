//! Splits folded text into searchable words. Owns what counts as a word, and what is ignored.

use unicode_normalization::char::is_combining_mark;

/// The words of a folded text. Emoji such as `:fire:` are ignored, unless there is nothing else.
pub(super) fn words(folded: &str) -> Vec<String> {
    let found = split(&without_emoji(folded));
    if found.is_empty() { split(folded) } else { found }
}

fn split(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    for c in text.chars().filter(|c| !is_invisible(*c)) {
        if c.is_alphanumeric() || is_combining_mark(c) && !word.is_empty() {
            push_plain(&mut word, c);
        } else if !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// Appends a letter, or its replacement for people who do not have it on their keyboard.
fn push_plain(word: &mut String, c: char) {
    match c {
        'ß' => word.push_str("ss"),
        'æ' => word.push_str("ae"),
        'œ' => word.push_str("oe"),
        'þ' => word.push_str("th"),
        'ø' => word.push('o'),
        'đ' | 'ð' => word.push('d'),
        'ł' => word.push('l'),
        'ħ' => word.push('h'),
        'ı' => word.push('i'),
        c => word.push(c),
    }
}

/// Invisible characters within a word, which do not end it.
const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

/// Replaces each emoji that is written as its name between colons by a blank.
fn without_emoji(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(':') {
        let begins = !before.ends_with(char::is_alphanumeric);
        out.push_str(before);
        rest = match after.split_once(':') {
            Some((name, behind))
                if begins && is_emoji(name) && !behind.starts_with(char::is_alphanumeric) =>
            {
                out.push(' ');
                behind
            }
            _ => {
                out.push(':');
                after
            }
        };
    }
    out.push_str(rest);
    out
}

fn is_emoji(name: &str) -> bool {
    (1..=100).contains(&name.len()) && name.chars().all(|c| c.is_alphanumeric() || "_-+'".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_letters_and_digits() {
        for (text, expected) in [
            ("o’brien's lathe", &["o", "brien", "s", "lathe"][..]),
            ("x–y plotter", &["x", "y", "plotter"]),
            ("3-in-1 (1.5 kw)", &["3", "in", "1", "1", "5", "kw"]),
            ("straße Ø", &["strasse", "Ø"]),
            ("ba\u{ad}nd\u{200b}saw", &["bandsaw"]),
            ("हिन्दी й", &["हिन्दी", "й"]),
            ("fire :fire: saw:+1:", &["fire", "saw", "1"]),
            (":fire: saw", &["saw"]),
            (":fire:", &["fire"]),
            ("12:30:45", &["12", "30", "45"]),
            ("a : b : c", &["a", "b", "c"]),
            ("🔥 ++", &[]),
            ("", &[]),
        ] {
            assert_eq!(words(text), expected, "{text}");
        }
    }
}
