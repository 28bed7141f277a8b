//! Every template of blocks/ with least, most and hostile content: what comes out is JSON that Slack takes
//! and that its types hold in full, so that not even a misspelt key survives.

use crate::support::block_kit::{faults_of_message, faults_of_options, faults_of_view};
use crate::support::views::{self, Texts, repair, snapshot};
use chrono::{DateTime, NaiveDate, TimeDelta};
use esb::domain::actor::SlackUserId;
use esb::domain::announce::{Event, RepairUpdate, UpdateLine};
use esb::domain::change::{OthersOpen, RepairSnapshot, StillOpen};
use esb::domain::ids::RepairId;
use esb::domain::job::JobState;
use esb::domain::repair::{RepairStatus, Severity};
use esb::render::links::Links;
use esb::render::slack::announcement::{Placement, RepairLinks, version_of_buttons};
use esb::render::slack::home::{Home, HomeRepairs, HomeStaff};
use esb::render::slack::jobs::JobLinks;
use esb::render::slack::repair_forms::{ActForm, RepairAction};
use esb::render::slack::report::ReportModal;
use esb::render::slack::{Blocks, Message, Modal};
use esb::slack::ids;
use esb::views::account::TemporaryPassword;
use esb::views::deliveries::DeliveryProblems;
use esb::views::equipment::EquipmentMatch;
use esb::views::repairs::{CardDetails, Closing, QueueView, RepairBrief};
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use slack_morphism::blocks::{SlackBlock, SlackView};
use slack_morphism::events::SlackBlockSuggestionResponse;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;

const LINK: &str = "http://esb.test/e/7";

fn links() -> Links {
    Links::new(Some("http://esb.test".into()))
}

/// A template, filled.
#[derive(Debug)]
enum Filled {
    View(Value),
    Message(Value),
    Options(Value),
}

/// The template's name with what came out of it.
type Case = (&'static str, Filled);

fn view(name: &'static str, modal: Modal) -> Case {
    (name, Filled::View(modal.0))
}

fn report(blocks: &Blocks, texts: Texts, known: usize, counted: &[RepairId]) -> Modal {
    let (equipment, typed) = (views::found(1, texts), texts.of(4000));
    let repairs: Vec<_> = (1..).take(known).map(|n| repair(n, texts)).collect();
    let modal = ReportModal {
        private_metadata: &texts.of(3000),
        equipment: (known > 0).then_some(&equipment),
        unknown: (known == 0).then_some(&typed),
        reporter_name: &texts.of(if known > 0 { 300 } else { 0 }),
        description: &texts.of(if known > 0 { 4000 } else { 0 }),
        known: &repairs,
        known_count: known,
        photos: known == 0,
        counted,
    };
    blocks.report_problem(&modal).unwrap()
}

fn update_form(blocks: &Blocks, brief: &RepairBrief) -> Modal {
    blocks.update_repair("{}", brief, DateTime::UNIX_EPOCH).unwrap()
}

/// On a day of 2026.
fn new_blocks() -> Blocks {
    Blocks::new(|| NaiveDate::from_ymd_opt(2026, 4, 7).unwrap()).unwrap()
}

const LINKS: RepairLinks<'_> =
    RepairLinks { equipment: Some(LINK), repair: Some("http://esb.test/repairs/42") };

fn links_if(all: bool) -> RepairLinks<'static> {
    if all { LINKS } else { RepairLinks::default() }
}

fn new_report(blocks: &Blocks, texts: Texts, all: bool) -> Message {
    let event = Event::NewReport(snapshot(texts, all));
    blocks.announcement(&event, links_if(all), Placement::Channel).unwrap()
}

fn card(blocks: &Blocks, texts: Texts, all: bool) -> Message {
    let (me_too, photos) = if all { (1_000_000, 100) } else { (0, 0) };
    let details = CardDetails { me_too, photos, closing: None };
    blocks.card(&snapshot(texts, all), &details, links_if(all)).unwrap()
}

/// The card of a repair that is over; `left` repairs of the machine are still open.
fn closed_card(blocks: &Blocks, texts: Texts, status: RepairStatus, left: usize) -> Message {
    let repair = RepairSnapshot { status, ..snapshot(texts, true) };
    let worst =
        |n| StillOpen { id: RepairId(n), severity: Some(Severity::Down), description: texts.of(3000) };
    let closing = Closing {
        by: texts.name("person", 2, 200),
        note: Some(texts.of(3000)),
        took: TimeDelta::days(4),
        duplicate_of: (status == RepairStatus::Duplicate).then_some(RepairId(7)),
        others: OthersOpen { count: left, worst: (1..=3).take(left).map(worst).collect() },
    };
    let details = CardDetails { me_too: 1, photos: 1, closing: Some(closing) };
    blocks.card(&repair, &details, LINKS).unwrap()
}

