//! Repairs. The reporter and the closing time come from the old timeline.

use super::Tally;
use super::convert::{RowReader, made};
use super::equipment::{NO_EQUIPMENT, equipment_of};
use super::run::Run;
use crate::domain::ids::{EquipmentId, RepairId, UserId};
use crate::domain::repair::{RepairStatus, Severity};
use crate::domain::text::EmailAddress;
use crate::ops::OpError;
use crate::store::import;
use crate::store::legacy::Row;
use crate::store::legacy::tables::REPAIRS;
use crate::store::repairs::Repair;
use chrono::{DateTime, Utc};
use std::collections::HashMap;

/// Links between repairs that are written in one transaction.
const LINKS_MAX: usize = 500;

pub(super) async fn copy(run: &mut Run<'_>) -> Result<Tally, OpError> {
    let mut pages = run.begin(REPAIRS).await?;
    // Written at the end, when all repairs exist. An interrupted run has not written them, so old rows count, too.
    let mut links = Vec::new();
    while let Some(page) = pages.next(run).await? {
        let page = run.split_page::<Repair>(page).await?;
        for row in &page.existing {
            run.known.repairs.extend(equipment_of(run, row).map(|equipment| (RepairId(row.id), equipment)));
            links.extend(DuplicateLink::of(row));
        }
        let ids: Vec<i64> = page.new.iter().map(|row| row.id).collect();
        let mut history = StatusHistory::of(run.old.status_history(&ids).await?);
        let mut new = Vec::new();
        for row in &page.new {
            let Some(equipment) = equipment_of(run, row) else {
                run.skip(row, "", NO_EQUIPMENT);
                continue;
            };
            let mut reader = RowReader::new(row);
            let history = history.remove(&row.id).unwrap_or_default();
            let repair = repair(run, &mut reader, equipment, history);
            run.known.repairs.insert(repair.id, equipment);
            links.extend(DuplicateLink::of(row));
            run.report_copied("", &reader);
            new.push(repair);
        }
        run.add(new).await?;
    }
    let links = keep_valid(run, links);
    for links in links.chunks(LINKS_MAX) {
        run.write(true, async |tx| import::link_duplicates(tx, links).await).await?;
    }
    Ok(run.end())
}

/// A repair that duplicates another.
struct DuplicateLink {
    repair: RepairId,
    repeated: RepairId,
    /// The repair is closed as a duplicate.
    closed: bool,
}

impl DuplicateLink {
    fn of(row: &Row) -> Option<Self> {
        let repeated = RepairId(row.number("duplicated_repair_id").ok()??);
        let status = row.text("status").unwrap_or_default().trim();
        let closed = status.eq_ignore_ascii_case(RepairStatus::Duplicate.word());
        Some(Self { repair: RepairId(row.id), repeated, closed })
    }
}

/// Keeps the valid links. Reports the others, and those that ESB's own rules would not permit.
fn keep_valid(run: &mut Run<'_>, links: Vec<DuplicateLink>) -> Vec<(RepairId, RepairId)> {
    let mut kept = HashMap::new();
    for DuplicateLink { repair, repeated, closed } in links {
        let equipment = run.known.repairs.get(&repeated).copied();
        let is_of_another = equipment != run.known.repairs.get(&repair).copied();
        let finding = match equipment {
            _ if repeated == repair => "which is itself: left empty",
            None => "which was not copied",
            Some(_) if leads_to(&kept, repeated, repair) => "which repeats it in turn: left empty",
            Some(_) => {
                kept.insert(repair, repeated);
                match (is_of_another, closed) {
                    (false, true) => continue,
                    (false, false) => "and is not closed for that",
                    (true, true) => "which is of another machine",
                    (true, false) => "which is of another machine, and is not closed for that",
                }
            }
        };
        run.report_row(repair.0, "", &format!("repeats repair {repeated}, {finding}"));
    }
    kept.into_iter().collect()
}

