//! Photos and documents on the web: upload, permissions, safe serving and removal.

use crate::support::ops::{TestOps, user, with_saw};
use crate::support::pictures::{PLACE, contains_bytes, jpeg, mp4, names, pdf, png};
use crate::support::web::{Browser, Parts, Reply, TestWeb, serving};
use crate::web_equipment::send;
use esb::domain::actor::{Account, Actor, Edge, Role};
use esb::domain::ids::EquipmentId;
use esb::domain::setting::Setting;
use esb::domain::text::RequestId;
use esb::ops::settings::change_settings;
use http::StatusCode;

/// A web with one machine, and the address of its public page.
async fn with_page() -> (TestWeb, EquipmentId) {
    let (ops, saw) = with_saw().await;
    (serving(ops).await, saw)
}

/// The report form, filled in but for photos.
async fn report(browser: &Browser<'_>, saw: EquipmentId) -> Parts {
    let form = browser.form(&format!("/e/{saw}"), &format!("/e/{saw}/report")).await;
    form.text("reporter_name", "Ana").text("description", "Blade wobbles").text("severity", "Down")
}

fn stored(ops: &TestOps) -> usize {
    names(ops.uploads()).len()
}

#[track_caller]
fn says(reply: &Reply, status: StatusCode, words: &str) {
    let text = reply.text();
    assert!(reply.status == status && text.contains(words), "{words} in {} {text}", reply.status);
}

#[tokio::test]
async fn report_photos_are_visible_to_technicians_only() {
    let (web, saw) = with_page().await;
    let (ana, tess) = (web.browser(), web.signed_in(Role::Technician).await);
    let to = format!("/e/{saw}/report");
    let form = report(&ana, saw).await.file("photos", "a.jpg", &jpeg()).file("photos", "", b"");
    let sent = ana.send_parts(&to, &form.file("photos", "b.png", &png())).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.text());
    assert_eq!(stored(&web.ops), 4, "two photos, each with its small one");

    let page = tess.get("/repairs/1").await.text();
    for part in
        ["<img src=\"/photos/1/thumbnail\" alt=\"a.jpg\"", "/photos/2/thumbnail", "added a photo or video"]
    {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(page.find("added a photo").unwrap() < page.find("opened this repair").unwrap());
    let photo = tess.get("/photos/1").await;
    assert_eq!((photo.status, photo.header("content-type")), (StatusCode::OK, "image/jpeg"));
    assert!(!contains_bytes(&photo.body, PLACE) && contains_bytes(&jpeg(), PLACE));
    let upright = image::load_from_memory(&photo.body).unwrap();
    assert_eq!((upright.width(), upright.height()), (16, 64));
    assert_eq!(photo.header("cache-control"), "private, no-cache");
    assert_eq!(tess.get("/photos/1/thumbnail").await.header("content-type"), "image/jpeg");
    for path in ["/photos/1", "/photos/1/thumbnail", "/photos/99"] {
        assert_eq!(ana.get(path).await.status, StatusCode::NOT_FOUND, "{path}: nothing is to be guessed");
    }
    assert!(!ana.get(&format!("/e/{saw}")).await.text().contains("/photos/"));
}

#[tokio::test]
async fn repeated_report_discards_its_files() {
    let (web, saw) = with_page().await;
    let (ana, to) = (web.browser(), format!("/e/{saw}/report"));
    let form = report(&ana, saw).await;
    let first = ana.send_parts(&to, &form.clone().file("photos", "a.jpg", &jpeg())).await;
    let again = ana.send_parts(&to, &form.clone().file("photos", "a.jpg", &jpeg())).await;
    assert_eq!((again.status, again.header("location")), (first.status, first.header("location")));
    assert_eq!(stored(&web.ops), 2, "one photo and its small one");
    let other = ana.send_parts(&to, &form.file("photos", "b.jpg", &jpeg())).await;
    assert_ne!(other.header("location"), first.header("location"), "another photo is another report");
    assert_eq!(stored(&web.ops), 4);
}

