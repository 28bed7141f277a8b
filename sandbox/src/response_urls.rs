//! Response URLs, which allow responses to a command or an interaction without a token.
//!
//! Owns: their lifetime of 30 minutes and their 5 uses. Must not: post. Called by: `act`, which creates them, and
//! `api::answers`, which uses them.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};

/// Lifetime (docs.slack.dev, interactivity: "within 30 minutes").
const LIFETIME: TimeDelta = TimeDelta::minutes(30);
/// Most responses ("up to 5 times").
const USES: u32 = 5;

/// Where responses of one URL go.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The acting person, who alone sees an ephemeral response.
    pub(crate) user: String,
    /// The channel of the action.
    pub(crate) channel: String,
    /// Timestamp of the original message for `replace_original` and `delete_original`.
    pub(crate) original: Option<String>,
}

#[derive(Debug)]
struct Issued {
    place: Place,
    made: DateTime<Utc>,
    uses: u32,
}

/// All response URLs, by secret.
#[derive(Debug, Default)]
pub(crate) struct ResponseUrls {
    given: HashMap<String, Issued>,
}

impl ResponseUrls {
    pub(crate) fn give(&mut self, secret: &str, place: Place, now: DateTime<Utc>) {
        self.given.insert(secret.to_owned(), Issued { place, made: now, uses: 0 });
    }

    /// Uses the URL once; the error is Slack's code.
    pub(crate) fn spend(&mut self, secret: &str, now: DateTime<Utc>) -> Result<Place, &'static str> {
        let issued = self.given.get_mut(secret).ok_or("invalid_url")?;
        if now - issued.made > LIFETIME {
            return Err("expired_url");
        }
        if issued.uses >= USES {
            return Err("used_url");
        }
        issued.uses += 1;
        Ok(issued.place.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(now: DateTime<Utc>) -> ResponseUrls {
        let mut urls = ResponseUrls::default();
        urls.give("s", Place { user: "U1".into(), channel: "C1".into(), original: None }, now);
        urls
    }

    #[test]
    fn five_answers_and_no_more() {
        let t = Utc::now();
        let mut urls = given(t);
        for _ in 0..5 {
            assert!(urls.spend("s", t).is_ok());
        }
        assert_eq!(urls.spend("s", t).unwrap_err(), "used_url");
        assert_eq!(urls.spend("other", t).unwrap_err(), "invalid_url");
    }

    #[test]
    fn thirty_minutes_and_no_longer() {
        let t = Utc::now();
        let mut urls = given(t);
        assert!(urls.spend("s", t + LIFETIME).is_ok());
        assert_eq!(urls.spend("s", t + LIFETIME + TimeDelta::seconds(1)).unwrap_err(), "expired_url");
    }
}
