//! Areas and equipment, with links and notes.

use super::Tally;
use super::convert::{RowReader, made, quoted};
use super::run::Run;
use crate::domain::channel::ChannelRef;
use crate::domain::equipment::Cost;
use crate::domain::ids::{AreaId, EquipmentId, LinkId, NoteId};
use crate::domain::text::{AreaName, Detail, EquipmentName, LinkTitle, LinkUrl, fold};
use crate::ops::OpError;
use crate::store::areas::{self, Area};
use crate::store::equipment::Equipment;
use crate::store::equipment_links::Link;
use crate::store::equipment_notes::Note;
use crate::store::legacy::Row;
use crate::store::legacy::tables::{AREAS, EQUIPMENT, LINKS, NOTES};
use std::collections::HashSet;

/// Why a row is skipped if its equipment was not copied.
pub(super) const NO_EQUIPMENT: &str = "its machine was not copied";

pub(super) async fn areas(run: &mut Run<'_>) -> Result<Tally, OpError> {
    let live = areas::live(run.ctx.store.read()).await?;
    let mut live: HashSet<String> = live.into_iter().map(|area| area.name_key).collect();
    let convert = |run: &mut Run<'_>, row: &Row| {
        let mut reader = RowReader::new(row);
        let area = area(&mut reader, &mut live);
        run.report_copied(&area.name, &reader);
        Some(area)
    };
    run.copy_table(AREAS, convert, |known, id| {
        known.areas.insert(AreaId(id));
    })
    .await
}

/// `live` has the folded names of live areas, which are unique.
fn area(reader: &mut RowReader<'_>, live: &mut HashSet<String>) -> Area {
    let id = reader.row.id;
    let name = reader.short("name", AreaName::MAX, AreaName::parse).map(AreaName::into_string);
    let mut name = name.unwrap_or_else(|| nameless(reader, "Area"));
    let archived = reader.flag("is_archived");
    if !archived && live.contains(&fold(&name)) {
        let own: String = name.chars().take(AreaName::MAX - 20).collect();
        reader.report(
            "name",
            &name,
            &format!("is another area's too: {} instead", quoted(&format!("{own} ({id})"))),
        );
        name = format!("{own} ({id})");
    }
    let key = fold(&name);
    let live_key = (!archived).then(|| key.clone());
    live.extend(live_key.clone());
    let typed = reader.row.text("slack_channel").unwrap_or_default();
    let channel = ChannelRef::parse(typed).map_or_else(String::new, |channel| channel.to_string());
    if channel.is_empty() && !typed.trim().is_empty() {
        reader.report("slack_channel", typed, "is no channel and is left empty");
    }
    Area {
        id: AreaId(id),
        name,
        name_key: key,
        live_key,
        slack_channel: channel,
        sort_order: reader.read("sort_order", |row| row.number("sort_order")).unwrap_or_default(),
        archived,
        version: 1,
        created_at: reader.made(),
        updated_at: reader.changed(),
    }
}

/// A name for a row without a visible name.
fn nameless(reader: &mut RowReader<'_>, noun: &str) -> String {
    let name = format!("{noun} {}", reader.row.id);
    reader.report("name", "", &format!("is empty: {} instead", quoted(&name)));
    name
}

pub(super) async fn equipment(run: &mut Run<'_>) -> Result<Tally, OpError> {
    let convert = |run: &mut Run<'_>, row: &Row| {
        let mut reader = RowReader::new(row);
        let area = reader.read("area_id", |row| row.number("area_id")).map(AreaId);
        let Some(area) = area.filter(|area| run.known.areas.contains(area)) else {
            run.skip(row, row.text("name").unwrap_or_default(), "its area was not copied");
            return None;
        };
        let equipment = convert(&mut reader, area);
        run.report_copied(&equipment.name, &reader);
        Some(equipment)
    };
    run.copy_table(EQUIPMENT, convert, |known, id| {
        known.equipment.insert(EquipmentId(id));
    })
    .await
}

