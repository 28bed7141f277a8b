//! Who a Slack user is: their name, and their account where they have one. What Slack tells is kept in
//! the database for ten minutes, so that it is rarely asked before a modal opens; who was found by the
//! e-mail is linked to the account, so that another e-mail in Slack changes nothing. Only members of our own
//! workspace have accounts (`SlackUser::is_member`). The Slack edge calls this; it decides nothing about what people
//! may do.

use crate::error_chain::ErrorChain;
use crate::clients::slack_api::{SlackApi, SlackApiError, SlackUser, Workspace};
use crate::clock::Clock;
use crate::domain::actor::{Account, Actor, Edge, SlackUserId};
use crate::domain::text::{PersonName, cut};
use crate::ops::accounts::slack_link::{let_go, link};
use crate::ops::{Announce, Ctx, OpError};
use crate::store::db_error::{retry_on_deadlock, is_deadlock};
use crate::store::slack_people::SlackPerson;
use crate::store::users::{User, email_key};
use crate::store::{self, Store};
use chrono::TimeDelta;
use sea_orm::DbErr;
use std::collections::HashMap;
use std::time::Duration;

/// How long what Slack told is believed (spec "Who may do what").
const FRESH: TimeDelta = TimeDelta::minutes(10);

/// Slack's words for somebody whom it does not show to us: no member of our workspace.
const UNKNOWN_TO_SLACK: [&str; 2] = ["user_not_found", "user_not_visible"];

/// How long a caller waits for the database to keep it.
const KEEPING_MAX: Duration = Duration::from_millis(300);

/// Knows the people of the workspace; cheap to clone.
#[derive(Clone)]
pub struct People {
    ctx: Ctx,
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
    /// False for those who cannot have an account: people of other workspaces, and whose e-mail is not confirmed.
    pub is_member: bool,
}

impl People {
    /// Puts the parts together.
    pub fn new(store: Store, clock: Clock, api: SlackApi) -> Self {
        Self { ctx: Ctx::new(store, clock, Announce::Nowhere), api }
    }

    /// Who a Slack user is. Slack is asked (1 s at most) about people not asked about for ten minutes, and
    /// about people without an account once any account was changed since; where it does not answer, what
    /// it said before serves, else `user_name`.
    ///
    /// # Errors
    /// The database's.
    pub async fn who(&self, id: &SlackUserId, user_name: &str) -> Result<Who, OpError> {
        let db = self.ctx.store.read();
        let known = store::slack_people::find(db, id).await?;
        let mut account = self.account(id, known.as_ref()).await?;
        let ask = match known.as_ref().filter(|person| self.is_fresh(person)) {
            None => true,
            Some(person) => account.is_none() && store::users::changed_after(db, person.asked_at).await?,
        };
        let told = if ask { self.ask(id).await? } else { None };
        let is_certain = told.is_some() || !ask || account.is_some();
        if let Some(person) = &told {
            account = match self.account(id, told.as_ref()).await? {
                None => self.account_of_another(id, person).await?,
                account => account,
            };
        }
        let person = told.or(known);
        let name = person.as_ref().map_or(user_name, |person| person.name.as_str());
        let name = if name.is_empty() { id.0.clone() } else { name.to_owned() };
        let linked_to_nobody = account.as_ref().filter(|user| user.slack_user_id.is_none());
        if let Some((user, person)) = linked_to_nobody.zip(person.as_ref()) {
            self.soon("The link between an account and Slack", link(&self.ctx, user.id, person)).await;
        }
        let account = account.map(|user| Account { id: user.id, role: user.role });
        Ok(Who {
            actor: Actor { edge: Edge::Slack, name, slack_id: Some(id.clone()), account },
            is_member: person.as_ref().is_none_or(|person| person.is_member != Some(false)),
            email: person.and_then(|person| person.email_key),
            is_certain,
        })
    }

    /// What these people are called, as far as Slack has told us before.
    ///
    /// # Errors
    /// The database's.
    pub async fn names(&self, ids: &[SlackUserId]) -> Result<HashMap<String, String>, DbErr> {
        let known = store::slack_people::of(self.ctx.store.read(), ids).await?;
        Ok(known.into_iter().map(|person| (person.slack_user_id, person.name)).collect())
    }

    /// Slack tells by itself that somebody's account there has changed. No modal waits: it is kept however long the
    /// database takes. Telling it twice changes nothing the second time.
    ///
    /// # Errors
    /// The database's; then it may be kept in part, and has to be told again.
    pub async fn changed(&self, user: SlackUser) -> Result<(), OpError> {
        let id = SlackUserId(user.id.clone());
        if self.is_known(&id).await? {
            let ours = self.api.workspace().await.inspect_err(remark).ok();
            let person = self.person(user, ours.as_ref());
            let keep = || store::slack_people::keep(self.ctx.store.write(), person.clone());
            retry_on_deadlock(is_deadlock, keep).await?;
            self.let_go_unless_member(&person).await?;
        }
        Ok(())
    }

