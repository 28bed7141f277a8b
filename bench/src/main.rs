//! `esb-bench`: puts load on a release build of `esb` and prints what came of it, each figure beside
//! the floor of the same run: what a bare program manages on this machine with the same client. Prints
//! no figure of an answer that was wrong: it ends with status 1 instead. See docs/performance.md.

mod esb;
mod figures;
mod floor;
mod http1;
mod measure;
mod payloads;
mod process;
mod sign_in;
mod slack;

use anyhow::Context;
use clap::{Parser, Subcommand};
use esb::Installation;
use figures::Figures;
use measure::Effort;
use std::path::PathBuf;
use std::process::ExitCode;

/// Measures a release build of esb.
#[derive(Debug, Parser)]
#[command(name = "esb-bench", version)]
struct Arguments {
    /// The program to measure; default: `esb` beside this one
    #[arg(long)]
    esb: Option<PathBuf>,
    /// Which sizes: small is 60 machines, large is 5,000; default: both
    #[arg(long = "size", value_enum)]
    sizes: Vec<esb::Size>,
    /// Another database than a new SQLite file; empty, one for each size, whose name stands for `{size}`
    #[arg(long)]
    database_url: Option<String>,
    /// Also write the figures to this file
    #[arg(long)]
    json: Option<PathBuf>,
    /// A few seconds a size: shows that everything answers, not how fast
    #[arg(long)]
    quick: bool,
    #[command(subcommand)]
    floor: Option<Floor>,
}

/// What this program starts itself as: the bare programs to compare with.
#[derive(Debug, Subcommand)]
enum Floor {
    /// Acknowledges and opens modals without looking at anything
    #[command(hide = true)]
    FloorSocket(floor::socket::Options),
    /// Answers with the bytes of files
    #[command(hide = true)]
    FloorWeb(floor::web::Options),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match arguments.floor {
        Some(Floor::FloorSocket(options)) => floor::runtime().and_then(|r| r.block_on(options.run())),
        Some(Floor::FloorWeb(options)) => floor::runtime().and_then(|r| r.block_on(options.run())),
        // One thread: what is measured has to share the machine with its load.
        None => tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("no runtime")
            .and_then(|runtime| runtime.block_on(bench(&arguments))),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&mut std::io::stderr(), &format!("esb-bench: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Prints a line. A terminal that is gone is nobody's error.
fn say(to: &mut impl std::io::Write, line: &str) {
    let _ = writeln!(to, "{line}");
}

async fn bench(arguments: &Arguments) -> anyhow::Result<()> {
    let esb = match &arguments.esb {
        Some(path) => path.clone(),
        None => process::own_executable()?.with_file_name("esb"),
    };
    anyhow::ensure!(esb.is_file(), "{} is not there: cargo build --release --workspace", esb.display());
    let effort = if arguments.quick { Effort::QUICK } else { Effort::FULL };
    let sizes = if arguments.sizes.is_empty() { esb::Size::ALL } else { &arguments.sizes };
    let mut all = Vec::new();
    for &size in sizes {
        let mut figures = Figures::new(size.name());
        say(&mut std::io::stderr(), &format!("{}: preparing", size.name()));
        let mut installation = Installation::new(&esb, size, arguments.database_url.as_deref()).await?;
        let measured = measure::everything(&mut installation, &effort, &mut figures).await;
        measured.with_context(|| installation.last_words())?;
        say(&mut std::io::stdout(), &figures.table());
        all.push(figures);
    }
    if let Some(path) = &arguments.json {
        std::fs::write(path, serde_json::to_vec_pretty(&all)?).with_context(|| path.display().to_string())?;
    }
    Ok(())
}