/// An update that tells the least, or all that one can tell.
fn update(blocks: &Blocks, texts: Texts, all: bool) -> Message {
    let worst =
        |n| StillOpen { id: RepairId(n), severity: Some(Severity::Down), description: texts.of(3000) };
    let others = OthersOpen { count: 12, worst: (1..=3).map(worst).collect() };
    let from = RepairStatus::New;
    let lines = vec![
        UpdateLine::Closed { from, others },
        UpdateLine::Status { from },
        UpdateLine::Assignee { from: Some(texts.name("person", 3, 200)) },
        UpdateLine::Severity { from: None },
        UpdateLine::SafetyRisk,
        UpdateLine::Eta { from: NaiveDate::from_ymd_opt(2026, 3, 9) },
    ];
    let mut repair = snapshot(texts, all);
    repair.status = if all { RepairStatus::Resolved } else { RepairStatus::InProgress };
    let update = RepairUpdate {
        by: texts.name("person", 2, 200),
        by_slack_id: None,
        lines: if all { lines } else { vec![UpdateLine::Status { from }] },
        note: all.then(|| texts.of(3000)),
        repair,
    };
    blocks.announcement(&Event::Updated(update), links_if(all), Placement::Channel).unwrap()
}

/// The Home tab of a member; or of staff, with all that there can be.
fn home(blocks: &Blocks, texts: Texts, all: bool) -> Modal {
    let count = if all { 50 } else { 0 };
    let queue = |first: i64| QueueView {
        rows: (first..).take(count).map(|n| views::queued(n, texts)).collect(),
        total: count as u64 * 20,
        areas: Vec::new(),
    };
    let repairs = HomeRepairs { mine: queue(1).into(), unassigned: queue(1000).into() };
    let problems = DeliveryProblems { failing: u64::MAX, given_up: u64::MAX };
    let staff = HomeStaff { problems, pages: links().admin() };
    let areas = if all { (1..=40).map(|n| views::area(n, texts, 30)).collect() } else { vec![] };
    let board = views::board(areas);
    let (repairs, staff) = (all.then_some(&repairs), all.then_some(&staff));
    blocks.home(&Home { board: &board, repairs, staff }).unwrap()
}

/// A temporary password, for a new user with a link, or for another one without.
fn temporary_password(blocks: &Blocks, texts: Texts, is_new: bool) -> Message {
    let (username, by) = (texts.name("user", 1, 80), texts.name("person", 2, 200));
    let password = "abcd-efgh-jkmn-pqrs".into();
    let given = TemporaryPassword { username, password, by, is_new, email_key: None };
    blocks.temporary_password(&given, is_new.then_some("http://esb.test/login")).unwrap()
}

/// Answers to mentions: with the least, and with all that there can be.
fn answer_cases(blocks: &Blocks, texts: Texts) -> Vec<Case> {
    let matches: Vec<EquipmentMatch> = (1..=100).map(|n| views::found(n, texts)).collect();
    let full = views::area(1, texts, 1000);
    let board = views::board(vec![full.clone(), views::area(2, texts, 30)]);
    let typed = texts.of(4000);
    [
        blocks.answer_help(),
        blocks.answer_board(&views::board(vec![]), None),
        blocks.answer_board(&board, Some(&typed)),
        blocks.answer_area(&views::area(1, texts, 0)),
        blocks.answer_area(&full),
        blocks.answer_equipment(&views::equipment(texts, 0)),
        blocks.answer_equipment(&views::equipment(texts, 300)),
        blocks.answer_matches(&typed, &matches),
        blocks.answer_report(None, ""),
        blocks.answer_report(None, &typed),
        blocks.answer_report(Some(&matches[0]), "saw"),
        blocks.answer_repair(&views::brief(texts, false)),
        blocks.answer_repair(&views::brief(texts, true)),
        blocks.answer_no_repair(&typed),
    ]
    .map(|answer| answer.unwrap())
    .into_iter()
    .inspect(|answer| assert!(answer.text.chars().count() <= 40_000, "{}", answer.text.len()))
    .map(|answer| ("answer", Filled::Message(answer.blocks)))
    .collect()
}

/// The message of a job in each state, as a member and as staff see it.
fn job_cases(blocks: &Blocks, texts: Texts) -> Vec<Case> {
    let staff = JobLinks { job: Some(LINK.into()), repair: Some(LINK.into()) };
    let mut cases = Vec::new();
    for state in JobState::ALL {
        for all in [false, true] {
            let links = if all { staff.clone() } else { JobLinks::default() };
            let message = blocks.job_message(&views::job(texts, state, all), &links).unwrap();
            assert!(message.text.chars().count() <= 4_000, "{}", message.text);
            cases.push(("job_message", Filled::Message(message.blocks)));
        }
    }
    cases
}

/// The forms of repairs in every status, with every action.
fn repair_cases(blocks: &Blocks, texts: Texts, kept: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut brief = views::brief(texts, false);
    for all in [false, true] {
        brief = views::brief(texts, all);
        cases.push(view("update_repair", update_form(blocks, &brief)));
        for action in RepairAction::ALL.map(Some).into_iter().chain([None]) {
            let note = if all { texts.of(4000) } else { String::new() };
            for status in [None, Some(RepairStatus::Duplicate)] {
                let form = ActForm { action, status, eta: brief.fields.eta, note: note.clone() };
                cases.push(view("act_on_repair", blocks.act_on_repair(kept, &brief, &form).unwrap()));
            }
        }
    }
    for status in RepairStatus::ALL {
        brief.fields.status = *status;
        brief.fields.specialist_description = texts.of(9000);
        cases.push(view("update_repair", update_form(blocks, &brief)));
        let form = ActForm::default();
        cases.push(view("act_on_repair", blocks.act_on_repair("{}", &brief, &form).unwrap()));
    }
    cases
}

