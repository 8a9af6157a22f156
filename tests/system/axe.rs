//! Whoever cannot see well, or has no mouse: axe-core finds nothing serious in any designed state, in light and dark, at 1280 and 390
//! pixels; and a phone's page has no way to scroll sideways.

use serde_json::{Value, json};
use sonde_tests::axe;
use sonde_tests::browser::{Browser, Key, Settings};
use sonde_tests::page::Page;
use sonde_tests::server::{Setup, TestServer};
use sonde_tests::wait;
use std::fmt::Write as _;
use std::fs;

const RANGE: &str = "t=2025-02-28T03:00:00Z..03:10:00Z";
const SELECTION: &str = "s=2025-02-28T03:05:00Z..03:07:00Z&b=2025-02-28T03:01:00Z..03:04:00Z";

/// What the page's requests come to, by what `test.fetch` in the browser's storage says: `hang /api/` or `fail /api/`.
const FETCH: &str = "const rule = localStorage.getItem('test.fetch'); if (rule) { const [how, path] = rule.split(' '), real = fetch;\
    window.fetch = (input, init) => { const url = String(input.url ?? input); if (!url.includes(path)) return real(input, init);\
    return how === 'hang' ? new Promise(() => {}) : Promise.resolve(new Response(JSON.stringify({detail: 'the disk is full', request_id: '77'}),\
    {status: 500, headers: {'content-type': 'application/problem+json'}})) } }";

const BOARD: &str = "title = \"Mill\"\n[[panel]]\ntitle = \"Turns\"\ntargets = [\"mill.wheel.*\"]\n[[panel.threshold]]\nat = 300\nlevel = \"warn\"\n\
    [[panel]]\ntitle = \"Level\"\nunit = \"bytes\"\ndraw = \"area\"\ntargets = [\"well.level\"]\n";

fn mill(boards: &std::path::Path, data: &std::path::Path) -> TestServer {
    fs::write(boards.join("mill.toml"), BOARD).expect("a file can be written");
    let server = Setup::on(data).arg("--dashboards").arg(boards).start();
    let (mut lines, mut points) = (String::new(), String::new());
    for second in 0..600_u64 {
        let ts = 1_740_711_600 + second;
        let level = ["error", "warn", "info", "debug", "trace", "fatal"][second as usize % 6];
        writeln!(lines, r#"{{"ts":{ts},"component":"mill.wheel.part{}","host":"n{}","level":"{level}","msg":"turn {second} took {} ms","status":{}}}"#, second % 15, second % 3, second * 7, 200 + second % 3)
            .expect("a String takes it");
        writeln!(points, "mill.wheel.turns {second} {ts}\nmill.wheel.heat 7 {ts}\nwell.level 3000 {ts}")
            .expect("a String takes it");
    }
    server.store_logs(lines.as_bytes());
    assert_eq!(server.http().post("/api/ingest/metrics", points.as_bytes()).status, 200);
    let event = json!({"what": "deploy 7", "tags": "deploy", "when": 1_740_711_800, "data": "by hand"});
    assert!(server.http().post("/events/", event.to_string().as_bytes()).status < 300);
    server
}

/// Looks at one state after the other, in both themes, and keeps what is wrong.
struct Looker<'a> {
    browser: &'a Browser,
    server: &'a TestServer,
    width: u32,
    found: Vec<String>,
}

impl Looker<'_> {
    /// Opens an address under a rule for its requests, waits until a script answers true, and looks.
    fn state(&mut self, name: &str, rule: &str, address: &str, is_there: &str) {
        self.browser.goto(&self.server.http().url("/health"));
        self.browser.look("localStorage.setItem('test.fetch', arguments[0]); return true", &[json!(rule)]);
        self.browser.goto(&self.server.http().url(address));
        self.when(name, is_there);
    }

    /// Looks at the page as it is, once a script answers true.
    fn when(&mut self, name: &str, is_there: &str) {
        let page = Page { browser: self.browser };
        page.wait_for(&format!("{name} at {}", self.width), &format!("return !!({is_there})"), &json!(true));
        for (theme, dark) in [("dark", true), ("light", false)] {
            self.browser.prefer_dark(dark);
            page.wait_for("the theme", "return document.documentElement.dataset.theme", &json!(theme));
            for violation in axe::serious(self.browser) {
                self.found.push(format!("{name}, {theme}, {}: {violation:#?}", self.width));
            }
            self.browser.screenshot(&format!("state-{name}-{theme}-{}", self.width).replace(' ', "-"));
        }
        let wide = "return document.documentElement.scrollWidth > innerWidth || document.scrollingElement.scrollLeft !== 0";
        if self.browser.look(wide, &[]) == json!(true) {
            self.found.push(format!("{name}, {}: the page scrolls sideways", self.width));
        }
    }

    fn click(&self, selector: &str) {
        let page = Page { browser: self.browser };
        wait::until(selector, || {
            let script = "const b = document.querySelector(arguments[0])?.getBoundingClientRect(); return b ? b.width > 0 : false";
            if self.browser.look(script, &[json!(selector)]) == json!(true) {
                Ok(())
            } else {
                Err("not there")
            }
        });
        self.browser.click(page.center(selector));
    }
}

const LINES: &str = "document.querySelectorAll('[data-line]').length > 5 || document.querySelector('[data-total]')?.dataset.total > 5";

