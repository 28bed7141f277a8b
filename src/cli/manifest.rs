//! `manifest`: prints the Slack app manifest, for Socket Mode or with the request URLs for HTTP.

use super::print;
use clap::Args;
use std::fmt::Write;

const SOCKET_MODE: &str = include_str!("../../manifest.yaml");

#[derive(Debug, Args)]
pub(super) struct Manifest {
    /// Use HTTP instead of Socket Mode: the address at which Slack reaches this installation
    #[arg(long, value_name = "URL")]
    http: Option<String>,
}

impl Manifest {
    pub(super) fn run(self) -> anyhow::Result<()> {
        match self.http {
            None => print(SOCKET_MODE.trim_end()),
            Some(base) => {
                let url = crate::config::origin(&base).ok_or_else(|| {
                    anyhow::anyhow!("--http {base}: give an address such as https://esb.example.org")
                })?;
                anyhow::ensure!(
                    url.starts_with("https:"),
                    "--http {base}: Slack sends to https addresses only"
                );
                print(for_http(SOCKET_MODE, &url).trim_end())
            }
        }
    }
}

/// The manifest with all request URLs filled in, and without Socket Mode.
fn for_http(manifest: &str, base: &str) -> String {
    let url = format!("{base}/slack/events");
    let mut text = String::new();
    let mut section = "";
    for line in manifest.lines() {
        let (indent, words) = line.split_at(line.len() - line.trim_start().len());
        if let Some(name) = words.strip_suffix(':') {
            section = name;
        }
        let line = if words == "socket_mode_enabled: true" { "  socket_mode_enabled: false" } else { line };
        text.push_str(line);
        text.push('\n');
        let more: &[&str] = match (section, words) {
            (_, words) if words.starts_with("- command:") => &["  url"],
            ("interactivity", "is_enabled: true") => &["request_url", "message_menu_options_url"],
            ("event_subscriptions", "event_subscriptions:") => &["  request_url"],
            _ => &[],
        };
        for key in more {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{indent}{key}: {url}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn parsed(text: &str) -> Value {
        serde_saphyr::from_str(text).unwrap()
    }

    #[test]
    fn http_manifest_differs_only_in_addresses() {
        let (mut expected, url) = (parsed(SOCKET_MODE), "https://esb.example.org/slack/events");
        for command in expected["features"]["slash_commands"].as_array_mut().unwrap() {
            command["url"] = json!(url);
        }
        expected["settings"]["interactivity"]["request_url"] = json!(url);
        expected["settings"]["interactivity"]["message_menu_options_url"] = json!(url);
        expected["settings"]["socket_mode_enabled"] = json!(false);
        if let Some(events) = expected["settings"].get_mut("event_subscriptions") {
            events["request_url"] = json!(url);
        }
        assert_eq!(parsed(&for_http(SOCKET_MODE, "https://esb.example.org")), expected);
    }
}
