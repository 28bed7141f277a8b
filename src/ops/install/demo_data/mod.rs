//! Sample data: the same names, ids and ages every time, so that walkthroughs and measurements can be repeated. Only
//! for a database without equipment.

use crate::domain::actor::{Actor, Role};
use crate::domain::area::AreaDetails;
use crate::domain::change::AuditRecord;
use crate::domain::channel::ChannelRef;
use crate::domain::equipment::EquipmentDetails;
use crate::domain::ids::{AreaId, EquipmentId, RepairId, UserId};
use crate::domain::repair::RepairStatus;
use crate::domain::text::{AreaName, EmailAddress, EquipmentName, TextError, Username};
use crate::domain::timeline::TimelineKind;
use crate::ops::{Ctx, OpError, accounts::password, mutation_log, secret};
use crate::store::demo::{RepairRow, TimelineRow};
use crate::store::{self, users::NewUser};
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::ConnectionTrait;
use secrecy::SecretString;
use serde_json::json;

mod faults;
mod names;

use faults::{Kind, fault};

/// Amounts of sample data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DemoData {
    /// At least one.
    pub areas: usize,
    pub equipment: usize,
    pub open_repairs: usize,
    pub closed_repairs: usize,
}

impl Default for DemoData {
    /// A small makerspace (spec "One program").
    fn default() -> Self {
        Self { areas: 4, equipment: 60, open_repairs: 25, closed_repairs: 300 }
    }
}

impl From<TextError> for OpError {
    fn from(error: TextError) -> Self {
        Self::Internal(error.into())
    }
}

/// A user of the sample data who can log in.
#[derive(Debug, Clone)]
pub struct DemoLogin {
    pub username: &'static str,
    pub role: Role,
    /// Random; only the caller gets it.
    pub password: SecretString,
}

/// The users who can log in, one of each role. The others have no password until staff give them one.
const LOGINS: [(&str, Role); 2] = [("sam", Role::Staff), ("tom", Role::Technician)];

/// Fills an empty database. Returns the new users who can log in; existing users stay unchanged.
///
/// # Errors
/// Refused if the database has equipment, or if `areas` is 0.
pub async fn load_demo_data(ctx: &Ctx, actor: &Actor, wanted: DemoData) -> Result<Vec<DemoLogin>, OpError> {
    let now = ctx.clock.now();
    if wanted.areas == 0 || (wanted.equipment == 0 && wanted.open_repairs + wanted.closed_repairs > 0) {
        return Err(OpError::refused("areas", "Repairs need a machine, and machines need an area."));
    }
    // Before the transaction, since hashing takes a while.
    let mut logins = Vec::new();
    for (username, role) in LOGINS {
        let password = secret::temporary_password();
        let hash = password::hash(password.clone()).await?;
        logins.push((DemoLogin { username, role, password }, hash));
    }
    let tx = ctx.store.begin().await?;
    if store::equipment::count(&tx).await? > 0 {
        let message = "This database already has machines. Demo data needs an empty one.";
        return Err(OpError::refused("machines", message));
    }
    let technicians = technicians(&tx, &logins, now).await?;
    let equipment = equipment(&tx, wanted, now).await?;
    repairs(&tx, wanted, &equipment, &technicians, now).await?;
    let new = json!({ "areas": wanted.areas, "machines": wanted.equipment });
    let records =
        [AuditRecord { action: "demo.loaded", noun: "installation", noun_id: 0, old: None, new: Some(new) }];
    store::audit::append(&tx, &records, actor, now).await?;
    ctx.commit_visible(tx).await?;
    mutation_log::changes(&records, actor, now);
    let is_new = |name: &str| technicians.iter().any(|one| one.name == name && one.is_new);
    Ok(logins.into_iter().map(|(login, _)| login).filter(|login| is_new(login.username)).collect())
}

struct Technician {
    id: UserId,
    name: &'static str,
    is_new: bool,
}

/// Stored in place of a hash. No password matches it.
const NO_PASSWORD: &str = "!";

/// People whom repairs can be assigned to.
async fn technicians(
    db: &impl ConnectionTrait,
    logins: &[(DemoLogin, String)],
    now: DateTime<Utc>,
) -> Result<Vec<Technician>, OpError> {
    let mut all = Vec::new();
    for (name, role) in [("tom", Role::Technician), ("tessa", Role::Technician), ("sam", Role::Staff)] {
        let username = Username::parse(name)?;
        let known = store::users::named(db, &username).await?;
        let is_new = known.is_none();
        let id = match known {
            Some(user) => user.id,
            None => {
                let email = EmailAddress::parse(&format!("{name}@example.org"))?;
                let hash =
                    logins.iter().find(|(login, _)| login.username == name).map(|(_, hash)| hash.as_str());
                let password_hash = hash.unwrap_or(NO_PASSWORD).to_owned();
                let new = NewUser {
                    username: &username,
                    email: &email,
                    role,
                    slack_handle: None,
                    password_hash,
                    must_change_password: false,
                };
                store::users::add(db, new, now).await?
            }
        };
        all.push(Technician { id, name, is_new });
    }
    Ok(all)
}

