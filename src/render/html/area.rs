//! One area with all its equipment, in pages.

use super::Html;
use super::board_equipment::{BoardEquipmentList, Counts, worst_first};
use super::controls::Pager;
use super::times::Moment;
use crate::domain::ids::AreaId;
use crate::views::board::{BoardArea, BoardEquipment, BoardView};
use chrono::{DateTime, Utc};
use handlebars::RenderError;
use serde::Serialize;

/// Equipment per page: with the longest names in four-byte characters a page stays under 300 kB.
pub const PAGE_SIZE: usize = 100;

#[derive(Serialize)]
struct Area<'a> {
    revision: i64,
    tag: &'a str,
    updated: Moment,
    id: AreaId,
    name: &'a str,
    counts: Counts,
    equipment: BoardEquipmentList,
    is_empty: bool,
    pager: Option<Pager>,
}

impl Html {
    /// Page `page` (from 1) of an area of the board; `None` if there is no such page.
    pub fn area(
        &self,
        board: &BoardView,
        area: &BoardArea,
        page: usize,
        tag: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<String>, RenderError> {
        let pages = area.equipment.len().div_ceil(PAGE_SIZE).max(1);
        if !(1..=pages).contains(&page) {
            return Ok(None);
        }
        let sorted = worst_first(&area.equipment);
        let start = (page - 1) * PAGE_SIZE;
        let shown: Vec<&BoardEquipment> = sorted.into_iter().skip(start).take(PAGE_SIZE).collect();
        let content = Area {
            revision: board.revision,
            tag,
            updated: Moment::new(board.generated_at, &self.site.timezone),
            id: area.id,
            name: &area.name,
            counts: Counts::of(&area.equipment),
            equipment: BoardEquipmentList::new(shown, self.today(now)),
            is_empty: area.equipment.is_empty(),
            pager: Pager::new(page as u64, pages as u64, |page| format!("/area/{}?page={page}", area.id)),
        };
        self.scripted_page("area", &area.name, Some(&self.site.assets.board_script), &content).map(Some)
    }
}
