//! What changed, in the page: the findings of a selection, what a click on each shows, and the way back.

use serde_json::{Value, json};
use sonde_tests::browser::{Browser, Settings};
use sonde_tests::page::Page;
use sonde_tests::server::{Setup, TestServer};
use sonde_tests::wait;
use std::fmt::Write as _;
use std::path::Path;

/// 2025-02-28T03:00:00Z.
pub(crate) const START: u64 = 1_740_711_600;
/// When things go wrong, and until when.
pub(crate) const FROM: u64 = START + 1_500;
pub(crate) const UNTIL: u64 = FROM + 120;
pub(crate) const VISIBLE: &str = "t=2025-02-28T03:00:00Z..03:30:00Z";
pub(crate) const SELECTION: &str = "s=2025-02-28T03:25:00Z..03:27:00Z";
const QUIET: &str = "s=2025-02-28T03:20:00Z..03:22:00Z";

/// Half an hour of a mill: in two minutes its stone gets hot, a new warning comes again and again, and the bell falls silent.
pub(crate) fn fill(server: &TestServer) {
    let (mut points, mut lines) = (String::new(), String::new());
    for second in (0..1_800).step_by(5) {
        let ts = START + second;
        let is_bad = (FROM..UNTIL).contains(&ts);
        // Noise without a generator: the low bits of a product.
        let noise = (second * 7_919 % 97) as f64 / 97.0;
        let heat = if is_bad { 90.0 } else { 20.0 } + noise;
        let turns = 7.0 + noise;
        writeln!(
            points,
            "mill.stone.heat {heat} {ts}\nmill.wheel.turns {turns} {ts}\nwell.depth {} {ts}",
            3.0 - noise
        )
        .expect("a String takes it");
        let mut line = |component: &str, level: &str, message: &str| {
            writeln!(lines, r#"{{"ts":{ts},"component":"{component}","level":"{level}","msg":"{message}"}}"#)
                .expect("a String takes it");
        };
        line("mill.wheel", "info", &format!("turned {} times", second * 31 % 211));
        line("well", "info", &format!("bucket {} is full", second % 53));
        if is_bad {
            line("mill.stone", "warn", &format!("the stone is hot, {} degrees", 80 + second % 17));
        } else {
            line("mill.bell", "info", "the bell rings");
        }
    }
    assert_eq!(server.http().post("/api/ingest/metrics", points.as_bytes()).status, 200);
    server.store_logs(lines.as_bytes());
}

const FINDINGS: &str =
    "return [...document.querySelectorAll('.finding')].map(e => [e.dataset.kind, e.dataset.subject])";

fn findings(page: &Page) -> Vec<(String, String)> {
    serde_json::from_value(page.browser.look(FINDINGS, &[])).unwrap_or_default()
}

/// Waits until the answer is whole and says what it lists.
#[track_caller]
pub(crate) fn whole(page: &Page) -> Vec<(String, String)> {
    let busy = "return document.querySelector('.why-answer')?.ariaBusy ?? null";
    page.wait_for("the whole answer", busy, &json!("false"));
    findings(page)
}

/// Clicks the finding of a kind whose subject holds a text.
#[track_caller]
pub(crate) fn open(page: &Page, kind: &str, subject: &str) {
    page.click_element(&format!(
        "[...document.querySelectorAll('.finding')]\
            .find(e => e.dataset.kind === {} && e.dataset.subject.includes({}))?.firstElementChild",
        json!(kind),
        json!(subject)
    ));
}

fn url_has(page: &Page, text: &str) {
    wait::until(&format!("{text} in the address"), || {
        let url = page.browser.url();
        if url.contains(text) { Ok(()) } else { Err(url) }
    });
}

#[track_caller]
fn rows_say(page: &Page, text: &str) {
    wait::until(&format!("only lines with {text}"), || {
        let shown = page.pane().ok_or_else(|| "no pane".to_owned())?;
        let is_right = shown.state == "done"
            && !shown.rows.is_empty()
            && shown.rows.iter().all(|row| row.text.contains(text));
        if is_right { Ok(()) } else { Err(format!("{shown:?}")) }
    });
}

/// A server whose dashboard has one chart, of what stays as it was.
pub(crate) fn with_the_well(boards: &Path) -> TestServer {
    let board = "title = \"Well\"\n[[panel]]\ntitle = \"Well\"\ntargets = [\"well.depth\"]\n";
    std::fs::write(boards.join("well.toml"), board).expect("a dashboard can be written");
    let server = Setup::default().arg("--dashboards").arg(boards).start();
    fill(&server);
    server
}

#[test]
fn a_click_on_a_finding_shows_its_chart_or_its_lines_and_back_returns() {
    let boards = tempfile::tempdir().expect("a temporary folder can be made");
    let server = with_the_well(boards.path());
    let browser = Browser::open();
    let page = Page::open(&browser, &server.http().url(&format!("/d/well?v=1&{VISIBLE}&{SELECTION}")));
    let listed = whole(&page);
    let first: Vec<&str> = listed.iter().take(5).map(|(_, subject)| subject.as_str()).collect();
    assert!(first.contains(&"mill.stone.heat"), "{listed:?}");
    assert!(first.iter().any(|subject| subject.contains("the stone is hot")), "{listed:?}");
    assert!(!listed.iter().any(|(_, subject)| subject.starts_with("well")), "{listed:?}");
    let chance = "return [...document.querySelectorAll('.finding-open')].every(e => /\\nby chance (under )?1 in [\\d\\u202f]+/.test(e.innerText))";
    page.wait_for("how often each comes by chance", chance, &json!(true));
    browser.screenshot("why");
    let before = browser.url();

    open(&page, "metric", "mill.stone.heat");
    url_has(&page, "target=mill.stone.heat");
    let in_sight = "const e = document.querySelector('[data-panel=\"~targets\"]'); if (!e) return false;\
        const b = e.getBoundingClientRect(); return b.top >= 0 && b.top + 40 < document.querySelector('.log-pane').getBoundingClientRect().top";
    page.wait_for("its chart in sight", in_sight, &json!(true));
    browser.back();
    page.wait_for(
        "no chart of its own",
        "return document.querySelector('[data-panel=\"~targets\"]')",
        &Value::Null,
    );
    assert_eq!(browser.url(), before);

    open(&page, "pattern", "the stone is hot");
    rows_say(&page, "the stone is hot");
    assert_eq!(page.pane().and_then(|pane| pane.total), Some(24));
    // The list is that of the selection, whatever is looked at, also for whoever gets the link: it says that nothing was near.
    assert_eq!(whole(&page), listed);
    url_has(&page, "&near=*&c=mill.stone&");
    browser.reload();
    assert_eq!(whole(&page), listed);
    browser.back();
    wait::until(
        "the address of before",
        || if browser.url() == before { Ok(()) } else { Err(browser.url()) },
    );

    // What is gone has its lines in the time before.
    open(
        &page,
        listed.iter().find(|(_, subject)| subject.contains("bell")).map_or("component", |(kind, _)| kind),
        "bell",
    );
    rows_say(&page, "the bell rings");
    browser.back();
    wait::until(
        "the address of before",
        || if browser.url() == before { Ok(()) } else { Err(browser.url()) },
    );
    browser.assert_no_errors();
}

#[test]
fn on_a_phone_a_finding_gives_way_to_what_it_shows() {
    let boards = tempfile::tempdir().expect("a temporary folder can be made");
    let server = with_the_well(boards.path());
    let browser = Browser::with(&Settings { width: 390, height: 844, touch: true, ..Settings::default() });
    let page = Page::open(&browser, &server.http().url(&format!("/d/well?v=1&{VISIBLE}&{SELECTION}")));
    // A line that is open when its sheet goes away is no burden.
    browser.fingers(&[&[page.center(".sheet-tabs .tab:first-child")]]);
    wait::until("lines", || page.pane().filter(|pane| !pane.rows.is_empty()).map(drop).ok_or(()));
    browser.fingers(&[&[page.center(".log-list .row .cells .message")]]);
    page.wait_for("fields", "return !!document.querySelector('.fields')", &json!(true));
    let why = || {
        browser.fingers(&[&[page.center(".sheet-tabs .tab:nth-child(2)")]]);
        drop(whole(&page));
    };
    // Which sheet is open: lines, what changed.
    let sheets = "const px = e => e?.getBoundingClientRect().height ?? 0;\
        return [px(document.querySelector('.log-list')) > 100, px(document.querySelector('.why')) > 100]";
    why();
    page.wait_for("what changed alone", sheets, &json!([false, true]));
    open(&page, "pattern", "the stone is hot");
    page.wait_for("the lines alone", sheets, &json!([true, false]));
    rows_say(&page, "the stone is hot");
    let chip = "const b = document.querySelector('.filter-chip')?.getBoundingClientRect(); return !!b && b.left >= 0 && b.right <= innerWidth";
    page.wait_for("what narrows them, in sight", chip, &json!(true));
    why();
    open(&page, "metric", "mill.stone.heat");
    page.wait_for("the charts alone", sheets, &json!([false, false]));
    url_has(&page, "target=mill.stone.heat");
    browser.back();
    page.wait_for("the list that it was found in", sheets, &json!([false, true]));
    browser.assert_no_errors();
}

#[test]
fn a_quiet_selection_says_that_nothing_stands_out() {
    let server = TestServer::start();
    fill(&server);
    let browser = Browser::open();
    let page = Page::open(&browser, &server.http().url(&format!("/?v=1&{VISIBLE}&{QUIET}")));
    assert_eq!(whole(&page), []);
    let said = "return document.querySelector('.why .state')?.innerText ?? null";
    page.wait_for("a sentence", said, &json!("Nothing stands out."));
    browser.screenshot("why-quiet");
    browser.assert_no_errors();
}

#[test]
fn when_something_fell_silent_is_told_by_the_clock_of_the_page_and_what_stands_out_less_can_be_unfolded() {
    let server = TestServer::start();
    fill(&server);
    // Twice in the two minutes, twice in the eight before: chance makes the like of it.
    let cat = |second: u64| {
        format!("{{\"ts\":{},\"component\":\"mill.cat\",\"msg\":\"the cat comes in\"}}\n", START + second)
    };
    server.store_logs([300, 700, 1_100, 1_300, 1_540, 1_590].map(cat).concat().as_bytes());
    let browser = Browser::with(&Settings { zone: "Asia/Kathmandu", ..Settings::default() });
    let page = Page::open(&browser, &server.http().url(&format!("/?v=1&{VISIBLE}&{SELECTION}&zone=local")));
    let found = whole(&page);
    let silent = "return [...document.querySelectorAll('.finding-summary')].map(e => e.innerText.split(';')[0])\
        .filter(text => text.startsWith('silent'))[0] ?? null";
    // 03:25 in UTC, as far as lines are counted in steps.
    let said = browser.look(silent, &[]);
    assert!(said.as_str().is_some_and(|text| text.starts_with("silent since 09:1")), "{said}");
    let asked =
        server.http().get("/api/why?from=2025-02-28T03:25:00Z&until=2025-02-28T03:27:00Z").json::<Value>();
    let less = asked["weaker"].as_array().map_or(0, Vec::len);
    assert!(less > 0, "{asked}");
    page.press(&format!("Less likely: {less}"));
    page.wait_for(
        "all that were told",
        "return document.querySelectorAll('.finding').length",
        &json!(found.len() + less),
    );
    browser.screenshot("why-less");
    browser.assert_no_errors();
}

/// Half an hour of a yard: in two minutes one of its hosts falls silent, one client buys most and each sale takes long, just after a
/// deploy.
fn fill_yard(server: &TestServer) {
    let mut lines = String::new();
    for second in (0..1_800).step_by(5) {
        let ts = START + second;
        let is_bad = (FROM..UNTIL).contains(&ts);
        for component in ["gate.in", "gate.out", "gate.toll"] {
            for host in ["n1", "n2"].iter().take(if is_bad { 1 } else { 2 }) {
                writeln!(
                    lines,
                    r#"{{"ts":{ts},"component":"{component}","host":"{host}","msg":"cart {} passes"}}"#,
                    second % 41
                )
                .expect("a String takes it");
            }
        }
        for turn in 0..4 {
            let other = format!("198.51.100.{}", (second * 7 + turn * 13) % 23);
            let client = if is_bad && turn > 0 { CLIENT } else { &other };
            let took = if is_bad { 200 } else { 10 } + (second * 11 + turn) % 9;
            writeln!(
                lines,
                r#"{{"ts":{ts},"component":"shop","host":"n1","msg":"sold a hammer","client":"{client}","took_ms":{took}}}"#
            )
            .expect("a String takes it");
        }
    }
    server.store_logs(lines.as_bytes());
    let event = json!({"what": "deploy 7", "tags": "deploy", "when": FROM - 60, "data": "by hand"});
    assert!(server.http().post("/events/", event.to_string().as_bytes()).status < 300);
}

const CLIENT: &str = "203.0.113.7";
/// From half a minute after the deploy on.
const SHORTLY: &str = "t=2025-02-28T03:24:30Z..03:28:00Z";

/// Goes back to an address.
fn back_to(browser: &Browser, address: &str) {
    browser.back();
    wait::until("the address of before", || {
        let url = browser.url();
        if url == address { Ok(()) } else { Err(url) }
    });
}

#[test]
fn a_click_on_a_field_a_host_and_an_event_shows_what_they_are_of_and_back_returns() {
    let server = TestServer::start();
    fill_yard(&server);
    let browser = Browser::open();
    let page = Page::open(&browser, &server.http().url(&format!("/?v=1&{SHORTLY}&{SELECTION}")));
    let listed = whole(&page);
    let before = browser.url();

    // One client's lines in the selection: three at each of 24 instants.
    open(&page, "field", CLIENT);
    page.wait_for_total(72);
    url_has(&page, CLIENT);
    assert_eq!(whole(&page), listed);
    back_to(&browser, &before);
    page.wait_for_total(24 * 7);

    // Numbers that have shifted stand in a column.
    open(&page, "field", "took_ms");
    url_has(&page, "col=took_ms");
    rows_say(&page, "sold a hammer");
    let column = "return [...document.querySelectorAll('.log-list .row')].map(e => e.innerText).filter(text => /\\b20\\d\\b/.test(text)).length > 3";
    page.wait_for("what each sale took", column, &json!(true));
    back_to(&browser, &before);
    page.wait_for_total(24 * 7);

    // A silent host's lines are those of the time before: three at each instant from 03:16:50 to 03:24:55.
    open(&page, "host", "n2");
    page.wait_for_total(98 * 3);
    url_has(&page, "host=n2");
    let last = "return [...document.querySelectorAll('.log-list .row')].pop()?.getAttribute('aria-rowindex')";
    page.wait_for("its last words", last, &json!("294"));
    back_to(&browser, &before);
    page.wait_for_total(24 * 7);

    // An event that lies out of sight widens what is seen, and the crosshair stands there.
    open(&page, "event", "deploy 7");
    let pinned = "const all = [...document.querySelectorAll('.crosshair.pinned')].map(e => e.getBoundingClientRect().left);\
        return all.length > 0 && all.every(x => Math.abs(x - all[0]) < 2)";
    page.wait_for("the crosshair at it", pinned, &json!(true));
    url_has(&page, "t=2025-02-28T03:24:00Z..03:28:00Z");
    assert_eq!(whole(&page), listed);
    back_to(&browser, &before);
    browser.assert_no_errors();
}

#[test]
fn a_click_on_a_finding_scrolls_its_list_and_the_charts_but_not_the_page() {
    let server = TestServer::start();
    fill(&server);
    fill_yard(&server);
    let browser = Browser::with(&Settings { height: 420, ..Settings::default() });
    let page = Page::open(&browser, &server.http().url(&format!("/?v=1&{SHORTLY}&{SELECTION}")));
    let listed = whole(&page);
    assert!(listed.len() > 3, "{listed:?}");
    let is_long = "const e = document.querySelector('.why-answer'); const last = [...e.querySelectorAll('.finding')].pop();\
        return last.getBoundingClientRect().bottom > innerHeight";
    page.wait_for("more findings than fit", is_long, &json!(true));
    let before = browser.url();
    let scrolled = "const page = document.querySelector('.page');\
        return [document.scrollingElement.scrollTop, document.body.scrollTop, page.scrollTop, page.getBoundingClientRect().top]";
    for (kind, subject) in listed.iter().rev() {
        open(&page, kind, subject);
        if kind == "metric" {
            // Its chart is on the page already: it is brought into sight there.
            let there = format!(
                "return [...document.querySelectorAll('main *, .page *')].some(e => {{ const top = e.getBoundingClientRect().top;\
                    return !e.closest('.why') && e.innerText === '{subject}' && top >= 0 && top < 150 }})"
            );
            page.wait_for("its chart in sight", &there, &json!(true));
        } else {
            wait::until("another address", || {
                if browser.url() == before { Err((kind, subject)) } else { Ok(()) }
            });
        }
        assert_eq!(browser.look(scrolled, &[]), json!([0, 0, 0, 0]), "{kind} {subject}");
        if browser.url() != before {
            back_to(&browser, &before);
        }
        assert_eq!(whole(&page), listed);
    }
    assert_eq!(browser.look(scrolled, &[]), json!([0, 0, 0, 0]));
    browser.assert_no_errors();
}
