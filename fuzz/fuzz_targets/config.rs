//! An environment, one variable a line: it is parsed or rejected with errors. Neither the errors nor the `Debug` output
//! of the configuration have a secret.

#![no_main]

use esb::config::{Config, Environment};
use libfuzzer_sys::fuzz_target;

/// Part of every secret.
const SECRET: &str = "hunter2-7c1e";

/// Hides [`SECRET`] where the variable holds a secret, and as the password of every address.
fn planted(name: &str, value: &str) -> String {
    let value = value.replace(SECRET, "");
    match name {
        "SECRET_KEY" | "SECRET_KEY_PREVIOUS" | "SLACK_BOT_TOKEN" | "SLACK_APP_TOKEN" => value + SECRET,
        "DATABASE_URL" | "ESB_BASE_URL" | "SLACK_API_URL" => match value.split_once("://") {
            // A file has no password.
            Some((scheme, rest)) if rest.contains('@') && !value.starts_with("sqlite") => {
                format!("{scheme}://u:{SECRET}{rest}")
            }
            _ => value,
        },
        _ => value,
    }
}

fuzz_target!(|text: &str| {
    let environment: Environment = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), planted(name, value)))
        .collect();
    match Config::parse(&environment) {
        Ok(config) => {
            let shown = format!("{config:?}\n{}\n{}", config.remarks.join("\n"), config.database_for_log());
            assert!(!shown.contains(SECRET), "{shown}");
            assert!((1..=10).contains(&config.slack.connections));
            assert!((1..=3600).contains(&config.worker_poll.as_secs()));
            assert!(config.slack.api_url.ends_with('/'));
            let plain = |url: &String| !url.ends_with('/') && !url.contains(['@', '#', '?', '\n']);
            assert!(config.base_url.iter().all(plain), "{:?}", config.base_url);
        }
        Err(errors) => {
            assert!(!errors.0.is_empty());
            for error in &errors.0 {
                assert!(!error.contains(SECRET), "{error}");
                assert!(!error.chars().any(char::is_control), "not one line: {error:?}");
            }
        }
    }
});
