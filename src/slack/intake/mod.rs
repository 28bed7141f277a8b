//! Accepts envelopes from a transport: bounded, deduplicated, one task each. Every envelope is acknowledged in
//! time, except an event: it is acknowledged only when its handler is done, since Slack retries an unacknowledged
//! event. A transport calls [`Intake::accept`] with a closure that sends the acknowledgement; the call never waits.

mod dedup;
mod received;
mod refusal;

pub use received::{Ack, Dispatch, Received, Reference};

use crate::clock::Clock;
use crate::metrics::Metrics;
use crate::slack::envelope::{Envelope, FallbackResponse, Parsed};
use dedup::{Ids, Key, Memory, Progress};
use received::Answer;
use refusal::Refusal;
use secrecy::ExposeSecret;
use serde_json::Value;
use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::JoinHandle;
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, Span};

/// How long an aborted task may take to stop.
const ABANDON_LIMIT: Duration = Duration::from_secs(1);

/// Limits of number and time.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// From receipt to the fallback acknowledgement; Slack's own limit is 3 s. An event that is not done by then is
    /// not acknowledged, and its work continues.
    pub acknowledge: Duration,
    /// From receipt to the end of all work on it.
    pub work: Duration,
    /// Most envelopes in progress at once (spec "Transport").
    pub in_flight: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { acknowledge: Duration::from_millis(2_500), work: Duration::from_secs(30), in_flight: 2_000 }
    }
}

/// Accepts envelopes; cheap to clone, all clones share the limits.
#[derive(Clone)]
pub struct Intake(Arc<Inner>);

struct Inner {
    dispatch: Arc<dyn Dispatch>,
    metrics: Metrics,
    limits: Limits,
    memory: Memory,
    places: Arc<Semaphore>,
    tasks: TaskTracker,
    draining: AtomicBool,
    abandoned: CancellationToken,
}

/// The state of an envelope's task.
struct Task<R> {
    envelope: Envelope,
    fallback_response: FallbackResponse,
    reply: R,
    received_at: Instant,
    reference: Reference,
    ids: Ids,
}

impl Intake {
    /// Passes all envelopes to `dispatch`. `clock` determines the age of stored ids.
    pub fn new(dispatch: Arc<dyn Dispatch>, clock: Clock, metrics: Metrics, limits: Limits) -> Self {
        let tasks = TaskTracker::new();
        // A closed tracker still accepts tasks; closing only lets `wait` end.
        tasks.close();
        Self(Arc::new(Inner {
            dispatch,
            metrics,
            limits,
            memory: Memory::new(clock),
            places: Arc::new(Semaphore::new(limits.in_flight)),
            tasks,
            draining: AtomicBool::new(false),
            abandoned: CancellationToken::new(),
        }))
    }

    /// Accepts one envelope and returns immediately. `reply` is called once with the acknowledgement's payload,
    /// here or from a task, and must not block; for an event that Slack should send again it is dropped without a
    /// call, in time. `delivery_id` is the transport's own id, if it has one.
    pub fn accept<R>(&self, delivery_id: Option<&str>, parsed: Parsed, reply: R)
    where
        R: FnOnce(Option<Value>) + Send + 'static,
    {
        let received_at = Instant::now();
        let (reference, fallback_response) = (Reference::new(), parsed.fallback_response);
        let is_event = matches!(parsed.envelope, Ok(Envelope::Event(_)));
        let admitted = parsed.envelope.map_err(Refusal::Malformed).and_then(|envelope| {
            let (ids, place) = self.0.admit(delivery_id, &envelope)?;
            Ok((envelope, ids, place))
        });
        match admitted {
            Ok((envelope, ids, place)) => {
                let task = Task { envelope, fallback_response, reply, received_at, reference, ids };
                self.0.tasks.spawn(Arc::clone(&self.0).act(task, place));
            }
            Err(refusal) => {
                refusal.log(&reference);
                if !(is_event && refusal.may_pass()) {
                    reply(refusal.words(&reference).and_then(|words| fallback_response.say(&words)));
                }
            }
        }
    }

    /// Number of envelopes in progress.
    pub fn in_flight(&self) -> usize {
        self.0.tasks.len()
    }

    /// Waits until no envelope is in progress.
    pub async fn idle(&self) {
        self.0.tasks.wait().await;
    }

    /// Accepts nothing new and waits for envelopes in progress; aborts the rest after `limit`.
    pub async fn drain(&self, limit: Duration) {
        self.0.draining.store(true, Ordering::SeqCst);
        if timeout(limit, self.idle()).await.is_err() {
            tracing::warn!(in_flight = self.in_flight(), "Slack requests abandoned at shutdown");
            self.0.abandoned.cancel();
            let _ = timeout(ABANDON_LIMIT, self.idle()).await;
        }
    }
}

