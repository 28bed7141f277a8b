//! Forms with files (`multipart/form-data`): texts are kept as the fields of any form, files go to the disk
//! piece by piece. Where the form needs a token, it comes first: a file before it is not taken, and nothing of
//! it is kept. The kernel calls it after it has seen that the caller may come in.
//!
//! Bounded are: the number of parts, the texts together, the number of files, each file, what is held in
//! memory at once (of this form, and of all bodies together), the silence of the client, how slow it may be, how
//! long all of it may take, and how many are sent at the same time, in all and by one client.

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
/// From when on a line must have brought so much a second, in bytes: slower than any phone, and faster than
/// who only wants to hold a place.
const SLOW_AFTER: Duration = Duration::from_secs(30);
const SLOWEST: u64 = 4 * 1024;
/// Longest time from the head of a form to its end: a visitor's largest photo over the slowest line that is borne,
/// and a video of people who are signed in over a bad one.
const VISITORS_WITHIN: Duration = Duration::from_secs(60 * 60);
const PEOPLE_WITHIN: Duration = Duration::from_secs(4 * 60 * 60);
/// How many may send files at the same time. What they take of memory is counted by itself ([`super::kernel::body`]); this
/// is about the disk and the line. A photo takes seconds, so that eight at once from behind one address, the others
/// waiting their turn, are a whole class that reports together.
const VISITORS: (usize, usize) = (32, 8);
/// The same for people who are signed in; who floods is known by name.
const PEOPLE: (usize, usize) = (32, 16);
/// How long to wait for one of the places in which files are received.
const PLACE_WITHIN: Duration = Duration::from_secs(20);
/// When to come back where there was none.
const CROWDED: Duration = Duration::from_secs(60);
/// Most bytes that are held between the wire and the disk, the heads of parts included.
const HELD_MAX: usize = 1024 * 1024;
/// How much of a refused form is read and dropped, and for how long, so that its answer is seen.
const DISCARD_AT_MOST: usize = 64 * 1024 * 1024;
const DISCARD_WITHIN: Duration = Duration::from_secs(10);

/// What files a route takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UploadRule {
    /// The input's name.
    pub field: &'static str,
    /// Which kinds.
    pub accepts: Accepts,
    /// How many at once.
    pub most: usize,
    /// Most bytes of each; `None`: as configured.
    pub each: Option<u64>,
    /// Most bytes of all texts together.
    pub text: usize,
    /// What happens when the disk cannot take a file.
    pub on_disk_error: OnDiskError,
}

/// What happens to a form when the disk cannot take its file: it is full, or cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDiskError {
    /// It comes back with the reason, and status 503.
    Refuse,
    /// It goes on without the file: see [`Uploads::lost`].
    GoOn,
}

/// What came of the files of a form. Those that no page takes are removed with it.
#[derive(Debug, Default)]
pub struct Uploads {
    files: StdMutex<Vec<ReceivedFile>>,
    refused: Option<(StatusCode, FieldError)>,
    lost: LostPhotos,
    reservation: StdMutex<Option<Reservation>>,
}

impl Uploads {
    /// How many files were not kept, where the form goes on without them.
    pub const fn lost(&self) -> LostPhotos {
        self.lost
    }

    /// A row names the files, so they count against the allowance of visitors; else they are given back.
    pub fn count_as_kept(&self) {
        let reservation = self.reservation.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(reservation) = reservation {
            reservation.keep();
        }
    }

    /// Why a file was not taken, for the form that comes back, with its status: 413, 422 or 503.
    pub const fn refused(&self) -> Option<&(StatusCode, FieldError)> {
        self.refused.as_ref()
    }

    /// The files, for an operation that is about to name them; [`settled`] follows.
    pub fn entrust(&self) -> Vec<StoredFile> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.drain(..).map(ReceivedFile::entrust).collect()
    }
}

/// Removes those files that the operation did not name: it refused, or had been asked the same before. An
/// end that nobody knows is left to the sweep.
pub async fn settled<T>(web: &Web, files: &[StoredFile], done: Result<T, OpError>) -> Result<T, OpError> {
    if !files.is_empty() && !matches!(done, Err(OpError::Internal(_))) {
        web.files.settle(files).await;
    }
    done
}

/// What stands between the parts of a form with files; `None` for any other body.
pub fn boundary(headers: &HeaderMap) -> Option<String> {
    multer::parse_boundary(headers.get(CONTENT_TYPE)?.to_str().ok()?).ok()
}

/// Whether the form may go on.
pub struct Gate<'a> {
    /// True for the token of this browser's forms; `None` where the form needs none.
    pub verify_csrf_token: Option<&'a (dyn Fn(&str) -> bool + Sync)>,
    /// The address.
    pub client: IpAddr,
    /// The address, for those who are not signed in.
    pub visitor: Option<IpAddr>,
}

/// Reads a form with files. Whatever comes of it, `typed` has the texts that came: after a refusal the rest of
/// the form is read for them, and its files are dropped.
///
/// # Errors
/// `Forged` without its token, or with a file before it; `Malformed`, `TooLarge`, `TooSlow`, `BrokenOff`,
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

/// Reads the texts of a form that is refused already.
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
    // Its error is known: it was there before.
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
        // Where one is refused, none is kept: the form comes back and is sent once more.
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

/// What came of a body and was not taken from the parser yet.
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

/// The body piece by piece, one for each time that somebody looks: the parser would take all there are.
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

/// How many send files at once.
#[derive(Debug)]
pub struct Places {
    visitors: Arc<Shares>,
    people: Arc<Shares>,
    wait: Duration,
}

impl Places {
    /// As many as a small machine has room for.
    pub fn new(clock: Clock) -> Self {
        Self::of(clock, VISITORS, PEOPLE, PLACE_WITHIN)
    }

    /// So many places for visitors and for signed-in people, in all and for one client, for one of which a form
    /// waits so long.
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
    /// `TooOften` where this client has too many, `Crowded` where all are taken.
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
