//! Who a Slack user is: their name, and their account where they have one. What Slack tells is kept in
//! the database for ten minutes, so that it is rarely asked before a modal opens. The Slack edge calls
//! this; it decides nothing about what people may do.

use crate::chain::Chain;
use crate::clients::slack_api::{SlackApi, SlackApiError, SlackUser};
use crate::clock::Clock;
use crate::domain::actor::{Account, Actor, Edge, SlackUserId};
use crate::domain::text::{PersonName, cut};
use crate::store::slack_people::SlackPerson;
use crate::store::users::email_key;
use crate::store::{self, Store};
use chrono::TimeDelta;
use sea_orm::DbErr;
use std::time::Duration;

/// How long what Slack told is believed (spec "Who may do what").
const FRESH: TimeDelta = TimeDelta::minutes(10);

/// How long a caller waits for the database to keep it.
const KEEPING_MAX: Duration = Duration::from_millis(300);

/// Knows the people of the workspace; cheap to clone.
#[derive(Clone)]
pub struct People {
    store: Store,
    clock: Clock,
    api: SlackApi,
}

impl People {
    /// Puts the parts together.
    pub const fn new(store: Store, clock: Clock, api: SlackApi) -> Self {
        Self { store, clock, api }
    }

    /// The actor behind a Slack user. Slack is asked (1 s at most) about people not asked about for ten
    /// minutes; where it does not answer, what it said before serves, else `user_name`.
    ///
    /// # Errors
    /// The database's.
    pub async fn actor(&self, id: &SlackUserId, user_name: &str) -> Result<Actor, DbErr> {
        let db = self.store.read();
        let known = store::slack_people::find(db, id).await?;
        let now = self.clock.now();
        let person = match known {
            Some(person) if now - person.asked_at < FRESH => Some(person),
            stale => self.ask(id).await?.or(stale),
        };
        let email = person.as_ref().and_then(|person| person.email_key.as_deref());
        let account = store::users::active_in_slack(db, id, email).await?;
        let name = person.as_ref().map_or(user_name, |person| person.name.as_str());
        Ok(Actor {
            edge: Edge::Slack,
            name: if name.is_empty() { id.0.clone() } else { name.to_owned() },
            slack_id: Some(id.clone()),
            account: account.map(|user| Account { id: user.id, role: user.role }),
        })
    }

    /// Asks Slack and keeps the answer; `None` when there is none.
    async fn ask(&self, id: &SlackUserId) -> Result<Option<SlackPerson>, DbErr> {
        let user = match self.api.users_info(&id.0).await {
            Ok(user) => user,
            Err(error) => {
                remark(&error);
                return Ok(None);
            }
        };
        let person = self.person(id, user);
        self.keep(person.clone()).await;
        Ok(Some(person))
    }

    /// Keeps what Slack told, if that is soon done: a modal waits for this, and its trigger dies after 3 s.
    /// What is not kept is asked again the next time.
    async fn keep(&self, person: SlackPerson) {
        let keeping = store::slack_people::keep(self.store.write(), person);
        match tokio::time::timeout(KEEPING_MAX, keeping).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(error = %Chain(&error), "What Slack told of somebody could not be kept");
            }
            Err(_) => tracing::warn!("What Slack told of somebody is not kept: the database is busy"),
        }
    }

    fn person(&self, id: &SlackUserId, user: SlackUser) -> SlackPerson {
        let name = cut(user.real_name.trim(), PersonName::MAX);
        SlackPerson {
            slack_user_id: id.0.clone(),
            // A name that nobody could see or no database keep is no name.
            name: PersonName::parse(&name).map_or_else(|_| id.0.clone(), PersonName::into_string),
            email_key: user.email.as_deref().map(email_key).filter(|key| !key.contains('\0')),
            asked_at: self.clock.now(),
        }
    }
}

fn remark(error: &SlackApiError) {
    tracing::warn!(
        error = error.outcome(),
        "Slack does not say who somebody is: the name of the request serves"
    );
}
