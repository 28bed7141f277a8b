//! A parser for Rust source, good enough for the rules: it separates code from comments, tests and string
//! literals, and finds the paths that code names.

use std::fs;
use std::path::Path;

pub struct RustFile {
    /// The path relative to the repository's root.
    pub path: String,
    /// Its module path in the crate: `store`, `connect`.
    pub module: Vec<String>,
    pub text: String,
    /// The text with comments, strings and test modules blanked; line numbers stay the same.
    pub code: String,
    /// String literals outside tests, with their lines.
    pub literals: Vec<(usize, String)>,
}

/// A path that starts with `crate::`, or with enough `super::` to leave its top module; without that start.
#[derive(Debug, PartialEq, Eq)]
pub struct NamedPath {
    pub line: usize,
    pub segments: Vec<String>,
}

impl RustFile {
    pub fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let inside = path.strip_prefix(super::root().join("src")).unwrap_or(path).with_extension("");
        let module = inside.iter().map(|part| part.to_string_lossy().into_owned());
        Self::parse(super::relative(path), module.filter(|part| part != "mod").collect(), text)
    }

    fn parse(path: String, module: Vec<String>, text: String) -> Self {
        let (mut code, mut literals) = split(&text);
        let is_test_file = module.last().is_some_and(|name| name == "tests");
        for (from, to) in test_modules(&code).into_iter().chain(is_test_file.then_some((0, code.len()))) {
            let lines = line_of(&code, from)..=line_of(&code, to);
            literals.retain(|(line, _)| !lines.contains(line));
            code.replace_range(from..to, &blank(&code[from..to]));
        }
        Self { path, module, text, code, literals }
    }

    /// The top module that the file belongs to.
    pub fn top(&self) -> &str {
        self.module.first().map_or("", String::as_str)
    }

    /// Lines up to the last one with code; test modules at the end do not count.
    pub fn lines_of_code(&self) -> usize {
        self.code.trim_end().lines().count()
    }

    /// Occurrences of a text in the code: `file:line: the line`.
    pub fn mentions(&self, text: &str) -> Vec<String> {
        let lines = self.code.lines().zip(self.text.lines()).enumerate();
        lines
            .filter(|(_, (code, _))| code.contains(text))
            .map(|(i, (_, whole))| format!("{}:{}: {}", self.path, i + 1, whole.trim()))
            .collect()
    }

    /// Every path into the crate: inline paths and each one of a group.
    pub fn paths(&self) -> Vec<NamedPath> {
        let tokens = tokens(&self.code);
        let word = |i: usize| tokens.get(i).map_or("", |(_, word)| *word);
        let mut found = Vec::new();
        for i in 0..tokens.len() {
            if (i > 0 && word(i - 1) == "::") || word(i + 1) != "::" {
                continue;
            }
            if word(i) == "crate" {
                expand(&tokens, i + 2, &mut Vec::new(), &mut found);
            } else if word(i) == "super" {
                let mut climbed = 1;
                while word(i + 2 * climbed) == "super" && word(i + 2 * climbed + 1) == "::" {
                    climbed += 1;
                }
                if climbed >= self.module.len() {
                    expand(&tokens, i + 2 * climbed, &mut Vec::new(), &mut found);
                }
            }
        }
        found
    }

    /// The first word of every path, with its line.
    pub fn first_words(&self) -> Vec<(usize, String)> {
        let tokens = tokens(&self.code);
        let word = |i: usize| tokens.get(i).map_or("", |(_, word)| *word);
        (0..tokens.len())
            .filter(|&i| word(i + 1) == "::" && (i == 0 || word(i - 1) != "::"))
            .map(|i| (tokens[i].0, word(i).to_owned()))
            .collect()
    }
}

/// Reads one path, or each one of a group in braces; returns the position after it.
fn expand(
    tokens: &[(usize, &str)],
    at: usize,
    before: &mut Vec<String>,
    found: &mut Vec<NamedPath>,
) -> usize {
    let word = |i: usize| tokens.get(i).map_or("", |(_, word)| *word);
    let line = tokens.get(at).map_or(0, |(line, _)| *line);
    if word(at) == "{" {
        let mut at = at + 1;
        while !matches!(word(at), "}" | "") {
            at = expand(tokens, at, before, found);
            while !matches!(word(at), "," | "}" | "") {
                at += 1;
            }
            at += usize::from(word(at) == ",");
        }
        return at + 1;
    }
    if !word(at).starts_with(|c: char| c.is_alphabetic() || c == '_') {
        found.push(NamedPath { line, segments: before.clone() });
        return at + 1;
    }
    before.push(word(at).to_owned());
    let next = if word(at + 1) == "::" {
        expand(tokens, at + 2, before, found)
    } else {
        found.push(NamedPath { line, segments: before.clone() });
        at + 1
    };
    before.pop();
    next
}

