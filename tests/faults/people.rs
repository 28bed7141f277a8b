//! People who report problems in Slack and on the web and press "Me too". They send the same form again until
//! it is acknowledged.

use crate::PATIENCE;
use crate::browser;
use crate::cast::Cast;
use chrono::{DateTime, Utc};
use esb::domain::ids::EquipmentId;
use esb_sandbox::{Sandbox, Submitted};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

/// People in Slack.
pub const MEMBERS: [&str; 6] = ["ana", "bo", "cy", "dee", "eli", "fay"];
/// Number of people on the web.
const VISITORS: usize = 3;
/// Milliseconds between two reports of one person; together about one report a second, the rate limit of a
/// channel.
const THINK: std::ops::Range<u64> = 3_000..12_000;
/// Time before a retry.
const AGAIN: Duration = Duration::from_millis(700);
/// Timeout for opening a form.
const FORM: Duration = Duration::from_secs(4);

/// A machine that can be reported on.
pub struct Machine {
    pub id: EquipmentId,
    pub name: &'static str,
}

/// An acknowledged report.
pub struct Report {
    /// A unique part of its description.
    pub mark: String,
    pub equipment: EquipmentId,
    pub acknowledged: DateTime<Utc>,
}

/// What the people did.
#[derive(Default)]
pub struct Told {
    pub reports: Vec<Report>,
    /// Repair and browser of each "Me too" that the web accepted.
    pub me_toos: Vec<(i64, String)>,
    /// The number of retries.
    pub repeated: usize,
    /// Answers that no person should get.
    pub troubles: Vec<String>,
}

/// All people; cheap to clone.
#[derive(Clone)]
pub struct People(Arc<Parts>);

struct Parts {
    slack: Sandbox,
    cast: Cast,
    equipment: Arc<[Machine]>,
    seed: u64,
    end: Instant,
    told: Mutex<Told>,
}

impl People {
    pub fn new(slack: Sandbox, cast: Cast, equipment: Arc<[Machine]>, seed: u64, length: Duration) -> Self {
        let end = Instant::now() + length;
        Self(Arc::new(Parts { slack, cast, equipment, seed, end, told: Mutex::default() }))
    }

    /// Runs until the end, and until all submissions are acknowledged.
    pub async fn live(self) -> Told {
        let mut everybody = JoinSet::new();
        for (number, name) in (100..).zip(MEMBERS) {
            everybody.spawn(self.clone().member(name, number));
        }
        for number in 0..VISITORS {
            everybody.spawn(self.clone().visitor(number));
        }
        everybody.join_all().await;
        std::mem::take(&mut self.0.told.lock().unwrap())
    }

    fn note<T>(&self, what: impl FnOnce(&mut Told) -> T) -> T {
        what(&mut self.0.told.lock().unwrap())
    }

    /// A new mark and its machine.
    fn next(&self, rng: &mut StdRng, who: &str, count: &mut usize) -> (String, &Machine) {
        *count += 1;
        (
            format!("{who} finds fault {count}."),
            &self.0.equipment[rng.random_range(0..self.0.equipment.len())],
        )
    }

    fn is_over(&self) -> bool {
        Instant::now() > self.0.end
    }

    /// Waits before a retry; `false` after too many of them.
    async fn again(&self, what: &str) -> bool {
        self.note(|told| told.repeated += 1);
        sleep(AGAIN).await;
        let in_time = Instant::now() < self.0.end + PATIENCE;
        if !in_time {
            self.note(|told| told.troubles.push(format!("never acknowledged: {what}")));
        }
        in_time
    }

    fn acknowledged(&self, mark: String, equipment: &Machine) {
        let report = Report { mark, equipment: equipment.id, acknowledged: Utc::now() };
        self.note(|told| told.reports.push(report));
    }

    async fn member(self, name: &'static str, number: usize) {
        let mut rng = StdRng::seed_from_u64(self.0.seed.wrapping_add(number as u64));
        let mut count = 0;
        loop {
            sleep(Duration::from_millis(rng.random_range(THINK))).await;
            if self.is_over() {
                return;
            }
            let (mark, equipment) = self.next(&mut rng, name, &mut count);
            let me_too = rng.random_bool(0.3);
            if let Some(view) = self.form(name, equipment).await {
                self.send_form(name, &view, &mark, equipment, me_too).await;
            }
        }
    }

