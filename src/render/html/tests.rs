//! Renders every template with minimal, large and hostile content: it must render, stay escaped, keep the text, and
//! stay within size limits.

use super::*;
use crate::domain::ids::{AreaId, EquipmentId, RepairId};
use crate::domain::repair::{RepairStatus, Severity};
use crate::views::board::{BoardArea, BoardEquipment, BoardMatches, BoardView, Headline};
use crate::views::equipment::{OpenRepair, PublicEquipment};
use std::sync::LazyLock;

/// Text that tries to break a page.
const HOSTILE: &str = "\"'><script>alert(1)</script>{{page_title}}{{{assets}}}</textarea>&amp;`=🪚\u{202e}";
/// What a page must contain of it, and what it must not.
const ESCAPED: &str =
    "&lt;script&gt;alert(1)&lt;/script&gt;{{page_title}}{{{assets}}}&lt;/textarea&gt;&amp;amp;";
const RAW: [&str; 3] = ["<script>alert", "</textarea>&", "\"'>"];

static HTML: LazyLock<Html> = LazyLock::new(|| {
    let url = |name: &str| format!("/assets/1/{name}");
    let assets = AssetUrls {
        stylesheet: url("esb.css"),
        board_script: url("board.js"),
        job_script: url("job.js"),
        time_script: url("time.js"),
        icon: url("icon.svg"),
    };
    Html::new(Site { timezone: "America/New_York".parse().unwrap(), assets }).unwrap()
});

pub(super) fn html() -> &'static Html {
    &HTML
}

pub(super) fn now() -> DateTime<Utc> {
    "2026-11-22T02:39:11Z".parse().unwrap()
}

pub(super) fn machine(id: i64, name: &str, status: BoardStatus) -> BoardEquipment {
    let headline = Headline {
        repair: RepairId(id),
        issue: format!("Issue of {name}"),
        eta: Some("2026-11-20".parse().unwrap()),
        assignee: Some("sam".into()),
        open_repairs: 3,
    };
    let headline = (status != BoardStatus::Operational).then_some(headline);
    BoardEquipment { id: EquipmentId(id), name: name.to_owned(), status, safety_risk: false, headline }
}

pub(super) fn area(id: i64, name: &str, machines: Vec<BoardEquipment>) -> BoardArea {
    BoardArea { id: AreaId(id), name: name.to_owned(), equipment: machines }
}

pub(super) fn view(areas: Vec<BoardArea>) -> BoardView {
    BoardView { revision: 7, generated_at: now(), areas }
}

fn area_page(area: BoardArea, page: usize) -> Option<String> {
    let board = view(vec![area]);
    html().area(&board, &board.areas[0], page, "\"7-x\"", now()).unwrap()
}

fn board(areas: Vec<BoardArea>, filter: &BoardFilter) -> String {
    html().board(&view(areas), filter, "\"7-x\"", now()).unwrap()
}

/// `n` pieces of equipment, every fourth of them down.
fn many(n: i64, name: &str) -> Vec<BoardEquipment> {
    let status = |id| if id % 4 == 0 { BoardStatus::Down } else { BoardStatus::Operational };
    (1..=n).map(|id| machine(id, &format!("{name} {id}"), status(id))).collect()
}

#[track_caller]
fn check_hostile(page: &str) {
    assert!(page.contains(ESCAPED), "the text is not there whole");
    for raw in RAW {
        assert!(!page.contains(raw), "{raw} in {page}");
    }
}

fn rows(page: &str) -> usize {
    page.matches("<li class=\"machine").count()
}

#[test]
fn empty_board_explains_first_steps() {
    let page = board(vec![], &BoardFilter::default());
    assert!(page.contains("esb demo-data") && page.contains("data-tag=\"&quot;7-x&quot;\""));
    let page = board(vec![area(1, "Wood", vec![])], &BoardFilter::default());
    assert!(page.contains("No machine is registered in this area yet."));
}

#[test]
fn board_shows_shape_color_word_and_problem() {
    let machines = vec![
        machine(1, "Lathe", BoardStatus::Operational),
        machine(2, "Saw", BoardStatus::Down),
        machine(3, "Laser", BoardStatus::Degraded),
    ];
    let page = board(vec![area(1, "Wood", machines)], &BoardFilter::default());
    for text in [
        "3 machines: 1 down, 1 degraded",
        "Issue of Saw",
        "ETA was Fri, Nov 20",
        "2 more problems",
        "<use href=\"#down\"/>",
        "<span class=\"word\">Degraded</span>",
        "<a href=\"/e/1\">Lathe</a> <span class=\"word\">Operational</span>",
    ] {
        assert!(page.contains(text), "{text} in {page}");
    }
    let places = ["Saw</a>", "Laser</a>", "Lathe</a>"].map(|name| page.find(name).unwrap());
    assert!(places.is_sorted(), "worst first");
}

