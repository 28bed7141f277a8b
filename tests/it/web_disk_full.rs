//! A full disk: what is refused, what is stored, and that service resumes by itself.

use crate::support::app::DEADLINE;
use crate::support::database::{Kind, TestDatabase};
use crate::support::ops::{NO_RESERVE, TestOps, add_equipment, on_database, with_saw};
use crate::support::pictures::{heif, jpeg, mp4, names, pdf};
use crate::support::process::{ESB, Installation, Process};
use crate::support::small_disk::SmallDisk;
use crate::support::wait::pause;
use crate::support::web::{Browser, Reply, Site, serving, serving_files};
use esb::domain::actor::Role;
use esb::domain::file::DiskReserve;
use esb::domain::ids::EquipmentId;
use esb::files::Files;
use esb::store::Store;
use esb::store::entities::repair;
use http::StatusCode;
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use sea_orm::{ConnectionTrait, Database, EntityTrait, PaginatorTrait};
use serde_json::Value;
use std::fs::File;

const WORDS: &str = "The database does not answer";

/// Somebody else reports each time, so that nobody does so too often.
async fn report(site: &Site, number: u32) -> Reply {
    let browser: Browser<'_> = site.browser().from(&format!("203.0.{}.{}", number / 250, number % 250));
    let description = format!("Noise number {number}. {}", "It rattles. ".repeat(80));
    let fields = [("reporter_name", "Ana"), ("description", &*description)];
    browser.fill_in_new("/e/1", "/e/1/report", &fields).await
}

/// Reports until one is refused; how many were accepted.
async fn until_refused(site: &Site) -> u32 {
    for number in 0..2000 {
        let reply = report(site, number).await;
        match reply.status {
            StatusCode::SEE_OTHER => {}
            StatusCode::SERVICE_UNAVAILABLE => {
                assert!(reply.text().contains(WORDS), "{}", reply.text());
                return number;
            }
            status => panic!("{status}: {}", reply.text()),
        }
    }
    panic!("nothing was refused")
}

/// True once `/health` answers this; it probes every few seconds.
async fn health_becomes(site: &Site, status: StatusCode) -> Reply {
    let waiting = async {
        loop {
            let health = site.get("/health").await;
            if health.status == status {
                return health;
            }
            pause().await;
        }
    };
    tokio::time::timeout(DEADLINE, waiting).await.expect("/health does not change")
}

/// How many repairs another program finds in the file, which has to be free for its writes.
async fn repairs_in(url: &str) -> u64 {
    let db = Database::connect(url).await.unwrap();
    db.execute_unprepared("PRAGMA busy_timeout = 0; BEGIN IMMEDIATE; ROLLBACK").await.expect("it is locked");
    repair::Entity::find().count(&db).await.unwrap()
}

