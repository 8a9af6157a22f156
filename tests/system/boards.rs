//! Dashboards in the page: a new one, another title, a copy, one less, and that one back.

use serde_json::{Value, json};
use sonde_tests::browser::{Browser, Key};
use sonde_tests::page::Page;
use sonde_tests::server::{Setup, TestServer};
use sonde_tests::wait;
use std::fs;
use std::path::Path;

const BOARD: &str =
    "# The mill's own.\ntitle = \"Mill\"\n\n[[panel]]\ntitle = \"Turns\"\ntargets = [\"mill.turns\"]\n";

fn start(boards: &Path, data: &Path) -> TestServer {
    fs::write(boards.join("mill.toml"), BOARD).expect("a file can be written");
    let server = Setup::on(data).arg("--dashboards").arg(boards).start();
    assert_eq!(server.http().post("/api/ingest/metrics", b"mill.turns 7 1740711600\n").status, 200);
    server
}

#[track_caller]
fn file(path: &Path, expected: Option<&str>) {
    wait::until(&path.display().to_string(), || {
        let text = fs::read_to_string(path).ok();
        if text.as_deref() == expected { Ok(()) } else { Err(text) }
    });
}

#[track_caller]
fn at(browser: &Browser, name: &str) {
    wait::until(name, || {
        let url = browser.url();
        if url.contains(&format!("/d/{name}?")) { Ok(()) } else { Err(url) }
    });
}

fn choose(page: &Page, action: &str) {
    page.press("Dashboard");
    page.press(action);
}

fn entitle(page: &Page, title: &str) {
    let has_focus = "return document.activeElement.id";
    page.wait_for("the field", has_focus, &json!("board-title"));
    page.browser.chord(&[Key::Control], 'a');
    page.browser.type_text(title);
    page.browser.key(Key::Enter);
}

#[test]
fn dashboards_are_made_renamed_copied_deleted_and_brought_back() {
    let boards = tempfile::tempdir().expect("a temporary folder can be made");
    let data = tempfile::tempdir().expect("a temporary folder can be made");
    let server = start(boards.path(), data.path());
    let path = |name: &str| boards.path().join(name);
    let browser = Browser::open();
    let page = Page::open(&browser, &server.http().url("/d/mill?v=1&t=2025-02-28T03:00:00Z..03:10:00Z"));
    let label = "return document.querySelector('[aria-label=Dashboard]')?.innerText.trim() ?? null";
    page.wait_for("its title", label, &json!("Mill"));
    choose(&page, "Rename this one…");
    browser.screenshot("board-rename");
    entitle(&page, "Old mill");
    file(&path("mill.toml"), Some(&BOARD.replace("\"Mill\"", "\"Old mill\"")));
    page.wait_for("its title", label, &json!("Old mill"));
    choose(&page, "Copy this one…");
    // What is taken as it stands: the title with `(copy)` behind it.
    page.wait_for("a title", "return document.activeElement.value", &json!("Old mill (copy)"));
    browser.key(Key::Enter);
    at(&browser, "old-mill-copy");
    file(&path("old-mill-copy.toml"), Some(&BOARD.replace("\"Mill\"", "\"Old mill (copy)\"")));
    page.wait_for("its title", label, &json!("Old mill (copy)"));
    choose(&page, "Delete this one");
    file(&path("old-mill-copy.toml"), None);
    at(&browser, "mill");
    let note = "return document.querySelector('.note[role=status] span')?.innerText ?? null";
    page.wait_for("what was done", note, &json!("“Old mill (copy)” was deleted."));
    browser.screenshot("board-deleted");
    page.press("Undo");
    at(&browser, "old-mill-copy");
    file(&path("old-mill-copy.toml"), Some(&BOARD.replace("\"Mill\"", "\"Old mill (copy)\"")));
    page.wait_for("no note", note, &Value::Null);
    choose(&page, "New dashboard…");
    entitle(&page, "../Wells & more");
    at(&browser, "wells-more");
    file(&path("wells-more.toml"), Some("title = \"../Wells & more\"\n"));
    page.press("Add a chart");
    page.wait_for("the editor", "return !!document.querySelector('.editor')", &json!(true));
    browser.assert_no_errors();
}

#[test]
fn what_cannot_be_done_with_a_dashboard_says_why() {
    let boards = tempfile::tempdir().expect("a temporary folder can be made");
    let data = tempfile::tempdir().expect("a temporary folder can be made");
    let server = start(boards.path(), data.path());
    let browser = Browser::open();
    let page = Page::open(&browser, &server.http().url("/d/default?v=1&t=2025-02-28T03:00:00Z..03:10:00Z"));
    let why = "return document.querySelector('.board-problem')?.innerText ?? null";
    choose(&page, "New dashboard…");
    // What is no file is not offered for deletion, with the reason.
    let made = "const e = document.querySelector('.item.danger'); return [e?.disabled, e?.title]";
    let reason = "It is made from the metrics there are, and no file";
    page.wait_for("what is offered", made, &json!([true, reason]));
    page.wait_for("nothing wrong", why, &Value::Null);
    entitle(&page, " ");
    let empty =
        "return document.querySelector('.board-problem')?.innerText.includes('its title is empty') ?? false";
    page.wait_for("why", empty, &json!(true));
    browser.screenshot("board-refused");
    assert_eq!(fs::read_dir(boards.path()).expect("the folder").count(), 1);
}
