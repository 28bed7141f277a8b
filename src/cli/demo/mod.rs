//! `demo`: the whole program with a Slack sandbox on loopback, sample data, and a terminal in place of Slack. Needs no
//! configuration and leaves nothing behind.

use super::print;
use crate::app::{App, Parts};
use crate::cli::install::describe_login;
use crate::clock::Clock;
use crate::config::{Config, Environment};
use crate::domain::actor::{Actor, Edge};
use crate::logging::{self, Destination, Style};
use crate::ops::deliveries::queue_stats;
use crate::ops::install::{DemoData, DemoLogin, load_demo_data};
use anyhow::Context;
use clap::Args;
use esb_sandbox::{Channel, Options, Person, Sandbox, Settle, Terminal, World};
use std::fs;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader, Lines, Stdin};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

mod board;
mod transcript;

use transcript::Transcript;

/// Longest wait for the messages that a line causes. The rate limiter may delay one by a second.
const SETTLE_LIMIT: Duration = Duration::from_secs(5);
/// Longest wait for the connection to the sandbox.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// Channels of the sample areas, and the channel for all reports.
const CHANNELS: &[&str] = &["general", "oops", "woodshop", "metalshop", "lasers", "electronics"];

/// Lines that end the demo.
const EXIT_COMMANDS: &[&str] = &["exit", "quit"];
/// Help for the commands that the sandbox's terminal does not handle.
const HELP: &str = "\
board [word]            show the machines that do not work, or those of that name or area
exit, quit, Ctrl-C      end the demo";

#[derive(Debug, Args)]
pub(super) struct Demo {
    /// Keep the data in this directory and use it again next time
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Port of the board
    #[arg(long, default_value_t = 5000)]
    port: u16,
    /// Also write input and output to this file, as Markdown
    #[arg(long, value_name = "FILE")]
    transcript: Option<PathBuf>,
}

impl Demo {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let temporary = tempfile::tempdir().context("cannot create a directory for the demo's data")?;
        let directory = self.keep.clone().unwrap_or_else(|| temporary.path().to_owned());
        fs::create_dir_all(&directory).with_context(|| format!("--keep {}", directory.display()))?;
        let log = fs::File::create(directory.join("esb.log"))?;
        logging::start(Style::Text, "info", Destination::File(log))?;

        let sandbox = Sandbox::start(world(), Options::default())?;
        let listen = format!("127.0.0.1:{}", self.port);
        let listener = TcpListener::bind(&listen)
            .await
            .with_context(|| format!("port {} is in use: choose another with --port", self.port))?;
        let board = format!("http://localhost:{}", listener.local_addr()?.port());
        let app = Arc::new(App::build(config(&directory, &board, &sandbox)?, Clock::system()).await?);
        let logins = load_data(&app).await?;

        let shutdown = CancellationToken::new();
        let serving = tokio::spawn({
            let (app, shutdown) = (Arc::clone(&app), shutdown.clone());
            async move { app.serve(listener, Parts::All, shutdown).await }
        });
        let session = Session::new(&sandbox, &app, &board, self.transcript.as_deref())?;
        let ended = tokio::select! {
            ended = session.run(&sandbox, &board, &logins) => ended,
            _ = tokio::signal::ctrl_c() => print(""),
        };
        shutdown.cancel();
        serving.await??;
        ended
    }
}

/// Optional scopes of the app: those of the manifest except for files, which cannot be sent from a keyboard.
const SCOPES: [&str; 7] = [
    "app_mentions:read",
    "channels:history",
    "channels:read",
    "groups:history",
    "groups:read",
    "im:history",
    "reactions:read",
];

fn world() -> World {
    let mut world = World::new()
        .person(Person::new("U0ANA", "ana", "Ana Lee").email("ana@example.org"))
        .person(Person::new("U0BO", "bo", "Bo Okafor").email("bo@example.org"))
        .person(Person::new("U0TOM", "tom", "Tom Berg").email("tom@example.org"))
        .person(Person::new("U0TESSA", "tessa", "Tessa Wolf").email("tessa@example.org"))
        .person(Person::new("U0SAM", "sam", "Sam Cruz").email("sam@example.org"));
    world.scopes.extend(SCOPES.map(String::from));
    CHANNELS
        .iter()
        .enumerate()
        .fold(world, |world, (i, name)| world.channel(Channel::new(&format!("C0DEMO{i}"), name)))
}

