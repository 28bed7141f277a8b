//! `/esb-status` through Slack: what each text shows, and where its buttons lead.

use crate::support::app::{ANA, TestApp};
use crate::support::lines::Lines;
use crate::support::ops::user;
use esb::domain::actor::Role;
use esb_sandbox::{Fault, View};
use tracing::Level;

impl TestApp {
    /// What Ana sees after `/esb-status` with that text.
    async fn status(&self, text: &str) -> View {
        self.command(ANA, "/esb-status", text).await;
        self.view()
    }

    /// Every page from the first to the last, forth and back by the buttons.
    async fn pages(&self) -> Vec<String> {
        let mut pages = vec![self.view().shown()];
        while let Some(next) = self.page_button("next") {
            self.press("page", Some(&next)).await;
            pages.push(self.view().shown());
        }
        for page in pages.iter().rev().skip(1) {
            let previous = self.page_button("previous").expect("a way back");
            self.press("page", Some(&previous)).await;
            assert_eq!(&self.view().shown(), page, "the same page forth and back");
        }
        assert_eq!(self.page_button("previous"), None);
        pages
    }

    fn page_button(&self, block: &str) -> Option<String> {
        let view = self.view();
        let block = view.blocks().iter().find(|it| it["block_id"] == block)?;
        Some(block["elements"][0]["value"].as_str().unwrap().to_owned())
    }
}

/// "Wood shop" with a saw that is down, a degraded drill and a lathe that works; "Metal shop" with a forge
/// that works; the empty "Attic".
async fn shop() -> TestApp {
    let (app, _) = TestApp::with_saw().await;
    let wood = esb::domain::ids::AreaId(1);
    app.add_equipment(wood, "Drill").await;
    app.add_equipment(wood, "Lathe").await;
    let metal = app.area("Metal shop", "").await;
    app.add_equipment(metal, "Forge").await;
    app.area("Attic", "").await;
    app.report("table saw", "Belt slips").await;
    app.report("drill", "Wobbles").await;
    app.sql("UPDATE repairs SET severity = 'Down', eta = '2026-03-09' WHERE id = 1").await;
    app.read_all();
    app
}

#[tokio::test]
async fn status_without_text_shows_all_areas() {
    let app = shop().await;
    let view = app.status("").await;
    assert_eq!(view.callback_id(), "status_summary");
    let shown = view.shown();
    for line in [
        ":white_check_mark: 2 operational   :large_orange_diamond: 1 degraded   :no_entry: 1 down",
        "*Wood shop*   :white_check_mark: 1 operational   :large_orange_diamond: 1 degraded   :no_entry: 1 down",
        ":no_entry: *Table saw* · Down: Belt slips · back Mon 9 Mar",
        ":large_orange_diamond: *Drill* · Degraded: Wobbles",
        "*Metal shop*   :white_check_mark: 1 operational",
    ] {
        assert!(shown.contains(line), "{line}\n{shown}");
    }
    for absent in ["Lathe", "Forge", "Attic"] {
        assert!(!shown.contains(absent), "{absent}\n{shown}");
    }
    assert!(shown.find("Table saw") < shown.find("Drill"), "worst first");
    app.finish().await;
}

#[tokio::test]
async fn area_name_shows_its_equipment() {
    let app = shop().await;
    let view = app.status("  WOOD   shöp ").await;
    assert_eq!((view.callback_id(), view.title()), ("status_area", "Wood shop"));
    let shown = view.shown();
    for line in [
        ":no_entry: *Table saw* · Down\n>Belt slips\n>#1 · nobody assigned · back Mon 9 Mar",
        ":large_orange_diamond: *Drill* · Degraded\n>Wobbles\n>#2 · nobody assigned",
        ":white_check_mark: *Lathe* · Operational",
    ] {
        assert!(shown.contains(line), "{line}\n{shown}");
    }
    app.press("back_to_summary", None).await;
    assert_eq!(app.view().callback_id(), "status_summary");
    app.press("view_area", Some("2")).await;
    assert!(app.view().shown().contains("*Forge* · Operational"));
    let empty = app.status("attic").await.shown();
    assert!(empty.contains("No machines are registered in this area."), "{empty}");
    app.finish().await;
}