/// The cards of open and closed repairs, and new reports where there are no cards.
fn card_cases(blocks: &Blocks, texts: Texts) -> Vec<Case> {
    vec![
        ("repair_card", Filled::Message(card(blocks, texts, false).blocks)),
        ("repair_card", Filled::Message(card(blocks, texts, true).blocks)),
        ("repair_card", Filled::Message(closed_card(blocks, texts, RepairStatus::Resolved, 0).blocks)),
        ("repair_card", Filled::Message(closed_card(blocks, texts, RepairStatus::Duplicate, 3).blocks)),
        ("repair_card", Filled::Message(new_report(blocks, texts, false).blocks)),
        ("repair_card", Filled::Message(new_report(blocks, texts, true).blocks)),
    ]
}

/// The Home tab, and what stands in for one that could not be made.
fn home_cases(blocks: &Blocks, texts: Texts) -> Vec<Case> {
    let failed = blocks.home_that_failed(&texts.of(5000)).unwrap();
    [home(blocks, texts, false), home(blocks, texts, true), failed].map(|tab| view("home", tab)).into()
}

/// Every template, with little and with as much as there can be of the same kind of text.
fn cases(blocks: &Blocks, texts: Texts) -> Vec<Case> {
    let many = views::equipment(texts, 300);
    let matches: Vec<EquipmentMatch> = (1..=100).map(|n| views::found(n, texts)).collect();
    let others: Vec<_> = (1..=100).map(|n| views::other(n, texts)).collect();
    let kept = texts.of(3000);
    let mut cases = vec![
        view("report_problem", report(blocks, texts, 0, &[])),
        view("report_problem", report(blocks, texts, 300, &[RepairId(2)])),
        ("options", Filled::Options(blocks.equipment_options(&[]).unwrap())),
        ("options", Filled::Options(blocks.equipment_options(&matches).unwrap())),
        ("options", Filled::Options(blocks.repair_options(&[]).unwrap())),
        ("options", Filled::Options(blocks.duplicate_options(&others).unwrap())),
        ("options", Filled::Options(blocks.people_options(&views::people(texts, 100)).unwrap())),
        ("option_groups", Filled::Options(blocks.repair_options(&views::open(texts, 1, 100)).unwrap())),
        ("option_groups", Filled::Options(blocks.repair_options(&views::open(texts, 100, 100)).unwrap())),
        view("choose_repair", blocks.choose_repair("{}").unwrap()),
        view("create_repair", blocks.create_repair("{}", None, None, true).unwrap()),
        view("create_repair", blocks.create_repair(&kept, Some(&matches[0]), Some(&kept), false).unwrap()),
        view("resolve_repair", blocks.resolve_repair(&kept, &views::brief(texts, true)).unwrap()),
        ("offer", Filled::Message(blocks.offer_to_resolve(&views::brief(texts, true)).unwrap().blocks)),
        ("temporary_password", Filled::Message(temporary_password(blocks, texts, false).blocks)),
        ("temporary_password", Filled::Message(temporary_password(blocks, texts, true).blocks)),
        ("repair_update", Filled::Message(update(blocks, texts, false).blocks)),
        ("repair_update", Filled::Message(update(blocks, texts, true).blocks)),
        view("status_error", blocks.status_error(&texts.of(5000)).unwrap()),
        view(
            "status_equipment",
            blocks.status_equipment(&views::equipment(texts, 0), None, 1, &Links::default()).unwrap(),
        ),
        view("status_matches", blocks.status_matches(&texts.of(4000), &[], 1).unwrap()),
        view("status_area", blocks.status_area(&views::area(1, texts, 0), None, 1).unwrap()),
        view("status_summary", blocks.status_summary(&views::board(vec![]), 1, None).unwrap()),
    ];
    cases.extend(repair_cases(blocks, texts, &kept));
    cases.extend(answer_cases(blocks, texts));
    cases.extend(job_cases(blocks, texts));
    cases.extend(card_cases(blocks, texts));
    cases.extend(home_cases(blocks, texts));
    let full = views::area(1, texts, 1000);
    let open = views::open(texts, 3, 300);
    let past = views::past(texts, 200);
    let board = views::board((1..=40).map(|n| views::area(n, texts, 30)).chain([full.clone()]).collect());
    for page in [1, 9999] {
        let notice = texts.of(4000);
        cases.extend([
            view("status_equipment", blocks.status_equipment(&many, None, page, &links()).unwrap()),
            view(
                "status_equipment",
                blocks.status_equipment(&many, Some(&past), page, &Links::default()).unwrap(),
            ),
            view("status_matches", blocks.status_matches(&texts.of(9), &matches, page).unwrap()),
            view("status_area", blocks.status_area(&full, None, page).unwrap()),
            view("status_area", blocks.status_area(&full, Some(&open), page).unwrap()),
            view("status_summary", blocks.status_summary(&board, page, Some(&notice)).unwrap()),
        ]);
    }
    cases
}

