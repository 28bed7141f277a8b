//! The frames that Slack sends, built as text. Number `n` is in the envelope id and the trigger id, so that
//! acknowledgements and modals can be matched without parsing them.

use serde_json::{Value, json};

pub const TEAM: &str = "T0BENCH";
/// Number of people who send commands.
pub const PEOPLE: u64 = 20;
/// A technician of the sample data, by the id that this Slack gives to that e-mail address.
pub const TECHNICIAN: &str = "TOM";

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// `/esb-report` and the equipment's name.
    Report(String),
    /// `/esb-status`.
    Status,
    /// `/esb-repair` and a repair's id, sent by the technician of the sample data.
    Repair(String),
}

impl Command {
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Report(_) => "/esb-report",
            Self::Status => "/esb-status",
            Self::Repair(_) => "/esb-repair",
        }
    }

    /// The command's frame. `base` is the base of its response_url.
    pub fn frame(&self, n: u64, base: &str) -> String {
        let name = self.name();
        let person = match self {
            Self::Repair(_) => TECHNICIAN.to_owned(),
            _ => format!("U0BENCH{:02}", n % PEOPLE),
        };
        let text = match self {
            Self::Report(text) | Self::Repair(text) => Value::from(text.as_str()).to_string(),
            Self::Status => "\"\"".to_owned(),
        };
        format!(
            "{{\"envelope_id\":\"{}\",\"payload\":{{\"token\":\"bench-verification-token\",\
             \"team_id\":\"{TEAM}\",\"team_domain\":\"bench\",\"channel_id\":\"C0BENCH\",\
             \"channel_name\":\"general\",\"user_id\":\"{person}\",\"user_name\":\"{person}\",\
             \"command\":\"{name}\",\"text\":{text},\"api_app_id\":\"A0BENCH\",\
             \"is_enterprise_install\":\"false\",\"response_url\":\"{base}response/{n}\",\
             \"trigger_id\":\"{}\"}},\"type\":\"slash_commands\",\"accepts_response_payload\":true}}",
            envelope_id(n),
            trigger_id(n),
        )
    }
}

/// The frame of a submitted report form: `view` as the app sent it, filled in.
pub fn submission(n: u64, view: &Value, machine: i64, description: &str) -> Value {
    let values = json!({
        "equipment": {"equipment": {
            "type": "external_select", "selected_option": option(&machine.to_string()),
        }},
        "reporter_name": {"reporter_name": {"type": "plain_text_input", "value": "Ana Lee"}},
        "description": {"description": {"type": "plain_text_input", "value": description}},
        "severity": {"severity": {"type": "static_select", "selected_option": option("Degraded")}},
        "safety_risk": {"safety_risk": {"type": "checkboxes", "selected_options": []}},
        "consumable": {"consumable": {"type": "checkboxes", "selected_options": []}},
    });
    submitted(n, "U0BENCH00", view, values)
}

