//! The subjects of events: repairs with cards for replies and reactions, technicians who react, and people
//! with accounts who leave Slack. Separate from reported repairs, whose histories are counted exactly.

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
use esb::ops::repairs::report_problem::{ReportProblem, report_problem};
use esb::ops::{Announce, Ctx};
use esb::store::users::NewUser;
use esb::store::{self, Store};
use esb_sandbox::{Channel, Message, Person, Sandbox, World};
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// Number of repairs with cards, so that replies do not all wait for one lock.
const REPAIRS: usize = 4;
/// Technicians who react.
pub const TECHNICIANS: [&str; 2] = ["tess", "tom"];
const CHANNEL: &str = "C0THREADS";

/// Cheap to clone.
#[derive(Clone)]
pub struct Stage {
    pub equipment: EquipmentId,
    /// A card and its repair.
    pub cards: Vec<(Message, RepairId)>,
    /// People who leave, by name, with their accounts.
    pub leavers: Vec<(String, UserId)>,
}

/// The number of people who can leave in that time.
fn leavers(length: Duration) -> impl Iterator<Item = String> {
    (0..length.as_secs() / 2 + 2).map(|number| format!("leaver{number}"))
}

pub fn slack_id(name: &str) -> String {
    format!("U0{}", name.to_uppercase())
}

/// Adds the channel and the people to a workspace.
pub fn enter(world: World, length: Duration) -> World {
    let mut world = world.channel(Channel::new(CHANNEL, "threads"));
    world.scopes.push("reactions:read".to_owned());
    let people = TECHNICIANS.map(str::to_owned).into_iter().chain(leavers(length));
    people.fold(world, |world, name| world.person(Person::new(&slack_id(&name), &name, &name)))
}

impl Stage {
    /// Creates the repairs and waits until their cards are recorded.
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
        let equipment = equipment(&ctx).await;
        let mut repairs = Vec::new();
        for number in 0..REPAIRS {
            repairs.push(report(&ctx, equipment, number).await);
        }
        let cards = cards(store, slack, &repairs).await;
        Self { equipment, cards, leavers: people }
    }
}

async fn equipment(ctx: &Ctx) -> EquipmentId {
    let (db, now) = (ctx.store.write(), ctx.clock.now());
    let details = AreaDetails {
        name: AreaName::parse("Thread shop").unwrap(),
        slack_channel: ChannelRef::parse("#threads"),
        sort_order: 0,
    };
    let area = store::areas::add(db, &details, now).await.unwrap();
    let equipment = EquipmentDetails::bare(EquipmentName::parse("Sewing machine").unwrap(), area);
    store::equipment::add(db, &equipment, now).await.unwrap()
}

/// Creates an account for a person in Slack.
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

async fn report(ctx: &Ctx, equipment: EquipmentId, number: usize) -> RepairId {
    let report = ReportProblem {
        equipment,
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

/// Waits for all cards.
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
