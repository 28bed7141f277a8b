//! Executes the schedule and records its effects.

use crate::cast::{Cast, Gone};
use crate::proxy::Proxy;
use crate::schedule::{Blow, Event};
use esb::domain::delivery::DeliveryState;
use esb::domain::ids::DeliveryId;
use esb::store::Store;
use esb::store::entities::delivery;
use esb_sandbox::{Fault, Sandbox};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

/// Longest time for which SQLite's write lock is held; shorter than a statement's timeout.
const LOCKED: Duration = Duration::from_secs(4);

/// Number of messages that Slack answers late before a kill.
const SLOW_SENDS: usize = 4;

/// Cheap to clone.
#[derive(Clone)]
pub struct Damage(Arc<Parts>);

struct Parts {
    slack: Sandbox,
    cast: Cast,
    store: Store,
    /// The proxy in front of the database; none for SQLite.
    proxy: Option<Proxy>,
    struck: Mutex<Struck>,
}

/// What the faults affected.
#[derive(Default, Clone)]
pub struct Struck {
    pub kills: usize,
    pub stops: usize,
    pub cuts: usize,
    /// Connections of Socket Mode.
    pub connections: usize,
    /// The number of kills during a lease, per delivery.
    pub leased: HashMap<DeliveryId, usize>,
}

impl Damage {
    pub fn new(slack: Sandbox, cast: Cast, store: Store, proxy: Option<Proxy>) -> Self {
        Self(Arc::new(Parts { slack, cast, store, proxy, struck: Mutex::default() }))
    }

    /// Executes the faults at their times. Everything is restored when it returns.
    pub async fn strike(&self, events: Vec<Event>, length: Duration) -> Struck {
        let started = Instant::now();
        let mut going_on = JoinSet::new();
        for event in events {
            sleep_until(started + event.at).await;
            let (this, left) = (self.clone(), length - event.at);
            going_on.spawn(async move { this.blow(event.what, left).await });
        }
        sleep_until(started + length).await;
        going_on.join_all().await;
        if let Some(proxy) = &self.0.proxy {
            proxy.restore();
        }
        self.0.slack.clear_faults();
        self.0.struck.lock().unwrap().clone()
    }

    /// Executes one fault, at most for `left`.
    async fn blow(&self, blow: Blow, left: Duration) {
        let (cast, slack) = (&self.0.cast, &self.0.slack);
        cast.note(&format!("{blow:?}"));
        match blow {
            Blow::Kill { whom, slow, down } => {
                let whom = whom % cast.len();
                if let Some(slow) = slow {
                    self.slow_down(slow);
                    sleep(slow.min(left)).await;
                }
                if let Some(gone) = cast.kill(whom) {
                    self.killed(&gone).await;
                    sleep(down.min(left)).await;
                    cast.start_again(whom);
                }
            }
            Blow::Stop { whom, down } => {
                let whom = whom % cast.len();
                if cast.stop(whom).await {
                    self.note(|struck| struck.stops += 1);
                    sleep(down.min(left)).await;
                    cast.start_again(whom);
                }
            }
            Blow::Slack { method, fault, times } => {
                for _ in 0..times {
                    slack.fail_next(method, fault);
                }
            }
            Blow::Refuse(_) | Blow::Reset | Blow::Stall { .. } | Blow::Strand => self.cut(blow, left).await,
            Blow::Leave { .. } | Blow::Close { .. } | Blow::Cut { .. } | Blow::Freeze { .. } => {
                self.disconnect(blow, left).await;
            }
        }
    }

    /// Slack accepts the next messages and answers after twice that time.
    fn slow_down(&self, slow: Duration) {
        for _ in 0..SLOW_SENDS {
            self.0.slack.fail_next("chat.postMessage", Fault::Delay(2 * slow));
        }
    }

    /// Reads the leases of a killed process; they stay until they expire.
    async fn killed(&self, gone: &Gone) {
        self.note(|struck| struck.kills += 1);
        let Some(worker) = &gone.worker else { return };
        let leased = delivery::Entity::find()
            .filter(delivery::Column::Lease.eq(worker.as_str()))
            .filter(delivery::Column::State.eq(DeliveryState::Sending));
        let leased = leased.all(self.0.store.read()).await.unwrap();
        self.note(|struck| {
            for delivery in leased {
                *struck.leased.entry(delivery.id).or_default() += 1;
            }
        });
    }

    async fn cut(&self, blow: Blow, left: Duration) {
        let Some(proxy) = &self.0.proxy else {
            if let Blow::Refuse(time) | Blow::Stall { time, .. } = blow {
                self.note(|struck| struck.cuts += 1);
                let writing = self.0.store.begin().await.unwrap();
                sleep(time.min(LOCKED).min(left)).await;
                writing.rollback().await.unwrap();
            }
            return;
        };
        self.note(|struck| struck.cuts += 1);
        match blow {
            Blow::Refuse(time) => {
                proxy.refuse();
                sleep(time.min(left)).await;
            }
            Blow::Stall { time, then_break } => {
                proxy.stall();
                sleep(time.min(left)).await;
                if then_break {
                    proxy.reset();
                }
            }
            Blow::Strand => return proxy.stall_existing(),
            _ => return proxy.reset(),
        }
        proxy.restore();
    }

    async fn disconnect(&self, blow: Blow, left: Duration) {
        let wire = self.0.slack.wire();
        let open: Vec<u64> = wire.connections().iter().filter(|c| c.is_open()).map(|c| c.number).collect();
        let (Blow::Leave { which, .. }
        | Blow::Close { which }
        | Blow::Cut { which }
        | Blow::Freeze { which, .. }) = blow
        else {
            return;
        };
        let Some(connection) = open.get(which % open.len().max(1)).copied() else { return };
        self.note(|struck| struck.connections += 1);
        match blow {
            Blow::Leave { reason, after, .. } => {
                wire.disconnect(connection, reason);
                sleep(after.min(left)).await;
            }
            Blow::Freeze { time, .. } => {
                wire.freeze(connection);
                sleep(time.min(left)).await;
            }
            Blow::Close { .. } => {
                wire.close(connection);
                return;
            }
            _ => {}
        }
        wire.cut(connection);
    }

    fn note(&self, what: impl FnOnce(&mut Struck)) {
        what(&mut self.0.struck.lock().unwrap());
    }
}
