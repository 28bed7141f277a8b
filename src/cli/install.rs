//! `seed-admin` and `demo-data`: what a new installation needs.

use super::{in_words, print};
use crate::domain::actor::{Actor, Edge};
use crate::domain::text::{EmailAddress, SlackHandle, Username};
use crate::ops::install::{self, Seeded};
use crate::ops::{Ctx, password};
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
    /// E-mail address; links the user to Slack
    email: String,
    /// The password. Others on this machine may see it: --password-stdin is safer
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
        let email = EmailAddress::parse(&self.email).context("email")?;
        let slack_handle = self.slack_handle.as_deref().map(SlackHandle::parse).transpose();
        let slack_handle = slack_handle.context("--slack-handle")?;
        let password_hash = password::hash(self.password()?).await.map_err(in_words)?;
        let seed = install::SeedAdmin { username, email, slack_handle, password_hash };
        let name = seed.username.clone();
        match install::seed_admin(ctx, &operator(), seed).await.map_err(in_words)? {
            Seeded::Made(_) => print(&format!("Staff user {name} is made in {database}.")),
            Seeded::Known(_) => print(&format!("A user {name} is in {database} already and stays as it is.")),
        }
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
            first.context("no terminal to ask for the password: give it by --password-stdin")?.into();
        let second: SecretString = rpassword::prompt_password("The same again: ")?.into();
        anyhow::ensure!(first.expose_secret() == second.expose_secret(), "The two passwords differ.");
        Ok(first)
    }
}

#[derive(Debug, Args)]
pub(super) struct DemoData {
    /// How many areas
    #[arg(long, default_value_t = install::DemoData::default().areas)]
    areas: usize,
    /// How many machines
    #[arg(long, default_value_t = install::DemoData::default().machines)]
    machines: usize,
    /// How many open repairs
    #[arg(long, default_value_t = install::DemoData::default().open_repairs)]
    open_repairs: usize,
    /// How many closed repairs
    #[arg(long, default_value_t = install::DemoData::default().closed_repairs)]
    closed_repairs: usize,
}

impl DemoData {
    /// `database` is its address as it may be shown.
    pub(super) async fn run(self, ctx: &Ctx, database: &str) -> anyhow::Result<()> {
        let wanted = install::DemoData {
            areas: self.areas,
            machines: self.machines,
            open_repairs: self.open_repairs,
            closed_repairs: self.closed_repairs,
        };
        install::load_demo_data(ctx, &operator(), wanted).await.map_err(in_words)?;
        print(&format!(
            "Made {} areas, {} machines, {} open and {} closed repairs in {database}.",
            wanted.areas, wanted.machines, wanted.open_repairs, wanted.closed_repairs
        ))
    }
}
