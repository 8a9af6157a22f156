//! The page on a wall: charts alone, in large type, judged, and honest about what is old.

use serde_json::{Value, json};
use sonde_tests::browser::{Browser, Key, Settings};
use sonde_tests::server::{Setup, TestServer};
use sonde_tests::wait;
use std::fs;
use std::time::SystemTime;

const BOARD: &str = "title = \"Mill\"\n[[panel]]\ntitle = \"Heat\"\nunit = \"ms\"\ntargets = [\"mill.heat\"]\n\
    [[panel.threshold]]\nat = 100\nlevel = \"warn\"\n[[panel.threshold]]\nat = 500\nlevel = \"error\"\n\
    [[panel]]\ntitle = \"Turns\"\ntargets = [\"mill.turns.*\"]\n[[panel]]\ntitle = \"Silent\"\ntargets = [\"mill.silent\"]\n";

fn now_secs() -> u64 {
    SystemTime::UNIX_EPOCH.elapsed().expect("a time after 1970").as_secs()
}

fn send(server: &TestServer, points: &[(&str, u64, u64)]) {
    let line = |(path, value, ts): &(&str, u64, u64)| format!("{path} {value} {ts}");
    let text = points.iter().map(line).collect::<Vec<_>>().join("\n");
    assert_eq!(server.http().post("/api/ingest/metrics", text.as_bytes()).status, 200);
}

/// What each panel says: title, value, verdict.
const PANELS: &str = "return [...document.querySelectorAll('.wall-panel')].map(p => [p.querySelector('h2').innerText, p.querySelector('.wall-value').innerText,\
    p.querySelector('.wall-verdict').innerText.trim().replace(/\\s+/g, ' ')])";

#[test]
fn a_wall_shows_large_values_judges_them_and_says_what_is_old_or_gone() {
    let boards = tempfile::tempdir().expect("a temporary folder can be made");
    fs::write(boards.path().join("mill.toml"), BOARD).expect("a file can be written");
    let data = tempfile::tempdir().expect("a temporary folder can be made");
    let mut server = Setup::on(data.path()).arg("--dashboards").arg(boards.path()).start();
    let now = now_secs();
    send(
        &server,
        &[
            ("mill.heat", 640, now - 1),
            ("mill.turns.a", 3, now - 1),
            ("mill.turns.b", 5, now - 1),
            ("mill.silent", 1, now - 95),
        ],
    );
    let browser = Browser::with(&Settings { width: 1920, height: 1080, ..Settings::default() });
    browser.goto(&server.http().url("/d/mill?v=1&t=-15min..now&live=1&wall"));
    let page = sonde_tests::page::Page { browser: &browser };
    wait::until("the panels", || {
        let seen = browser.look(PANELS, &[]);
        let is = |at: usize, part: usize, text: &str| {
            seen[at][part].as_str().is_some_and(|seen| seen.starts_with(text))
        };
        let all = is(0, 1, "640 ms")
            && is(0, 2, "Bad · from 500 ms")
            && is(1, 1, "5")
            && is(1, 2, "highest of 2: mill.turns.b")
            && is(2, 1, "stale ");
        if all { Ok(()) } else { Err(seen) }
    });
    let looks = "const p = document.querySelector('.wall-panel'), s = getComputedStyle(p), v = getComputedStyle(p.querySelector('.wall-value'));\
        const error = getComputedStyle(document.documentElement).getPropertyValue('--error').trim();\
        const probe = document.createElement('i'); probe.style.color = error; document.body.append(probe);\
        const rgb = getComputedStyle(probe).color; probe.remove();\
        return [s.borderTopWidth, s.borderTopColor === rgb, v.fontSize, document.querySelector('.top-bar, .tree, .log-pane')]";
    assert_eq!(
        browser.look(looks, &[]),
        json!(["6px", true, "64px", null]),
        "a frame of 6 px, a value of 64 px, no chrome"
    );
    browser.screenshot("wall");
    // A new point is shown as it comes, without a touch.
    send(&server, &[("mill.heat", 42, now_secs())]);
    let heat = format!("{PANELS}[0].slice(1)");
    page.wait_for("the new value", &heat, &json!(["42 ms", "Good"]));
    let still = "return getComputedStyle(document.querySelector('.wall')).cursor";
    page.wait_for("no pointer", still, &json!("none"));
    server.kill();
    let lost = "return document.querySelector('.wall-head .problem')?.innerText.trim() ?? null";
    page.wait_for("what is wrong", lost, &json!("Reconnecting…"));
}

#[test]
fn a_wall_of_former_times_says_when_its_values_were_and_cuts_no_unit_off() {
    let boards = tempfile::tempdir().expect("a temporary folder can be made");
    fs::write(boards.path().join("mill.toml"), BOARD).expect("a file can be written");
    let data = tempfile::tempdir().expect("a temporary folder can be made");
    let server = Setup::on(data.path()).arg("--dashboards").arg(boards.path()).start();
    let then = 1_740_711_600;
    send(&server, &[("mill.heat", 640, then), ("mill.turns.a", 3, then), ("mill.turns.b", 5, then + 70)]);
    send(&server, &[("mill.heat", 7, now_secs() - 600), ("mill.silent", 1, now_secs() - 600)]);
    let browser = Browser::with(&Settings { width: 800, height: 800, ..Settings::default() });
    browser.goto(&server.http().url("/d/mill?v=1&t=2025-02-28T03:00:00Z..03:10:00Z&wall"));
    let page = sonde_tests::page::Page { browser: &browser };
    let past = format!("{PANELS}.map(p => p.slice(1))");
    let said = [
        ["640 ms", "Bad · from 500 ms at 2025-02-28 03:00:00"],
        ["5", "at 2025-02-28 03:01:10 · highest of 2: mill.turns.b"],
        ["no points", ""],
    ];
    page.wait_for("when the values were", &past, &json!(said));
    // Here a panel leaves a value less room than its 64 px would take.
    browser.goto(
        &server.http().url("/d/mill?v=1&t=-15min..now&live=1&wall&target=mill.heat&target=mill.silent"),
    );
    let old = "const all = [...document.querySelectorAll('.wall-value')].filter(e => e.innerText === 'stale 10 min');\
        return all.length > 1 && all.every(e => e.scrollWidth <= e.clientWidth)";
    page.wait_for("values that are whole", old, &json!(true));
    browser.assert_no_errors();
}

