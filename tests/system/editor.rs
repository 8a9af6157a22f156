//! The editor of a chart: what is typed is drawn, told where it is wrong, kept in the address, and saved as the dashboard's TOML.

use serde_json::{Value, json};
use sonde_shared::time::TimeRange;
use sonde_tests::browser::{Browser, Key};
use sonde_tests::corpus::range;
use sonde_tests::page::Page;
use sonde_tests::server::{Setup, TestServer};
use sonde_tests::wait;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

const BOARD: &str = "# The mill's own.\ntitle = \"Mill\"\n\n# How fast.\n[[panel]]\ntitle = \"Turns\"\ntargets = [\"mill.turns\"] # a minute\n";
const ADDRESS: &str = "/d/mill?v=1&t=2025-02-28T03:00:00Z..03:10:00Z";

fn visible() -> TimeRange {
    range("2025-02-28T03:00:00Z", "2025-02-28T03:10:00Z")
}

/// A server with one dashboard, ten minutes of three series and lines of two components.
struct Mill {
    server: TestServer,
    file: PathBuf,
    _folders: [TempDir; 2],
}

impl Mill {
    fn start() -> Self {
        let folders = [(); 2].map(|()| tempfile::tempdir().expect("a temporary folder can be made"));
        let file = folders[0].path().join("mill.toml");
        fs::write(&file, BOARD).expect("a file can be written");
        let server = Setup::on(folders[1].path()).arg("--dashboards").arg(folders[0].path()).start();
        let (mut points, mut lines) = (String::new(), String::new());
        for second in 0..600_u64 {
            let ts = 1_740_711_600 + second;
            writeln!(points, "well.flat 2 {ts}\nwell.rising {second} {ts}\nmill.turns 7 {ts}")
                .expect("a String takes it");
            let component = ["village.miller", "village.baker"][second as usize % 2];
            writeln!(
                lines,
                r#"{{"ts":{ts},"component":"{component}","level":"warn","msg":"the wheel turns"}}"#
            )
            .expect("a String takes it");
        }
        assert_eq!(server.http().post("/api/ingest/metrics", points.as_bytes()).status, 200);
        server.store_logs(lines.as_bytes());
        Self { server, file, _folders: folders }
    }

    fn page<'a>(&self, browser: &'a Browser, address: &str) -> Page<'a> {
        let page = Page::open(browser, &self.server.http().url(address));
        page.plot_of("turns", visible());
        page
    }

    fn saved(&self) -> String {
        fs::read_to_string(&self.file).unwrap_or_default()
    }

    #[track_caller]
    fn wait_for_file(&self, expected: &str) {
        wait::until("the file", || if self.saved() == expected { Ok(()) } else { Err(self.saved()) });
    }
}

const NAMES: &str = "return [...document.querySelectorAll('.legend-name')].map(e => e.innerText)";
const IS_CLOSED: &str = "return !document.querySelector('.editor')";
const MARK: &str = "return document.querySelector('.edited-mark')?.innerText ?? null";
const OPTIONS: &str = "return [...document.querySelectorAll('[role=option] .mono')].map(e => e.innerText)";

fn series(page: &Page, names: &[&str]) {
    page.wait_for("the series", NAMES, &json!(names));
}

fn open_editor(page: &Page) {
    page.press("Turns: edit this chart");
    page.wait_for("the editor", "return !!document.querySelector('.editor')", &json!(true));
}

/// Types into a field in the place of what it holds.
fn retype(page: &Page, field: &str, text: &str) {
    page.press(field);
    page.browser.chord(&[Key::Control], 'a');
    page.browser.type_text(text);
}