fn look_at_all(width: u32, height: u32) {
    let (boards, data) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let mut server = mill(boards.path(), data.path());
    let nothing = TestServer::start();
    let touch = width < 600;
    let browser = Browser::with(&Settings { width, height, touch, ..Settings::default() });
    browser.before_pages(FETCH);
    let mut found = Vec::new();
    {
        let mut look = Looker { browser: &browser, server: &nothing, width, found: Vec::new() };
        look.state("no data", "", "/", "document.querySelector('.first-steps')");
        found.append(&mut look.found);
    }
    let mut look = Looker { browser: &browser, server: &server, width, found };
    let at = |more: &str| format!("/d/mill?v=1&{RANGE}{more}");
    look.state("waiting", "hang /api/", &at(""), "document.querySelector('.skeleton-panel')");
    look.state("error", "fail /api/", &at(""), "document.querySelector('[role=alert]')");
    look.state(
        "empty",
        "",
        "/d/mill?v=1&t=2024-01-01T00:00:00Z..01:00:00Z&q=nope&zzz=1&level=nope",
        "document.querySelector('[data-total]')?.dataset.state === 'empty'",
    );
    look.state("lines", "", &at(""), LINES);
    look.state("selection", "", &at(&format!("&{SELECTION}&panel=turns")), LINES);
    // The first line, which has the filters' host and level.
    let line = "2025-02-28~0001~0";
    look.state(
        "expanded line",
        "",
        &at(&format!("&line={line}&q=turn&host=n0&level=trace")),
        "document.querySelector('[data-total]')?.dataset.state === 'done'",
    );
    if touch {
        look.click(".sheet-tabs .tab:first-child");
    }
    look.when("fields of a line", "document.querySelector('.fields')");
    look.browser.look("document.querySelector('.fields [aria-label^=\"Values of\"]').click()", &[]);
    look.when("values of a field", "document.querySelector('.field-values .facet')");
    look.state("patterns", "", &at("&tab=patterns"), "document.body.innerText.includes('turn')");
    look.state("wall", "", &at("&wall"), "document.querySelectorAll('.wall-panel').length === 2");
    look.state("editor", "", &at(""), LINES);
    look.click("[aria-label='Turns: edit this chart']");
    look.when("editor open", "document.querySelector('.editor')");
    look.browser.key(Key::Escape);
    let edits =
        "&edit.turns.target=movingAvrage(mill.wheel.*,5)&edit.turns.threshold=warn:300&edit.level.removed=1";
    look.state(
        "edited",
        "",
        &at(edits),
        "document.querySelector('.edited-mark') && document.querySelector('.edited-note')",
    );
    look.click("[aria-label='Turns: edit this chart']");
    look.browser.look("document.querySelector('.editor-more').open = true; return true", &[]);
    look.when(
        "editor mistake",
        "document.querySelector('.mistake') && document.querySelector('.threshold-row')",
    );
    look.click(".editor .primary");
    look.when("editor refused", "document.querySelector('.editor [role=alert]')");
    look.state("dashboards", "", &at(""), LINES);
    look.click("[aria-label=Dashboard]");
    look.click(".board-actions li:nth-child(3) button");
    look.when("dashboard menu", "document.activeElement.id === 'board-title'");
    look.state("tree", "", &at("&c=mill&chosen=1"), LINES);
    look.click(if touch { ".sheet-tabs .tab:last-child" } else { ".rail-button" });
    look.when("tree open", "document.querySelectorAll('.tree-row').length > 5");
    look.click(".tree-tab:nth-child(2)");
    look.when("metrics", "document.querySelector('[role=tree][aria-label=Metrics] .tree-row')");
    look.state(
        "charts outside",
        "",
        &at("&c=well&chosen=1"),
        "document.querySelector('.panel.outside .legend-value')",
    );
    look.state("help", "", &at(""), LINES);
    look.click(".more-menu button");
    look.when("menu", "document.querySelector('.more-menu .popover')");
    look.browser.key(Key::Escape);
    look.browser.key('?');
    look.when("help open", "document.querySelector('dialog[open]')");
    look.state("stopped", "", &at(""), LINES);
    look.browser.look_later(super::stopped::TRAP, &[]);
    look.when("page that stopped", "document.querySelector('.stopped')");
    look.state("live", "", "/d/mill?v=1&t=-1h..now&live=1", "document.querySelector('.live')");
    let mut found = std::mem::take(&mut look.found);
    server.kill();
    let mut look = Looker { browser: &browser, server: &server, width, found: Vec::new() };
    look.when("offline", "document.querySelector('.live.lost')");
    found.append(&mut look.found);
    assert!(found.is_empty(), "{} found:\n{}", found.len(), found.join("\n"));
}

#[test]
fn nothing_serious_is_found_in_any_state_at_1280() {
    look_at_all(1280, 900);
}

#[test]
fn nothing_serious_is_found_in_any_state_at_390() {
    look_at_all(390, 844);
}

#[test]
fn a_page_without_names_and_contrast_is_found_out() {
    let browser = Browser::open();
    browser.goto("data:text/html,<html><body style='background:white'><button></button><p style='color:silver'>pale</p>");
    let rules: Vec<String> = axe::serious(&browser).into_iter().map(|one| one.id).collect();
    assert!(
        rules.contains(&"button-name".to_owned()) && rules.contains(&"color-contrast".to_owned()),
        "{rules:?}"
    );
    assert_ne!(browser.look("return 1", &[]), Value::Null);
}