/// Words, `::` and single characters, with their lines.
fn tokens(code: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (i, line) in code.lines().enumerate() {
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let part_of_word = |c: char| c.is_alphanumeric() || c == '_';
            let len = if part_of_word(first) {
                rest.find(|c| !part_of_word(c)).unwrap_or(rest.len())
            } else if rest.starts_with("::") {
                2
            } else {
                first.len_utf8()
            };
            found.push((i + 1, &rest[..len]));
            rest = rest[len..].trim_start();
        }
    }
    found
}

/// Blanks comments and literals, and collects the string literals.
fn split(text: &str) -> (String, Vec<(usize, String)>) {
    let (mut code, mut literals) = (String::with_capacity(text.len()), Vec::new());
    let (mut rest, mut line) = (text, 1);
    while let Some(first) = rest.chars().next() {
        let in_word = code.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let literal = string_len(rest, in_word);
        match literal.or_else(|| comment_len(rest)).or_else(|| char_len(rest)) {
            Some(len) => {
                if literal.is_some() {
                    let quoted = rest[..len].trim_start_matches('r').trim_matches('#');
                    literals.push((line, quoted.trim_matches('"').to_owned()));
                }
                line += rest[..len].matches('\n').count();
                code.push_str(&blank(&rest[..len]));
                rest = &rest[len..];
            }
            None => {
                line += usize::from(first == '\n');
                code.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    (code, literals)
}

fn comment_len(rest: &str) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    rest.starts_with("/*").then(|| rest.find("*/").map_or(rest.len(), |end| end + 2))
}

fn string_len(rest: &str, in_word: bool) -> Option<usize> {
    if rest.starts_with('"') {
        let mut escaped = false;
        let end = rest.char_indices().skip(1).find(|(_, c)| {
            let ends = *c == '"' && !escaped;
            escaped = *c == '\\' && !escaped;
            ends
        });
        return Some(end.map_or(rest.len(), |(i, _)| i + 1));
    }
    let hashes = rest.strip_prefix('r').filter(|_| !in_word)?;
    let opening = hashes.trim_start_matches('#');
    let end = format!("\"{}", "#".repeat(hashes.len() - opening.len()));
    let inside = opening.strip_prefix('"')?;
    let start = rest.len() - inside.len();
    Some(inside.find(&end).map_or(rest.len(), |i| start + i + end.len()))
}

/// A character literal, not a lifetime.
fn char_len(rest: &str) -> Option<usize> {
    let inside = rest.strip_prefix('\'')?;
    if let Some(escaped) = inside.strip_prefix('\\') {
        let end = escaped.char_indices().skip(1).find(|(_, c)| *c == '\'')?.0;
        return Some(end + 3);
    }
    let len = inside.chars().next()?.len_utf8();
    inside[len..].starts_with('\'').then_some(len + 2)
}

/// Ranges from each `#[cfg(test)] mod … {` to its closing brace.
fn test_modules(code: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for (start, attribute) in code.match_indices("#[cfg(test)]") {
        let head = start + attribute.len();
        let Some(open) = code[head..].find(['{', ';']).map(|i| head + i) else { continue };
        let mut depth = 0_usize;
        let end = code[open..].char_indices().find(|(_, c)| {
            depth = match c {
                '{' => depth + 1,
                '}' => depth.saturating_sub(1),
                _ => depth,
            };
            depth == 0
        });
        found.push((start, end.map_or(code.len(), |(i, _)| open + i + 1)));
    }
    found
}

fn blank(text: &str) -> String {
    text.chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect()
}

fn line_of(code: &str, at: usize) -> usize {
    code[..at].matches('\n').count() + 1
}

#[test]
fn comments_strings_and_tests_are_not_code() {
    let text = "// crate::a\nlet x = \"crate::b \\\" crate::c\"; /* crate::d */ let y = r#\"crate::e\"#;\n\
                fn f<'a>(c: char) -> bool { c == '\"' || c == '\\'' }\nlet z = crate::f::g;\n\
                #[cfg(test)]\nmod tests {\n    fn t() { crate::h::i(\"j\"); }\n}\n";
    let file = RustFile::parse("x.rs".into(), vec!["x".into()], text.into());
    assert_eq!(file.paths(), [NamedPath { line: 4, segments: vec!["f".into(), "g".into()] }]);
    let strings: Vec<&str> = file.literals.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(strings, ["crate::b \\\" crate::c", "crate::e"]);
    assert_eq!(file.lines_of_code(), 4);
    assert_eq!(file.mentions("crate::f"), ["x.rs:4: let z = crate::f::g;"]);
}

#[test]
fn grouped_and_super_paths_are_found() {
    let text = "use crate::{a, b::{c as d, e::*}};\npub(in crate::f) fn g() {}\nuse super::h;\nuse super::super::i::j;\n";
    let file = RustFile::parse("x/y.rs".into(), vec!["x".into(), "y".into()], text.into());
    let paths: Vec<String> = file.paths().iter().map(|path| path.segments.join("::")).collect();
    assert_eq!(paths, ["a", "b::c", "b::e", "f", "i::j"]);
}