fn faults(filled: &Filled) -> Vec<String> {
    match filled {
        Filled::View(view) => faults_of_view(view),
        Filled::Message(blocks) => faults_of_message(blocks),
        Filled::Options(answer) => faults_of_options(answer),
    }
}

/// Reads it into the library's types.
fn read<T: DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{error}: {value}"))
}

/// What comes out, and what is left of it when the library has read and written it.
fn read_and_written(filled: &Filled) -> (&Value, Value) {
    match filled {
        Filled::View(view) => {
            let read: SlackView = read(view);
            match &read {
                SlackView::Modal(modal) => assert_known(&modal.blocks),
                SlackView::Home(home) => assert_known(&home.blocks),
            }
            (view, json!(read))
        }
        Filled::Message(blocks) => {
            let read: Vec<SlackBlock> = read(blocks);
            assert_known(&read);
            (blocks, json!(read))
        }
        Filled::Options(answer) => (answer, json!(read::<SlackBlockSuggestionResponse>(answer))),
    }
}

/// The library keeps a block that it cannot read as it is: that would survive any comparison.
#[track_caller]
fn assert_known(blocks: &[SlackBlock]) {
    for block in blocks {
        assert!(!matches!(block, SlackBlock::Unknown(_)), "the library does not know {block:?}");
    }
}

#[track_caller]
fn check(filled: &Filled) {
    assert_eq!(faults(filled), Vec::<String>::new());
    let (ours, theirs) = read_and_written(filled);
    assert_eq!(*ours, theirs, "a key that the library does not know");
}

#[test]
fn slack_accepts_every_template_with_any_content() {
    let blocks = new_blocks();
    let mut filled = BTreeSet::new();
    for texts in Texts::ALL {
        for (name, case) in cases(&blocks, texts) {
            filled.insert(name);
            check(&case);
        }
    }
    for name in blocks.names() {
        let included = |by: &&str| source(by).contains(&format!("{{{{> {name}}}}}"));
        assert!(filled.contains(name) || filled.iter().any(included), "no test fills {name}");
    }
}

fn source(template: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("blocks");
    std::fs::read_to_string(folder.join(format!("{template}.json.hbs"))).unwrap()
}

/// Every string under a key, wherever it stands.
fn strings_at(value: &Value, key: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            found.extend(object.get(key).and_then(Value::as_str).map(str::to_owned));
            object.values().for_each(|value| strings_at(value, key, found));
        }
        Value::Array(items) => items.iter().for_each(|value| strings_at(value, key, found)),
        _ => {}
    }
}

