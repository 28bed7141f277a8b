//! The modal `status_equipment`: one piece of equipment with its open repairs and links, and for people who may act on
//! repairs also its closed repairs.

use super::mrkdwn::{SAFETY, SECTION_MAX, back, date, escape, line, line_within};
use super::paging::{Section, pack, page};
use super::report::people;
use super::status::{List, NAME_MAX, TITLE_MAX, name_line, open_repair, section};
use super::{Blocks, BlocksError, Modal};
use crate::domain::repair::Severity;
use crate::domain::text::cut;
use crate::render::links::Links;
use crate::views::equipment::{OpenRepair, PublicEquipment};
use crate::views::records::{HistoryRow, PastRepairs};
use chrono::NaiveDate;

/// Most characters of a closed repair's description.
const PAST_MAX: usize = 200;
/// Most characters of a link's line: a longer one is shown without its link.
const LINK_MAX: usize = 2_900;

impl Blocks {
    /// One piece of equipment with its open repairs. `past` are its closed repairs, with a button each, for people who
    /// may act on repairs. `links` are for its page and its documents.
    pub fn status_equipment(
        &self,
        equipment: &PublicEquipment,
        past: Option<&PastRepairs>,
        wanted: usize,
        links: &Links,
    ) -> Result<Modal, BlocksError> {
        let open = equipment.open_repairs.iter().map(|repair| {
            let shown = section(format!("repair:{}", repair.id), repair_lines(repair, self.today()));
            Section { button: past.map(|_| open_repair(repair.id)), ..shown }
        });
        let mut sections: Vec<Section> = open.collect();
        sections.extend(references(equipment, links));
        sections.extend(past.into_iter().flat_map(|past| history(past, self.today())));
        let list = List {
            title: cut(&equipment.name, TITLE_MAX),
            heading: equipment_heading(equipment),
            page: page(sections, wanted),
            link: links.equipment(equipment.id),
        };
        Ok(Modal(self.fill("status_equipment", &list)?))
    }
}

/// The links and documents of equipment. Without a base URL, documents are listed without links.
fn references(equipment: &PublicEquipment, links: &Links) -> Vec<Section> {
    let linked = equipment.links.iter().map(|link| reference(&link.title, Some(&link.url)));
    let documents = equipment
        .documents
        .iter()
        .map(|document| reference(&document.title, links.document(document.id).as_deref()));
    let mut sections = packed("links", "*Links*", linked.collect());
    sections.extend(packed("documents", "*Documents*", documents.collect()));
    sections
}

fn packed(name: &str, heading: &str, lines: Vec<String>) -> Vec<Section> {
    if lines.is_empty() {
        return Vec::new();
    }
    let texts = pack(heading, &lines).into_iter().enumerate();
    texts.map(|(i, text)| section(format!("{name}:{i}"), text)).collect()
}

fn reference(title: &str, url: Option<&str>) -> String {
    let title = line(title, NAME_MAX);
    let linked = url.map(|url| format!("• <{}|{title}>", escape(url)));
    linked.filter(|linked| linked.chars().count() <= LINK_MAX).unwrap_or_else(|| format!("• {title}"))
}

fn history(past: &PastRepairs, today: NaiveDate) -> Vec<Section> {
    let shown = past.repairs.len();
    if shown == 0 {
        return Vec::new();
    }
    let heading = match past.total > shown as u64 {
        true => format!("*Closed before* (the newest {shown} of {})", past.total),
        false => "*Closed before*".to_owned(),
    };
    let closed = past.repairs.iter().map(|repair| {
        let shown = section(format!("past:{}", repair.id), past_lines(repair, today));
        Section { button: Some(open_repair(repair.id)), ..shown }
    });
    std::iter::once(section("past".into(), heading)).chain(closed).collect()
}

fn past_lines(repair: &HistoryRow, today: NaiveDate) -> String {
    let mut facts = vec![repair.status.word().to_owned()];
    facts.extend(repair.closed_at.map(|at| date(at.date_naive(), today)));
    facts.extend(repair.assignee.as_ref().map(|who| format!("assigned to {}", line(who, NAME_MAX))));
    format!("*#{}* {}\n{}", repair.id, line_within(&repair.description, PAST_MAX), facts.join(" · "))
}

fn equipment_heading(equipment: &PublicEquipment) -> String {
    let area = line(&equipment.area, NAME_MAX);
    let heading = format!("{}\n{area}", name_line(&equipment.name, equipment.status, equipment.safety_risk));
    if equipment.open_repairs.is_empty() {
        return format!("{heading}\nNothing is reported. Is something wrong? Tell us with `/esb-report`.");
    }
    let shown = equipment.open_repairs.len();
    if equipment.open_count > shown {
        return format!("{heading}\n{} repairs are open. These are the worst {shown}.", equipment.open_count);
    }
    heading
}

pub(super) fn repair_lines(repair: &OpenRepair, today: NaiveDate) -> String {
    let mut facts: Vec<String> = repair.severity.map(Severity::word).map(str::to_owned).into_iter().collect();
    facts.push(repair.status.word().to_owned());
    facts.extend(repair.assignee.as_ref().map(|who| format!("assigned to {}", line(who, NAME_MAX))));
    facts.extend(repair.eta.map(|eta| back(eta, today)));
    facts.extend(people(repair.me_too));
    let safety = if repair.safety_risk { SAFETY } else { "" };
    let (number, facts) = (format!("*#{}* {safety}", repair.id), facts.join(" · "));
    let room = SECTION_MAX - number.chars().count() - 1 - facts.chars().count();
    format!("{number}{}\n{facts}", line_within(&repair.description, room))
}
