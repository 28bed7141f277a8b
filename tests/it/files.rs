//! Uploads from any stream: what is stored, what is refused, and that nothing is left behind.

use crate::support::ops::{NO_RESERVE, TestOps, UPLOAD_MAX, ana, report, with_saw};
use crate::support::pictures::{PLACE, contains_bytes, heif, jpeg, mp4, names, pdf, png};
use crate::support::small_disk::SmallDisk;
use bytes::Bytes;
use chrono::TimeDelta;
use esb::domain::actor::Edge;
use esb::domain::actor::{Actor, SlackUserId};
use esb::domain::file::{Accepts, DiskReserve, FileKind, FileRefusal, MB, PICTURE_MAX, StoredFile};
use esb::domain::text::RequestId;
use esb::files::{Files, ReceiveError, ReceiveOptions, ReceivedFile, SweepError};
use esb::ops::OpError;
use esb::ops::repairs::photos::{AddPhotos, NewPhoto, add_photos};
use esb::ops::repairs::repair;
use esb::ops::repairs::report_problem::report_problem;
use futures_util::{StreamExt, stream};
use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;
use tokio::io::AsyncReadExt;

const ANY: ReceiveOptions = ReceiveOptions { accepts: Accepts::PhotosAndVideos, limit: u64::MAX };

async fn received(files: &Files, bytes: &[u8], name: &str) -> Result<ReceivedFile, ReceiveError<io::Error>> {
    let pieces: Vec<io::Result<Bytes>> =
        bytes.chunks(1000).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    let wanted =
        if name.ends_with(".pdf") { ReceiveOptions { accepts: Accepts::Documents, ..ANY } } else { ANY };
    files.receive(stream::iter(pieces), wanted, name).await
}

async fn kept(files: &Files, bytes: &[u8], name: &str) -> StoredFile {
    received(files, bytes, name).await.unwrap().entrust()
}

async fn content(files: &Files, file: &StoredFile) -> Vec<u8> {
    let mut opened = files.open(&file.stored).await.unwrap();
    let mut bytes = Vec::new();
    opened.file.read_to_end(&mut bytes).await.unwrap();
    assert_eq!((opened.size, file.size), (bytes.len() as u64, bytes.len() as u64));
    bytes
}

#[tokio::test]
async fn photo_is_stored_upright_without_location() {
    let (ops, _) = with_saw().await;
    let files = ops.files();
    let photo = kept(&files, &jpeg(), "../../Säge.JPG").await;
    assert_eq!((photo.kind, photo.name.as_str(), photo.has_thumbnail), (FileKind::Jpeg, "Säge.JPG", true));
    assert_eq!(names(ops.uploads()), [photo.stored.to_string(), photo.stored.thumbnail()]);
    let bytes = content(&files, &photo).await;
    assert!(
        contains_bytes(&jpeg(), PLACE) && !contains_bytes(&bytes, PLACE) && !contains_bytes(&bytes, b"Exif")
    );
    let upright = image::load_from_memory(&bytes).unwrap();
    assert_eq!((upright.width(), upright.height()), (16, 64));
    let other = kept(&files, &jpeg(), "Säge.JPG").await;
    assert_ne!(photo.stored, other.stored);
    let manual = kept(&files, &pdf(), "manual.pdf").await;
    assert_eq!(content(&files, &manual).await, pdf(), "a document stays as it is");
}

#[tokio::test]
async fn heic_and_avif_lose_only_their_position() {
    let (ops, _) = with_saw().await;
    let files = ops.files();
    for (brand, name, kind) in [(b"heic", "s24.heic", FileKind::Heic), (b"avif", "a.AVIF", FileKind::Avif)] {
        let photo = kept(&files, &heif(brand), name).await;
        assert_eq!((photo.kind, photo.name.as_str(), photo.has_thumbnail), (kind, name, false));
        let bytes = content(&files, &photo).await;
        assert_eq!(bytes.len(), heif(brand).len());
        assert!(
            contains_bytes(&heif(brand), PLACE)
                && !contains_bytes(&bytes, PLACE)
                && contains_bytes(&bytes, b"picture")
        );
    }
}

