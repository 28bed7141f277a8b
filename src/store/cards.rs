//! Cards: the live message of each repair and channel.

use super::deliveries::NewDelivery;
use super::entities::{card, delivery};
use super::live_message::{self, FIRST, FailedEdits, LiveMessage, LiveMessageTable};
use crate::domain::announce::lane;
use crate::domain::delivery::{DeliveryKind, DeliveryState};
use crate::domain::ids::{CardId, DeliveryId, RepairId};
use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect, Set};

pub use super::entities::card::Model as Card;

impl LiveMessageTable for card::Entity {
    const ID: card::Column = card::Column::Id;
    const CHANNEL: card::Column = card::Column::Channel;
    const TS: card::Column = card::Column::Ts;
    const RENDERED_VERSION: card::Column = card::Column::RenderedVersion;
    const DESIRED_VERSION: card::Column = card::Column::DesiredVersion;

    fn desired_version(card: &Card) -> i64 {
        card.desired_version
    }

    fn edit(card: &Card) -> Option<NewDelivery> {
        card.ts.as_ref()?;
        Some(NewDelivery {
            target: card.target.clone(),
            dedupe_key: format!("card:{}:{}:{}", card.repair_id, card.desired_version, card.target),
            lane: lane(card.repair_id, &card.target),
            event: String::new(),
            kind: DeliveryKind::Edit,
            live_message: Some(LiveMessage::Card(card.id)),
        })
    }
}

pub async fn find(db: &impl ConnectionTrait, id: CardId) -> Result<Option<Card>, DbErr> {
    card::Entity::find_by_id(id).one(db).await
}

pub async fn of(db: &impl ConnectionTrait, repair: RepairId) -> Result<Vec<Card>, DbErr> {
    card::Entity::find().filter(card::Column::RepairId.eq(repair)).all(db).await
}

/// The card that is posted as this message.
pub async fn at(db: &impl ConnectionTrait, channel: &str, ts: &str) -> Result<Option<Card>, DbErr> {
    let there = card::Entity::find().filter(card::Column::Channel.eq(channel));
    there.filter(card::Column::Ts.eq(ts)).one(db).await
}

/// True while Slack may show a card that is not recorded yet: it is being sent, or an earlier attempt may have
/// posted it.
pub async fn any_unrecorded(db: &impl ConnectionTrait) -> Result<bool, DbErr> {
    let is_sent = Condition::any()
        .add(delivery::Column::State.eq(DeliveryState::Sending))
        .add(delivery::Column::InDoubtSince.is_not_null());
    let unrecorded = delivery::Entity::find()
        .select_only()
        .column(delivery::Column::Id)
        .filter(delivery::Column::State.is_in(DeliveryState::PENDING))
        .filter(delivery::Column::Kind.eq(DeliveryKind::Message))
        .filter(delivery::Column::CardId.is_not_null())
        .filter(is_sent);
    Ok(unrecorded.limit(1).into_tuple::<DeliveryId>().one(db).await?.is_some())
}

/// Adds cards that are not posted yet, one per target, and reads all of the repair's.
pub async fn add(
    db: &impl ConnectionTrait,
    repair: RepairId,
    targets: impl Iterator<Item = &str>,
) -> Result<Vec<Card>, DbErr> {
    let row = |target: &str| card::ActiveModel {
        repair_id: Set(repair),
        target: Set(target.to_owned()),
        desired_version: Set(FIRST),
        rendered_version: Set(0),
        ..Default::default()
    };
    card::Entity::insert_many(targets.map(row)).exec_without_returning(db).await?;
    of(db, repair).await
}

/// Enqueues an edit of each posted card of a repair, unless one is pending. A card that is not posted yet shows the
/// change when it is posted. True when an edit is pending now.
pub async fn changed(db: &impl ConnectionTrait, repair: RepairId, now: DateTime<Utc>) -> Result<bool, DbErr> {
    let locked = card::Entity::update_many()
        .col_expr(card::Column::DesiredVersion, Expr::col(card::Column::DesiredVersion).add(1))
        .filter(card::Column::RepairId.eq(repair))
        .exec(db)
        .await?;
    if locked.rows_affected == 0 {
        return Ok(false);
    }
    let edits = of(db, repair).await?.iter().filter_map(card::Entity::edit).collect();
    live_message::enqueue_edits(db, edits, FailedEdits::RetryNow, now).await
}
