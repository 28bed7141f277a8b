//! Deliveries: owed in the transaction of the change, leased and settled by the worker.

use super::entities::{delivery, delivery_attempt};
use super::living::Living;
use super::time::AT_ONCE;
use crate::domain::announce::Announcement;
use crate::domain::delivery::{DeliveryKind, DeliveryState};
use crate::domain::ids::{CardId, DeliveryId};
use crate::domain::text::cut;
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Func, Query};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, FromQueryResult,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Set,
};

pub use super::entities::delivery::Model as Delivery;

/// Something to be owed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owe {
    /// Channel as configured, or Slack's id of a person.
    pub target: String,
    /// The same is owed once.
    pub dedupe_key: String,
    /// Deliveries of one lane leave in their order.
    pub lane: String,
    /// The event as JSON; empty where what is shown, not what happened; sealed for a password.
    pub event: String,
    /// What it does.
    pub kind: DeliveryKind,
    /// The living message that it belongs to.
    pub living: Option<Living>,
}

impl Owe {
    /// A message that tells an event: on its own, or as a card or in a card's thread.
    ///
    /// # Errors
    /// The event cannot be written as JSON.
    pub fn message(announcement: &Announcement, card: Option<CardId>) -> Result<Self, DbErr> {
        Ok(Self {
            target: announcement.target.to_string(),
            dedupe_key: announcement.dedupe_key.clone(),
            lane: announcement.lane.clone(),
            event: serde_json::to_string(&announcement.event).map_err(|e| DbErr::Json(e.to_string()))?,
            kind: DeliveryKind::Message,
            living: card.map(Living::Card),
        })
    }
}

/// Writes down what is owed, due at once, whatever the clock of this machine says.
///
/// # Errors
/// The database's; a unique violation when the same is owed already.
pub async fn owe(db: &impl ConnectionTrait, owed: Vec<Owe>, now: DateTime<Utc>) -> Result<(), DbErr> {
    if owed.is_empty() {
        return Ok(());
    }
    let row = |owe: Owe| {
        let (card_id, job_id) = Living::columns(owe.living);
        delivery::ActiveModel {
            target: Set(owe.target),
            dedupe_key: Set(owe.dedupe_key),
            lane: Set(owe.lane),
            event: Set(owe.event),
            state: Set(DeliveryState::Pending),
            failures: Set(0),
            blamed: Set(0),
            due_at: Set(AT_ONCE),
            created_at: Set(now),
            kind: Set(owe.kind),
            card_id: Set(card_id),
            job_id: Set(job_id),
            ..Default::default()
        }
    };
    delivery::Entity::insert_many(owed.into_iter().map(row)).exec_without_returning(db).await?;
    Ok(())
}

/// Due, unleased or with an expired lease, and first of its lane; but an edit, which shows what is, waits for other
/// edits alone, and what is told waits for an edit only while that is due or under way: one that was put off, as
/// after a failure, may take hours.
fn due(now: DateTime<Utc>) -> Condition {
    let earlier = Alias::new("earlier");
    let of_earlier = |column| Expr::col((earlier.clone(), column));
    let both_edits = Condition::all()
        .add(delivery::Column::Kind.eq(DeliveryKind::Edit))
        .add(of_earlier(delivery::Column::Kind).eq(DeliveryKind::Edit));
    let told = Condition::all().add(delivery::Column::Kind.ne(DeliveryKind::Edit)).add(
        Condition::any()
            .add(of_earlier(delivery::Column::Kind).ne(DeliveryKind::Edit))
            .add(of_earlier(delivery::Column::State).eq(DeliveryState::Sending))
            .add(of_earlier(delivery::Column::DueAt).lte(now)),
    );
    let blocked = Query::select()
        .expr(Expr::val(1))
        .from_as(delivery::Entity, earlier.clone())
        .and_where(of_earlier(delivery::Column::Lane).equals((delivery::Entity, delivery::Column::Lane)))
        .and_where(of_earlier(delivery::Column::Id).lt(Expr::col((delivery::Entity, delivery::Column::Id))))
        .and_where(of_earlier(delivery::Column::State).is_in(DeliveryState::OWED))
        .cond_where(Condition::any().add(both_edits).add(told))
        .take();
    let waiting = Condition::all()
        .add(delivery::Column::State.is_in([DeliveryState::Pending, DeliveryState::Failed]))
        .add(delivery::Column::DueAt.lte(now));
    let abandoned = Condition::all()
        .add(delivery::Column::State.eq(DeliveryState::Sending))
        .add(delivery::Column::LeasedUntil.lt(now));
    Condition::all().add(Condition::any().add(waiting).add(abandoned)).add(Expr::exists(blocked).not())
}