#[tokio::test]
async fn upload_stops_when_reserve_is_reached() {
    let (ops, _) = with_saw().await;
    let full = |error| match error {
        Err(ReceiveError::Disk(error)) => io::Error::kind(&error) == io::ErrorKind::StorageFull,
        _ => false,
    };
    for reserve in [DiskReserve { bytes: u64::MAX, percent: 0 }, DiskReserve { bytes: 0, percent: 101 }] {
        let files = ops.files_with(ops.uploads(), reserve);
        assert!(full(received(&files, &png(), "a.png").await.map(drop)), "{reserve:?}");
    }
    assert_eq!(names(ops.uploads()), [""; 0]);
    let Some(disk) = SmallDisk::mount(24) else { return };
    let files = ops.files_with(disk.path(), DiskReserve { bytes: 12 * MB, percent: 0 });
    kept(&files, &png(), "a.png").await;
    assert!(full(received(&files, &mp4(19_900_000), "a.mp4").await.map(drop)), "it ends on its way");
    assert_eq!(names(disk.path()).len(), 2);
}

#[tokio::test]
async fn refused_upload_leaves_no_file() {
    let (ops, _) = with_saw().await;
    let files = ops.files();
    let jpeg = jpeg();
    for (bytes, name, expected) in [
        (&b""[..], "empty.jpg", FileRefusal::Empty),
        (b"MZ\x90\0", "saw.exe", FileRefusal::NotTaken(Accepts::PhotosAndVideos)),
        (b"MZ\x90\0", "saw.jpg", FileRefusal::Mislabelled { ending: "jpg".into(), kind: None }),
        (b"<script>", "saw.png", FileRefusal::Mislabelled { ending: "png".into(), kind: None }),
        (&pdf()[..], "saw.jpg", FileRefusal::Mislabelled { ending: "jpg".into(), kind: Some(FileKind::Pdf) }),
        (&jpeg[..jpeg.len() / 2], "saw.jpg", FileRefusal::Damaged),
        (b"GIF89a", "saw.gif", FileRefusal::Damaged),
        (b"\0\0\0\x10ftypheic\0\0\0\0", "saw.heic", FileRefusal::OddHeic),
        (b"\0\0\0\x10ftypavif\0\0\0\0", "saw.avif", FileRefusal::OddHeic),
    ] {
        match received(&files, bytes, name).await {
            Err(ReceiveError::Refused(refusal)) => assert_eq!(refusal, expected, "{name}"),
            other => panic!("{name}: {other:?}"),
        }
    }
    let broken = stream::iter([Ok(Bytes::from(mp4(5000))), Err(io::ErrorKind::ConnectionReset.into())]);
    assert!(matches!(files.receive(broken, ANY, "saw.mp4").await, Err(ReceiveError::<io::Error>::Stream(_))));
    drop(received(&files, &jpeg, "saw.jpg").await.unwrap());
    assert_eq!(names(ops.uploads()), [""; 0]);
}

#[tokio::test]
async fn endless_stream_is_stopped_at_its_limit() {
    let (ops, _) = with_saw().await;
    let files = ops.files();
    for (head, limit, refused_at) in [
        (mp4(65_536), 3 * MB, 3 * MB),
        (mp4(65_536), u64::MAX, UPLOAD_MAX),
        ([&jpeg()[..3], &[1; 65_533]].concat(), u64::MAX, UPLOAD_MAX.min(PICTURE_MAX)),
    ] {
        let taken = AtomicU64::new(0);
        let head = Bytes::from(head);
        let endless = stream::repeat_with(|| Ok::<_, io::Error>(head.clone())).inspect(|piece| {
            taken.fetch_add(piece.as_ref().unwrap().len() as u64, Ordering::Relaxed);
        });
        let outcome = files.receive(endless, ReceiveOptions { limit, ..ANY }, "saw").await;
        let Err(ReceiveError::Refused(FileRefusal::TooLarge { limit })) = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(limit, refused_at);
        assert!(taken.into_inner() <= refused_at + 65_536, "no piece is taken ahead of the limit");
    }
    let taken = AtomicU64::new(0);
    let program = stream::repeat_with(|| Ok::<_, io::Error>(Bytes::from_static(&[0; 4096]))).inspect(|_| {
        taken.fetch_add(1, Ordering::Relaxed);
    });
    assert!(matches!(files.receive(program, ANY, "x").await, Err(ReceiveError::Refused(_))));
    assert_eq!(taken.into_inner(), 1, "its first bytes were enough");
    assert_eq!(names(ops.uploads()), [""; 0]);
}

fn slack() -> Actor {
    let mut actor = Actor::visitor(Edge::Slack, "Bo");
    actor.slack_id = Some(SlackUserId("U0BO".into()));
    actor
}

