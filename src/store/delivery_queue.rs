//! The queue of deliveries: which may be sent now, leases, and results. The worker calls it.

use super::entities::{card, delivery};
use super::time::{AT_ONCE, RETRY_REQUESTED, due, expired};
use crate::domain::delivery::{Cause, DeliveryKind, DeliveryState, WAIT_MAX};
use crate::domain::ids::DeliveryId;
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Func, Query};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, JoinType, QueryFilter,
    QueryOrder, QuerySelect, RelationDef,
};

pub use super::entities::delivery::Model as Delivery;

/// How long a lease lasts unless it is renewed: with the poll interval of half a second, another worker takes over
/// within a minute.
pub const LEASE: TimeDelta = TimeDelta::seconds(45);
/// Most channels to retry immediately after something about a channel changed.
const REQUESTED_MAX: u64 = 200;

/// What may be leased now.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// In database time.
    pub now: DateTime<Utc>,
    /// Edits may be sent: replies in a card's thread wait for edits that are due.
    pub may_edit: bool,
    /// Expired leases of other workers may be taken, except of these deliveries, which this worker is sending.
    /// `None`: the clock was just set, so no lease can be judged.
    pub leases_expire: Option<&'a [DeliveryId]>,
}

/// May be leased, and is first of its lane. But an edit, which shows a current state, waits only for other edits.
/// Messages wait for an edit only while it is being sent, or is due while edits are allowed: an edit may wait
/// minutes for the rate limit, and a failed one hours.
fn ready(moment: Moment<'_>) -> Condition {
    let earlier = Alias::new("earlier");
    let of_earlier = |column| Expr::col((earlier.clone(), column));
    let both_edits = Condition::all()
        .add(delivery::Column::Kind.eq(DeliveryKind::Edit))
        .add(of_earlier(delivery::Column::Kind).eq(DeliveryKind::Edit));
    let mut in_the_way = Condition::any()
        .add(of_earlier(delivery::Column::Kind).ne(DeliveryKind::Edit))
        .add(of_earlier(delivery::Column::State).eq(DeliveryState::Sending));
    if moment.may_edit {
        in_the_way = in_the_way.add(of_earlier(delivery::Column::DueAt).lte(moment.now));
    }
    let messages = Condition::all().add(delivery::Column::Kind.ne(DeliveryKind::Edit)).add(in_the_way);
    let blocked = Query::select()
        .expr(Expr::val(1))
        .from_as(delivery::Entity, earlier.clone())
        .and_where(of_earlier(delivery::Column::Lane).equals((delivery::Entity, delivery::Column::Lane)))
        .and_where(of_earlier(delivery::Column::Id).lt(Expr::col((delivery::Entity, delivery::Column::Id))))
        .and_where(of_earlier(delivery::Column::State).is_in(DeliveryState::PENDING))
        .cond_where(Condition::any().add(both_edits).add(messages))
        .take();
    let waiting = Condition::all()
        .add(delivery::Column::State.is_in([DeliveryState::Pending, DeliveryState::Failed]))
        .add(due(delivery::Column::DueAt, moment.now, WAIT_MAX));
    let abandoned = moment.leases_expire.map(|ours| {
        let abandoned = Condition::all()
            .add(delivery::Column::State.eq(DeliveryState::Sending))
            .add(expired(delivery::Column::LeasedUntil, moment.now, LEASE));
        let not_ours = (!ours.is_empty()).then(|| delivery::Column::Id.is_not_in(ours.iter().copied()));
        abandoned.add_option(not_ours)
    });
    let free = Condition::any().add(waiting).add_option(abandoned);
    Condition::all().add(free).add(Expr::exists(blocked).not())
}

