//! What changed on pages that have no column for it: it lies over the right part of the page, and Escape takes it away first.

use super::why_pane::{SELECTION, VISIBLE, whole, with_the_well};
use serde_json::json;
use sonde_tests::browser::{Browser, Key, Settings};
use sonde_tests::page::Page;
use sonde_tests::server::TestServer;

fn open<'a>(browser: &'a Browser, server: &TestServer) -> Page<'a> {
    let page = Page::open(browser, &server.http().url(&format!("/d/well?v=1&{VISIBLE}&{SELECTION}")));
    page.wait_for("the selection", SELECTED, &json!(true));
    page
}

const SELECTED: &str = "return !!document.querySelector('.page').dataset.selection";
/// Whether what changed lies over the page, and what has the focus.
const LIES_OVER: &str = "return document.querySelector('.why-body').getBoundingClientRect().width > 100";
const FOCUSED: &str = "return document.activeElement.className";

#[test]
fn on_narrow_pages_what_changed_lies_over_the_right_part() {
    let boards = tempfile::tempdir().expect("a temporary folder can be made");
    let server = with_the_well(boards.path());
    for width in [700, 800, 900, 1_000, 1_100] {
        let browser = Browser::with(&Settings { width, height: 700, ..Settings::default() });
        let page = open(&browser, &server);
        let place = "const b = document.querySelector('.why').getBoundingClientRect();\
            return [innerWidth - b.left, innerWidth - b.right]";
        page.wait_for("the tab at the right", place, &json!([32, 0]));
        let expanded = "return document.querySelector('.why-tab').ariaExpanded";
        assert_eq!(browser.look(expanded, &[]), json!("false"), "what is out of sight is not open");
        browser.click(page.center(".why-tab"));
        page.wait_for("what changed at the right", place, &json!([320, 0]));
        assert_eq!(browser.look(expanded, &[]), json!("true"));
        let on_top = "const b = document.querySelector('.why-head').getBoundingClientRect();\
            return !!document.elementFromPoint(b.left + 20, b.top + 10)?.closest('.why')";
        page.wait_for("nothing over it", on_top, &json!(true));
        browser.assert_no_errors();
    }
}

#[test]
fn where_there_is_room_the_column_that_is_opened_again_stays_a_column() {
    let boards = tempfile::tempdir().expect("a temporary folder can be made");
    let server = with_the_well(boards.path());
    let browser = Browser::with(&Settings { width: 1_280, height: 800, ..Settings::default() });
    let page = open(&browser, &server);
    let place = "const [w, c] = ['.why', '.centre'].map(s => document.querySelector(s).getBoundingClientRect());\
        return [w.width, innerWidth - w.right, w.left - c.right]";
    page.wait_for("the column", place, &json!([320, 0, 0]));
    browser.click(page.center("[aria-label=\"Close what changed\"]"));
    page.wait_for("the tab", place, &json!([32, 0, 0]));
    page.wait_for("the focus on the tab", FOCUSED, &json!("why-tab"));
    browser.click(page.center(".why-tab"));
    page.wait_for("the column again", place, &json!([320, 0, 0]));
    // Nothing lies over the page, so there is no layer but the selection.
    browser.key(Key::Escape);
    page.wait_for("no selection", SELECTED, &json!(false));
    page.wait_for("the column still", place, &json!([320, 0, 0]));
    browser.assert_no_errors();
}

/// Escape takes away what lies over the page, and only then the selection.
fn escape_closes_it_first(page: &Page, tab: &str) {
    page.wait_for("what changed over the page", LIES_OVER, &json!(true));
    drop(whole(page));
    page.browser.look("document.querySelector('.finding-open').focus()", &[]);
    page.browser.key(Key::Escape);
    page.wait_for("the page", LIES_OVER, &json!(false));
    page.wait_for("the focus where it opens from", FOCUSED, &json!(tab));
    assert_eq!(page.browser.look(SELECTED, &[]), json!(true), "the selection is another layer");
    page.browser.key(Key::Escape);
    page.wait_for("no selection", SELECTED, &json!(false));
    page.browser.assert_no_errors();
}

#[test]
fn escape_closes_what_lies_over_the_page_before_the_selection() {
    let boards = tempfile::tempdir().expect("a temporary folder can be made");
    let server = with_the_well(boards.path());
    let browser = Browser::with(&Settings { width: 800, height: 700, ..Settings::default() });
    let page = open(&browser, &server);
    browser.click(page.center(".why-tab"));
    escape_closes_it_first(&page, "why-tab");
    let browser = Browser::with(&Settings { width: 390, height: 844, touch: true, ..Settings::default() });
    let page = open(&browser, &server);
    browser.fingers(&[&[page.center(".sheet-tabs .tab:nth-child(2)")]]);
    escape_closes_it_first(&page, "tab why-sheet");
}
