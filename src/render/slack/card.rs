//! What channels are told of a repair.

use super::mrkdwn::{SECTION_MAX, bold, date, escape_within, line};
use super::{Blocks, BlocksError, Message};
use crate::domain::announce::Event;
use crate::domain::change::RepairSnapshot;
use crate::domain::repair::Severity;
use serde::Serialize;

/// Prefix of a new report (spec "Announcements").
const NEW: &str = ":rotating_light:";
/// Prefix of whatever somebody could be hurt by.
const SAFETY: &str = ":warning: *SAFETY RISK* :warning:";

#[derive(Serialize)]
struct Card {
    header: String,
    facts: Vec<String>,
    description: String,
    footer: String,
}

impl Blocks {
    /// The announcement of an event. `link` leads to the machine's page.
    ///
    /// # Errors
    /// A mistake of ours in the template.
    pub fn announcement(&self, event: &Event, link: Option<&str>) -> Result<Message, BlocksError> {
        match event {
            Event::NewReport(repair) => self.new_report(repair, link),
        }
    }

    fn new_report(&self, repair: &RepairSnapshot, link: Option<&str>) -> Result<Message, BlocksError> {
        let prefix = if repair.safety_risk { SAFETY } else { NEW };
        let header =
            format!("{prefix} New report: {} ({})", bold(&repair.equipment, 200), line(&repair.area, 80));
        let card = Card {
            facts: facts(repair),
            description: escape_within(&repair.description, SECTION_MAX),
            footer: footer(repair, link),
            header,
        };
        let text =
            format!("{}\n{}\n{}\n{}", card.header, card.facts.join("\n"), card.description, card.footer);
        Ok(Message { blocks: self.fill("repair_card", &card)?, text })
    }
}

fn facts(repair: &RepairSnapshot) -> Vec<String> {
    let mut facts = vec![
        format!("*Status:* {}", repair.status),
        format!("*Severity:* {}", repair.severity.map_or("none", Severity::word)),
        format!("*Reported by:* {}", line(&repair.reporter, 200)),
    ];
    facts.extend(repair.assignee.as_ref().map(|who| format!("*Assigned to:* {}", line(who, 200))));
    facts.extend(repair.eta.map(|eta| format!("*ETA:* {}", date(eta))));
    if repair.consumable {
        facts.push("*Consumable:* something is used up".into());
    }
    facts
}

fn footer(repair: &RepairSnapshot, link: Option<&str>) -> String {
    match link {
        Some(link) => format!("Repair #{} · <{link}|see the machine's page>", repair.id),
        None => format!("Repair #{}", repair.id),
    }
}