fn convert(reader: &mut RowReader<'_>, area: AreaId) -> Equipment {
    let name = reader.short("name", EquipmentName::MAX, EquipmentName::parse);
    let name = name.map(EquipmentName::into_string).unwrap_or_else(|| nameless(reader, "Machine"));
    let mut detail =
        |column| reader.short(column, Detail::MAX, Detail::parse).unwrap_or_default().into_string();
    let (manufacturer, model) = (detail("manufacturer"), detail("model"));
    let (serial_number, acquisition_source) = (detail("serial_number"), detail("acquisition_source"));
    if let Some(mac) = reader.row.text("mac_machine_name").filter(|mac| !mac.trim().is_empty()) {
        reader.report("mac_machine_name", mac, "is not kept: there is no such field here");
    }
    let name_key = fold(&name);
    Equipment {
        manufacturer,
        model,
        serial_number,
        acquisition_date: reader.read("acquisition_date", |row| row.day("acquisition_date")),
        acquisition_source,
        acquisition_cents: reader.read("acquisition_cost", cents),
        warranty_expiration: reader.read("warranty_expiration", |row| row.day("warranty_expiration")),
        description: reader.long("description"),
        archived: reader.flag("is_archived"),
        created_at: reader.made(),
        updated_at: reader.changed(),
        ..Equipment::bare(EquipmentId(reader.row.id), area, name, name_key)
    }
}

/// An amount of money, in cents. SQLite has no decimals, so it may write more or fewer digits.
fn cents(row: &Row) -> Result<Option<i64>, &str> {
    let Some(text) = row.text("acquisition_cost") else { return Ok(None) };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let (cents, rest) = fraction.split_at_checked(2).unwrap_or((fraction, ""));
    let is_exact = rest.bytes().all(|digit| digit == b'0');
    let cost = format!("{whole}.{cents}").parse::<Cost>().ok().filter(|_| is_exact);
    cost.map(|cost| Some(cost.cents())).ok_or(text)
}

pub(super) async fn links(run: &mut Run<'_>) -> Result<Tally, OpError> {
    let convert = |run: &mut Run<'_>, row: &Row| {
        let mut reader = RowReader::new(row);
        let title = reader.short("title", LinkTitle::MAX, LinkTitle::parse).map(LinkTitle::into_string);
        let address = row.text("url").unwrap_or_default();
        let Some(equipment_id) = equipment_of(run, row) else {
            run.skip(row, title.as_deref().unwrap_or_default(), NO_EQUIPMENT);
            return None;
        };
        let Ok(url) = LinkUrl::parse(address) else {
            let why = format!("url {} is no address of the web", quoted(address));
            run.skip(row, title.as_deref().unwrap_or_default(), &why);
            return None;
        };
        let url = url.as_str().to_owned();
        let title = title.unwrap_or_else(|| url.chars().take(LinkTitle::MAX).collect());
        run.report_copied(&title, &reader);
        Some(Link { id: LinkId(row.id), equipment_id, title, url, created_at: made(row) })
    };
    run.copy_table(LINKS, convert, |_, _| ()).await
}

pub(super) async fn notes(run: &mut Run<'_>) -> Result<Tally, OpError> {
    let convert = |run: &mut Run<'_>, row: &Row| {
        let mut reader = RowReader::new(row);
        let Some(equipment_id) = equipment_of(run, row) else {
            run.skip(row, "", NO_EQUIPMENT);
            return None;
        };
        let (author_name, author_user_id) = run.author(&mut reader);
        let note = Note {
            id: NoteId(row.id),
            equipment_id,
            text: reader.long("content"),
            author_name,
            author_user_id,
            created_at: reader.made(),
        };
        run.report_copied("", &reader);
        Some(note)
    };
    run.copy_table(NOTES, convert, |_, _| ()).await
}

/// The equipment of a row, if it was copied.
pub(super) fn equipment_of(run: &Run<'_>, row: &Row) -> Option<EquipmentId> {
    let equipment = row.number("equipment_id").ok().flatten().map(EquipmentId);
    equipment.filter(|equipment| run.known.equipment.contains(equipment))
}