#[test]
fn safety_risk_has_sign_and_words() {
    let mark = "<p class=\"safety\"><svg class=\"shape\" aria-hidden=\"true\"><use href=\"#safety\"/></svg>Safety risk</p>";
    let mut wood = area(1, "Wood", many(8, "M"));
    wood.equipment[3].safety_risk = true;
    let whole = view(vec![wood.clone()]);
    let pages = [
        board(vec![wood.clone()], &BoardFilter::default()),
        html().area(&whole, &wood, 1, "\"7\"", now()).unwrap().unwrap(),
    ];
    for page in pages {
        assert_eq!(page.matches("Safety risk").count(), 1, "{page}");
        let (name, mark) = (page.find("M 4</a>").unwrap(), page.find(mark).unwrap());
        let next = page.find("M 8</a>").unwrap();
        assert!(page.contains("<symbol id=\"safety\"") && name < mark && mark < next, "{page}");
    }
}

#[test]
fn large_area_shows_counts_and_problems() {
    let page = board(vec![area(5, "Hall", many(61, "M"))], &BoardFilter::default());
    assert_eq!(rows(&page), 15);
    assert!(page.contains("61 machines: 15 down"));
    assert!(page.contains("<a class=\"more\" href=\"/area/5\">See all 61 machines</a>"));
    let page = board(vec![area(5, "Hall", many(60, "M"))], &BoardFilter::default());
    assert_eq!((rows(&page), page.contains("See all")), (60, false));
}

#[test]
fn filters_show_and_count_matches() {
    let areas = || {
        vec![
            area(
                1,
                "Wood",
                vec![machine(1, "Säge", BoardStatus::Down), machine(2, "Lathe", BoardStatus::Operational)],
            ),
            area(2, "Metal", vec![machine(3, "Band saw", BoardStatus::Operational)]),
        ]
    };
    let shown = |filter: BoardFilter| {
        let page = board(areas(), &filter);
        ["Säge</a>", "Lathe</a>", "Band saw</a>"].map(|name| page.contains(name))
    };
    let text = |text: &str, found: &[i64]| search(text, found, false);
    assert_eq!(shown(text("SAGE", &[1])), [true, false, false]);
    assert_eq!(shown(text("metal", &[3])), [false, false, true]);
    assert_eq!(shown(BoardFilter { broken: true, ..text("wood", &[1, 2]) }), [true, false, false]);
    assert_eq!(shown(BoardFilter { area: Some(AreaId(1)), ..text("", &[]) }), [true, true, false]);
    let page = board(areas(), &text("xyz", &[]));
    assert!(page.contains("No machine matches your search. Try fewer") && page.contains("value=\"xyz\""));
    let page = board(areas(), &search("lahte", &[2], true));
    assert!(page.contains("Closest names") && page.contains("Lathe</a>"));
    let text = |text: &str| search(text, &Vec::from_iter(1..=400), false);
    let page = board(areas(), &BoardFilter { area: Some(AreaId(9)), ..text("") });
    assert!(page.contains("There is no such area"));
    let page = board(vec![area(2, "Metal", many(3, "M"))], &BoardFilter { broken: true, ..text("") });
    assert!(page.contains("Everything works"));
    let page = board(vec![area(2, "Metal", vec![])], &BoardFilter { broken: true, ..text("") });
    assert!(
        page.contains("No machine is registered in this area yet.") && !page.contains("Everything works")
    );
    let page = board(vec![area(1, "Hall", many(400, "M"))], &text("m"));
    assert_eq!(rows(&page), 300);
    assert!(page.contains("Showing 300 of 400 machines."));
}

/// A search that found the equipment with these ids.
fn search(text: &str, found: &[i64], are_nearest: bool) -> BoardFilter {
    let ids = found.iter().copied().map(EquipmentId).collect();
    let found = BoardMatches { ids, are_nearest };
    BoardFilter { text: text.into(), found, ..BoardFilter::default() }
}

