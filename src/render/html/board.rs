//! The board: all areas, or the equipment that matches a filter.

use super::board_equipment::{BoardEquipmentList, Counts, worst_first};
use super::controls::Choice;
use super::times::Moment;
use super::{Html, counted};
use crate::domain::board::BoardStatus;
use crate::domain::ids::AreaId;
use crate::views::board::{BoardArea, BoardEquipment, BoardMatches, BoardView};
use chrono::{DateTime, NaiveDate, Utc};
use handlebars::RenderError;
use serde::Serialize;

/// A larger area shows its counts and only what is not green (spec, `GET /`).
const WHOLE_AREA: usize = 60;
/// So does every area if the board has more equipment than this: it limits the page size.
const WHOLE_BOARD: usize = 1_000;
/// Most non-green equipment per area that is not shown whole.
const BROKEN_SHOWN: usize = 60;
/// The same for all areas of a large board together.
const BROKEN_SHARED: usize = 500;
/// Most equipment that a filter shows.
const FOUND_SHOWN: usize = 300;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BoardFilter {
    pub area: Option<AreaId>,
    pub broken: bool,
    /// The search text.
    pub text: String,
    /// The matches, if `text` is not empty.
    pub found: BoardMatches,
}

impl BoardFilter {
    pub fn is_empty(&self) -> bool {
        self.area.is_none() && !self.broken && self.text.is_empty()
    }

    /// The address of the board with this filter.
    fn address(&self) -> String {
        let mut query = form_urlencoded::Serializer::for_suffix(String::from("/?"), 2);
        query.append_pair("q", &self.text);
        query.extend_pairs(self.area.map(|area| ("area", area.to_string())));
        query.extend_pairs(self.broken.then_some(("broken", "1")));
        query.finish()
    }

    fn is_narrow(&self) -> bool {
        self.broken || !self.text.is_empty()
    }
}

#[derive(Serialize)]
struct Board<'a> {
    revision: i64,
    tag: &'a str,
    updated: Moment,
    counts: Counts,
    filter: FilterForm<'a>,
    sections: Vec<Section>,
    /// Explains an empty board.
    nothing: Option<Nothing>,
    /// True before the first area exists.
    is_new: bool,
    /// "Showing 300 of 812 machines."
    cut: Option<String>,
    /// Nothing matched; the nearest names are shown.
    are_nearest: bool,
}

#[derive(Serialize)]
struct FilterForm<'a> {
    text: &'a str,
    broken: bool,
    is_set: bool,
    areas: Vec<Choice>,
}

#[derive(Serialize)]
struct Nothing {
    why: String,
    /// Address of the board without the filter that hides the matches.
    unticked: Option<String>,
}

impl From<&str> for Nothing {
    fn from(why: &str) -> Self {
        Self { why: why.to_owned(), unticked: None }
    }
}

#[derive(Serialize)]
struct Section {
    id: AreaId,
    name: String,
    counts: Counts,
    equipment: BoardEquipmentList,
    /// "All 120 machines", if some are not shown.
    whole: Option<String>,
    is_empty: bool,
}

impl Html {
    /// The board with this filter. `tag` is the version that the page's script polls with.
    pub fn board(
        &self,
        board: &BoardView,
        filter: &BoardFilter,
        tag: &str,
        now: DateTime<Utc>,
    ) -> Result<String, RenderError> {
        let wanted = wanted(board, filter);
        let total: usize = wanted.iter().map(|(_, equipment)| equipment.len()).sum();
        let mut room =
            if filter.is_narrow() { Room::Found(FOUND_SHOWN) } else { Room::overview(total, wanted.len()) };
        let mut shown = 0;
        let mut sections = Vec::new();
        for (area, equipment) in &wanted {
            let visible = room.take(equipment);
            shown += visible.len();
            if !visible.is_empty() || !filter.is_narrow() {
                sections.push(section(area, equipment, visible, self.today(now)));
            }
        }
        let page = Board {
            revision: board.revision,
            tag,
            updated: Moment::new(board.generated_at, &self.site.timezone),
            counts: Counts::of(wanted.iter().flat_map(|(_, equipment)| equipment.iter().copied())),
            filter: form(board, filter),
            nothing: nothing(board, filter, &sections),
            is_new: board.areas.is_empty(),
            cut: (filter.is_narrow() && shown < total)
                .then(|| format!("Showing {shown} of {}.", counted(total, "machine", "machines"))),
            are_nearest: filter.found.are_nearest && !sections.is_empty(),
            sections,
        };
        self.scripted_page("board", "Equipment status", Some(&self.site.assets.board_script), &page)
    }
}

