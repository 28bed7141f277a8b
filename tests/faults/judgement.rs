//! Checks the result of a run: compares acknowledged submissions, the database, the messages in Slack and the
//! recorded faults.

use crate::cast::Cast;
use crate::damage::Struck;
use crate::people::Told;
use crate::repeats::told_often_enough;
use chrono::{DateTime, TimeDelta, Utc};
use esb::domain::delivery::{DeliveryKind, DeliveryState};
use esb::domain::ids::EquipmentId;
use esb::store::Store;
use esb::store::entities::{audit, card, delivery, delivery_attempt, me_too, repair, request, timeline};
use esb_sandbox::{Call, Sandbox};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// Interval for checking whether everything is delivered.
const ASK: Duration = Duration::from_millis(250);

/// Interval for printing how much is pending.
const SAY: Duration = Duration::from_secs(30);
/// Longest wait for a retry: the back-off is minutes after the fourth failure and an hour after the sixth.
const FURTHEST: Duration = Duration::from_secs(120);
/// Maximum number of early retries per delivery; a failure after them is not caused by the faults.
const FORWARD_MAX: usize = 10;

/// Waits until nothing is pending, at most `limit` after the last due time or lease, and again after each
/// delivery. Deliveries that failed often are retried early, a few times.
pub async fn settled(store: &Store, limit: Duration, say: impl Fn(&str)) -> Result<(), String> {
    let (mut least, mut progress, mut said, mut forward) = (usize::MAX, Instant::now(), Instant::now(), 0);
    loop {
        let pending = delivery::Entity::find().filter(delivery::Column::State.is_in(DeliveryState::PENDING));
        let pending = pending.all(store.read()).await.unwrap();
        if pending.is_empty() {
            return Ok(());
        }
        if said.elapsed() > SAY {
            say(&format!("{} deliveries are owed", pending.len()));
            said = Instant::now();
        }
        if pending.len() < least {
            (least, progress) = (pending.len(), Instant::now());
        }
        let now = store.time().await.unwrap();
        let next = pending.iter().map(|delivery| delivery.leased_until.unwrap_or(delivery.due_at)).max();
        let wait = next.map_or(TimeDelta::zero(), |next| next - now).to_std().unwrap_or_default();
        if wait.is_zero() && progress.elapsed() > limit {
            return Err(format!("still owed after {} s: {pending:#?}", limit.as_secs()));
        }
        if wait > FURTHEST {
            forward += 1;
            if forward > FORWARD_MAX {
                return Err(format!("fails again and again, though all is well: {pending:#?}"));
            }
            bring_forward(store).await;
        }
        if !wait.is_zero() {
            progress = Instant::now();
        }
        sleep(ASK).await;
    }
}

/// Retries now what would be retried after more than two minutes.
async fn bring_forward(store: &Store) {
    let now = store.time().await.unwrap();
    delivery::Entity::update_many()
        .col_expr(delivery::Column::DueAt, Expr::value(now))
        .filter(delivery::Column::State.eq(DeliveryState::Failed))
        .filter(delivery::Column::DueAt.gt(now + FURTHEST))
        .exec(store.write())
        .await
        .unwrap();
}

/// Everything that is compared.
pub struct Evidence {
    pub repairs: Vec<repair::Model>,
    pub deliveries: Vec<delivery::Model>,
    /// Channel names by id.
    pub channels: HashMap<String, String>,
    /// Every `chat.postMessage`.
    pub calls: Vec<Call>,
    /// Every search for a message in doubt.
    pub looks: Vec<Call>,
    /// The messages in Slack.
    pub messages: Vec<esb_sandbox::Message>,
}

impl Evidence {
    /// Deliveries of new messages; the others edit cards.
    fn pending_for_jobs(&self) -> impl Iterator<Item = &delivery::Model> {
        self.deliveries.iter().filter(|delivery| delivery.kind == DeliveryKind::Message)
    }
}

/// Repeats and delays of all deliveries.
#[derive(Default)]
pub struct Found {
    pub wrong: Vec<String>,
    /// Repeated messages.
    pub repeats: usize,
    /// The number of repeats that faults explain.
    pub explained: usize,
    /// Messages whose answers were lost.
    pub lost: usize,
    /// Time from commit to announcement.
    pub longest: TimeDelta,
}

