//! Pages: responses per second over 2 and over 16 persistent connections: compressed as browsers request it, plain, and
//! 304. The floor responds with the same bytes and headers.

use super::floors::{Answer, WebFloor};
use super::{Effort, REST, Subject, request};
use crate::figures::{Figures, Times, each, per_second};
use crate::http1::Connection;
use crate::process::Process;
use crate::sign_in;
use anyhow::Context;
use flate2::read::GzDecoder;
use std::io::Read;
use std::net::SocketAddr;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// The variants of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    Gzip,
    Plain,
    Held,
}

/// The results for one page.
struct Load {
    /// Responses per second.
    rate: f64,
    times: Times,
    /// Processor time of the program per response, in microseconds.
    cpu: f64,
}

/// A request and its expected response.
struct Page {
    name: String,
    path: String,
    /// Headers in addition to a browser's usual ones.
    extra: String,
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// A text that the plain body must contain.
    mark: String,
}

pub(super) async fn measure(
    subject: &Subject<'_>,
    effort: &Effort,
    figures: &mut Figures,
) -> anyhow::Result<(WebFloor, f64)> {
    let web = subject.installation.web;
    let machine = subject.areas.first().and_then(|area| area.equipment.first()).context("no machine")?;
    let equipment = format!("/e/{}", machine.id);
    let signed_in = sign_in::cookies(subject.installation).await?;
    let machine = machine.name.as_str();
    let wanted = [
        ("board", "/", How::Gzip, None, machine),
        ("board", "/", How::Plain, None, machine),
        ("board", "/", How::Held, None, machine),
        ("equipment page", equipment.as_str(), How::Gzip, None, machine),
        ("equipment page", equipment.as_str(), How::Plain, None, machine),
        ("queue", "/repairs", How::Plain, Some(signed_in.as_str()), "open repairs"),
        ("equipment list", "/equipment", How::Plain, Some(signed_in.as_str()), "/equipment/"),
    ];
    let mut pages = Vec::new();
    for (name, path, how, cookies, mark) in wanted {
        pages.push(Rc::new(Page::fetch(web, (name, path, cookies), how, mark).await?));
    }
    let floor = floor(&subject.installation.folder().join("floor"), &pages).await?;
    tokio::time::sleep(REST).await;
    let idle = floor.process.memory("VmRSS")?;
    for (number, page) in pages.iter().enumerate() {
        #[allow(clippy::cast_precision_loss, reason = "a page is small")]
        figures.add(format!("{}, body", page.name), "KiB", page.body.len() as f64 / 1024.0);
        for connections in [2, 16] {
            let load = async |address, path: &str, process| {
                load(address, page, path, connections, effort.sustained, process).await
            };
            let done = load(web, &page.path, subject.process).await?;
            let bare = load(floor.address, &format!("/{number}"), &floor.process).await?;
            let name = format!("{}, {connections} connections", page.name);
            figures.compare(name.clone(), "/s", done.rate, bare.rate);
            figures.compare(format!("{name}, p99"), "ms", done.times.p99(), bare.times.p99());
            figures.compare(format!("{name}, processor time each"), "µs", done.cpu, bare.cpu);
        }
    }
    Ok((floor, idle))
}