#[test]
fn template_names_match_code() {
    let blocks = new_blocks();
    let (mut callbacks, mut actions) = (BTreeSet::new(), BTreeSet::new());
    for (name, case) in cases(&blocks, Texts::Plain) {
        let (Filled::View(value) | Filled::Message(value) | Filled::Options(value)) = &case;
        if let Filled::View(view) = &case {
            assert_eq!(view["callback_id"], name, "a modal's template has the name of the modal");
        }
        strings_at(value, "callback_id", &mut callbacks);
        strings_at(value, "action_id", &mut actions);
    }
    let all = |lists: &[&[&str]]| lists.concat().into_iter().map(str::to_owned).collect::<BTreeSet<_>>();
    assert_eq!(callbacks, all(&[ids::view::ALL]));
    assert_eq!(actions, all(&[ids::action::ALL, ids::input::ALL]));
    let report = report(&blocks, Texts::Plain, 0, &[]).0;
    let values = |input: &str| {
        let block = report["blocks"].as_array().unwrap().iter().find(|b| b["block_id"] == input).unwrap();
        let options = block["element"]["options"].as_array().unwrap().clone();
        options.into_iter().map(|option| option["value"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(values("severity"), Severity::ALL.iter().map(|it| it.word()).collect::<Vec<_>>());
    assert_eq!(values("safety_risk"), [ids::input::SAFETY_RISK]);
    assert_eq!(values("consumable"), [ids::input::CONSUMABLE]);
}

/// Everything on all pages, from the first to the last by the pager's own buttons.
fn all_pages(mut show: impl FnMut(usize) -> Modal) -> (String, usize) {
    let (mut text, mut page, mut pages) = (String::new(), 1, 0);
    loop {
        let view = show(page).0;
        let mut texts = BTreeSet::new();
        strings_at(&view, "text", &mut texts);
        text.extend(texts);
        pages += 1;
        let next = view["blocks"].as_array().unwrap().iter().find(|block| block["block_id"] == "next");
        match next.and_then(|block| block["elements"][0]["value"].as_str()) {
            Some(next) => page = next.parse().unwrap(),
            None => return (text, pages),
        }
    }
}

/// A name of each number is in the text exactly once.
#[track_caller]
fn assert_shown_once(text: &str, before: &str, after: &str, numbers: impl IntoIterator<Item = i64>) {
    let mut counts = BTreeMap::new();
    for rest in text.split(before).skip(1) {
        let (number, rest) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len()));
        if rest.starts_with(after) {
            *counts.entry(number.to_owned()).or_insert(0) += 1;
        }
    }
    for number in numbers {
        assert_eq!(counts.get(&number.to_string()), Some(&1), "{before}{number}{after}");
    }
}

#[test]
fn pages_lose_nothing() {
    let blocks = new_blocks();
    let equipment = |area: i64, n: i64| (1..=n).map(move |i| area * 10_000 + i);

    let area = views::area(1, Texts::Plain, 5000);
    let (text, pages) = all_pages(|page| blocks.status_area(&area, None, page).unwrap());
    assert!(pages > 2, "{pages}");
    assert_shown_once(&text, "machine ", ".", equipment(1, 5000));

    let board = views::board((1..=40).map(|n| views::area(n, Texts::Plain, 100)).collect());
    let (text, pages) = all_pages(|page| blocks.status_summary(&board, page, None).unwrap());
    assert!(pages > 2, "{pages}");
    assert_shown_once(&text, "machine ", ".", (1..=40).flat_map(|area| equipment(area, 100)));

    let equipment = views::equipment(Texts::Plain, 300);
    let (text, pages) =
        all_pages(|page| blocks.status_equipment(&equipment, None, page, &Links::default()).unwrap());
    assert_eq!(pages, 9);
    assert_shown_once(&text, "*#", "*", 1..=300);
    assert_shown_once(&text, "• document ", ".", 1..=20);

    let found: Vec<EquipmentMatch> = (1..=100).map(|n| views::found(n, Texts::Plain)).collect();
    let (text, pages) = all_pages(|page| blocks.status_matches("saw", &found, page).unwrap());
    assert_eq!(pages, 3);
    assert_shown_once(&text, "*machine ", ".", 1..=100);
}

#[test]
fn full_home_tab_counts_omitted_repairs() {
    let blocks = new_blocks();
    let view = home(&blocks, Texts::Plain, true).0;
    assert_eq!(view["blocks"].as_array().unwrap().len(), 100, "all that Slack shows");
    let shown = view.to_string();
    // 30 machines that do not work in each of 40 areas, 1,000 repairs in each list.
    for left in ["… and 1139 more", "… and 985 more: `/esb-repair` finds each."] {
        assert!(shown.contains(left), "{left}");
    }
    assert_eq!(shown.matches("… and 985 more").count(), 2);
}

#[test]
fn truncated_match_list_says_so() {
    let blocks = new_blocks();
    let heading = |n: i64| {
        let found: Vec<EquipmentMatch> = (1..=n).map(|n| views::found(n, Texts::Plain)).collect();
        let view = blocks.status_matches("saw", &found, 1).unwrap().0;
        view["blocks"][0]["text"]["text"].as_str().unwrap().to_owned()
    };
    assert_eq!(heading(0), "No machine matches *saw* any more.");
    assert_eq!(heading(1), "One machine matches *saw*.");
    assert_eq!(heading(99), "99 machines match *saw*.");
    assert!(heading(100).starts_with("At least 100 machines match *saw*."));
}

#[test]
fn only_summary_truncates_problem_at_80_characters() {
    let blocks = new_blocks();
    let issue = format!("{}END", "x".repeat(78));
    let mut area = views::area(1, Texts::Plain, 1);
    area.equipment[0].headline.as_mut().unwrap().issue.clone_from(&issue);
    let mut equipment = views::equipment(Texts::Plain, 1);
    equipment.open_repairs[0].description.clone_from(&issue);
    let board = views::board(vec![area.clone()]);
    let summary = blocks.status_summary(&board, 1, None).unwrap().0.to_string();
    assert!(summary.contains(&format!("{}E…", "x".repeat(78))) && !summary.contains(&issue), "{summary}");
    assert!(blocks.status_area(&area, None, 1).unwrap().0.to_string().contains(&issue));
    assert!(
        blocks
            .status_equipment(&equipment, None, 1, &Links::default())
            .unwrap()
            .0
            .to_string()
            .contains(&issue)
    );
}

#[test]
fn notification_names_equipment_state_problem_and_person() {
    let blocks = new_blocks();
    let saw = RepairSnapshot {
        equipment: "Band saw".into(),
        area: "Wood shop".into(),
        description: "Blade wanders\noff the <line>".into(),
        severity: Some(Severity::Degraded),
        reporter: "Ana Lovelace".into(),
        safety_risk: false,
        ..snapshot(Texts::Plain, false)
    };
    let text = |repair: &RepairSnapshot| blocks.card(repair, &CardDetails::default(), LINKS).unwrap().text;
    let expected = "Band saw degraded (Wood shop): Blade wanders off the &lt;line&gt; – Ana Lovelace";
    assert_eq!(text(&saw), expected);
    let unsafe_saw = RepairSnapshot { safety_risk: true, severity: Some(Severity::Down), ..saw.clone() };
    assert!(text(&unsafe_saw).starts_with("Do not use: Band saw down (Wood shop): "));
    let long = RepairSnapshot { description: "Blade ".repeat(500), ..saw };
    assert!(text(&long).ends_with("… – Ana Lovelace"), "{}", text(&long));
}

#[test]
fn notifications_are_short_and_without_markup() {
    let blocks = new_blocks();
    for texts in Texts::ALL {
        let messages = [
            card(&blocks, texts, false),
            card(&blocks, texts, true),
            closed_card(&blocks, texts, RepairStatus::Resolved, 0),
            closed_card(&blocks, texts, RepairStatus::Resolved, 3),
            closed_card(&blocks, texts, RepairStatus::Duplicate, 3),
            new_report(&blocks, texts, true),
            update(&blocks, texts, false),
            update(&blocks, texts, true),
        ];
        for Message { text, .. } in messages {
            assert!(text.chars().count() <= 150, "{text}");
            assert!(!text.contains("http://esb.test") && !text.contains(['<', '>', '\n']), "{text}");
        }
    }
}

/// The first line of a card, and its buttons in order.
fn shown(card: &Message) -> (String, Vec<String>) {
    let blocks = card.blocks.as_array().unwrap();
    let first = blocks[0]["text"]["text"].as_str().unwrap().lines().next().unwrap().to_owned();
    let actions = blocks.iter().find(|block| block["type"] == "actions").unwrap();
    let buttons = actions["elements"].as_array().unwrap().iter();
    (first, buttons.map(|button| button["action_id"].as_str().unwrap().to_owned()).collect())
}

#[test]
fn open_card_shows_sign_word_and_buttons() {
    let blocks = new_blocks();
    let card = |status, severity, safety_risk, is_assigned: bool| {
        let assignee = is_assigned.then(|| "Riley".to_owned());
        let plain = snapshot(Texts::Plain, false);
        let repair = RepairSnapshot { status, severity, safety_risk, assignee, ..plain };
        shown(&blocks.card(&repair, &CardDetails::default(), RepairLinks::default()).unwrap())
    };
    use RepairStatus::{Assigned, New};
    let name = "*machine 7.*";
    for (status, severity, safety_risk, first) in [
        (New, Some(Severity::Degraded), false, format!(":large_orange_diamond: {name} degraded · area 1.")),
        (
            New,
            Some(Severity::NotSure),
            false,
            format!(":large_orange_diamond: {name} has a problem · area 1."),
        ),
        (New, Some(Severity::Down), false, format!(":rotating_light: {name} down · area 1.")),
        (Assigned, Some(Severity::Down), false, format!(":no_entry: {name} down · area 1.")),
        (Assigned, Some(Severity::Down), true, ":warning: *Do not use: machine 7.* · down · area 1.".into()),
        (
            New,
            None,
            true,
            ":warning::rotating_light: *Do not use: machine 7.* · has a problem · area 1.".into(),
        ),
    ] {
        let (shown, buttons) = card(status, severity, safety_risk, status == Assigned);
        assert_eq!(shown, first);
        let claim = (status != Assigned).then_some("card_claim");
        assert_eq!(buttons.first().map(String::as_str), claim.or(Some("card_resolve")), "{first}");
        assert!(buttons.contains(&"me_too".to_owned()) && buttons.contains(&"card_more".to_owned()));
    }
}

#[test]
fn closed_card_shows_equipment_status() {
    let blocks = new_blocks();
    let name = format!("*<{LINK}|machine 7.>*");
    use RepairStatus::{Duplicate, NoIssueFound, Resolved};
    for (status, left, first, how) in [
        (Resolved, 0, format!(":white_check_mark: {name} works again · area 1."), "fixed in 4 days"),
        (
            Resolved,
            2,
            format!(":white_check_mark: {name} · done, but still down: #1 Blade wobbles"),
            "fixed in 4 days",
        ),
        (
            NoIssueFound,
            0,
            format!(":white_check_mark: {name} works again · area 1."),
            "no issue found after 4 days",
        ),
        (Duplicate, 1, format!("{name} · closed as a duplicate of #7 · area 1."), "closed after 4 days"),
    ] {
        let card = closed_card(&blocks, Texts::Plain, status, left);
        assert_eq!(shown(&card), (first, ["card_more", "card_page"].map(str::to_owned).to_vec()));
        let note = card.blocks[0]["text"]["text"].as_str().unwrap().lines().nth(1).unwrap();
        assert_eq!(note, ">Blade wobbles");
        let context = card.blocks[1]["elements"][0]["text"].as_str().unwrap();
        let expected = format!("person 2. · {how} · <http://esb.test/repairs/42|#42> · was: Blade wobbles");
        assert_eq!(context, expected);
    }
}

#[test]
fn each_card_button_has_an_accessibility_label() {
    let blocks = new_blocks();
    for texts in Texts::ALL {
        for card in [card(&blocks, texts, true), closed_card(&blocks, texts, RepairStatus::Resolved, 0)] {
            let actions = card.blocks.as_array().unwrap().iter().find(|block| block["type"] == "actions");
            for button in actions.unwrap()["elements"].as_array().unwrap() {
                let label = button["accessibility_label"].as_str().unwrap();
                assert!(label.contains("#42") && label.chars().count() <= 75, "{label}");
            }
        }
    }
}

fn update_of(by: &str, repair: RepairSnapshot, lines: Vec<UpdateLine>) -> RepairUpdate {
    RepairUpdate { by: by.into(), by_slack_id: None, lines, note: None, repair }
}

#[test]
fn replies_are_one_line_each() {
    let blocks = new_blocks();
    let repair = RepairSnapshot {
        assignee: Some("riley".into()),
        assignee_slack_id: Some(SlackUserId("U0RILEY".into())),
        status: RepairStatus::PartsOrdered,
        eta: NaiveDate::from_ymd_opt(2026, 12, 5),
        ..snapshot(Texts::Plain, false)
    };
    let from = RepairStatus::Assigned;
    let claimed = || UpdateLine::Assignee { from: None };
    let resolved = || UpdateLine::Closed { from, others: OthersOpen::default() };
    let is = |status| RepairSnapshot { status, ..repair.clone() };
    for (update, expected) in [
        (update_of("riley", repair.clone(), vec![claimed()]), ":bust_in_silhouette: *riley* claimed this"),
        (
            update_of(
                "riley",
                is(RepairStatus::Assigned),
                vec![
                    UpdateLine::Status { from: RepairStatus::New },
                    UpdateLine::Eta { from: None },
                    claimed(),
                ],
            ),
            ":calendar: *riley* claimed this, back Sat 5 Dec",
        ),
        (
            update_of("sam", repair.clone(), vec![claimed()]),
            ":bust_in_silhouette: *sam* assigned this to <@U0RILEY>",
        ),
        (
            update_of(
                "riley",
                repair.clone(),
                vec![UpdateLine::Status { from }, UpdateLine::Eta { from: None }],
            ),
            ":arrows_counterclockwise: *riley*: parts ordered, back Sat 5 Dec",
        ),
        (
            update_of("riley", is(RepairStatus::Resolved), vec![resolved()]),
            ":white_check_mark: *riley* fixed this",
        ),
        (
            update_of("riley", is(RepairStatus::Duplicate), vec![resolved()]),
            "*riley* closed this as a duplicate",
        ),
    ] {
        let event = Event::Updated(update);
        let reply = blocks.announcement(&event, LINKS, Placement::Thread).unwrap();
        assert_eq!(reply.blocks.as_array().unwrap().len(), 1, "{:?}", reply.blocks);
        assert_eq!(reply.blocks[0]["text"]["text"], expected);
    }
}

#[test]
fn message_in_channel_names_the_machine() {
    let blocks = new_blocks();
    let from = RepairStatus::Assigned;
    let resolved = UpdateLine::Closed { from, others: OthersOpen::default() };
    let repair = RepairSnapshot { status: RepairStatus::Resolved, ..snapshot(Texts::Plain, false) };
    let update = RepairUpdate { note: Some("New belt".into()), ..update_of("riley", repair, vec![resolved]) };
    let message = blocks.announcement(&Event::Updated(update), LINKS, Placement::Channel).unwrap();
    let first = format!(":white_check_mark: *<{LINK}|machine 7.>* works again · area 1.");
    assert_eq!(message.blocks[0]["text"]["text"], first);
    assert_eq!(message.blocks[1]["text"]["text"], "*riley* fixed this\n>New belt");
    assert_eq!(message.text, "machine 7. (area 1.): riley fixed this: New belt");
}

#[test]
fn password_is_never_in_notification_text() {
    let blocks = new_blocks();
    for texts in Texts::ALL {
        for is_new in [true, false] {
            let Message { text, blocks } = temporary_password(&blocks, texts, is_new);
            assert!(!text.contains("abcd") && text.contains("Open this message"), "{text}");
            let access = blocks[1]["text"]["text"].as_str().unwrap();
            assert!(access.ends_with("\nTemporary password: `abcd-efgh-jkmn-pqrs`"), "{access}");
            assert_eq!(access.matches('`').count(), 4, "{access}");
        }
    }
}

#[test]
fn button_press_carries_card_version() {
    let blocks = new_blocks();
    let repair = RepairSnapshot { version: 17, ..snapshot(Texts::Plain, false) };
    let card = blocks.card(&repair, &CardDetails::default(), LINKS).unwrap().blocks;
    let actions = card.as_array().unwrap().iter().find(|block| block["type"] == "actions").unwrap();
    assert_eq!(version_of_buttons(actions["block_id"].as_str().unwrap()), Some(17));
    for odd in ["", "17", "buttons:", "buttons:x", "footer"] {
        assert_eq!(version_of_buttons(odd), None, "{odd}");
    }
}

#[test]
fn templates_match_their_snapshots() {
    let blocks = new_blocks();
    let plain = Texts::Plain;
    let area = views::area(1, plain, 3);
    let found = [views::found(1, plain), views::found(2, plain)];
    let board = views::board(vec![area.clone()]);
    insta::assert_json_snapshot!("report_problem", report(&blocks, plain, 2, &[RepairId(1)]).0);
    insta::assert_json_snapshot!("equipment_options", blocks.equipment_options(&found).unwrap());
    insta::assert_json_snapshot!("repair_card", card(&blocks, plain, true).blocks);
    insta::assert_snapshot!("repair_card_text", card(&blocks, plain, true).text);
    insta::assert_json_snapshot!("new_report", new_report(&blocks, plain, true).blocks);
    insta::assert_json_snapshot!(
        "resolve_repair",
        blocks.resolve_repair("{}", &views::brief(plain, true)).unwrap()
    );
    insta::assert_json_snapshot!("repair_update", update(&blocks, plain, true).blocks);
    insta::assert_snapshot!("repair_update_text", update(&blocks, plain, true).text);
    insta::assert_json_snapshot!(
        "status_summary",
        blocks.status_summary(&board, 1, Some("A notice.")).unwrap()
    );
    insta::assert_json_snapshot!("status_area", blocks.status_area(&area, None, 1).unwrap());
    let equipment = views::equipment(plain, 41);
    insta::assert_json_snapshot!(
        "status_equipment",
        blocks.status_equipment(&equipment, None, 2, &links()).unwrap()
    );
    insta::assert_json_snapshot!("status_matches", blocks.status_matches("saw", &found, 1).unwrap());
    let past = views::past(plain, 2);
    let equipment = views::equipment(plain, 1);
    let brief = views::brief(plain, true);
    insta::assert_json_snapshot!(
        "status_equipment_for_technicians",
        blocks.status_equipment(&equipment, Some(&past), 1, &Links::default()).unwrap()
    );
    insta::assert_json_snapshot!(
        "status_area_for_technicians",
        blocks.status_area(&area, Some(&views::open(plain, 1, 2)), 1).unwrap()
    );
    insta::assert_json_snapshot!("repair_options", blocks.repair_options(&views::open(plain, 2, 3)).unwrap());
    insta::assert_json_snapshot!("choose_repair", blocks.choose_repair("kept").unwrap());
    insta::assert_json_snapshot!(
        "create_repair",
        blocks.create_repair("kept", Some(&found[0]), None, true).unwrap()
    );
    insta::assert_json_snapshot!("update_repair", update_form(&blocks, &brief));
    for action in RepairAction::ALL {
        let form = ActForm { action: Some(action), ..ActForm::default() };
        let name = format!("act_on_repair_{}", action.word());
        insta::assert_json_snapshot!(name, blocks.act_on_repair("kept", &brief, &form).unwrap());
    }
    insta::assert_json_snapshot!("home", home(&blocks, plain, false));
    insta::assert_json_snapshot!(
        "answer",
        blocks.answer_equipment(&views::equipment(plain, 2)).unwrap().blocks
    );
    insta::assert_json_snapshot!("status_error", blocks.status_error("Please start again.").unwrap());
}

#[test]
fn private_messages_match_their_snapshots() {
    let (blocks, plain) = (new_blocks(), Texts::Plain);
    insta::assert_json_snapshot!("temporary_password", temporary_password(&blocks, plain, true).blocks);
    insta::assert_snapshot!("temporary_password_text", temporary_password(&blocks, plain, false).text);
    let links = JobLinks { job: Some(LINK.into()), repair: Some(LINK.into()) };
    let failed = blocks.job_message(&views::job(plain, JobState::Failed, true), &links).unwrap();
    insta::assert_json_snapshot!("job_message", failed.blocks);
    insta::assert_snapshot!("job_message_text", failed.text);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn no_description_breaks_a_view(text in any::<String>(), times in 1..200usize) {
        static BLOCKS: LazyLock<Blocks> = LazyLock::new(new_blocks);
        let blocks = &*BLOCKS;
        let text = text.repeat(times);
        let mut snapshot = snapshot(Texts::Plain, true);
        let mut equipment = views::equipment(Texts::Plain, 1);
        let mut area = views::area(1, Texts::Plain, 1);
        snapshot.description = format!("x{text}");
        equipment.open_repairs[0].description.clone_from(&text);
        area.equipment[0].headline.as_mut().unwrap().issue.clone_from(&text);
        let found = views::found(1, Texts::Plain);
        let report = ReportModal {
            private_metadata: "{}",
            equipment: Some(&found),
            unknown: Some(&text),
            reporter_name: "Ana",
            description: &text,
            known: &equipment.open_repairs,
            known_count: equipment.open_count,
            photos: true,
            counted: &[],
        };
        let event = Event::NewReport(snapshot);
        check(&Filled::Message(blocks.announcement(&event, RepairLinks::default(), Placement::Thread).unwrap().blocks));
        check(&Filled::View(blocks.report_problem(&report).unwrap().0));
        check(&Filled::View(blocks.status_equipment(&equipment, None, 1, &Links::default()).unwrap().0));
        check(&Filled::View(blocks.status_area(&area, None, 1).unwrap().0));
        check(&Filled::View(blocks.status_summary(&views::board(vec![area]), 1, Some(&text)).unwrap().0));
    }
}
