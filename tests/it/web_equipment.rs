//! Equipment, area, settings and audit pages: form errors, conflicts, exports and legacy redirects.

use crate::support::ops::{add_equipment, area, empty, open_repairs, with_saw};
use crate::support::web::{Browser, Reply, TestWeb, serving};
use esb::domain::actor::Role;
use esb::domain::equipment::EquipmentDetails;
use esb::domain::ids::{AreaId, EquipmentId};
use esb::domain::repair::Severity;
use esb::domain::text::EquipmentName;
use esb::store;
use http::StatusCode;

async fn saw() -> TestWeb {
    serving(with_saw().await.0).await
}

/// Sends the form at `action` on the page `at`, with its hidden fields and these.
pub async fn send(browser: &Browser<'_>, at: &str, action: &str, fields: &[(&str, &str)]) -> Reply {
    let page = browser.get(at).await;
    assert_eq!(page.status, StatusCode::OK, "{at}: {}", page.text());
    let hidden = hidden_of(&page.text(), action);
    let hidden: Vec<(&str, &str)> =
        hidden.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    browser.post(action, &[&hidden, fields].concat()).await
}

/// Hidden fields of the form that is sent to `action`.
fn hidden_of(page: &str, action: &str) -> Vec<(String, String)> {
    let from = page.find(&format!("action=\"{action}\"")).unwrap_or_else(|| panic!("{action} in {page}"));
    let form = page[from..].split("</form>").next().unwrap();
    let fields = form.split("<input type=\"hidden\" name=\"").skip(1);
    let unescape = |text: &str| text.replace("&#x3D;", "=");
    fields
        .map(|rest| {
            let mut parts = rest.split('"');
            let name = parts.next().unwrap();
            (name.to_owned(), unescape(parts.nth(1).unwrap()))
        })
        .collect()
}

#[tokio::test]
async fn empty_board_leads_to_first_equipment() {
    let web = serving(empty().await).await;
    let stu = web.signed_in(Role::Staff).await;
    let board = stu.get("/").await.text();
    assert!(board.contains("href=\"/admin/areas\""), "{board}");
    let reply =
        send(&stu, "/admin/areas", "/admin/areas", &[("name", "Wood shop"), ("slack_channel", "wood")]);
    assert_eq!(reply.await.header("location"), "/admin/areas");
    assert!(stu.get("/equipment").await.text().contains("Add the first one."));
    let reply = send(
        &stu,
        "/equipment/new",
        "/equipment/new",
        &[("name", "Table saw"), ("area", "1"), ("acquisition_cost", "$1,250.50"), ("model", "X")],
    )
    .await;
    assert_eq!((reply.status, reply.header("location")), (StatusCode::SEE_OTHER, "/equipment/1"));
    let page = stu.get("/equipment/1").await.text();
    for text in ["<h1>Table saw</h1>", "1250.50", "Operational", "/equipment/1/edit"] {
        assert!(page.contains(text), "{text} in {page}");
    }
    assert!(web.get("/").await.text().contains("Table saw"));
}

#[tokio::test]
async fn refused_form_returns_text_and_error() {
    let web = saw().await;
    let stu = web.signed_in(Role::Staff).await;
    let long = "x".repeat(201);
    let typed = [
        ("name", " \u{200b}"),
        ("area", "99"),
        ("serial_number", &long),
        ("acquisition_cost", "-1"),
        ("acquisition_date", "2026-02-30"),
        ("description", "kept\n<b>"),
    ];
    let reply = send(&stu, "/equipment/new", "/equipment/new", &typed).await;
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
    let page = reply.text();
    for text in [
        "id=\"name-error\">Please fill this in.",
        "id=\"serial_number-error\">Please keep this to 200 characters; it has 201.",
        "id=\"acquisition_cost-error\">Please write an amount",
        "id=\"acquisition_date-error\">Please give a day",
        "kept\n&lt;b&gt;</textarea>",
        "value=\"-1\"",
        "<a href=\"#name\">Name</a>",
    ] {
        assert!(page.contains(text), "{text} in {page}");
    }
    let unknown = send(&stu, "/equipment/new", "/equipment/new", &[("name", "X"), ("area", "99")]).await;
    assert!(unknown.text().contains("id=\"area-error\">Please choose an area."), "{}", unknown.text());
    let reply = send(&stu, "/admin/areas", "/admin/areas", &[("name", "WOOD shop"), ("sort_order", "1e3")]);
    assert!(reply.await.text().contains("Please write a whole number"));
    let reply = send(&stu, "/admin/areas", "/admin/areas", &[("name", "WOOD shop")]).await;
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(reply.text().contains("already") && reply.text().contains("value=\"WOOD shop\""));
    let wifi = [("wifi_password", "short"), ("wifi_info_default", "none"), ("banner", "info:x")];
    let reply = send(&stu, "/admin/config", "/admin/config", &wifi).await;
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(reply.text().contains("8 to 63") && !reply.text().contains("value=\"short\""));
}

