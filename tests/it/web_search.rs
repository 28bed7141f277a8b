//! Searching on the web: the board, the list of equipment, the queue and the form of a new repair find what people
//! mean, as Slack does.

use crate::support::ops::{add_equipment, ana, report, with_saw};
use crate::support::web::{TestWeb, serving};
use esb::domain::actor::Role;
use esb::domain::equipment::EquipmentDetails;
use esb::domain::ids::{AreaId, EquipmentId};
use esb::domain::text::EquipmentName;
use esb::ops::repairs::report_problem::report_problem;
use esb::store;

const NAMES: &[&str] =
    &["Laser cutter", "Band saw", "O'Brien lathe", "X–Y plotter", "Plasma 3-in-1", "Spindle 1.5 kW"];

/// The table saw (1) and these machines (from 2), in the wood shop; the band saw has the only repair.
async fn shop() -> TestWeb {
    let (ops, _) = with_saw().await;
    let tx = ops.store.begin().await.unwrap();
    for name in NAMES {
        let equipment = EquipmentDetails::bare(EquipmentName::parse(name).unwrap(), AreaId(1));
        store::equipment::add(&tx, &equipment, ops.clock.now()).await.unwrap();
    }
    ops.commit_visible(tx).await.unwrap();
    report_problem(&ops, &ana(), report(EquipmentId(3), 1)).await.unwrap();
    serving(ops).await
}

/// Which of the machines a page names as links of this kind.
fn named(page: &str, link: &str) -> Vec<i64> {
    let is_named = |id: &i64| page.contains(&format!("{link}{id}\""));
    (1..=8).filter(is_named).collect()
}

#[tokio::test]
async fn board_and_list_find_what_people_mean() {
    let web = shop().await;
    let tess = web.signed_in(Role::Technician).await;
    for (typed, expected) in [
        ("lazer", &[2][..]),
        ("bandsaw", &[3]),
        ("saw%20table", &[1]),
        ("O%E2%80%99Bri", &[4]),
        ("x-y", &[5]),
        ("plasma%203%20in%201", &[6]),
        ("1.5kw", &[7]),
        ("%234", &[4]),
        ("4", &[4]),
    ] {
        let list = tess.get(&format!("/equipment?q={typed}")).await.text();
        assert_eq!(named(&list, "/equipment/"), expected, "list: {typed}");
        if typed != "4" {
            let board = web.get(&format!("/?q={typed}")).await.text();
            assert_eq!(named(&board, "/e/"), expected, "board: {typed}");
        }
        assert!(!list.contains("Closest names"), "{typed}");
    }
    let board = web.get("/?q=%231").await.text();
    assert_eq!(named(&board, "/e/"), [1, 3], "the machine of that number and the one with that repair");
    let board = web.get("/?q=wood%20shop").await.text();
    assert_eq!(named(&board, "/e/").len(), 7, "by the area");
    assert_eq!(
        named(&tess.get("/equipment?q=lazer&archived=1").await.text(), "/equipment/"),
        Vec::<i64>::new()
    );
}

#[tokio::test]
async fn nearest_names_are_offered_on_the_web() {
    let web = shop().await;
    let tess = web.signed_in(Role::Technician).await;
    for path in ["/?q=lasser%20kuter", "/equipment?q=lasser%20kuter", "/repairs/new?q=lasser%20kuter"] {
        let page = tess.get(path).await.text();
        assert!(
            page.contains("Closest names") && page.contains("Laser cutter") && !page.contains("Band saw"),
            "{path}"
        );
    }
    for path in ["/?q=zzzz", "/equipment?q=zzzz", "/repairs/new?q=zzzz"] {
        let page = tess.get(path).await.text();
        assert!(!page.contains("Closest names") && page.contains("No machine"), "{path}");
    }
}

#[tokio::test]
async fn queue_search_ignores_spelling() {
    let web = shop().await;
    let tess = web.signed_in(Role::Technician).await;
    for (typed, is_found) in [
        ("bandsaw", true),
        ("saw-band", true),
        ("bnad%20saw", true),
        ("bandswa", true),
        ("laser", false),
        ("1", true),
    ] {
        let page = tess.get(&format!("/repairs?q={typed}")).await.text();
        assert_eq!(page.contains("/repairs/1\""), is_found, "{typed}");
    }
}

#[tokio::test]
async fn list_of_matches_is_paged_best_first() {
    let (ops, _) = with_saw().await;
    for n in 0..60 {
        add_equipment(&ops, &format!("Area {n}"), "", &format!("Old printer {n}")).await;
    }
    let best = add_equipment(&ops, "Lab", "", "Printer").await;
    let web = serving(ops).await;
    let tess = web.signed_in(Role::Technician).await;
    let first = tess.get("/equipment?q=printer").await.text();
    assert!(first.contains("61 machines") && first.contains("Page 1 of 2"), "{first}");
    assert!(first.contains(&format!("/equipment/{best}\"")), "best first");
    let second = tess.get("/equipment?q=printer&page=2").await.text();
    assert!(second.contains("Page 2 of 2") && !second.contains(&format!("/equipment/{best}\"")));
    assert_eq!(tess.get("/equipment?q=printer&page=3").await.status, http::StatusCode::NOT_FOUND);
}
