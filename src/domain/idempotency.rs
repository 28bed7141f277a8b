//! The key under which the answer to an accepted submission is stored.

/// Identifies one submission with its content: 64 lower-case hexadecimal digits (SHA-256). Cannot be guessed
/// without the random request id that it covers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    const LENGTH: usize = 64;

    /// Parses a key, also from an address; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = text.len() == Self::LENGTH && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        fits.then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hexadecimal_digests_are_keys() {
        let key = "0a".repeat(32);
        assert_eq!(IdempotencyKey::parse(&key).unwrap().as_str(), key);
        for other in ["", "0a", &"0A".repeat(32), &"0a".repeat(33), &"é".repeat(32), "event:0a"] {
            assert_eq!(IdempotencyKey::parse(other), None, "{other}");
        }
    }
}