/// The areas that pass the filter with the equipment that passes it, worst first.
fn wanted<'a>(board: &'a BoardView, filter: &BoardFilter) -> Vec<(&'a BoardArea, Vec<&'a BoardEquipment>)> {
    let areas = board.areas.iter().filter(|area| filter.area.is_none_or(|wanted| wanted == area.id));
    let equipment = |area: &'a BoardArea| {
        let wanted = |equipment: &&BoardEquipment| {
            (!filter.broken || equipment.status != BoardStatus::Operational)
                && (filter.text.is_empty() || filter.found.ids.contains(&equipment.id))
        };
        (area, worst_first(area.equipment.iter().filter(wanted)))
    };
    areas.map(equipment).filter(|(_, equipment)| !filter.is_narrow() || !equipment.is_empty()).collect()
}

/// How much equipment fits on the page.
enum Room {
    /// Small areas whole; of others only some of what is not green.
    Overview {
        /// Most equipment of an area that is shown whole.
        whole: usize,
        /// Most non-green equipment of other areas.
        broken: usize,
    },
    /// How many more matches of a filter fit.
    Found(usize),
}

impl Room {
    fn overview(equipment: usize, areas: usize) -> Self {
        if equipment <= WHOLE_BOARD {
            return Self::Overview { whole: WHOLE_AREA, broken: BROKEN_SHOWN };
        }
        let share = BROKEN_SHARED / areas.max(1);
        Self::Overview { whole: 0, broken: share.clamp(1, BROKEN_SHOWN) }
    }

    /// The equipment of an area that fits; `equipment` is sorted worst first.
    fn take<'a>(&mut self, equipment: &[&'a BoardEquipment]) -> Vec<&'a BoardEquipment> {
        match self {
            Self::Overview { whole, .. } if equipment.len() <= *whole => equipment.to_vec(),
            Self::Overview { broken, .. } => {
                let not_green = |equipment: &&&BoardEquipment| equipment.status != BoardStatus::Operational;
                equipment.iter().take_while(not_green).take(*broken).copied().collect()
            }
            Self::Found(left) => {
                let taken: Vec<_> = equipment.iter().take(*left).copied().collect();
                *left -= taken.len();
                taken
            }
        }
    }
}

fn section(
    area: &BoardArea,
    equipment: &[&BoardEquipment],
    visible: Vec<&BoardEquipment>,
    today: NaiveDate,
) -> Section {
    let whole = (visible.len() < equipment.len())
        .then(|| format!("See all {}", counted(area.equipment.len(), "machine", "machines")));
    Section {
        id: area.id,
        name: area.name.clone(),
        counts: Counts::of(equipment.iter().copied()),
        equipment: BoardEquipmentList::new(visible, today),
        whole,
        is_empty: area.equipment.is_empty(),
    }
}

fn form<'a>(board: &'a BoardView, filter: &'a BoardFilter) -> FilterForm<'a> {
    let choice = |area: &BoardArea| Choice::new(area.id, &area.name, filter.area == Some(area.id));
    FilterForm {
        text: &filter.text,
        broken: filter.broken,
        is_set: !filter.is_empty(),
        areas: board.areas.iter().map(choice).collect(),
    }
}

/// Explains an empty board, and says what to do.
fn nothing(board: &BoardView, filter: &BoardFilter, sections: &[Section]) -> Option<Nothing> {
    if board.areas.is_empty() || !sections.is_empty() {
        return None;
    }
    let unticked = BoardFilter { broken: false, ..filter.clone() };
    let working = wanted(board, &unticked).iter().map(|(_, equipment)| equipment.len()).sum::<usize>();
    Some(if filter.broken && working > 0 {
        all_work(&unticked, working)
    } else if !filter.text.is_empty() {
        "No machine matches your search. Try fewer letters, or look through the whole board.".into()
    } else if filter.area.is_some_and(|wanted| board.areas.iter().all(|area| area.id != wanted)) {
        "There is no such area. It may have been removed.".into()
    } else {
        "No machine is registered in this area yet.".into()
    })
}

/// Shown if everything that matches is operational.
fn all_work(unticked: &BoardFilter, working: usize) -> Nothing {
    if unticked.is_empty() {
        return "Everything works. Enjoy making things!".into();
    }
    let why = match working {
        1 => "1 machine matches and it works.".to_owned(),
        n => format!("{n} machines match and all of them work."),
    };
    Nothing { why, unticked: Some(unticked.address()) }
}
