//! Formats an error with its causes in one line. The JSON log writes only the outermost error, but operators need the
//! causes.

use std::error::Error;
use std::fmt;

/// Displays an error and its causes: `a: b: c`.
pub struct ErrorChain<'a>(pub &'a (dyn Error + 'static));

impl fmt::Display for ErrorChain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the board cannot be read")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn causes_are_listed_in_order() {
        let error = Outer(std::io::Error::other("disk full"));
        assert_eq!(ErrorChain(&error).to_string(), "the board cannot be read: disk full");
    }
}
