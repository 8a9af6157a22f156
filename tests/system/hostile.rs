//! Texts that mean harm, wherever a sender or a file can put one: they are shown as text, and the page goes on.

use serde_json::{Value, json};
use sonde_tests::browser::{Browser, Settings};
use sonde_tests::page::Page;
use sonde_tests::server::Setup;
use sonde_tests::wait;
use std::fmt::Write as _;
use std::fs;

const SCRIPT: &str = "<script>window.harmed=1</script><img src=x onerror=window.harmed=1>";
const COLOURS: &str = "\u{1b}[31mred\u{1b}[0m \u{1b}]0;title\u{7}bell";
const TURNED: &str = "\u{202e}turned round";
const RANGE: &str = "t=2025-02-28T03:00:00Z..03:10:00Z";

/// Nothing of what was sent has become a part of the page.
#[track_caller]
fn unharmed(browser: &Browser) {
    let script = "return [window.harmed ?? null, document.querySelectorAll('body script, img, iframe, object').length,\
        [...document.querySelectorAll('*')].filter(e => [...e.attributes].some(a => a.name.startsWith('on'))).length]";
    assert_eq!(browser.look(script, &[]), json!([null, 0, 0]));
}

#[test]
fn hostile_texts_in_every_place_are_shown_as_text_and_do_no_harm() {
    let boards = tempfile::tempdir().expect("a temporary folder can be made");
    let board = format!(
        "title = '{SCRIPT}{TURNED}'\n[[panel]]\ntitle = '{SCRIPT}{TURNED}'\nunit = '{SCRIPT}'\n\
         targets = [\"mill.*\", \"alias(mill.turns, '<b>{TURNED}')\"]\n"
    );
    fs::write(boards.path().join("mill.toml"), board).expect("a file can be written");
    let data = tempfile::tempdir().expect("a temporary folder can be made");
    let server = Setup::on(data.path()).arg("--dashboards").arg(boards.path()).start();
    let texts = [
        SCRIPT.to_owned(),
        COLOURS.to_owned(),
        TURNED.to_owned(),
        "nul \0 here".to_owned(),
        "x ".repeat(500_000),
    ];
    let mut lines = String::new();
    for (number, text) in texts.iter().enumerate() {
        let line = json!({"ts": 1_740_711_600 + number, "component": "mill", "host": "n1", "level": "warn", "msg": text});
        writeln!(lines, "{line}").expect("a String takes it");
    }
    let named = json!({"ts": 1_740_711_610, "component": "mill", "host": format!("{SCRIPT}{TURNED}"), "msg": "odd names",
        format!("{SCRIPT}"): format!("{COLOURS}{TURNED}"), "nul\0": "nul\0"});
    writeln!(lines, "{named}").expect("a String takes it");
    server.store_logs(lines.as_bytes());
    // Names that are no component are refused or stored; neither harms.
    for component in [SCRIPT, COLOURS, TURNED, "a\0b"] {
        let line = json!({"ts": 1_740_711_620, "component": component, "msg": "odd component"});
        server.http().post("/api/ingest/logs", line.to_string().as_bytes());
    }
    let points = format!(
        "mill.turns 1 1740711700\nmill.<script>window.harmed=1</script> 2 1740711700\nmill.{COLOURS} 3 1740711700\nmill.{TURNED} 4 1740711700\n"
    );
    server.http().post("/api/ingest/metrics", points.as_bytes());
    let event = json!({"what": format!("{SCRIPT}{COLOURS}{TURNED}\0"), "tags": SCRIPT, "when": 1_740_711_800, "data": SCRIPT});
    server.http().post("/events/", event.to_string().as_bytes());
    let browser = Browser::with(&Settings { width: 1920, height: 1000, ..Settings::default() });
    let target = "alias(mill.turns,'%3Cscript%3Ewindow.harmed=1%3C/script%3E')";
    let page = Page::open(&browser, &server.http().url(&format!("/d/mill?v=1&{RANGE}&target={target}")));
    let messages =
        "return [...document.querySelectorAll('.row .message')].map(e => e.innerText.slice(0, 60))";
    wait::until("the lines", || {
        let seen = browser.look(messages, &[]);
        let all: Vec<String> = serde_json::from_value(seen.clone()).unwrap_or_default();
        let has = |part: &str| all.iter().any(|text| text.contains(part));
        let is_all = has("<script>window.harmed=1</script>")
            && has("red bell")
            && has("turned round")
            && has("nul \u{2400} here")
            && has("x x x");
        if is_all { Ok(()) } else { Err(seen) }
    });
    unharmed(&browser);
    // Each text is turned round by itself: what stands beside it is where it was.
    let isolated = "return [...document.querySelectorAll('.row [role=gridcell], .panel h2')].every(e => getComputedStyle(e).unicodeBidi === 'isolate')";
    page.wait_for("texts by themselves", isolated, &json!(true));
    let title = "return [document.title.includes('<script>'), document.querySelector('.panel h2').innerText.includes('<script>')]";
    page.wait_for("titles as text", title, &json!([true, true]));
    let ends = "return document.title.endsWith('round\\u2069 · Sonde')";
    page.wait_for("a title that turns nothing else round", ends, &json!(true));
    browser.click(page.center(".tree-tab:nth-child(2)"));
    page.wait_for(
        "metrics",
        "return document.querySelectorAll('[role=tree][aria-label=Metrics] .tree-row').length > 0",
        &json!(true),
    );
    // The line with the odd names, taken apart; then the one of a mebibyte, within the time of a click.
    for wanted in ["odd names", "x x x"] {
        page.click_element(&format!(
            "[...document.querySelectorAll('.row .cells')].find(e => e.innerText.includes('{wanted}'))"
        ));
        page.wait_for("its fields", "return !!document.querySelector('.row.open .fields')", &json!(true));
        unharmed(&browser);
    }
    browser.screenshot("hostile");
    let events = "document.querySelector('.plot[data-panel]').focus(); return true";
    browser.look(events, &[]);
    let plot = page.center(".plot[data-panel]");
    browser.hover((plot.0 - 100.0, plot.1));
    unharmed(&browser);
    browser.goto(&server.http().url(&format!("/d/mill?v=1&{RANGE}&wall")));
    page.wait_for("the wall", "return document.querySelectorAll('.wall-panel').length > 0", &json!(true));
    unharmed(&browser);
    browser.goto(&server.http().url("/d/%3Cscript%3Ewindow.harmed=1%3C%2Fscript%3E?v=%3Cscript%3E&t=%3Cimg%20src=x%3E&c=%3Cb%3E&level=%3Ci%3E"));
    page.wait_for(
        "what could not be read",
        "return document.querySelector('.note')?.innerText.includes('<') ?? false",
        &json!(true),
    );
    unharmed(&browser);
    assert_ne!(browser.look("return document.title", &[]), Value::Null);
}

