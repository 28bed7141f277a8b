//! The fault program: people report problems to several processes while these are killed, the database is cut
//! off and Slack misbehaves. In the end every acknowledged report exists once and is announced in each
//! channel. A message is repeated only if a kill explains it, or an answer that was lost before anyone could
//! search for the message. People also reply to cards, react to them and leave Slack: Slack repeats
//! unacknowledged events, and each acknowledged event is handled once.
//!
//! `ESB_FAULTS_SEED` replays a schedule of faults. It does not replay the timing of threads, processes and
//! the network, so a replay may not fail again. `ESB_FAULTS_SECONDS` is the duration of the faults (default
//! 20); delivering the rest takes additional time. `ESB_FAULTS_REPLIES` is the number of thread replies per
//! second (default 3). `ESB_FAULTS_SECONDS=220 ESB_FAULTS_REPLIES=7` makes about 1,500 replies over 36 kills.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod browser;
mod cast;
mod damage;
mod event_judgement;
mod events;
mod judgement;
mod people;
mod repeats;
mod schedule;
mod stage;

#[path = "../it/support/database.rs"]
#[allow(dead_code, reason = "tests/it uses the rest")]
mod database;
#[path = "../it/support/proxy.rs"]
#[allow(dead_code, reason = "tests/it uses the rest")]
mod proxy;

use cast::Cast;
use damage::Damage;
use database::{Kind, TestDatabase};
use esb::domain::area::AreaDetails;
use esb::domain::channel::ChannelRef;
use esb::domain::equipment::EquipmentDetails;
use esb::domain::text::{AreaName, EquipmentName};
use esb::store::{self, Store};
use esb_sandbox::{Channel, Options, Person, Sandbox, World};
use events::Audience;
use people::People;
use proxy::Proxy;
use stage::Stage;
use std::io::Write;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Default of `ESB_FAULTS_SECONDS`.
const SECONDS: u64 = 20;
/// Default of `ESB_FAULTS_REPLIES`.
const REPLIES: u64 = 3;
/// Longest wait for what takes seconds on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

#[tokio::test(flavor = "multi_thread")]
async fn on_sqlite() {
    run(Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_mariadb() {
    run(Kind::MariaDb).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgres() {
    run(Kind::Postgres).await;
}

/// Prints a line, also for tests that pass.
fn say(line: &str) {
    let _ = std::io::stderr().write_all(format!("faults: {line}\n").as_bytes());
}

fn number(variable: &str) -> Option<u64> {
    let value = std::env::var(variable).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{variable}={value}: say a number")))
}

/// The seed of this run, the same for each database.
fn seed() -> u64 {
    static SEED: OnceLock<u64> = OnceLock::new();
    *SEED.get_or_init(|| number("ESB_FAULTS_SEED").unwrap_or_else(|| u64::from(rand::random::<u32>())))
}

async fn run(kind: Kind) {
    if !kind.is_available() {
        assert!(std::env::var("ESB_TEST_REQUIRE").as_deref() != Ok("all"), "{kind:?} is not there");
        return say(&format!("{kind:?} is not there: skipped"));
    }
    let (seed, length) = (seed(), Duration::from_secs(number("ESB_FAULTS_SECONDS").unwrap_or(SECONDS)));
    let plan = schedule::plan(seed, length);
    say(&format!("{kind:?}, {} s, {}: ESB_FAULTS_SEED={seed}", length.as_secs(), plan.cast.join(" + ")));

    let database = TestDatabase::empty_of(kind).await;
    let proxy = if kind == Kind::Sqlite { None } else { Some(Proxy::to(database.host()).await) };
    let options = Options { redelivery: events::REDELIVERY.to_vec(), ..Options::default() };
    let slack = Sandbox::start(stage::enter(world(), length), options).unwrap();
    let url = proxy.as_ref().map_or_else(|| database.url().to_owned(), |way| database.url_via(way.address()));
    // All start at the same time on an empty database: one of them migrates it.
    let cast = Cast::start(&plan.cast, &slack, &url);
    cast.wait_until_up(&slack).await;
    let store = database.connect().await;
    let equipment = furnish(&store).await;
    let stage = Stage::set(&store, &slack, length).await;

    let replies = u32::try_from(number("ESB_FAULTS_REPLIES").unwrap_or(REPLIES)).unwrap();
    let audience = Audience::new(slack.clone(), stage.clone(), replies, length);
    let people = People::new(slack.clone(), cast.clone(), equipment, seed, length);
    let damage = Damage::new(slack.clone(), cast.clone(), store.clone(), proxy);
    let (told, sent, struck) =
        tokio::join!(people.live(), audience.live(), damage.strike(plan.events, length));
    say(&format!("{kind:?}: the faults are over"));
    let mut wrong = told.troubles.clone();
    if let Err(pending) = judgement::settled(&store, PATIENCE, |line| say(&format!("{kind:?}: {line}"))).await
    {
        wrong.push(pending);
    }
    wrong.extend(cast.end().await);
    let (summary, found) = judgement::judge(&store, &slack, &cast, &told, &struck, stage.equipment).await;
    wrong.extend(found);
    let (event_summary, found) = event_judgement::judge_events(&store, &sent).await;
    wrong.extend(found);
    store.close().await.unwrap();
    say(&format!("{kind:?}: {summary}"));
    say(&format!("{kind:?}: {event_summary}"));
    assert!(
        wrong.is_empty(),
        "{kind:?} with ESB_FAULTS_SEED={seed}, logs in {}:\n{}",
        cast.keep_logs().display(),
        wrong.join("\n")
    );
}

/// People, the channels of two areas, and `#oops`.
fn world() -> World {
    let mut world = World::new()
        .channel(Channel::new("C0OOPS", "oops"))
        .channel(Channel::new("C0WOOD", "woodshop"))
        .channel(Channel::new("C0METAL", "metalshop"));
    // With this scope a message whose answer was lost is found again.
    world.scopes.push("channels:history".to_owned());
    people::MEMBERS.iter().fold(world, |world, name| {
        world.person(Person::new(&format!("U0{}", name.to_uppercase()), name, name))
    })
}

/// Creates two areas with two machines each; returns the machines.
async fn furnish(store: &Store) -> Arc<[people::Machine]> {
    let (db, now) = (store.write(), store.time().await.unwrap());
    let mut added = Vec::new();
    for (area, channel, names) in
        [("Wood shop", "#woodshop", ["Table saw", "Planer"]), ("Metal shop", "#metalshop", ["Lathe", "Mill"])]
    {
        let details = AreaDetails {
            name: AreaName::parse(area).unwrap(),
            slack_channel: ChannelRef::parse(channel),
            sort_order: 0,
        };
        let area = store::areas::add(db, &details, now).await.unwrap();
        for name in names {
            let equipment = EquipmentDetails::bare(EquipmentName::parse(name).unwrap(), area);
            let id = store::equipment::add(db, &equipment, now).await.unwrap();
            added.push(people::Machine { id, name });
        }
    }
    store::board::bump_revision(db).await.unwrap();
    added.into()
}