/// An action of the technician on a repair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Sets the status.
    SetStatus(&'static str),
    /// Assigns it to themselves.
    Claim,
    /// Sets the ETA.
    SetEta(&'static str),
    /// Resolves it.
    Resolve(&'static str),
}

/// The frame of a submitted `act_on_repair`: `view` as the app sent it, filled in by the technician.
pub fn act(n: u64, view: &Value, act: Act) -> Value {
    let action = |value: &str| json!({"type": "radio_buttons", "selected_option": option(value)});
    let chosen = |value: &str| json!({"action": {"action": action(value)}});
    let values = match act {
        Act::Claim => chosen("claim"),
        Act::SetStatus(status) => {
            let mut values = chosen("set_status");
            values["status"]["status"] = json!({"type": "static_select", "selected_option": option(status)});
            values
        }
        Act::SetEta(date) => {
            let mut values = chosen("set_eta");
            values["eta"]["eta"] = json!({"type": "datepicker", "selected_date": date});
            values
        }
        Act::Resolve(note) => {
            let mut values = chosen("resolve_with_note");
            values["note"]["note"] = json!({"type": "plain_text_input", "value": note});
            values
        }
    };
    submitted(n, TECHNICIAN, view, values)
}

fn option(value: &str) -> Value {
    json!({"text": {"type": "plain_text", "text": value}, "value": value})
}

/// The frame of a submitted form.
fn submitted(n: u64, person: &str, view: &Value, values: Value) -> Value {
    let mut view = view.clone();
    view["id"] = json!("V0BENCH");
    view["team_id"] = json!(TEAM);
    view["hash"] = json!("1.bench");
    view["state"] = json!({ "values": values });
    json!({
        "envelope_id": envelope_id(n),
        "payload": {
            "type": "view_submission",
            "team": {"id": TEAM, "domain": "bench"},
            "user": {"id": person, "username": person, "name": person, "team_id": TEAM},
            "api_app_id": "A0BENCH",
            "token": "bench-verification-token",
            "trigger_id": trigger_id(n),
            "view": view,
            "response_urls": [],
        },
        "type": "interactive",
        "accepts_response_payload": true,
    })
}

/// The frame of a claim, pressed on a repair's card by a technician of the sample data; `base` is the base of its
/// response_url.
pub fn claim(n: u64, repair: &str, base: &str) -> Value {
    json!({
        "envelope_id": envelope_id(n),
        "payload": {
            "type": "block_actions",
            "team": {"id": TEAM, "domain": "bench"},
            "user": {"id": TECHNICIAN, "username": TECHNICIAN, "name": TECHNICIAN, "team_id": TEAM},
            "api_app_id": "A0BENCH",
            "token": "bench-verification-token",
            "trigger_id": trigger_id(n),
            "container": {"type": "message", "message_ts": "1700000000.000100", "channel_id": "COOPS"},
            "channel": {"id": "COOPS", "name": "oops"},
            "message": {"type": "message", "ts": "1700000000.000100", "text": "…"},
            "response_url": format!("{base}response/{n}"),
            "actions": [{
                "type": "button", "action_id": "card_claim", "block_id": "buttons:1", "value": repair,
                "action_ts": "1700000001.000100",
            }],
        },
        "type": "interactive",
        "accepts_response_payload": false,
    })
}

/// The frame that requests open repairs matching the typed text in `choose_repair`.
pub fn suggestion(n: u64, typed: &str) -> Value {
    json!({
        "envelope_id": envelope_id(n),
        "payload": {
            "type": "block_suggestion",
            "team": {"id": TEAM, "domain": "bench"},
            "user": {"id": TECHNICIAN, "username": TECHNICIAN, "name": TECHNICIAN, "team_id": TEAM},
            "api_app_id": "A0BENCH",
            "token": "bench-verification-token",
            "action_id": "repair",
            "block_id": "repair",
            "value": typed,
            "view": {"id": "V0BENCH", "type": "modal", "callback_id": "choose_repair", "private_metadata": "",
                "title": {"type": "plain_text", "text": "Repair"}, "blocks": [], "hash": "1.bench",
                "team_id": TEAM, "state": {"values": {}}},
        },
        "type": "interactive",
        "accepts_response_payload": true,
    })
}

fn envelope_id(n: u64) -> String {
    format!("00000000-0000-4000-8000-{n:012}")
}

fn trigger_id(n: u64) -> String {
    format!("1000000000000.1000000000000.{n:012}")
}

/// The number in the first id of this name in some JSON: its last twelve digits.
pub fn number(json: &[u8], name: &str) -> Option<u64> {
    let text = value(json, name)?;
    std::str::from_utf8(text.get(text.len().checked_sub(12)?..)?).ok()?.parse().ok()
}

/// The first plain string of this name in some JSON.
pub fn value<'a>(json: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let rest = after(json, format!("\"{name}\":\"").as_bytes())?;
    rest.get(..rest.iter().position(|byte| *byte == b'"')?)
}

/// The bytes after the first occurrence of a pattern.
pub fn after<'a>(text: &'a [u8], mark: &[u8]) -> Option<&'a [u8]> {
    let at = text.windows(mark.len()).position(|window| window == mark)?;
    text.get(at + mark.len()..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_is_json_with_its_number() {
        let frame = Command::Report("Saw \"one\"".into()).frame(7, "http://127.0.0.1:1/");
        let read: Value = serde_json::from_str(&frame).unwrap();
        assert_eq!(read["payload"]["text"], "Saw \"one\"");
        assert_eq!(read["payload"]["user_id"], "U0BENCH07");
        assert_eq!(number(frame.as_bytes(), "envelope_id"), Some(7));
        assert_eq!(number(frame.as_bytes(), "trigger_id"), Some(7));
        assert_eq!(number(frame.as_bytes(), "view_id"), None);
    }

    #[test]
    fn submission_has_typed_text_and_metadata() {
        let sent = submission(8, &json!({"private_metadata": "kept"}), 3, "It squeaks");
        assert_eq!(sent["payload"]["view"]["private_metadata"], "kept");
        let values = &sent["payload"]["view"]["state"]["values"];
        assert_eq!(values["equipment"]["equipment"]["selected_option"]["value"], "3");
        assert_eq!(values["description"]["description"]["value"], "It squeaks");
    }

    #[test]
    fn action_on_repair_is_in_form() {
        let sent = act(9, &json!({}), Act::Resolve("Done"));
        let values = &sent["payload"]["view"]["state"]["values"];
        assert_eq!(values["action"]["action"]["selected_option"]["value"], "resolve_with_note");
        assert_eq!(values["note"]["note"]["value"], "Done");
        assert_eq!(sent["payload"]["user"]["id"], TECHNICIAN);
    }
}
