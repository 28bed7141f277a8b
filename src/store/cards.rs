//! Cards: the living message of each repair and channel, and the edits that it is owed. A card's row is
//! locked by whoever changes what it has to show and by whoever notes what it shows: so that of a change and
//! an edit that come at once, one sees the other, and no card stays behind.

use super::deliveries::{self, Owe};
use super::entities::{card, delivery};
use crate::domain::announce::lane;
use crate::domain::delivery::{DeliveryKind, DeliveryState};
use crate::domain::ids::{CardId, RepairId};
use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect, Set};
use std::collections::HashSet;

pub use super::entities::card::Model as Card;

/// What a card has to show before anything changed.
const FIRST: i64 = 1;

/// The card of that number.
///
/// # Errors
/// The database's.
pub async fn find(db: &impl ConnectionTrait, id: CardId) -> Result<Option<Card>, DbErr> {
    card::Entity::find_by_id(id).one(db).await
}

/// The cards of a repair.
///
/// # Errors
/// The database's.
pub async fn of(db: &impl ConnectionTrait, repair: RepairId) -> Result<Vec<Card>, DbErr> {
    card::Entity::find().filter(card::Column::RepairId.eq(repair)).all(db).await
}

/// The card that is this message.
///
/// # Errors
/// The database's.
pub async fn at(db: &impl ConnectionTrait, channel: &str, ts: &str) -> Result<Option<Card>, DbErr> {
    let there = card::Entity::find().filter(card::Column::Channel.eq(channel));
    there.filter(card::Column::Ts.eq(ts)).one(db).await
}

/// Adds cards that nobody has posted yet, one a target, and reads all of the repair's.
///
/// # Errors
/// The database's.
pub async fn add(
    db: &impl ConnectionTrait,
    repair: RepairId,
    targets: impl Iterator<Item = &str>,
) -> Result<Vec<Card>, DbErr> {
    let row = |target: &str| card::ActiveModel {
        repair_id: Set(repair),
        target: Set(target.to_owned()),
        wanted: Set(FIRST),
        shown: Set(0),
        ..Default::default()
    };
    card::Entity::insert_many(targets.map(row)).exec_without_returning(db).await?;
    of(db, repair).await
}

/// Something changed that a repair's cards show: each that stands in its channel is owed an edit, unless one
/// is owed already. One that is not posted yet shows it when it is. True when an edit is owed now.
///
/// # Errors
/// The database's.
pub async fn changed(db: &impl ConnectionTrait, repair: RepairId, now: DateTime<Utc>) -> Result<bool, DbErr> {
    let locked = card::Entity::update_many()
        .col_expr(card::Column::Wanted, Expr::col(card::Column::Wanted).add(1))
        .filter(card::Column::RepairId.eq(repair))
        .exec(db)
        .await?;
    if locked.rows_affected == 0 {
        return Ok(false);
    }
    let mut posted = of(db, repair).await?;
    posted.retain(|card| card.ts.is_some());
    owe_edits(db, &posted, now).await
}

/// Owes each of these cards an edit, unless one is owed. One that failed and waits is tried at once: what
/// kept it may be over, and somebody has just done something that should be seen.
async fn owe_edits(db: &impl ConnectionTrait, cards: &[Card], now: DateTime<Utc>) -> Result<bool, DbErr> {
    if cards.is_empty() {
        return Ok(false);
    }
    let of_these = || {
        Condition::all()
            .add(delivery::Column::CardId.is_in(cards.iter().map(|card| card.id)))
            .add(delivery::Column::Kind.eq(DeliveryKind::Edit))
    };
    let owed: Vec<(Option<CardId>, DeliveryState)> = delivery::Entity::find()
        .select_only()
        .columns([delivery::Column::CardId, delivery::Column::State])
        .filter(of_these())
        .filter(delivery::Column::State.is_in(DeliveryState::OWED))
        .into_tuple()
        .all(db)
        .await?;
    if owed.iter().any(|(_, state)| *state == DeliveryState::Failed) {
        delivery::Entity::update_many()
            .col_expr(delivery::Column::DueAt, Expr::value(now))
            .filter(of_these())
            .filter(delivery::Column::State.eq(DeliveryState::Failed))
            .exec(db)
            .await?;
    }
    let owed: HashSet<CardId> = owed.into_iter().filter_map(|(card, _)| card).collect();
    let edits = cards.iter().filter(|card| !owed.contains(&card.id)).map(|card| Owe {
        target: card.target.clone(),
        dedupe_key: format!("card:{}:{}:{}", card.repair_id, card.wanted, card.target),
        lane: lane(card.repair_id, &card.target),
        event: String::new(),
        kind: DeliveryKind::Edit,
        card: Some(card.id),
    });
    deliveries::owe(db, edits.collect(), now).await?;
    Ok(true)
}

/// The state of a card in its channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Slack's id of the channel.
    pub channel: String,
    /// Slack's name of the message.
    pub ts: String,
    /// What `wanted` was before the repair was read that it shows.
    pub wanted: i64,
}

/// Notes what a card shows, and owes an edit where that is out of date by now. An edit that ends must be
/// settled in the same transaction, before this.
///
/// # Errors
/// The database's.
pub async fn shows(
    db: &impl ConnectionTrait,
    id: CardId,
    shown: &Shown,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    card::Entity::update_many()
        .col_expr(card::Column::Channel, Expr::value(shown.channel.as_str()))
        .col_expr(card::Column::Ts, Expr::value(shown.ts.as_str()))
        .col_expr(card::Column::Shown, Expr::value(shown.wanted))
        .filter(card::Column::Id.eq(id))
        .exec(db)
        .await?;
    let behind = find(db, id).await?.filter(|card| card.wanted > shown.wanted);
    owe_edits(db, behind.as_slice(), now).await?;
    Ok(())
}

/// Forgets a card, where its message is still this one: the next message of its channel is its card again.
///
/// # Errors
/// The database's.
pub async fn forget(db: &impl ConnectionTrait, id: CardId, ts: Option<&str>) -> Result<(), DbErr> {
    let there = ts.map_or(Condition::all(), |ts| Condition::all().add(card::Column::Ts.eq(ts)));
    card::Entity::update_many()
        .col_expr(card::Column::Channel, Expr::value(None::<String>))
        .col_expr(card::Column::Ts, Expr::value(None::<String>))
        .filter(card::Column::Id.eq(id))
        .filter(there)
        .exec(db)
        .await?;
    Ok(())
}
