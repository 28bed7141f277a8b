//! Every page of `templates/` with one text in every place that a person could have typed, for tests that check all
//! pages.

use super::tests::{area, equipment, equipment_page, html, machine, now, repair, view};
use super::*;
use crate::domain::actor::{Role, SlackUserId};
use crate::domain::equipment::{Cost, EquipmentDetails, StoredDetails};
use crate::domain::field::{Person, RepairFields};
use crate::domain::file::{DocumentCategory, FileKind};
use crate::domain::ids::{
    ApiTokenId, AreaId, DocumentId, EquipmentId, JobId, LinkId, NoteId, PhotoId, RepairId, TimelineId, UserId,
};
use crate::domain::job::{JobKind, JobState};
use crate::domain::queue::QueueFilter;
use crate::domain::repair::RepairStatus;
use crate::domain::text::EquipmentName;
use crate::domain::timeline::TimelineKind;
use crate::views::account::{
    PasswordMessage, SlackLink, SlackLinks, TokenView, UserDetails, UserView, UsersView,
};
use crate::views::attachments::{DocumentView, PhotoView};
use crate::views::board::{BoardArea, BoardMatches};
use crate::views::equipment::{EquipmentMatch, LinkView};
use crate::views::jobs::{JobDetails, JobLine, JobView, JobsView};
use crate::views::records::{
    AreaChoice, AreaRow, AreasView, AuditRow, AuditView, EquipmentDetail, EquipmentList, EquipmentRecord,
    EquipmentRow, HistoryRow, NoteView,
};
use crate::views::repairs::{OtherRepair, QueueItem, QueueView, RepairView, TimelineEntryView};

fn typed_area(text: &str) -> BoardArea {
    let mut worst = machine(1, text, BoardStatus::Down);
    if let Some(headline) = &mut worst.headline {
        text.clone_into(&mut headline.issue);
        headline.assignee = Some(text.to_owned());
    }
    area(1, text, vec![worst, machine(2, text, BoardStatus::Operational)])
}

fn typed_equipment(text: &str) -> String {
    let typed = || text.to_owned();
    let mut known = repair(text);
    (known.assignee, known.safety_risk, known.me_too) = (Some(typed()), true, 2);
    let mut machine = equipment(vec![known]);
    machine.documents = vec![document(text)];
    machine.photos = vec![photo(text, true), photo(text, false)];
    (machine.name, machine.area, machine.description) = (typed(), typed(), typed());
    (machine.manufacturer, machine.model, machine.area_channel) = (typed(), typed(), Some(typed()));
    let form = ReportForm {
        reporter_name: typed(),
        reporter_email: typed(),
        description: typed(),
        ..ReportForm::default()
    };
    let error = |field| FieldError { field, message: typed() };
    let fields =
        ["reporter_name", "reporter_email", "description", "severity"].map(|field| error(Some(field)));
    equipment_page(&machine, &form, &[&fields[..], &[error(None)]].concat())
}

/// An error page with a form that has every kind of field.
fn refused_form(text: &str) -> Problem<'_> {
    let files = ResubmitFiles { name: "photos", accept: text.to_owned(), several: true, were_sent: true };
    let fields = vec![(text, text), ("request_id", text), ("safety_risk", text), ("password", text)];
    let form = ResubmitForm { action: text, csrf_token: text, fields, is_cut: true, files: Some(files) };
    Problem { title: text, message: text, reference: Some(text), link: Some((text, text)), form: Some(form) }
}

pub(super) fn pages(text: &str) -> Vec<String> {
    let board = view(vec![typed_area(text)]);
    let machines = board.areas.iter().flat_map(|area| &area.equipment);
    let found = BoardMatches { ids: machines.map(|machine| machine.id).collect(), are_nearest: true };
    let search = BoardFilter { text: text.to_owned(), found, ..BoardFilter::default() };
    let (equipment, repair) = (EquipmentId(5), RepairId(42));
    let reported = ReportedPage {
        equipment,
        equipment_name: text,
        repair,
        channels: vec![text, "#oops"],
        lost_photos: 1,
        photos_over_allowance: 1,
    };
    let problem = refused_form(text);
    vec![
        html().board(&board, &BoardFilter::default(), text, now()).unwrap(),
        html().board(&board, &search, text, now()).unwrap(),
        html().area(&board, &board.areas[0], 1, text, now()).unwrap().unwrap(),
        typed_equipment(text),
        html().reported(&reported).unwrap(),
        html().problem(&problem).unwrap(),
    ]
    .into_iter()
    .chain(account_pages(text))
    .chain(repair_pages(text))
    .chain(equipment_pages(text))
    .chain(job_pages(text))
    .collect()
}

