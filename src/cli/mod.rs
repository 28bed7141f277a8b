//! The command line: the arguments of each command and its exit status. Each command has a file of its own.

use crate::app;
use crate::clock::Clock;
use crate::config::{Config, LogFormat};
use crate::logging::{self, Destination, Style};
use crate::ops::install::ConnectError;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

mod banner;
mod check_config;
mod demo;
mod healthcheck;
mod import_legacy;
mod install;
mod manifest;
mod migrate;
mod run;

/// Exit status of a success.
const DONE: u8 = 0;
/// Exit status of a failure.
const FAILED: u8 = 1;
/// Exit status of wrong usage or configuration.
const MISUSED: u8 = 2;

/// Equipment Status Board: shows which machines work, and takes reports of problems from Slack and the web.
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
        /// Do not run the worker; `esb worker` runs it in another process
        #[arg(long)]
        without_worker: bool,
    },
    /// Try it out: the bot in this terminal and the board in a browser, without Slack or configuration
    Demo(demo::Demo),
    /// Run only the worker, which sends messages to Slack and runs jobs
    Worker(WorkerArgs),
    /// Update the database schema, revert its latest migration, or list the migrations
    Migrate {
        /// What to do
        #[arg(default_value = "up")]
        direction: migrate::Direction,
        /// Confirm `down`, which deletes data
        #[arg(long)]
        yes: bool,
    },
    /// Create the first staff user, or give an existing user a new password (--reset-password)
    SeedAdmin(install::SeedAdmin),
    /// Fill an empty database with sample machines and repairs, and print who can log in
    DemoData(install::DemoData),
    /// Copy everything from a database of the Python system (0.14 to 0.19) into this installation
    ///
    /// Stop the Python system first and set DATABASE_URL to a new database. The old database is only read. Numbers
    /// stay the same, so printed labels stay right. You can run it again: it adds what is new in the old database
    /// and changes nothing that was copied before.
    ImportLegacy(import_legacy::ImportLegacy),
    /// Check the configuration, connect to the database, and ask Slack whether it accepts the tokens
    CheckConfig,
    /// Check that the running program answers, or that its worker is not stuck (--worker)
    Healthcheck(healthcheck::Healthcheck),
    /// Print the Slack app manifest
    Manifest(manifest::Manifest),
    /// `flask db upgrade` of the Python system's guide
    #[command(hide = true)]
    Db { step: LegacyDb },
}

#[derive(Debug, Args)]
struct WorkerArgs {
    /// `flask worker run` of the Python system's guide
    #[arg(hide = true)]
    run: Option<LegacyWorker>,
    /// WORKER_POLL_SECONDS
    #[arg(long, hide = true, value_parser = clap::value_parser!(u64).range(1..=3600))]
    poll_interval: Option<u64>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LegacyWorker {
    Run,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LegacyDb {
    Upgrade,
}

impl Cli {
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
        Command::Worker(WorkerArgs { run: _, poll_interval }) => {
            log_to_stdout(&config)?;
            let worker_poll = poll_interval.map_or(config.worker_poll, Duration::from_secs);
            run::work(Config { worker_poll, ..config }).await
        }
        Command::Migrate { direction, yes } => migrate::run(&config, direction, yes).await,
        Command::Db { step: LegacyDb::Upgrade } => migrate::run(&config, migrate::Direction::Up, false).await,
        Command::SeedAdmin(seed) => {
            log_to_stderr(&config)?;
            seed.run(&app::open(&config, Clock::system()).await?, &config.database_for_log()).await
        }
        Command::DemoData(data) => {
            log_to_stderr(&config)?;
            data.run(&app::open(&config, Clock::system()).await?, &config.database_for_log()).await
        }
        Command::ImportLegacy(import) => {
            log_to_stderr(&config)?;
            import.run(&config).await
        }
        Command::Healthcheck(check) => check.run(&config).await,
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
    log_new_database(config);
    logging::warn_about_capped_libraries(&config.log_filter);
    for remark in &config.remarks {
        tracing::warn!("{remark}");
    }
    if !config.misspelt.is_empty() {
        tracing::warn!("{}", config.misspelt.join(" "));
    }
    Ok(style)
}

/// For commands that print their output to standard output.
fn log_to_stderr(config: &Config) -> anyhow::Result<()> {
    logging::start(Style::Text, "warn", Destination::Stderr)?;
    log_new_database(config);
    Ok(())
}

/// A mistyped path means a new installation, so the first log line says so.
fn log_new_database(config: &Config) {
    if let Some(text) = app::check::new_database(config) {
        tracing::warn!(
            "New database: {text}. If your data should be there, stop ESB and check DATABASE_URL and ESB_DATA_DIR"
        );
    }
}

fn outcome(result: anyhow::Result<()>) -> u8 {
    match result {
        Ok(()) => DONE,
        // A wrong database is a configuration error.
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

/// Wrong usage, with the text for the person.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Misuse(String);

/// Prints an error to standard error and returns the exit status.
fn complain(text: &str, status: u8) -> u8 {
    let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("esb: {text}\n").as_bytes());
    status
}

/// Prints a line of a command's output.
fn print(text: &str) -> anyhow::Result<()> {
    std::io::Write::write_all(&mut std::io::stdout(), format!("{text}\n").as_bytes())?;
    Ok(())
}

/// The text of a refusal as an error.
fn in_words(error: crate::ops::OpError) -> anyhow::Error {
    match error {
        crate::ops::OpError::Refused(refusal) => anyhow::anyhow!(refusal.message),
        other => anyhow::Error::new(other),
    }
}
