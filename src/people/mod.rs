//! Finds the name and the account of a Slack user. Slack's answers are cached in the database for ten minutes, so that
//! opening a modal rarely waits for Slack. A person found by e-mail is linked to the account, so that a new e-mail in
//! Slack changes nothing. Only members of our own workspace have accounts (`SlackUser::is_member`). Must not: decide
//! what people may do. Called by the Slack edge.

use crate::clients::slack_api::{SlackApi, SlackApiError, SlackUser, Workspace};
use crate::clock::Clock;
use crate::domain::actor::{Account, Actor, Edge, SlackUserId};
use crate::domain::text::{PersonName, cut};
use crate::error_chain::ErrorChain;
use crate::ops::accounts::slack_link::{link, unlink_departed};
use crate::ops::{Announce, Ctx, OpError};
use crate::store::db_error::{is_deadlock, retry_on_deadlock};
use crate::store::slack_people::SlackPerson;
use crate::store::users::{User, email_key};
use crate::store::{self, Store};
use chrono::TimeDelta;
use sea_orm::DbErr;
use std::collections::HashMap;
use std::time::Duration;

/// How long Slack's answer is cached (spec "Who may do what").
const FRESH: TimeDelta = TimeDelta::minutes(10);

/// Slack's error codes for a user outside our workspace.
const UNKNOWN_TO_SLACK: [&str; 2] = ["user_not_found", "user_not_visible"];

/// Longest that a caller waits for a write to the cache.
const CACHE_WRITE_MAX: Duration = Duration::from_millis(300);

/// Cheap to clone.
#[derive(Clone)]
pub struct People {
    ctx: Ctx,
    api: SlackApi,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    pub actor: Actor,
    /// In lower case, if Slack shows it.
    pub email: Option<String>,
    /// False if Slack did not answer a necessary request: the person may have an account.
    pub is_certain: bool,
    /// False for people of other workspaces and for unconfirmed e-mails: they cannot have an account.
    pub is_member: bool,
}

impl People {
    pub fn new(store: Store, clock: Clock, api: SlackApi) -> Self {
        Self { ctx: Ctx::new(store, clock, Announce::Nowhere), api }
    }

    /// Queries Slack (1 s at most) if the cached response is older than ten minutes, or if the person has no account
    /// and any account changed since. If Slack does not answer, uses the cached name, else `user_name`.
    pub async fn who(&self, id: &SlackUserId, user_name: &str) -> Result<Who, OpError> {
        let db = self.ctx.store.read();
        let known = store::slack_people::find(db, id).await?;
        let mut account = self.account(id, known.as_ref()).await?;
        let ask = match known.as_ref().filter(|person| self.is_fresh(person)) {
            None => true,
            Some(person) => account.is_none() && store::users::changed_after(db, person.asked_at).await?,
        };
        let fetched = if ask { self.ask(id).await? } else { None };
        let is_certain = fetched.is_some() || !ask || account.is_some();
        if let Some(person) = &fetched {
            account = match self.account(id, fetched.as_ref()).await? {
                None => self.take_over_account(id, person).await?,
                account => account,
            };
        }
        let person = fetched.or(known);
        let name = person.as_ref().map_or(user_name, |person| person.name.as_str());
        let name = if name.is_empty() { id.0.clone() } else { name.to_owned() };
        let linked_to_nobody = account.as_ref().filter(|user| user.slack_user_id.is_none());
        if let Some((user, person)) = linked_to_nobody.zip(person.as_ref()) {
            self.write_briefly("Slack account link", link(&self.ctx, user.id, person)).await;
        }
        let account = account.map(|user| Account { id: user.id, role: user.role });
        Ok(Who {
            actor: Actor { edge: Edge::Slack, name, slack_id: Some(id.clone()), account },
            is_member: person.as_ref().is_none_or(|person| person.is_member != Some(false)),
            email: person.and_then(|person| person.email_key),
            is_certain,
        })
    }

    /// Cached names by Slack user id.
    pub async fn names(&self, ids: &[SlackUserId]) -> Result<HashMap<String, String>, DbErr> {
        let known = store::slack_people::of(self.ctx.store.read(), ids).await?;
        Ok(known.into_iter().map(|person| (person.slack_user_id, person.name)).collect())
    }

    /// Stores a profile from a `user_change` event. No modal waits, so the write has no time limit. Idempotent.
    /// After an error it may be stored in part: call it again.
    pub async fn changed(&self, user: SlackUser) -> Result<(), OpError> {
        let id = SlackUserId(user.id.clone());
        if self.is_known(&id).await? {
            let ours = self.api.workspace().await.inspect_err(log_lookup_failure).ok();
            let person = self.person(user, ours.as_ref());
            let keep = || store::slack_people::keep(self.ctx.store.write(), person.clone());
            retry_on_deadlock(is_deadlock, keep).await?;
            self.unlink_non_member(&person).await?;
        }
        Ok(())
    }

    /// The same for an event that Slack delivers again, minutes later. The profile may have changed since, so Slack is
    /// queried (1 s at most). The event's profile is used only if Slack does not answer.
    pub async fn changed_before(&self, user: SlackUser) -> Result<(), OpError> {
        if !self.is_known(&SlackUserId(user.id.clone())).await? {
            return Ok(());
        }
        match self.api.users_info(&user.id).await {
            Ok(now) => self.changed(now).await,
            Err(error) => {
                tracing::warn!(error = error.outcome(), "users.info failed, profile taken from the event");
                self.changed(user).await
            }
        }
    }

