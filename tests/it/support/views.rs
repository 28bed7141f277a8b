//! Boards, equipment and repairs of any size, filled with one kind of text.

use chrono::{DateTime, NaiveDate};
use esb::domain::actor::Role;
use esb::domain::board::BoardStatus;
use esb::domain::change::RepairSnapshot;
use esb::domain::field::{Person, RepairFields};
use esb::domain::file::{DocumentCategory, FileKind};
use esb::domain::ids::{AreaId, DocumentId, EquipmentId, JobId, LinkId, RepairId, TimelineId, UserId};
use esb::domain::job::JobState;
use esb::domain::repair::{RepairStatus, Severity};
use esb::domain::timeline::TimelineKind;
use esb::views::attachments::DocumentView;
use esb::views::board::{BoardArea, BoardEquipment, BoardView, Headline};
use esb::views::equipment::{EquipmentMatch, LinkView, OpenRepair, PublicEquipment};
use esb::views::jobs::{JobMessage, JobView};
use esb::views::records::{HistoryRow, PastRepairs};
use esb::views::repairs::{
    OpenRepairLine, OtherRepair, PersonMatch, QueueItem, RepairBrief, TimelineEntryView,
};

/// The content of names and descriptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Texts {
    /// Short and harmless; names end in their number.
    Plain,
    /// Maximum length; each character is five times as long after escaping.
    Ampersands,
    /// Maximum length; each character has four bytes.
    Fires,
    /// Everything that could end a string, a template, a tag or an emphasis.
    Hostile,
}

const HOSTILE: &str = "\"\\</\n\r\t\u{1}\u{1b}\u{7f}\u{85}\u{2028}\u{202e}\u{200f}<!channel><@U1><#C1|x>{{x}}\
    {{{y}}}{{> list}}*_~`a```&amp;🔥e\u{301}\\u0000\\";

impl Texts {
    pub const ALL: [Self; 4] = [Self::Plain, Self::Ampersands, Self::Fires, Self::Hostile];

    /// A text of at most `max` characters.
    pub fn of(self, max: usize) -> String {
        let pattern = match self {
            Self::Plain => return "Blade wobbles".chars().take(max).collect(),
            Self::Ampersands => "&",
            Self::Fires => "🔥",
            Self::Hostile => HOSTILE,
        };
        let length = pattern.chars().count();
        let rest: String = pattern.chars().take(max % length).collect();
        pattern.repeat(max / length) + &rest
    }

    /// A name of at most `max` characters.
    pub fn name(self, what: &str, number: i64, max: usize) -> String {
        if self == Self::Plain { format!("{what} {number}.") } else { self.of(max) }
    }
}

fn eta() -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(2026, 9, 30)
}

pub fn found(number: i64, texts: Texts) -> EquipmentMatch {
    EquipmentMatch {
        id: EquipmentId(number),
        name: texts.name("machine", number, 200),
        area: texts.name("area", 1, 80),
    }
}

/// A repair of a machine: number 1 is plain, the others have every optional field.
pub fn repair(number: i64, texts: Texts) -> OpenRepair {
    let all = number > 1;
    OpenRepair {
        id: RepairId(number),
        description: texts.of(3000),
        severity: all.then_some(Severity::Degraded),
        status: if all { RepairStatus::NeedsSpecialist } else { RepairStatus::New },
        safety_risk: all,
        eta: eta().filter(|_| all),
        assignee: all.then(|| texts.name("person", number, 200)),
        created_at: DateTime::UNIX_EPOCH,
        me_too: if all { 1_000_000 } else { 0 },
    }
}

fn link(number: i64, texts: Texts) -> LinkView {
    let long = if texts == Texts::Ampersands { "&" } else { "a" };
    let url = format!("http://esb.test/{}", long.repeat(1900));
    LinkView { id: LinkId(number), title: texts.name("link", number, 200), url }
}

fn document(number: i64, texts: Texts) -> DocumentView {
    DocumentView {
        id: DocumentId(number),
        category: DocumentCategory::OwnersManual,
        title: texts.name("document", number, 200),
        kind: FileKind::Pdf,
        size: 1,
    }
}

