//! A repeated request with the same content gets the first answer, and one with other content is applied.

use crate::support::ops::{TestOps, ana, area, report, user, with_saw};
use esb::domain::actor::{Account, Actor, Edge, Role, SlackUserId};
use esb::domain::edit::RepairEdit;
use esb::domain::field::FieldValue;
use esb::domain::file::{FileKind, FileName, LostPhotos, StoredFile, StoredName};
use esb::domain::ids::{EquipmentId, RepairId, UserId};
use esb::domain::job::PhotoSource;
use esb::domain::repair::{RepairStatus, Severity};
use esb::domain::setting::Setting;
use esb::domain::text::{Description, EmailAddress, Note, RequestId, TokenName, Username};
use esb::ops::accounts::api_tokens::{TokenCreated, create_token, tokens};
use esb::ops::accounts::manage_users::{CreateUser, UserCreated, create_user};
use esb::ops::equipment::areas::{create_area, set_area_archived};
use esb::ops::repairs::create_repair::{CreateRepair, create_repair};
use esb::ops::repairs::notes::{WriteNote, write_note};
use esb::ops::repairs::photo_source::{InSlack, PhotosToAttach};
use esb::ops::repairs::photos::NewPhoto;
use esb::ops::repairs::report_problem::{report_key, report_problem};
use esb::ops::repairs::update_repair::{ClaimRepair, UpdateRepair, claim_repair, update_repair};
use esb::ops::settings::{change_settings, settings};
use esb::ops::{Ctx, OpError};
use esb::store::entities::{repair, timeline};
use sea_orm::{EntityTrait, PaginatorTrait};

fn request(n: u8) -> RequestId {
    RequestId::from_random([n; 16])
}

async fn acting(ops: &Ctx, name: &str, role: Role) -> Actor {
    let id = user(ops, name, role).await;
    Actor::of_account(Edge::Web, name, Account { id, role })
}

async fn repairs(ops: &Ctx) -> u64 {
    repair::Entity::find().count(ops.store.read()).await.unwrap()
}

/// The saw with one reported repair, and a technician.
async fn reported() -> (TestOps, EquipmentId, RepairId, Actor) {
    let (ops, saw) = with_saw().await;
    let repair = report_problem(&ops, &ana(), report(saw, 255)).await.unwrap().repair;
    let tess = acting(&ops, "tess", Role::Technician).await;
    (ops, saw, repair, tess)
}

#[tokio::test]
async fn other_text_under_one_id_is_another_report() {
    let (ops, saw) = with_saw().await;
    let first = report_problem(&ops, &ana(), report(saw, 1)).await.unwrap();
    let mut other = report(saw, 1);
    other.description = Description::parse("Belt slips").unwrap();
    let second = report_problem(&ops, &ana(), other.clone()).await.unwrap();
    assert_ne!(first.repair, second.repair);
    assert_eq!(report_problem(&ops, &ana(), other).await.unwrap(), second);
    assert_eq!(report_problem(&ops, &ana(), report(saw, 1)).await.unwrap(), first);
    assert_eq!(repairs(&ops).await, 2);
}

#[tokio::test]
async fn every_typed_field_counts_as_content() {
    let (ops, saw) = with_saw().await;
    let mut changed = vec![report(saw, 1); 6];
    changed[1].severity = Severity::Degraded;
    changed[2].safety_risk = true;
    changed[3].consumable = true;
    changed[4].reporter_email = Some(EmailAddress::parse("ana@example.org").unwrap());
    changed[5].note = Note::parse("From a message").ok();
    let mut made = Vec::new();
    for report in changed {
        made.push(report_problem(&ops, &ana(), report).await.unwrap().repair);
    }
    assert_eq!(made[5], made[0], "the note is not typed");
    assert_eq!(repairs(&ops).await, 5);
}