/// The page for a user of that name, at an address that is not in the navigation: the current navigation entry would
/// have an additional attribute.
fn framed(text: &str) -> Html {
    html().framed(Frame::of(text, Role::Staff, text.to_owned(), &format!("/x{text}")))
}

/// Pages about accounts, for a user of that name.
fn account_pages(text: &str) -> Vec<String> {
    let html = framed(text);
    let typed = || text.to_owned();
    let error = |field| FieldError { field, message: typed() };
    let errors = ["username", "email", "role", "name", "code", "current"].map(|field| error(Some(field)));
    let errors = [&errors[..], &[error(None)]].concat();
    let (errors, hidden) = (&errors[..], Hidden { csrf_token: text, request_id: Some(text) });
    let user = UserView {
        id: UserId(3),
        username: typed(),
        email: typed(),
        role: Role::Staff,
        active: false,
        slack_handle: format!("@{text}"),
        must_change_password: true,
    };
    let form =
        UserForm { username: typed(), email: typed(), role: typed(), slack_handle: typed(), show_here: true };
    let users = UsersView { users: vec![user.clone()], count: 1, sends_passwords: true };
    let message = Some(PasswordMessage::GivenUp);
    let person = || SlackLink { id: SlackUserId(typed()), name: typed(), email: Some(typed()) };
    let slack = SlackLinks { linked: Some(person()), unlinked: vec![person()] };
    let details = UserDetails { user, known_as: Some(typed()), message, slack };
    let tokens = [TokenView { id: ApiTokenId(1), name: typed(), maker: typed(), created_at: now() }];
    let secret = SecretPage { heading: text, secret: Some("x"), advice: text, back: text };
    vec![
        html.users(&UsersPage { users: &users, page: 2, pages: 3, form: &form, errors, hidden }).unwrap(),
        html.user(&UserPage { details: &details, form: &form, errors, hidden }).unwrap(),
        html.tokens(&TokensPage { tokens: &tokens, name: text, errors, hidden }).unwrap(),
        html.secret(&secret).unwrap(),
    ]
}

fn job_pages(text: &str) -> Vec<String> {
    let typed = || format!("x{text}");
    let job = |state, is_ending| JobView {
        id: JobId(12),
        kind: typed(),
        state,
        is_ending,
        step: 1,
        steps: 3,
        activity: typed(),
        failure: (state == JobState::Failed).then(typed),
        waits_because: (state == JobState::Queued).then(typed),
        next_try: (state == JobState::Queued).then(now),
        starter: typed(),
        created_at: now(),
        updated_at: now(),
        finished_at: None,
    };
    let page = |job| {
        let details = JobDetails { job, lines: vec![JobLine { text: typed(), at: now() }] };
        html().job(&details, text).unwrap()
    };
    let jobs = JobState::ALL.map(|state| job(state, false));
    let all = JobsView { jobs: jobs.to_vec(), older_than: Some(JobId(3)) };
    let filter = JobFilter { state: Some(JobState::Failed), kind: Some(JobKind::FetchPhotos) };
    let list = html().jobs(&all, filter).unwrap();
    let pages = jobs.into_iter().chain([job(JobState::Running, true)]).map(page);
    pages.chain([list, html().jobs(&JobsView { jobs: vec![], older_than: None }, filter).unwrap()]).collect()
}

fn typed_repair(text: &str) -> RepairView {
    let typed = || text.to_owned();
    let other = || OtherRepair { id: RepairId(8), status: RepairStatus::New, description: typed() };
    let happened = |kind, new| TimelineEntryView {
        id: TimelineId(1),
        kind,
        by: typed(),
        by_id: None,
        at: now(),
        old: None,
        new,
        edited_by: Some(typed()),
    };
    RepairView {
        id: RepairId(7),
        version: 3,
        equipment_id: EquipmentId(5),
        equipment: typed(),
        area: typed(),
        fields: RepairFields {
            status: RepairStatus::New,
            duplicate_of: None,
            assignee: Some(Person { id: UserId(3), name: typed(), slack_id: None }),
            severity: None,
            eta: None,
            specialist_description: format!("x{text}"),
            safety_risk: true,
            consumable: true,
            description: typed(),
        },
        reporter: typed(),
        reporter_email: Some(format!("x{text}")),
        me_too: 2,
        created_at: now(),
        closed_at: Some(now()),
        duplicate_of: Some(other()),
        duplicates: vec![other()],
        others: vec![other()],
        photos: vec![photo(text, true), photo(text, false)],
        timeline: vec![
            happened(TimelineKind::Photo, Some("1".into())),
            happened(TimelineKind::Note, Some(format!("x{text}"))),
            happened(TimelineKind::Description, Some(typed())),
            happened(TimelineKind::Note, None),
        ],
        older: Some(TimelineId(1)),
        people: vec![(UserId(3), typed())],
    }
}