pub fn equipment(texts: Texts, repairs: usize) -> PublicEquipment {
    PublicEquipment {
        links: (1..=if repairs > 1 { 20 } else { 0 }).map(|n| link(n, texts)).collect(),
        documents: (1..=if repairs > 1 { 20 } else { 0 }).map(|n| document(n, texts)).collect(),
        photos: Vec::new(),
        id: EquipmentId(7),
        name: texts.name("machine", 7, 200),
        area_id: AreaId(1),
        area: texts.name("area", 1, 80),
        area_channel: Some("#woodshop".into()),
        manufacturer: texts.of(200),
        model: texts.of(200),
        description: texts.of(3000),
        archived: false,
        status: if repairs == 0 { BoardStatus::Operational } else { BoardStatus::Degraded },
        safety_risk: repairs > 1,
        open_repairs: (1..).take(repairs).map(|number| repair(number, texts)).collect(),
        open_count: repairs,
    }
}

/// An area in which every third machine is down and every other third works; those of plain text are all
/// down, so that every one of them shows in a summary, unless there are only a few.
pub fn area(number: i64, texts: Texts, count: i64) -> BoardArea {
    let equipment = |i: i64| {
        let green = i % 3 == 2 && (texts != Texts::Plain || count < 10);
        board_equipment_item(number * 10_000 + i, texts, !green)
    };
    BoardArea {
        id: AreaId(number),
        name: texts.name("area", number, 80),
        equipment: (1..=count).map(equipment).collect(),
    }
}

fn board_equipment_item(number: i64, texts: Texts, broken: bool) -> BoardEquipment {
    let headline = Headline {
        repair: RepairId(number),
        issue: texts.of(3000),
        eta: eta(),
        assignee: Some(texts.of(200)).filter(|_| number % 2 == 0),
        open_repairs: 12,
    };
    BoardEquipment {
        id: EquipmentId(number),
        name: texts.name("machine", number, 200),
        status: if broken { BoardStatus::Down } else { BoardStatus::Operational },
        safety_risk: broken,
        headline: broken.then_some(headline),
    }
}

/// Another repair of a machine.
pub fn other(number: i64, texts: Texts) -> OtherRepair {
    OtherRepair { id: RepairId(number), status: RepairStatus::NeedsSpecialist, description: texts.of(100) }
}

/// A repair in the queue with every optional field.
pub fn queued(number: i64, texts: Texts) -> QueueItem {
    QueueItem {
        id: RepairId(number),
        version: 1,
        equipment: texts.name("machine", number, 200),
        area: texts.name("area", 1, 80),
        description: texts.of(3000),
        severity: Some(Severity::Down),
        status: RepairStatus::NeedsSpecialist,
        safety_risk: true,
        assignee: None,
        eta: eta(),
        created_at: DateTime::UNIX_EPOCH,
    }
}

pub fn people(texts: Texts, count: i64) -> Vec<PersonMatch> {
    let person =
        |n| PersonMatch { id: UserId(n), name: texts.name("person", n, 200), role: Role::Technician };
    (1..=count).map(person).collect()
}

/// Open repairs in a number of areas, of machines of area 1.
pub fn open(texts: Texts, areas: i64, count: i64) -> Vec<OpenRepairLine> {
    let line = |n: i64| OpenRepairLine {
        id: RepairId(i64::MAX - n),
        equipment_id: EquipmentId(10_000 + n),
        equipment: texts.name("machine", n, 200),
        area_id: AreaId(n % areas),
        area: texts.name("area", n % areas, 80),
        issue: texts.of(200),
        severity: Some(Severity::Degraded).filter(|_| n % 2 == 0),
        status: RepairStatus::NeedsSpecialist,
        assignee: Some(texts.name("person", n, 200)).filter(|_| n % 3 == 0),
        eta: eta(),
    };
    (1..=count).map(line).collect()
}