#[test]
fn search_hidden_by_filter_offers_way_out() {
    let areas = || vec![area(1, "Wood", many(3, "M & \"")), area(2, "Metal", many(1, "M"))];
    let broken = |area: Option<i64>, text: &str| {
        // Equipment of both areas has the ids 1 to 3.
        let found: &[i64] = if text == "xyz" { &[] } else { &[1, 2, 3] };
        BoardFilter { area: area.map(AreaId), broken: true, ..search(text, found, false) }
    };
    for (filter, words, link) in [
        (broken(None, "m"), "4 machines match and all of them work.", "/?q=m"),
        (broken(Some(1), ""), "3 machines match and all of them work.", "/?q=&amp;area=1"),
        (broken(Some(2), "m"), "1 machine matches and it works.", "/?q=m&amp;area=2"),
        (broken(None, "m & \""), "4 machines match and all of them work.", "/?q=m+%26+%22"),
    ] {
        let page = board(areas(), &filter).replace("&#x3D;", "=");
        assert!(
            page.contains(words) && page.contains(&format!("<a href=\"{link}\">Show what works")),
            "{page}"
        );
        assert!(!page.contains("No machine matches"), "{page}");
        assert_eq!(page.matches("Show everything").count(), 1);
    }
    let page = board(areas(), &broken(None, "xyz"));
    assert!(page.contains("No machine matches your search") && !page.contains("Show what works"));
    assert_eq!(page.matches("Show everything").count(), 1);
}

#[test]
fn boards_and_areas_escape_what_people_typed() {
    let mut worst = machine(1, HOSTILE, BoardStatus::Down);
    worst.headline.as_mut().unwrap().issue = HOSTILE.repeat(50);
    let mut areas = vec![area(1, HOSTILE, vec![worst, machine(2, HOSTILE, BoardStatus::Operational)])];
    let filter = search(HOSTILE, &[1, 2], true);
    check_hostile(&board(areas.clone(), &filter));
    check_hostile(&board(areas.clone(), &BoardFilter::default()));
    check_hostile(&area_page(areas.remove(0), 1).unwrap());
}

#[test]
fn five_thousand_machines_stay_a_page() {
    let long = "🪚".repeat(194);
    let mut machines = many(5_000, &long);
    for machine in &mut machines {
        if let Some(headline) = &mut machine.headline {
            headline.issue = "🔥".repeat(3_000);
        }
    }
    let whole = area(1, "Hall", machines.clone());
    let mut seen = 0;
    for page in 1..=50 {
        let page = area_page(whole.clone(), page).unwrap();
        assert!(page.len() < 300_000, "{}", page.len());
        seen += rows(&page);
    }
    assert_eq!(seen, 5_000);
    for none in [0, 51, usize::MAX] {
        assert!(area_page(whole.clone(), none).is_none());
    }
    let page = board(vec![whole], &BoardFilter::default());
    assert!(page.len() < 300_000, "{}", page.len());
    let small = (0..100).map(|n| area(n + 1, "A", many(50, "Machine of usual length"))).collect();
    let page = board(small, &BoardFilter::default());
    assert!(page.len() < 300_000 && rows(&page) == 500, "{} {}", page.len(), rows(&page));
}

pub(super) fn equipment(open_repairs: Vec<OpenRepair>) -> PublicEquipment {
    PublicEquipment {
        documents: Vec::new(),
        photos: Vec::new(),
        links: Vec::new(),
        id: EquipmentId(5),
        name: "Saw".into(),
        area_id: AreaId(1),
        area: "Wood".into(),
        area_channel: None,
        manufacturer: String::new(),
        model: String::new(),
        description: String::new(),
        archived: false,
        status: if open_repairs.is_empty() { BoardStatus::Operational } else { BoardStatus::Down },
        safety_risk: open_repairs.iter().any(|repair| repair.safety_risk),
        open_count: open_repairs.len(),
        open_repairs,
    }
}

pub(super) fn repair(description: &str) -> OpenRepair {
    OpenRepair {
        id: RepairId(42),
        description: description.into(),
        severity: Some(Severity::Down),
        status: RepairStatus::PartsOrdered,
        safety_risk: false,
        eta: None,
        assignee: None,
        created_at: now(),
        me_too: 0,
    }
}

pub(super) fn equipment_page(
    equipment: &PublicEquipment,
    form: &ReportForm,
    errors: &[FieldError],
) -> String {
    let page = PublicEquipmentPage {
        equipment,
        form,
        errors,
        csrf_token: "token",
        request_id: "request",
        thanks_for: None,
    };
    html().public_equipment(&page, now()).unwrap()
}

#[test]
fn equipment_without_problems_shows_report_form() {
    let page = equipment_page(&equipment(vec![]), &ReportForm::default(), &[]);
    for text in [
        "<h1>Saw</h1>",
        "No known problems.",
        "Report a problem",
        "action=\"/e/5/report\"",
        "name=\"csrf_token\" value=\"token\"",
        "name=\"request_id\" value=\"request\"",
        "name=\"severity\" value=\"Not Sure\" checked",
    ] {
        assert!(page.contains(text), "{text} in {page}");
    }
    assert!(!page.contains("Known issues") && !page.contains("aria-invalid"));
}