#[tokio::test]
async fn name_or_number_shows_one_equipment() {
    let app = shop().await;
    app.sql("UPDATE repairs SET safety_risk = TRUE WHERE id = 1").await;
    for text in ["table saw", "TABLE", "sáw", "#1"] {
        let view = app.status(text).await;
        assert_eq!(view.callback_id(), "status_equipment", "{text}");
        let shown = view.shown();
        for line in [
            ":warning: *Do not use* · :no_entry: *Table saw* · Down\nWood shop",
            "*#1* :warning: *Do not use* · Belt slips\nDown · New · back Mon 9 Mar",
            "<http://esb.test/e/1|Open its page>",
        ] {
            assert!(shown.contains(line), "{line}\n{shown}");
        }
    }
    let green = app.status("forge").await.shown();
    assert!(green.contains("Nothing is reported.") && green.contains("/esb-report"), "{green}");
    app.finish().await;
}

#[tokio::test]
async fn safety_risk_is_shown_in_every_list() {
    let app = shop().await;
    // Not the repair that speaks for the saw: it counts all the same.
    app.report("table saw", "Guard is loose").await;
    app.sql("UPDATE repairs SET safety_risk = TRUE WHERE id = 3").await;
    app.read_all();
    for (text, line) in [
        ("", ":warning: *Do not use* · :no_entry: *Table saw* · Down: Belt slips"),
        ("wood shop", ":warning: *Do not use* · :no_entry: *Table saw* · Down\n>Belt slips"),
    ] {
        let shown = app.status(text).await.shown();
        assert!(shown.contains(line), "{line}\n{shown}");
        assert_eq!(shown.matches("Do not use").count(), 1, "{shown}");
    }
    app.finish().await;
}

#[tokio::test]
async fn ambiguous_text_lists_matching_equipment() {
    let app = shop().await;
    let view = app.status("l").await;
    assert_eq!(view.callback_id(), "status_matches");
    let shown = view.shown();
    assert!(shown.contains("3 machines match *l*."), "{shown}");
    assert!(shown.find("Lathe") < shown.find("Drill"), "prefix first: {shown}");
    app.press("view_equipment", Some("2")).await;
    assert_eq!((app.view().callback_id(), app.view().title()), ("status_equipment", "Drill"));
    app.press("back_to_summary", None).await;
    assert_eq!(app.view().callback_id(), "status_summary");
    app.finish().await;
}

#[tokio::test]
async fn exact_name_opens_machine_among_several() {
    let app = shop().await;
    app.add_equipment(esb::domain::ids::AreaId(1), "Drill press").await;
    for (text, title) in [("drill", "Drill"), ("Drill press", "Drill press")] {
        let view = app.status(text).await;
        assert_eq!((view.callback_id(), view.title()), ("status_equipment", title), "{text}");
    }
    app.finish().await;
}

#[tokio::test]
async fn status_help_explains_the_command() {
    let app = shop().await;
    app.command(ANA, "/esb-status", " HELP ").await;
    let help = app.private(ANA);
    assert!(help.contains("/esb-status wood shop") && help.contains("/esb-report"), "{help}");
    assert!(app.slack.top_view(ANA).is_none());
    app.finish().await;
}

#[tokio::test]
async fn no_match_says_so_and_shows_board() {
    let app = shop().await;
    for text in ["xyzzy", "#99", "%", "job x", "<!channel> & \"{{x}}\"", &"y".repeat(4000)] {
        let view = app.status(text).await;
        assert_eq!(view.callback_id(), "status_summary", "{text}");
        let shown = view.shown();
        assert!(shown.contains("No area and no machine is called “"), "{text}: {shown}");
        assert!(
            shown.contains("”. Here is the whole board.") && shown.contains("Table saw"),
            "{text}: {shown}"
        );
        assert!(!shown.contains("<!"), "{shown}");
    }
    app.finish().await;
}

