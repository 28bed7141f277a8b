//! Forms with files (`multipart/form-data`): texts are kept as the fields of any form, files go to the disk
//! piece by piece. The form's token comes first; a file before it is not taken, and nothing of it is kept.
//! The kernel calls it after it has seen that the caller may come in.
//!
//! Bounded are: the number of parts, the texts together, the number of files, each file, what is held in
//! memory at once, the silence of the client, how slow it may be, and how many are sent at the same time.

use super::browser::TOKEN_FIELD;
use super::fields::{Fields, FieldsError, MAX_FIELDS};
use super::{PageError, body};
use crate::chain::Chain;
use crate::domain::file::{Accepts, FileName, FileRefusal, StoredFile};
use crate::files::{ReceiveError, Received, Wanted};
use crate::ops::OpError;
use crate::render::html::FieldError;
use crate::web::Web;
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use hyper::body::Body;
use multer::{Field, Multipart};
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Mutex, Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout};

/// How long a client may send nothing.
const SILENCE: Duration = Duration::from_secs(20);
/// From when on a line must have brought so much a second, in bytes: slower than any phone, and faster than
/// who only wants to hold a place.
const SLOW_AFTER: Duration = Duration::from_secs(30);
const SLOWEST: u64 = 4 * 1024;
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
    files: StdMutex<Vec<Received>>,
    refused: Option<(StatusCode, FieldError)>,
    lost: usize,
}

impl Uploads {
    /// How many files the disk could not take, where the form goes on without them.
    pub const fn lost(&self) -> usize {
        self.lost
    }

    /// Why a file was not taken, for the form that comes back, with its status: 413, 422 or 503.
    pub const fn refused(&self) -> Option<&(StatusCode, FieldError)> {
        self.refused.as_ref()
    }

    /// The files, for an operation that is about to name them; [`settled`] follows.
    pub fn entrust(&self) -> Vec<StoredFile> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.drain(..).map(Received::entrust).collect()
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
    /// True for the token of this browser's forms.
    pub vouches: &'a (dyn Fn(&str) -> bool + Sync),
    /// The address, for those who are not signed in.
    pub visitor: Option<IpAddr>,
}

/// Reads a form with files.
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
) -> Result<(Fields, Uploads), PageError>
where
    B: Body<Data = Bytes> + Send + 'static,
{
    let body = Arc::new(Mutex::new(Box::pin(body)));
    let held = Arc::new(AtomicUsize::new(0));
    let form = Multipart::new(pieces(Arc::clone(&body), Arc::clone(&held)), boundary);
    let mut reading = Reading {
        web,
        rule,
        gate,
        held,
        vouched: false,
        text: 0,
        fields: Fields::default(),
        files: Vec::new(),
        lost: 0,
        drained: 0,
        place: None,
    };
    let read = reading.all(form).await;
    let Reading { fields, files, lost, .. } = reading;
    match read {
        Ok(refused) => {
            if refused.is_some() {
                body::discard(&mut *body.lock().await, DISCARD_AT_MOST, DISCARD_WITHIN).await;
            }
            // Where one is refused, none is kept: the form comes back and is sent once more.
            let files = if refused.is_some() { Vec::new() } else { files };
            Ok((fields, Uploads { files: StdMutex::new(files), refused, lost }))
        }
        Err(error) => {
            if !matches!(error, PageError::BrokenOff | PageError::TooSlow) {
                body::discard(&mut *body.lock().await, DISCARD_AT_MOST, DISCARD_WITHIN).await;
            }
            Err(error)
        }
    }
}

/// The body piece by piece, one for each time that somebody looks: the parser would take all there are.
fn pieces<B>(
    body: Arc<Mutex<Pin<Box<B>>>>,
    held: Arc<AtomicUsize>,
) -> impl Stream<Item = Result<Bytes, PageError>> + Send
where
    B: Body<Data = Bytes> + Send + 'static,
{
    let (began, mut come) = (Instant::now(), 0);
    let pieces = stream::try_unfold((body, held), |(body, held)| async move {
        tokio::task::yield_now().await;
        if held.load(Ordering::Relaxed) > HELD_MAX {
            return Err(PageError::TooLarge { limit: HELD_MAX });
        }
        let piece = timeout(SILENCE, async { body::next(&mut *body.lock().await).await }).await;
        let piece = piece.map_err(|_| PageError::TooSlow)??;
        Ok(piece.map(|piece| {
            held.fetch_add(piece.len(), Ordering::Relaxed);
            (piece, (body, held))
        }))
    });
    pieces.map(move |piece: Result<Bytes, PageError>| {
        let piece = piece?;
        come += piece.len() as u64;
        if is_too_slow(come, began.elapsed()) { Err(PageError::TooSlow) } else { Ok(piece) }
    })
}