struct DemoEquipment {
    id: EquipmentId,
    kind: Kind,
}

async fn equipment(
    db: &impl ConnectionTrait,
    wanted: DemoData,
    now: DateTime<Utc>,
) -> Result<Vec<DemoEquipment>, OpError> {
    let mut areas: Vec<AreaId> = Vec::new();
    for i in 0..wanted.areas {
        let (name, channel) = names::area(i);
        let area = AreaDetails {
            name: AreaName::parse(&name)?,
            slack_channel: ChannelRef::parse(&channel),
            sort_order: i64::try_from(i).unwrap_or(i64::MAX),
        };
        areas.push(store::areas::add(db, &area, now).await?);
    }
    let (mut rows, mut kinds) = (Vec::with_capacity(wanted.equipment), Vec::with_capacity(wanted.equipment));
    for i in 0..wanted.equipment {
        let area = i % wanted.areas;
        let (name, kind) = names::equipment(area, i / wanted.areas);
        rows.push(EquipmentDetails::bare(EquipmentName::parse(&name)?, areas[area]));
        kinds.push(kind);
    }
    let numbers = store::demo::add_equipment(db, &rows, now).await?;
    Ok(numbers.into_iter().zip(kinds).map(|(id, kind)| DemoEquipment { id, kind }).collect())
}

/// Open repairs first: their numbers are the ones that a walk through the demo types.
async fn repairs(
    db: &impl ConnectionTrait,
    wanted: DemoData,
    equipment: &[DemoEquipment],
    technicians: &[Technician],
    now: DateTime<Utc>,
) -> Result<(), OpError> {
    let all = wanted.open_repairs + wanted.closed_repairs;
    let rows: Vec<RepairRow> =
        (0..all).map(|i| repair(i, i < wanted.open_repairs, equipment, technicians, now)).collect();
    let numbers = store::demo::add_repairs(db, &rows).await?;
    let entries: Vec<TimelineRow> = numbers
        .iter()
        .zip(&rows)
        .enumerate()
        .flat_map(|(i, (id, row))| timeline(i, *id, row, technicians))
        .collect();
    store::demo::add_timeline(db, &entries).await?;
    Ok(())
}

/// Spreads `i` over `n` without a visible pattern; the factor is a prime beyond any list here.
const fn spread(i: usize, n: usize) -> usize {
    (i * 7919 + i / 13) % n
}

fn technician(i: usize, technicians: &[Technician]) -> &Technician {
    &technicians[i % technicians.len()]
}

fn repair(
    i: usize,
    open: bool,
    equipment: &[DemoEquipment],
    technicians: &[Technician],
    now: DateTime<Utc>,
) -> RepairRow {
    let age = TimeDelta::hours(i64::try_from(if open { 3 + 7 * i } else { 200 + 3 * i }).unwrap_or(1));
    let status = match (open, i % 5) {
        (true, 0 | 1) => RepairStatus::New,
        (true, 2) => RepairStatus::Assigned,
        (true, 3) => RepairStatus::InProgress,
        (true, _) => RepairStatus::PartsOrdered,
        (false, 4) => RepairStatus::NoIssueFound,
        (false, _) => RepairStatus::Resolved,
    };
    let created_at = now - age;
    let equipment = &equipment[spread(i, equipment.len())];
    let fault = fault(equipment.kind, i);
    let taken = status != RepairStatus::New;
    RepairRow {
        equipment: equipment.id,
        description: fault.text.to_owned(),
        severity: fault.severity,
        status,
        reporter: names::reporter(i).to_owned(),
        assignee: taken.then(|| technician(i, technicians).id),
        eta: (open && i % 5 >= 3)
            .then(|| (now + TimeDelta::days(2 + i64::try_from(i % 9).unwrap_or(0))).date_naive()),
        safety_risk: fault.safety_risk,
        consumable: fault.consumable,
        created_at,
        closed_at: (!open).then(|| created_at + TimeDelta::hours(30)),
    }
}

/// Five entries per repair: created, taken, a note, an ETA, its current status.
fn timeline(i: usize, repair: RepairId, row: &RepairRow, technicians: &[Technician]) -> [TimelineRow; 5] {
    let who = technician(i, technicians).name;
    let eta = (row.created_at + TimeDelta::days(2)).date_naive().to_string();
    let texts = [
        (TimelineKind::Created, None, RepairStatus::New.word().to_owned()),
        (TimelineKind::Assignee, None, who.to_owned()),
        (TimelineKind::Note, None, names::note(i).to_owned()),
        (TimelineKind::Eta, None, eta),
        (TimelineKind::Status, Some(RepairStatus::New.word()), row.status.word().to_owned()),
    ];
    let mut version = 0;
    texts.map(|(kind, old, new)| {
        version += 1;
        TimelineRow {
            repair,
            kind,
            actor_name: if version == 1 { row.reporter.clone() } else { who.to_owned() },
            version,
            old: old.map(str::to_owned),
            new,
            created_at: row.created_at + TimeDelta::minutes(20 * (version - 1)),
        }
    })
}
