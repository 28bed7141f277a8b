//! `esb-bench`: puts load on a release build of `esb` and prints figures, each with the floor of the same run: what a
//! bare program reaches on this machine with the same client. A wrong answer ends it with status 1 and without
//! figures. See docs/performance.md.

mod attacks;
mod esb;
mod figures;
mod floor;
mod http1;
mod lanes;
mod measure;
mod mixed;
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
    /// The program to measure; default: `esb` in the directory of this one
    #[arg(long, global = true)]
    esb: Option<PathBuf>,
    /// Which sizes: small is 60 machines, large is 5,000; default: both
    #[arg(long = "size", value_enum)]
    sizes: Vec<esb::Size>,
    /// Use these empty databases instead of new SQLite files, one for each size; `{size}` becomes the size's name
    #[arg(long)]
    database_url: Option<String>,
    /// Also write the figures to this file
    #[arg(long, global = true)]
    json: Option<PathBuf>,
    /// A few seconds a size: shows that everything answers, not how fast
    #[arg(long)]
    quick: bool,
    #[command(subcommand)]
    task: Option<Task>,
}

/// What else this program does.
#[derive(Debug, Subcommand)]
enum Task {
    /// Measures how long messages wait for each other: a burst of reports, or an outage of Slack
    Lanes(lanes::Options),
    /// Measures memory under a long mixed load while repairs become more and more
    Mixed(mixed::Options),
    /// Measures what other visitors notice while somebody attacks
    Attacks(attacks::Options),
    /// Acknowledges and opens modals without looking at anything
    #[command(hide = true)]
    FloorSocket(floor::socket::Options),
    /// Answers with the bytes of files
    #[command(hide = true)]
    FloorWeb(floor::web::Options),
}

fn main() -> ExitCode {
    let mut arguments = Arguments::parse();
    let outcome = match arguments.task.take() {
        Some(Task::FloorSocket(options)) => floor::runtime().and_then(|r| r.block_on(options.run())),
        Some(Task::FloorWeb(options)) => floor::runtime().and_then(|r| r.block_on(options.run())),
        Some(task) => one_thread(measure_task(&arguments, &task)),
        None => one_thread(bench(&arguments)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&mut std::io::stderr(), &format!("esb-bench: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// One thread: the program under test shares the machine with its load.
fn one_thread(task: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no runtime")?;
    runtime.block_on(task)
}

/// Prints a line. Ignores a closed terminal.
fn say(to: &mut impl std::io::Write, line: &str) {
    let _ = writeln!(to, "{line}");
}

/// The program to measure.
fn executable(arguments: &Arguments) -> anyhow::Result<PathBuf> {
    let esb = match &arguments.esb {
        Some(path) => path.clone(),
        None => process::own_executable()?.with_file_name("esb"),
    };
    anyhow::ensure!(esb.is_file(), "{} is not there: cargo build --release --workspace", esb.display());
    Ok(esb)
}

/// Measures one scenario.
async fn measure_task(arguments: &Arguments, task: &Task) -> anyhow::Result<()> {
    let esb = executable(arguments)?;
    let (size, mut figures) = match task {
        Task::Lanes(_) => (esb::Size::Lanes, Figures::new("lanes")),
        Task::Mixed(_) => (esb::Size::Small, Figures::new("mixed")),
        Task::Attacks(_) => (esb::Size::Attacks, Figures::with_columns("attacks", ["attack", "calm"])),
        Task::FloorSocket(_) | Task::FloorWeb(_) => anyhow::bail!("a floor is no scenario"),
    };
    let mut installation = Installation::new(&esb, size, arguments.database_url.as_deref()).await?;
    let measured = match task {
        Task::Lanes(options) => options.measure(&mut installation, &mut figures).await,
        Task::Mixed(options) => options.measure(&mut installation, &mut figures).await,
        Task::Attacks(options) => options.measure(&mut installation, &mut figures).await,
        Task::FloorSocket(_) | Task::FloorWeb(_) => Ok(()),
    };
    measured.with_context(|| installation.last_words())?;
    say(&mut std::io::stdout(), &figures.table());
    write_json(arguments, &[figures])
}

fn write_json(arguments: &Arguments, all: &[Figures]) -> anyhow::Result<()> {
    let Some(path) = &arguments.json else { return Ok(()) };
    std::fs::write(path, serde_json::to_vec_pretty(all)?).with_context(|| path.display().to_string())
}

async fn bench(arguments: &Arguments) -> anyhow::Result<()> {
    let esb = executable(arguments)?;
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
    write_json(arguments, &all)
}