#[test]
fn photos_count_by_name_and_content() {
    let report = report(EquipmentId(1), 1);
    let stored = |stored: u8, name: &str, size| StoredFile {
        stored: StoredName::from_random([stored; 16], FileKind::Png),
        kind: FileKind::Png,
        name: FileName::clean(name),
        size,
        has_thumbnail: false,
    };
    let here = |file| {
        report_key(
            &ana(),
            &report,
            PhotosToAttach::Here { photos: &[NewPhoto::from(file)], lost: LostPhotos::NONE },
        )
        .unwrap()
    };
    let first = here(stored(1, "saw.png", 9));
    assert_eq!(here(stored(2, "saw.png", 9)), first, "each upload has another stored name");
    assert_ne!(here(stored(1, "saw.png", 8)), first);
    assert_ne!(here(stored(1, "belt.png", 9)), first);
    let sent = |file_id: &str, url: &str| {
        let photo = PhotoSource { file_id: file_id.into(), url: Some(url.into()), name: "saw.png".into() };
        let photos = InSlack { fetch: vec![photo], links: None };
        report_key(&ana(), &report, PhotosToAttach::InSlack(&photos)).unwrap()
    };
    assert_eq!(sent("F1", "https://a.example"), sent("F1", "https://b.example"));
    assert_ne!(sent("F1", "https://a.example"), sent("F2", "https://a.example"));
}

#[test]
fn request_keys_differ_by_caller_not_name() {
    let report = report(EquipmentId(1), 1);
    let key = |actor: &Actor| report_key(actor, &report, PhotosToAttach::NOTHING).unwrap();
    let account = |id| Account { id: UserId(id), role: Role::Technician };
    let of = |id, name| key(&Actor::of_account(Edge::Web, name, account(id)));
    assert_eq!(of(1, "Ana"), of(1, "Ana Maria"));
    assert_ne!(of(1, "Ana"), of(2, "Ana"));
    let in_slack = |id: &str, account: Option<Account>| {
        key(&Actor { edge: Edge::Slack, name: "Ana".into(), slack_id: Some(SlackUserId(id.into())), account })
    };
    assert_eq!(in_slack("U1", None), in_slack("U1", Some(account(1))), "linked in between");
    assert_ne!(in_slack("U1", None), in_slack("U2", None));
}

#[tokio::test]
async fn other_content_under_one_id_is_another_repair() {
    let (ops, saw, _, tess) = reported().await;
    let create = |text: &str, status| CreateRepair {
        equipment: saw,
        description: Description::parse(text).unwrap(),
        severity: None,
        status,
        assignee: None,
        safety_risk: false,
        consumable: false,
        request_id: request(1),
    };
    let first = create_repair(&ops, &tess, create("Belt slips", RepairStatus::New)).await.unwrap();
    let same = create_repair(&ops, &tess, create("Belt slips", RepairStatus::New)).await.unwrap();
    assert_eq!(first, same);
    let other = create_repair(&ops, &tess, create("Noise", RepairStatus::New)).await.unwrap();
    let closed = create_repair(&ops, &tess, create("Noise", RepairStatus::Resolved)).await.unwrap();
    assert_eq!(repairs(&ops).await, 4, "{first:?} {other:?} {closed:?}");
}

#[tokio::test]
async fn edit_with_other_values_is_conflict_checked() {
    let (ops, _, repair, tess) = reported().await;
    let edit = |version, severity, note: &str| UpdateRepair {
        repair,
        edit: RepairEdit {
            version,
            values: vec![FieldValue::Severity(severity)],
            note: Note::parse(note).ok(),
        },
        request_id: request(1),
    };
    let first = update_repair(&ops, &tess, edit(1, Some(Severity::Degraded), "Seen")).await.unwrap();
    let again = update_repair(&ops, &tess, edit(1, Some(Severity::Degraded), "Seen")).await.unwrap();
    assert_eq!(first, again);
    let version = update_repair(&ops, &tess, edit(2, Some(Severity::Degraded), "Seen")).await.unwrap();
    assert_eq!(version, first, "the version is no content");
    let entries = timeline::Entity::find().count(ops.store.read()).await.unwrap();
    assert_eq!(entries, 3, "a report, a severity and one note");

    let other = update_repair(&ops, &tess, edit(1, Some(Severity::NotSure), "Seen")).await;
    assert!(matches!(other, Err(OpError::Conflict(_))), "{other:?}");
    let overwritten = update_repair(&ops, &tess, edit(2, Some(Severity::NotSure), "Seen")).await.unwrap();
    assert_eq!((overwritten.changed, overwritten.version), (true, 3), "a refused one may come again");
}

#[tokio::test]
async fn one_id_claims_each_repair_of_a_page() {
    let (ops, saw, repair, tess) = reported().await;
    let second = report_problem(&ops, &ana(), report(saw, 2)).await.unwrap().repair;
    for repair in [repair, second] {
        let claim = ClaimRepair { repair, version: Some(1), request_id: request(1) };
        assert!(claim_repair(&ops, &tess, claim).await.unwrap().changed, "{repair}");
    }
}