/// A page of closed repairs that has a next page.
pub fn past(texts: Texts, count: i64) -> PastRepairs {
    let row = |n| HistoryRow {
        id: RepairId(n),
        description: texts.of(3000),
        severity: Some(Severity::Down),
        status: RepairStatus::NoIssueFound,
        reporter: texts.name("person", n, 200),
        assignee: Some(texts.name("person", n, 200)),
        created_at: DateTime::UNIX_EPOCH,
        closed_at: Some(DateTime::UNIX_EPOCH),
    };
    PastRepairs { repairs: (1..=count).map(row).collect(), total: 1_000_000 }
}

/// A repair as forms show it: required fields only, or all of them.
pub fn brief(texts: Texts, all: bool) -> RepairBrief {
    let happened = |n| TimelineEntryView {
        id: TimelineId(n),
        kind: if n == 1 { TimelineKind::Note } else { TimelineKind::SpecialistDescription },
        by: texts.name("person", n, 200),
        by_id: None,
        at: DateTime::UNIX_EPOCH,
        old: Some(texts.of(3000)),
        new: Some(texts.of(3000)),
        edited_by: None,
    };
    let person = Person { id: UserId(2), name: texts.name("person", 2, 200), slack_id: None };
    RepairBrief {
        id: RepairId(if all { i64::MAX } else { 42 }),
        version: 1,
        equipment: texts.name("machine", 7, 200),
        area: texts.name("area", 1, 80),
        fields: RepairFields {
            status: RepairStatus::InProgress,
            duplicate_of: None,
            assignee: all.then_some(person),
            severity: all.then_some(Severity::Down),
            eta: eta().filter(|_| all),
            specialist_description: texts.of(if all { 3000 } else { 0 }),
            safety_risk: all,
            consumable: all,
            description: texts.of(3000),
        },
        reporter: texts.name("person", 1, 200),
        created_at: DateTime::UNIX_EPOCH,
        duplicate_of: all.then(|| other(41, texts)),
        latest: (1..=if all { 3 } else { 0 }).map(happened).collect(),
    }
}

/// Areas with the same number get different positions.
pub fn board(mut areas: Vec<BoardArea>) -> BoardView {
    for (number, area) in (1..).zip(&mut areas) {
        area.id = AreaId(number);
    }
    BoardView { revision: 1, generated_at: DateTime::UNIX_EPOCH, areas }
}

/// The snapshot of a repair for a card: required fields only, or all of them.
pub fn snapshot(texts: Texts, all: bool) -> RepairSnapshot {
    RepairSnapshot {
        id: RepairId(42),
        version: 1,
        equipment_id: EquipmentId(7),
        equipment: texts.name("machine", 7, 200),
        area: texts.name("area", 1, 80),
        description: texts.of(3000),
        severity: all.then_some(Severity::Down),
        status: RepairStatus::New,
        reporter: texts.name("person", 1, 200),
        assignee: all.then(|| texts.name("person", 2, 200)),
        assignee_slack_id: None,
        eta: eta().filter(|_| all),
        safety_risk: all,
        consumable: all,
    }
}

/// A job for its message: required fields only, or all of them.
pub fn job(texts: Texts, state: JobState, all: bool) -> JobMessage {
    let waits = all && state == JobState::Queued;
    let job = JobView {
        id: JobId(if all { i64::MAX } else { 1 }),
        kind: texts.of(32),
        state,
        is_ending: all && state == JobState::Running,
        step: 1,
        steps: if all { i64::MAX } else { 2 },
        activity: texts.of(200),
        failure: (state == JobState::Failed).then(|| texts.of(1000)),
        waits_because: waits.then(|| texts.of(1000)),
        next_try: waits.then_some(DateTime::UNIX_EPOCH),
        starter: texts.of(200),
        created_at: DateTime::UNIX_EPOCH,
        updated_at: DateTime::UNIX_EPOCH,
        finished_at: None,
    };
    let (about, repair) = (all.then(|| texts.of(200)), all.then_some(RepairId(42)));
    JobMessage { job, about, repair, role: all.then_some(Role::Staff) }
}
