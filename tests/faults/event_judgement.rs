//! Checks events after the run: every acknowledged event was handled, and none twice.

use crate::events::{SentEvent, SentEvents};
use crate::stage::{TECHNICIANS, slack_id};
use esb::domain::actor::{Actor, Edge, SlackUserId};
use esb::domain::ids::RepairId;
use esb::domain::text::{EventId, RequestId};
use esb::domain::timeline::TimelineKind;
use esb::ops::repairs::update_repair::{ClaimRepair, claim_key};
use esb::store::Store;
use esb::store::entities::{request, timeline, user};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use std::collections::{HashMap, HashSet};

/// A summary line and all violations.
pub async fn judge_events(store: &Store, sent: &SentEvents) -> (String, Vec<String>) {
    let mut wrong = sent.troubles.clone();
    let replies = replies_are_noted_once(store, sent, &mut wrong).await;
    let claims = claims_are_made_once(store, sent, &mut wrong).await;
    let departures = departures_are_kept(store, sent, &mut wrong).await;
    if sent.replies.is_empty() || sent.claims.is_empty() || sent.departures.is_empty() {
        wrong.push("nobody replied, claimed or left".into());
    }
    let line = format!(
        "replies: {}; claims: {}; departures: {}",
        count(&sent.replies, replies),
        count(&sent.claims, claims),
        count(&sent.departures, departures),
    );
    (line, wrong)
}

fn count<T>(events: &[SentEvent<T>], lost: usize) -> String {
    let acknowledged = events.iter().filter(|event| event.is_acknowledged()).count();
    let again = events.iter().filter(|event| event.record.sent > 1).count();
    let given_up = events.len() - acknowledged;
    format!("{acknowledged} acknowledged ({lost} of them lost), {given_up} given up, {again} sent again")
}

/// The number of acknowledged replies without a note.
async fn replies_are_noted_once(store: &Store, sent: &SentEvents, wrong: &mut Vec<String>) -> usize {
    let notes = timeline::Entity::find().filter(timeline::Column::Kind.eq(TimelineKind::Note));
    let mut times: HashMap<String, usize> = HashMap::new();
    for note in notes.all(store.read()).await.unwrap() {
        *times.entry(note.new_value.unwrap_or_default()).or_default() += 1;
    }
    let mut lost = 0;
    for reply in &sent.replies {
        let there = times.get(&reply.about).copied().unwrap_or(0);
        let is_lost = there == 0 && reply.is_acknowledged();
        lost += usize::from(is_lost);
        if is_lost || there > 1 {
            wrong.push(format!("{there} times noted: {} ({:?} at {})", reply.about, reply.record, reply.at));
        }
    }
    lost
}

/// A claim is stored with its change, unless a later assignment came first.
async fn claims_are_made_once(store: &Store, sent: &SentEvents, wrong: &mut Vec<String>) -> usize {
    let requests = request::Entity::find().all(store.read()).await.unwrap();
    let requests: HashSet<String> = requests.into_iter().map(|request| request.id).collect();
    let changes = timeline::Entity::find().filter(timeline::Column::Kind.eq(TimelineKind::Assignee));
    let changes = changes.all(store.read()).await.unwrap();
    let mut lost = 0;
    for claim in sent.claims.iter().filter(|claim| claim.is_acknowledged()) {
        let request_id = RequestId::of_event(&EventId::parse(&claim.event_id).unwrap());
        let claimed = ClaimRepair { repair: claim.about, version: None, request_id };
        let is_remembered = TECHNICIANS.iter().any(|name| {
            let mut actor = Actor::visitor(Edge::Slack, name);
            actor.slack_id = Some(SlackUserId(slack_id(name)));
            requests.contains(claim_key(&actor, &claimed).unwrap().as_str())
        });
        let is_overtaken = || {
            claim.record.sent > 1
                && changes.iter().any(|it| it.repair_id == claim.about && it.created_at > claim.at)
        };
        if !is_remembered && !is_overtaken() {
            lost += 1;
            wrong.push(format!("no claim of {}: {:?} at {}", claim.about, claim.record, claim.at));
        }
    }
    let repairs: HashSet<RepairId> = sent.claims.iter().map(|claim| claim.about).collect();
    for repair in repairs {
        let made = changes.iter().filter(|change| change.repair_id == repair).count();
        let wanted = sent.claims.iter().filter(|claim| claim.about == repair).count();
        if made > wanted {
            wrong.push(format!("{repair} was assigned {made} times by {wanted} claims"));
        }
    }
    lost
}

/// People who left have no active account.
async fn departures_are_kept(store: &Store, sent: &SentEvents, wrong: &mut Vec<String>) -> usize {
    let tied = user::Entity::find().filter(user::Column::SlackUserId.is_not_null());
    let tied = tied.all(store.read()).await.unwrap();
    let mut lost = 0;
    for departure in sent.departures.iter().filter(|departure| departure.is_acknowledged()) {
        if let Some(user) = tied.iter().find(|user| user.id == departure.about) {
            lost += 1;
            wrong
                .push(format!("still a user: {}: {:?} at {}", user.username, departure.record, departure.at));
        }
    }
    lost
}