/// A configuration without `.env` and the environment.
fn config(directory: &Path, board: &str, sandbox: &Sandbox) -> anyhow::Result<Config> {
    let beat = directory.join("worker_heartbeat");
    let environment: Environment = [
        ("ESB_DATA_DIR", directory.to_string_lossy().as_ref()),
        ("ESB_BASE_URL", board),
        ("SLACK_BOT_TOKEN", sandbox.bot_token()),
        ("SLACK_APP_TOKEN", sandbox.app_token()),
        ("SLACK_SOCKET_MODE_CONNECT", "true"),
        ("SLACK_API_URL", &sandbox.api_url()),
        ("WORKER_HEARTBEAT_PATH", beat.to_string_lossy().as_ref()),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    Ok(Config::parse(&environment)?)
}

/// Loads sample data, unless a kept directory has some. Returns the demo logins.
async fn load_data(app: &App) -> anyhow::Result<Vec<DemoLogin>> {
    if crate::ops::search::any_equipment(&app.ctx).await? {
        return Ok(Vec::new());
    }
    let operator = Actor::visitor(Edge::Cli, "demo");
    load_demo_data(&app.ctx, &operator, DemoData::default()).await.map_err(super::in_words)
}

/// Reads commands from standard input and shows what Slack would show.
struct Session {
    terminal: Terminal,
    transcript: Option<Transcript>,
    lines: Lines<BufReader<Stdin>>,
    is_interactive: bool,
}

impl Session {
    fn new(
        sandbox: &Sandbox,
        app: &Arc<App>,
        board: &str,
        transcript: Option<&Path>,
    ) -> anyhow::Result<Self> {
        let transcript = transcript.map(|path| Transcript::create(path, board)).transpose()?;
        Ok(Self {
            terminal: Terminal::new(sandbox.clone(), settle(app)),
            transcript,
            lines: BufReader::new(tokio::io::stdin()).lines(),
            is_interactive: std::io::stdin().is_terminal(),
        })
    }

    async fn run(mut self, sandbox: &Sandbox, board: &str, logins: &[DemoLogin]) -> anyhow::Result<()> {
        let connected = sandbox.wire().wait_for_connections(2, CONNECT_LIMIT).await;
        anyhow::ensure!(
            connected,
            "ESB did not connect to the demo's Slack: use --keep DIR and read DIR/esb.log"
        );
        if self.is_interactive {
            print(&welcome(board, logins))?;
        }
        loop {
            self.prompt()?;
            let Some(line) =
                self.lines.next_line().await?.filter(|line| !EXIT_COMMANDS.contains(&line.trim()))
            else {
                break;
            };
            let output = self.answer(board, line.trim()).await?;
            if !self.is_interactive && !line.trim().is_empty() {
                print(&format!("> {line}"))?;
            }
            if !output.is_empty() {
                print(&format!("{output}\n"))?;
            }
            if let Some(transcript) = &mut self.transcript {
                transcript.add(&line, &output)?;
            }
        }
        Ok(())
    }

    /// The output of a line: `board` and part of `help` are the demo's, `#` starts a comment, and the sandbox's
    /// terminal handles the rest.
    async fn answer(&mut self, board: &str, line: &str) -> anyhow::Result<String> {
        match line.split_once(' ').unwrap_or((line, "")) {
            ("#", _) => Ok(String::new()),
            ("board", word) => board::show(board, word.trim()).await,
            ("help" | "?", _) => Ok(format!("{}\n{HELP}", self.terminal.line(line).await)),
            _ => Ok(self.terminal.line(line).await),
        }
    }

    fn prompt(&self) -> anyhow::Result<()> {
        if self.is_interactive {
            write!(std::io::stdout(), "{}> ", self.terminal.place())?;
            std::io::stdout().flush()?;
        }
        Ok(())
    }
}

fn welcome(board: &str, logins: &[DemoLogin]) -> String {
    let logins: String =
        logins.iter().map(|login| format!("Log in there as {}.\n", describe_login(login))).collect();
    format!(
        "This is a Slack workspace with one app: Equipment Status Board. Nothing here is real.\n\
         The board is at {board}. Ctrl-C or \"exit\" ends the demo.\n{logins}\n\
         You are Ana, a member. Try:\n  \
           /esb-status\n  \
           /esb-report table saw\n  \
           set description Belt slips\n  \
           submit\n  \
           read #woodshop\n  \
           board\n  \
           help\n"
    )
}

/// Waits until the program has finished the work that a line caused.
fn settle(app: &Arc<App>) -> Settle {
    let app = Arc::clone(app);
    Arc::new(move || {
        let app = Arc::clone(&app);
        Box::pin(async move {
            app.intake.idle().await;
            let sent = async {
                while queue_stats::queue(&app.ctx).await.is_ok_and(|queue| queue.pending > 0) {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            };
            let _ = tokio::time::timeout(SETTLE_LIMIT, sent).await;
        })
    })
}
