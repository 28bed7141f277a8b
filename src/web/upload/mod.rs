//! Forms with files (`multipart/form-data`): texts become the fields of the form, files are streamed to disk. If the
//! form needs a token, the token must come first: a file before it is rejected, and nothing of it is stored. The kernel
//! calls this after authorization.
//!
//! Limits: number of parts, total size of texts, number of files, size of each file, bytes in memory (of this form, and
//! of all bodies), client silence, minimum speed, total time, and concurrent uploads, in total and per client.

use super::kernel::resubmit::TypedForm;
use super::kernel::{PageError, body};
use super::limits::shares::{Share, Shares};
use crate::clock::Clock;
use crate::domain::file::{Accepts, LostPhotos, StoredFile};
use crate::files::ReceivedFile;
use crate::ops::OpError;
use crate::render::html::FieldError;
use crate::web::Web;
use allowance::Reservation;
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use hyper::body::Body;
use multer::Multipart;
use parts::{Accepting, Reading, Stop};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

pub mod allowance;
mod parts;

/// How long a client may send nothing.
const SILENCE: Duration = Duration::from_secs(20);
/// From this time on an upload must have averaged this many bytes a second: slower than any phone, and faster than a
/// client that only occupies a place.
const SLOW_AFTER: Duration = Duration::from_secs(30);
const SLOWEST: u64 = 4 * 1024;
/// Longest time from the head of a form to its end: a visitor's largest photo over the slowest accepted line, or a
/// signed-in person's video over a bad line.
const VISITORS_WITHIN: Duration = Duration::from_secs(60 * 60);
const PEOPLE_WITHIN: Duration = Duration::from_secs(4 * 60 * 60);
/// Concurrent uploads, in total and per client. Memory is limited separately ([`super::kernel::body`]); this limits
/// disk and network use. A photo takes seconds, so eight at once from one address, with others waiting, are enough for
/// a whole class that reports together.
const VISITORS: (usize, usize) = (32, 8);
/// The same for signed-in people, who can be identified if they flood the server.
const PEOPLE: (usize, usize) = (32, 16);
/// How long to wait for an upload place.
const PLACE_WITHIN: Duration = Duration::from_secs(20);
/// `Retry-After` when there is no place.
const CROWDED: Duration = Duration::from_secs(60);
/// Most bytes between the wire and the disk, part headers included.
const HELD_MAX: usize = 1024 * 1024;
/// How much of a rejected form is read and dropped, and for how long, so that the client sees the response.
const DISCARD_AT_MOST: usize = 64 * 1024 * 1024;
const DISCARD_WITHIN: Duration = Duration::from_secs(10);

/// Which files a route accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UploadRule {
    /// Name of the file input.
    pub field: &'static str,
    pub accepts: Accepts,
    /// Most files per form.
    pub most: usize,
    /// Most bytes of each; `None`: as configured.
    pub each: Option<u64>,
    /// Most bytes of all texts together.
    pub text: usize,
    pub on_disk_error: OnDiskError,
}

/// What happens to a form when the disk is full or cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDiskError {
    /// The form is shown again with the reason, and status 503.
    Refuse,
    /// The form is accepted without the file: see [`Uploads::lost`].
    GoOn,
}

/// The uploaded files of a form. Files that no page takes are removed when this is dropped.
#[derive(Debug, Default)]
pub struct Uploads {
    files: StdMutex<Vec<ReceivedFile>>,
    refused: Option<(StatusCode, FieldError)>,
    lost: LostPhotos,
    reservation: StdMutex<Option<Reservation>>,
}

impl Uploads {
    /// How many files were lost, if the form is accepted without them.
    pub const fn lost(&self) -> LostPhotos {
        self.lost
    }

    /// The files have a row now, so they count against the visitors' allowance; otherwise their bytes are released.
    pub fn count_as_kept(&self) {
        let reservation = self.reservation.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(reservation) = reservation {
            reservation.keep();
        }
    }

    /// Why a file was rejected, for the form that is shown again, with its status: 413, 422 or 503.
    pub const fn refused(&self) -> Option<&(StatusCode, FieldError)> {
        self.refused.as_ref()
    }

    /// The files, for an operation that is about to store them; call [`settled`] afterwards.
    pub fn entrust(&self) -> Vec<StoredFile> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.drain(..).map(ReceivedFile::entrust).collect()
    }
}