#[tokio::test]
async fn empty_status_explains_first_steps() {
    let app = TestApp::start().await;
    for text in ["", "saw"] {
        let shown = app.status(text).await.shown();
        assert!(shown.contains("No machines are registered yet. Staff can add them"), "{shown}");
    }
    app.finish().await;
}

#[tokio::test]
async fn many_matches_are_paged() {
    let app = TestApp::start().await;
    let wood = app.area("Wood shop", "").await;
    app.add_many_equipment(wood, "Printer", 120).await;
    let typed = format!("print{}", "\u{301}".repeat(300));
    app.status(&typed).await;
    let pages = app.pages().await;
    assert_eq!(pages.len(), 3);
    assert!(pages.iter().all(|page| page.contains("At least 100 machines match")), "{}", pages[2]);
    let listed: usize = pages.iter().map(|page| page.matches("*Printer ").count()).sum();
    assert_eq!(listed, 100);
    app.finish().await;
}

#[tokio::test]
async fn every_list_is_paged_and_loses_nothing() {
    let (app, _) = TestApp::with_saw().await;
    let issue = "It does nothing at all any more, whatever is tried.";
    for n in 10..55 {
        let area = app.area(&format!("Area {n}"), "").await;
        app.add_many_equipment(area, &format!("Machine {n}"), 20).await;
    }
    app.add_open_repairs("Machine", issue, 1).await;
    app.add_open_repairs("Table saw", issue, 100).await;

    app.status("").await;
    let pages = app.pages().await;
    assert!(pages.len() > 1);
    let summary = pages.join("\n");
    for n in 10..55 {
        assert_eq!(summary.matches(&format!("*Area {n}*")).count(), 1);
        for m in 1..=20 {
            assert_eq!(summary.matches(&format!("*Machine {n} {m}*")).count(), 1);
        }
    }
    app.sql("UPDATE equipment SET area_id = 1").await;
    app.status("wood shop").await;
    let pages = app.pages().await;
    assert!(pages.len() > 1);
    assert_eq!(pages.iter().map(|page| page.matches("*Machine ").count()).sum::<usize>(), 900);

    app.status("table saw").await;
    let pages = app.pages().await;
    assert_eq!(pages.len(), 3);
    assert_eq!(pages.iter().map(|page| page.matches("\nDown · New").count()).sum::<usize>(), 100);
    app.finish().await;
}

#[tokio::test]
async fn page_beyond_end_shows_last_page() {
    let app = shop().await;
    app.status("").await;
    app.send(app.pressed("page", "7")).await;
    assert_eq!(app.view().callback_id(), "status_summary");
    assert!(app.view().shown().contains("Table saw"));
    app.finish().await;
}

#[tokio::test]
async fn outdated_view_says_so_in_place() {
    let app = shop().await;
    let gone = "UPDATE areas SET archived = TRUE WHERE id = 2";
    for (pressed, value, words) in [
        ("view_area", "99", "no longer on the board"),
        ("view_area", "2", "no longer on the board"),
        ("view_area", "x", "out of date"),
        ("view_equipment", "4", "no longer on the board"),
        ("view_equipment", "99", "no longer exists"),
        ("page", "-1", "out of date"),
        ("page", "", "out of date"),
        ("open_repair", "x", "out of date"),
        ("open_repair", "1", "a Technician or Staff account"),
        ("", "", "out of date"),
    ] {
        app.status("").await;
        app.sql(gone).await;
        let lines = Lines::from(Level::INFO);
        app.send(app.pressed(pressed, value)).await;
        let view = app.view();
        assert_eq!(view.callback_id(), "status_error", "{pressed} {value}");
        assert!(view.shown().contains(words), "{pressed} {value}: {}", view.shown());
        lines.only_slack_line();
        app.press("back_to_summary", None).await;
        assert_eq!(app.view().callback_id(), "status_summary", "and there is a way back");
    }
    app.finish().await;
}

#[tokio::test]
async fn archived_area_page_says_so() {
    let app = shop().await;
    app.status("metal shop").await;
    let turn = app.pressed("page", "2");
    app.sql("UPDATE areas SET archived = TRUE WHERE id = 2").await;
    app.send(turn).await;
    assert_eq!(app.view().callback_id(), "status_error");
    app.finish().await;
}