/// A delivery that could be leased.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct Due {
    /// Its number.
    pub id: DeliveryId,
    /// Where it goes.
    pub target: String,
    /// What it does.
    pub kind: DeliveryKind,
    /// Where it stands.
    pub state: DeliveryState,
    /// Since when Slack may have it without our knowing.
    pub in_doubt_since: Option<DateTime<Utc>>,
}

impl Due {
    /// True when it is looked for before it is posted: nobody knows whether an earlier try posted it.
    pub fn is_looked_for(&self) -> bool {
        let in_doubt = self.in_doubt_since.is_some() || self.state == DeliveryState::Sending;
        in_doubt && self.kind == DeliveryKind::Message
    }
}

/// Deliveries that could be leased now, at most `limit`: edits first, which are sent at another pace than
/// messages and must not stand behind them; then what has been owed longest.
///
/// # Errors
/// The database's.
pub async fn due_now(db: &impl ConnectionTrait, now: DateTime<Utc>, limit: u64) -> Result<Vec<Due>, DbErr> {
    delivery::Entity::find()
        .select_only()
        .columns([delivery::Column::Id, delivery::Column::Target, delivery::Column::Kind])
        .columns([delivery::Column::State, delivery::Column::InDoubtSince])
        .filter(due(now))
        .order_by_desc(delivery::Column::Kind.eq(DeliveryKind::Edit))
        .order_by_asc(delivery::Column::Id)
        .limit(limit)
        .into_model()
        .all(db)
        .await
}

/// What has to wait together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deferred<'a> {
    /// Messages to a target.
    Messages(&'a str),
    /// All edits.
    Edits,
    /// All messages that are looked for before they are posted.
    Looks,
}

/// Puts off what is due together, in one statement however much that is.
///
/// # Errors
/// The database's.
pub async fn defer(
    db: &impl ConnectionTrait,
    which: Deferred<'_>,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<(), DbErr> {
    let which = match which {
        Deferred::Messages(target) => Condition::all()
            .add(delivery::Column::Target.eq(target))
            .add(delivery::Column::Kind.ne(DeliveryKind::Edit)),
        Deferred::Edits => Condition::all().add(delivery::Column::Kind.eq(DeliveryKind::Edit)),
        Deferred::Looks => Condition::all()
            .add(delivery::Column::Kind.eq(DeliveryKind::Message))
            .add(delivery::Column::InDoubtSince.is_not_null()),
    };
    delivery::Entity::update_many()
        .col_expr(delivery::Column::DueAt, Expr::value(until))
        .filter(which)
        .filter(delivery::Column::State.is_in([DeliveryState::Pending, DeliveryState::Failed]))
        .filter(delivery::Column::DueAt.lte(now))
        .exec(db)
        .await?;
    Ok(())
}

/// Takes the lease of a delivery; `None` when another worker was faster. One conditional statement, so
/// that it means the same on every database.
///
/// # Errors
/// The database's.
pub async fn lease(
    db: &impl ConnectionTrait,
    id: DeliveryId,
    lease: &str,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Option<Delivery>, DbErr> {
    let due = Condition::all()
        .add(delivery::Column::State.is_in([DeliveryState::Pending, DeliveryState::Failed]))
        .add(delivery::Column::DueAt.lte(now));
    let free = Condition::any().add(due).add(delivery::Column::LeasedUntil.lt(now));
    // One whose worker did not say what became of it may have been sent, at the earliest when that worker leased it:
    // that is what its due time says by then. Written in this order: MariaDB assigns one after the other.
    let doubt =
        Func::coalesce([Expr::col(delivery::Column::InDoubtSince), Expr::col(delivery::Column::DueAt)]);
    let doubt = Expr::case(delivery::Column::State.eq(DeliveryState::Sending), doubt)
        .finally(Expr::col(delivery::Column::InDoubtSince));
    let taken = delivery::Entity::update_many()
        .col_expr(delivery::Column::InDoubtSince, doubt.into())
        .col_expr(delivery::Column::DueAt, Expr::value(now))
        .col_expr(delivery::Column::State, Expr::value(DeliveryState::Sending))
        .col_expr(delivery::Column::Lease, Expr::value(lease))
        .col_expr(delivery::Column::LeasedUntil, Expr::value(until))
        .filter(delivery::Column::Id.eq(id))
        .filter(delivery::Column::State.is_in(DeliveryState::OWED))
        .filter(free)
        .exec(db)
        .await?;
    if taken.rows_affected == 0 {
        return Ok(None);
    }
    delivery::Entity::find_by_id(id).filter(delivery::Column::Lease.eq(lease)).one(db).await
}

/// Renews a lease; `false` when it was lost.
///
/// # Errors
/// The database's.
pub async fn hold(
    db: &impl ConnectionTrait,
    id: DeliveryId,
    lease: &str,
    until: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let held = delivery::Entity::update_many()
        .col_expr(delivery::Column::LeasedUntil, Expr::value(until))
        .filter(delivery::Column::Id.eq(id))
        .filter(delivery::Column::Lease.eq(lease))
        .exec(db)
        .await?;
    Ok(held.rows_affected == 1)
}

/// What became of a leased delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// Where it stands now.
    pub state: DeliveryState,
    /// Failures of any kind.
    pub failures: i32,
    /// Failures blamed on the message.
    pub blamed: i32,
    /// When it is tried again, for those that are.
    pub due_at: DateTime<Utc>,
    /// Channel and name of the message that Slack has.
    pub posted: Option<(String, String)>,
    /// Since when Slack may have it without our knowing.
    pub in_doubt_since: Option<DateTime<Utc>>,
}