impl Page {
    /// Requests the page once like a returning browser, and checks the response.
    async fn fetch(
        web: SocketAddr,
        (name, path, cookies): (&str, &str, Option<&str>),
        how: How,
        mark: &str,
    ) -> anyhow::Result<Self> {
        let mut connection = Connection::open(web).await?;
        let first = connection.ask(&request(path, "")).await?;
        let (tag, cookie) = (first.header("etag"), first.header("set-cookie"));
        let cookie = cookies.or_else(|| cookie.and_then(|cookie| cookie.split(';').next()));
        let mut extra = cookie.map(|cookie| format!("cookie: {cookie}\r\n")).unwrap_or_default();
        let (what, status) = match how {
            How::Gzip => ("gzip", 200),
            How::Plain => ("plain", 200),
            How::Held => ("304", 304),
        };
        if how != How::Plain {
            extra.push_str("accept-encoding: gzip, deflate, br\r\n");
        }
        if how == How::Held {
            extra.push_str(&format!("if-none-match: {}\r\n", tag.context("no ETag")?));
        }
        let answer = connection.ask(&request(path, &extra)).await?;
        let page = Self {
            name: format!("{name} ({what})"),
            path: path.to_owned(),
            extra,
            status,
            headers: answer.headers(),
            body: answer.body.to_vec(),
            mark: mark.to_owned(),
        };
        let encoded = answer.header("content-encoding") == Some("gzip");
        let fine = answer.status() == status && encoded == (how == How::Gzip) && page.is_right(answer.body);
        anyhow::ensure!(fine, "{}: a wrong answer of status {}", page.name, answer.status());
        Ok(page)
    }

    /// True for the same bytes as the first time, or for other bytes with the same content.
    fn is_right(&self, body: &[u8]) -> bool {
        if !self.body.is_empty() && body == self.body || self.status == 304 {
            return body == self.body;
        }
        let mut text = String::new();
        let read = if body.starts_with(&[0x1f, 0x8b]) {
            GzDecoder::new(body).read_to_string(&mut text).is_ok()
        } else {
            std::str::from_utf8(body).map(|plain| text.push_str(plain)).is_ok()
        };
        read && text.trim_end().ends_with("</html>") && text.contains(&self.mark)
    }

    /// The cheap check of a response while the clock runs.
    fn looks_right(&self, body: &[u8]) -> bool {
        body.len().abs_diff(self.body.len()) <= self.body.len() / 20
    }
}

/// A floor that responds to `/0` with the first page, and so on.
async fn floor(folder: &Path, pages: &[Rc<Page>]) -> anyhow::Result<WebFloor> {
    let answer = |page: &Rc<Page>| ((page.status, page.headers.clone()), page.body.clone());
    WebFloor::prepare(folder, &pages.iter().map(answer).collect::<Vec<Answer>>())?;
    WebFloor::start(folder, 1).await
}

/// Sends requests as fast as responses arrive.
async fn load(
    address: SocketAddr,
    page: &Rc<Page>,
    path: &str,
    connections: usize,
    time: Duration,
    process: &Process,
) -> anyhow::Result<Load> {
    let mut open = Vec::new();
    for _ in 0..connections {
        open.push(Connection::open(address).await?);
    }
    let bytes: Rc<[u8]> = request(path, &page.extra).into();
    let local = tokio::task::LocalSet::new();
    let (began, before) = (Instant::now(), process.cpu()?);
    let asking: Vec<_> = open
        .into_iter()
        .map(|connection| {
            local.spawn_local(ask(connection, Rc::clone(page), Rc::clone(&bytes), began + time))
        })
        .collect();
    let answers = local.run_until(futures_util::future::try_join_all(asking)).await?;
    let (took, cpu) = (began.elapsed(), process.cpu()? - before);
    let times =
        answers.into_iter().collect::<anyhow::Result<Vec<_>>>().with_context(|| page.name.clone())?.concat();
    Ok(Load { rate: per_second(times.len(), took), cpu: each(cpu, times.len()), times: Times::new(times) })
}

/// Sends the requests of one connection. Every response is checked, the last one in full.
async fn ask(
    mut connection: Connection,
    page: Rc<Page>,
    request: Rc<[u8]>,
    until: Instant,
) -> anyhow::Result<Vec<Duration>> {
    let mut times = Vec::new();
    let mut began = Instant::now();
    loop {
        let answer = connection.ask(&request).await?;
        let ended = Instant::now();
        times.push(ended - began);
        let status = answer.status();
        anyhow::ensure!(
            status == page.status && page.looks_right(answer.body),
            "a wrong answer, status {status}"
        );
        if ended >= until {
            anyhow::ensure!(page.is_right(answer.body), "a wrong body");
            return Ok(times);
        }
        began = ended;
    }
}
