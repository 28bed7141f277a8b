//! Headless Chromium, driven through chromedriver. If either is missing, the test is skipped with a message,
//! or fails with `ESB_TEST_REQUIRE=all`.

use super::ops::user;
use super::wait::pause;
use super::web::{TestWeb, config};
use esb::domain::actor::Role;
use esb::web::kernel::access::SESSION_COOKIE;
use esb::web::kernel::cookies::Cookies;
use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Longest wait for anything in the browser.
const PATIENCE: Duration = Duration::from_secs(60);

/// Longest wait for the browser to end.
const END: Duration = Duration::from_secs(10);

/// A browser window on one of our pages. Dropping it ends the browser, also if a test fails.
pub struct Chromium {
    client: Client,
    site: String,
    _driver: Driver,
}

impl Chromium {
    /// A phone's window: 390 × 844 points, with touch.
    pub async fn phone(site: SocketAddr) -> Option<Self> {
        let metrics = json!({"width": 390, "height": 844, "pixelRatio": 2.0, "touch": true});
        Self::open(site, json!({"mobileEmulation": {"deviceMetrics": metrics}})).await
    }

    /// A desktop window: 1280 × 900 points.
    pub async fn desk(site: SocketAddr) -> Option<Self> {
        Self::open(site, json!({})).await
    }

    async fn open(site: SocketAddr, mut options: Value) -> Option<Self> {
        let Some(driver) = start_driver().await else {
            assert!(std::env::var("ESB_TEST_REQUIRE").as_deref() != Ok("all"), "chromedriver is not there");
            eprintln!("skipped: chromedriver is not there (Debian: chromium, chromium-driver)");
            return None;
        };
        // Chromium's sandbox does not work in containers and as root.
        options["args"] = json!([
            "--headless=new",
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-breakpad",
            "--window-size=1280,900"
        ]);
        let capabilities = json!({"browserName": "chrome", "goog:chromeOptions": options});
        let client = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new())
            .capabilities(capabilities.as_object().unwrap().clone())
            .connect(&format!("http://127.0.0.1:{}", driver.port))
            .await
            .unwrap();
        Some(Self { client, site: format!("http://{site}"), _driver: driver })
    }

    /// Signs in a user of this role by setting a session cookie. A page must be open.
    pub async fn sign_in(&self, web: &TestWeb, role: Role) {
        let token = web.session_of(user(&web.ops, "tess", role).await).await;
        let name = Cookies::new(None, &config().secret_key).cookie_name(SESSION_COOKIE);
        let script = format!("document.cookie = '{name}={token}; path=/'");
        self.client.execute(&script, Vec::new()).await.unwrap();
    }

    pub async fn go(&self, path: &str) {
        self.client.goto(&format!("{}{path}", self.site)).await.unwrap();
    }

    /// The path of the current page.
    pub async fn path(&self) -> String {
        self.client.current_url().await.unwrap().path().to_owned()
    }

    /// The visible text of the page.
    pub async fn text(&self) -> String {
        self.find("body").await.text().await.unwrap()
    }

    /// The visible text of an element.
    pub async fn text_of(&self, selector: &str) -> String {
        self.find(selector).await.text().await.unwrap()
    }

    /// Replaces the text of an input.
    pub async fn fill(&self, selector: &str, text: &str) {
        let input = self.find(selector).await;
        input.clear().await.unwrap();
        input.send_keys(text).await.unwrap();
    }

    pub async fn attach(&self, selector: &str, file: &std::path::Path) {
        self.find(selector).await.send_keys(file.to_str().unwrap()).await.unwrap();
    }

    /// Chooses an option by its label.
    pub async fn choose(&self, selector: &str, words: &str) {
        self.find(selector).await.select_by_label(words).await.unwrap();
    }

    pub async fn click(&self, selector: &str) {
        self.find(selector).await.click().await.unwrap();
    }

    /// Clicks and waits for the next page.
    pub async fn submit(&self, selector: &str) {
        let before = self.find("html").await;
        self.find(selector).await.click().await.unwrap();
        let gone = async {
            while before.text().await.is_ok() {
                pause().await;
            }
        };
        tokio::time::timeout(PATIENCE, gone).await.expect("another page comes");
        self.find("main").await;
    }

    /// Fails if the page is wider than the window or a control is too small (44 points by our own rule, 24 by
    /// WCAG 2.2).
    pub async fn assert_fits(&self) {
        let script = "return {
            overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
            small: [...document.querySelectorAll('main button, main select, main input:not([type=hidden])')]
                .filter(e => e.offsetParent && !e.closest('.trap') && e.getBoundingClientRect().height < 20)
                .map(e => e.outerHTML.slice(0, 80)),
            nameless: [...document.querySelectorAll('main input:not([type=hidden]), main select, main textarea')]
                .filter(e => !e.closest('.trap') && !e.labels.length && !e.getAttribute('aria-label'))
                .map(e => e.outerHTML.slice(0, 80)),
        }";
        let measured = self.client.execute(script, Vec::new()).await.unwrap();
        let at = self.path().await;
        assert_eq!(measured, json!({"overflow": 0, "small": [], "nameless": []}), "{at}");
    }

    /// The current text of an element; empty if there is none.
    pub async fn text_now(&self, selector: &str) -> String {
        let script = "return document.querySelector(arguments[0])?.innerText ?? ''";
        let read = self.client.execute(script, vec![json!(selector)]).await.unwrap();
        read.as_str().unwrap().to_owned()
    }

    /// Waits until an element, which the page may replace, shows this text.
    pub async fn wait_for_text(&self, selector: &str, words: &str) {
        let seen = async { while !self.text_now(selector).await.contains(words) {} };
        if tokio::time::timeout(PATIENCE, seen).await.is_err() {
            panic!("{words} is not to be read: {}", self.text().await);
        }
    }

    /// Minimizes the window, so that the page gets `visibilitychange`.
    pub async fn hide_window(&self) {
        self.client.minimize_window().await.unwrap();
        self.is_hidden(true).await;
    }

    /// Shows the window again.
    pub async fn show_window(&self) {
        self.client.set_window_size(1280, 900).await.unwrap();
        self.is_hidden(false).await;
    }

    async fn is_hidden(&self, hidden: bool) {
        let is_so = async || self.client.execute("return document.hidden", Vec::new()).await.unwrap();
        let is = async { while is_so().await != json!(hidden) {} };
        tokio::time::timeout(PATIENCE, is).await.expect("the page hears of its window");
    }

    /// Sets a mark that disappears when the page is loaded again.
    pub async fn mark(&self) {
        self.client.execute("window.marked = true", Vec::new()).await.unwrap();
    }

    /// Whether the page was not loaded again since it was marked.
    pub async fn is_marked(&self) -> bool {
        self.client.execute("return window.marked === true", Vec::new()).await.unwrap() == json!(true)
    }

    /// The address of the browser's debugger.
    pub fn debugger(&self) -> SocketAddr {
        let address = &self.client.capabilities().unwrap()["goog:chromeOptions"]["debuggerAddress"];
        address.as_str().unwrap().replace("localhost", "127.0.0.1").parse().unwrap()
    }

    /// Whether the picture exists and was drawn.
    pub async fn is_drawn(&self, selector: &str) -> bool {
        self.find(selector).await;
        let script = "const image = document.querySelector(arguments[0]);
            return image.decode().then(() => image.naturalWidth > 0, () => false)";
        self.client.execute(script, vec![json!(selector)]).await.unwrap() == json!(true)
    }

    pub async fn close(self) {
        self.client.close().await.unwrap();
    }

    async fn find(&self, selector: &str) -> Element {
        let found = self.client.wait().at_most(PATIENCE).for_element(Locator::Css(selector)).await;
        match found {
            Ok(element) => element,
            Err(error) => panic!("{selector}: {error}\n{}", self.client.source().await.unwrap_or_default()),
        }
    }
}