/// Removes the files that the operation did not store: it was rejected, or was a duplicate. If the outcome is unknown,
/// the sweep removes them.
pub async fn settled<T>(web: &Web, files: &[StoredFile], done: Result<T, OpError>) -> Result<T, OpError> {
    if !files.is_empty() && !matches!(done, Err(OpError::Internal(_))) {
        web.files.settle(files).await;
    }
    done
}

/// The multipart boundary; `None` for any other body.
pub fn boundary(headers: &HeaderMap) -> Option<String> {
    multer::parse_boundary(headers.get(CONTENT_TYPE)?.to_str().ok()?).ok()
}

/// Conditions under which a form may be read.
pub struct Gate<'a> {
    /// Verifies the token of this browser's forms; `None` if the form needs none.
    pub verify_csrf_token: Option<&'a (dyn Fn(&str) -> bool + Sync)>,
    pub client: IpAddr,
    /// The address of a visitor; `None` for signed-in people.
    pub visitor: Option<IpAddr>,
}

/// Reads a form with files. In every case `typed` has the texts that arrived: after a rejection the rest of the form is
/// read for them, and its files are dropped.
///
/// # Errors
/// `Forged` without its token, or with a file before it; `Malformed`, `TooLarge`, `TooSlow`, `BrokenOff`, `TooOften`,
/// `Crowded`. An invalid file is no error: see [`Uploads::refused`].
/// `TooOften`, `Crowded`; the disk's. What is wrong with a file is no error: see [`Uploads::refused`].
pub async fn read<B>(
    web: &Web,
    rule: UploadRule,
    gate: Gate<'_>,
    boundary: String,
    body: B,
    held: &Arc<Share>,
    typed: &mut TypedForm,
) -> Result<Uploads, PageError>
where
    B: Body<Data = Bytes> + Send + 'static,
{
    let accepting = Accepting::new(web, gate);
    read_parts(rule, Ok(accepting), boundary, body, held, typed).await
}

/// Reads the texts of a form that is already rejected.
pub async fn read_text<B>(
    rule: UploadRule,
    boundary: String,
    body: B,
    held: &Arc<Share>,
    typed: &mut TypedForm,
) where
    B: Body<Data = Bytes> + Send + 'static,
{
    let refused = Err(Stop::Error(PageError::Forged));
    // The form already has an error.
    let _ = read_parts(rule, refused, boundary, body, held, typed).await;
}

async fn read_parts<B>(
    rule: UploadRule,
    accepting: Result<Accepting<'_>, Stop>,
    boundary: String,
    body: B,
    held: &Arc<Share>,
    typed: &mut TypedForm,
) -> Result<Uploads, PageError>
where
    B: Body<Data = Bytes> + Send + 'static,
{
    let body = Arc::new(Mutex::new(Box::pin(body)));
    let held = Arc::new(HeldPieces { bytes: AtomicUsize::new(0), share: Arc::clone(held) });
    let within = match &accepting {
        Ok(Accepting { gate: Gate { visitor: None, .. }, .. }) => PEOPLE_WITHIN,
        _ => VISITORS_WITHIN,
    };
    let form = Multipart::new(pieces(Arc::clone(&body), Arc::clone(&held), within), boundary);
    let deadline = accepting.is_err().then(deadline);
    let mut reading = Reading { rule, accepting, held, deadline, dropped: 0, text: 0, typed };
    let read = reading.all(form).await;
    let Reading { accepting, typed, .. } = reading;
    if let Err(error) = &read {
        typed.is_cut = true;
        if !matches!(error, PageError::BrokenOff | PageError::TooSlow) {
            body::discard(&mut *body.lock().await, DISCARD_AT_MOST, DISCARD_WITHIN).await;
        }
    }
    match (accepting, read) {
        (Err(Stop::Error(error)), _) | (Ok(_), Err(error)) => Err(error),
        // If one file is rejected, none is stored: the form is shown again and must be resubmitted.
        (Err(Stop::File(refused)), _) => Ok(Uploads { refused: Some(refused), ..Uploads::default() }),
        (Ok(Accepting { vouched: false, .. }), Ok(())) => Err(PageError::Forged),
        (Ok(Accepting { files, lost, reservation, .. }), Ok(())) => {
            let (files, reservation) = (StdMutex::new(files), StdMutex::new(reservation));
            Ok(Uploads { files, refused: None, lost, reservation })
        }
    }
}

fn deadline() -> Instant {
    Instant::now() + DISCARD_WITHIN
}