/// A summary line and all violations; `event_judgement` checks the events.
pub async fn judge(
    store: &Store,
    slack: &Sandbox,
    cast: &Cast,
    told: &Told,
    struck: &Struck,
    stage: EquipmentId,
) -> (String, Vec<String>) {
    let db = store.read();
    let world = slack.world();
    let (of_stage, repairs): (Vec<_>, Vec<_>) = repair::Entity::find()
        .all(db)
        .await
        .unwrap()
        .into_iter()
        .partition(|repair| repair.equipment_id == stage);
    let mut deliveries = delivery::Entity::find().all(db).await.unwrap();
    deliveries.retain(|delivery| !of_stage.iter().any(|repair| is_of(delivery, repair)));
    let evidence = Evidence {
        repairs,
        deliveries,
        channels: world
            .channels
            .into_iter()
            .map(|channel| (channel.id, format!("#{}", channel.name)))
            .collect(),
        calls: slack.calls("chat.postMessage"),
        looks: slack.calls("conversations.history"),
        messages: slack.messages(),
    };
    let mut found = Found::default();
    every_report_is_there_once(&evidence, told, &mut found);
    histories_are_whole(store, &evidence, &mut found).await;
    for delivery in evidence.pending_for_jobs() {
        told_often_enough(&evidence, delivery, struck, &mut found);
    }
    lanes_are_in_order(&evidence, &mut found);
    cards_are_right(store, &evidence, &mut found).await;
    me_toos_are_there(store, told, &mut found).await;
    migrated_once(store, cast, &mut found).await;
    found
        .wrong
        .extend(slack.complaints().into_iter().map(|complaint| format!("Slack complains: {complaint}")));
    if told.reports.is_empty() {
        found.wrong.push("nobody reported anything".into());
    }
    (summary(slack, told, struck, &found), found.wrong)
}

fn every_report_is_there_once(evidence: &Evidence, told: &Told, found: &mut Found) {
    for report in &told.reports {
        let times = evidence.repairs.iter().filter(|repair| repair.description == report.mark);
        let equipment: Vec<_> = times.map(|repair| repair.equipment_id).collect();
        if equipment != [report.equipment] {
            found.wrong.push(format!(
                "{} times there, not once: {} (acknowledged {})",
                equipment.len(),
                report.mark,
                report.acknowledged
            ));
        }
    }
    if evidence.repairs.len() != told.reports.len() {
        let (there, taken) = (evidence.repairs.len(), told.reports.len());
        found.wrong.push(format!("{there} repairs, though {taken} reports were acknowledged"));
    }
}

async fn histories_are_whole(store: &Store, evidence: &Evidence, found: &mut Found) {
    let db = store.read();
    let timeline = timeline::Entity::find().all(db).await.unwrap();
    let audit = audit::Entity::find().all(db).await.unwrap();
    let requests = request::Entity::find().all(db).await.unwrap();
    let attempts = delivery_attempt::Entity::find().all(db).await.unwrap();
    for repair in &evidence.repairs {
        let lanes =
            evidence.pending_for_jobs().filter(|d| d.lane.starts_with(&format!("repair:{}:", repair.id)));
        let counts = (
            timeline.iter().filter(|entry| entry.repair_id == repair.id).count(),
            audit.iter().filter(|entry| entry.noun == "repair" && entry.noun_id == repair.id.0).count(),
            requests.iter().filter(|r| r.answer.contains(&format!("\"repair\":{},", repair.id))).count(),
            lanes.count(),
        );
        if counts != (1, 1, 1, 2) {
            found
                .wrong
                .push(format!("timeline, audit, request, deliveries of {}: {counts:?}", repair.description));
        }
    }
    for delivery in &evidence.deliveries {
        let of_it = attempts.iter().filter(|attempt| attempt.delivery_id == delivery.id);
        let arrived = |a: &delivery_attempt::Model| {
            a.outcome == "delivered" || delivery.kind == DeliveryKind::Edit && a.outcome == "nothing_to_do"
        };
        if delivery.state != DeliveryState::Delivered || !of_it.clone().any(arrived) {
            found.wrong.push(format!("not delivered: {delivery:?}"));
        }
    }
}

