//! Typed text in Slack's markup and in our pages stays text: a page has the same elements and attributes as with plain
//! letters in the same places.

#![no_main]

use chrono::{DateTime, Utc};
use esb::domain::board::BoardStatus;
use esb::domain::ids::{AreaId, EquipmentId, RepairId};
use esb::domain::repair::{RepairStatus, Severity};
use esb::render::html::{
    AssetUrls, BoardFilter, EquipmentPage, FieldError, Html, Problem, ReportForm, ReportedPage, ResubmitForm,
    Site,
};
use esb::render::slack::mrkdwn::{bold, channel, escape, escape_within, line, line_within};
use esb::views::board::{BoardArea, BoardEquipment, BoardMatches, BoardView, Headline};
use esb::views::equipment::{OpenRepair, PublicEquipment};
use esb_fuzz::skeleton;
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static HTML: LazyLock<Html> = LazyLock::new(|| {
    let url = || "/assets/x".to_owned();
    let assets = AssetUrls {
        stylesheet: url(),
        board_script: url(),
        job_script: url(),
        time_script: url(),
        icon: url(),
    };
    Html::new(Site { timezone: "UTC".parse().expect("a zone"), assets }).expect("templates")
});

/// How many pages there are.
const PAGES: usize = 6;

/// One of the pages, with `text` wherever somebody could have typed it.
fn page(which: usize, text: &str) -> String {
    let now: DateTime<Utc> = "2026-11-22T02:39:11Z".parse().expect("a time");
    let typed = || text.to_owned();
    let headline = Headline {
        repair: RepairId(1),
        issue: typed(),
        eta: Some(now.date_naive()),
        assignee: Some(typed()),
        open_repairs: 2,
    };
    let machine = BoardEquipment {
        id: EquipmentId(1),
        name: typed(),
        status: BoardStatus::Down,
        safety_risk: true,
        headline: Some(headline),
    };
    let area = BoardArea { id: AreaId(1), name: typed(), machines: vec![machine] };
    let open = OpenRepair {
        id: RepairId(1),
        description: typed(),
        severity: Some(Severity::Down),
        status: RepairStatus::New,
        safety_risk: true,
        eta: None,
        assignee: Some(typed()),
        created_at: now,
        me_too: 3,
    };
    let equipment = PublicEquipment {
        id: EquipmentId(1),
        name: typed(),
        area_id: AreaId(1),
        area: typed(),
        area_channel: Some(typed()),
        manufacturer: typed(),
        model: typed(),
        description: typed(),
        archived: false,
        status: BoardStatus::Down,
        safety_risk: true,
        open_repairs: vec![open],
        open_count: 1,
        links: Vec::new(),
        documents: Vec::new(),
        photos: Vec::new(),
    };
    let form = ReportForm {
        reporter_name: typed(),
        reporter_email: typed(),
        description: typed(),
        ..ReportForm::default()
    };
    let errors = [
        FieldError { field: Some("description"), message: typed() },
        FieldError { field: None, message: typed() },
    ];
    let form = EquipmentPage {
        equipment: &equipment,
        form: &form,
        errors: &errors,
        csrf_token: text,
        request_id: text,
        thanks_for: None,
    };
    let board = BoardView { revision: 1, generated_at: now, areas: vec![area] };
    let found = BoardMatches { ids: [EquipmentId(1)].into(), are_nearest: true };
    let search = BoardFilter { text: typed(), found, ..BoardFilter::default() };
    let reported = ReportedPage {
        equipment: EquipmentId(1),
        equipment_name: text,
        repair: RepairId(1),
        channels: vec![text],
        lost_photos: 1,
        photos_over_allowance: 1,
    };
    let fields = vec![(text, text), ("description", text), ("password", text)];
    let form = ResubmitForm { action: text, csrf_token: text, fields, is_cut: true, files: None };
    let link = Some((text, text));
    let problem = Problem { title: text, message: text, reference: Some(text), link, form: Some(form) };
    let page = match which {
        0 => HTML.board(&board, &BoardFilter::default(), text, now),
        1 => HTML.board(&board, &search, text, now),
        2 => HTML.area(&board, &board.areas[0], 1, text, now).map(Option::unwrap_or_default),
        3 => HTML.equipment(&form, now),
        4 => HTML.reported(&reported),
        _ => HTML.problem(&problem),
    };
    page.unwrap_or_else(|error| panic!("{error}"))
}

/// Slack would find no mention, link or channel in it.
fn is_plain(out: &str) -> bool {
    let rest = out.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "");
    !rest.contains(['&', '<', '>'])
}

fuzz_target!(|text: &str| {
    let max = text.len() % 200 + 1;
    assert!(is_plain(&escape(text)));
    let back = escape(text).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    assert_eq!(back, text);
    for out in [escape_within(text, max), line_within(text, max)] {
        assert!(is_plain(&out) && out.chars().count() <= max, "{out:?} in {max}");
    }
    for out in [line(text, max), line_within(text, max)] {
        assert!(is_plain(&out) && !out.contains("```") && !out.contains(['\n', '\r']), "{out:?}");
    }
    let name = bold(text, max);
    assert!(is_plain(&name) && name.matches('*').count() == 2, "{name:?}");
    let shown = channel(text);
    let is_id = shown.strip_prefix("<#").and_then(|rest| rest.strip_suffix('>'));
    assert!(is_id.map_or_else(|| is_plain(&shown), |id| id.bytes().all(|b| b.is_ascii_alphanumeric())));

    // One page a run, so that there are many runs.
    let which = text.len() % PAGES;
    let letters: String = text.chars().map(|c| if c.is_ascii_punctuation() { 'x' } else { c }).collect();
    let page_of = |text: &str| page(which, text);
    assert_eq!(skeleton(&page_of(text)), skeleton(&page_of(&letters)), "{text:?} on page {which}");
});
