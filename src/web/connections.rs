//! Table of open connections: counts them in total and per client, and closes an idle one when a new connection finds
//! no room. `server` fills it; nothing here depends on HTTP.
//!
//! A connection is idle while no request is in flight: before the first request, between two requests, and while a
//! request head is still arriving. When a new connection finds no room, the longest-idle connection is closed. There
//! always is one, because fewer requests may be in flight than connections may be open. So every connection is
//! accepted, and health checks are answered.

use super::limits::client_network::ClientNetwork;
use super::limits::shares::Share;
use crate::clock::Throttle;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::{AbortHandle, Id, JoinError, JoinSet};

/// How long to wait for a connection to end or to become idle before looking again.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Values of `Activity::state` that are not an idle time.
const BUSY: u64 = u64::MAX;
const FLUSHING: u64 = u64::MAX - 1;
const CLOSED: u64 = u64::MAX - 2;

/// Orders connections by when they became idle.
static TURN: AtomicU64 = AtomicU64::new(0);

fn next_turn() -> u64 {
    TURN.fetch_add(1, Ordering::Relaxed)
}

/// What one connection is doing. The connection's task writes it; the table reads it.
#[derive(Debug)]
pub struct Activity {
    /// When the connection became idle, or one of the states.
    state: AtomicU64,
    /// Counts the request in flight, if any.
    place: Mutex<Option<Share>>,
    closed: Notify,
}

impl Activity {
    fn new() -> Self {
        Self { state: AtomicU64::new(next_turn()), place: Mutex::default(), closed: Notify::new() }
    }

    /// A request begins. Without a `place` the connection may still be closed to make room. Returns false if the
    /// connection was already closed; the caller must then do nothing.
    pub fn begin(&self, place: Option<Share>) -> bool {
        let next = if place.is_some() { BUSY } else { next_turn() };
        let begun = self
            .state
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |state| (state != CLOSED).then_some(next));
        self.hold(place);
        begun.is_ok()
    }

    /// The response was handed to hyper but is not yet on the network.
    pub fn answered(&self) {
        let _ = self.state.compare_exchange(BUSY, FLUSHING, Ordering::AcqRel, Ordering::Relaxed);
    }

    /// Everything handed to hyper has been written.
    pub fn flushed(&self) {
        if self.state.load(Ordering::Relaxed) == FLUSHING {
            self.hold(None);
            let _ = self.state.compare_exchange(FLUSHING, next_turn(), Ordering::AcqRel, Ordering::Relaxed);
        }
    }

    /// Waits until the table closes this connection.
    pub async fn closed(&self) {
        self.closed.notified().await;
    }

    fn hold(&self, place: Option<Share>) {
        *self.place.lock().unwrap_or_else(PoisonError::into_inner) = place;
    }

    /// The turn at which it became idle; `None` while busy.
    fn idle_since(&self) -> Option<u64> {
        let state = self.state.load(Ordering::Acquire);
        (state < CLOSED).then_some(state)
    }

    /// Closes the connection, unless it was busy since `idle_since`.
    fn close(&self, idle_since: u64) -> bool {
        let closed =
            self.state.compare_exchange(idle_since, CLOSED, Ordering::AcqRel, Ordering::Relaxed).is_ok();
        if closed {
            self.closed.notify_one();
        }
        closed
    }
}

#[derive(Debug)]
pub struct Connections {
    most: usize,
    most_of_client: usize,
    tasks: JoinSet<()>,
    open: HashMap<Id, Open>,
    by_client: HashMap<ClientNetwork, usize>,
    log_throttle: Throttle,
}

#[derive(Debug)]
struct Open {
    activity: Arc<Activity>,
    /// `None` for a trusted proxy, whose connections carry many clients.
    client: Option<ClientNetwork>,
}

impl Connections {
    /// Allows `most` connections in total and `most_of_client` per client.
    pub fn new(most: usize, most_of_client: usize, log_throttle: Throttle) -> Self {
        let (tasks, open, by_client) = (JoinSet::new(), HashMap::new(), HashMap::new());
        Self { most, most_of_client, tasks, open, by_client, log_throttle }
    }

    /// Waits until there is room for one more connection of `client`, closing idle ones. Cancel safe.
    pub async fn make_room(&mut self, client: Option<ClientNetwork>) {
        if let Some(client) = client
            && self.by_client.get(&client).copied().unwrap_or_default() >= self.most_of_client
        {
            self.log_refusal();
            self.close_longest_idle(Some(client));
        }
        while let Some(ended) = self.tasks.try_join_next_with_id() {
            self.note(ended);
        }
        while self.tasks.len() >= self.most {
            // Connections that were just closed end shortly.
            if self.open.len() >= self.most {
                self.log_refusal();
                self.close_longest_idle(None);
            }
            let _ = tokio::time::timeout(LOOK_AGAIN, self.ended()).await;
        }
    }

    pub fn spawn<F>(
        &mut self,
        client: Option<ClientNetwork>,
        serve_connection: impl FnOnce(Arc<Activity>) -> F,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        let activity = Arc::new(Activity::new());
        let task: AbortHandle = self.tasks.spawn(serve_connection(Arc::clone(&activity)));
        if let Some(client) = client {
            *self.by_client.entry(client).or_default() += 1;
        }
        self.open.insert(task.id(), Open { activity, client });
    }

    /// Waits until a connection has ended; pends forever if there is none.
    pub async fn ended(&mut self) {
        match self.tasks.join_next_with_id().await {
            Some(ended) => self.note(ended),
            None => std::future::pending().await,
        }
    }

