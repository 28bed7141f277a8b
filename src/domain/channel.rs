//! A Slack channel as staff type it.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A channel: `#name` or a channel id such as `C0123ABCD`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChannelRef(String);

/// Longest channel reference (spec "Nouns", Area).
pub const CHANNEL_MAX: usize = 80;

/// Why a text is not a channel; its `Display` is the sentence for the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChannelError {
    /// A person, by handle or id.
    #[error("This is a person, not a channel. Write the channel's name, such as #woodshop.")]
    Person,
    /// A word for "no channel".
    #[error(
        "This is not a channel. Leave the field empty for no channel, or write a name such as #woodshop."
    )]
    NoChannel,
    /// A link that does not lead to a Slack channel.
    #[error(
        "This link leads to no Slack channel. In Slack, choose “Copy link” in the channel's menu, or write its \
         name, such as #woodshop."
    )]
    OtherLink,
    /// Any other text that is neither a name nor an id.
    #[error(
        "Write the channel's name, such as #woodshop, its id or its link: no spaces, at most {CHANNEL_MAX} characters."
    )]
    NoName,
}

impl ChannelRef {
    /// Parses a channel as people write or paste it: a name with or without `#`, an id, a link to the channel or to
    /// a message in it, or Slack's markup `<#C0123ABCD|wood>`.
    ///
    /// # Errors
    /// What the text is instead.
    pub fn read(text: &str) -> Result<Self, ChannelError> {
        let text = text.trim();
        let marked = text.strip_prefix('<').and_then(|it| it.strip_suffix('>'));
        let text = marked.map_or(text, |marked| marked.split('|').next().unwrap_or(marked));
        if let Some(rest) = after_scheme(text).or_else(|| text.contains(".slack.com/").then_some(text)) {
            return id_in_link(rest).map(|id| Self(id.to_owned())).ok_or(ChannelError::OtherLink);
        }
        let bare = text.strip_prefix('#').unwrap_or(text);
        if is_channel_id(bare) {
            return Ok(Self(bare.to_owned()));
        }
        if bare.starts_with('@') || is_person_id(bare) {
            return Err(ChannelError::Person);
        }
        if bare == text && is_word_for_none(bare) {
            return Err(ChannelError::NoChannel);
        }
        let odd = |c: char| c.is_whitespace() || c.is_control() || "#<>&@/:,|!".contains(c);
        if bare.is_empty() || bare.chars().any(odd) || bare.chars().count() >= CHANNEL_MAX {
            return Err(ChannelError::NoName);
        }
        Ok(Self(format!("#{}", bare.to_lowercase())))
    }

    /// Like [`Self::read`], without the reason.
    pub fn parse(text: &str) -> Option<Self> {
        Self::read(text).ok()
    }

    /// True for Slack's id of a channel.
    pub fn is_id(&self) -> bool {
        !self.0.starts_with('#')
    }

    /// True for the id of a channel with a name: direct messages have none.
    pub fn has_hidden_name(&self) -> bool {
        self.0.starts_with(['C', 'G'])
    }

    /// As Slack's Web API takes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// True when the target of a message is a person: neither a channel's name nor its id.
pub fn is_person(target: &str) -> bool {
    !target.starts_with(['#', 'C', 'G', 'D'])
}

/// The text after `https://`, `http://` or `slack://`.
fn after_scheme(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_once("://")?;
    ["https", "http", "slack"].iter().any(|known| scheme.eq_ignore_ascii_case(known)).then_some(rest)
}

/// The channel of `x.slack.com/archives/C…`, `app.slack.com/client/T…/C…` or `channel?team=T…&id=C…`, of a link
/// without its scheme.
fn id_in_link(link: &str) -> Option<&str> {
    let (path, query) = link.split_once('?').unwrap_or((link, ""));
    let mut parts = path.split('#').next().unwrap_or_default().split('/');
    let host = parts.next().unwrap_or_default().to_ascii_lowercase();
    let id = match (host.as_str(), parts.next()) {
        ("channel", None) => query.split('&').find_map(|pair| pair.strip_prefix("id=")),
        (host, Some(part)) if host == "slack.com" || host.ends_with(".slack.com") => match part {
            "archives" | "messages" => parts.next(),
            "client" => parts.nth(1),
            _ => None,
        },
        _ => None,
    };
    id.filter(|id| is_channel_id(id))
}

fn is_channel_id(text: &str) -> bool {
    is_slack_id(text, b"CGD")
}

/// An id of a person contains a digit, unlike a channel's name that was written in capitals.
fn is_person_id(text: &str) -> bool {
    is_slack_id(text, b"UW") && text.bytes().any(|b| b.is_ascii_digit())
}

fn is_slack_id(text: &str, kinds: &[u8]) -> bool {
    matches!(text.as_bytes(), [kind, rest @ ..]
        if kinds.contains(kind) && (6..=30).contains(&rest.len())
            && rest.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()))
}

