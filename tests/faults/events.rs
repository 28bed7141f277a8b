//! People who reply to cards, react to them and leave Slack. Slack repeats unacknowledged events, as the real
//! one does; people send nothing twice.

use crate::people::MEMBERS;
use crate::stage::{Stage, TECHNICIANS};
use chrono::{DateTime, Utc};
use esb::domain::ids::{RepairId, UserId};
use esb_sandbox::{Delivered, EventFate, EventRecord, Sandbox};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

/// Delays of Slack's repetitions; the second and third are shorter than the real ones.
pub const REDELIVERY: [Duration; 3] = [Duration::ZERO, Duration::from_secs(4), Duration::from_secs(12)];
/// Longest time until an event is acknowledged or given up: four timeouts of 3 s and the delays.
const FATE: Duration = Duration::from_secs(60);
/// Time between two claims of one repair.
const CLAIM: Duration = Duration::from_millis(1_500);
/// Time between two departures.
const LEAVE: Duration = Duration::from_millis(2_500);

/// An event and its subject.
pub struct SentEvent<T> {
    pub about: T,
    pub at: DateTime<Utc>,
    pub event_id: String,
    pub record: EventRecord,
}

impl<T> SentEvent<T> {
    pub fn is_acknowledged(&self) -> bool {
        self.record.fate == EventFate::Acknowledged
    }
}

/// All events.
#[derive(Default)]
pub struct SentEvents {
    /// The text of the reply.
    pub replies: Vec<SentEvent<String>>,
    /// The repair that was claimed.
    pub claims: Vec<SentEvent<RepairId>>,
    /// The account of the person who left.
    pub departures: Vec<SentEvent<UserId>>,
    /// Events without an outcome.
    pub troubles: Vec<String>,
}

/// All people who cause events; cheap to clone.
#[derive(Clone)]
pub struct Audience(Arc<Parts>);

struct Parts {
    slack: Sandbox,
    stage: Stage,
    /// Replies a second.
    rate: u32,
    end: Instant,
    sent: Mutex<SentEvents>,
}

impl Audience {
    pub fn new(slack: Sandbox, stage: Stage, rate: u32, length: Duration) -> Self {
        let end = Instant::now() + length;
        Self(Arc::new(Parts { slack, stage, rate, end, sent: Mutex::default() }))
    }

    /// Runs until the end, and until each event is acknowledged or given up.
    pub async fn live(self) -> SentEvents {
        let mut everybody = JoinSet::new();
        everybody.spawn(self.clone().reply());
        everybody.spawn(self.clone().leave());
        for which in 0..self.0.stage.cards.len() {
            everybody.spawn(self.clone().claim(which));
        }
        everybody.join_all().await;
        std::mem::take(&mut self.0.sent.lock().unwrap())
    }

    fn is_over(&self) -> bool {
        Instant::now() > self.0.end
    }

    async fn reply(self) {
        let mut ticks = interval(Duration::from_secs(1) / self.0.rate.max(1));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut replies = JoinSet::new();
        for number in 0.. {
            ticks.tick().await;
            if self.is_over() || self.0.rate == 0 {
                break;
            }
            replies.spawn(self.clone().reply_once(number));
        }
        replies.join_all().await;
    }

    async fn reply_once(self, number: usize) {
        let Parts { slack, stage, .. } = &*self.0;
        let (card, _) = &stage.cards[number % stage.cards.len()];
        let who = MEMBERS[number % MEMBERS.len()];
        let (text, at) = (format!("{who} adds note {number}."), Utc::now());
        let said = slack.say(who, &card.channel, &text, Some(&card.ts)).await.unwrap();
        self.follow(text, at, said, |sent| &mut sent.replies).await;
    }

    /// Technicians claim a repair in turns.
    async fn claim(self, which: usize) {
        let Parts { slack, stage, .. } = &*self.0;
        let (card, repair) = &stage.cards[which];
        for number in 0.. {
            sleep(CLAIM).await;
            if self.is_over() {
                return;
            }
            let (who, at) = (TECHNICIANS[number % TECHNICIANS.len()], Utc::now());
            let reacted = slack.react(who, card, "eyes").await.unwrap();
            self.follow(*repair, at, reacted, |sent| &mut sent.claims).await;
        }
    }

    async fn leave(self) {
        let mut departures = JoinSet::new();
        for (name, account) in self.0.stage.leavers.clone() {
            sleep(LEAVE).await;
            if self.is_over() {
                break;
            }
            let this = self.clone();
            departures.spawn(async move {
                let (slack, at) = (&this.0.slack, Utc::now());
                slack.change_world(|world| {
                    let person = world.people.iter_mut().find(|person| person.name == name);
                    person.expect("a person").deleted = true;
                });
                let left = slack.user_changed(&name).await.unwrap();
                this.follow(account, at, left, |sent| &mut sent.departures).await;
            });
        }
        departures.join_all().await;
    }

    /// Waits for the outcome of an event and records it.
    async fn follow<T>(
        &self,
        about: T,
        at: DateTime<Utc>,
        delivered: Delivered,
        among: impl FnOnce(&mut SentEvents) -> &mut Vec<SentEvent<T>>,
    ) {
        let event_id = delivered.event_id;
        let record = self.0.slack.wait_for_fate(&event_id, FATE).await;
        let mut sent = self.0.sent.lock().unwrap();
        match record {
            Some(record) => among(&mut sent).push(SentEvent { about, at, event_id, record }),
            None => sent.troubles.push(format!("neither acknowledged nor given up: {event_id}")),
        }
    }
}
