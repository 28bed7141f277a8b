//! Finds variables that this program does not read but that were probably meant for it. Must not: look at values,
//! except for whether there is one. Called by `parse`.

use super::{COMPOSE_VARIABLES, Environment, VARIABLES, value_of};

/// Variables of the Python system and of its guide that a later version will read. Variables that other programs read,
/// too (`AWS_…`, `GOOGLE_…`, `OTEL_…`), may be set for those, so they are not reported.
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

/// Prefixes of names that were most likely meant for this program.
const OURS: &[&str] =
    &["DATABASE_", "ESB_", "LOG_", "MAINTENANCE_", "SECRET_", "SLACK_", "STATIC_", "UPLOAD_", "WORKER_"];

/// Variables of proxies that other programs read and this one does not.
const OTHER_PROXIES: &[&str] = &["HTTP_PROXY", "ALL_PROXY"];

/// A name with another prefix counts as misspelt if it has at most this edit distance from one of ours, which has at
/// least [`LENGTH_ELSEWHERE_MIN`] characters.
const EDITS_ELSEWHERE_MAX: usize = 2;
const LENGTH_ELSEWHERE_MIN: usize = 8;

/// Prefixes of names that the tests read, and the image that compose starts.
const ELSEWHERE: &[&str] = &["ESB_IMAGE", "ESB_TEST_", "ESB_CI_"];

/// Sentences about unknown variables.
#[derive(Debug, Default)]
pub(super) struct UnknownVariables {
    /// Misspelt names, each with the right one.
    pub(super) misspelt: Vec<String>,
    /// Variables without effect.
    pub(super) remarks: Vec<String>,
}

/// Checks the names of all variables. A misspelt name is reported even without a value.
pub(super) fn find_unknown(environment: &Environment) -> UnknownVariables {
    let mut found = UnknownVariables::default();
    let (mut later, mut flask, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
    for (name, value) in environment {
        let is_set = !value.trim().is_empty();
        if LATER.contains(&name.as_str()) {
            later.extend(is_set.then_some(name.as_str()));
        } else if name.starts_with("FLASK_") {
            flask.extend(is_set.then_some(name.as_str()));
        } else if is_unknown(name) {
            match nearest(name) {
                Some(known) => found.misspelt.push(suggest(name, known)),
                None => unknown.extend(is_set.then_some(name.as_str())),
            }
        } else if let Some(known) = nearest_elsewhere(name) {
            found.misspelt.push(suggest(name, known));
        }
    }
    for (names, what) in [
        (later, "no effect in this version"),
        (flask, "no effect: the Python system read it"),
        (unknown, "no effect: ESB has no such variable"),
        (other_proxies(environment), "no effect: ESB reads HTTPS_PROXY"),
    ] {
        found.remarks.extend(names.iter().map(|name| format!("{name} has {what}")));
    }
    found
}

fn suggest(name: &str, known: &str) -> String {
    format!("{name} is not a variable of ESB: did you mean {known}?")
}

/// Proxy variables that are set although `HTTPS_PROXY` is not.
fn other_proxies(environment: &Environment) -> Vec<&'static str> {
    let is_set = |name: &&&str| value_of(environment, name).is_some();
    let ours = value_of(environment, "HTTPS_PROXY").is_some();
    OTHER_PROXIES.iter().filter(is_set).filter(|_| !ours).copied().collect()
}

fn is_known(name: &str) -> bool {
    VARIABLES.iter().chain(COMPOSE_VARIABLES).any(|(known, _)| *known == name)
}

fn is_unknown(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    let begins_as = |beginnings: &[&str]| beginnings.iter().any(|beginning| upper.starts_with(beginning));
    !is_known(name) && begins_as(OURS) && !begins_as(ELSEWHERE)
}

/// The known name with the smallest edit distance, and that distance.
fn closest(name: &str) -> Option<(&'static str, usize)> {
    let upper = name.to_ascii_uppercase();
    let known = VARIABLES.iter().map(|(known, _)| *known).chain(LATER.iter().copied());
    known.map(|known| (known, strsim::damerau_levenshtein(known, &upper))).min_by_key(|(_, edits)| *edits)
}

/// The known name that differs in at most a third of its characters.
fn nearest(name: &str) -> Option<&'static str> {
    let (known, edits) = closest(name)?;
    (edits * 3 <= known.len().max(name.len())).then_some(known)
}

