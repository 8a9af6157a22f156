//! Headless Chromium, driven through WebDriver (chromedriver). Pointer, wheel and keys go in through WebDriver's actions,
//! which is the browser's own input path: hit-testing, capture, focus and defaults are those a person meets. Each
//! [`Browser`] has a profile of its own that nobody used before.

mod fingers;
mod settings;
mod trace;
mod vendor;

use crate::wait;
use fantoccini::actions::{
    InputSource, KeyAction, KeyActions, MOUSE_BUTTON_LEFT, MouseActions, PointerAction, WheelAction,
    WheelActions,
};
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use settings::capabilities;
use std::future::Future;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use vendor::Vendor;

pub use fantoccini::key::Key;
pub use settings::Settings;
pub use trace::TracedBrowser;

/// A browser with a fresh profile. Closed when dropped; when the test has failed, a screenshot is left in `test-artifacts/`.
#[derive(Debug)]
pub struct Browser {
    runtime: Runtime,
    client: Client,
    driver: Child,
    _profile: TempDir,
}

impl Browser {
    /// A browser as most people have it.
    #[track_caller]
    pub fn open() -> Self {
        Self::with(&Settings::default())
    }

    /// A browser with settings.
    ///
    /// # Panics
    /// When Chromium or chromedriver is missing or does not start.
    #[track_caller]
    pub fn with(settings: &Settings) -> Self {
        Self::start(settings, &[])
    }

    #[track_caller]
    fn start(settings: &Settings, switches: &[String]) -> Self {
        let profile = tempfile::tempdir().expect("a temporary folder can be made");
        let (driver, port) = start_driver(settings.zone);
        let runtime = Runtime::new().expect("a runtime can be made");
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let capabilities = capabilities(settings, switches, profile.path());
        let Value::Object(capabilities) = capabilities else { unreachable!("capabilities are an object") };
        builder.capabilities(capabilities);
        let client = runtime.block_on(builder.connect(&format!("http://127.0.0.1:{port}")));
        let client = client.expect("Chromium starts; `apt-get install chromium chromium-driver`");
        let browser = Self { runtime, client, driver, _profile: profile };
        browser.emulate(settings);
        browser
    }

    fn emulate(&self, settings: &Settings) {
        let size = json!({"width": settings.width, "height": settings.height, "deviceScaleFactor": settings.pixel_ratio, "mobile": settings.touch});
        self.devtools("Emulation.setDeviceMetricsOverride", &size);
        if settings.touch {
            let touch = json!({"enabled": true, "maxTouchPoints": 5});
            self.devtools("Emulation.setTouchEmulationEnabled", &touch);
        }
        self.prefer_dark(settings.dark);
    }

    /// Lets the system ask for dark or light colours.
    pub fn prefer_dark(&self, dark: bool) {
        let scheme = if dark { "dark" } else { "light" };
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.devtools("Emulation.setEmulatedMedia", &features);
    }

    /// A script that every page runs before its own.
    pub fn before_pages(&self, script: &str) {
        self.devtools("Page.addScriptToEvaluateOnNewDocument", &json!({"source": script}));
    }

    /// What the browser has counted of the page so far, by its own names: `ScriptDuration` in seconds and others.
    ///
    /// # Panics
    /// When it does not tell.
    pub fn measure(&self, name: &str) -> f64 {
        self.devtools("Performance.enable", &json!({}));
        let told = self.devtools("Performance.getMetrics", &json!({}));
        let metrics = told["metrics"].as_array().expect("metrics are a list");
        let metric = metrics.iter().find(|metric| metric["name"] == name);
        metric.and_then(|metric| metric["value"].as_f64()).expect("the browser counts it")
    }

    fn devtools(&self, cmd: &str, params: &Value) -> Value {
        self.issue(Vendor { path: "goog/cdp/execute", body: json!({"cmd": cmd, "params": params}) })
    }

    #[track_caller]
    fn issue(&self, command: Vendor) -> Value {
        let what = command.path;
        self.wait(self.client.issue_cmd(command)).unwrap_or_else(|error| panic!("{what}: {error}"))
    }

    fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// Has the page let go of what nobody holds.
    pub fn collect_garbage(&self) {
        self.devtools("HeapProfiler.collectGarbage", &json!({}));
    }

    /// Opens an address.
    ///
    /// # Panics
    /// When it cannot be opened.
    #[track_caller]
    pub fn goto(&self, url: &str) {
        self.wait(self.client.goto(url)).unwrap_or_else(|error| panic!("open {url}: {error}"));
    }

    /// The address in the address bar.
    ///
    /// # Panics
    /// When the browser is gone.
    #[track_caller]
    pub fn url(&self) -> String {
        self.wait(self.client.current_url()).expect("the browser tells its address").to_string()
    }

    /// The back button.
    ///
    /// # Panics
    /// When the browser is gone.
    #[track_caller]
    pub fn back(&self) {
        self.wait(self.client.back()).expect("the browser goes back");
    }

