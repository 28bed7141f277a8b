//! Starts, kills, stops and restarts the processes, each with its own log. Notices processes that end by
//! themselves.

use crate::{PATIENCE, browser};
use chrono::Utc;
use esb_sandbox::Sandbox;
use serde_json::Value;
use std::fs::{self, File};
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Interval for polling conditions.
pub const LOOK: Duration = Duration::from_millis(50);
/// Timeout for stopping: a send may take 15 s, and an unavailable database 20 s.
const STOP: Duration = Duration::from_secs(60);

/// All processes; cheap to clone.
#[derive(Clone)]
pub struct Cast(Arc<Mutex<Processes>>);

struct Processes {
    directory: TempDir,
    environment: Vec<(&'static str, String)>,
    members: Vec<Member>,
    /// Processes that ended by themselves.
    troubles: Vec<String>,
    starts: usize,
}

struct Member {
    arguments: &'static str,
    running: Option<(Child, PathBuf)>,
}

/// A process that has ended.
pub struct Gone {
    /// The name of its leases, if it had a worker.
    pub worker: Option<String>,
}

impl Cast {
    /// Starts one process for each of these arguments.
    pub fn start(members: &[&'static str], slack: &Sandbox, database: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let environment = vec![
            ("ESB_DATA_DIR", directory.path().join("data").display().to_string()),
            ("DATABASE_URL", database.to_owned()),
            ("ESB_LISTEN", "127.0.0.1:0".into()),
            ("ESB_TRUSTED_PROXIES", "127.0.0.1".into()),
            ("SECRET_KEY", "a secret that all processes share".into()),
            ("SLACK_BOT_TOKEN", slack.bot_token().into()),
            ("SLACK_APP_TOKEN", slack.app_token().into()),
            ("SLACK_SOCKET_MODE_CONNECT", "true".into()),
            ("SLACK_API_URL", slack.api_url()),
            ("RUST_BACKTRACE", "1".into()),
        ];
        let members = members.iter().map(|arguments| Member { arguments, running: None }).collect();
        let processes = Processes { directory, environment, members, troubles: Vec::new(), starts: 0 };
        let cast = Self(Arc::new(Mutex::new(processes)));
        for whom in 0..cast.len() {
            cast.start_again(whom);
        }
        cast
    }

    fn lock(&self) -> MutexGuard<'_, Processes> {
        self.0.lock().unwrap()
    }

    /// The number of processes, running or not.
    pub fn len(&self) -> usize {
        self.lock().members.len()
    }

    /// Starts a stopped process.
    pub fn start_again(&self, whom: usize) {
        self.lock().start(whom);
    }

    /// Kills a process; `None` if it is not running.
    pub fn kill(&self, whom: usize) -> Option<Gone> {
        let (mut child, log) = self.lock().take(whom)?;
        child.kill().unwrap();
        child.wait().unwrap();
        Some(Gone { worker: field(&log, "worker started", "worker") })
    }

    /// Stops a process and waits for it; `false` if it is not running.
    pub async fn stop(&self, whom: usize) -> bool {
        let Some((mut child, log)) = self.lock().take(whom) else { return false };
        let asked = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
        assert!(asked.success());
        let ended = until(STOP, || child.try_wait().unwrap()).await;
        match ended {
            Some(status) if status.success() => {}
            // It was asked before it handled signals.
            Some(_) if fs::metadata(&log).is_ok_and(|log| log.len() == 0) => {}
            Some(status) => self.trouble(format!("{}: {status} after SIGTERM", log.display())),
            None => {
                let _ = (child.kill(), child.wait());
                self.trouble(format!("{}: did not stop within {} s", log.display(), STOP.as_secs()));
            }
        }
        true
    }

    /// Writes a line to the log of faults, for the analysis of failures.
    pub fn note(&self, line: &str) {
        let path = self.lock().directory.path().join("blows.txt");
        let mut file = File::options().create(true).append(true).open(path).unwrap();
        writeln!(file, "{} {line}", Utc::now()).unwrap();
    }

    fn trouble(&self, what: String) {
        self.lock().troubles.push(what);
    }

