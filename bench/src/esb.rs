//! An installation of esb to measure: its database, settings, process and equipment.

use crate::http1::Connection;
use crate::process::{self, Process};
use crate::slack::Slack;
use anyhow::Context;
use clap::ValueEnum;
use serde::Deserialize;
use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Socket Mode connections of esb.
pub const CONNECTIONS: usize = 2;
/// The address of attacks. The attacked installation trusts it as a proxy, so that one address can act for thousands.
pub const ATTACKER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 9);
/// Longest start.
const START: Duration = Duration::from_secs(30);

/// The amount of data in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Size {
    /// 60 machines in 4 areas, 25 open repairs: what `esb demo-data` makes by itself
    Small,
    /// 5,000 machines in 40 areas, 1,500 open and 20,000 closed repairs
    Large,
    /// 1,000 machines in 5 areas, each with a channel
    #[value(skip)]
    Lanes,
    /// As small, without Slack
    #[value(skip)]
    Attacks,
}

impl Size {
    /// The sizes of the whole measurement.
    pub const ALL: &[Self] = &[Self::Small, Self::Large];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Large => "large",
            Self::Lanes => "lanes",
            Self::Attacks => "attacks",
        }
    }

    pub const fn machines(self) -> usize {
        match self {
            Self::Small | Self::Attacks => 60,
            Self::Large => 5_000,
            Self::Lanes => 1_000,
        }
    }

    const fn demo_data(self) -> &'static [&'static str] {
        match self {
            Self::Small | Self::Attacks => &["demo-data"],
            Self::Large => &[
                "demo-data",
                "--areas=40",
                "--machines=5000",
                "--open-repairs=1500",
                "--closed-repairs=20000",
            ],
            Self::Lanes => &["demo-data", "--areas=5", "--machines=1000"],
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
pub struct Machine {
    pub id: i64,
    /// Unique.
    pub name: String,
}

#[derive(Debug, Deserialize)]
pub struct Area {
    pub name: String,
    pub equipment: Vec<Machine>,
}

#[derive(Deserialize)]
struct Status {
    areas: Vec<Area>,
}

pub struct Installation {
    executable: PathBuf,
    database_url: String,
    folder: TempDir,
    /// The web's address while it runs.
    pub web: SocketAddr,
    pub slack: Slack,
    pub size: Size,
}

impl Installation {
    /// Prepares an installation in a new folder.
    pub async fn new(executable: &Path, size: Size, database_url: Option<&str>) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let database_url = match database_url {
            Some(url) => url.replace("{size}", size.name()),
            None => format!("sqlite://{}", folder.path().join("esb.db").display()),
        };
        let (slack, web) = (Slack::start().await?, free_address()?);
        let this = Self { executable: executable.to_owned(), database_url, folder, web, slack, size };
        this.run(size.demo_data()).context("the database could not be filled")?;
        Ok(this)
    }

    /// Runs an `esb` command to its end.
    pub fn run(&self, arguments: &[&str]) -> anyhow::Result<()> {
        process::run(&mut self.command(arguments))
    }

    /// A folder for files; removed with the installation.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.executable);
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("DATABASE_URL", &self.database_url)
            .env("ESB_LISTEN", self.web.to_string())
            .env("WORKER_HEARTBEAT_PATH", self.folder.path().join("beat"));
        if self.size == Size::Attacks {
            command.env("ESB_TRUSTED_PROXIES", ATTACKER.to_string());
            return command;
        }
        command
            .env("SLACK_BOT_TOKEN", "xoxb-bench")
            .env("SLACK_APP_TOKEN", "xapp-bench")
            .env("SLACK_SOCKET_MODE_CONNECT", "true")
            .env("SLACK_API_URL", self.slack.api_url())
            .env("SLACK_CONNECTIONS", CONNECTIONS.to_string());
        command
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// The end of the log, for an error message.
    pub fn last_words(&self) -> String {
        process::tail(&self.log())
    }

    /// Starts the program with its log in a file. Returns the process, and the times to the first 200 of `/health/live`
    /// and of `/`. Its Slack connections are open when this returns.
    pub async fn start(&mut self) -> anyhow::Result<(Process, Duration, Duration)> {
        self.web = free_address()?;
        let mut command = self.command(&["serve"]);
        command.stdout(File::create(self.log())?).stderr(Stdio::inherit());
        let began = Instant::now();
        let process = Process::start(&mut command)?;
        let live = first_answer(self.web, "/health/live", began).await?;
        let board = first_answer(self.web, "/", began).await?;
        if self.size != Size::Attacks {
            self.slack.connected(CONNECTIONS).await?;
        }
        Ok((process, live, board))
    }

    /// Its areas with their equipment.
    pub async fn areas(&self) -> anyhow::Result<Vec<Area>> {
        let mut connection = Connection::open(self.web).await?;
        let answer = connection.ask(b"GET /status.json HTTP/1.1\r\nhost: bench\r\n\r\n").await?;
        anyhow::ensure!(answer.status() == 200, "/status.json answers {}", answer.status());
        let status: Status = serde_json::from_slice(answer.body)?;
        let machines: usize = status.areas.iter().map(|area| area.equipment.len()).sum();
        anyhow::ensure!(machines == self.size.machines(), "there are {machines} machines");
        Ok(status.areas)
    }
}

/// Time from `began`, when the program was started, to its first 200.
pub async fn first_answer(address: SocketAddr, path: &str, began: Instant) -> anyhow::Result<Duration> {
    let request = format!("GET {path} HTTP/1.1\r\nhost: bench\r\n\r\n");
    loop {
        if let Ok(mut connection) = Connection::open(address).await
            && connection.ask(request.as_bytes()).await.is_ok_and(|answer| answer.status() == 200)
        {
            return Ok(began.elapsed());
        }
        anyhow::ensure!(began.elapsed() < START, "it does not answer");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// A free loopback address.
pub fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?)
}