/// The known name for one whose prefix is misspelt.
fn nearest_elsewhere(name: &str) -> Option<&'static str> {
    let is_foreign = is_known(name) || name.to_ascii_uppercase().ends_with("_PROXY") || !name.contains('_');
    let begins_as = |beginnings: &[&str]| beginnings.iter().any(|beginning| name.starts_with(beginning));
    let (known, edits) = closest(name).filter(|_| !is_foreign && !begins_as(ELSEWHERE))?;
    (edits <= EDITS_ELSEWHERE_MAX && known.len() >= LENGTH_ELSEWHERE_MIN).then_some(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unknown_of(names: &[&str]) -> UnknownVariables {
        find_unknown(&names.iter().map(|name| ((*name).to_owned(), "x".to_owned())).collect())
    }

    #[test]
    fn misspelt_variable_suggests_the_right_name() {
        for (slip, meant) in [
            ("SLACK_BOT_TOKN", "SLACK_BOT_TOKEN"),
            ("SLACK_TOKEN", "SLACK_BOT_TOKEN"),
            ("ESB_BASEURL", "ESB_BASE_URL"),
            ("esb_listen", "ESB_LISTEN"),
            ("DATABASE_URI", "DATABASE_URL"),
            ("WORKER_POLL_SECOND", "WORKER_POLL_SECONDS"),
            ("SECRET_KEYS", "SECRET_KEY"),
            ("UPLOAD_PAHT", "UPLOAD_PATH"),
            ("SLACK_OOPS_CHANEL", "SLACK_OOPS_CHANNEL"),
            ("STATIC_PAGE_TARGET", "STATIC_PAGE_PUSH_TARGET"),
            ("SLAK_BOT_TOKEN", "SLACK_BOT_TOKEN"),
            ("EBS_BASE_URL", "ESB_BASE_URL"),
            ("DATABSE_URL", "DATABASE_URL"),
            ("MAINTAINANCE_MODE", "MAINTENANCE_MODE"),
        ] {
            let found = unknown_of(&[slip]);
            let expected = format!("{slip} is not a variable of ESB: did you mean {meant}?");
            assert_eq!((found.misspelt, found.remarks.len()), (vec![expected], 0), "{slip}");
        }
    }

    #[test]
    fn only_variables_like_ours_are_reported() {
        let found = unknown_of(&["SLACK_WEBHOOK_URL", "LOG_LEVEL", "ESB_CONTACT", "FLASK_APP"]);
        assert!(found.misspelt.is_empty(), "{found:?}");
        let expected = [
            "ESB_CONTACT has no effect in this version",
            "FLASK_APP has no effect: the Python system read it",
            "LOG_LEVEL has no effect: ESB has no such variable",
            "SLACK_WEBHOOK_URL has no effect: ESB has no such variable",
        ];
        assert_eq!(found.remarks, expected);
        let others = [
            "PATH",
            "HOME",
            "LOGNAME",
            "TERM",
            "TERM_PROGRAM",
            "LS_COLORS",
            "AWS_REGION",
            "TESTING",
            "MARIADB_ROOT_PASSWORD",
            "XDG_DATA_DIRS",
            "SSH_CLIENT",
            "RUST_BACKTRACE",
            "HOSTNAME",
            "APP_NAME",
        ];
        let ours =
            ["ESB_HOST_PORT", "ESB_DB_HOST_PORT", "ESB_UID", "ESB_IMAGE", "ESB_TEST_REQUIRE", "ESB_CI_CACHE"];
        for name in others.iter().chain(&ours).chain(VARIABLES.iter().map(|(name, _)| name)) {
            let found = unknown_of(&[name]);
            assert!(found.misspelt.is_empty() && found.remarks.is_empty(), "{name}: {found:?}");
        }
        assert!(find_unknown(&[("ESB_NAME".to_owned(), " ".to_owned())].into()).remarks.is_empty());
    }

    #[test]
    fn misspelt_name_without_value_is_reported() {
        let found = find_unknown(&[("SLACK_OOPS_CHANEL".to_owned(), String::new())].into());
        assert!(found.misspelt[0].contains("did you mean SLACK_OOPS_CHANNEL?"), "{found:?}");
    }

    #[test]
    fn other_proxy_variables_are_reported_without_https_proxy() {
        let remarks = unknown_of(&["http_proxy", "ALL_PROXY"]).remarks;
        let expected =
            ["HTTP_PROXY", "ALL_PROXY"].map(|name| format!("{name} has no effect: ESB reads HTTPS_PROXY"));
        assert_eq!(remarks, expected);
        let both = unknown_of(&["http_proxy", "https_proxy", "no_proxy", "FTP_PROXY"]);
        assert!(both.remarks.is_empty() && both.misspelt.is_empty(), "{both:?}");
    }

    #[test]
    fn no_variable_is_both_read_and_without_effect() {
        for name in LATER {
            assert!(VARIABLES.iter().all(|(known, _)| known != name), "{name}");
        }
    }
}
