//! Who a Slack user is: their name, and their account where they have one. What Slack tells is kept in
//! the database for ten minutes, so that it is rarely asked before a modal opens; who was found by the
//! e-mail is tied to the account, so that another e-mail in Slack changes nothing. The Slack edge calls
//! this; it decides nothing about what people may do.

use crate::chain::Chain;
use crate::clients::slack_api::{SlackApi, SlackApiError, SlackUser};
use crate::clock::Clock;
use crate::domain::actor::{Account, Actor, Edge, SlackUserId};
use crate::domain::change::AuditRecord;
use crate::domain::ids::UserId;
use crate::domain::text::{PersonName, cut};
use crate::ops::mutation_log;
use crate::store::outage::{again_after_deadlock, is_deadlock};
use crate::store::slack_people::SlackPerson;
use crate::store::users::{User, email_key};
use crate::store::{self, Store, Transaction};
use chrono::TimeDelta;
use sea_orm::DbErr;
use serde_json::json;
use std::collections::HashMap;
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

/// Somebody in Slack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// As whom they act.
    pub actor: Actor,
    /// Their e-mail in lower case, as far as Slack told it.
    pub email: Option<String>,
    /// False when Slack should have been asked and did not answer: they may have an account all the same.
    pub is_certain: bool,
}

impl People {
    /// Puts the parts together.
    pub const fn new(store: Store, clock: Clock, api: SlackApi) -> Self {
        Self { store, clock, api }
    }

    /// Who a Slack user is. Slack is asked (1 s at most) about people not asked about for ten minutes, and
    /// about people without an account once any account was changed since; where it does not answer, what
    /// it said before serves, else `user_name`.
    ///
    /// # Errors
    /// The database's.
    pub async fn who(&self, id: &SlackUserId, user_name: &str) -> Result<Who, DbErr> {
        let db = self.store.read();
        let known = store::slack_people::find(db, id).await?;
        let fresh = known.as_ref().filter(|person| self.clock.now() - person.asked_at < FRESH);
        let mut account = self.account(id, known.as_ref()).await?;
        let ask = match fresh {
            None => true,
            Some(person) => account.is_none() && store::users::changed_after(db, person.asked_at).await?,
        };
        let told = if ask { self.ask(id).await? } else { None };
        let is_certain = told.is_some() || !ask || account.is_some();
        if told.is_some() {
            account = self.account(id, told.as_ref()).await?;
        }
        let person = told.or(known);
        let name = person.as_ref().map_or(user_name, |person| person.name.as_str());
        let name = if name.is_empty() { id.0.clone() } else { name.to_owned() };
        if let Some(user) = account.as_ref().filter(|user| user.slack_user_id.is_none()) {
            self.soon("The tie between an account and Slack", self.link(user.id, id, &name)).await;
        }
        let account = account.map(|user| Account { id: user.id, role: user.role });
        Ok(Who {
            actor: Actor { edge: Edge::Slack, name, slack_id: Some(id.clone()), account },
            email: person.and_then(|person| person.email_key),
            is_certain,
        })
    }

    /// What these people are called, as far as Slack has told us before.
    ///
    /// # Errors
    /// The database's.
    pub async fn names(&self, ids: &[SlackUserId]) -> Result<HashMap<String, String>, DbErr> {
        let known = store::slack_people::of(self.store.read(), ids).await?;
        Ok(known.into_iter().map(|person| (person.slack_user_id, person.name)).collect())
    }

    /// Slack tells by itself that somebody's account there has changed. No modal waits: it is kept however long the
    /// database takes. Telling it twice changes nothing the second time.
    ///
    /// # Errors
    /// The database's; then it may be kept in part, and has to be told again.
    pub async fn changed(&self, user: SlackUser) -> Result<(), DbErr> {
        let id = SlackUserId(user.id.clone());
        if self.is_known(&id).await? {
            let (is_gone, person) = (has_left(&user), self.person(&id, user));
            let keep = || store::slack_people::keep(self.store.write(), person.clone());
            again_after_deadlock(is_deadlock, keep).await?;
            self.let_go(&id, is_gone, &person.name).await?;
        }
        Ok(())
    }

    /// The same where Slack tells of a change again, minutes later: somebody may have changed since, so Slack is
    /// asked (1 s at most) who they are now. What the event says counts only while Slack does not answer.
    ///
    /// # Errors
    /// As [`Self::changed`].
    pub async fn changed_before(&self, user: SlackUser) -> Result<(), DbErr> {
        if !self.is_known(&SlackUserId(user.id.clone())).await? {
            return Ok(());
        }
        match self.api.users_info(&user.id).await {
            Ok(now) => self.changed(now).await,
            Err(error) => {
                tracing::warn!(
                    error = error.outcome(),
                    "Slack does not say who somebody is: its event serves"
                );
                self.changed(user).await
            }
        }
    }