    /// The forward button.
    ///
    /// # Panics
    /// When the browser is gone.
    #[track_caller]
    pub fn forward(&self) {
        self.wait(self.client.forward()).expect("the browser goes forward");
    }

    /// The reload button.
    ///
    /// # Panics
    /// When the browser is gone.
    #[track_caller]
    pub fn reload(&self) {
        self.wait(self.client.refresh()).expect("the browser reloads");
    }

    /// Looks at the page through a function body in JavaScript; it must not change anything.
    ///
    /// # Panics
    /// When it throws.
    #[track_caller]
    pub fn look(&self, script: &str, args: &[Value]) -> Value {
        self.wait(self.client.execute(script, args.to_vec()))
            .unwrap_or_else(|error| panic!("{error} in {script}"))
    }

    /// As [`Browser::look`], through a script that calls its last argument with what it found.
    ///
    /// # Panics
    /// When it throws.
    #[track_caller]
    pub fn look_later(&self, script: &str, args: &[Value]) -> Value {
        self.wait(self.client.execute_async(script, args.to_vec()))
            .unwrap_or_else(|error| panic!("{error} in {script}"))
    }

    /// Adds a script to the page, past its content policy.
    pub fn add_script(&self, source: &str) {
        self.devtools("Runtime.evaluate", &json!({"expression": source}));
    }

    /// Presses at a point, moves through the others and lets go at the last.
    ///
    /// # Panics
    /// When the browser refuses.
    #[track_caller]
    pub fn drag(&self, points: &[(f64, f64)]) {
        self.act(press_and_move(points).then(up()));
    }

    /// Presses at a point and moves through the others; the button stays down.
    ///
    /// # Panics
    /// When the browser refuses.
    #[track_caller]
    pub fn press_and_move(&self, points: &[(f64, f64)]) {
        self.act(press_and_move(points));
    }

    /// Lets go of the button.
    ///
    /// # Panics
    /// When the browser refuses.
    #[track_caller]
    pub fn let_go(&self) {
        self.act(MouseActions::new("mouse".to_owned()).then(up()));
    }

    /// Presses at a point, moves through the others, presses a key and only then lets go.
    ///
    /// # Panics
    /// When the browser refuses.
    #[track_caller]
    pub fn drag_with_key(&self, points: &[(f64, f64)], value: impl Into<char>) {
        self.press_and_move(points);
        self.key(value);
        self.let_go();
    }

    /// Moves the pointer there.
    ///
    /// # Panics
    /// When the browser refuses.
    #[track_caller]
    pub fn hover(&self, at: (f64, f64)) {
        self.act(MouseActions::new("mouse".to_owned()).then(move_to(at, 10)));
    }

    /// Clicks there.
    ///
    /// # Panics
    /// When the browser refuses.
    #[track_caller]
    pub fn click(&self, at: (f64, f64)) {
        self.act(MouseActions::new("mouse".to_owned()).then(move_to(at, 10)).then(down()).then(up()));
    }

    /// Clicks there while a key is held.
    ///
    /// # Panics
    /// When the browser refuses.
    #[track_caller]
    pub fn click_with(&self, held: Key, at: (f64, f64)) {
        let value = char::from(held);
        self.act(KeyActions::new("keys".to_owned()).then(KeyAction::Down { value }));
        self.click(at);
        self.act(KeyActions::new("keys".to_owned()).then(KeyAction::Up { value }));
    }

    /// Clicks there twice, quickly.
    ///
    /// # Panics
    /// When the browser refuses.
    #[track_caller]
    pub fn double_click(&self, at: (f64, f64)) {
        let mouse = MouseActions::new("mouse".to_owned()).then(move_to(at, 10));
        self.act(mouse.then(down()).then(up()).then(down()).then(up()));
    }

    /// Turns the wheel there by so many pixels downward.
    ///
    /// # Panics
    /// When the browser refuses.
    #[track_caller]
    pub fn wheel(&self, at: (f64, f64), delta_y: i64) {
        let scroll =
            WheelAction::Scroll { duration: None, x: at.0 as i64, y: at.1 as i64, delta_x: 0, delta_y };
        self.act(WheelActions::new("wheel".to_owned()).then(scroll));
    }

    /// Presses and lets go a key.
    ///
    /// # Panics
    /// When the browser refuses.
    #[track_caller]
    pub fn key(&self, value: impl Into<char>) {
        let value = value.into();
        let keys = KeyActions::new("keys".to_owned());
        self.act(keys.then(KeyAction::Down { value }).then(KeyAction::Up { value }));
    }

    /// Presses and lets go a key while others are held.
    ///
    /// # Panics
    /// When the browser refuses.
    #[track_caller]
    pub fn chord(&self, held: &[Key], value: impl Into<char>) {
        let value = value.into();
        let held: Vec<char> = held.iter().map(|key| char::from(*key)).collect();
        let mut keys = KeyActions::new("keys".to_owned());
        for value in held.iter().copied().chain([value]) {
            keys = keys.then(KeyAction::Down { value });
        }
        for value in std::iter::once(value).chain(held.iter().rev().copied()) {
            keys = keys.then(KeyAction::Up { value });
        }
        self.act(keys);
    }