#[tokio::test]
async fn refused_upload_returns_form_with_text() {
    let (web, saw) = with_page().await;
    let (ana, to) = (web.browser(), format!("/e/{saw}/report"));
    let form = report(&ana, saw).await;
    let six = (0..6).fold(form.clone(), |form, n| form.file("photos", &format!("{n}.png"), &png()));
    let large = [jpeg(), vec![0; 11_000_000]].concat();
    for (form, status, words) in [
        (
            form.clone().file("photos", "saw.jpg", b"MZ\x90\0"),
            422,
            "“saw.jpg” ends in .jpg but is none inside",
        ),
        (form.clone().file("photos", "film.mp4", &mp4(9000)), 422, "is not what is taken here: photos"),
        (form.clone().file("photos", "half.jpg", &jpeg()[..400]), 422, "is damaged or not whole"),
        (form.clone().file("photos", "ok.png", &png()).file("photos", "x.jpg", b""), 422, "is empty"),
        (six, 422, "Please choose at most 5 files."),
        (form.clone().file("photos", "large.jpg", &large), 413, "at most 10 MB are taken"),
    ] {
        let reply = ana.send_parts(&to, &form).await;
        says(&reply, StatusCode::from_u16(status).unwrap(), words);
        let text = reply.text();
        assert!(text.contains("Blade wobbles") && text.contains("id=\"photos-error\""), "{text}");
        assert_eq!(stored(&web.ops), 0, "{words}");
    }
    let sent = ana.send_parts(&to, &form).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "the same form, without photos");
}

#[tokio::test]
async fn technicians_add_photos_and_videos_to_a_repair() {
    let (web, saw) = with_page().await;
    let (ana, tess) = (web.browser(), web.signed_in(Role::Technician).await);
    let form = report(&ana, saw).await;
    ana.send_parts(&format!("/e/{saw}/report"), &form).await;
    let form = tess.form("/repairs/1", "/repairs/1/photos").await;
    let none = tess.send_parts("/repairs/1/photos", &form).await;
    says(&none, StatusCode::UNPROCESSABLE_ENTITY, "Please choose a photo or video.");
    let odd = tess.send_parts("/repairs/1/photos", &form.clone().file("photos", "a.pdf", &pdf())).await;
    says(&odd, StatusCode::UNPROCESSABLE_ENTITY, "is not what is taken here");
    let large =
        tess.send_parts("/repairs/1/photos", &form.clone().file("photos", "a.mp4", &mp4(20_000_001))).await;
    says(&large, StatusCode::PAYLOAD_TOO_LARGE, "at most 20 MB");
    let both = form.file("photos", "a.png", &png()).file("photos", "film.mov", &mp4(15_000_000));
    assert_eq!(tess.send_parts("/repairs/1/photos", &both).await.status, StatusCode::SEE_OTHER);
    let page = tess.get("/repairs/1").await.text();
    assert!(page.contains("film.mp4") && page.contains("Video, MP4"), "{page}");
    assert_eq!(stored(&web.ops), 3, "a video has no small picture");

    let new = tess.form(&format!("/repairs/new?equipment={saw}"), "/repairs/new").await;
    let new = new.text("description", "Noise").file("photos", "n.png", &png());
    let made = tess.send_parts("/repairs/new", &new).await;
    assert_eq!(made.header("location"), "/repairs/2", "{}", made.text());
    assert!(tess.get("/repairs/2").await.text().contains("alt=\"n.png\""));
}

