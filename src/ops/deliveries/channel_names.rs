//! Names of channels that are configured by Slack's id. The worker fetches them, pages and logs show them, and
//! announcements use them to detect that an id and a name are the same channel.

use crate::domain::channel::ChannelRef;
use crate::ops::{Announce, Ctx, OpError};
use crate::store;
use chrono::TimeDelta;
use sea_orm::{ConnectionTrait, DbErr};
use std::collections::{BTreeMap, HashMap};

/// How long a name from Slack is cached, and how long a missing one is not requested again.
const FRESH: TimeDelta = TimeDelta::days(1);

/// Names of channels, by their ids.
pub type Names = HashMap<String, String>;

/// Channels that are configured by id and were not looked up for a day.
pub async fn unknown(ctx: &Ctx) -> Result<Vec<ChannelRef>, OpError> {
    let Announce::Slack { oops } = &ctx.announce else { return Ok(Vec::new()) };
    let db = ctx.store.read();
    let areas = store::areas::live(db).await?;
    let configured = areas.iter().filter_map(|area| ChannelRef::parse(&area.slack_channel));
    let configured = configured.chain(oops.clone()).filter(ChannelRef::has_hidden_name);
    let mut wanted: BTreeMap<String, ChannelRef> = configured.map(|id| (id.to_string(), id)).collect();
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let since = ctx.clock.now() - FRESH;
    for known in store::slack_channels::all(db).await?.iter().filter(|row| row.asked_at > since) {
        wanted.remove(&known.slack_channel_id);
    }
    Ok(wanted.into_values().collect())
}

/// Stores the name that Slack returned for a channel; `None` if it returned none.
pub async fn learn(ctx: &Ctx, id: &ChannelRef, name: Option<&ChannelRef>) -> Result<(), OpError> {
    Ok(store::slack_channels::keep(ctx.store.write(), id, name, ctx.clock.now()).await?)
}

/// All cached names.
pub async fn known(ctx: &Ctx) -> Result<Names, OpError> {
    Ok(names(ctx.store.read()).await?)
}

/// These channels as people see them: by name if cached, else as configured.
pub async fn shown(ctx: &Ctx, channels: &[ChannelRef]) -> Result<Vec<String>, OpError> {
    let names = match channels.iter().any(ChannelRef::has_hidden_name) {
        true => names(ctx.store.read()).await?,
        false => Names::new(),
    };
    Ok(channels.iter().map(|channel| show(&names, channel.as_str())).collect())
}

/// A channel as people see it.
pub fn show(names: &Names, channel: &str) -> String {
    names.get(channel).map_or(channel, String::as_str).to_owned()
}

pub(in crate::ops) async fn names(db: &impl ConnectionTrait) -> Result<Names, DbErr> {
    let rows = store::slack_channels::all(db).await?;
    Ok(rows.into_iter().filter_map(|row| Some((row.slack_channel_id, row.name?))).collect())
}

/// True if both references are known to be the same channel: one is its id, the other its name. The name comes from
/// Slack's lookup, else from a delivery to the name, whose response has the id.
pub(in crate::ops) async fn are_one(
    db: &impl ConnectionTrait,
    one: &ChannelRef,
    other: &ChannelRef,
) -> Result<bool, DbErr> {
    let (id, name) = match (one.is_id(), other.is_id()) {
        (true, false) => (one, other),
        (false, true) => (other, one),
        _ => return Ok(one == other),
    };
    if let Some(known) = store::slack_channels::name(db, id).await? {
        return Ok(known == name.as_str());
    }
    Ok(store::deliveries::channel_id(db, name.as_str()).await?.as_deref() == Some(id.as_str()))
}
