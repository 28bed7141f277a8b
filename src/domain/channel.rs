//! The name of a Slack channel as staff type it.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A channel: `#name` or a channel id such as `C0123ABCD`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChannelRef(String);

/// Longest channel reference (spec "Nouns", Area).
pub const CHANNEL_MAX: usize = 80;

impl ChannelRef {
    /// Reads a channel; a bare `name` becomes `#name`. `None` for nothing, for more than 80
    /// characters with the `#`, and for what can be neither a name nor an id (white space, control characters).
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let bare = text.strip_prefix('#').unwrap_or(text);
        let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '#' | '<' | '>' | '&');
        if bare.is_empty() || bare.chars().any(odd) || bare.chars().count() >= CHANNEL_MAX {
            return None;
        }
        let is_id = matches!(bare.as_bytes(), [b'C' | b'G' | b'D', rest @ ..]
            if rest.len() >= 6 && rest.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()));
        Some(Self(if is_id { bare.to_owned() } else { format!("#{}", bare.to_lowercase()) }))
    }

    /// True for Slack's id of a channel.
    pub fn is_id(&self) -> bool {
        !self.0.starts_with('#')
    }

    /// True for the id of something that has a name: direct messages have none.
    pub fn has_hidden_name(&self) -> bool {
        self.0.starts_with(['C', 'G'])
    }

    /// As Slack's Web API takes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// True when what a message is addressed to is a person: neither a channel's name nor its id.
pub fn is_person(target: &str) -> bool {
    !target.starts_with(['#', 'C', 'G', 'D'])
}

impl fmt::Display for ChannelRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_ids() {
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
        for bad in ["", "#", "  ", "a b", "<!channel>", "a\nb", &"x".repeat(80)] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }
}
