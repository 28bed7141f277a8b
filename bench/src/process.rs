//! Child processes: started, watched, ended. Knows nothing of what they do.

use anyhow::Context;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// How long a program may take to end after it was asked to.
const END: Duration = Duration::from_secs(30);

/// A running program, killed with the value.
pub struct Process(Child);

impl Process {
    /// Starts it.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(command: &mut Command) -> anyhow::Result<Self> {
        let child = command.spawn();
        Ok(Self(child.with_context(|| format!("{} does not start", command.get_program().display()))?))
    }

    /// A field of `/proc/<pid>/status` that is counted in kB, in MiB: `VmRSS`, `VmHWM`.
    ///
    /// # Errors
    /// When it has ended, or there is no such field.
    pub fn memory(&self, field: &str) -> anyhow::Result<f64> {
        let pid = self.0.id();
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        let kib = line.and_then(|rest| rest.trim().strip_suffix("kB")?.trim().parse::<f64>().ok());
        Ok(kib.with_context(|| format!("no {field} in /proc/{pid}/status"))? / 1024.0)
    }

    /// Asks it to end, as systemd would, and waits.
    ///
    /// # Errors
    /// When it does not end in time, or not with status 0.
    pub async fn terminate(mut self) -> anyhow::Result<()> {
        let pid = self.0.id().to_string();
        Command::new("kill").args(["-TERM", &pid]).status()?;
        let asked = Instant::now();
        loop {
            if let Some(status) = self.0.try_wait()? {
                anyhow::ensure!(status.success(), "it ended with {status}");
                return Ok(());
            }
            anyhow::ensure!(asked.elapsed() < END, "it does not end");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Most have ended by now.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Where this program is.
///
/// # Errors
/// The operating system's.
pub fn own_executable() -> anyhow::Result<PathBuf> {
    std::env::current_exe().context("this program's own path")
}

/// Runs a program to its end.
///
/// # Errors
/// When it cannot be started or fails; says what it said.
pub fn run(command: &mut Command) -> anyhow::Result<()> {
    let output = command.output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "{command:?}: {}", said.trim());
    Ok(())
}

/// The end of a file, for an error message.
pub fn tail(path: &Path) -> String {
    let text = std::fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text[text.len().saturating_sub(2_000)..]).into_owned();
    format!("the log of esb ends so:\n{text}\n")
}