#[tokio::test]
async fn id_used_on_another_form_acts_there() {
    let (ops, _, repair, tess) = reported().await;
    let stu = acting(&ops, "stu", Role::Staff).await;
    let note = WriteNote::Add(Note::parse("Ordered").unwrap());
    let written = write_note(&ops, &tess, repair, note.clone(), &request(1)).await.unwrap();
    assert!(written.changed);
    let again = write_note(&ops, &tess, repair, note, &request(1)).await.unwrap();
    assert_eq!(written, again);
    let another = WriteNote::Add(Note::parse("Arrived").unwrap());
    write_note(&ops, &tess, repair, another, &request(1)).await.unwrap();
    let claim = ClaimRepair { repair, version: None, request_id: request(1) };
    assert!(claim_repair(&ops, &tess, claim).await.unwrap().changed);
    let made = create_area(&ops, &stu, &area("Metal shop", ""), &request(1)).await.unwrap();
    assert!(matches!(
        create_token(&ops, &stu, &TokenName::parse("monitoring").unwrap(), &request(1)).await,
        Ok(TokenCreated::Now(_))
    ));
    for archived in [true, false] {
        set_area_archived(&ops, &stu, (made, if archived { 1 } else { 2 }), archived, &request(1))
            .await
            .unwrap();
    }
    let entries = timeline::Entity::find().count(ops.store.read()).await.unwrap();
    assert_eq!(entries, 5, "a report, two notes, a claim of two fields");
}

#[tokio::test]
async fn settings_with_other_values_are_not_dropped() {
    let (ops, ..) = reported().await;
    let stu = acting(&ops, "stu", Role::Staff).await;
    let banner = |text: &str| [(Setting::of("banner").unwrap(), text.to_owned())];
    let version = settings(&ops, &stu).await.unwrap().version;
    change_settings(&ops, &stu, version, &banner("info: Open day"), &request(1)).await.unwrap();
    change_settings(&ops, &stu, version, &banner("info: Open day"), &request(1)).await.unwrap();
    let other = change_settings(&ops, &stu, version, &banner("warn: Closed"), &request(1)).await;
    assert!(matches!(other, Err(OpError::Overtaken { .. })), "{other:?}");
    let seen = settings(&ops, &stu).await.unwrap().version;
    change_settings(&ops, &stu, seen, &banner("warn: Closed"), &request(1)).await.unwrap();
    let values = settings(&ops, &stu).await.unwrap().values;
    let banner = values.iter().find(|value| value.setting.key == "banner").unwrap();
    assert_eq!(banner.value, "warn: Closed");
}

#[tokio::test]
async fn another_name_under_one_id_is_another_user() {
    let (ops, ..) = reported().await;
    let stu = acting(&ops, "stu", Role::Staff).await;
    let create = |name: &str| CreateUser {
        username: Username::parse(name).unwrap(),
        email: EmailAddress::parse(&format!("{name}@example.org")).unwrap(),
        role: Role::Technician,
        slack_handle: None,
        show_here: true,
        request_id: request(1),
    };
    let Ok(UserCreated::Now(first, _)) = create_user(&ops, &stu, create("mia")).await else {
        panic!("not made")
    };
    let again = create_user(&ops, &stu, create("mia")).await.unwrap();
    assert!(matches!(again, UserCreated::Before(id) if id == first), "{again:?}");
    assert!(matches!(create_user(&ops, &stu, create("noa")).await, Ok(UserCreated::Now(..))));
    for name in ["one", "one", "two"] {
        create_token(&ops, &stu, &TokenName::parse(name).unwrap(), &request(2)).await.unwrap();
    }
    assert_eq!(tokens(&ops, &stu).await.unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_contents_sent_twenty_times_are_two_reports() {
    let (ops, saw) = with_saw().await;
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..20 {
        let ctx = ops.ctx.clone();
        let mut report = report(saw, 1);
        report.description = Description::parse(if n % 2 == 0 { "Belt slips" } else { "Noise" }).unwrap();
        tasks.spawn(async move { report_problem(&ctx, &ana(), report).await.unwrap().repair });
    }
    let answers: std::collections::BTreeSet<_> = tasks.join_all().await.into_iter().collect();
    assert_eq!((answers.len(), repairs(&ops).await), (2, 2));
}