fn is_too_slow(come: u64, within: Duration) -> bool {
    within > SLOW_AFTER && come < within.as_secs() * SLOWEST
}

/// A form that is being read.
struct Reading<'a> {
    web: &'a Web,
    rule: UploadRule,
    gate: Gate<'a>,
    /// Bytes that came and were not taken from the parser yet.
    held: Arc<AtomicUsize>,
    vouched: bool,
    text: usize,
    fields: Fields,
    files: Vec<Received>,
    /// Files that the disk could not take.
    lost: usize,
    /// Bytes of theirs that were read and dropped.
    drained: usize,
    place: Option<SemaphorePermit<'a>>,
}

/// Why a file was not taken.
type Refused = Option<(StatusCode, FieldError)>;

impl Reading<'_> {
    /// Reads part after part; ends early where a file is refused.
    async fn all(&mut self, mut form: Multipart<'static>) -> Result<Refused, PageError> {
        let mut parts = 0;
        while let Some(part) = form.next_field().await.map_err(broken)? {
            parts += 1;
            if parts > MAX_FIELDS + self.rule.most {
                return Err(FieldsError::TooMany.into());
            }
            let name = part.name().ok_or(FieldsError::NotUtf8)?.to_owned();
            if name != self.rule.field {
                self.text(name, part).await?;
            } else if let Some(refused) = self.file(part).await? {
                return Ok(Some(refused));
            }
        }
        if self.vouched { Ok(None) } else { Err(PageError::Forged) }
    }

    async fn text(&mut self, name: String, mut part: Field<'static>) -> Result<(), PageError> {
        let mut bytes = Vec::new();
        while let Some(piece) = self.piece(&mut part).await? {
            self.text += piece.len();
            if self.text > self.rule.text {
                return Err(PageError::TooLarge { limit: self.rule.text });
            }
            bytes.extend_from_slice(&piece);
        }
        let value = String::from_utf8(bytes).map_err(|_| FieldsError::NotUtf8)?;
        if name == TOKEN_FIELD && !self.vouched {
            self.vouched = (self.gate.vouches)(&value);
            if !self.vouched {
                return Err(PageError::Forged);
            }
        }
        Ok(self.fields.push(name, value)?)
    }

    async fn file(&mut self, mut part: Field<'static>) -> Result<Refused, PageError> {
        if !self.vouched {
            return Err(PageError::Forged);
        }
        let name = part.file_name().unwrap_or_default().to_owned();
        let Some(first) = self.piece(&mut part).await? else {
            // An input in which nothing was chosen is sent as well.
            let chosen = !name.is_empty();
            return Ok(chosen.then(|| self.refusal(&name, &FileRefusal::Empty)));
        };
        if self.files.len() + self.lost >= self.rule.most {
            let message = match self.rule.most {
                1 => "Please choose one file.".into(),
                most => format!("Please choose at most {most} files."),
            };
            let error = FieldError { field: Some(self.rule.field), message };
            return Ok(Some((StatusCode::UNPROCESSABLE_ENTITY, error)));
        }
        self.take_place().await?;
        let limit = self.rule.each.unwrap_or(u64::MAX);
        let wanted = Wanted { accepts: self.rule.accepts, limit };
        let held = Arc::clone(&self.held);
        let rest = part.inspect(move |piece| {
            if let Ok(piece) = piece {
                held.fetch_sub(piece.len(), Ordering::Relaxed);
            }
        });
        let mut content = pin!(stream::once(async { Ok(first) }).chain(rest));
        match self.web.files.receive(content.as_mut(), wanted, &name).await {
            Ok(received) => {
                self.files.push(received);
                Ok(None)
            }
            Err(ReceiveError::Refused(refusal)) => Ok(Some(self.refusal(&name, &refusal))),
            Err(ReceiveError::Stream(error)) => Err(broken(error)),
            Err(ReceiveError::Disk(error)) => {
                tracing::error!(error = %Chain(&error), "An upload cannot be stored");
                self.do_without(&name, content).await
            }
        }
    }

    /// Reads the rest of a file that the disk cannot take, where the form goes on without it.
    async fn do_without(
        &mut self,
        name: &str,
        mut content: impl Stream<Item = Result<Bytes, multer::Error>> + Unpin,
    ) -> Result<Refused, PageError> {
        let refused = || {
            let message = format!(
                "“{}” cannot be stored: the server's disk is full or cannot be written. Tell the staff, or try \
                 again later.",
                FileName::clean(name)
            );
            (StatusCode::SERVICE_UNAVAILABLE, FieldError { field: Some(self.rule.field), message })
        };
        if self.rule.on_disk_error == OnDiskError::Refuse {
            return Ok(Some(refused()));
        }
        while let Some(piece) = content.next().await {
            self.drained += piece.map_err(broken)?.len();
            if self.drained > DISCARD_AT_MOST {
                return Ok(Some(refused()));
            }
        }
        self.lost += 1;
        Ok(None)
    }

    /// A place among those who send files; visitors have their own, and not all of them from one address.
    async fn take_place(&mut self) -> Result<(), PageError> {
        if self.place.is_some() {
            return Ok(());
        }
        let web = self.web;
        let places = match self.gate.visitor {
            Some(address) => {
                web.uploads.count(address).map_err(|wait| PageError::TooOften { wait })?;
                &web.upload_places.visitors
            }
            None => &web.upload_places.people,
        };
        let place = timeout(PLACE_WITHIN, places.acquire()).await;
        self.place = Some(place.ok().and_then(Result::ok).ok_or(PageError::Crowded { wait: CROWDED })?);
        Ok(())
    }

    /// The next piece of a part; none of them is empty.
    async fn piece(&self, part: &mut Field<'static>) -> Result<Option<Bytes>, PageError> {
        while let Some(piece) = part.chunk().await.map_err(broken)? {
            self.held.fetch_sub(piece.len(), Ordering::Relaxed);
            if !piece.is_empty() {
                return Ok(Some(piece));
            }
        }
        Ok(None)
    }

    fn refusal(&self, name: &str, refusal: &FileRefusal) -> (StatusCode, FieldError) {
        let status = match refusal.is_about_size() {
            true => StatusCode::PAYLOAD_TOO_LARGE,
            false => StatusCode::UNPROCESSABLE_ENTITY,
        };
        let message = format!("“{}” {refusal}", FileName::clean(name));
        (status, FieldError { field: Some(self.rule.field), message })
    }
}

