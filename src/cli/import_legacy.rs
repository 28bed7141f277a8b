//! `import-legacy`: copies what the Python system has into this installation. What did not fit and the
//! counts go to standard output, so that they can be kept; how far it is goes to the terminal.

use super::install::operator;
use super::{Misuse, print};
use crate::app;
use crate::clock::Clock;
use crate::config::{Config, DatabaseUrl};
use crate::ops::OpError;
use crate::ops::import::{Event, Legacy, Uploads, import_legacy};
use crate::ops::install::ConnectError;
use anyhow::Context;
use clap::Args;
use secrecy::{ExposeSecret, SecretString};
use std::io::{IsTerminal, Read, Write};
use std::path::PathBuf;

/// Longest address that is read from standard input, in bytes.
const URL_MAX: u64 = 4096;

#[derive(Debug, Args)]
pub(super) struct ImportLegacy {
    /// Address of the old database, as its DATABASE_URL. `-` reads it from standard input: others on this
    /// machine may see what stands here, the password too
    url: SecretString,
    /// The old directory of uploads (its UPLOAD_PATH): documents and photos are copied from there
    #[arg(long, value_name = "DIR")]
    uploads: Option<PathBuf>,
    /// Only tell what would become of it
    #[arg(long)]
    dry_run: bool,
}

impl ImportLegacy {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<()> {
        let address = self.address()?;
        let address =
            DatabaseUrl::parse(&address).map_err(|remedy| Misuse(format!("the old address: {remedy}")))?;
        let ctx = app::open(config, Clock::system()).await?;
        let old = match Legacy::open(&address.url).await {
            Err(error @ ConnectError::NotPythonSystem) => {
                return Err(Misuse(format!("{address}: {error}")).into());
            }
            opened => opened.with_context(|| address.to_string())?,
        };
        let uploads = match self.uploads {
            Some(directory) => Some(app::old_uploads(config, &ctx, directory).await?),
            None => None,
        };
        let uploads = uploads.as_ref().map(|uploads| uploads as &dyn Uploads);
        let here = config.database_for_log();
        let mode = if self.dry_run { " (nothing is copied: --dry-run)" } else { "" };
        print(&format!("From {address} into {here}{mode}"))?;
        let mut report = Report::new();
        let imported =
            import_legacy(&ctx, &operator(), &old, (self.dry_run, uploads), &mut |event| report.tell(event))
                .await;
        match imported {
            Err(OpError::Refused(refusal)) => return Err(Misuse(refusal.message).into()),
            done => done?,
        }
        report.end()
    }

    fn address(&self) -> anyhow::Result<String> {
        if self.url.expose_secret() != "-" {
            return Ok(self.url.expose_secret().to_owned());
        }
        let mut line = String::new();
        std::io::stdin().take(URL_MAX).read_to_string(&mut line)?;
        Ok(line.trim().to_owned())
    }
}

/// What is shown of a run.
struct Report {
    odd: u64,
    table: Vec<String>,
    /// The first line that could not be written.
    broken: anyhow::Result<()>,
    is_watched: bool,
}

impl Report {
    fn new() -> Self {
        let head = format!("{:<24} {:>9} {:>9} {:>9} {:>9}", "", "there", "copied", "here", "left out");
        Self { odd: 0, table: vec![head], broken: Ok(()), is_watched: std::io::stderr().is_terminal() }
    }

    fn tell(&mut self, event: Event<'_>) {
        match event {
            Event::Odd(what) => {
                self.odd += 1;
                self.line(what);
            }
            Event::Table(tally) => self.table.push(format!(
                "{:<24} {:>9} {:>9} {:>9} {:>9}",
                tally.table, tally.there, tally.copied, tally.here, tally.left_out
            )),
            Event::Progress(tally) if self.is_watched => {
                let done = tally.copied + tally.here + tally.left_out;
                let line = format!("\r{}: {done} of {}\u{1b}[K\r", tally.table, tally.there);
                let _ = std::io::stderr().write_all(line.as_bytes());
            }
            Event::Progress(_) => {}
        }
    }

    fn line(&mut self, text: &str) {
        if self.broken.is_ok() {
            self.broken = print(text);
        }
    }

    fn end(mut self) -> anyhow::Result<()> {
        for line in std::mem::take(&mut self.table) {
            self.line(&line);
        }
        self.line(&match self.odd {
            0 => "Everything fitted.".to_owned(),
            odd => format!("{odd} lines above say what did not fit, or wants to be known."),
        });
        self.broken
    }
}