/// Whether texts in an element stand one behind the other, as they are read.
const IN_ORDER: &str = "const element = document.querySelector(arguments[0]); if (!element) return 'nothing there';\
    const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT), nodes = [];\
    while (walker.nextNode()) nodes.push(walker.currentNode);\
    const left = (node, at) => { const r = document.createRange(); r.setStart(node, at); r.setEnd(node, at + 1); return r.getBoundingClientRect().left };\
    const ends = arguments[1].flatMap(part => { const node = nodes.find(node => node.data.includes(part)); if (!node) return [NaN];\
        const at = node.data.indexOf(part); return [left(node, at), left(node, at + part.length - 1)] });\
    return ends.every((x, i) => i === 0 || x > ends[i - 1]) || [ends, element.innerText]";

#[test]
fn a_text_that_turns_round_turns_none_of_its_neighbours() {
    let server = sonde_tests::server::TestServer::start();
    let lines = [
        json!({"ts": 1_740_711_600, "component": "odd", "msg": "user \u{202e}evil", "user": "alice", "note": "\u{2069}\u{202e}xyz", "amount": "100"}),
        json!({"ts": 1_740_711_900, "component": "odd.rtl\u{202e}abc", "msg": "\u{2067}out\u{2069}\u{2069}\u{202e}", "user": "bob"}),
    ];
    server.store_logs(lines.map(|line| format!("{line}\n")).concat().as_bytes());
    let browser = Browser::open();
    let address = |more: &str| server.http().url(&format!("/?v=1&{RANGE}{more}"));
    let page = Page::open(&browser, &address(""));
    page.wait_for_total(2);
    let in_order = |selector: &str, parts: &[&str]| {
        wait::until(selector, || match browser.look(IN_ORDER, &[json!(selector), json!(parts)]) {
            Value::Bool(true) => Ok(()),
            seen => Err(seen),
        });
    };
    in_order(".row[aria-rowindex='1'] .message", &["user ", "amount=", "100", "note=", "user=", "alice"]);
    in_order(".row[aria-rowindex='2'] .message", &["user=", "bob"]);
    browser.screenshot("turned");
    let range = "t=2025-02-28T04:00:00Z..04:10:00Z";
    let names = "c=odd&c=odd.rtl%E2%80%AEabc&chosen=1";
    let page = Page::open(&browser, &server.http().url(&format!("/?v=1&{range}&{names}")));
    page.wait_for("no lines", "return !!document.querySelector('.cover.state p')", &json!(true));
    in_order(".cover.state p", &["No lines of ", "odd.rtl", " in 2025-", "04:00:00"]);
    browser.assert_no_errors();
}