async fn add(
    ops: &TestOps,
    actor: &Actor,
    repair: i64,
    photos: Vec<NewPhoto>,
    request: u8,
) -> Result<usize, OpError> {
    let request_id = RequestId::from_random([100 + request; 16]);
    let add = AddPhotos { repair: esb::domain::ids::RepairId(repair), photos, request_id };
    add_photos(ops, actor, &add).await.map(|added| added.photos.len())
}

#[tokio::test]
async fn unreferenced_files_are_removed_on_settle() {
    let (ops, saw) = with_saw().await;
    let files = ops.files();
    let reported = report_problem(&ops, &ana(), report(saw, 1)).await.unwrap().repair;
    let (first, second) = (kept(&files, &png(), "a.png").await, kept(&files, &jpeg(), "b.jpg").await);
    let of_slack = |file: &StoredFile| NewPhoto { file: file.clone(), source: Some("F0123".into()) };
    assert_eq!(add(&ops, &slack(), reported.0, vec![of_slack(&first)], 1).await.unwrap(), 1);
    assert_eq!(add(&ops, &slack(), reported.0, vec![of_slack(&second)], 2).await.unwrap(), 0, "it is there");
    assert_eq!(add(&ops, &slack(), reported.0, vec![of_slack(&first)], 1).await.unwrap(), 1, "as before");
    let visitor = add(&ops, &ana(), reported.0, vec![second.clone().into()], 3).await;
    assert!(matches!(visitor, Err(OpError::Forbidden)));
    assert!(matches!(add(&ops, &slack(), 999, vec![second.clone().into()], 4).await, Err(OpError::NotFound)));
    files.settle(&[first.clone(), second]).await;
    assert_eq!(names(ops.uploads()), [first.stored.to_string(), first.stored.thumbnail()]);
    let view = repair(&ops, reported, None).await.unwrap();
    assert_eq!((view.photos.len(), &*view.photos[0].by, &*view.photos[0].name), (1, "Bo", "a.png"));
    assert_eq!(view.timeline[0].new, Some(view.photos[0].id.to_string()));
}

#[tokio::test]
async fn sweep_of_another_database_takes_nothing() {
    let (ops, other) = (with_saw().await.0, with_saw().await.0);
    let files = ops.files();
    let orphan = kept(&files, &png(), "a.png").await;
    let theirs = other.files_with(ops.uploads(), NO_RESERVE);
    other.clock.advance(TimeDelta::days(4_000));
    assert!(matches!(theirs.sweep().await, Err(SweepError::NotOurs)));
    assert!(names(ops.uploads()).contains(&orphan.stored.to_string()));
    // Nor that of one which finds files and no word of whose they are.
    std::fs::remove_file(ops.uploads().join(".esb-installation")).unwrap();
    let later =
        Files::new(ops.uploads().into(), files.limit(), NO_RESERVE, ops.store.clone(), other.clock.clone());
    assert!(matches!(later.sweep().await, Err(SweepError::NotOurs)));
    assert_eq!(names(ops.uploads()).len(), 2);
}

#[tokio::test]
async fn sweep_removes_only_old_unreferenced_own_files() {
    let (ops, saw) = with_saw().await;
    let files = ops.files();
    assert_eq!(files.sweep().await.unwrap(), 0, "a directory that is not there");
    let reported = report_problem(&ops, &ana(), report(saw, 1)).await.unwrap().repair;
    let (named, orphan) = (kept(&files, &png(), "a.png").await, kept(&files, &png(), "b.png").await);
    add(&ops, &slack(), reported.0, vec![named.clone().into()], 1).await.unwrap();
    for other in ["incoming-0123456789abcdef", "README", "lost+found.jpg"] {
        std::fs::write(ops.uploads().join(other), "x").unwrap();
    }
    let now: SystemTime = ops.clock.now().into();
    for name in names(ops.uploads()) {
        File::options().write(true).open(ops.uploads().join(name)).unwrap().set_modified(now).unwrap();
    }
    ops.clock.advance(TimeDelta::hours(23));
    assert_eq!(files.sweep().await.unwrap(), 0, "it may still be on its way");
    ops.clock.advance(TimeDelta::hours(2));
    assert_eq!(files.sweep().await.unwrap(), 3, "a file with its thumbnail, and what never became whole");
    let mut left = vec![
        "README".to_owned(),
        named.stored.to_string(),
        named.stored.thumbnail(),
        "lost+found.jpg".into(),
    ];
    left.sort();
    assert_eq!(names(ops.uploads()), left);
    assert!(!left.contains(&orphan.stored.to_string()));
}