#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct Head {
    pub id: DeliveryId,
    pub target: String,
    pub kind: DeliveryKind,
    pub state: DeliveryState,
    pub failures: i32,
    pub due_at: DateTime<Utc>,
    /// Since when an earlier attempt may have posted it.
    pub in_doubt_since: Option<DateTime<Utc>>,
    /// The worker that has the lease while the state is `Sending`.
    pub lease: Option<String>,
    /// End of that lease.
    pub leased_until: Option<DateTime<Utc>>,
    /// Slack's id of the channel of the card that it edits or replies to.
    pub card_channel: Option<String>,
}

impl Head {
    /// The channel that it is sent to. A card stays where it was posted even if its area now has another channel,
    /// so one of them may be archived and the other not.
    pub fn place(&self) -> &str {
        self.card_channel.as_deref().unwrap_or(&self.target)
    }

    /// True when the worker must search for the message before it posts it, since an earlier attempt may have
    /// posted it.
    pub fn is_in_doubt(&self) -> bool {
        let in_doubt = self.in_doubt_since.is_some() || self.state == DeliveryState::Sending;
        in_doubt && self.kind == DeliveryKind::Message
    }
}

fn its_card() -> RelationDef {
    delivery::Entity::belongs_to(card::Entity).from(delivery::Column::CardId).to(card::Column::Id).into()
}

const HEAD: [delivery::Column; 9] = [
    delivery::Column::Id,
    delivery::Column::Target,
    delivery::Column::Kind,
    delivery::Column::State,
    delivery::Column::Failures,
    delivery::Column::DueAt,
    delivery::Column::InDoubtSince,
    delivery::Column::Lease,
    delivery::Column::LeasedUntil,
];

/// The first delivery of each target, kind and place that could be leased now, at most `limit`, oldest first: a
/// long backlog of one target does not hide the others.
pub async fn heads(db: &impl ConnectionTrait, moment: Moment<'_>, limit: u64) -> Result<Vec<Head>, DbErr> {
    let first: Vec<DeliveryId> = delivery::Entity::find()
        .select_only()
        .column_as(delivery::Column::Id.min(), "first")
        .join(JoinType::LeftJoin, its_card())
        .filter(ready(moment))
        .group_by(delivery::Column::Target)
        .group_by(delivery::Column::Kind)
        .group_by(card::Column::Channel)
        .order_by_asc(delivery::Column::Id.min())
        .limit(limit)
        .into_tuple()
        .all(db)
        .await?;
    if first.is_empty() {
        return Ok(Vec::new());
    }
    let heads = delivery::Entity::find().select_only().columns(HEAD);
    heads
        .column_as(card::Column::Channel, "card_channel")
        .join(JoinType::LeftJoin, its_card())
        .filter(delivery::Column::Id.is_in(first))
        .order_by_asc(delivery::Column::Id)
        .into_model()
        .all(db)
        .await
}

