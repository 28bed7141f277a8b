//! `check-config`: what is wrong with the configuration, Slack's opinion included.

use super::{DONE, FAILED, MISUSED, complain, print};
use crate::app::check::ask_slack;
use crate::config::Config;

pub(super) async fn run() -> u8 {
    let config = match Config::from_env() {
        Ok(config) => config,
        Err(errors) => return complain(&errors.to_string(), MISUSED),
    };
    let findings = ask_slack(&config).await;
    let told = if findings.is_empty() {
        print("The configuration is fine.").map(|()| DONE)
    } else {
        findings.iter().try_for_each(|finding| print(finding)).map(|()| MISUSED)
    };
    told.unwrap_or(FAILED)
}
