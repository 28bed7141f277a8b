//! Converts Slack's markup in typed messages to plain text as people see it.

use super::context::{EdgeError, SlackContext};
use crate::domain::actor::SlackUserId;
use crate::ops::OpError;
use std::collections::HashMap;

/// Most people of one message whose names are looked up.
const MENTIONS_MAX: usize = 100;

/// A part of a text.
enum Part<'a> {
    Plain(&'a str),
    /// The text between `<` and `>`.
    Marked(&'a str),
}

/// The text as people see it: mentions become names, if Slack returns them.
pub(super) async fn as_read(edge: &SlackContext, text: &str) -> Result<String, EdgeError> {
    let names = edge.people.names(&mentioned(text)).await.map_err(OpError::from)?;
    Ok(plain(text, &names))
}

fn mentioned(text: &str) -> Vec<SlackUserId> {
    let mut ids: Vec<SlackUserId> = Vec::new();
    for part in parts(text) {
        let Part::Marked(marked) = part else { continue };
        let id = marked.strip_prefix('@').map(|it| it.split('|').next().unwrap_or(it));
        if let Some(id) = id.filter(|id| ids.len() < MENTIONS_MAX && ids.iter().all(|it| it.0 != **id)) {
            ids.push(SlackUserId(id.to_owned()));
        }
    }
    ids
}

/// The text without markup; people by these names if available.
fn plain(text: &str, names: &HashMap<String, String>) -> String {
    let mut out = String::with_capacity(text.len());
    for part in parts(text) {
        match part {
            Part::Plain(text) => out.push_str(&unescaped(text)),
            Part::Marked(marked) => out.push_str(&unescaped(&shown(marked, names))),
        }
    }
    out
}

/// In the text of a message `<` and `>` are only markup: typed ones are escaped.
fn parts(text: &str) -> impl Iterator<Item = Part<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let marked = rest.strip_prefix('<').and_then(|it| it.split_once('>'));
        if let Some((marked, after)) = marked {
            rest = after;
            return Some(Part::Marked(marked));
        }
        // A `<` without an end is an ordinary character.
        let end = rest.char_indices().skip(1).find(|(_, c)| *c == '<').map_or(rest.len(), |(at, _)| at);
        let (plain, after) = rest.split_at(end);
        rest = after;
        Some(Part::Plain(plain))
    })
}

fn shown(marked: &str, names: &HashMap<String, String>) -> String {
    let (target, label) = match marked.split_once('|') {
        Some((target, label)) => (target, Some(label).filter(|label| !label.is_empty())),
        None => (marked, None),
    };
    let named = |sign: char, name: &str| format!("{sign}{}", name.trim_start_matches(sign));
    match (target.chars().next(), target.get(1..)) {
        (Some('@'), Some(id)) => named('@', label.or(names.get(id).map(String::as_str)).unwrap_or(id)),
        (Some('#'), Some(id)) => named('#', label.unwrap_or(id)),
        // A date, a group, everybody.
        (Some('!'), Some(word)) => match label {
            Some(label) => label.to_owned(),
            None => named('@', word),
        },
        _ => match label {
            Some(label) if !target.ends_with(label) => format!("{label} ({target})"),
            Some(label) => label.to_owned(),
            None => target.to_owned(),
        },
    }
}

/// Reverts Slack's escaping of three characters.
pub(super) fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::characters::without_bidi_controls;
    use crate::render::slack::mrkdwn::escape;
    use proptest::prelude::*;

    #[test]
    fn slack_markup_becomes_readable_text() {
        let names = HashMap::from([("U1".to_owned(), "Ana Lee".to_owned())]);
        for (text, expected) in [
            ("a &lt;b&gt; &amp;amp; c", "a <b> &amp; c"),
            ("<@U1> and <@U2>, <@U3|bo>", "@Ana Lee and @U2, @bo"),
            ("in <#C1|wood> or <#C2>", "in #wood or #C2"),
            ("<!here> <!subteam^S1|@techs> <!date^1^x|today>", "@here @techs today"),
            ("<https://a.test/?x=1&amp;y=2>", "https://a.test/?x=1&y=2"),
            ("<https://a.test|the manual>", "the manual (https://a.test)"),
            ("<http://a.test|a.test> <mailto:a@b.test|a@b.test>", "a.test a@b.test"),
            ("Blade &lt; 3 mm &amp; bent", "Blade < 3 mm & bent"),
            ("<", "<"),
            ("a <b", "a <b"),
            ("<é> <>", "é "),
        ] {
            assert_eq!(plain(text, &names), expected, "{text}");
        }
        assert_eq!(
            mentioned("<@U1> <@U1|x> <#C1> <@U2>"),
            [SlackUserId("U1".into()), SlackUserId("U2".into())]
        );
    }

    proptest! {
        #[test]
        fn escaped_text_round_trips(typed in prop_oneof![any::<String>(), "(<!channel>|<@U1>|&lt;|&|>|.){0,30}"]) {
            let read = plain(&escape(&typed), &HashMap::new());
            prop_assert_eq!(read, without_bidi_controls(&typed).into_owned());
        }

        #[test]
        fn any_text_is_read(text in "[<>@#!|a&é]{0,40}") {
            plain(&text, &HashMap::new());
            prop_assert!(mentioned(&text).len() <= MENTIONS_MAX);
        }
    }
}