#[tokio::test]
async fn video_supports_ranges_files_cannot_execute() {
    let (web, saw) = with_page().await;
    let stu = web.signed_in(Role::Staff).await;
    let (at, to) = (format!("/equipment/{saw}"), format!("/equipment/{saw}/photos"));
    let form = stu.form(&at, &to).await.file("photos", "Säge \"1\".mp4", &mp4(200_000));
    assert_eq!(stu.send_parts(&to, &form).await.status, StatusCode::SEE_OTHER);
    let to = format!("/equipment/{saw}/documents");
    let form = stu.form(&at, &to).await.text("category", "Other");
    let csv = b"name\r\n<script>alert(1)</script>\r\n";
    assert_eq!(
        stu.send_parts(&to, &form.file("document", "list.csv", csv)).await.status,
        StatusCode::SEE_OTHER
    );

    let anyone = web.browser();
    let whole = anyone.get("/photos/1").await;
    assert_eq!((whole.body.len(), whole.header("content-length")), (200_000, "200000"));
    assert!(whole.header("content-disposition").starts_with("inline; filename=\"S_ge"));
    let part = anyone.get_with("/photos/1", &[("range", "bytes=4-7"), ("accept-encoding", "gzip")]).await;
    assert_eq!((part.status, &part.body[..]), (StatusCode::PARTIAL_CONTENT, &b"ftyp"[..]));
    assert_eq!(part.header("content-range"), "bytes 4-7/200000");
    let beyond = anyone.get_with("/photos/1", &[("range", "bytes=200000-")]).await;
    assert_eq!(
        (beyond.status, beyond.header("content-range")),
        (StatusCode::RANGE_NOT_SATISFIABLE, "bytes */200000")
    );
    let etag = whole.header("etag").to_owned();
    let held = anyone.get_with("/photos/1", &[("if-none-match", &etag)]).await;
    assert_eq!((held.status, held.body.len()), (StatusCode::NOT_MODIFIED, 0));
    assert_eq!(anyone.head("/photos/1").await.header("content-length"), "200000");

    let document = anyone.get("/documents/1").await;
    assert_eq!(
        (document.status, &document.body[..], document.header("content-type")),
        (StatusCode::OK, &csv[..], "text/csv")
    );
    assert_eq!(
        document.header("content-disposition"),
        "attachment; filename=\"list.csv\"; filename*=UTF-8''list.csv"
    );
    for reply in [whole, document] {
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
        let policy = reply.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("script-src"), "{policy}");
    }
}

/// Lets technicians edit documents and photos of machines.
async fn let_technicians_edit(ops: &TestOps) {
    let stu = user(ops, "stu", Role::Staff).await;
    let stu = Actor::of_account(Edge::Web, "stu", Account { id: stu, role: Role::Staff });
    let allow = [(Setting::of("tech_doc_edit_enabled").unwrap(), "true".to_owned())];
    change_settings(ops, &stu, 1, &allow, &RequestId::from_random([77; 16])).await.unwrap();
}

#[tokio::test]
async fn equipment_documents_are_public_but_read_only() {
    let (web, saw) = with_page().await;
    let tess = web.signed_in(Role::Technician).await;
    let (at, to) = (format!("/equipment/{saw}"), format!("/equipment/{saw}/documents"));
    let page = tess.get(&at).await.text();
    assert!(!page.contains(&to) && page.contains("None yet."), "the forms are not shown");
    let token = tess.get(&at).await.hidden("csrf_token");
    let form = Parts::default().text("csrf_token", &token).text("request_id", "0123456789abcdef");
    let form = form.text("category", "Owner's Manual").file("document", "manual.pdf", &pdf());
    assert_eq!(tess.send_parts(&to, &form).await.status, StatusCode::FORBIDDEN);
    assert_eq!(stored(&web.ops), 0);

    let_technicians_edit(&web.ops).await;
    assert_eq!(tess.send_parts(&to, &form).await.status, StatusCode::SEE_OTHER);
    let titled =
        tess.form(&at, &to).await.text("category", "Safety Data Sheet").text("document_title", "Glue <3>");
    let wrong = tess.send_parts(&to, &titled.clone().file("document", "glue.pdf", b"<html>")).await;
    says(&wrong, StatusCode::UNPROCESSABLE_ENTITY, "“glue.pdf” ends in .pdf but is none inside");
    assert!(wrong.text().contains("Glue &lt;3&gt;"), "what was typed is kept");
    let none = tess.send_parts(&to, &titled.clone()).await;
    says(&none, StatusCode::UNPROCESSABLE_ENTITY, "Please choose a file.");
    let done = tess.send_parts(&to, &titled.file("document", "glue.pdf", &pdf())).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text());

    let anyone = web.browser();
    let page = anyone.get(&format!("/e/{saw}")).await.text();
    let (manual, sheet) = (page.find("manual.pdf").unwrap(), page.find("Glue &lt;3&gt;").unwrap());
    assert!(page.find("<h3>Owner").unwrap() < manual && manual < page.find("<h3>Safety Data Sheet").unwrap());
    assert!(manual < sheet && page.contains("PDF, 5 kB"));
    let document = anyone.get("/documents/1").await;
    assert_eq!((document.header("content-type"), document.body.len()), ("application/pdf", pdf().len()));

    let remove = format!("{to}/1/remove");
    let elsewhere = tess.fill_in_new(&at, &format!("/equipment/{}/documents/1/remove", saw.0 + 1), &[]).await;
    assert_eq!(elsewhere.status, StatusCode::NOT_FOUND);
    assert_eq!(tess.fill_in_new(&at, &remove, &[]).await.status, StatusCode::SEE_OTHER);
    assert_eq!((stored(&web.ops), anyone.get("/documents/1").await.status), (1, StatusCode::NOT_FOUND));
    let stu = web.signed_in(Role::Staff).await;
    let audit = stu.get("/admin/audit").await.text();
    assert!(audit.contains("document.added") && audit.contains("document.removed"), "{audit}");
}