    /// Opens the form in Slack; `None` if that fails until the end.
    async fn form(&self, name: &str, equipment: &Machine) -> Option<String> {
        let slack = &self.0.slack;
        while !self.is_over() {
            let asked = slack.command(name, "#woodshop", "/esb-report", equipment.name).await.unwrap();
            if asked.is_acknowledged()
                && let Some(view) = slack.wait_for(FORM, |slack| slack.top_view(name)).await
            {
                return Some(view.id().to_owned());
            }
            sleep(AGAIN).await;
        }
        None
    }

    async fn send_form(&self, name: &str, view: &str, mark: &str, equipment: &Machine, me_too: bool) {
        let slack = &self.0.slack;
        if me_too {
            // Without known issues there is no such button.
            let _ = slack.press(name, "me_too", None).await;
        }
        let mut filled = false;
        loop {
            // A slow command may have opened another form on top.
            while slack.top_view(name).is_some_and(|top| top.id() != view) {
                let _ = slack.close(name).await;
            }
            filled = filled || slack.fill(name, "description", mark).await.is_ok();
            match slack.submit(name).await {
                Ok(Submitted::Cleared) => return self.acknowledged(mark.to_owned(), equipment),
                Ok(Submitted::TimedOut | Submitted::Errors(_)) => {}
                other => {
                    let trouble = format!("{name} got {other:?} for: {mark}");
                    return self.note(|told| told.troubles.push(trouble));
                }
            }
            if !self.again(mark).await {
                return;
            }
        }
    }

    async fn visitor(self, number: usize) {
        let mut rng = StdRng::seed_from_u64(self.0.seed.wrapping_add(number as u64));
        let (mut cookie, mut count) = (String::new(), 0);
        loop {
            sleep(Duration::from_millis(rng.random_range(THINK))).await;
            if self.is_over() {
                return;
            }
            let (mark, equipment) = self.next(&mut rng, &format!("Visitor {number}"), &mut count);
            let path = format!("/e/{}", equipment.id);
            let me_too = rng.random_bool(0.3);
            let Some(page) = self.page(&path, &cookie).await else { continue };
            cookie = page.cookie.clone().unwrap_or(cookie);
            let (Some(csrf_token), Some(request_id)) = (page.hidden("csrf_token"), page.hidden("request_id"))
            else {
                self.note(|told| told.troubles.push(format!("no form on {path}: {}", page.text)));
                return;
            };
            let name = format!("Visitor {number}");
            let fields = [
                ("csrf_token", csrf_token.as_str()),
                ("request_id", &request_id),
                ("reporter_name", &name),
                ("description", &mark),
                ("severity", "Degraded"),
            ];
            // One address per report, to stay below the limit per address.
            let from = format!("10.{number}.{}.{}", count / 250, count % 250);
            if self.send(&format!("{path}/report"), &cookie, &from, &fields).await {
                self.acknowledged(mark, equipment);
            }
            if me_too {
                self.me_too(&path, &cookie, &from, &csrf_token).await;
            }
        }
    }

    /// Requests a page until it arrives; `None` after the end.
    async fn page(&self, path: &str, cookie: &str) -> Option<browser::Reply> {
        while !self.is_over() {
            for site in self.0.cast.addresses() {
                if let Some(page) = browser::get(site, path, cookie).await.filter(|page| page.status == 200) {
                    return Some(page);
                }
            }
            sleep(AGAIN).await;
        }
        None
    }

    /// Sends a form to one process after the other until it is accepted.
    async fn send(&self, path: &str, cookie: &str, from: &str, fields: &[(&str, &str)]) -> bool {
        loop {
            for site in self.0.cast.addresses() {
                let reply = browser::post(site, path, cookie, from, fields).await;
                match reply.map(|reply| (reply.status, reply.text)) {
                    Some((303, _)) => return true,
                    None | Some((503, _)) => {}
                    Some((status, text)) => {
                        let trouble = format!("{path} was answered by {status}: {text}");
                        self.note(|told| told.troubles.push(trouble));
                        return false;
                    }
                }
                self.note(|told| told.repeated += 1);
            }
            if !self.again(path).await {
                return false;
            }
        }
    }

    async fn me_too(&self, path: &str, cookie: &str, from: &str, csrf_token: &str) {
        let Some(equipment) = self.page(&format!("{path}.json"), cookie).await else { return };
        let equipment: Value = serde_json::from_str(&equipment.text).unwrap();
        let Some(repair) = equipment["open_repairs"][0]["id"].as_i64() else { return };
        let said = format!("{path}/me-too/{repair}");
        if self.send(&said, cookie, from, &[("csrf_token", csrf_token)]).await {
            // The cookie is the signed id of the browser.
            let browser = cookie.rsplit("browser.").next().unwrap().to_owned();
            self.note(|told| told.me_toos.push((repair, format!("browser:{browser}"))));
        }
    }
}
