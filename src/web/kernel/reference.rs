//! The reference of a request: in its response header, its log line and, if it failed, its error page.

use rand::RngExt;
use std::fmt;

/// 12 hexadecimal digits, short enough to be read aloud.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference(String);

impl Reference {
    pub fn random() -> Self {
        Self(hex::encode(rand::rng().random::<[u8; 6]>()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