fn photo(text: &str, has_thumbnail: bool) -> PhotoView {
    let (name, by) = (format!("x{text}"), format!("x{text}"));
    PhotoView { id: PhotoId(1), kind: FileKind::Jpeg, name, has_thumbnail, by }
}

fn document(text: &str) -> DocumentView {
    DocumentView {
        id: DocumentId(1),
        category: DocumentCategory::Other,
        title: format!("x{text}"),
        kind: FileKind::Pdf,
        size: 1,
    }
}

fn typed_form(text: &str) -> RepairForm {
    let typed = || text.to_owned();
    RepairForm {
        status: typed(),
        duplicate_of: typed(),
        assignee: typed(),
        severity: typed(),
        eta: typed(),
        specialist_description: typed(),
        safety_risk: true,
        consumable: false,
        description: typed(),
        note: typed(),
    }
}

fn queue_page(html: &Html, text: &str) -> String {
    let typed = || text.to_owned();
    let queued = QueueItem {
        id: RepairId(7),
        version: 3,
        equipment: typed(),
        area: typed(),
        description: typed(),
        severity: None,
        status: RepairStatus::New,
        safety_risk: true,
        assignee: Some(format!("x{text}")),
        eta: now().date_naive().into(),
        created_at: now(),
    };
    let queue = QueueView { rows: vec![queued], total: 51, areas: vec![(AreaId(1), typed())] };
    let filter = QueueFilter { text: format!("x{text}"), ..QueueFilter::default() };
    let page = QueuePage {
        queue: &queue,
        filter: &filter,
        page: 1,
        page_size: 50,
        me: UserId(3),
        csrf_token: text,
        request_id: text,
    };
    html.queue(&page, now()).unwrap()
}

/// The technicians' pages, for staff.
fn repair_pages(text: &str) -> Vec<String> {
    let html = html().framed(Frame::of("stu", Role::Staff, text.to_owned(), "/repairs"));
    let fields = ["status", "duplicate_of", "assignee", "severity", "eta", "description", "note"];
    let error = |field| FieldError { field, message: format!("x{text}") };
    let errors = [&fields.map(|field| error(Some(field)))[..], &[error(None)]].concat();
    let (form, view, machine) = (typed_form(text), typed_repair(text), equipment(vec![]));
    let found = [EquipmentMatch { id: EquipmentId(5), name: text.to_owned(), area: text.to_owned() }];
    let people = [(UserId(3), text.to_owned())];
    let page = RepairPage {
        repair: &view,
        form: &form,
        version: 3,
        errors: &errors,
        me: UserId(3),
        role: Role::Staff,
        csrf_token: text,
        request_id: text,
    };
    let new = |machine, found| NewRepairPage {
        equipment: machine,
        text,
        found,
        are_nearest: true,
        people: &people,
        form: &form,
        errors: &errors,
        csrf_token: text,
        request_id: text,
    };
    vec![
        html.repair(&page, now()).unwrap(),
        queue_page(&html, text),
        html.new_repair(&new(Some(&machine), &[])).unwrap(),
        html.new_repair(&new(None, &found)).unwrap(),
    ]
}

/// A field of each kind.
fn typed_fields(text: &str) -> [Field; 8] {
    let typed = || text.to_owned();
    let field = |name, input| Field::new(name, "Label", input, text).optional().hint("Hint");
    [
        field("name", Input::Line("text")),
        field("text", Input::Lines),
        field("area", Input::Choice(vec![("1".into(), typed()), (typed(), typed())])),
        field("photos", Input::File { accept: ".jpg".into(), several: true }),
        Field::password("current", "Label", "current-password"),
        Field::password("password", "Label", "new-password"),
        Field::password("repeated", "Label", "new-password"),
        Field::tick("show_here", "Label", true),
    ]
}

/// Pages of the equipment list, with this text in every place that can be typed.
fn form_page(html: &Html, text: &str, errors: &[FieldError]) -> String {
    let groups = [Group { legend: "Legend", fields: typed_fields(text).to_vec() }];
    let form = FormPage {
        title: text,
        lead: "Lead",
        back: ("/equipment", text),
        action: "/x",
        hidden: Hidden { csrf_token: text, request_id: Some(text) },
        version: Some(1),
        groups: &groups,
        errors,
        submit: "Save",
        done: "Saved.",
        next: text,
        note: "Note",
    };
    html.form(&form).unwrap()
}