fn is_word_for_none(text: &str) -> bool {
    ["none", "null", "n/a"].iter().any(|word| text.eq_ignore_ascii_case(word))
        || !text.is_empty() && text.chars().all(|c| "-–—_".contains(c))
}

impl fmt::Display for ChannelRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn channel_names_and_ids_are_parsed() {
        let read = |s: &str| ChannelRef::parse(s).map(|c| c.to_string());
        assert_eq!(read(" #Wood-Shop "), Some("#wood-shop".into()));
        assert_eq!(read("woodshop"), Some("#woodshop".into()));
        assert_eq!(read("C0123ABCD"), Some("C0123ABCD".into()));
        assert_eq!(read("#C0123ABCD"), Some("C0123ABCD".into()));
        assert_eq!(read("CNC"), Some("#cnc".into()));
        let kind = |s: &str| ChannelRef::parse(s).map(|c| (c.is_id(), c.has_hidden_name()));
        assert_eq!(kind("C0123ABCD"), Some((true, true)));
        assert_eq!(kind("D0123ABCD"), Some((true, false)), "direct messages have no name");
        assert_eq!(kind("cnc"), Some((false, false)));
        assert_eq!(read(&"x".repeat(79)).map(|c| c.len()), Some(CHANNEL_MAX));
        for bad in ["", "#", "  ", "a b", "<!channel>", "a\nb", "a/b", "##", "#-#", &"x".repeat(80)] {
            assert_eq!(ChannelRef::read(bad), Err(ChannelError::NoName), "{bad:?}");
        }
        assert_eq!((read("WOODSHOP"), read("#none")), (Some("#woodshop".into()), Some("#none".into())));
    }

    #[test]
    fn pasted_links_become_ids() {
        for pasted in [
            "https://x.slack.com/archives/C0999ABCD",
            " https://x.slack.com/archives/C0999ABCD/p1700000000000100 ",
            "https://x.slack.com/archives/C0999ABCD/p17?thread_ts=17.1&cid=C0OTHER99",
            "https://x.slack.com/archives/C0999ABCD?x=1",
            "HTTPS://X.SLACK.COM/archives/C0999ABCD/",
            "x.slack.com/archives/C0999ABCD#top",
            "https://app.slack.com/client/T0123ABCD/C0999ABCD",
            "https://app.slack.com/client/T0123ABCD/C0999ABCD/thread/C0999ABCD-17.1",
            "slack://channel?team=T0123ABCD&id=C0999ABCD",
            "<https://x.slack.com/archives/C0999ABCD|wood>",
            "<#C0999ABCD|wood>",
            "<#C0999ABCD>",
        ] {
            assert_eq!(ChannelRef::read(pasted).unwrap().as_str(), "C0999ABCD", "{pasted}");
        }
        for other in [
            "https://example.org/archives/C0999ABCD",
            "https://slack.com.evil.example/archives/C0999ABCD",
            "https://x.slack.com/archives/",
            "https://x.slack.com/archives/U02ABCDEF",
            "https://app.slack.com/client/T0123ABCD",
            "https://x.slack.com/team/U02ABCDEF",
            "slack://user?team=T1&id=U02ABCDEF",
            "http://",
        ] {
            assert_eq!(ChannelRef::read(other), Err(ChannelError::OtherLink), "{other}");
        }
    }

    #[test]
    fn people_and_none_words_are_rejected() {
        for person in ["@tess", "#@tess", "U02ABCDEF", "W02ABCDEF", "<@U02ABCDEF>", "<@U02ABCDEF|tess>"] {
            assert_eq!(ChannelRef::read(person), Err(ChannelError::Person), "{person}");
        }
        for none in ["none", " None ", "-", "--", "—", "n/a", "NULL"] {
            assert_eq!(ChannelRef::read(none), Err(ChannelError::NoChannel), "{none}");
        }
    }

    proptest! {
        #[test]
        fn parsed_channel_parses_to_itself(text in prop_oneof![any::<String>(), "(https://|<|#|@)?[a-zC-U0-9./|#>-]{0,30}"]) {
            if let Ok(channel) = ChannelRef::read(&text) {
                prop_assert!(channel.as_str().chars().count() <= CHANNEL_MAX);
                prop_assert_eq!(ChannelRef::read(channel.as_str()), Ok(channel));
            }
        }
    }
}
