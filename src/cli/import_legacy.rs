//! `import-legacy`: copies the data of the Python system into this installation. Findings and counts go to standard
//! output, so that they can be kept; progress goes to the terminal.

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
    /// Address of the old database, as in its DATABASE_URL. Other users of this machine can see it here, with the
    /// password; `-` reads it from standard input instead
    url: SecretString,
    /// The old upload directory (its UPLOAD_PATH), to copy documents and photos from
    #[arg(long, value_name = "DIR")]
    uploads: Option<PathBuf>,
    /// Copy nothing; only print what would be copied
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
            Some(directory) => Some(app::legacy_uploads(config, &ctx, directory).await?),
            None => None,
        };
        let uploads = uploads.as_ref().map(|uploads| uploads as &dyn Uploads);
        let here = config.database_for_log();
        let mode = if self.dry_run { " (nothing is copied: --dry-run)" } else { "" };
        print(&format!("From {address} into {here}{mode}"))?;
        let mut report = Report::new();
        let imported =
            import_legacy(&ctx, &operator(), &old, (self.dry_run, uploads), &mut |event| report.add(event))
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

/// The output of a run.
struct Report {
    findings: u64,
    table: Vec<String>,
    /// The first error of standard output.
    written: anyhow::Result<()>,
    is_terminal: bool,
}

impl Report {
    fn new() -> Self {
        let head = format!("{:<24} {:>9} {:>9} {:>9} {:>9}", "", "there", "copied", "here", "left out");
        Self { findings: 0, table: vec![head], written: Ok(()), is_terminal: std::io::stderr().is_terminal() }
    }

    fn add(&mut self, event: Event<'_>) {
        match event {
            Event::Finding(text) => {
                self.findings += 1;
                self.line(text);
            }
            Event::Table(tally) => self.table.push(format!(
                "{:<24} {:>9} {:>9} {:>9} {:>9}",
                tally.table, tally.there, tally.copied, tally.here, tally.left_out
            )),
            Event::Progress(tally) if self.is_terminal => {
                let done = tally.copied + tally.here + tally.left_out;
                let line = format!("\r{}: {done} of {}\u{1b}[K\r", tally.table, tally.there);
                let _ = std::io::stderr().write_all(line.as_bytes());
            }
            Event::Progress(_) => {}
        }
    }

    fn line(&mut self, text: &str) {
        if self.written.is_ok() {
            self.written = print(text);
        }
    }

    fn end(mut self) -> anyhow::Result<()> {
        for line in std::mem::take(&mut self.table) {
            self.line(&line);
        }
        self.line(&match self.findings {
            0 => "Everything fitted.".to_owned(),
            count => format!("{count} lines above say what did not fit or needs attention."),
        });
        self.written
    }
}