/// A chart of both axes, one of the right alone, and what stopped seven minutes ago: by functions, and beside a count that goes on.
const STOPPED: &str = "title = \"Shop\"\n\
    [[panel]]\ntitle = \"Both\"\nunit = \"ms\"\ntargets = [\"movingAverage(db*.latency,'1min')\"]\n\
    right = [\"sumSeries(web*.requests)\"]\nright_unit = \"1/s\"\n[[panel.threshold]]\nat = 60\nlevel = \"warn\"\n\
    [[panel]]\ntitle = \"Right\"\nunit = \"ms\"\ntargets = []\nright = [\"web*.requests\"]\nright_unit = \"1/s\"\n\
    [[panel.threshold]]\nat = 60\nlevel = \"warn\"\n\
    [[panel]]\ntitle = \"Sum\"\ntargets = [\"sumSeries(old*.requests)\"]\n\
    [[panel]]\ntitle = \"Average\"\ntargets = [\"movingAverage(old*.requests,'1min')\"]\n\
    [[panel]]\ntitle = \"Plain\"\ntargets = [\"old1.requests\"]\n\
    [[panel]]\ntitle = \"Beside\"\ntargets = [\"old1.requests\", \"logs('*','error')\"]\n";

#[test]
fn a_wall_judges_the_left_axis_and_knows_of_every_target_when_it_stopped() {
    let boards = tempfile::tempdir().expect("a temporary folder can be made");
    fs::write(boards.path().join("shop.toml"), STOPPED).expect("a file can be written");
    let server = Setup::default().arg("--dashboards").arg(boards.path()).start();
    let now = now_secs();
    let points: Vec<(&str, u64, u64)> = (0..60)
        .flat_map(|ten| {
            let (ts, old) = (now - 591 + ten * 10, now - 425 - ten * 5);
            [
                ("db1.latency", 12, ts),
                ("db2.latency", 14, ts),
                ("web1.requests", 332, ts),
                ("web2.requests", 330, ts),
                ("old1.requests", 5, old),
                ("old2.requests", 4, old),
            ]
        })
        .collect();
    send(&server, &points);
    server.store_logs(
        format!(r#"{{"ts":{},"component":"shop","level":"info","msg":"open"}}"#, now - 5).as_bytes(),
    );
    let browser = Browser::with(&Settings { width: 1_280, height: 800, ..Settings::default() });
    browser.goto(&server.http().url("/d/shop?v=1&t=-30min..now&live=1&wall"));
    let page = sonde_tests::page::Page { browser: &browser };
    let stale = ["stale 7 min"; 4];
    let values = format!("{PANELS}.map(p => p[1])");
    page.wait_for("the values", &values, &json!([&["14 ms", "332 1/s"][..], &stale[..]].concat()));
    let verdicts = format!("{PANELS}.slice(0, 2).map(p => p[2])");
    let said = ["Good highest of 2: movingAverage(db2.latency,\"1min\")", "highest of 2: web1.requests"];
    page.wait_for("the verdicts", &verdicts, &json!(said));
    let frames = "return document.querySelectorAll('.level-warn, .level-error').length";
    assert_eq!(browser.look(frames, &[]), json!(0), "a frame of the other axis's thresholds");
    let inner = "return document.body.innerText.includes('secondYAxis')";
    assert_eq!(browser.look(inner, &[]), json!(false));
    browser.screenshot("wall-axes");
    browser.assert_no_errors();
}

#[test]
fn the_menu_leads_to_the_wall_and_escape_back() {
    let server = TestServer::start();
    send(&server, &[("mill.heat", 7, now_secs() - 2)]);
    let browser = Browser::open();
    let page = sonde_tests::page::Page::open(
        &browser,
        &server.http().url("/?v=1&t=2025-02-28T03:00:00Z..03:10:00Z"),
    );
    browser.click(page.center(".more-menu button"));
    browser.click(page.center(".more-menu .item"));
    page.wait_for("the wall", "return document.querySelectorAll('.wall-panel').length > 0", &json!(true));
    assert!(browser.url().contains("wall=1") && browser.url().contains("live=1"), "{}", browser.url());
    browser.key(Key::Escape);
    page.wait_for("the page", "return document.querySelectorAll('.log-pane, .tree').length", &json!(2));
    assert!(!browser.url().contains("wall"), "{}", browser.url());
    browser.back();
    page.wait_for(
        "the wall again",
        "return document.querySelectorAll('.wall-panel').length > 0",
        &json!(true),
    );
    browser.hover((300.0, 300.0));
    browser.click(page.center(".wall-leave"));
    page.wait_for("the page again", "return document.querySelector('.wall')", &Value::Null);
    browser.assert_no_errors();
}