    /// What was copied last.
    ///
    /// # Panics
    /// When the browser does not tell.
    pub fn clipboard(&self) -> String {
        let permissions = json!({"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]});
        self.devtools("Browser.grantPermissions", &permissions);
        let script = "const done = arguments[arguments.length - 1]; navigator.clipboard.readText().then(done, e => done(String(e)))";
        let read = self.wait(self.client.execute_async(script, Vec::new())).expect("the clipboard is read");
        read.as_str().unwrap_or_default().to_owned()
    }

    /// Types a text.
    ///
    /// # Panics
    /// When the browser refuses.
    #[track_caller]
    pub fn type_text(&self, text: &str) {
        text.chars().for_each(|char| self.key(char));
    }

    #[track_caller]
    fn act(&self, actions: impl Into<fantoccini::actions::ActionSequence>) {
        let actions = fantoccini::actions::Actions::from(actions);
        self.wait(self.client.perform_actions(actions)).expect("the browser takes input");
    }

    /// What the page put on the console as an error since the last call: exceptions, panics, failed requests.
    pub fn errors(&self) -> Vec<String> {
        let log = self.issue(Vendor { path: "se/log", body: json!({"type": "browser"}) });
        let entries = log.as_array().cloned().unwrap_or_default();
        let severe = entries.iter().filter(|entry| entry["level"] == "SEVERE");
        severe.map(|entry| entry["message"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Nothing has gone wrong on the page so far.
    ///
    /// # Panics
    /// When something has.
    #[track_caller]
    pub fn assert_no_errors(&self) {
        let errors = self.errors();
        assert!(errors.is_empty(), "the page reported errors: {errors:#?}");
    }

    /// Leaves a picture of the page in `test-artifacts/`.
    ///
    /// # Panics
    /// When there is none to be had.
    pub fn screenshot(&self, name: &str) {
        let png = self.wait(self.client.screenshot()).expect("the browser takes a picture");
        let folder = artifacts();
        std::fs::create_dir_all(&folder).expect("a folder can be made");
        std::fs::write(folder.join(format!("{name}.png")), png).expect("a picture can be written");
    }

    fn leave_evidence(&self) {
        let test = std::thread::current().name().unwrap_or("test").replace("::", "-");
        if let Ok(png) = self.wait(self.client.screenshot()) {
            let folder = artifacts();
            drop(std::fs::create_dir_all(&folder));
            drop(std::fs::write(folder.join(format!("failed-{test}.png")), png));
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.leave_evidence();
        }
        // Closing the session is what ends Chromium; the driver alone would leave it behind.
        drop(self.runtime.block_on(self.client.clone().close()));
        drop(self.driver.kill());
        drop(self.driver.wait());
    }
}

/// Where pictures are left.
pub fn artifacts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../test-artifacts")
}

/// The driver takes a free port of IPv4, and ends where another program has the same one of IPv6: then another is taken.
fn start_driver(zone: &str) -> (Child, u16) {
    (0..5).find_map(|_| driver_with_port(zone)).expect("chromedriver says on which port it listens")
}

fn driver_with_port(zone: &str) -> Option<(Child, u16)> {
    let mut driver = Command::new("chromedriver")
        .arg("--port=0")
        .env("TZ", zone)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("chromedriver is installed; `apt-get install chromium chromium-driver`");
    let mut lines = BufReader::new(driver.stdout.take().expect("standard output is piped")).lines();
    let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
        let port = line.split_once("started successfully on port ")?.1;
        port.trim_end_matches('.').parse().ok()
    });
    let Some(port) = port else {
        drop(driver.wait());
        return None;
    };
    // Read on, so that the driver is never held up by a full pipe.
    std::thread::spawn(move || lines.for_each(drop));
    Some((driver, port))
}

fn press_and_move(points: &[(f64, f64)]) -> MouseActions {
    let mouse = MouseActions::new("mouse".to_owned()).then(move_to(points[0], 0)).then(down());
    points[1..].iter().fold(mouse, |mouse, point| mouse.then(move_to(*point, 30)))
}

fn move_to((x, y): (f64, f64), millis: u64) -> PointerAction {
    PointerAction::MoveTo { duration: Some(Duration::from_millis(millis)), x, y }
}

fn down() -> PointerAction {
    PointerAction::Down { button: MOUSE_BUTTON_LEFT }
}

fn up() -> PointerAction {
    PointerAction::Up { button: MOUSE_BUTTON_LEFT }
}

/// Waits until looking at the page gives this answer.
///
/// # Panics
/// When it does not in time.
#[track_caller]
pub fn wait_for(browser: &Browser, what: &str, script: &str, expected: &Value) {
    wait::until(what, || wait::same(browser.look(script, &[]), expected));
}