/// The disk has no room: more is refused, and health is red.
async fn refuses_in_words(site: &Site) {
    let health = health_becomes(site, StatusCode::SERVICE_UNAVAILABLE).await.json();
    assert!(health["reason"].as_str().unwrap().contains("cannot be written"), "{health}");
    for number in 3000..3005 {
        let reply = report(site, number).await;
        assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE, "{}", reply.text());
        assert!(reply.text().contains(WORDS));
    }
    for path in ["/", "/e/1", "/health/live"] {
        assert_eq!(site.get(path).await.status, StatusCode::OK, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn full_disk_loses_no_acknowledged_report() {
    if Kind::from_env() != Kind::Sqlite {
        return eprintln!("skipped: servers have disks of their own");
    }
    let Some(disk) = SmallDisk::mount(24) else { return };
    let database = TestDatabase::in_directory(disk.path());
    let url = database.url().to_owned();
    let ops = on_database(database).await;
    assert_eq!(add_equipment(&ops, "Wood shop", "#woodshop", "Table saw").await, EquipmentId(1));
    let web = serving(ops).await;
    health_becomes(&web, StatusCode::OK).await;
    disk.fill();
    let accepted = until_refused(&web).await;
    refuses_in_words(&web).await;
    disk.clear();
    let resumed = report(&web, 4000).await;
    assert_eq!(resumed.status, StatusCode::SEE_OTHER, "{}", resumed.text());
    let thanks = web.get(resumed.header("location")).await.text();
    assert!(thanks.contains(&format!("#{}</b>", accepted + 1)), "{thanks}");
    assert_eq!(repairs_in(&url).await, u64::from(accepted) + 1);
    health_becomes(&web, StatusCode::OK).await;
    web.ops.store.close().await.unwrap();
}

const LOST: &str = "could not be kept: the server&#x27;s disk was full or could not be written.";

/// Files that cannot be stored: the disk has no room, or only its reserve.
fn full(ops: &TestOps, disk: Option<&SmallDisk>) -> Files {
    match disk {
        Some(disk) => {
            disk.fill();
            ops.files_with(disk.path(), NO_RESERVE)
        }
        None => ops.files_with(ops.uploads(), DiskReserve { bytes: u64::MAX, percent: 0 }),
    }
}

async fn photos_on_full_disk(disk: Option<&SmallDisk>) {
    let (ops, _) = with_saw().await;
    let files = full(&ops, disk);
    let web = serving_files(ops, files).await;
    let (ana, tess, stu) =
        (web.browser(), web.signed_in(Role::Technician).await, web.signed_in(Role::Staff).await);
    for (number, photos, words) in [(1, 1, "1 photo"), (2, 3, "3 photos")] {
        let form = ana.form("/e/1", "/e/1/report").await;
        let form = form.text("reporter_name", "Ana").text("description", "Blade wobbles");
        let form = (0..photos).fold(form, |form, n| form.file("photos", &format!("{n}.jpg"), &jpeg()));
        let sent = ana.send_parts("/e/1/report", &form).await;
        assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.text());
        let thanks = ana.get(sent.header("location")).await.text();
        assert!(thanks.contains(&format!("{words} could not be saved")), "{thanks}");
        let page = tess.get(&format!("/repairs/{number}")).await.text();
        assert!(page.contains(&format!("{words} {LOST}")), "{page}");
        // The same form again is the same report.
        assert_eq!(ana.send_parts("/e/1/report", &form).await.header("location"), sent.header("location"));
    }
    let new = tess.form("/repairs/new?equipment=1", "/repairs/new").await;
    let new = new.text("description", "Noise").file("photos", "film.mp4", &mp4(3_000_000));
    assert_eq!(tess.send_parts("/repairs/new", &new).await.header("location"), "/repairs/3");
    assert!(tess.get("/repairs/3").await.text().contains(&format!("1 photo {LOST}")));

    for (browser, at, to, field, name, content) in [
        (&tess, "/repairs/1", "/repairs/1/photos", "photos", "a.jpg", jpeg()),
        (&tess, "/repairs/1", "/repairs/1/photos", "photos", "a.heic", heif(b"heic")),
        (&stu, "/equipment/1", "/equipment/1/photos", "photos", "a.mp4", mp4(3_000_000)),
        (&stu, "/equipment/1", "/equipment/1/documents", "document", "a.pdf", pdf()),
    ] {
        let form = browser.form(at, to).await.text("category", "Other").file(field, name, &content);
        let sent = browser.send_parts(to, &form).await;
        assert_eq!(sent.status, StatusCode::SERVICE_UNAVAILABLE, "{to}");
        let words = format!("“{name}” cannot be stored: the server&#x27;s disk is full");
        assert!(sent.text().contains(&words), "{}", sent.text());
    }
    if let Some(disk) = disk {
        disk.clear();
        let form = tess.form("/repairs/1", "/repairs/1/photos").await.file("photos", "a.jpg", &jpeg());
        assert_eq!(tess.send_parts("/repairs/1/photos", &form).await.status, StatusCode::SEE_OTHER);
        assert_eq!(names(disk.path()).len(), 2);
    }
}

#[tokio::test]
async fn report_below_reserve_says_photos_were_dropped() {
    photos_on_full_disk(None).await;
}

#[tokio::test]
async fn report_on_full_disk_says_photos_dropped() {
    let Some(disk) = SmallDisk::mount(8) else { return };
    photos_on_full_disk(Some(&disk)).await;
}

/// The same with another error: no file may grow. It wants no root.
#[tokio::test(flavor = "multi_thread")]
async fn file_size_limit_loses_no_acknowledged_report() {
    if Kind::from_env() != Kind::Sqlite {
        return eprintln!("skipped: servers have disks of their own");
    }
    let here = Installation::new().await;
    assert!(here.esb(&["demo-data"]).status().unwrap().success());
    let url = here.database.url().to_owned();
    let before = repairs_in(&url).await;
    let log = here.directory.path().join("log");
    // What would end the process is ignored, as a full disk sends no signal either.
    let mut command = here.command("sh", &["-c", "trap '' XFSZ; exec \"$0\" serve", ESB]);
    let process = Process(command.stdout(File::create(&log).unwrap()).spawn().unwrap());
    assert!(here.slack.wire().wait_for_connections(2, DEADLINE).await, "it did not connect");
    let said = std::fs::read_to_string(&log).unwrap();
    let starting: Value = serde_json::from_str(said.lines().next().unwrap()).unwrap();
    let site = Site(starting["listen"].as_str().unwrap().parse().unwrap());
    health_becomes(&site, StatusCode::OK).await;
    let child = Pid::from_raw(process.0.id().try_into().unwrap());
    let limit = |current| prlimit(child, Resource::Fsize, Rlimit { current, maximum: None }).unwrap();
    // The file is larger than its journal, which grows first.
    limit(Some(500_000));
    let accepted = until_refused(&site).await;
    refuses_in_words(&site).await;
    limit(None);
    assert_eq!(report(&site, 4000).await.status, StatusCode::SEE_OTHER);
    assert_eq!(repairs_in(&url).await, before + u64::from(accepted) + 1);
    health_becomes(&site, StatusCode::OK).await;
    let store = Store::connect(&url.into()).await.unwrap();
    esb::store::board::bump_revision(store.write()).await.unwrap();
    assert_eq!(process.terminate().await, Some(0));
}
