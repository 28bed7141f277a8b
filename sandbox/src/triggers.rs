//! Trigger ids, which allow an interaction's handler to open a view.
//!
//! Owns: their lifetime of 3 s and their single use. Must not: open views. Called by: `act`, which creates them, and
//! `api::views`, which exchanges them.
//!
//! ```text
//! live ──exchange──► used            (then exchanged_trigger_id)
//!   └──3 s by the clock──► expired   (then expired_trigger_id)
//! ```

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};

/// Lifetime (docs.slack.dev, interactivity: "within 3 seconds").
const LIFETIME: TimeDelta = TimeDelta::seconds(3);

#[derive(Clone, Debug)]
struct Trigger {
    user: String,
    view: Option<String>,
    made: DateTime<Utc>,
    used: bool,
}

/// What an exchanged trigger allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Exchanged {
    /// The acting person.
    pub(crate) user: String,
    /// The modal of the action, if it was in one.
    pub(crate) view: Option<String>,
}

/// All triggers.
#[derive(Debug, Default)]
pub(crate) struct Triggers {
    given: HashMap<String, Trigger>,
}

impl Triggers {
    pub(crate) fn give(&mut self, id: &str, user: &str, view: Option<&str>, now: DateTime<Utc>) {
        let trigger = Trigger { user: user.into(), view: view.map(String::from), made: now, used: false };
        self.given.insert(id.to_owned(), trigger);
    }

    /// Uses up a trigger; the error is Slack's code.
    pub(crate) fn exchange(&mut self, id: &str, now: DateTime<Utc>) -> Result<Exchanged, &'static str> {
        let trigger = self.given.get_mut(id).ok_or("invalid_trigger_id")?;
        if trigger.used {
            return Err("exchanged_trigger_id");
        }
        if now - trigger.made > LIFETIME {
            return Err("expired_trigger_id");
        }
        trigger.used = true;
        Ok(Exchanged { user: trigger.user.clone(), view: trigger.view.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trigger_works_once() {
        let (mut triggers, t) = (Triggers::default(), Utc::now());
        triggers.give("1.2.a", "U1", Some("V1"), t);
        let exchanged = triggers.exchange("1.2.a", t).unwrap();
        assert_eq!(exchanged, Exchanged { user: "U1".into(), view: Some("V1".into()) });
        assert_eq!(triggers.exchange("1.2.a", t), Err("exchanged_trigger_id"));
    }

    #[test]
    fn trigger_lives_three_seconds() {
        let (mut triggers, t) = (Triggers::default(), Utc::now());
        triggers.give("late", "U1", None, t);
        triggers.give("in time", "U1", None, t);
        assert!(triggers.exchange("in time", t + LIFETIME).is_ok());
        let late = triggers.exchange("late", t + LIFETIME + TimeDelta::milliseconds(1));
        assert_eq!(late, Err("expired_trigger_id"));
        assert_eq!(triggers.exchange("never given", t), Err("invalid_trigger_id"));
    }
}
