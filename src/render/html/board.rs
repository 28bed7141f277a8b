//! The board: every area, or those machines that somebody asks for.

use super::machines::{Counts, MachineList, worst_first};
use super::times::Moment;
use super::{Html, counted};
use crate::domain::board::BoardStatus;
use crate::domain::ids::AreaId;
use crate::domain::text::fold;
use crate::views::board::{BoardArea, BoardMachine, BoardView};
use chrono::{DateTime, NaiveDate, Utc};
use handlebars::RenderError;
use serde::Serialize;

/// An area of more machines shows its counts and what is not green (spec, `GET /`).
const WHOLE_AREA: usize = 60;
/// So does every area of a board of more machines than this: a page stays a page.
const WHOLE_BOARD: usize = 1_000;
/// Most of what is not green that an area shows, where it does not show all.
const BROKEN_SHOWN: usize = 60;
/// The same on a larger board.
const BROKEN_SHOWN_LARGE: usize = 12;
/// Most machines that a filter shows.
const FOUND_SHOWN: usize = 300;

/// What somebody wants to see of the board.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BoardFilter {
    /// Only this area.
    pub area: Option<AreaId>,
    /// Only what is not green.
    pub broken: bool,
    /// Only machines whose name or area contains this; case and accents ignored.
    pub text: String,
}

impl BoardFilter {
    /// True when it lets everything through.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn is_narrow(&self) -> bool {
        self.broken || !self.text.is_empty()
    }
}

#[derive(Serialize)]
struct Board<'a> {
    tag: &'a str,
    updated: Moment,
    counts: Counts,
    filter: FilterForm<'a>,
    sections: Vec<Section>,
    /// Why there is nothing to see.
    nothing: Option<&'static str>,
    /// True before the first area is made.
    is_new: bool,
    /// "Showing 300 of 812 machines."
    cut: Option<String>,
}

#[derive(Serialize)]
struct FilterForm<'a> {
    text: &'a str,
    broken: bool,
    is_set: bool,
    areas: Vec<Choice<'a>>,
}

#[derive(Serialize)]
struct Choice<'a> {
    id: AreaId,
    name: &'a str,
    selected: bool,
}

#[derive(Serialize)]
struct Section {
    id: AreaId,
    name: String,
    counts: Counts,
    machines: MachineList,
    /// "All 120 machines", where some are not shown.
    whole: Option<String>,
    is_empty: bool,
}

impl Html {
    /// The board as `filter` wants it. `tag` is the version that the page's script asks with.
    ///
    /// # Errors
    /// A template that does not fit its fields.
    pub fn board(
        &self,
        board: &BoardView,
        filter: &BoardFilter,
        tag: &str,
        now: DateTime<Utc>,
    ) -> Result<String, RenderError> {
        let areas = || board.areas.iter().filter(|area| filter.area.is_none_or(|wanted| wanted == area.id));
        let today = self.today(now);
        let mut found = Found::default();
        let sections: Vec<Section> = if filter.is_narrow() {
            let text = fold(&filter.text);
            areas().filter_map(|area| found.section(area, filter.broken, &text, today)).collect()
        } else {
            let machines: usize = areas().map(|area| area.machines.len()).sum();
            areas().map(|area| section(area, machines > WHOLE_BOARD, today)).collect()
        };
        let page = Board {
            tag,
            updated: Moment::new(board.generated_at, self.site.timezone),
            counts: Counts::of(areas().flat_map(|area| &area.machines)),
            filter: form(board, filter),
            nothing: nothing(board, filter, &sections),
            is_new: board.areas.is_empty(),
            cut: (found.shown < found.matching).then(|| {
                format!("Showing {} of {}.", found.shown, counted(found.matching, "machine", "machines"))
            }),
            sections,
        };
        self.page("board", "Equipment status", &page)
    }
}

fn form<'a>(board: &'a BoardView, filter: &'a BoardFilter) -> FilterForm<'a> {
    let choice = |area: &'a BoardArea| Choice {
        id: area.id,
        name: &area.name,
        selected: filter.area == Some(area.id),
    };
    FilterForm {
        text: &filter.text,
        broken: filter.broken,
        is_set: !filter.is_empty(),
        areas: board.areas.iter().map(choice).collect(),
    }
}

fn nothing(board: &BoardView, filter: &BoardFilter, sections: &[Section]) -> Option<&'static str> {
    if board.areas.is_empty() || !sections.is_empty() {
        None
    } else if !filter.text.is_empty() {
        Some("No machine matches your search. Try fewer letters, or look through the whole board.")
    } else if filter.broken {
        Some("Everything works. Enjoy making things!")
    } else {
        Some("There is no such area. It may have been removed.")
    }
}

/// An area on the unfiltered board.
fn section(area: &BoardArea, large_board: bool, today: NaiveDate) -> Section {
    let is_whole = area.machines.len() <= WHOLE_AREA && !large_board;
    let shown: Vec<&BoardMachine> = if is_whole {
        worst_first(&area.machines)
    } else {
        let most = if large_board { BROKEN_SHOWN_LARGE } else { BROKEN_SHOWN };
        let broken = area.machines.iter().filter(|machine| machine.status != BoardStatus::Operational);
        worst_first(broken).into_iter().take(most).collect()
    };
    let hidden = area.machines.len() - shown.len();
    Section {
        id: area.id,
        name: area.name.clone(),
        counts: Counts::of(&area.machines),
        machines: MachineList::new(shown, today),
        whole: (hidden > 0).then(|| all(area)),
        is_empty: area.machines.is_empty(),
    }
}

fn all(area: &BoardArea) -> String {
    format!("See all {}", counted(area.machines.len(), "machine", "machines"))
}

/// What a filter lets through, counted over all areas.
#[derive(Default)]
struct Found {
    shown: usize,
    matching: usize,
}

impl Found {
    /// What an area has of it; `None` for nothing.
    fn section(
        &mut self,
        area: &BoardArea,
        only_broken: bool,
        text: &str,
        today: NaiveDate,
    ) -> Option<Section> {
        let in_area = fold(&area.name).contains(text);
        let wanted = |machine: &&BoardMachine| {
            (!only_broken || machine.status != BoardStatus::Operational)
                && (in_area || fold(&machine.name).contains(text))
        };
        let mut matching = worst_first(area.machines.iter().filter(wanted));
        self.matching += matching.len();
        matching.truncate(FOUND_SHOWN - self.shown);
        self.shown += matching.len();
        (!matching.is_empty()).then(|| Section {
            id: area.id,
            name: area.name.clone(),
            counts: Counts::of(&area.machines),
            machines: MachineList::new(matching, today),
            whole: None,
            is_empty: false,
        })
    }
}
