//! The Home tab: made anew each time that somebody opens it, for whoever they are by then.

use super::edge::{EdgeError, SlackEdge, failure};
use super::envelope::{Event, Sender};
use super::ids::event::HOME_TAB;
use super::intake::{Ack, Reference};
use crate::domain::actor::{Actor, Role};
use crate::domain::queue::{QueueFilter, Whose};
use crate::ops::board::board;
use crate::ops::repairs::queue;
use crate::ops::watch::delivery_problems;
use crate::render::slack::home::{Home, HomeRepairs, HomeStaff};
use crate::views::repairs::QueueView;
use serde_json::Value;
use std::sync::Arc;

/// Somebody has opened the tab, or the messages beside it, of which nothing follows.
pub(crate) async fn opened(edge: &SlackEdge, event: &Event, ack: Ack, reference: &Reference) {
    ack.at_once().await;
    let is_home = event.body.get("tab").and_then(Value::as_str) == Some(HOME_TAB);
    let Some(sender) = event.sender().filter(|_| is_home) else { return };
    if !edge.is_new(event, reference).await {
        return;
    }
    if let Err(error) = publish(edge, &sender).await {
        failure(error, reference);
    }
}

async fn publish(edge: &SlackEdge, sender: &Sender) -> Result<(), EdgeError> {
    let actor = edge.actor(sender).await?;
    let board = board(&edge.ctx).await?;
    let repairs = match &actor.account {
        Some(account) => Some(HomeRepairs {
            mine: repairs(edge, Whose::Of(account.id)).await?,
            unassigned: repairs(edge, Whose::Nobody).await?,
        }),
        None => None,
    };
    let staff = staff(edge, &actor).await?;
    let home = Home { board: &board, repairs: repairs.as_ref(), staff: staff.as_ref() };
    edge.api.views_publish(&sender.user_id, &edge.blocks.home(&home)?.0).await?;
    Ok(())
}

async fn repairs(edge: &SlackEdge, whose: Whose) -> Result<Arc<QueueView>, EdgeError> {
    Ok(queue(&edge.ctx, &QueueFilter { whose, ..QueueFilter::default() }, 1).await?)
}

async fn staff(edge: &SlackEdge, actor: &Actor) -> Result<Option<HomeStaff>, EdgeError> {
    if !actor.is_at_least(Role::Staff) {
        return Ok(None);
    }
    let problems = delivery_problems(&edge.ctx, actor).await?;
    Ok(Some(HomeStaff { problems, pages: edge.links.admin() }))
}