    fn note(&mut self, ended: Result<(Id, ()), JoinError>) {
        // A connection's task never fails; if it does, log it.
        let (id, ()) = ended.unwrap_or_else(|error| {
            tracing::error!(%error, "web connection ended with an error");
            (error.id(), ())
        });
        self.forget(id);
    }

    /// Closes an idle connection, if any, to free its file descriptor.
    pub fn close_one(&mut self) {
        self.close_longest_idle(None);
    }

    /// Waits for connections in flight, `at_most` this long.
    pub async fn drain(mut self, at_most: Duration) {
        let drained = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(at_most, drained).await.is_err() {
            tracing::warn!(open = self.tasks.len(), "web connections cut off at shutdown");
            self.tasks.shutdown().await;
        }
    }

    /// Closes the longest-idle connection, of one client or of all. Its count is freed immediately; its task ends
    /// shortly after.
    fn close_longest_idle(&mut self, of: Option<ClientNetwork>) {
        let candidates = self.open.iter().filter(|(_, open)| of.is_none() || open.client == of);
        let idle = candidates.filter_map(|(id, open)| Some((open.activity.idle_since()?, *id)));
        if let Some((since, id)) = idle.min_by_key(|(since, _)| *since)
            && self.open.get(&id).is_some_and(|open| open.activity.close(since))
        {
            self.forget(id);
        }
    }

    fn forget(&mut self, id: Id) {
        let Some(client) = self.open.remove(&id).and_then(|open| open.client) else { return };
        if let Some(open) = self.by_client.get_mut(&client) {
            *open -= 1;
            if *open == 0 {
                self.by_client.remove(&client);
            }
        }
    }

    /// Logs the refusal with the client that has the most connections.
    fn log_refusal(&self) {
        let Some(skipped) = self.log_throttle.pass() else { return };
        let client = self.by_client.iter().max_by_key(|(_, open)| **open);
        let (client, open) =
            client.map_or_else(Default::default, |(client, open)| (client.to_string(), *open));
        let (most, most_of_client) = (self.most, self.most_of_client);
        tracing::warn!(
            client,
            open,
            most_of_client,
            most,
            skipped,
            "all connections in use: closing idle connections"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::web::limits::shares::Shares;
    use std::net::IpAddr;

    fn connections(most: usize, most_of_client: usize) -> Connections {
        Connections::new(most, most_of_client, Throttle::new(Clock::system()))
    }

    fn client(n: u8) -> Option<ClientNetwork> {
        Some(ClientNetwork::of(IpAddr::from([198, 51, 100, n])))
    }

    impl Connections {
        /// Opens one more connection as `server` does; it lasts until it is closed.
        async fn one_more(&mut self, client: Option<ClientNetwork>) -> Arc<Activity> {
            self.make_room(client).await;
            let mut made = None;
            self.spawn(client, |activity| {
                made = Some(Arc::clone(&activity));
                async move { activity.closed().await }
            });
            made.unwrap()
        }
    }

    fn is_closed(activity: &Activity) -> bool {
        activity.state.load(Ordering::Relaxed) == CLOSED
    }

    #[tokio::test]
    async fn longest_idle_connection_makes_room() {
        let places = Shares::new(Clock::system(), "requests of a test", 10, 10);
        let place = || places.take(IpAddr::from([198, 51, 100, 1])).ok();
        let mut connections = connections(3, 3);
        let (busy, asked, quiet) = (
            connections.one_more(client(1)).await,
            connections.one_more(client(2)).await,
            connections.one_more(client(3)).await,
        );
        assert!(busy.begin(place()) && asked.begin(place()));
        asked.answered();
        asked.flushed();
        let late = connections.one_more(client(4)).await;
        assert!(is_closed(&quiet) && !is_closed(&asked), "it was idle before the one that had asked");
        let _later = connections.one_more(client(4)).await;
        assert!(is_closed(&asked) && !is_closed(&busy) && !is_closed(&late));
        assert!(!quiet.begin(place()), "nothing is done for one that was closed");
        assert_eq!((connections.tasks.len(), connections.open.len()), (3, 3));
    }

    #[tokio::test]
    async fn one_client_makes_room_for_itself() {
        let mut connections = connections(10, 2);
        let other = connections.one_more(client(2)).await;
        let mut of_one = Vec::new();
        for _ in 0..5 {
            of_one.push(connections.one_more(client(1)).await);
        }
        assert_eq!(
            of_one.iter().map(|it| is_closed(it)).collect::<Vec<_>>(),
            [true, true, true, false, false]
        );
        assert!(!is_closed(&other));
        for _ in 0..6 {
            connections.one_more(None).await;
        }
        assert!(!is_closed(&other), "a proxy brings many");
    }

    #[tokio::test]
    async fn response_is_open_until_written() {
        let places = Shares::new(Clock::system(), "requests of a test", 1, 1);
        let client = IpAddr::from([198, 51, 100, 1]);
        let activity = Activity::new();
        assert!(activity.begin(places.take(client).ok()));
        activity.flushed();
        assert!(activity.idle_since().is_none(), "what is written before the answer ends nothing");
        activity.answered();
        assert!(activity.idle_since().is_none() && places.take(client).is_err());
        activity.flushed();
        assert!(activity.idle_since().is_some() && places.take(client).is_ok());

        assert!(activity.begin(None));
        assert!(activity.idle_since().is_some(), "what has no place makes room");
    }
}
