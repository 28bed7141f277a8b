//! The queue of repairs: filters, sortable columns, a page of rows.

use super::controls::{Choice, Pager};
use super::times::{Eta, Moment};
use super::{Html, StatusMark, counted};
use crate::domain::board::BoardStatus;
use crate::domain::ids::{RepairId, UserId};
use crate::domain::queue::{QueueFilter, QueueOrder, Whose};
use crate::domain::repair::{RepairStatus, Severity};
use crate::domain::text::cut;
use crate::domain::zone::Zone;
use crate::views::repairs::{QueueItem, QueueView};
use chrono::{DateTime, Utc};
use handlebars::RenderError;
use serde::Serialize;

/// Most characters of a description in the queue.
const EXCERPT_MAX: usize = 200;

#[derive(Debug)]
pub struct QueuePage<'a> {
    pub queue: &'a QueueView,
    pub filter: &'a QueueFilter,
    pub page: u64,
    /// Repairs per page.
    pub page_size: u64,
    /// The signed-in user.
    pub me: UserId,
    pub csrf_token: &'a str,
    /// Prefix of the forms' idempotency keys.
    pub request_id: &'a str,
}

#[derive(Serialize)]
struct Queue<'a> {
    summary: String,
    filter: Filter<'a>,
    columns: Vec<Column>,
    rows: Vec<Row<'a>>,
    pager: Option<Pager>,
    csrf_token: &'a str,
    request_id: &'a str,
    /// The address to return to after a form.
    here: String,
}

#[derive(Serialize)]
struct Filter<'a> {
    text: &'a str,
    areas: Vec<Choice>,
    statuses: Vec<Choice>,
    severities: Vec<Choice>,
    assignees: Vec<Choice>,
    states: Vec<Choice>,
    sort: &'static str,
    reversed: bool,
    is_set: bool,
}

#[derive(Serialize)]
struct Column {
    label: &'static str,
    /// Where a click leads; `None` if the column cannot be sorted.
    sorted: Option<String>,
    /// Value of `aria-sort`.
    order: Option<&'static str>,
}

#[derive(Serialize)]
struct Row<'a> {
    id: RepairId,
    version: i64,
    equipment: &'a str,
    area: &'a str,
    description: String,
    severity: StatusMark,
    severity_word: &'static str,
    status: &'static str,
    safety_risk: bool,
    assignee: Option<&'a str>,
    eta: Option<Eta>,
    reported: Moment,
    is_open: bool,
}

impl Html {
    pub fn queue(&self, page: &QueuePage<'_>, now: DateTime<Utc>) -> Result<String, RenderError> {
        let (zone, today) = (&self.site.timezone, self.today(now));
        let row = |repair| row(repair, zone, today);
        let total = usize::try_from(page.queue.total).unwrap_or(usize::MAX);
        let kind = if page.filter.closed { "closed" } else { "open" };
        let summary = counted(total, &format!("{kind} repair"), &format!("{kind} repairs"));
        let pages = page.queue.total.div_ceil(page.page_size).max(1);
        let content = Queue {
            summary: if is_set(page.filter) { format!("{summary} like this") } else { summary },
            filter: filter(page),
            columns: columns(page),
            rows: page.queue.rows.iter().map(row).collect(),
            pager: Pager::new(page.page, pages, |number| address(page.filter, page.me, number)),
            csrf_token: page.csrf_token,
            request_id: page.request_id,
            here: address(page.filter, page.me, page.page),
        };
        self.page("queue", "Repairs", &content)
    }
}

/// The severity's mark, as on boards, and its word.
pub(super) fn severity_mark(severity: Option<Severity>) -> (StatusMark, &'static str) {
    let mark = match severity {
        Some(Severity::Down) => BoardStatus::Down,
        _ => BoardStatus::Degraded,
    };
    (mark.into(), severity.map_or("No severity", Severity::word))
}

