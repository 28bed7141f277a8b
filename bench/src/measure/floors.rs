//! Starts the floors and waits until they respond. They send the responses that esb sent in the same run.

use super::REST;
use crate::esb::{CONNECTIONS, first_answer, free_address};
use crate::floor::socket::Sizes;
use crate::floor::web::Head;
use crate::http1::Connection;
use crate::process::{Process, own_executable};
use crate::slack::Slack;
use std::fs::create_dir;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// The bare Socket Mode client, and its Slack.
pub struct SocketFloor {
    pub slack: Slack,
    pub process: Process,
    /// Its memory before any load, in MiB.
    pub idle: f64,
}

impl SocketFloor {
    /// Starts a floor that sends messages of these sizes.
    pub async fn start(sizes: &Sizes) -> anyhow::Result<Self> {
        let mut slack = Slack::start().await?;
        let mut program = Command::new(own_executable()?);
        program.arg("floor-socket").args(["--api", &slack.api_url()]);
        program.args(["--connections", &CONNECTIONS.to_string()]).args(sizes.arguments());
        let process = Process::start(&mut program)?;
        slack.connected(CONNECTIONS).await?;
        tokio::time::sleep(REST).await;
        let idle = process.memory("VmRSS")?;
        Ok(Self { slack, process, idle })
    }
}

pub type Answer = (Head, Vec<u8>);

pub struct WebFloor {
    pub address: SocketAddr,
    pub process: Process,
    /// Times from its start to the first 200 of each response.
    pub first: Vec<Duration>,
}

impl WebFloor {
    /// Writes responses into a new folder: `/0` is the first one.
    pub fn prepare(folder: &Path, answers: &[Answer]) -> anyhow::Result<()> {
        create_dir(folder)?;
        for (number, (head, body)) in answers.iter().enumerate() {
            std::fs::write(folder.join(format!("{number}.json")), serde_json::to_vec(head)?)?;
            std::fs::write(folder.join(format!("{number}.body")), body)?;
        }
        Ok(())
    }

    /// Starts the floor with this folder, and waits until this number of its responses are 200.
    pub async fn start(folder: &Path, awaited: usize) -> anyhow::Result<Self> {
        let address = free_address()?;
        let mut program = Command::new(own_executable()?);
        program.arg("floor-web").args(["--listen", &address.to_string()]).arg("--answers").arg(folder);
        let began = Instant::now();
        let process = Process::start(&mut program)?;
        let mut first = Vec::new();
        for number in 0..awaited {
            first.push(first_answer(address, &format!("/{number}"), began).await?);
        }
        Ok(Self { address, process, first })
    }
}

/// esb's response.
pub async fn answer_of(address: SocketAddr, path: &str) -> anyhow::Result<Answer> {
    let mut connection = Connection::open(address).await?;
    let answer = connection.ask(format!("GET {path} HTTP/1.1\r\nhost: bench\r\n\r\n").as_bytes()).await?;
    Ok(((answer.status(), answer.headers()), answer.body.to_vec()))
}