#[test]
fn what_nobody_sees_has_a_sign_in_patterns_findings_and_filters_too() {
    let server = sonde_tests::server::TestServer::start();
    let mut lines = String::new();
    for second in 0..600_u64 {
        let ts = 1_740_711_600 + second;
        writeln!(lines, "{}", json!({"ts": ts, "component": "mill", "msg": "the wheel turns"}))
            .expect("a String takes it");
        if (300..420).contains(&second) {
            let odd = json!({"ts": ts, "component": "mill", "level": "warn", "msg": "login failed \u{1b}]0;for root\0", "by": "x\u{1b}y\0"});
            writeln!(lines, "{odd}").expect("a String takes it");
        }
    }
    server.store_logs(lines.as_bytes());
    let browser = Browser::open();
    let selection = "s=2025-02-28T03:05:00Z..03:07:00Z&b=2025-02-28T03:01:00Z..03:04:00Z";
    let filter = "field.by=x%1By%00";
    let page =
        Page::open(&browser, &server.http().url(&format!("/?v=1&{RANGE}&{selection}&{filter}&tab=patterns")));
    for selector in [".pattern .template", ".finding-subject", ".filter-chip"] {
        let seen = "const e = [...document.querySelectorAll(arguments[0])].map(e => e.innerText);\
            return [e.some(text => /[␛␀]/.test(text)), e.some(text => /[\\0-\\x08\\x0b-\\x1f]/.test(text))]";
        wait::until(selector, || match browser.look(seen, &[json!(selector)]) {
            seen if seen == json!([true, false]) => Ok(()),
            seen => Err(seen),
        });
    }
    browser.click(page.center(".pattern .unfold"));
    let example = "return document.querySelector('.pattern .example')?.innerText ?? null";
    page.wait_for("an example", example, &json!("mill login failed ␛]0;for root␀"));
    browser.screenshot("signs");
    browser.assert_no_errors();
}

#[test]
fn the_page_may_run_its_own_script_and_load_nothing_from_elsewhere() {
    let server = sonde_tests::server::TestServer::start();
    let answer = server.get("/");
    let policy = answer.header("content-security-policy").expect("a policy").to_owned();
    let rules: Vec<(&str, &str)> =
        policy.split(';').map(|rule| rule.trim().split_once(' ').unwrap_or((rule.trim(), ""))).collect();
    let of = |name: &str| rules.iter().find(|(rule, _)| *rule == name).map(|(_, value)| *value);
    assert_eq!(of("default-src"), Some("'none'"), "{policy}");
    let scripts = of("script-src").expect("a rule for scripts");
    assert!(
        !scripts.contains("'unsafe-inline'")
            && !scripts.contains("'unsafe-eval'")
            && !scripts.contains("http"),
        "{policy}"
    );
    assert_eq!(
        (of("base-uri"), of("form-action"), of("frame-ancestors")),
        (Some("'none'"), Some("'none'"), Some("'none'")),
        "{policy}"
    );
    // A script that got into the page all the same would not run.
    let browser = Browser::open();
    Page::open(&browser, &server.http().url("/"));
    let inject = "const s = document.createElement('script'); s.textContent = 'window.harmed = 1'; document.body.append(s);\
        const d = document.createElement('div'); d.innerHTML = '<img src=x onerror=\"window.harmed = 2\">'; document.body.append(d); return window.harmed ?? null";
    assert_eq!(browser.look(inject, &[]), Value::Null);
    wait::until("the browser to refuse it", || {
        browser
            .errors()
            .iter()
            .any(|error| error.contains("Content Security Policy"))
            .then_some(())
            .ok_or("nothing refused")
    });
    assert_eq!(browser.look("return window.harmed ?? null", &[]), Value::Null);
}