/// A chromedriver and its browser; both end when this is dropped.
struct Driver {
    process: Child,
    /// 0 until chromedriver reports it.
    port: u16,
}

impl Driver {
    /// Shuts down chromedriver and its browser. A kill would leave the browser behind.
    fn shut_down(&self) -> std::io::Result<()> {
        let address = SocketAddr::from(([127, 0, 0, 1], self.port));
        let mut stream = TcpStream::connect_timeout(&address, END)?;
        stream.set_read_timeout(Some(END))?;
        stream.write_all(b"GET /shutdown HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        stream.read_to_end(&mut Vec::new())?;
        Ok(())
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let begun = Instant::now();
        if self.shut_down().is_ok() {
            while begun.elapsed() < END && matches!(self.process.try_wait(), Ok(None)) {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Starts a chromedriver on a free port.
async fn start_driver() -> Option<Driver> {
    let mut command = Command::new("chromedriver");
    command.arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null());
    let mut driver = Driver { process: command.spawn().ok()?, port: 0 };
    let output = BufReader::new(driver.process.stdout.take()?);
    let (told, port) = oneshot::channel();
    // Its output must be read for as long as it runs.
    std::thread::spawn(move || {
        let mut told = Some(told);
        for line in output.lines().map_while(Result::ok) {
            if let Some((_, port)) = line.rsplit_once("started successfully on port ")
                && let Some(told) = told.take()
            {
                let _ = told.send(port.trim_end_matches('.').parse().unwrap());
            }
        }
    });
    driver.port = tokio::time::timeout(PATIENCE, port).await.ok()?.ok()?;
    Some(driver)
}
