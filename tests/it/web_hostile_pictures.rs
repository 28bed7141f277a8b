//! Small uploads that would decode to gigabytes are refused at little cost.

use crate::support::app::DEADLINE;
use crate::support::hostile_pictures::{
    heic_of_endless_parts, heic_of_overlapping_notes, moving_webp, png_with_profile, progressive_jpeg,
    wide_png,
};
use crate::support::process::{Installation, Process};
use crate::support::web::Site;
use http::StatusCode;
use serde_json::Value;
use std::fs::File;

/// More than each of these pictures takes, and far less than a decoder without limits.
const MEMORY_MAX_MIB: u64 = 250;
/// More than each of these pictures has, the database's writes included.
const WRITTEN_MAX_BYTES: u64 = 30_000_000;

const PIXELS: &str = "has too many pixels";
const NOTES: &str = "this cannot be removed from it";

/// A number of `/proc/<pid>/<file>`.
fn figure(process: &Process, file: &str, name: &str) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{}/{file}", process.0.id())).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

async fn serving(here: &Installation) -> (Process, Site) {
    assert!(here.esb(&["demo-data"]).status().unwrap().success());
    let log = here.directory.path().join("log");
    let process = Process(here.esb(&["serve"]).stdout(File::create(&log).unwrap()).spawn().unwrap());
    assert!(here.slack.wire().wait_for_connections(2, DEADLINE).await, "it did not connect");
    let said = std::fs::read_to_string(&log).unwrap();
    let starting: Value = serde_json::from_str(said.lines().next().unwrap()).unwrap();
    (process, Site(starting["listen"].as_str().unwrap().parse().unwrap()))
}

#[tokio::test(flavor = "multi_thread")]
async fn small_pictures_cost_little() {
    let here = Installation::new().await;
    let (process, site) = serving(&here).await;
    for (name, picture, words) in [
        ("profile.png", png_with_profile(150_000_000), None),
        ("wide.png", wide_png(258 * 150_000), Some(PIXELS)),
        ("scans.jpg", progressive_jpeg(7_000), Some(PIXELS)),
        ("moving.webp", moving_webp(7_000), Some(PIXELS)),
        ("notes.heic", heic_of_overlapping_notes(2_000_000, 10_000), Some(NOTES)),
        ("parts.heic", heic_of_endless_parts(), Some(NOTES)),
    ] {
        let written = figure(&process, "io", "wchar:");
        let browser = site.browser();
        let form = browser.form("/e/1", "/e/1/report").await.text("reporter_name", "Ana");
        let form = form.text("description", name).file("photos", name, &picture);
        let sent =
            tokio::time::timeout(DEADLINE, browser.send_parts("/e/1/report", &form)).await.expect(name);
        let status = if words.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::SEE_OTHER };
        assert_eq!(sent.status, status, "{name}: {}", sent.text());
        assert!(sent.text().contains(words.unwrap_or_default()), "{name}: {}", sent.text());
        let peak = figure(&process, "status", "VmHWM:") / 1024;
        assert!(peak < MEMORY_MAX_MIB, "{name}: {peak} MiB");
        let written = figure(&process, "io", "wchar:") - written;
        assert!(written < WRITTEN_MAX_BYTES, "{name}: {written} bytes written");
    }
    assert_eq!(process.terminate().await, Some(0));
}