/// Whether a delivery is about a repair.
pub fn is_of(delivery: &delivery::Model, repair: &repair::Model) -> bool {
    delivery.lane == format!("repair:{}:{}", repair.id, delivery.target)
}

/// Slack's timestamp as a time.
pub fn time(ts: &str) -> DateTime<Utc> {
    let micros: i64 = ts.replace('.', "").parse().unwrap();
    DateTime::from_timestamp_micros(micros).unwrap()
}

/// Within a lane, an earlier delivery finished before a later one.
fn lanes_are_in_order(evidence: &Evidence, found: &mut Found) {
    let mut lanes: BTreeMap<&str, Vec<&delivery::Model>> = BTreeMap::new();
    for delivery in evidence.pending_for_jobs() {
        lanes.entry(&delivery.lane).or_default().push(delivery);
    }
    for (lane, mut deliveries) in lanes {
        deliveries.sort_by_key(|delivery| delivery.id);
        if !deliveries.is_sorted_by_key(|delivery| delivery.posted_ts.as_deref().map(time)) {
            found.wrong.push(format!("not in order: {lane}"));
        }
    }
}

/// Every card is in its channel and shows the current repair with its "Me too" count.
async fn cards_are_right(store: &Store, evidence: &Evidence, found: &mut Found) {
    let cards = card::Entity::find().all(store.read()).await.unwrap();
    let me_toos = me_too::Entity::find().all(store.read()).await.unwrap();
    for repair in &evidence.repairs {
        let cards: Vec<_> = cards.iter().filter(|card| card.repair_id == repair.id).collect();
        if cards.len() != 2 {
            found.wrong.push(format!("{} cards of {}", cards.len(), repair.description));
        }
        let people = me_toos.iter().filter(|row| row.repair_id == repair.id).count();
        let words = match people {
            0 => repair.description.clone(),
            1 => "1 other too".to_owned(),
            people => format!("{people} others too"),
        };
        for card in cards {
            let shown = evidence.messages.iter().find(|message| {
                Some(&message.channel) == card.channel.as_ref() && Some(&message.ts) == card.ts.as_ref()
            });
            let right = shown.is_some_and(|m| {
                m.shown().contains(&words) && m.text.contains(&repair.description) && m.thread_ts.is_none()
            });
            if !right || card.rendered_version != card.desired_version {
                found.wrong.push(format!("not right: {card:?} with {people} me toos: {shown:?}"));
            }
        }
    }
}

async fn me_toos_are_there(store: &Store, told: &Told, found: &mut Found) {
    let rows = me_too::Entity::find().all(store.read()).await.unwrap();
    for (repair, person) in &told.me_toos {
        let times = rows.iter().filter(|row| row.repair_id.0 == *repair && row.person_key == *person).count();
        if times != 1 {
            found.wrong.push(format!("{times} me toos of {person} on {repair}, not one"));
        }
    }
}

async fn migrated_once(store: &Store, cast: &Cast, found: &mut Found) {
    let steps = store.migrations().await.unwrap();
    let applied = |log: String| -> u64 {
        let lines = log.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        lines.filter_map(|line| line["steps"].as_u64()).sum()
    };
    let times: u64 = cast.logs().iter().map(|log| applied(fs::read_to_string(log).unwrap())).sum();
    if times != steps.len() as u64 || steps.iter().any(|(_, applied)| !applied) {
        found.wrong.push(format!("{} steps of the schema were applied {times} times", steps.len()));
    }
}

fn summary(slack: &Sandbox, told: &Told, struck: &Struck, found: &Found) -> String {
    let faults = slack.all_calls().iter().filter(|call| call.fault.is_some()).count();
    let Struck { kills, stops, cuts, connections, leased } = struck;
    format!(
        "{} reports, {} me toos on the web, {} tried again; {kills} kills (hit {} leases), {stops} stops, {cuts} cuts \
         of the database, {faults} faults of Slack, {connections} of its connections; {} answers to \
         messages lost; repeats {} of {} explained; longest from commit to announcement {:.1} s",
        told.reports.len(),
        told.me_toos.len(),
        told.repeated,
        leased.values().sum::<usize>(),
        found.lost,
        found.repeats,
        found.explained,
        found.longest.as_seconds_f64(),
    )
}