#[test]
fn what_is_typed_is_drawn_at_rest_and_a_mistake_is_told_at_its_place() {
    let mill = Mill::start();
    let browser = Browser::open();
    let page = mill.page(&browser, ADDRESS);
    open_editor(&page);
    page.press("Target 2");
    browser.type_text("well.flat");
    series(&page, &["mill.turns", "well.flat"]);
    let caret = "const e = document.activeElement; return [e.ariaLabel, e.selectionStart, e.value]";
    assert_eq!(browser.look(caret, &[]), json!(["Target 2", 9, "well.flat"]), "the caret stays");
    retype(&page, "Target 2", "movingAvrage(well.flat, 5)");
    let mistake = "return [document.querySelector('.mistake mark')?.innerText, document.querySelector('.target-field .problem')?.innerText]";
    let why = "There is no function `movingAvrage`; did you mean `movingAverage`?";
    page.wait_for("the mistake", mistake, &json!(["movingAvrage", why]));
    series(&page, &["mill.turns", "well.flat"]);
    browser.screenshot("editor-mistake");
    // Neither drawn nor saved without a word.
    assert!(browser.url().contains("movingAvrage"), "{}", browser.url());
    browser.assert_no_errors();
    page.press("Save the dashboard");
    let alert = "return document.querySelector('.editor [role=alert]')?.innerText.includes('did you mean `movingAverage`') ?? false";
    page.wait_for("a refusal", alert, &json!(true));
    assert_eq!(mill.saved(), BOARD);
    drop(browser.errors());
    retype(&page, "Target 2", "sum(well.*");
    page.wait_for("another mistake", mistake, &json!(["\u{a0}", "Expected `,` or `)`."]));
    browser.type_text(")");
    series(&page, &["mill.turns", "sumSeries(well.*)"]);
    page.wait_for("no mistake", mistake, &json!([null, null]));
    browser.assert_no_errors();
}

#[test]
fn an_edit_outlives_escape_reload_back_and_the_link_until_it_is_saved_or_discarded() {
    let mill = Mill::start();
    let browser = Browser::open();
    let page = mill.page(&browser, ADDRESS);
    open_editor(&page);
    page.press("Target 2");
    browser.type_text("well.");
    page.wait_for("completion", OPTIONS, &json!(["well.flat", "well.rising"]));
    // Escape closes completion, then the editor; the text that has just been typed is kept.
    browser.key(Key::Escape);
    page.wait_for("no completion", OPTIONS, &json!([]));
    assert_eq!(browser.look(IS_CLOSED, &[]), json!(false));
    browser.type_text("flat");
    browser.key(Key::Escape);
    browser.key(Key::Escape);
    page.wait_for("the editor to close", IS_CLOSED, &json!(true));
    page.wait_for("the mark", MARK, &json!("Edited, not saved"));
    let focus = "return document.activeElement.ariaLabel";
    page.wait_for("the focus where it came from", focus, &json!("Turns: edit this chart"));
    series(&page, &["mill.turns", "well.flat"]);
    let edited = browser.url();
    assert!(
        edited.ends_with("03:10:00Z&edit.turns.target=mill.turns&edit.turns.target=well.flat"),
        "{edited}"
    );
    browser.screenshot("editor-kept");
    browser.reload();
    series(&page, &["mill.turns", "well.flat"]);
    browser.back();
    series(&page, &["mill.turns"]);
    page.wait_for("no mark", MARK, &Value::Null);
    browser.forward();
    series(&page, &["mill.turns", "well.flat"]);
    page.press("Share: copy the link");
    let link = wait::until("the link", || {
        let link = browser.clipboard();
        if link.contains("edit.turns") { Ok(link) } else { Err(link) }
    });
    let other = Browser::open();
    other.goto(&link);
    let there = Page { browser: &other };
    series(&there, &["mill.turns", "well.flat"]);
    // There it is discarded, here it is saved.
    there.press("Discard");
    series(&there, &["mill.turns"]);
    assert!(!other.url().contains("edit."), "{}", other.url());
    assert_eq!(mill.saved(), BOARD);
    page.press("Save");
    mill.wait_for_file(&BOARD.replace("\"mill.turns\"]", "\"mill.turns\", \"well.flat\"]"));
    page.wait_for("no mark", MARK, &Value::Null);
    wait::until("an address without the edit", || {
        if browser.url().contains("edit.") { Err(browser.url()) } else { Ok(()) }
    });
    browser.assert_no_errors();
    other.assert_no_errors();
}