fn row<'a>(repair: &'a QueueItem, zone: &Zone, today: chrono::NaiveDate) -> Row<'a> {
    let (severity, severity_word) = severity_mark(repair.severity);
    Row {
        id: repair.id,
        version: repair.version,
        equipment: &repair.equipment,
        area: &repair.area,
        description: cut(&repair.description, EXCERPT_MAX),
        severity,
        severity_word,
        status: repair.status.word(),
        safety_risk: repair.safety_risk,
        assignee: repair.assignee.as_deref(),
        eta: repair.eta.map(|eta| Eta::new(eta, today)),
        reported: Moment::new(repair.created_at, zone),
        is_open: repair.status.is_open(),
    }
}

fn is_set(filter: &QueueFilter) -> bool {
    let sorted = QueueFilter { order: filter.order, reversed: filter.reversed, ..QueueFilter::default() };
    *filter != QueueFilter { closed: filter.closed, ..sorted }
}

fn filter<'a>(page: &QueuePage<'a>) -> Filter<'a> {
    let wanted = page.filter;
    let statuses = RepairStatus::ALL.iter().filter(|status| status.is_open() != wanted.closed);
    let areas = page.queue.areas.iter();
    Filter {
        text: &wanted.text,
        areas: areas.map(|(id, name)| Choice::new(id, name, wanted.area == Some(*id))).collect(),
        statuses: statuses.map(|s| Choice::new(s, s, wanted.status == Some(*s))).collect(),
        severities: Severity::ALL.iter().map(|s| Choice::new(s, s, wanted.severity == Some(*s))).collect(),
        assignees: vec![
            Choice::new("", "Anybody", wanted.whose == Whose::All),
            Choice::new("me", "Me", wanted.whose == Whose::Of(page.me)),
            Choice::new("unassigned", "Nobody yet", wanted.whose == Whose::Nobody),
        ],
        states: vec![
            Choice::new("open", "Open", !wanted.closed),
            Choice::new("closed", "Closed", wanted.closed),
        ],
        sort: wanted.order.name(),
        reversed: wanted.reversed,
        is_set: is_set(wanted) || wanted.closed,
    }
}

fn columns(page: &QueuePage<'_>) -> Vec<Column> {
    let sortable = [
        ("Severity", QueueOrder::Urgency),
        ("Machine", QueueOrder::Equipment),
        ("Status", QueueOrder::Status),
        ("Assignee", QueueOrder::Assignee),
        ("ETA", QueueOrder::Eta),
        ("Reported", QueueOrder::Age),
    ];
    let column = |(label, order)| {
        let current = page.filter.order == order;
        let reversed = current && !page.filter.reversed;
        let sorted = QueueFilter { order, reversed, ..page.filter.clone() };
        let way = if page.filter.reversed { "descending" } else { "ascending" };
        Column { label, sorted: Some(address(&sorted, page.me, 1)), order: current.then_some(way) }
    };
    sortable.map(column).into_iter().chain([Column { label: "Do", sorted: None, order: None }]).collect()
}

/// The address of a page of the queue.
fn address(filter: &QueueFilter, me: UserId, page: u64) -> String {
    let mut query = form_urlencoded::Serializer::for_suffix(String::from("/repairs?"), 9);
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            query.append_pair(name, &value);
        }
    };
    add("q", Some(filter.text.clone()).filter(|text| !text.is_empty()));
    add("area", filter.area.map(|area| area.to_string()));
    add("status", filter.status.map(|status| status.to_string()));
    add("severity", filter.severity.map(|severity| severity.to_string()));
    add(
        "assignee",
        match filter.whose {
            Whose::All => None,
            Whose::Of(user) => Some(if user == me { "me".to_owned() } else { user.to_string() }),
            Whose::Nobody => Some("unassigned".into()),
        },
    );
    add("state", filter.closed.then(|| "closed".into()));
    add("sort", (filter.order != QueueOrder::Urgency).then(|| filter.order.name().into()));
    add("desc", filter.reversed.then(|| "1".into()));
    add("page", (page > 1).then(|| page.to_string()));
    query.finish().trim_end_matches('?').to_owned()
}