/// Bytes that the parser received but has not yet returned.
#[derive(Debug)]
struct HeldPieces {
    bytes: AtomicUsize,
    share: Arc<Share>,
}

impl HeldPieces {
    fn add(&self, bytes: usize) -> Result<(), PageError> {
        self.share.grow(bytes).map_err(body::no_room)?;
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        Ok(())
    }

    fn remove(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.share.shrink(bytes);
    }

    fn is_full(&self) -> bool {
        self.bytes.load(Ordering::Relaxed) > HELD_MAX
    }
}

/// The body, one piece per poll: the parser would otherwise buffer all available pieces.
fn pieces<B>(
    body: Arc<Mutex<Pin<Box<B>>>>,
    held: Arc<HeldPieces>,
    within: Duration,
) -> impl Stream<Item = Result<Bytes, PageError>> + Send
where
    B: Body<Data = Bytes> + Send + 'static,
{
    let (began, mut come) = (Instant::now(), 0);
    let pieces = stream::try_unfold((body, held), |(body, held)| async move {
        tokio::task::yield_now().await;
        if held.is_full() {
            return Err(PageError::TooLarge { limit: HELD_MAX });
        }
        let piece = timeout(SILENCE, async { body::next(&mut *body.lock().await).await }).await;
        let piece = piece.map_err(|_| PageError::TooSlow)??;
        let Some(piece) = piece else { return Ok(None) };
        held.add(piece.len())?;
        Ok(Some((piece, (body, held))))
    });
    pieces.map(move |piece: Result<Bytes, PageError>| {
        let piece = piece?;
        come += piece.len() as u64;
        if began.elapsed() > within || is_too_slow(come, began.elapsed()) {
            Err(PageError::TooSlow)
        } else {
            Ok(piece)
        }
    })
}

fn is_too_slow(come: u64, within: Duration) -> bool {
    within > SLOW_AFTER && come < within.as_secs() * SLOWEST
}

/// Limits concurrent uploads.
#[derive(Debug)]
pub struct Places {
    visitors: Arc<Shares>,
    people: Arc<Shares>,
    wait: Duration,
}

impl Places {
    /// Limits for a small server.
    pub fn new(clock: Clock) -> Self {
        Self::of(clock, VISITORS, PEOPLE, PLACE_WITHIN)
    }

    /// Custom limits for visitors and for signed-in people, each in total and per client; a form waits at most `wait`
    /// for a place.
    pub fn of(clock: Clock, visitors: (usize, usize), people: (usize, usize), wait: Duration) -> Self {
        Self {
            visitors: Shares::new(clock.clone(), "visitors' uploads", visitors.0, visitors.1),
            people: Shares::new(clock, "uploads of people who are signed in", people.0, people.1),
            wait,
        }
    }

    /// A place for the files of one form.
    ///
    /// # Errors
    /// `TooOften` if this client has too many, `Crowded` if all are taken.
    async fn take(&self, gate: &Gate<'_>) -> Result<Share, PageError> {
        let places = if gate.visitor.is_some() { &self.visitors } else { &self.people };
        places
            .wait(gate.client, self.wait)
            .await
            .map_err(|exhausted| PageError::exhausted(exhausted, CROWDED))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn body_that_takes_too_long_is_ended() {
        let held = || {
            let client = IpAddr::from([198, 51, 100, 1]);
            let share = body::BodyBudget::of(Clock::system(), 100, 100).open(client);
            Arc::new(HeldPieces { bytes: AtomicUsize::new(0), share })
        };
        let body = || Arc::new(Mutex::new(Box::pin(http_body_util::Full::<Bytes>::from("some text"))));
        let mut in_time = Box::pin(pieces(body(), held(), PEOPLE_WITHIN));
        assert!(matches!(in_time.next().await, Some(Ok(piece)) if piece.len() == 9));
        let mut late = Box::pin(pieces(body(), held(), Duration::ZERO));
        assert!(matches!(late.next().await, Some(Err(PageError::TooSlow))));
    }

    #[test]
    fn slow_upload_is_allowed_trickle_is_not() {
        let seconds = Duration::from_secs;
        assert!(!is_too_slow(1, seconds(30)), "the first half minute is anybody's");
        assert!(is_too_slow(2, seconds(31)));
        assert!(!is_too_slow(31 * SLOWEST, seconds(31)));
        assert!(!is_too_slow(10 * 1024 * 1024, seconds(2_000)), "10 MB by a bad phone");
        assert!(is_too_slow(10 * 1024 * 1024, seconds(3_000)));
    }
}