#[tokio::test]
async fn status_survives_database_outage() {
    let app = shop().await;
    app.status("").await;
    app.sql("ALTER TABLE areas RENAME TO away").await;
    app.slack.press(ANA, "view_area", Some("1")).await.unwrap();
    app.settle().await;
    assert!(app.view().shown().contains(":x: Something went wrong (ref "), "{}", app.view().shown());
    app.command(ANA, "/esb-status", "wood shop").await;
    assert!(app.private(ANA).starts_with(":x: Something went wrong (ref "));
    app.sql("ALTER TABLE away RENAME TO areas").await;
    app.finish().await;
}

#[tokio::test]
async fn failed_view_replacement_is_explained_privately() {
    let app = shop().await;
    for (fault, words) in [
        (Fault::RateLimited(30), "Slack is very busy"),
        (Fault::Http(502), "Something went wrong (ref "),
        (Fault::Error("internal_error"), "Something went wrong (ref "),
    ] {
        app.status("").await;
        app.slack.fail_next("views.update", fault);
        app.press("view_area", Some("1")).await;
        let told = app.private(ANA);
        assert!(told.starts_with(":x: ") && told.contains(words), "{fault:?}: {told}");
    }
    app.status("").await;
    let late = app.pressed("view_area", "1");
    app.slack.close(ANA).await.unwrap();
    app.send(late).await;
    assert!(app.slack.private_to(ANA).is_empty(), "a view that was closed is missed by nobody");
    app.finish().await;
}

#[tokio::test]
async fn status_calls_only_views_open() {
    let app = shop().await;
    for text in ["", "wood shop", "saw", "l", "nothing"] {
        let mark = app.calls();
        app.status(text).await;
        assert_eq!(app.called_since(mark), ["views.open"], "{text}");
    }
    app.finish().await;
}

#[tokio::test]
async fn job_status_is_answered_privately_to_staff() {
    let (app, repair) = TestApp::with_pictures(&["F1", "F2", "F3"]).await;
    app.slack.change_world(|world| world.files.retain(|file| file.id != "F2"));
    let job = app.queue(repair, &["F1", "F2", "F3"]).await;
    app.slack.fail_next("file", Fault::Http(503));
    app.settle().await;
    let ask = async |text: &str| {
        app.command(ANA, "/esb-status", text).await;
        app.private(ANA)
    };
    assert_eq!(ask(&format!("job {job}")).await, ":x: Only staff can look at jobs.");
    user(&app.app.ctx, "ana", Role::Technician).await;
    assert_eq!(ask(&format!("job {job}")).await, ":x: Only staff can look at jobs.");
    app.sql("UPDATE users SET role = 'Staff'").await;
    let told = ask(&format!(" JOB  #{job} ")).await;
    assert!(
        told.starts_with(&format!(
            "*Job #{job}* · Photos from Slack · Queued\nStep 0 of 3 done: Fetching F1.png\n• F1.png did"
        )),
        "{told}"
    );
    assert!(told.ends_with(&format!("<http://esb.test/admin/jobs/{job}|Open its page>")), "{told}");

    app.after(chrono::TimeDelta::seconds(30)).await;
    let told = ask(&format!("job {job}")).await;
    for line in [
        "Photos from Slack · Failed\nStep 3 of 3 done",
        "\nWhy it failed: F2.png is no longer in Slack.\n",
        "\n• F1.png is on repair #1 now.\n• F2.png is no longer in Slack.\n• F3.png is on repair #1 now.\n",
    ] {
        assert!(told.contains(line), "{line}\n{told}");
    }
    assert_eq!(told.matches('•').count(), 4);
    for unknown in ["job 99", "job 9223372036854775807"] {
        assert!(ask(unknown).await.starts_with(":x: There is no job #9"), "{unknown}");
    }
    let followed = app.job_message_text();
    assert!(followed.starts_with(":x: *Photos for repair #1*"), "{followed}");
    app.finish().await;
}
