//! The Home tab. It is rendered for the person and their current role each time that it is opened, and after a
//! refused press.

use super::context::{EdgeError, ReplyTo, SlackContext, failure};
use super::envelope::{Event, Sender};
use super::ids::event::HOME_TAB;
use super::intake::{Ack, Reference};
use crate::clients::slack_api::SlackApiError;
use crate::domain::actor::{Actor, Role};
use crate::domain::queue::{QueueFilter, Whose};
use crate::ops::board::board;
use crate::ops::deliveries::queue_stats::delivery_problems;
use crate::ops::repairs::queue;
use crate::render::slack::Modal;
use crate::render::slack::home::{Home, HomeRepairs, HomeStaff};
use crate::views::repairs::QueueView;
use serde_json::Value;
use std::sync::Arc;

/// A person opened the Home tab. The Messages tab needs no action. Slack's rate limit is reported by direct
/// message, since the tab cannot show it. Other Slack failures are only logged: a person who opens the tab
/// repeatedly while Slack is down would get a message each time.
pub(crate) async fn opened(edge: &SlackContext, event: &Event, ack: Ack, reference: &Reference) {
    ack.at_once().await;
    let is_home = event.body.get("tab").and_then(Value::as_str) == Some(HOME_TAB);
    let Some(sender) = event.sender().filter(|_| is_home) else { return };
    if !edge.is_new(event, reference).await {
        return;
    }
    match publish(edge, &sender, reference).await {
        Err(error @ EdgeError::Slack(SlackApiError::RateLimited { .. })) => {
            edge.reply_failure(&ReplyTo::directly(&sender), error, reference).await;
        }
        Err(error) => drop(failure(error, reference)),
        Ok(()) => {}
    }
}

/// Publishes the current tab for its person; if it cannot be rendered, a tab with the error, since the previous one
/// is out of date.
pub(crate) async fn publish(
    edge: &SlackContext,
    sender: &Sender,
    reference: &Reference,
) -> Result<(), EdgeError> {
    let home = match home(edge, sender).await {
        Ok(home) => home,
        Err(error) => edge.blocks.home_that_failed(&failure(error, reference))?,
    };
    edge.api.views_publish(&sender.user_id, &home.0).await?;
    Ok(())
}

async fn home(edge: &SlackContext, sender: &Sender) -> Result<Modal, EdgeError> {
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
    Ok(edge.blocks.home(&home)?)
}

async fn repairs(edge: &SlackContext, whose: Whose) -> Result<Arc<QueueView>, EdgeError> {
    Ok(queue(&edge.ctx, &QueueFilter { whose, ..QueueFilter::default() }, 1).await?)
}

async fn staff(edge: &SlackContext, actor: &Actor) -> Result<Option<HomeStaff>, EdgeError> {
    if !actor.is_at_least(Role::Staff) {
        return Ok(None);
    }
    let problems = delivery_problems(&edge.ctx, actor).await?;
    Ok(Some(HomeStaff { problems, pages: edge.links.admin() }))
}
