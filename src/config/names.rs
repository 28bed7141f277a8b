//! Names of variables that this program does not read, and which of them somebody meant for it. Must not:
//! look at values, but for whether there is one. Called by `parse`.

use super::{Environment, VARIABLES};

/// Variables of the Python system and of its guide that a later version will read. Those that other programs
/// read too (`AWS_…`, `GOOGLE_…`, `OTEL_…`) may be there for them, so nothing is said of them.
const LATER: &[&str] = &[
    "CLOUDFRONT_DISTRIBUTION_ID",
    "ESB_CONTACT",
    "ESB_SURFACES",
    "NEW_RELIC_APP_NAME",
    "NEW_RELIC_LICENSE_KEY",
    "ORG_BLURB",
    "ORG_NAME",
    "ORG_URL",
    "STATIC_PAGE_PUBLIC_URL",
    "STATIC_PAGE_PUSH_METHOD",
    "STATIC_PAGE_PUSH_TARGET",
    "WORKER_METRICS_LISTEN",
];

/// How names begin that were most likely meant for this program.
const OURS: &[&str] =
    &["DATABASE_", "ESB_", "LOG_", "MAINTENANCE_", "SECRET_", "SLACK_", "STATIC_PAGE_", "UPLOAD_", "WORKER_"];

/// How names begin that compose and the tests read.
const ELSEWHERE: &[&str] = &["ESB_HOST_PORT", "ESB_DB_HOST_PORT", "ESB_TEST_", "ESB_CI_"];

/// What there is to say of the names.
#[derive(Debug, Default)]
pub(super) struct Strangers {
    /// Those that are a slip away from one that is read, each with that one.
    pub(super) misspelt: Vec<String>,
    /// Those without effect.
    pub(super) remarks: Vec<String>,
}

/// Looks through the names of all variables that have a value.
pub(super) fn strangers(environment: &Environment) -> Strangers {
    let mut strangers = Strangers::default();
    let (mut later, mut flask, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
    for (name, _) in environment.iter().filter(|(_, value)| !value.trim().is_empty()) {
        if LATER.contains(&name.as_str()) {
            later.push(name.as_str());
        } else if name.starts_with("FLASK_") {
            flask.push(name.as_str());
        } else if is_unknown(name) {
            match nearest(name) {
                Some(known) => {
                    strangers
                        .misspelt
                        .push(format!("{name} is not a variable of ESB: did you mean {known}?"));
                }
                None => unknown.push(name.as_str()),
            }
        }
    }
    for (names, what) in [
        (later, "no effect in this version"),
        (flask, "no effect: the Python system read it"),
        (unknown, "no effect: ESB has no such variable"),
    ] {
        strangers.remarks.extend(names.iter().map(|name| format!("{name} has {what}")));
    }
    strangers
}

fn is_unknown(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    let begins_as = |beginnings: &[&str]| beginnings.iter().any(|beginning| upper.starts_with(beginning));
    VARIABLES.iter().all(|(known, _)| *known != name) && begins_as(OURS) && !begins_as(ELSEWHERE)
}

/// The known name of which no more than a third is written otherwise.
fn nearest(name: &str) -> Option<&'static str> {
    let upper = name.to_ascii_uppercase();
    let known = VARIABLES.iter().map(|(known, _)| *known).chain(LATER.iter().copied());
    let (known, slips) = known
        .map(|known| (known, strsim::damerau_levenshtein(known, &upper)))
        .min_by_key(|(_, slips)| *slips)?;
    (slips * 3 <= known.len().max(upper.len())).then_some(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strangers_of(names: &[&str]) -> Strangers {
        strangers(&names.iter().map(|name| ((*name).to_owned(), "x".to_owned())).collect())
    }

    #[test]
    fn a_slip_is_told_with_the_name_that_was_meant() {
        for (slip, meant) in [
            ("SLACK_BOT_TOKN", "SLACK_BOT_TOKEN"),
            ("SLACK_TOKEN", "SLACK_BOT_TOKEN"),
            ("ESB_BASEURL", "ESB_BASE_URL"),
            ("esb_listen", "ESB_LISTEN"),
            ("DATABASE_URI", "DATABASE_URL"),
            ("WORKER_POLL_SECOND", "WORKER_POLL_SECONDS"),
            ("SECRET_KEYS", "SECRET_KEY"),
            ("UPLOAD_PAHT", "UPLOAD_PATH"),
        ] {
            let found = strangers_of(&[slip]);
            let expected = format!("{slip} is not a variable of ESB: did you mean {meant}?");
            assert_eq!((found.misspelt, found.remarks.len()), (vec![expected], 0), "{slip}");
        }
    }

    #[test]
    fn what_has_no_effect_is_said_and_what_is_not_ours_is_not() {
        let found = strangers_of(&["SLACK_WEBHOOK_URL", "LOG_LEVEL", "ESB_CONTACT", "FLASK_APP"]);
        assert!(found.misspelt.is_empty(), "{found:?}");
        let expected = [
            "ESB_CONTACT has no effect in this version",
            "FLASK_APP has no effect: the Python system read it",
            "LOG_LEVEL has no effect: ESB has no such variable",
            "SLACK_WEBHOOK_URL has no effect: ESB has no such variable",
        ];
        assert_eq!(found.remarks, expected);
        let others = ["PATH", "HOME", "LOGNAME", "TERM", "AWS_REGION", "TESTING", "MARIADB_ROOT_PASSWORD"];
        let ours = ["ESB_HOST_PORT", "ESB_DB_HOST_PORT", "ESB_TEST_REQUIRE", "ESB_CI_CACHE"];
        for name in others.iter().chain(&ours).chain(VARIABLES.iter().map(|(name, _)| name)) {
            let found = strangers_of(&[name]);
            assert!(found.misspelt.is_empty() && found.remarks.is_empty(), "{name}: {found:?}");
        }
        assert!(strangers(&[("ESB_NAME".to_owned(), " ".to_owned())].into()).remarks.is_empty());
    }

    #[test]
    fn no_variable_is_both_read_and_without_effect() {
        for name in LATER {
            assert!(VARIABLES.iter().all(|(known, _)| known != name), "{name}");
        }
    }
}