    /// The addresses of the running web servers.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        let logs: Vec<PathBuf> = self
            .lock()
            .members
            .iter()
            .filter_map(|member| Some(member.running.as_ref()?.1.clone()))
            .collect();
        logs.iter().filter_map(|log| field(log, "listening", "listen")?.parse().ok()).collect()
    }

    /// Waits until all processes have started.
    pub async fn wait_until_up(&self, slack: &Sandbox) {
        let arguments: Vec<_> = self.lock().members.iter().map(|member| member.arguments).collect();
        let serving = arguments.iter().filter(|arguments| arguments.starts_with("serve")).count();
        let working = arguments.iter().filter(|arguments| !arguments.contains("without")).count();
        assert!(slack.wire().wait_for_connections(2 * serving, PATIENCE).await, "not all are connected");
        let names =
            || self.logs().iter().filter(|log| field(log, "worker started", "worker").is_some()).count();
        assert!(until(PATIENCE, || (names() == working).then_some(())).await.is_some(), "no worker");
        for address in self.addresses() {
            assert!(browser::get(address, "/health", "").await.is_some_and(|reply| reply.status == 200));
        }
    }

    /// Stops all processes; returns everything that went wrong with them.
    pub async fn end(&self) -> Vec<String> {
        for whom in 0..self.len() {
            self.stop(whom).await;
        }
        let mut troubles = std::mem::take(&mut self.lock().troubles);
        for log in self.logs() {
            let text = fs::read_to_string(&log).unwrap();
            let panics = text.lines().filter(|line| line.to_lowercase().contains("panic"));
            troubles.extend(panics.map(|line| format!("{}: {line}", log.display())));
        }
        troubles
    }

    /// The logs of all processes, including ended ones.
    pub fn logs(&self) -> Vec<PathBuf> {
        let directory = self.lock().directory.path().to_owned();
        let files = fs::read_dir(directory).unwrap().map(|file| file.unwrap().path());
        files.filter(|file| file.extension().is_some_and(|end| end == "log")).collect()
    }

    /// Keeps the logs after a failure.
    pub fn keep_logs(&self) -> PathBuf {
        let mut processes = self.lock();
        processes.directory.disable_cleanup(true);
        processes.directory.path().to_owned()
    }
}

impl Processes {
    fn start(&mut self, whom: usize) {
        self.starts += 1;
        let member = &mut self.members[whom];
        let name = format!("{:03}-{}-{whom}", self.starts, member.arguments.replace(' ', ""));
        let (log, beat) = (self.directory.path().join(format!("{name}.log")), format!("beat-{whom}"));
        let out = File::create(&log).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_esb"))
            .args(member.arguments.split(' '))
            .current_dir(self.directory.path())
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env("WORKER_HEARTBEAT_PATH", self.directory.path().join(beat))
            .stderr(Stdio::from(out.try_clone().unwrap()))
            .stdout(Stdio::from(out))
            .spawn()
            .unwrap();
        member.running = Some((child, log));
    }

    /// Removes a running process; records one that has ended by itself.
    fn take(&mut self, whom: usize) -> Option<(Child, PathBuf)> {
        let (mut child, log) = self.members[whom].running.take()?;
        let Some(status) = child.try_wait().unwrap() else { return Some((child, log)) };
        self.troubles.push(format!("{}: ended by itself: {status}", log.display()));
        None
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        for (child, _) in self.members.iter_mut().filter_map(|member| member.running.as_mut()) {
            let _ = (child.kill(), child.wait());
        }
    }
}

/// A field of the first line of a log with this message.
fn field(log: &Path, message: &str, field: &str) -> Option<String> {
    let text = fs::read_to_string(log).ok()?;
    let mut lines =
        text.lines().filter(|line| line.contains(message)).filter_map(|line| serde_json::from_str(line).ok());
    let line: Value = lines.find(|line: &Value| line["message"] == message)?;
    line[field].as_str().map(str::to_owned)
}

/// Polls until the condition is true, at most for `limit`.
pub async fn until<T>(limit: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let started = Instant::now();
    loop {
        let found = look();
        if found.is_some() || started.elapsed() > limit {
            return found;
        }
        tokio::time::sleep(LOOK).await;
    }
}
