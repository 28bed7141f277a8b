//! Parses lines of the terminal.
//!
//! Owns: their grammar. Must not: act. Called by: `terminal`.

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    Nothing,
    Help,
    /// A command without its required argument.
    Unfinished(&'a str),
    /// A line that begins with no known command.
    Unknown(&'a str),
    As(&'a str),
    In(&'a str),
    Look,
    Who,
    Read(Option<&'a str>),
    Command {
        command: &'a str,
        text: &'a str,
    },
    Set {
        name: &'a str,
        text: &'a str,
    },
    Unset {
        name: &'a str,
        label: Option<&'a str>,
    },
    Search {
        name: &'a str,
        typed: &'a str,
    },
    Press {
        name: &'a str,
        value: Option<&'a str>,
    },
    Submit,
    Close,
    Say(&'a str),
    Reply(&'a str),
    React(&'a str),
    Home,
}

/// The first word and the rest.
fn split(line: &str) -> (&str, &str) {
    let line = line.trim();
    line.split_once(char::is_whitespace).map_or((line, ""), |(word, rest)| (word, rest.trim()))
}

fn some(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

impl<'a> Line<'a> {
    pub(super) fn parse(line: &'a str) -> Self {
        let (word, rest) = split(line);
        let (name, text) = split(rest);
        match word {
            "" => Self::Nothing,
            "help" | "?" => Self::Help,
            "look" => Self::Look,
            "who" => Self::Who,
            "read" => Self::Read(some(rest)),
            "submit" => Self::Submit,
            "close" => Self::Close,
            "home" => Self::Home,
            command if command.starts_with('/') => Self::Command { command, text: rest },
            "as" | "in" | "set" | "unset" | "search" | "press" | "say" | "reply" | "react"
                if rest.is_empty() =>
            {
                Self::Unfinished(word)
            }
            "as" => Self::As(rest),
            "in" => Self::In(rest),
            "set" => Self::Set { name, text },
            "unset" => Self::Unset { name, label: some(text) },
            "search" => Self::Search { name, typed: text },
            "press" => Self::Press { name, value: some(text) },
            "say" => Self::Say(rest),
            "reply" => Self::Reply(rest),
            "react" => Self::React(rest.trim_matches(':')),
            _ => Self::Unknown(line.trim()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_what_follows_them() {
        let check = |line, expected| assert_eq!(Line::parse(line), expected, "{line}");
        check("  ", Line::Nothing);
        check("/order two oak boards", Line::Command { command: "/order", text: "two oak boards" });
        check("set note  it is  loose ", Line::Set { name: "note", text: "it is  loose" });
        check("press done", Line::Press { name: "done", value: None });
        check("press done 7", Line::Press { name: "done", value: Some("7") });
        check("react :eyes:", Line::React("eyes"));
        check("set", Line::Unfinished("set"));
        check(" dance  now", Line::Unknown("dance  now"));
        check("dance", Line::Unknown("dance"));
    }
}