#[test]
fn known_problems_show_state_and_me_too() {
    let mut known = repair("Blade wobbles");
    known.eta = Some("2026-11-22".parse().unwrap());
    known.assignee = Some("Tessa".into());
    known.me_too = 1;
    known.safety_risk = true;
    let page = equipment_page(&equipment(vec![known]), &ReportForm::default(), &[]);
    for text in [
        "Blade wobbles",
        "Parts Ordered",
        "Safety risk",
        "Somebody could be hurt.",
        "<bdi>Tessa</bdi> is on it",
        "1 person has this too",
        "action=\"/e/5/me-too/42\"",
        "datetime=\"2026-11-22T02:39:11Z\"",
        // In New York it is still the 21st.
        "ETA tomorrow",
    ] {
        assert!(page.contains(text), "{text} in {page}");
    }
}

#[test]
fn hidden_problems_are_counted_with_safety_risk() {
    let mut machine = equipment(vec![repair("Blade wobbles")]);
    assert!(!equipment_page(&machine, &ReportForm::default(), &[]).contains("open. Those above"));
    machine.safety_risk = true;
    for (open, words) in [(2, "1 more problem is open."), (41, "40 more problems are open.")] {
        machine.open_count = open;
        let page = equipment_page(&machine, &ReportForm::default(), &[]);
        assert!(page.contains(words) && page.contains("Somebody could be hurt."), "{page}");
    }
}

#[test]
fn refused_form_keeps_text_and_shows_error() {
    let typed = ReportForm {
        reporter_name: HOSTILE.into(),
        reporter_email: "no address".into(),
        description: format!("\n{HOSTILE}"),
        severity: Severity::Down,
        safety_risk: true,
        consumable: false,
    };
    let error = |field, message: &str| FieldError { field, message: message.into() };
    let errors = [error(Some("reporter_email"), "Not an address."), error(None, "As a whole.")];
    let mut machine = equipment(vec![repair(HOSTILE)]);
    (machine.name, machine.area, machine.description) = (HOSTILE.into(), HOSTILE.into(), HOSTILE.into());
    (machine.manufacturer, machine.model) = (HOSTILE.into(), HOSTILE.into());
    let page = equipment_page(&machine, &typed, &errors);
    check_hostile(&page);
    for text in [
        "<a href=\"#reporter_email\">E-mail</a>: Not an address.",
        "<li>As a whole.</li>",
        "id=\"reporter_email-error\">Not an address.",
        "value=\"no address\"",
        "aria-describedby=\"reporter_email-hint reporter_email-error\" aria-invalid=\"true\"",
        "name=\"severity\" value=\"Down\" checked",
        "name=\"safety_risk\" value=\"1\" checked",
        // Browsers drop the first line break of a textarea, so an empty first line needs a second one.
        "aria-describedby=\"description-hint\">\n\n&quot;",
    ] {
        assert!(page.contains(text), "{text} in {page}");
    }
}

#[test]
fn small_pages_escape_too() {
    let mut page = ReportedPage {
        equipment: EquipmentId(5),
        equipment_name: HOSTILE,
        repair: RepairId(42),
        channels: vec!["#wood", HOSTILE],
        lost_photos: 0,
        photos_over_allowance: 0,
    };
    check_hostile(&html().reported(&page).unwrap());
    page.channels.clear();
    assert!(html().reported(&page).unwrap().contains("see it there too"));
    assert!(!html().reported(&page).unwrap().contains("could not be saved"));
    page.lost_photos = 2;
    assert!(html().reported(&page).unwrap().contains("2 photos could not be saved"));
    let long = HOSTILE.repeat(20);
    let fields = vec![(HOSTILE, HOSTILE), ("description", &*long), ("password", HOSTILE)];
    let form = ResubmitForm { action: HOSTILE, csrf_token: HOSTILE, fields, is_cut: true, files: None };
    let problem = Problem {
        title: HOSTILE,
        message: HOSTILE,
        reference: Some(HOSTILE),
        link: Some((HOSTILE, HOSTILE)),
        form: Some(form),
    };
    check_hostile(&html().problem(&problem).unwrap());
    let plain = Problem { title: "Gone", message: "It is gone.", reference: None, link: None, form: None };
    assert!(!html().problem(&plain).unwrap().contains("Reference"));
}

#[test]
fn every_page_has_landmarks_and_no_inline_code() {
    for page in every_page::pages("x") {
        for once in
            ["<main id=\"main\"", "<h1>", "<html lang=\"en\">", "class=\"skip\" href=\"#main\"", "<title>"]
        {
            assert_eq!(page.matches(once).count(), 1, "{once} in {page}");
        }
        for inline in [" style=", " onclick=", "<style", "<script>", "javascript:"] {
            assert!(!page.contains(inline), "{inline} in {page}");
        }
    }
}