#[tokio::test]
async fn two_staff_who_edit_one_machine_lose_nothing() {
    let web = saw().await;
    let stu = web.signed_in(Role::Staff).await;
    let kim = web.signed_in_as(crate::support::ops::user(&web.ops, "kim", Role::Staff).await).await;
    let (at, area) = ("/equipment/1/edit", ("area", "1"));
    let seen = hidden_of(&kim.get(at).await.text(), at);
    let mut of_kim: Vec<(&str, &str)> = seen.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let of_stu = [area, ("name", "Saw of Stu"), ("model", "Typed by Stu")];
    assert_eq!(send(&stu, at, at, &of_stu).await.status, StatusCode::SEE_OTHER);
    of_kim.extend([area, ("name", "Saw of Kim"), ("serial_number", "K-1")]);
    let late = kim.post(at, &of_kim).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    let page = late.text();
    for text in [
        "stu changed this",
        "value=\"Saw of Kim\"",
        "value=\"K-1\"",
        "id=\"name-error\">On record now: “Saw of Stu”.",
        "id=\"model-error\">On record now: “Typed by Stu”.",
    ] {
        assert!(page.contains(text), "{text} in {page}");
    }
    // Sent again from that page it is accepted: the person has seen what they replace.
    let again = hidden_of(&page, at);
    let mut again: Vec<(&str, &str)> = again.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    again.extend([area, ("name", "Saw of Kim"), ("model", "Typed by Stu"), ("serial_number", "K-1")]);
    assert_eq!(kim.post(at, &again).await.status, StatusCode::SEE_OTHER);
    assert_eq!(kim.post(at, &again).await.status, StatusCode::SEE_OTHER, "twice is harmless");
    let record = esb::ops::equipment::list::equipment_record(&web.ops, EquipmentId(1)).await.unwrap();
    assert_eq!(
        (record.details.name.as_str(), record.details.model.as_str(), record.version),
        ("Saw of Kim", "Typed by Stu", 3)
    );
}

#[tokio::test]
async fn stale_area_edit_is_a_conflict() {
    let web = saw().await;
    let stu = web.signed_in(Role::Staff).await;
    let at = "/admin/areas/1";
    let seen = hidden_of(&stu.get(at).await.text(), at);
    let mut late: Vec<(&str, &str)> = seen.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    assert_eq!(
        send(&stu, at, at, &[("name", "Timber"), ("sort_order", "3")]).await.status,
        StatusCode::SEE_OTHER
    );
    late.push(("name", "Wood"));
    let late = stu.post(at, &late).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    assert!(late.text().contains("On record now: “Timber”, no channel, order 3."), "{}", late.text());
    let archived = send(&stu, "/admin/areas", "/admin/areas/1/archive", &[]).await;
    assert_eq!(archived.status, StatusCode::SEE_OTHER);
    assert!(!web.get("/").await.text().contains("Timber"));
    assert_eq!(send(&stu, "/admin/areas", "/admin/areas/1/restore", &[]).await.status, StatusCode::SEE_OTHER);
    assert!(web.get("/").await.text().contains("Timber"));
}

