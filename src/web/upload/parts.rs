//! Reads a form with files part by part: texts into its fields, files to disk. After a rejection it continues with the
//! texts for a limited time, and drops the files. Called by `upload`.

use super::allowance::Reservation;
use super::{DISCARD_AT_MOST, Gate, HeldPieces, OnDiskError, UploadRule, deadline};
use crate::domain::file::{FileName, FileRefusal, LostPhotos};
use crate::error_chain::ErrorChain;
use crate::files::{ReceiveError, ReceiveOptions, ReceivedFile};
use crate::ops::repairs::visitor_photos;
use crate::render::html::FieldError;
use crate::web::Web;
use crate::web::kernel::browser::TOKEN_FIELD;
use crate::web::kernel::fields::{FieldsError, MAX_FIELDS};
use crate::web::kernel::resubmit::TypedForm;
use crate::web::kernel::{PageError, body};
use crate::web::limits::shares::Share;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::StatusCode;
use multer::{Field, Multipart};
use std::sync::Arc;
use tokio::time::{Instant, timeout_at};

pub(super) struct Reading<'a> {
    pub(super) rule: UploadRule,
    /// Receives files, or the reason why no more are accepted.
    pub(super) accepting: Result<Accepting<'a>, Stop>,
    /// Bytes that the parser received but has not yet returned.
    pub(super) held: Arc<HeldPieces>,
    /// When to stop reading a rejected form.
    pub(super) deadline: Option<Instant>,
    /// Bytes of dropped files.
    pub(super) dropped: usize,
    pub(super) text: usize,
    pub(super) typed: &'a mut TypedForm,
}

/// The state of a form that is not rejected so far.
pub(super) struct Accepting<'a> {
    pub(super) web: &'a Web,
    pub(super) gate: Gate<'a>,
    pub(super) vouched: bool,
    pub(super) files: Vec<ReceivedFile>,
    pub(super) lost: LostPhotos,
    pub(super) place: Option<Share>,
    /// The visitor's reservation in the allowance.
    pub(super) reservation: Option<Reservation>,
}

/// Why a form's files are not accepted.
pub(super) enum Stop {
    Error(PageError),
    /// A file is invalid: its form is shown again.
    File((StatusCode, FieldError)),
}

impl From<PageError> for Stop {
    fn from(error: PageError) -> Self {
        Self::Error(error)
    }
}

impl Reading<'_> {
    /// Reads all parts.
    pub(super) async fn all(&mut self, mut form: Multipart<'static>) -> Result<(), PageError> {
        let mut parts = 0;
        while let Some(part) = in_time(self.deadline, form.next_field()).await? {
            parts += 1;
            if parts > MAX_FIELDS + self.rule.most {
                return Err(FieldsError::TooMany.into());
            }
            let name = part.name().ok_or(FieldsError::NotUtf8)?.to_owned();
            if name == self.rule.field {
                self.file(part).await?;
            } else {
                self.text(name, part).await?;
            }
        }
        Ok(())
    }

    async fn text(&mut self, name: String, mut part: Field<'static>) -> Result<(), PageError> {
        let mut bytes = Vec::new();
        while let Some(piece) = self.piece(&mut part).await? {
            let room = self.rule.text - self.text;
            bytes.extend_from_slice(piece.get(..room).unwrap_or(&piece));
            if piece.len() > room {
                let beginning = String::from_utf8_lossy(&bytes).into_owned();
                self.typed.fields.push(name, beginning)?;
                return Err(PageError::TooLarge { limit: self.rule.text });
            }
            // Counted until the request is answered.
            self.held.share.grow(piece.len()).map_err(body::no_room)?;
            self.text += piece.len();
        }
        let value = String::from_utf8(bytes).map_err(|_| FieldsError::NotUtf8)?;
        if let Ok(accepting) = &mut self.accepting
            && name == TOKEN_FIELD
            && let Some(verify_csrf_token) = accepting.gate.verify_csrf_token
            && !accepting.vouched
        {
            accepting.vouched = verify_csrf_token(&value);
            if !accepting.vouched {
                self.refuse(PageError::Forged.into());
            }
        }
        Ok(self.typed.fields.push(name, value)?)
    }

    async fn file(&mut self, mut part: Field<'static>) -> Result<(), PageError> {
        self.typed.has_files |= part.file_name().is_some_and(|name| !name.is_empty());
        let name = part.file_name().unwrap_or_default().to_owned();
        let first = self.piece(&mut part).await?;
        let (rule, held) = (self.rule, Arc::clone(&self.held));
        if let Ok(accepting) = &mut self.accepting
            && let Err(stop) = accepting.file(rule, (&name, first), &mut part, held).await
        {
            self.refuse(stop);
        }
        while let Some(piece) = self.piece(&mut part).await? {
            self.dropped += piece.len();
            if self.dropped > DISCARD_AT_MOST {
                return Err(PageError::TooSlow);
            }
        }
        Ok(())
    }

    /// From now on only texts are read, for a limited time.
    fn refuse(&mut self, stop: Stop) {
        self.accepting = Err(stop);
        self.deadline = Some(deadline());
    }

    /// The next piece of a part; never empty.
    async fn piece(&self, part: &mut Field<'static>) -> Result<Option<Bytes>, PageError> {
        while let Some(piece) = in_time(self.deadline, part.chunk()).await? {
            self.held.remove(piece.len());
            if !piece.is_empty() {
                return Ok(Some(piece));
            }
        }
        Ok(None)
    }
}