/// Gives a lease back with what became of the delivery; `false` when the lease was lost meanwhile. A password
/// that is delivered or given up is erased by the same statement.
///
/// # Errors
/// The database's.
pub async fn settle(
    db: &impl ConnectionTrait,
    id: DeliveryId,
    lease: &str,
    settled: &Settlement,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let finished = matches!(settled.state, DeliveryState::Delivered | DeliveryState::Dead);
    let (channel, ts) = settled.posted.clone().unzip();
    let kept = Expr::case(delivery::Column::Kind.eq(DeliveryKind::Password).and(finished), "")
        .finally(Expr::col(delivery::Column::Event));
    let done = delivery::Entity::update_many()
        .col_expr(delivery::Column::Event, kept.into())
        .col_expr(delivery::Column::State, Expr::value(settled.state))
        .col_expr(delivery::Column::Failures, Expr::value(settled.failures))
        .col_expr(delivery::Column::Blamed, Expr::value(settled.blamed))
        .col_expr(delivery::Column::DueAt, Expr::value(settled.due_at))
        .col_expr(delivery::Column::Lease, Expr::value(None::<String>))
        .col_expr(delivery::Column::LeasedUntil, Expr::value(None::<DateTime<Utc>>))
        .col_expr(delivery::Column::FinishedAt, Expr::value(finished.then_some(now)))
        .col_expr(delivery::Column::PostedChannel, Expr::value(channel))
        .col_expr(delivery::Column::PostedTs, Expr::value(ts))
        .col_expr(delivery::Column::InDoubtSince, Expr::value(settled.in_doubt_since))
        .filter(delivery::Column::Id.eq(id))
        .filter(delivery::Column::Lease.eq(lease))
        .exec(db)
        .await?;
    Ok(done.rows_affected == 1)
}

/// Slack's id of a channel as configured, where a message has arrived there.
///
/// # Errors
/// The database's.
pub async fn channel_id(db: &impl ConnectionTrait, target: &str) -> Result<Option<String>, DbErr> {
    let latest: Option<Option<String>> = delivery::Entity::find()
        .select_only()
        .column(delivery::Column::PostedChannel)
        .filter(delivery::Column::Target.eq(target))
        .filter(delivery::Column::PostedChannel.is_not_null())
        .order_by_desc(delivery::Column::Id)
        .into_tuple()
        .one(db)
        .await?;
    Ok(latest.flatten())
}

/// One try to deliver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// `delivered`, or why not.
    pub outcome: String,
    /// How long it took.
    pub took: TimeDelta,
    /// When it ended.
    pub at: DateTime<Utc>,
}

/// Records one try.
///
/// # Errors
/// The database's.
pub async fn record_attempt(
    db: &impl ConnectionTrait,
    id: DeliveryId,
    attempt: &Attempt,
) -> Result<(), DbErr> {
    let row = delivery_attempt::ActiveModel {
        delivery_id: Set(id),
        outcome: Set(cut(&attempt.outcome, 80)),
        duration_ms: Set(attempt.took.num_milliseconds()),
        created_at: Set(attempt.at),
        ..Default::default()
    };
    row.insert(db).await?;
    Ok(())
}

/// How much is owed.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct Owed {
    /// Deliveries pending, sending or failed.
    pub count: i64,
    /// Since when the oldest of them is owed.
    pub oldest: Option<DateTime<Utc>>,
}

/// How many deliveries are in a state.
///
/// # Errors
/// The database's.
pub async fn count(db: &impl ConnectionTrait, state: DeliveryState) -> Result<u64, DbErr> {
    delivery::Entity::find().filter(delivery::Column::State.eq(state)).count(db).await
}

/// Counts what is owed; dead ones are not.
///
/// # Errors
/// The database's.
pub async fn owed(db: &impl ConnectionTrait) -> Result<Owed, DbErr> {
    let owed = delivery::Entity::find()
        .select_only()
        .column_as(delivery::Column::Id.count(), "count")
        .column_as(delivery::Column::CreatedAt.min(), "oldest")
        .filter(delivery::Column::State.is_in(DeliveryState::OWED))
        .into_model()
        .one(db)
        .await?;
    Ok(owed.unwrap_or(Owed { count: 0, oldest: None }))
}