#[tokio::test]
async fn archiving_asks_and_restoring_undoes() {
    let web = saw().await;
    let stu = web.signed_in(Role::Staff).await;
    open_repairs(&web.ops, EquipmentId(1), [Some(Severity::Down)]).await;
    let at = "/equipment/1/archive";
    let unsaid = send(&stu, at, at, &[("open_repairs", "")]).await;
    assert_eq!(unsaid.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(unsaid.text().contains("id=\"open_repairs-error\""));
    let unexplained = send(&stu, at, at, &[("open_repairs", "close"), ("note", " ")]).await;
    assert_eq!(unexplained.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(unexplained.text().contains("id=\"note-error\""));
    assert_eq!(send(&stu, at, at, &[("open_repairs", "keep")]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(web.get("/e/1").await.status, StatusCode::GONE);
    let page = stu.get("/equipment/1").await.text();
    assert!(page.contains("This machine is archived") && page.contains("1 open repair"), "{page}");
    assert!(stu.get("/equipment?archived=1").await.text().contains("Table saw"));
    let restore = "/equipment/1/restore";
    assert_eq!(send(&stu, "/equipment/1", restore, &[]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(web.get("/e/1").await.status, StatusCode::OK);
    let sold = [("open_repairs", "close"), ("note", "Sold on Friday")];
    assert_eq!(send(&stu, at, at, &sold).await.status, StatusCode::SEE_OTHER);
    let repair = stu.get("/repairs/1").await.text();
    assert!(repair.contains("Closed - No Issue Found") && repair.contains("Sold on Friday"), "{repair}");
}

#[tokio::test]
async fn notes_and_links_are_added_shown_and_removed() {
    let web = saw().await;
    let (tess, stu) = (web.signed_in(Role::Technician).await, web.signed_in(Role::Staff).await);
    let at = "/equipment/1";
    let note = "/equipment/1/notes";
    assert_eq!(send(&tess, at, note, &[("text", "Belt <3V>")]).await.status, StatusCode::SEE_OTHER);
    let empty = send(&tess, at, note, &[("text", " ")]).await;
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(empty.text().contains("id=\"text-error\">Please fill this in."));
    let page = tess.get(at).await.text();
    assert!(page.contains("Belt &lt;3V&gt;") && !page.contains("action=\"/equipment/1/links\""), "{page}");
    let link = "/equipment/1/links";
    let bad = send(&stu, at, link, &[("title", "Manual"), ("url", "javascript:alert(1)")]).await;
    assert_eq!(bad.status, StatusCode::UNPROCESSABLE_ENTITY);
    let page = bad.text();
    assert!(page.contains("id=\"url-error\"") && !page.contains("href=\"javascript"), "{page}");
    let good = [("title", "Manual"), ("url", "https://example.org/m")];
    assert_eq!(send(&stu, at, link, &good).await.status, StatusCode::SEE_OTHER);
    let members = web.get("/e/1").await.text();
    assert!(members.contains("href=\"https://example.org/m\""), "{members}");
    assert!(!members.contains("Belt"), "notes are for technicians");
    assert_eq!(send(&stu, at, "/equipment/1/links/1/remove", &[]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(send(&tess, at, "/equipment/1/notes/1/remove", &[]).await.status, StatusCode::SEE_OTHER);
    let page = stu.get(at).await.text();
    assert!(!page.contains("Belt") && !page.contains("example.org/m"), "{page}");
    let audit = stu.get("/admin/audit?noun=note").await.text();
    assert!(audit.contains("note.removed") && audit.contains("Belt &lt;3V&gt;"), "{audit}");
}

#[tokio::test]
async fn settings_are_saved_wifi_password_hidden() {
    let web = serving(empty().await).await;
    let stu = web.signed_in(Role::Staff).await;
    let at = "/admin/config";
    let fields = [
        ("notify_resolved", "1"),
        ("wifi_password", "correct horse"),
        ("wifi_info_default", "ssid"),
        ("banner", "warn: Closed"),
        ("banner_from", "2026-03-01T18:00"),
    ];
    assert_eq!(send(&stu, at, at, &fields).await.header("location"), "/admin/config?saved=1");
    let page = stu.get("/admin/config?saved=1").await.text();
    assert!(page.contains("Saved.") && page.contains("value=\"warn:Closed\""), "{page}");
    assert!(!page.contains("correct horse"));
    assert!(page.contains("id=\"notify_resolved\" name=\"notify_resolved\" value=\"1\" checked"));
    assert!(!page.contains("name=\"notify_new_report\" value=\"1\" checked"));
    // Saved again as it is shown, the password stays; the tick removes it.
    let stay = [("wifi_info_default", "ssid")];
    send(&stu, at, at, &stay).await;
    assert!(stu.get(at).await.text().contains("Forget the password"));
    send(&stu, at, at, &[stay[0], ("wifi_password_forget", "1")]).await;
    assert!(!stu.get(at).await.text().contains("Forget the password"));
    let audit = stu.get("/admin/audit").await.text();
    assert!(audit.contains("settings.changed") && !audit.contains("correct horse"), "{audit}");
    let stale = hidden_of(&stu.get(at).await.text(), at);
    let mut stale: Vec<(&str, &str)> = stale.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    send(&stu, at, at, &[stay[0], ("maintenance", "1")]).await;
    stale.extend([stay[0], ("wifi_ssid", "Space")]);
    let late = stu.post(at, &stale).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    assert!(late.text().contains("value=\"Space\""));
}

/// Names that a spreadsheet, a browser or a database might take for something else.
const HOSTILE: [&str; 6] = [
    "=HYPERLINK(\"x\")",
    "+1",
    "@SUM(A1)",
    "-2,3",
    "<script>alert(1)</script>",
    "Robert'); DROP TABLE equipment;--",
];

#[tokio::test]
async fn csv_exports_are_complete_and_formula_free() {
    let ops = empty().await;
    let db = ops.store.write();
    let wood = store::areas::add(db, &area("=Wood", ""), ops.clock.now()).await.unwrap();
    for name in HOSTILE {
        let details = EquipmentDetails::bare(EquipmentName::parse(name).unwrap(), wood);
        store::equipment::add(db, &details, ops.clock.now()).await.unwrap();
    }
    add_equipment(&ops, "Metal", "", "Lathe").await;
    // More than one batch.
    let many: Vec<EquipmentDetails> = (0..600)
        .map(|n| EquipmentDetails::bare(EquipmentName::parse(&format!("M {n}")).unwrap(), AreaId(2)))
        .collect();
    store::demo::add_equipment(db, &many, ops.clock.now()).await.unwrap();
    let web = serving(ops).await;
    let tess = web.signed_in(Role::Technician).await;
    let file = tess.get("/equipment.csv").await;
    assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(file.header("content-disposition"), "attachment; filename=\"equipment.csv\"");
    let text = file.text();
    assert!(text.starts_with("\u{feff}id,name,manufacturer,model,serial_number,area,acquisition_date,"));
    assert_eq!(text.matches("\r\n").count(), 1 + HOSTILE.len() + 1 + 600);
    for cell in [
        "1,\"'=HYPERLINK(\"\"x\"\")\",,,,'=Wood,,,,,,false,2026-03-01T12:00:00Z,2026-03-01T12:00:00Z\r\n",
        "2,'+1,",
        "3,'@SUM(A1),",
        "4,\"'-2,3\",",
        "5,<script>alert(1)</script>,",
    ] {
        assert!(text.contains(cell), "{cell} in {}", &text[..2000]);
    }
    assert_eq!(tess.get("/equipment.csv?area=1").await.text().matches("\r\n").count(), 1 + HOSTILE.len());
    assert_eq!(tess.get("/equipment.csv?area=x").await.status, StatusCode::NOT_FOUND);

    let list = tess.get("/equipment?area=1").await.text();
    assert!(
        list.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && !list.contains("<script>alert"),
        "{list}"
    );
    assert!(list.contains("6 machines") && !list.contains("Page 1"));
    let list = tess.get("/equipment?page=13").await.text();
    assert!(list.contains("Page 13 of 13") && list.contains("607 machines"), "{list}");
    assert_eq!(tess.get("/equipment?page=14").await.status, StatusCode::NOT_FOUND);
    let found = tess.get("/equipment?q=DROP%20TABLE").await.text();
    assert!(found.contains("1 machine<") && found.contains("/equipment/6\""), "{found}");
}

#[tokio::test]
async fn audit_is_filtered_paged_and_exported() {
    let web = saw().await;
    let stu = web.signed_in(Role::Staff).await;
    for n in 0..60 {
        let name = format!("Area {n}");
        let sent = send(&stu, "/admin/areas", "/admin/areas", &[("name", &name)]).await;
        assert_eq!(sent.status, StatusCode::SEE_OTHER);
    }
    let first = stu.get("/admin/audit?noun=area").await.text();
    assert_eq!(first.matches("<code>area.created</code>").count(), 50);
    assert!(first.contains("<ins>Area 59</ins>") && !first.contains("<ins>Area 9</ins>"));
    let next = first.split("rel=\"next\" href=\"").nth(1).unwrap().split('"').next().unwrap();
    let next = next.replace("&#x3D;", "=").replace("&amp;", "&");
    let second = stu.get(&next).await.text();
    assert_eq!(second.matches("<code>area.created</code>").count(), 10, "{next}");
    assert!(!second.contains("rel=\"next\""));
    for (query, found) in [
        ("who=STU", true),
        ("who=kim", false),
        ("from=2026-03-01&to=2026-03-01", true),
        ("to=2026-02-28", false),
        ("noun=area&id=1", false),
        ("action=area.created", true),
        ("who=%27%20OR%201%3D1", false),
    ] {
        let page = stu.get(&format!("/admin/audit?{query}")).await.text();
        assert_eq!(page.contains("area.created</code>"), found, "{query}");
    }
    for bad in ["from=yesterday", "id=x"] {
        let reply = stu.get(&format!("/admin/audit?{bad}")).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{bad}");
    }
    let file = stu.get("/admin/audit.csv?noun=area").await.text();
    assert_eq!(file.matches("\r\n").count(), 61);
    assert!(file.starts_with("\u{feff}id,created_at,who,") && file.contains(",stu,web,area.created,area,"));
}

#[tokio::test]
async fn equipment_pages_require_their_roles() {
    let web = saw().await;
    let (tess, stu, nobody) =
        (web.signed_in(Role::Technician).await, web.signed_in(Role::Staff).await, web.browser());
    for (path, technician) in [
        ("/equipment", 200),
        ("/equipment.csv", 200),
        ("/equipment/1", 200),
        ("/equipment/new", 403),
        ("/equipment/1/edit", 403),
        ("/equipment/1/archive", 403),
        ("/admin/areas", 403),
        ("/admin/areas/1", 403),
        ("/admin/config", 403),
        ("/admin/audit", 403),
        ("/admin/audit.csv", 403),
    ] {
        assert_eq!(nobody.get(path).await.status, StatusCode::SEE_OTHER, "{path}");
        assert_eq!(tess.get(path).await.status.as_u16(), technician, "{path}");
        assert_eq!(stu.get(path).await.status, StatusCode::OK, "{path}");
    }
    for path in ["/equipment/9", "/equipment/9/edit", "/admin/areas/9", "/equipment/x", "/equipment/1?page=2"]
    {
        assert_eq!(stu.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let page = tess.get("/equipment/1").await.text();
    assert!(!page.contains("/equipment/1/edit") && !page.contains("href=\"/admin"), "{page}");
}

#[tokio::test]
async fn addresses_of_the_python_system_lead_to_ours() {
    let web = saw().await;
    for (old, ours) in [
        ("/public/", "/"),
        ("/public/?kiosk=true", "/"),
        ("/public/kiosk", "/"),
        ("/public/kiosk/1", "/area/1"),
        ("/public/kiosk/dense/2", "/"),
        ("/public/kiosk/dense/3", "/"),
        ("/public/equipment/1", "/e/1"),
        ("/public/equipment/1/info", "/e/1"),
        ("/repairs/queue", "/repairs"),
        ("/repairs/kanban", "/repairs"),
        ("/auth/login", "/login"),
        ("/auth/login?next=/equipment/1", "/login?next=%2Fequipment%2F1"),
        ("/auth/login?next=//evil.example", "/login"),
        ("/docs", "/"),
        ("/docs/", "/"),
        ("/docs/user-guide/", "/"),
        ("/equipment/export.csv", "/equipment.csv"),
        ("/equipment/export.csv?area_id=1&include_archived=true", "/equipment.csv?area=1&archived=1"),
        ("/equipment/export.csv?area_id=//evil", "/equipment.csv"),
    ] {
        let reply = web.get(old).await;
        assert_eq!((reply.status, reply.header("location")), (StatusCode::FOUND, ours), "{old}");
    }
    assert_eq!(web.get("/public/equipment/x").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn each_form_has_its_own_request_id() {
    let web = saw().await;
    let stu = web.signed_in(Role::Staff).await;
    for (number, title) in [(1, "Blade chart"), (2, "Wiring plan")] {
        let link = [("title", title), ("url", "https://example.org/")];
        assert_eq!(
            send(&stu, "/equipment/1", "/equipment/1/links", &link).await.status,
            StatusCode::SEE_OTHER
        );
        assert_eq!(stu.get("/equipment/1").await.text().matches("/remove\"").count(), number);
    }
    open_repairs(&web.ops, EquipmentId(1), [Some(Severity::Down), None]).await;
    for page in
        ["/equipment/1", "/repairs", "/repairs/1", "/e/1", "/admin/areas", "/admin/users", "/admin/users/1"]
    {
        let text = stu.get(page).await.text();
        let mut ids: Vec<&str> = text
            .split("name=\"request_id\" value=\"")
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap())
            .collect();
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all, "{page}: {ids:?}");
    }
    let page = stu.get("/equipment/1").await;
    let token = page.hidden("csrf_token");
    let text = page.text();
    for number in [1, 2] {
        let (_, form) = text.split_once(&format!("/equipment/1/links/{number}/remove")).unwrap();
        let (_, id) = form.split_once("name=\"request_id\" value=\"").unwrap();
        let fields = [("csrf_token", token.as_str()), ("request_id", id.split('"').next().unwrap())];
        let done = stu.post(&format!("/equipment/1/links/{number}/remove"), &fields).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER);
    }
    let page = stu.get("/equipment/1").await.text();
    assert!(
        !page.contains("Blade chart") && !page.contains("Wiring plan"),
        "both are gone, from one page: {page}"
    );
}