#[test]
fn thresholds_the_right_axis_and_the_name_in_addresses_are_edited() {
    let mill = Mill::start();
    let browser = Browser::open();
    let page = mill.page(&browser, &format!("{ADDRESS}&panel=turns"));
    open_editor(&page);
    browser.click(page.center(".editor-more summary"));
    page.press("Add a threshold");
    page.press("From which value on");
    browser.type_text("soon");
    let wrong = "return document.querySelector('.threshold-row .problem')?.innerText ?? null";
    page.wait_for("what is wrong", wrong, &json!("This is no number."));
    retype(&page, "From which value on", "6.5");
    page.wait_for("nothing wrong", wrong, &Value::Null);
    page.press("Right target 1");
    browser.type_text("well.rising");
    browser.key(Key::Enter);
    series(&page, &["mill.turns", "well.rising"]);
    retype(&page, "Name in addresses", "Wheel speed");
    browser.key(Key::Enter);
    page.wait_for(
        "its name",
        "return !!document.querySelector('[data-panel=\"wheel-speed\"]')",
        &json!(true),
    );
    assert!(browser.url().contains("panel=wheel-speed"), "{}", browser.url());
    browser.screenshot("editor-more");
    page.press("Save the dashboard");
    let expected = BOARD.to_owned()
        + "right = [\"well.rising\"]\nid = \"wheel-speed\"\n\n[[panel.threshold]]\nat = 6.5\nlevel = \"warn\"\n";
    mill.wait_for_file(&expected);
    page.wait_for("the editor to close", IS_CLOSED, &json!(true));
    browser.assert_no_errors();
}

#[test]
fn components_and_levels_are_completed_within_the_quotes_of_logs() {
    let mill = Mill::start();
    let browser = Browser::open();
    let page = mill.page(&browser, ADDRESS);
    open_editor(&page);
    retype(&page, "Target 1", "logs(\"vill");
    page.wait_for("components", OPTIONS, &json!(["village", "village.baker", "village.miller"]));
    browser.screenshot("editor-logs");
    browser.key(Key::Down);
    browser.key(Key::Down);
    browser.key(Key::Down);
    browser.key(Key::Enter);
    browser.type_text(", \"wa");
    page.wait_for("levels", OPTIONS, &json!(["warn"]));
    // What is begun is completed by the first suggestion.
    browser.key(Key::Tab);
    browser.type_text(")");
    series(&page, &["logs(\"village.miller\",\"warn\")"]);
    browser.assert_no_errors();
}

#[test]
fn what_somebody_else_saved_meanwhile_is_loaded_under_the_edits() {
    let mill = Mill::start();
    let browser = Browser::open();
    let page = mill.page(&browser, ADDRESS);
    open_editor(&page);
    retype(&page, "Unit", "ms");
    let unit = "return document.querySelector('.panel .unit').innerText";
    page.wait_for("the unit", unit, &json!("ms"));
    let theirs = BOARD.replace("Mill\"", "Our mill\"");
    fs::write(&mill.file, &theirs).expect("a file can be written");
    page.press("Save the dashboard");
    page.press("Load theirs, keep my edits");
    page.wait_for("their title", "return document.title", &json!("Our mill · Sonde"));
    page.wait_for("the unit", unit, &json!("ms"));
    page.press("Save the dashboard");
    mill.wait_for_file(&theirs.replace("# a minute\n", "# a minute\nunit = \"ms\"\n"));
}

#[test]
fn a_chart_that_is_taken_away_comes_back_until_it_is_saved() {
    let mill = Mill::start();
    let browser = Browser::open();
    let page = mill.page(&browser, ADDRESS);
    open_editor(&page);
    page.press("Remove");
    page.press("Close the editor (Esc)");
    let note = "return document.querySelector('.edited-note')?.innerText.split('\\n')[0] ?? null";
    page.wait_for("the note", note, &json!("One chart is removed, not saved"));
    assert!(browser.url().ends_with("&edit.turns.removed=1"), "{}", browser.url());
    page.press("Discard all edits");
    series(&page, &["mill.turns"]);
    browser.assert_no_errors();
}

#[test]
fn a_new_charts_name_in_addresses_is_made_of_its_title_while_that_is_typed() {
    let mill = Mill::start();
    let browser = Browser::open();
    let page = mill.page(&browser, ADDRESS);
    page.press("Add a chart");
    retype(&page, "Title", "Water");
    page.wait_for("its name", "return !!document.querySelector('[data-edit=water]')", &json!(true));
    // The field is still the same one.
    browser.type_text(" level");
    page.wait_for("its name", "return !!document.querySelector('[data-edit=water-level]')", &json!(true));
    let field = "return [document.activeElement.value, location.search.includes('edit.water-level.title=Water%20level')]";
    page.wait_for("the whole title", field, &json!(["Water level", true]));
    browser.click(page.center(".editor-more summary"));
    let named = "return [...document.querySelectorAll('.editor-field')].find(e => e.innerText.startsWith('Name in addresses')).querySelector('input').value";
    page.wait_for("what the editor says", named, &json!("water-level"));
    browser.assert_no_errors();
}
