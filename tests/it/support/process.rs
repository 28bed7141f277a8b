//! The program as processes that share a workspace, a directory and a database.

use super::app::{ANA, DEADLINE, world};
use super::database::TestDatabase;
use super::proxy::Proxy;
use super::wait::pause;
use esb_sandbox::{Options, Sandbox};
use std::fs::File;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// The path of the program.
pub const ESB: &str = env!("CARGO_BIN_EXE_esb");

/// A running `esb`; dropping it kills it.
pub struct Process(pub Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Process {
    /// `kill -9`.
    pub fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// Sends SIGTERM and returns the exit status.
    pub async fn terminate(mut self) -> Option<i32> {
        let pid = self.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let mut child = std::mem::replace(&mut self.0, Command::new("true").spawn().unwrap());
        tokio::task::spawn_blocking(move || child.wait().unwrap().code()).await.unwrap()
    }
}

/// A workspace, a working directory and a database, which processes share.
pub struct Installation {
    pub slack: Sandbox,
    pub directory: TempDir,
    pub database: TestDatabase,
    /// A proxy in front of the database, if any.
    pub proxy: Option<Proxy>,
}

impl Installation {
    pub async fn new() -> Self {
        Self::on(TestDatabase::new().await)
    }

    pub fn on(database: TestDatabase) -> Self {
        let slack = Sandbox::start(world(), Options::default()).unwrap();
        Self { slack, directory: tempfile::tempdir().unwrap(), database, proxy: None }
    }

    fn url(&self) -> String {
        let by_proxy = |proxy: &Proxy| self.database.url_via(proxy.address());
        self.proxy.as_ref().map_or_else(|| self.database.url().to_owned(), by_proxy)
    }

    /// A command that runs the program here.
    pub fn esb(&self, arguments: &[&str]) -> Command {
        self.command(ESB, arguments)
    }

    /// A command that runs another program here.
    pub fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(self.directory.path())
            .env_clear()
            .env("DATABASE_URL", self.url())
            .env("ESB_LISTEN", "127.0.0.1:0")
            .env("SLACK_BOT_TOKEN", self.slack.bot_token())
            .env("SLACK_APP_TOKEN", self.slack.app_token())
            .env("SLACK_SOCKET_MODE_CONNECT", "true")
            .env("SLACK_API_URL", self.slack.api_url())
            .env("WORKER_HEARTBEAT_PATH", self.directory.path().join("beat"))
            .stdout(Stdio::null());
        command
    }

    /// Runs a command: its exit status, and its standard output, or its standard error if that is empty.
    pub fn run(&self, arguments: &[&str], variables: &[(&str, &str)]) -> (i32, String) {
        let output =
            self.esb(arguments).envs(variables.iter().copied()).stdout(Stdio::piped()).output().unwrap();
        let text = if output.stdout.is_empty() { output.stderr } else { output.stdout };
        (output.status.code().unwrap(), String::from_utf8(text).unwrap())
    }

    /// Runs a command that must end by itself: its exit status and all of its output.
    pub async fn run_to_end(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let path = self.directory.path().join("said");
        let said = File::create(&path).unwrap();
        let mut command = self.esb(arguments);
        command.stdout(said.try_clone().unwrap()).stderr(said);
        let mut process = Process(command.spawn().unwrap());
        let end = async {
            loop {
                if let Some(status) = process.0.try_wait().unwrap() {
                    break status.code();
                }
                pause().await;
            }
        };
        let status = tokio::time::timeout(DEADLINE, end).await;
        let said = std::fs::read_to_string(path).unwrap();
        (status.unwrap_or_else(|_| panic!("{arguments:?} does not end: {said}")), said)
    }

    /// Starts the program and waits for its two connections.
    pub async fn serve(&self, arguments: &[&str]) -> Process {
        let process = Process(self.esb(arguments).spawn().unwrap());
        assert!(self.slack.wire().wait_for_connections(2, DEADLINE).await, "it did not connect");
        process
    }

    /// Ana reports a problem with the table saw, and the form closes.
    pub async fn report(&self, what: &str) {
        self.slack.command(ANA, "#woodshop", "/esb-report", "table saw").await.unwrap();
        let opened = self.slack.wait_for(DEADLINE, |slack| slack.top_view(ANA)).await;
        assert!(opened.is_some(), "no form opened");
        self.slack.fill(ANA, "description", what).await.unwrap();
        let submitted = self.slack.submit(ANA).await.unwrap();
        assert!(matches!(submitted, esb_sandbox::Submitted::Cleared), "{submitted:?}");
    }

    /// The number of messages in a channel that contain a text.
    pub fn count_messages(&self, channel: &str, what: &str) -> usize {
        let messages = self.slack.messages();
        messages.iter().filter(|m| m.channel == channel && m.text.contains(what)).count()
    }

    /// Waits until the announcement is in both channels.
    pub async fn wait_until_announced(&self, what: &str) -> bool {
        let both = |_: &Sandbox| {
            (self.count_messages("C0WOOD", what) > 0 && self.count_messages("C0OOPS", what) > 0).then_some(())
        };
        self.slack.wait_for(DEADLINE, both).await.is_some()
    }
}
