//! The state of a sandbox, and its lock.
//!
//! Owns: [`State`], which all parts share, and [`Shared`], which gives tasks access to it. Must not: contain rules;
//! each part has its own. Called by: everything in this crate.
//!
//! The lock is held for computation only, never across an await: `with` takes a closure.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use tokio::{sync::Notify, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::{
    act::EventRecord, faults::Faults, hub::Hub, ids::Ids, messages::Messages, options::Options, rates::Rates,
    record::Record, response_urls::ResponseUrls, triggers::Triggers, views::Views, world::World,
};

pub(crate) struct State {
    pub(crate) options: Options,
    pub(crate) base: String,
    pub(crate) world: World,
    pub(crate) ids: Ids,
    pub(crate) messages: Messages,
    pub(crate) views: Views,
    pub(crate) triggers: Triggers,
    pub(crate) response_urls: ResponseUrls,
    pub(crate) rates: Rates,
    pub(crate) faults: Faults,
    pub(crate) hub: Hub,
    /// By event id.
    pub(crate) events: HashMap<String, EventRecord>,
    pub(crate) record: Record,
}

impl State {
    pub(crate) fn new(world: World, options: Options, base: String) -> Self {
        Self {
            options,
            base,
            world,
            ids: Ids::new(),
            messages: Messages::default(),
            views: Views::default(),
            triggers: Triggers::default(),
            response_urls: ResponseUrls::default(),
            rates: Rates::default(),
            faults: Faults::default(),
            hub: Hub::default(),
            events: HashMap::new(),
            record: Record::default(),
        }
    }

    /// The URL at which Slack serves a file of the workspace.
    pub(crate) fn file_url(&self, id: &str) -> String {
        let name = self.world.files.iter().find(|file| file.id == id).map(|file| file.name.as_str());
        let name: String = form_urlencoded::byte_serialize(name.unwrap_or_default().as_bytes()).collect();
        format!("{}files/{id}/{name}", self.base)
    }

    /// The current time of Slack's clock.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        (self.options.clock)()
    }
}

/// The state, a notification of its changes, and the shutdown signal.
pub(crate) struct Shared {
    state: Mutex<State>,
    changed: Notify,
    pub(crate) stop: CancellationToken,
}

impl Shared {
    pub(crate) fn new(state: State) -> Self {
        Self { state: Mutex::new(state), changed: Notify::new(), stop: CancellationToken::new() }
    }

    /// Changes the state and wakes all tasks that wait for a change.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        let result = self.peek(work);
        self.changed.notify_waiters();
        result
    }

    /// Accesses the state without waking any task: a waiting task that used `with` would wake itself.
    pub(crate) fn peek<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        // A test that panicked under the lock has already failed; the others continue.
        look(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits, at most `limit` of real time, until `look` returns a value.
    pub(crate) async fn until<T>(
        &self,
        limit: Duration,
        mut look: impl FnMut(&mut State) -> Option<T>,
    ) -> Option<T> {
        self.until_unlocked(limit, || self.peek(&mut look)).await
    }

    /// The same for a `look` that takes the lock itself.
    pub(crate) async fn until_unlocked<T>(
        &self,
        limit: Duration,
        mut look: impl FnMut() -> Option<T>,
    ) -> Option<T> {
        let deadline = Instant::now() + limit;
        loop {
            // Registered before `look`, so that no change between the two is missed.
            let bell = self.changed.notified();
            tokio::pin!(bell);
            bell.as_mut().enable();
            if let Some(found) = look() {
                return Some(found);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            tokio::select! {
                () = self.stop.cancelled() => return None,
                // Checks once more in either case.
                _ = timeout(left, bell) => {}
            }
        }
    }
}