fn equipment_pages(text: &str) -> Vec<String> {
    let html = framed(text);
    let typed = || text.to_owned();
    let hidden = Hidden { csrf_token: text, request_id: Some(text) };
    let fields = typed_fields(text);
    let errors =
        [Some("name"), Some("text"), None].map(|field| FieldError { field, message: format!("x{text}") });
    let form = form_page(&html, text, &errors);
    let machine = equipment_detail(text);
    let page = EquipmentPage {
        equipment: &machine,
        viewer: UserId(3),
        is_staff: true,
        hidden,
        note: &fields[..1],
        link: &fields[1..],
        document: &fields[..1],
        photos: &fields[1..],
        errors: &errors,
    };
    let row = EquipmentRow {
        id: EquipmentId(1),
        name: typed(),
        manufacturer: format!("x{text}"),
        model: typed(),
        area: typed(),
        status: Some(BoardStatus::Down),
    };
    let choices = vec![AreaChoice { id: AreaId(1), name: typed() }];
    let areas = areas_view(text);
    let machines = vec![row];
    let list = EquipmentList {
        areas: choices,
        total: 60,
        page: 1,
        pages: 2,
        equipment: machines,
        are_nearest: true,
    };
    let filter = EquipmentFilter { area: Some(AreaId(1)), archived: true, text: format!("x{text}") };
    vec![
        form,
        html.equipment(&page).unwrap(),
        html.equipment_list(&list, &filter, true).unwrap(),
        html.areas(&AreasPage { areas: &areas, hidden, request_ids: &[], fields: &fields, errors: &errors })
            .unwrap(),
        html.audit(&audit_view(text), &audit_form(text), Some("Unreadable.")).unwrap(),
    ]
}

fn equipment_detail(text: &str) -> EquipmentDetail {
    let typed = || format!("x{text}");
    let record = EquipmentRecord {
        id: EquipmentId(1),
        version: 1,
        details: StoredDetails {
            name: typed(),
            manufacturer: typed(),
            model: typed(),
            serial_number: typed(),
            acquisition_source: typed(),
            acquisition_cost: Cost::from_cents(5),
            description: typed(),
            ..StoredDetails::from(&EquipmentDetails::bare(EquipmentName::parse("x").unwrap(), AreaId(1)))
        },
        area: typed(),
        archived: false,
        area_archived: false,
        created_at: now(),
        updated_at: now(),
    };
    let note = NoteView { id: NoteId(1), text: typed(), author: typed(), author_id: None, created_at: now() };
    let repair = HistoryRow {
        id: RepairId(1),
        description: typed(),
        severity: None,
        status: RepairStatus::Resolved,
        reporter: typed(),
        assignee: Some(typed()),
        created_at: now(),
        closed_at: Some(now()),
    };
    EquipmentDetail {
        record,
        status: BoardStatus::Operational,
        open_repairs: 0,
        documents: vec![document(text)],
        photos: vec![photo(text, true), photo(text, false)],
        links: vec![LinkView { id: LinkId(1), title: typed(), url: "https://example.org/".into() }],
        notes: vec![note],
        notes_total: 2,
        page: 2,
        pages: 3,
        repairs_total: 41,
        repairs: vec![repair],
        may_edit: true,
    }
}

fn areas_view(text: &str) -> AreasView {
    let row = |archived| AreaRow {
        id: AreaId(1),
        version: 1,
        name: text.to_owned(),
        slack_channel: format!("#{text}"),
        channel_shown: format!("#{text}"),
        sort_order: 1,
        archived,
        equipment: 2,
    };
    AreasView { live: vec![row(false)], archived: vec![row(true)] }
}

fn audit_form(text: &str) -> AuditForm {
    let typed = || format!("x{text}");
    AuditForm { who: typed(), noun: typed(), id: typed(), action: typed(), from: typed(), to: typed() }
}

fn audit_view(text: &str) -> AuditView {
    let typed = || format!("x{text}");
    let entry = AuditRow {
        id: 1,
        created_at: now(),
        actor: typed(),
        edge: "web",
        action: typed(),
        noun: typed(),
        noun_id: 1,
        old: Some(serde_json::json!({ "name": typed() }).to_string()),
        new: Some(serde_json::json!({ "name": typed(), "area": 1 }).to_string()),
    };
    AuditView { entries: vec![entry], older_than: Some(1) }
}