#[tokio::test]
async fn equipment_photos_are_added_and_removed() {
    let (web, saw) = with_page().await;
    let stu = web.signed_in(Role::Staff).await;
    let (at, to) = (format!("/equipment/{saw}"), format!("/equipment/{saw}/photos"));
    let form = stu.form(&at, &to).await;
    for _ in 0..2 {
        let sent = stu.send_parts(&to, &form.clone().file("photos", "saw.jpg", &jpeg())).await;
        assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.text());
        assert_eq!(stored(&web.ops), 2, "the second arrival changes nothing");
    }
    let page = web.browser().get(&format!("/e/{saw}")).await.text();
    assert!(page.contains("<img src=\"/photos/1/thumbnail\" alt=\"saw.jpg\""), "{page}");
    assert_eq!(web.get("/photos/1").await.header("cache-control"), "no-cache");
    assert_eq!(stu.fill_in_new(&at, &format!("{to}/1/remove"), &[]).await.status, StatusCode::SEE_OTHER);
    assert_eq!((stored(&web.ops), web.get("/photos/1").await.status), (0, StatusCode::NOT_FOUND));
}

#[tokio::test]
async fn archived_equipment_files_are_technicians_only() {
    let (web, saw) = with_page().await;
    let (stu, tess) = (web.signed_in(Role::Staff).await, web.signed_in(Role::Technician).await);
    let at = format!("/equipment/{saw}");
    for (part, field, name, content) in
        [("photos", "photos", "saw.jpg", jpeg()), ("documents", "document", "manual.pdf", pdf())]
    {
        let to = format!("{at}/{part}");
        let form = stu.form(&at, &to).await.text("category", "Other").file(field, name, &content);
        assert_eq!(stu.send_parts(&to, &form).await.status, StatusCode::SEE_OTHER, "{part}");
    }
    let of_equipment = (format!("{at}/archive"), at.clone());
    let of_area = ("/admin/areas".to_owned(), "/admin/areas".to_owned());
    for (subject, (archive_at, restore_at)) in [(at.as_str(), of_equipment), ("/admin/areas/1", of_area)] {
        let archived = send(&stu, &archive_at, &format!("{subject}/archive"), &[]).await;
        assert_eq!(archived.status, StatusCode::SEE_OTHER, "{subject}");
        for path in ["/photos/1", "/photos/1/thumbnail", "/documents/1"] {
            let gone = web.get(path).await;
            says(&gone, StatusCode::GONE, "This machine is no longer here");
            let seen = tess.get(path).await;
            assert_eq!((seen.status, seen.header("cache-control")), (StatusCode::OK, "private, no-cache"));
        }
        let restored = send(&stu, &restore_at, &format!("{subject}/restore"), &[]).await;
        assert_eq!(restored.status, StatusCode::SEE_OTHER, "{subject}");
        for path in ["/photos/1", "/photos/1/thumbnail", "/documents/1"] {
            assert_eq!(web.get(path).await.header("cache-control"), "no-cache", "{path}");
        }
    }
}