    /// True for people who are cached or linked.
    async fn is_known(&self, id: &SlackUserId) -> Result<bool, DbErr> {
        let db = self.ctx.store.read();
        Ok(store::slack_people::find(db, id).await?.is_some()
            || store::users::linked(db, id).await?.is_some())
    }

    /// A time in the future is not fresh: it was written before the clock was set back.
    fn is_fresh(&self, person: &SlackPerson) -> bool {
        let age = self.ctx.clock.now() - person.asked_at;
        person.is_member.is_some() && (TimeDelta::zero()..FRESH).contains(&age)
    }

    /// The active account of a member of our workspace.
    async fn account(&self, id: &SlackUserId, person: Option<&SlackPerson>) -> Result<Option<User>, DbErr> {
        let Some(person) = person.filter(|person| person.is_member == Some(true)) else { return Ok(None) };
        let db = self.ctx.store.read();
        let user = store::users::active_in_slack(db, id, person.email_key.as_deref()).await?;
        match user {
            Some(user) if user.slack_user_id.is_none() => {
                let is_unlinked = store::slack_unlinks::contains(db, user.id, id).await?;
                Ok(Some(user).filter(|_| !is_unlinked))
            }
            user => Ok(user),
        }
    }

    /// Finds the account of this person's e-mail if it is linked to another Slack user whose cached profile is stale.
    /// If Slack reports that the other user is not a member (any more), that link is removed.
    async fn take_over_account(
        &self,
        id: &SlackUserId,
        person: &SlackPerson,
    ) -> Result<Option<User>, OpError> {
        let db = self.ctx.store.read();
        let Some(email) = person.email_key.as_deref().filter(|_| person.is_member == Some(true)) else {
            return Ok(None);
        };
        let linked = store::users::with_email(db, email).await?.and_then(|user| user.slack_user_id);
        let Some(other) = linked.map(SlackUserId).filter(|other| other != id) else { return Ok(None) };
        if store::slack_people::find(db, &other).await?.is_some_and(|other| self.is_fresh(&other)) {
            return Ok(None);
        }
        match (self.api.users_info(&other.0).await, self.api.workspace().await) {
            (Ok(user), Ok(ours)) => drop(self.learn(user, &ours).await?),
            (Err(SlackApiError::Refused { code }), _) if UNKNOWN_TO_SLACK.contains(&code.as_str()) => {
                unlink_departed(&self.ctx, &other, &other.0).await?;
            }
            (Err(error), _) | (_, Err(error)) => log_lookup_failure(&error),
        }
        Ok(self.account(id, Some(person)).await?)
    }

    /// Queries Slack and caches the response. `None` if Slack does not answer.
    async fn ask(&self, id: &SlackUserId) -> Result<Option<SlackPerson>, OpError> {
        let (user, ours) = tokio::join!(self.api.users_info(&id.0), self.api.workspace());
        match (user, ours) {
            (Ok(user), Ok(ours)) => Ok(Some(self.learn(user, &ours).await?)),
            (Err(error), _) | (_, Err(error)) => {
                log_lookup_failure(&error);
                Ok(None)
            }
        }
    }

    async fn learn(&self, user: SlackUser, ours: &Workspace) -> Result<SlackPerson, OpError> {
        let person = self.person(user, Some(ours));
        let keeping = store::slack_people::keep(self.ctx.store.write(), person.clone());
        self.write_briefly("Slack profile", async { Ok(keeping.await?) }).await;
        self.unlink_non_member(&person).await?;
        Ok(person)
    }

    /// People who left, people of other workspaces, and apps have no account.
    async fn unlink_non_member(&self, person: &SlackPerson) -> Result<(), OpError> {
        if person.is_member == Some(false) {
            unlink_departed(&self.ctx, &SlackUserId(person.slack_user_id.clone()), &person.name).await?;
        }
        Ok(())
    }

    /// Writes within [`CACHE_WRITE_MAX`], since a modal waits and its trigger expires after 3 s. The next request
    /// repeats a write that failed.
    async fn write_briefly(&self, what: &str, writing: impl Future<Output = Result<(), OpError>>) {
        match tokio::time::timeout(CACHE_WRITE_MAX, writing).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(error = %ErrorChain(&error), "{what} could not be cached"),
            Err(_) => tracing::warn!("{what} not cached: the database is busy"),
        }
    }

    /// `ours` is `None` if Slack does not identify our workspace.
    fn person(&self, user: SlackUser, ours: Option<&Workspace>) -> SlackPerson {
        let is_member = match ours {
            _ if user.is_surely_no_member() => Some(false),
            ours => ours.map(|ours| user.is_member(ours)),
        };
        let name = cut(user.real_name.trim(), PersonName::MAX);
        let email = user.email.filter(|_| is_member != Some(false));
        SlackPerson {
            // An invisible name, or one that no database can store, is replaced by the id.
            name: PersonName::parse(&name).map_or_else(|_| user.id.clone(), PersonName::into_string),
            slack_user_id: user.id,
            email_key: email.as_deref().map(email_key).filter(|key| !key.contains('\0')),
            is_member,
            asked_at: self.ctx.clock.now(),
        }
    }
}

fn log_lookup_failure(error: &SlackApiError) {
    tracing::warn!(error = error.outcome(), "users.info failed, name taken from the request");
}
