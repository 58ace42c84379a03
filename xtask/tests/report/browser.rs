//! A browser without a window, driven over WebDriver.

use std::{
    fmt::Debug,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use fantoccini::{
    Client, ClientBuilder, actions, actions::InputSource, error::CmdError,
    wd::WebDriverCompatibleCommand,
};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use url::Url;

/// What is needed, by Debian's names.
const PACKAGES: &str = "chromium and chromium-driver";

/// A browser, ended with this value.
pub(crate) struct Browser {
    driver: Child,
    /// Its profile, and the home that it may write into.
    home: TempDir,
    port: u16,
}

impl Browser {
    /// Starts the driver, which says on which port it listens.
    pub(crate) fn start() -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .env("HOME", home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("chromedriver: {error}; install {PACKAGES}"));
        let said = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = said.map_while(Result::ok).find_map(|line| {
            let (_, port) = line.split_once("started successfully on port ")?;
            port.trim_end_matches('.').parse().ok()
        });
        let port = port.expect("chromedriver says on which port it listens");
        Self { driver, home, port }
    }

    /// Opens a file in a window of a size, lets `look` look at it, and proves that it fetched nothing and complained of nothing.
    pub(crate) fn open(&self, file: &Path, size: (u32, u32), look: impl AsyncFnOnce(&Page)) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let page = Page {
                client: self.session(size).await,
            };
            // The browser's own first page is not ours.
            page.client.goto("about:blank").await.unwrap();
            drop(page.fetched().await);
            let url = Url::from_file_path(file).unwrap();
            page.client.goto(url.as_str()).await.unwrap();
            look(&page).await;
            let complaints = page.log("browser").await;
            let fetched = page.fetched().await;
            page.client.close().await.unwrap();
            assert_eq!(complaints, Vec::<Value>::new());
            let own =
                |address: &String| address.starts_with("file://") || address.starts_with("data:");
            assert!(fetched.iter().all(own), "{fetched:?}");
            assert!(fetched.iter().any(|address| address.starts_with("file://")));
        });
    }

    async fn session(&self, (width, height): (u32, u32)) -> Client {
        let profile = self.home.path().join("profile");
        let capabilities = json!({
            "browserName": "chrome",
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
            "goog:chromeOptions": {
                "args": [
                    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
                    "--disable-component-update", "--disable-sync", "--hide-scrollbars", format!("--user-data-dir={}", profile.display()),
                ],
                // A phone is narrower than a window can be.
                "mobileEmulation": { "deviceMetrics": { "width": width, "height": height, "pixelRatio": 1, "touch": false, "mobile": false } },
            },
        });
        let Value::Object(capabilities) = capabilities else {
            unreachable!("it is written as an object");
        };
        ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{}", self.port))
            .await
            .expect("chromedriver starts the browser")
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It ends its browser too.
        drop(self.driver.kill());
        drop(self.driver.wait());
    }
}

/// An open page.
pub(crate) struct Page {
    pub(crate) client: Client,
}

impl Page {
    /// What an expression is.
    pub(crate) async fn is(&self, expression: &str) -> Value {
        let script = format!("return ({expression});");
        self.client
            .execute(&script, Vec::new())
            .await
            .unwrap_or_else(|error| panic!("{expression}: {error}"))
    }

    /// Types on the keyboard, whatever has the focus.
    pub(crate) async fn types(&self, keys: &str) {
        let mut actions = actions::KeyActions::new("keyboard".to_owned());
        for key in keys.chars() {
            actions = actions.then(actions::KeyAction::Down { value: key });
            actions = actions.then(actions::KeyAction::Up { value: key });
        }
        self.client.perform_actions(actions).await.unwrap();
    }

    /// Keeps a picture of what is seen.
    pub(crate) async fn picture(&self, name: &str) {
        let png = self.client.screenshot().await.unwrap();
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::write(file, png).unwrap();
    }

    /// Everything that was asked for, from wherever.
    async fn fetched(&self) -> Vec<String> {
        let entries = self.log("performance").await;
        let address = |entry: &Value| {
            let message: Value = serde_json::from_str(entry["message"].as_str()?).ok()?;
            let message = &message["message"];
            (message["method"] == "Network.requestWillBeSent").then(|| {
                message["params"]["request"]["url"]
                    .as_str()
                    .map(ToOwned::to_owned)
            })?
        };
        entries.iter().filter_map(address).collect()
    }

    /// One of the driver's logs.
    async fn log(&self, kind: &'static str) -> Vec<Value> {
        let answer: Result<Value, CmdError> = self.client.issue_cmd(Log(kind)).await;
        serde_json::from_value(answer.unwrap()).unwrap()
    }
}

/// ChromeDriver's own command for its logs.
#[derive(Debug)]
struct Log(&'static str);

impl WebDriverCompatibleCommand for Log {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, url::ParseError> {
        base.join(&format!("session/{}/se/log", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _url: &Url) -> (http::Method, Option<String>) {
        (
            http::Method::POST,
            Some(json!({ "type": self.0 }).to_string()),
        )
    }
}