    /// True for people of whom something is kept.
    async fn is_known(&self, id: &SlackUserId) -> Result<bool, DbErr> {
        let db = self.store.read();
        Ok(store::slack_people::find(db, id).await?.is_some()
            || store::users::linked(db, id).await?.is_some())
    }

    async fn account(&self, id: &SlackUserId, person: Option<&SlackPerson>) -> Result<Option<User>, DbErr> {
        let email = person.and_then(|person| person.email_key.as_deref());
        store::users::active_in_slack(self.store.read(), id, email).await
    }

    /// Asks Slack and keeps the answer; `None` when there is none.
    async fn ask(&self, id: &SlackUserId) -> Result<Option<SlackPerson>, DbErr> {
        match self.api.users_info(&id.0).await {
            Ok(user) => Ok(Some(self.learn(id, user).await?)),
            Err(error) => {
                remark(&error);
                Ok(None)
            }
        }
    }

    /// Keeps what Slack told, if that is soon done.
    async fn learn(&self, id: &SlackUserId, user: SlackUser) -> Result<SlackPerson, DbErr> {
        let (is_gone, person) = (has_left(&user), self.person(id, user));
        self.soon(
            "What Slack told of somebody",
            store::slack_people::keep(self.store.write(), person.clone()),
        )
        .await;
        self.let_go(id, is_gone, &person.name).await?;
        Ok(person)
    }

    /// Whoever left is no user any more, and apps never are.
    async fn let_go(&self, id: &SlackUserId, is_gone: bool, name: &str) -> Result<(), DbErr> {
        if is_gone && let Some(user) = store::users::linked(self.store.read(), id).await? {
            self.unlink(user.id, id, name).await?;
        }
        Ok(())
    }

    /// Writes, if that is soon done: a modal waits for this, and its trigger dies after 3 s. What is not
    /// written is found out again the next time.
    async fn soon(&self, what: &str, writing: impl Future<Output = Result<(), DbErr>>) {
        match tokio::time::timeout(KEEPING_MAX, writing).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(error = %Chain(&error), "{what} could not be kept"),
            Err(_) => tracing::warn!("{what} is not kept: the database is busy"),
        }
    }

    async fn link(&self, user: UserId, id: &SlackUserId, name: &str) -> Result<(), DbErr> {
        let tx = self.store.begin().await?;
        if store::users::link(&tx, user, id).await? {
            self.commit_tie(tx, tie("user.linked", user, None, Some(id)), &actor(id, name)).await?;
        }
        Ok(())
    }

    async fn unlink(&self, user: UserId, id: &SlackUserId, name: &str) -> Result<(), DbErr> {
        let tx = self.store.begin().await?;
        if store::users::unlink(&tx, id).await? {
            self.commit_tie(tx, tie("user.unlinked", user, Some(id), None), &actor(id, name)).await?;
        }
        Ok(())
    }

    async fn commit_tie(&self, tx: Transaction, record: AuditRecord, actor: &Actor) -> Result<(), DbErr> {
        let (records, now) = ([record], self.clock.now());
        store::audit::append(&tx, &records, actor, now).await?;
        tx.commit().await?;
        mutation_log::changes(&records, actor, now);
        Ok(())
    }

    fn person(&self, id: &SlackUserId, user: SlackUser) -> SlackPerson {
        let name = cut(user.real_name.trim(), PersonName::MAX);
        let is_gone = has_left(&user);
        let email = user.email.filter(|_| !is_gone);
        SlackPerson {
            slack_user_id: id.0.clone(),
            // A name that nobody could see or no database keep is no name.
            name: PersonName::parse(&name).map_or_else(|_| id.0.clone(), PersonName::into_string),
            email_key: email.as_deref().map(email_key).filter(|key| !key.contains('\0')),
            asked_at: self.clock.now(),
        }
    }
}

const fn has_left(user: &SlackUser) -> bool {
    user.deleted || user.is_bot
}

fn actor(id: &SlackUserId, name: &str) -> Actor {
    Actor { edge: Edge::Slack, name: name.to_owned(), slack_id: Some(id.clone()), account: None }
}

/// What the audit keeps of a tie made or loosened.
fn tie(
    action: &'static str,
    user: UserId,
    old: Option<&SlackUserId>,
    new: Option<&SlackUserId>,
) -> AuditRecord {
    let value = |id: Option<&SlackUserId>| Some(json!({ "slack_user_id": id }));
    AuditRecord { action, noun: "user", noun_id: user.0, old: value(old), new: value(new) }
}

fn remark(error: &SlackApiError) {
    tracing::warn!(
        error = error.outcome(),
        "Slack does not say who somebody is: the name of the request serves"
    );
}
