//! Search for machines by name or number. The folded names of all machines are cached per board revision: a search
//! runs with every letter that a person types, and reads no row.

use super::MOST;
use crate::domain::ids::{AreaId, EquipmentId};
use crate::domain::search::{Ranked, SearchKey, SearchQuery, rank};
use crate::ops::board;
use crate::ops::{Ctx, OpError};
use crate::store;
use crate::store::equipment::EquipmentName;
use crate::store::equipment_list::EquipmentQuery;
use crate::views::board::{BoardEquipment, BoardMatches, BoardView};
use crate::views::equipment::{EquipmentMatch, EquipmentSearch};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Most machine ids to pass to a database query.
const BEYOND_DATABASE_MAX: usize = 5_000;

/// The names of all machines, archived ones too, by name.
#[derive(Debug)]
pub(in crate::ops) struct EquipmentNames {
    rows: Vec<(EquipmentName, SearchKey)>,
    areas: HashMap<AreaId, SearchKey>,
}

impl EquipmentNames {
    fn new(rows: Vec<EquipmentName>) -> Self {
        let mut areas = HashMap::new();
        for row in &rows {
            areas.entry(row.area_id).or_insert_with(|| SearchKey::new(&row.area_name));
        }
        let folded = |row: EquipmentName| {
            let key = SearchKey::new(&row.name);
            (row, key)
        };
        Self { rows: rows.into_iter().map(folded).collect(), areas }
    }

    /// The best matches among those machines.
    fn rank(
        &self,
        query: &SearchQuery,
        among: impl Fn(&EquipmentName) -> bool + Clone,
        most: usize,
    ) -> Ranked<&EquipmentName> {
        let rows = self.rows.iter().filter(move |(row, _)| among(row));
        rank(query, rows.map(|(row, key)| (row, [key])), most)
    }
}

async fn names(ctx: &Ctx) -> Result<Arc<EquipmentNames>, OpError> {
    let revision = board::revision(ctx).await?;
    let read = async {
        let rows = store::equipment::names(ctx.store.read()).await?;
        Ok(Arc::new(EquipmentNames::new(rows)))
    };
    ctx.board.names.get(&revision, read).await
}

const fn is_live(row: &EquipmentName) -> bool {
    !row.archived && !row.area_archived
}

fn found(row: &EquipmentName) -> EquipmentMatch {
    EquipmentMatch { id: row.id, name: row.name.clone(), area: row.area_name.clone() }
}

/// Live machines that match a typed text, the best [`super::MATCHES_MAX`]; without a match, the nearest names.
/// `#17` finds only the machine with that number.
pub async fn find_equipment(ctx: &Ctx, typed: &str) -> Result<EquipmentSearch, OpError> {
    let (names, query) = (names(ctx).await?, SearchQuery::new(typed));
    if let Some(number) = query.number_after_sign()
        && let Some((row, _)) = names.rows.iter().find(|(row, _)| row.id.0 == number && is_live(row))
    {
        let equipment = found(row);
        return Ok(EquipmentSearch {
            exact: Some(equipment.clone()),
            certain: Some(equipment.clone()),
            found: vec![equipment],
            are_nearest: false,
        });
    }
    let ranked = names.rank(&query, is_live, MOST);
    Ok(EquipmentSearch {
        exact: ranked.exact().map(|row| found(row)),
        certain: ranked.certain().map(|row| found(row)),
        are_nearest: ranked.are_nearest(),
        found: ranked.into_items().into_iter().map(found).collect(),
    })
}

/// Like [`find_equipment`], for a list that people choose from.
pub async fn search_equipment(ctx: &Ctx, typed: &str) -> Result<Vec<EquipmentMatch>, OpError> {
    Ok(find_equipment(ctx, typed).await?.found)
}

/// The only machine that a text can mean: `#17`, or the name of exactly one machine.
pub async fn exact_equipment(ctx: &Ctx, text: &str) -> Result<Option<EquipmentMatch>, OpError> {
    Ok(find_equipment(ctx, text).await?.exact)
}

/// The machines of the board that match a text by their names and those of their areas; without a match, the
/// nearest names. `#17` finds the machine with that number and the machine whose repair with that number is on the
/// board.
pub async fn search_board(ctx: &Ctx, board: &BoardView, text: &str) -> Result<BoardMatches, OpError> {
    let query = SearchQuery::new(text);
    if let Some(number) = query.number_after_sign() {
        let has_number = |equipment: &&BoardEquipment| {
            equipment.id.0 == number
                || equipment.headline.as_ref().is_some_and(|headline| headline.repair.0 == number)
        };
        let equipment = board.areas.iter().flat_map(|area| &area.equipment);
        let ids: HashSet<EquipmentId> = equipment.filter(has_number).map(|equipment| equipment.id).collect();
        if !ids.is_empty() {
            return Ok(BoardMatches { ids, are_nearest: false });
        }
    }
    let (names, no_area) = (names(ctx).await?, SearchKey::default());
    let rows = names.rows.iter().filter(|(row, _)| is_live(row));
    let of_area = |row: &EquipmentName| names.areas.get(&row.area_id).unwrap_or(&no_area);
    let ranked = rank(&query, rows.map(|(row, key)| (row.id, [key, of_area(row)])), usize::MAX);
    Ok(BoardMatches { are_nearest: ranked.are_nearest(), ids: ranked.into_items().into_iter().collect() })
}

/// The machines that a search finds in the equipment list, best first, and whether they are only the nearest names.
/// A number finds the machine with that number: alone with `#`, else after the machines with that name.
pub(in crate::ops) async fn search_equipment_list(
    ctx: &Ctx,
    wanted: &EquipmentQuery,
) -> Result<(Vec<EquipmentId>, bool), OpError> {
    let (names, query) = (names(ctx).await?, SearchQuery::new(&wanted.text));
    let is_wanted = |row: &EquipmentName| {
        is_live(row) != wanted.archived && wanted.area.is_none_or(|area| area == row.area_id)
    };
    let of_number = query.number().and_then(|number| {
        let mut rows = names.rows.iter().map(|(row, _)| row);
        rows.find(|row| row.id.0 == number && is_wanted(row)).map(|row| row.id)
    });
    if let Some(id) = of_number.filter(|_| query.number_after_sign().is_some()) {
        return Ok((vec![id], false));
    }
    let ranked = names.rank(&query, is_wanted, usize::MAX);
    let are_nearest = ranked.are_nearest() && of_number.is_none();
    let found = if ranked.are_nearest() && !are_nearest { Vec::new() } else { ranked.into_items() };
    let mut ids: Vec<EquipmentId> = found.into_iter().map(|row| row.id).collect();
    ids.extend(of_number.filter(|id| !ids.contains(id)));
    Ok((ids, are_nearest))
}

/// Machines, archived ones too, that match a text but that the database's own search for the folded text would
/// miss, since it does not handle punctuation, word order or typos. The best 5,000 of more.
pub(in crate::ops) async fn search_beyond_database(
    ctx: &Ctx,
    text: &str,
) -> Result<Vec<EquipmentId>, OpError> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let (names, query) = (names(ctx).await?, SearchQuery::new(text));
    let rows = names.rows.iter().filter(|(_, key)| !query.is_written_in(key));
    let ranked = rank(&query, rows.map(|(row, key)| (row.id, [key])), BEYOND_DATABASE_MAX);
    Ok(if ranked.are_nearest() { Vec::new() } else { ranked.into_items() })
}
