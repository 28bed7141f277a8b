//! Starts, watches and ends child processes.

use anyhow::Context;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// Longest shutdown.
const END: Duration = Duration::from_secs(30);

/// A running program; dropping it kills the process.
pub struct Process(Child);

impl Process {
    pub fn start(command: &mut Command) -> anyhow::Result<Self> {
        let child = command.spawn();
        Ok(Self(child.with_context(|| format!("{} does not start", command.get_program().display()))?))
    }

    /// A kB field of `/proc/<pid>/status` in MiB: `VmRSS`, `VmHWM`.
    pub fn memory(&self, field: &str) -> anyhow::Result<f64> {
        let pid = self.0.id();
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        let kib = line.and_then(|rest| rest.trim().strip_suffix("kB")?.trim().parse::<f64>().ok());
        Ok(kib.with_context(|| format!("no {field} in /proc/{pid}/status"))? / 1024.0)
    }

    /// Processor time so far.
    pub fn cpu(&self) -> anyhow::Result<Duration> {
        let [_, _, own @ ..] = cpu(&self.0.id().to_string())?;
        Ok(own.iter().sum())
    }

    /// Bytes written to files.
    pub fn written(&self) -> anyhow::Result<u64> {
        let io = std::fs::read_to_string(format!("/proc/{}/io", self.0.id()))?;
        let bytes = io.lines().find_map(|line| line.strip_prefix("wchar: ")?.parse().ok());
        bytes.context("an unknown form of /proc/<pid>/io")
    }

    /// Sends SIGTERM and waits.
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
        // The process has usually ended by now.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Processor times of a process: of its children that have ended (user, system), and its own.
fn cpu(pid: &str) -> anyhow::Result<[Duration; 4]> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, fields) = stat.rsplit_once(')').context("an unknown form of /proc/<pid>/stat")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let time = |number: usize| {
        // proc(5) counts from 1; the third field, the state, is the first after the name.
        let ticks = fields.get(number - 3).and_then(|field| field.parse().ok());
        ticks.map(in_time).context("an unknown form of /proc/<pid>/stat")
    };
    Ok([time(16)?, time(17)?, time(14)?, time(15)?])
}

/// Linux counts these in hundredths of a second, regardless of its timer frequency.
const fn in_time(ticks: u64) -> Duration {
    Duration::from_millis(ticks * 10)
}

/// The processor times of the machine.
#[derive(Debug, Clone, Copy)]
pub struct Machine {
    busy: Duration,
    all: Duration,
    ours: Duration,
}

impl Machine {
    /// Reads the times; `child` is a running child process.
    pub fn now(child: Option<&Process>) -> anyhow::Result<Self> {
        let stat = std::fs::read_to_string("/proc/stat")?;
        let line = stat.lines().next().unwrap_or_default();
        let ticks: Vec<u64> =
            line.split_whitespace().filter_map(|field| field.parse().ok()).take(8).collect();
        let [_, _, _, idle, waiting, ..] = ticks[..] else { anyhow::bail!("an unknown form of /proc/stat") };
        let all: u64 = ticks.iter().sum();
        let ours = cpu("self")?.iter().sum::<Duration>() + child.map_or(Ok(Duration::ZERO), Process::cpu)?;
        Ok(Self { busy: in_time(all - idle - waiting), all: in_time(all), ours })
    }

    /// The share of the machine, in percent, that other programs used since `before`.
    pub fn others_since(&self, before: &Self) -> f64 {
        let others = (self.busy - before.busy).saturating_sub(self.ours.saturating_sub(before.ours));
        others.div_duration_f64(self.all - before.all) * 100.0
    }
}

pub fn own_executable() -> anyhow::Result<PathBuf> {
    std::env::current_exe().context("this program's own path")
}

/// Runs a program to its end.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_what_was_used() {
        let began = Instant::now();
        let before = cpu("self").unwrap();
        while cpu("self").unwrap()[2..].iter().sum::<Duration>() - before[2] - before[3]
            < Duration::from_millis(50)
        {
            assert!(began.elapsed() < Duration::from_secs(20), "a busy loop takes no time");
        }
        assert!(began.elapsed() >= Duration::from_millis(10));
    }

    #[test]
    fn running_process_reports_memory_and_end() {
        let process = Process::start(Command::new("sleep").arg("60")).unwrap();
        let began = Instant::now();
        // Just after its start the process has no memory yet.
        while process.memory("VmRSS").unwrap() < 0.1 {
            assert!(began.elapsed() < Duration::from_secs(20), "a program without memory");
        }
        assert!(process.memory("VmNone").is_err() && process.written().is_ok());
        assert!(run(Command::new("ls").arg("/nonexistent")).is_err());
    }
}