/// Waits for the parser, at most until the deadline.
async fn in_time<T>(
    deadline: Option<Instant>,
    reading: impl Future<Output = Result<T, multer::Error>>,
) -> Result<T, PageError> {
    match deadline {
        None => reading.await,
        Some(deadline) => timeout_at(deadline, reading).await.map_err(|_| PageError::TooSlow)?,
    }
    .map_err(broken)
}

impl<'a> Accepting<'a> {
    pub(super) const fn new(web: &'a Web, gate: Gate<'a>) -> Self {
        let vouched = gate.verify_csrf_token.is_none();
        Self { web, gate, vouched, files: Vec::new(), lost: LostPhotos::NONE, place: None, reservation: None }
    }

    /// Receives a file whose first piece was already read: `None` if it is empty.
    async fn file(
        &mut self,
        rule: UploadRule,
        (name, first): (&str, Option<Bytes>),
        part: &mut Field<'static>,
        held: Arc<HeldPieces>,
    ) -> Result<(), Stop> {
        if !self.vouched {
            return Err(PageError::Forged.into());
        }
        let Some(first) = first else {
            // Browsers also send inputs without a chosen file.
            let chosen = !name.is_empty();
            return if chosen { Err(refusal(rule, name, &FileRefusal::Empty)) } else { Ok(()) };
        };
        if self.files.len() + self.lost.total() >= rule.most {
            let message = match rule.most {
                1 => "Please choose one file.".into(),
                most => format!("Please choose at most {most} files."),
            };
            let error = FieldError { field: Some(rule.field), message };
            return Err(Stop::File((StatusCode::UNPROCESSABLE_ENTITY, error)));
        }
        self.take_place().await?;
        if self.reservation.as_mut().is_some_and(|reservation| !reservation.has_room()) {
            self.over_allowance();
            return Ok(());
        }
        let limit = rule.each.unwrap_or(u64::MAX);
        let wanted = ReceiveOptions { accepts: rule.accepts, limit };
        let rest = part.inspect(move |piece| {
            if let Ok(piece) = piece {
                held.remove(piece.len());
            }
        });
        let content = stream::once(async { Ok(first) }).chain(rest);
        match self.web.files.receive(content, wanted, name).await {
            Ok(received) => {
                let size = received.file().size;
                match self.reservation.as_mut().is_none_or(|reservation| reservation.take(size)) {
                    true => self.files.push(received),
                    false => self.over_allowance(),
                }
                Ok(())
            }
            Err(ReceiveError::Refused(refused)) => Err(refusal(rule, name, &refused)),
            Err(ReceiveError::Stream(error)) => Err(broken(error).into()),
            Err(ReceiveError::Disk(error)) => {
                tracing::error!(error = %ErrorChain(&error), "upload not stored");
                self.lost.disk += 1;
                match rule.on_disk_error {
                    OnDiskError::Refuse => Err(no_room(rule, name)),
                    OnDiskError::GoOn => Ok(()),
                }
            }
        }
    }

    /// The report is accepted without this photo.
    fn over_allowance(&mut self) {
        self.lost.allowance += 1;
        tracing::warn!("visitor photo not stored: daily limit reached");
    }

    /// Takes an upload place; visitors and signed-in people have separate ones.
    async fn take_place(&mut self) -> Result<(), PageError> {
        if self.place.is_some() {
            return Ok(());
        }
        let web = self.web;
        if let Some(address) = self.gate.visitor {
            let kept_before = web.visitor_bytes.kept();
            let stored = visitor_photos::bytes_within_day(&web.ctx).await.map_err(PageError::from)?;
            self.reservation = Some(web.visitor_bytes.open(address, stored, kept_before));
            web.uploads.count(address).map_err(|wait| PageError::TooOften { wait })?;
        }
        self.place = Some(web.upload_places.take(&self.gate).await?);
        Ok(())
    }
}

fn refusal(rule: UploadRule, name: &str, refusal: &FileRefusal) -> Stop {
    let status = match refusal.is_about_size() {
        true => StatusCode::PAYLOAD_TOO_LARGE,
        false => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let message = format!("“{}” {refusal}", FileName::clean(name));
    Stop::File((status, FieldError { field: Some(rule.field), message }))
}

/// The disk is full or cannot be written.
fn no_room(rule: UploadRule, name: &str) -> Stop {
    let message = format!(
        "“{}” cannot be stored: the server's disk is full or cannot be written. Tell the staff, or try again later.",
        FileName::clean(name)
    );
    Stop::File((StatusCode::SERVICE_UNAVAILABLE, FieldError { field: Some(rule.field), message }))
}

/// Maps an error of the parser.
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
