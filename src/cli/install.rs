//! `seed-admin` and `demo-data`: the first staff user and sample data of a new installation.

use super::{in_words, print};
use crate::domain::actor::{Actor, Edge, Role};
use crate::domain::text::{EmailAddress, SlackHandle, Username};
use crate::ops::install::{self, DemoLogin, KnownUser, SeedOutcome};
use crate::ops::{Ctx, accounts::password};
use anyhow::Context;
use clap::Args;
use secrecy::{ExposeSecret, SecretString};

/// Longest password that is read from standard input, in bytes.
const PASSWORD_MAX: u64 = 1024;

pub(super) fn operator() -> Actor {
    Actor::visitor(Edge::Cli, "command line")
}

#[derive(Debug, Args)]
pub(super) struct SeedAdmin {
    /// Name to log in with
    username: String,
    /// Email address; links the user to Slack
    #[arg(required_unless_present = "reset_password")]
    email: Option<String>,
    /// Give an existing user a new password and make them active staff. Ends their sessions
    #[arg(long)]
    reset_password: bool,
    /// The password. Other users of this machine can see it: --password-stdin is safer
    #[arg(long, conflicts_with = "password_stdin")]
    password: Option<SecretString>,
    /// Read the password from standard input
    #[arg(long)]
    password_stdin: bool,
    /// Slack handle, such as @sam
    #[arg(long)]
    slack_handle: Option<String>,
}

impl SeedAdmin {
    /// `database` is its address as it may be shown.
    pub(super) async fn run(self, ctx: &Ctx, database: &str) -> anyhow::Result<()> {
        let username = Username::parse(&self.username).context("username")?;
        // Checked before the password is requested.
        let known = install::find_user(ctx, &username).await.map_err(in_words)?;
        match (known, self.reset_password) {
            (None, false) => self.create(ctx, username, database).await,
            (Some(known), false) => Err(refuse(&known, database)),
            (Some(_), true) => self.reset(ctx, &username, database).await,
            (None, true) => anyhow::bail!(
                "There is no user {username} in {database}. To create one: esb seed-admin {username} <email address>"
            ),
        }
    }

    async fn create(self, ctx: &Ctx, username: Username, database: &str) -> anyhow::Result<()> {
        let email = EmailAddress::parse(self.email.as_deref().unwrap_or_default()).context("email")?;
        let slack_handle = self.slack_handle.as_deref().map(SlackHandle::parse).transpose();
        let slack_handle = slack_handle.context("--slack-handle")?;
        let password_hash = password::hash(self.password()?).await.map_err(in_words)?;
        let seed = install::SeedAdmin { username, email, slack_handle, password_hash };
        let name = seed.username.clone();
        match install::seed_admin(ctx, &operator(), seed).await.map_err(in_words)? {
            SeedOutcome::Created(_) => print(&format!("Staff user {name} created in {database}.")),
            SeedOutcome::Exists(known) => Err(refuse(&known, database)),
        }
    }

    async fn reset(self, ctx: &Ctx, username: &Username, database: &str) -> anyhow::Result<()> {
        let hash = password::hash(self.password()?).await.map_err(in_words)?;
        let before = install::reset_admin(ctx, &operator(), username, &hash).await.map_err(in_words)?;
        let mut changes = String::new();
        if before.role != Role::Staff {
            changes.push_str(" They were a technician and are now staff.");
        }
        if !before.active {
            changes.push_str(" They were deactivated and are now active.");
        }
        print(&format!(
            "{} has a new password in {database} and is logged out everywhere.{changes}",
            before.username
        ))
    }

    fn password(&self) -> anyhow::Result<SecretString> {
        if let Some(password) = &self.password {
            return Ok(password.clone());
        }
        if self.password_stdin {
            let mut line = String::new();
            std::io::Read::read_to_string(
                &mut std::io::Read::take(std::io::stdin(), PASSWORD_MAX),
                &mut line,
            )?;
            return Ok(line.trim_end_matches(['\r', '\n']).into());
        }
        let first = rpassword::prompt_password("Password: ");
        let first: SecretString =
            first.context("no terminal to ask for the password: use --password-stdin")?.into();
        let second: SecretString = rpassword::prompt_password("Repeat the password: ")?.into();
        anyhow::ensure!(
            first.expose_secret() == second.expose_secret(),
            "The two passwords differ. Try again."
        );
        Ok(first)
    }
}

fn refuse(known: &KnownUser, database: &str) -> anyhow::Error {
    let role = if known.role == Role::Staff { "staff" } else { "a technician" };
    let state = match (known.active, known.has_password) {
        (false, _) => "deactivated",
        (true, false) => "without a password, so nobody can log in as them",
        (true, true) => "active",
    };
    let name = &known.username;
    anyhow::anyhow!(
        "{database} already has a user {name} ({role}, {state}). Nothing was changed. To give them a new password and \
         make them active staff: esb seed-admin {name} --reset-password"
    )
}

#[derive(Debug, Args)]
pub(super) struct DemoData {
    /// Number of areas
    #[arg(long, default_value_t = install::DemoData::default().areas)]
    areas: usize,
    /// Number of machines
    #[arg(long = "machines", value_name = "MACHINES", default_value_t = install::DemoData::default().equipment)]
    equipment: usize,
    /// Number of open repairs
    #[arg(long, default_value_t = install::DemoData::default().open_repairs)]
    open_repairs: usize,
    /// Number of closed repairs
    #[arg(long, default_value_t = install::DemoData::default().closed_repairs)]
    closed_repairs: usize,
}

impl DemoData {
    /// `database` is its address as it may be shown.
    pub(super) async fn run(self, ctx: &Ctx, database: &str) -> anyhow::Result<()> {
        let data = install::DemoData {
            areas: self.areas,
            equipment: self.equipment,
            open_repairs: self.open_repairs,
            closed_repairs: self.closed_repairs,
        };
        let logins = install::load_demo_data(ctx, &operator(), data).await.map_err(in_words)?;
        print(&format!(
            "Created {} areas, {} machines, {} open and {} closed repairs in {database}.",
            data.areas, data.equipment, data.open_repairs, data.closed_repairs
        ))?;
        for login in &logins {
            print(&format!("Log in as {}", describe_login(login)))?;
        }
        if !logins.is_empty() {
            print("These passwords are not shown again.")?;
        }
        Ok(())
    }
}

/// Name, role and password, for the terminal.
pub(super) fn describe_login(login: &DemoLogin) -> String {
    let role = login.role.word().to_lowercase();
    format!("{} ({role}) with the password {}", login.username, login.password.expose_secret())
}