/// Takes the lease of a delivery as it was read; `None` when another worker was faster. One conditional statement,
/// so that it behaves the same on every database.
pub async fn lease(
    db: &impl ConnectionTrait,
    seen: &Head,
    lease: &str,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Option<Delivery>, DbErr> {
    let as_seen = match &seen.lease {
        Some(holder) => Condition::all()
            .add(delivery::Column::Lease.eq(holder.as_str()))
            .add(delivery::Column::LeasedUntil.eq(seen.leased_until)),
        None => Condition::all()
            .add(delivery::Column::Lease.is_null())
            .add(delivery::Column::DueAt.eq(seen.due_at)),
    };
    // If its worker recorded no result, it may have been sent, at the earliest when that worker leased it, which
    // its due time then contains. In this order: MariaDB assigns from left to right.
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
        .filter(delivery::Column::Id.eq(seen.id))
        .filter(delivery::Column::State.is_in(DeliveryState::PENDING))
        .filter(as_seen)
        .exec(db)
        .await?;
    if taken.rows_affected == 0 {
        return Ok(None);
    }
    delivery::Entity::find_by_id(seen.id).filter(delivery::Column::Lease.eq(lease)).one(db).await
}

/// Which deliveries to retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry<'a> {
    /// All failed deliveries.
    All,
    /// All except rejected ones.
    Unrejected,
    /// Those that wait for this cause.
    Of(Cause),
    /// Those that wait for this channel.
    Channel(&'a str),
}

/// Makes failed deliveries due now: the cause that they wait for has ended, or the clock was set.
pub async fn retry_now(db: &impl ConnectionTrait, which: Retry<'_>, now: DateTime<Utc>) -> Result<(), DbErr> {
    let which = match which {
        Retry::All => Condition::all(),
        Retry::Unrejected => Condition::any()
            .add(delivery::Column::Cause.is_not_null())
            .add(delivery::Column::Rejections.eq(0)),
        Retry::Of(cause) => Condition::all().add(delivery::Column::Cause.eq(cause)),
        Retry::Channel(target) => Condition::all()
            .add(delivery::Column::Cause.eq(Cause::Channel))
            .add(delivery::Column::Target.eq(target)),
    };
    delivery::Entity::update_many()
        .col_expr(delivery::Column::DueAt, Expr::value(AT_ONCE))
        .filter(delivery::Column::State.eq(DeliveryState::Failed))
        .filter(delivery::Column::DueAt.gt(now))
        .filter(which)
        .exec(db)
        .await?;
    Ok(())
}

/// Requests one attempt for each blocked channel before its next probe is due, since something about a channel has
/// just changed. Its other deliveries follow once that attempt succeeds.
pub async fn request_channel_retries(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    let first: Vec<DeliveryId> = delivery::Entity::find()
        .select_only()
        .column_as(delivery::Column::Id.min(), "first")
        .filter(delivery::Column::State.eq(DeliveryState::Failed))
        .filter(delivery::Column::Cause.eq(Cause::Channel))
        .group_by(delivery::Column::Target)
        .limit(REQUESTED_MAX)
        .into_tuple()
        .all(db)
        .await?;
    if first.is_empty() {
        return Ok(());
    }
    delivery::Entity::update_many()
        .col_expr(delivery::Column::DueAt, Expr::value(RETRY_REQUESTED))
        .filter(delivery::Column::Id.is_in(first))
        .filter(delivery::Column::State.eq(DeliveryState::Failed))
        .exec(db)
        .await?;
    Ok(())
}

/// Renews a lease; `false` when it was lost.
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

/// The result of a leased delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    pub state: DeliveryState,
    /// Failures of any kind.
    pub failures: i32,
    /// Failures that were rejections of the message.
    pub rejections: i32,
    /// The shared cause that it waits for.
    pub cause: Option<Cause>,
    /// When it is retried, if it is.
    pub due_at: DateTime<Utc>,
    /// Channel and `ts` of the message in Slack.
    pub posted: Option<(String, String)>,
    /// Since when an earlier attempt may have posted it.
    pub in_doubt_since: Option<DateTime<Utc>>,
}

/// Releases a lease and records the result; `false` when the lease was lost. The same statement erases a password
/// that is delivered or dead.
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
        .col_expr(delivery::Column::Rejections, Expr::value(settled.rejections))
        .col_expr(delivery::Column::Cause, Expr::value(settled.cause))
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

/// True when exactly this was already recorded, by a transaction whose response was lost.
pub async fn is_settled_as(
    db: &impl ConnectionTrait,
    id: DeliveryId,
    settled: &Settlement,
) -> Result<bool, DbErr> {
    let Some(row) = delivery::Entity::find_by_id(id).one(db).await? else { return Ok(false) };
    let posted = row.posted_channel.zip(row.posted_ts);
    let as_it_was = (row.state, row.failures, row.rejections, row.due_at, posted);
    let as_it_is =
        (settled.state, settled.failures, settled.rejections, settled.due_at, settled.posted.clone());
    Ok(row.lease.is_none() && as_it_was == as_it_is)
}