impl Inner {
    fn admit(
        &self,
        delivery_id: Option<&str>,
        envelope: &Envelope,
    ) -> Result<(Ids, OwnedSemaphorePermit), Refusal> {
        if self.draining.load(Ordering::SeqCst) {
            return Err(Refusal::Ending);
        }
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Refusal::Busy)?;
        let ids = self.memory.ids(&keys(delivery_id, envelope));
        // Slack retries only events: all other envelopes are processed once, regardless of the result.
        let is_event = matches!(envelope, Envelope::Event(_));
        let begins = if is_event { Progress::Running } else { Progress::Done };
        match self.memory.check_and_insert(&ids, begins) {
            None => Ok((ids, place)),
            Some(Progress::Running) => Err(Refusal::InProgress),
            Some(_) => Err(Refusal::Known),
        }
    }

    /// Processes one envelope. The work is a separate task, so that neither a panic nor a handler that blocks its
    /// thread delays the acknowledgement.
    async fn act<R>(self: Arc<Self>, task: Task<R>, _place: OwnedSemaphorePermit)
    where
        R: FnOnce(Option<Value>) + Send,
    {
        let Task { envelope, fallback_response, reply, received_at: at, reference, ids } = task;
        let is_event = matches!(envelope, Envelope::Event(_));
        let label = Label { kind: envelope.kind(), name: self.dispatch.name(&envelope), reference };
        let apology = self.dispatch.apology(&envelope, &label.reference);
        let (answer, mut answered) = oneshot::channel();
        let ack = Ack::new(answer, fallback_response.clone());
        let received = Received { envelope, ack, reference: label.reference.clone(), at };
        let dispatch = Arc::clone(&self.dispatch);
        let work = async move { dispatch.dispatch(received).await };
        let work = tokio::spawn(timeout_at(at + self.limits.work, work).instrument(label.span()));

        let decided = timeout_at(at + self.limits.acknowledge, &mut answered).await;
        let (is_late, unanswered) = (decided.is_err(), matches!(decided, Ok(Err(_))));
        let in_time = matches!(decided, Ok(Ok(Answer::Acknowledge(_))));
        match decided {
            Ok(Ok(Answer::Acknowledge(payload))) => {
                self.memory.update(&ids, Progress::Done);
                reply(payload);
            }
            _ if is_event => {
                if is_late {
                    label.warn("is not done in time: Slack sends it again");
                } else {
                    self.memory.update(&ids, Progress::Failed);
                }
                drop(reply);
            }
            _ => {
                if is_late {
                    label.error("was not answered in time");
                }
                reply(fallback_response.say(&label.reference.sorry()));
            }
        }
        self.metrics.slack_request(label.kind, label.name, at.elapsed());

        let end = self.end_of(work).await;
        if is_event && is_late {
            let is_done = matches!(answered.try_recv(), Ok(Answer::Acknowledge(_)));
            self.memory.update(&ids, if is_done { Progress::Done } else { Progress::Failed });
        }
        match end {
            Some(complaint) => {
                label.error(&complaint);
                // Otherwise the fallback response has reported it.
                if let Some(apology) = apology.filter(|_| in_time) {
                    apology.await;
                }
            }
            None if unanswered => label.error("was left unanswered"),
            None => {}
        }
    }

    /// The text for the person when the work ended abnormally.
    async fn end_of(&self, mut work: JoinHandle<Result<(), Elapsed>>) -> Option<String> {
        let ended = tokio::select! {
            ended = &mut work => ended,
            () = self.abandoned.cancelled() => {
                work.abort();
                work.await
            }
        };
        match ended {
            Ok(Ok(())) => None,
            Ok(Err(_)) => Some("took too long and was stopped".to_owned()),
            Err(error) if error.is_panic() => Some(format!("panicked: {}", panic_text(&*error.into_panic()))),
            Err(_) => Some("was abandoned at shutdown".to_owned()),
        }
    }
}

/// Name of an envelope in metrics and log lines.
struct Label {
    kind: &'static str,
    name: &'static str,
    reference: Reference,
}

impl Label {
    /// The span of all log lines of the work.
    fn span(&self) -> Span {
        let Self { kind, name, reference } = self;
        tracing::info_span!("slack_request", kind, name, %reference)
    }

    fn warn(&self, complaint: &str) {
        let Self { kind, name, reference } = self;
        tracing::warn!(kind, name, %reference, "Slack request {complaint}");
    }

    fn error(&self, complaint: &str) {
        let Self { kind, name, reference } = self;
        tracing::error!(kind, name, %reference, "Slack request {complaint}");
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message")
}

fn keys<'a>(delivery_id: Option<&'a str>, envelope: &'a Envelope) -> Vec<Key<'a>> {
    let event = match envelope {
        Envelope::Event(event) => Some(event.event_id.as_str()),
        _ => None,
    };
    let trigger = envelope.trigger_id().map(ExposeSecret::expose_secret);
    [("delivery", delivery_id), ("event", event), ("trigger", trigger)]
        .into_iter()
        .filter_map(|(kind, id)| id.map(|id| Key::new(kind, id)))
        .collect()
}