/// What the parser says, in our words.
fn broken(error: multer::Error) -> PageError {
    match error {
        multer::Error::StreamReadFailed(source) => match source.downcast::<PageError>() {
            Ok(error) => *error,
            Err(source) => PageError::internal(source),
        },
        multer::Error::IncompleteFieldData { .. }
        | multer::Error::IncompleteHeaders
        | multer::Error::IncompleteStream => PageError::BrokenOff,
        _ => FieldsError::NotParts.into(),
    }
}

/// How many send files at once.
#[derive(Debug)]
pub struct Places {
    visitors: Semaphore,
    people: Semaphore,
}

impl Default for Places {
    /// As many as a small machine has room for, on its disk and in its memory.
    fn default() -> Self {
        Self { visitors: Semaphore::new(16), people: Semaphore::new(32) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_line_is_borne_and_a_trickle_is_not() {
        let seconds = Duration::from_secs;
        assert!(!is_too_slow(1, seconds(30)), "the first half minute is anybody's");
        assert!(is_too_slow(2, seconds(31)));
        assert!(!is_too_slow(31 * SLOWEST, seconds(31)));
        assert!(!is_too_slow(10 * 1024 * 1024, seconds(2_000)), "10 MB by a bad phone");
        assert!(is_too_slow(10 * 1024 * 1024, seconds(3_000)));
    }
}
