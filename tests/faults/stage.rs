//! What events are about: repairs whose cards people reply and react to, technicians who react, and people with
//! accounts who leave Slack. Kept apart from what people report, whose histories are counted entry by entry.

use crate::PATIENCE;
use crate::cast::LOOK;
use esb::clock::Clock;
use esb::domain::actor::{Actor, Edge, Role, SlackUserId};
use esb::domain::area::AreaDetails;
use esb::domain::channel::ChannelRef;
use esb::domain::equipment::EquipmentDetails;
use esb::domain::ids::{EquipmentId, RepairId, UserId};
use esb::domain::repair::Severity;
use esb::domain::text::{
    AreaName, Description, EmailAddress, EquipmentName, PersonName, RequestId, Username,
};
use esb::ops::report_problem::{ReportProblem, report_problem};
use esb::ops::{Announce, Ctx};
use esb::store::users::NewUser;
use esb::store::{self, Store};
use esb_sandbox::{Channel, Message, Person, Sandbox, World};
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// Repairs with a card each, so that not all replies wait for one lock.
const REPAIRS: usize = 4;
/// Who reacts.
pub const TECHNICIANS: [&str; 2] = ["tess", "tom"];
const CHANNEL: &str = "C0THREADS";

/// What events are about; cheap to clone.
#[derive(Clone)]
pub struct Stage {
    pub machine: EquipmentId,
    /// The card and the repair that it shows.
    pub cards: Vec<(Message, RepairId)>,
    /// People who leave, by name, with their accounts.
    pub leavers: Vec<(String, UserId)>,
}

/// How many people can leave in that time.
fn leavers(length: Duration) -> impl Iterator<Item = String> {
    (0..length.as_secs() / 2 + 2).map(|number| format!("leaver{number}"))
}

pub fn slack_id(name: &str) -> String {
    format!("U0{}", name.to_uppercase())
}

/// Adds the channel and everybody to a workspace.
pub fn enter(world: World, length: Duration) -> World {
    let mut world = world.channel(Channel::new(CHANNEL, "threads"));
    world.scopes.push("reactions:read".to_owned());
    let people = TECHNICIANS.map(str::to_owned).into_iter().chain(leavers(length));
    people.fold(world, |world, name| world.person(Person::new(&slack_id(&name), &name, &name)))
}

impl Stage {
    /// Makes it, and waits until the cards are recorded.
    pub async fn set(store: &Store, slack: &Sandbox, length: Duration) -> Self {
        let oops = ChannelRef::parse("#oops");
        let ctx = Ctx::new(store.clone(), Clock::system(), Announce::Slack { oops });
        for (key, value) in [("notify_assignee_changed", "false"), ("notify_status_changed", "false")] {
            store::settings::set(store.write(), key, value, ctx.clock.now()).await.unwrap();
        }
        for name in TECHNICIANS {
            account(&ctx, name).await;
        }
        let mut people = Vec::new();
        for name in leavers(length) {
            let id = account(&ctx, &name).await;
            people.push((name, id));
        }
        let machine = machine(&ctx).await;
        let mut repairs = Vec::new();
        for number in 0..REPAIRS {
            repairs.push(report(&ctx, machine, number).await);
        }
        let cards = cards(store, slack, &repairs).await;
        Self { machine, cards, leavers: people }
    }
}

async fn machine(ctx: &Ctx) -> EquipmentId {
    let (db, now) = (ctx.store.write(), ctx.clock.now());
    let details = AreaDetails {
        name: AreaName::parse("Thread shop").unwrap(),
        slack_channel: ChannelRef::parse("#threads"),
        sort_order: 0,
    };
    let area = store::areas::add(db, &details, now).await.unwrap();
    let machine = EquipmentDetails::bare(EquipmentName::parse("Sewing machine").unwrap(), area);
    store::equipment::add(db, &machine, now).await.unwrap()
}

/// The account of somebody who is known in Slack.
async fn account(ctx: &Ctx, name: &str) -> UserId {
    let (db, username) = (ctx.store.write(), Username::parse(name).unwrap());
    let email = EmailAddress::parse(&format!("{name}@example.org")).unwrap();
    let new = NewUser {
        username: &username,
        email: &email,
        role: Role::Technician,
        slack_handle: None,
        password_hash: "none".to_owned(),
        must_change_password: false,
    };
    let id = store::users::add(db, new, ctx.clock.now()).await.unwrap();
    store::users::link(db, id, &SlackUserId(slack_id(name))).await.unwrap();
    id
}

async fn report(ctx: &Ctx, machine: EquipmentId, number: usize) -> RepairId {
    let report = ReportProblem {
        equipment: machine,
        reporter_name: PersonName::parse("Stage").unwrap(),
        reporter_email: None,
        description: Description::parse(&format!("Seam {number} comes off.")).unwrap(),
        severity: Severity::Degraded,
        safety_risk: false,
        consumable: false,
        note: None,
        request_id: RequestId::from_random(rand::random()),
    };
    report_problem(ctx, &Actor::visitor(Edge::Web, "Stage"), report).await.unwrap().repair
}

/// The cards, once all are recorded.
async fn cards(store: &Store, slack: &Sandbox, repairs: &[RepairId]) -> Vec<(Message, RepairId)> {
    let (began, mut found) = (Instant::now(), Vec::new());
    for repair in repairs {
        loop {
            let cards = store::cards::of(store.read(), *repair).await.unwrap();
            let card = cards.into_iter().find(|card| card.channel.as_deref() == Some(CHANNEL));
            if let Some(ts) = card.and_then(|card| card.ts) {
                let is_it = |message: &Message| message.channel == CHANNEL && message.ts == ts;
                found.push((slack.messages().into_iter().find(is_it).expect("a card"), *repair));
                break;
            }
            assert!(began.elapsed() < PATIENCE, "no card of {repair}");
            sleep(LOOK).await;
        }
    }
    found
}