    /// The same where Slack tells of a change again, minutes later: somebody may have changed since, so Slack is
    /// asked (1 s at most) who they are now. What the event says counts only while Slack does not answer.
    ///
    /// # Errors
    /// As [`Self::changed`].
    pub async fn changed_before(&self, user: SlackUser) -> Result<(), OpError> {
        if !self.is_known(&SlackUserId(user.id.clone())).await? {
            return Ok(());
        }
        match self.api.users_info(&user.id).await {
            Ok(now) => self.changed(now).await,
            Err(error) => {
                tracing::warn!(
                    error = error.outcome(),
                    "users.info failed, profile taken from the event"
                );
                self.changed(user).await
            }
        }
    }

    /// True for people of whom something is kept.
    async fn is_known(&self, id: &SlackUserId) -> Result<bool, DbErr> {
        let db = self.ctx.store.read();
        Ok(store::slack_people::find(db, id).await?.is_some()
            || store::users::linked(db, id).await?.is_some())
    }

    /// True while what Slack told of somebody is believed. A time to come was written before a clock was set.
    fn is_fresh(&self, person: &SlackPerson) -> bool {
        let age = self.ctx.clock.now() - person.asked_at;
        person.is_member.is_some() && (TimeDelta::zero()..FRESH).contains(&age)
    }

    /// The active account of a person whom Slack has told us of: nobody else has one.
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

    /// The account of this person's e-mail that is linked to another of whom Slack was not asked lately, where that one
    /// turns out to be no member (any more) and is let go: nobody keeps the account from whose it is.
    async fn account_of_another(
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
                let_go(&self.ctx, &other, &other.0).await?;
            }
            (Err(error), _) | (_, Err(error)) => remark(&error),
        }
        Ok(self.account(id, Some(person)).await?)
    }

    /// Asks Slack and keeps the answer; `None` when there is none.
    async fn ask(&self, id: &SlackUserId) -> Result<Option<SlackPerson>, OpError> {
        let (user, ours) = tokio::join!(self.api.users_info(&id.0), self.api.workspace());
        match (user, ours) {
            (Ok(user), Ok(ours)) => Ok(Some(self.learn(user, &ours).await?)),
            (Err(error), _) | (_, Err(error)) => {
                remark(&error);
                Ok(None)
            }
        }
    }

    /// Keeps what Slack told, if that is soon done.
    async fn learn(&self, user: SlackUser, ours: &Workspace) -> Result<SlackPerson, OpError> {
        let person = self.person(user, Some(ours));
        let keeping = store::slack_people::keep(self.ctx.store.write(), person.clone());
        self.soon("What Slack told of somebody", async { Ok(keeping.await?) }).await;
        self.let_go_unless_member(&person).await?;
        Ok(person)
    }

    /// Whoever left or turns out to be of another workspace has no account any more, and apps never have.
    async fn let_go_unless_member(&self, person: &SlackPerson) -> Result<(), OpError> {
        if person.is_member == Some(false) {
            let_go(&self.ctx, &SlackUserId(person.slack_user_id.clone()), &person.name).await?;
        }
        Ok(())
    }

    /// Writes, if that is soon done: a modal waits for this, and its trigger dies after 3 s. What is not
    /// written is found out again the next time.
    async fn soon(&self, what: &str, writing: impl Future<Output = Result<(), OpError>>) {
        match tokio::time::timeout(KEEPING_MAX, writing).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(error = %ErrorChain(&error), "{what} could not be cached"),
            Err(_) => tracing::warn!("{what} not cached: the database is busy"),
        }
    }

    /// What is kept of a Slack user; `ours` is `None` while Slack does not say which workspace is ours.
    fn person(&self, user: SlackUser, ours: Option<&Workspace>) -> SlackPerson {
        let is_member = match ours {
            _ if user.is_surely_no_member() => Some(false),
            ours => ours.map(|ours| user.is_member(ours)),
        };
        let name = cut(user.real_name.trim(), PersonName::MAX);
        let email = user.email.filter(|_| is_member != Some(false));
        SlackPerson {
            // A name that nobody could see or no database keep is no name.
            name: PersonName::parse(&name).map_or_else(|_| user.id.clone(), PersonName::into_string),
            slack_user_id: user.id,
            email_key: email.as_deref().map(email_key).filter(|key| !key.contains('\0')),
            is_member,
            asked_at: self.ctx.clock.now(),
        }
    }
}

fn remark(error: &SlackApiError) {
    tracing::warn!(
        error = error.outcome(),
        "users.info failed, name taken from the request"
    );
}