/// True if `one` duplicates `other`, directly or through others. `kept` has no cycles.
fn leads_to(kept: &HashMap<RepairId, RepairId>, one: RepairId, other: RepairId) -> bool {
    std::iter::successors(Some(one), |repair| kept.get(repair).copied()).any(|repair| repair == other)
}

/// The start and end of a repair according to the old timeline.
#[derive(Debug, Default)]
struct StatusHistory {
    reporter: String,
    closed_at: Option<DateTime<Utc>>,
}

impl StatusHistory {
    /// From the entries in order, by repair.
    fn of(entries: Vec<Row>) -> HashMap<i64, Self> {
        let mut history: HashMap<i64, Self> = HashMap::new();
        for entry in entries {
            let Ok(Some(repair)) = entry.number("repair_record_id") else { continue };
            let history = history.entry(repair).or_default();
            if entry.text("entry_type") == Some("creation") {
                history.reporter = RowReader::new(&entry).name("author_name");
                continue;
            }
            let status = entry.text("new_value").and_then(|word| word.parse::<RepairStatus>().ok());
            // The first of several closings in a row counts. Reopening clears it.
            history.closed_at = match status {
                Some(status) if status.is_open() => None,
                Some(_) => history.closed_at.or_else(|| Some(made(&entry))),
                None => history.closed_at,
            };
        }
        history
    }
}

fn repair(
    run: &Run<'_>,
    reader: &mut RowReader<'_>,
    equipment: EquipmentId,
    history: StatusHistory,
) -> Repair {
    let status = reader.word("status", RepairStatus::ALL, RepairStatus::word, "is no status: New instead");
    let status = status.unwrap_or(RepairStatus::New);
    let instead = "is no severity: Not Sure instead";
    let severity = match reader.row.text("severity").unwrap_or_default().trim() {
        "" => None,
        _ => reader.word("severity", Severity::ALL, Severity::word, instead).or(Some(Severity::NotSure)),
    };
    let description = match reader.long("description") {
        nothing if nothing.is_empty() => {
            reader.report("description", "", "is empty: “(no description)” instead");
            "(no description)".to_owned()
        }
        text => text,
    };
    let (named, history_name) = (reader.name("reporter_name"), history.reporter);
    let reporter_name = match [named, history_name].into_iter().find(|name| !name.is_empty()) {
        Some(name) => name,
        None => "Unknown".to_owned(),
    };
    let closed_at = (!status.is_open()).then(|| history.closed_at.unwrap_or_else(|| reader.changed()));
    Repair {
        id: RepairId(reader.row.id),
        equipment_id: equipment,
        description,
        severity,
        status,
        open: status.is_open(),
        reporter_name,
        reporter_email: email(reader),
        reporter_slack_id: None,
        assignee_id: assignee(run, reader),
        eta: reader.read("eta", |row| row.day("eta")),
        specialist_description: reader.long("specialist_description"),
        duplicate_of: None,
        safety_risk: reader.flag("has_safety_risk"),
        consumable: reader.flag("is_consumable"),
        version: 1,
        created_at: reader.made(),
        closed_at,
    }
}

fn email(reader: &mut RowReader<'_>) -> Option<String> {
    let text = reader.row.text("reporter_email").filter(|text| !text.trim().is_empty())?;
    let email = EmailAddress::parse(text).ok();
    if email.is_none() {
        reader.report("reporter_email", text, "is no address and is left empty");
    }
    email.map(|email| email.as_str().to_owned())
}

fn assignee(run: &Run<'_>, reader: &mut RowReader<'_>) -> Option<UserId> {
    let old = reader.read("assignee_id", |row| row.number("assignee_id"))?;
    let user = run.known.users.get(&old).map(|user| user.id);
    if user.is_none() {
        reader.findings.push(format!("assignee_id {old} is no user and is left empty"));
    }
    user
}
