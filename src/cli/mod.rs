//! The command line: what each command takes, and which exit status says what. A command's own file
//! does the work, through operations and `app`.

use crate::app;
use crate::clock::Clock;
use crate::config::{Config, LogFormat};
use crate::logging::{self, Destination, Style};
use crate::ops::install::ConnectError;
use clap::{Parser, Subcommand};
use std::io::IsTerminal;
use std::process::ExitCode;

mod banner;
mod check_config;
mod demo;
mod healthcheck;
mod import_legacy;
mod install;
mod manifest;
mod migrate;
mod run;

/// The program does what was asked.
const DONE: u8 = 0;
/// It could not.
const FAILED: u8 = 1;
/// It was asked wrongly, or is configured wrongly.
const MISUSED: u8 = 2;

/// Equipment Status Board: members see which machines work and report problems, from Slack.
#[derive(Debug, Parser)]
#[command(name = "esb", version, about, long_about = None)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run everything in one process: web, Slack and the worker
    Serve {
        /// Leave the worker to `esb worker`
        #[arg(long)]
        without_worker: bool,
    },
    /// Try it out: the bot in this terminal, the board in a browser, no Slack and no configuration
    Demo(demo::Demo),
    /// Run only the worker, which sends what is owed
    Worker,
    /// Bring the database's schema up to date, take back its latest step, or list its steps
    Migrate {
        /// What to do
        #[arg(default_value = "up")]
        direction: migrate::Direction,
        /// Really take back a step, which deletes its data
        #[arg(long)]
        yes: bool,
    },
    /// Make the first staff user, or give one who is there a new password (--reset-password)
    SeedAdmin(install::SeedAdmin),
    /// Fill an empty database with made-up machines and repairs, and print who can log in
    DemoData(install::DemoData),
    /// Copy everything from a database of the Python system (0.14 to 0.19) into this installation
    ///
    /// Run it with the Python system stopped, into a new database of ESB's own (DATABASE_URL). The old
    /// database is only read. Numbers stay, so that printed labels stay right. It can be run again: what was
    /// copied before is left as it is here, and what is new there is added.
    ImportLegacy(import_legacy::ImportLegacy),
    /// Check the configuration: connect to the database, and ask Slack whether it accepts the tokens
    CheckConfig,
    /// Ask the running program whether it lives
    Healthcheck,
    /// Print the Slack app manifest
    Manifest(manifest::Manifest),
}

impl Cli {
    /// Runs the command that was given.
    pub async fn run(self) -> ExitCode {
        let status = match self.command {
            Command::Demo(demo) => outcome(demo.run().await),
            Command::Manifest(manifest) => outcome(manifest.run()),
            Command::CheckConfig => check_config::run().await,
            configured => match Config::from_env() {
                Ok(config) => outcome(run_configured(configured, config).await),
                Err(errors) => complain(&errors.to_string(), MISUSED),
            },
        };
        ExitCode::from(status)
    }
}

async fn run_configured(command: Command, config: Config) -> anyhow::Result<()> {
    match command {
        Command::Serve { without_worker } => {
            let parts = if without_worker { app::Parts::WithoutWorker } else { app::Parts::All };
            let style = log_to_stdout(&config)?;
            run::serve(config, parts, style).await
        }
        Command::Worker => {
            log_to_stdout(&config)?;
            run::work(config).await
        }
        Command::Migrate { direction, yes } => migrate::run(&config, direction, yes).await,
        Command::SeedAdmin(seed) => {
            log_beside_answers(&config)?;
            seed.run(&app::open(&config, Clock::system()).await?, &config.database_for_log()).await
        }
        Command::DemoData(data) => {
            log_beside_answers(&config)?;
            data.run(&app::open(&config, Clock::system()).await?, &config.database_for_log()).await
        }
        Command::ImportLegacy(import) => {
            log_beside_answers(&config)?;
            import.run(&config).await
        }
        Command::Healthcheck => healthcheck::run(&config).await,
        Command::Demo(_) | Command::Manifest(_) | Command::CheckConfig => Ok(()),
    }
}

fn log_to_stdout(config: &Config) -> anyhow::Result<Style> {
    let is_terminal = std::io::stdout().is_terminal();
    let style = match config.log_format {
        None if is_terminal => Style::Terminal { color: !config.no_color },
        Some(LogFormat::Text) if is_terminal => Style::Terminal { color: !config.no_color },
        Some(LogFormat::Text) => Style::Text,
        None | Some(LogFormat::Json) => Style::Json,
    };
    logging::start(style, &config.log_filter, Destination::Stdout)?;
    say_new_database(config);
    logging::say_refused_details(&config.log_filter);
    for remark in &config.remarks {
        tracing::warn!("{remark}");
    }
    if !config.misspelt.is_empty() {
        tracing::warn!("{}", config.misspelt.join(" "));
    }
    Ok(style)
}

/// For commands that answer on standard output: what they change is logged beside it.
fn log_beside_answers(config: &Config) -> anyhow::Result<()> {
    logging::start(Style::Text, "warn", Destination::Stderr)?;
    say_new_database(config);
    Ok(())
}

/// A mistyped path makes a new installation: first of all, the log says so.
fn say_new_database(config: &Config) {
    if let Some(text) = app::check::new_database(config) {
        tracing::warn!(
            "New database: {text}. If your data should be there, stop ESB and check DATABASE_URL and ESB_DATA_DIR"
        );
    }
}

fn outcome(result: anyhow::Result<()>) -> u8 {
    match result {
        Ok(()) => DONE,
        // The wrong database is a mistake of the configuration.
        Err(error)
            if matches!(
                error.downcast_ref(),
                Some(ConnectError::PythonSystem | ConnectError::SharedSessions)
            ) =>
        {
            complain(&format!("{error:#}"), MISUSED)
        }
        Err(error) if error.is::<Misuse>() => complain(&format!("{error:#}"), MISUSED),
        Err(error) => complain(&format!("{error:#}"), FAILED),
    }
}

/// It was asked for what cannot be; in words for whoever asked.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Misuse(String);

/// For a person at a terminal; the log is elsewhere.
fn complain(text: &str, status: u8) -> u8 {
    let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("esb: {text}\n").as_bytes());
    status
}

/// Prints a line of an answer.
fn print(text: &str) -> anyhow::Result<()> {
    std::io::Write::write_all(&mut std::io::stdout(), format!("{text}\n").as_bytes())?;
    Ok(())
}

/// What a refusal says, for a terminal.
fn in_words(error: crate::ops::OpError) -> anyhow::Error {
    match error {
        crate::ops::OpError::Refused(refusal) => anyhow::anyhow!(refusal.message),
        other => anyhow::Error::new(other),
    }
}
