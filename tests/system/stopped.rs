//! A page that has stopped, or could not start, says so: of itself it could do nothing any more.

use serde_json::json;
use sonde_tests::browser::Browser;
use sonde_tests::page::Page;
use sonde_tests::server::TestServer;

const SAYS: &str = "const bar = document.querySelector('.stopped'); if (!bar) return null;\
    const box = bar.getBoundingClientRect(); const over = document.elementFromPoint(box.left + 20, box.top + 8);\
    return over?.closest('.stopped') ? bar.firstChild.textContent : 'covered'";

/// The page's program is handed memory that it never had, in a task of its own: a trap that nobody catches.
pub(super) const TRAP: &str = "const done = arguments[0]; window.wasmBindings.default().then(wasm => {\
    setTimeout(() => wasm.__wbindgen_realloc(-8, 1, 100, 1)); setTimeout(done) })";

#[test]
fn a_page_that_has_stopped_says_so_and_the_address_brings_back_what_was_seen() {
    let server = TestServer::start();
    server.store_logs(b"{\"ts\":\"2025-03-10T12:00:00Z\",\"component\":\"quay\",\"msg\":\"tide\"}\n");
    let browser = Browser::open();
    let page = Page::open(&browser, &server.http().url("/?v=1&t=2025-03-10T11:00:00Z..13:00:00Z&q=tide"));
    page.wait_for_total(1);
    let address = browser.url();
    assert_eq!(browser.look(SAYS, &[]), json!(null));
    browser.look_later(TRAP, &[]);
    page.wait_for(
        "what has happened",
        SAYS,
        &json!("The page has stopped. Reload: the address keeps what you see."),
    );
    browser.errors();
    page.press("Reload");
    page.wait_for(
        "another page",
        "return !!window.wasmBindings && !document.querySelector('.stopped')",
        &json!(true),
    );
    page.wait_for_total(1);
    assert_eq!(browser.url(), address);
    browser.assert_no_errors();
}

#[test]
fn a_page_that_could_not_start_says_so() {
    let server = TestServer::start();
    let browser = Browser::open();
    browser.before_pages("WebAssembly.instantiateStreaming = WebAssembly.instantiate = async () => { throw new WebAssembly.CompileError('too new') }");
    browser.goto(&server.http().url("/"));
    let page = Page { browser: &browser };
    let text = "The page could not start. Reload; if that does not help, the browser may be too old for it.";
    page.wait_for("what has happened", SAYS, &json!(text));
}
