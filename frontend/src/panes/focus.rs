//! Where the focus goes when what had it goes.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};

/// Whether an element has the focus, or what is in it has.
pub(super) fn has_focus(element: &Element) -> bool {
    element.contains(document().active_element().as_deref())
}

/// To the first element in the page that a selector finds.
pub(super) fn focus(selector: &str) {
    if let Some(page) = document().document_element() {
        focus_in(&page, selector);
    }
}

/// To the first one within another.
pub(super) fn focus_in(within: &Element, selector: &str) {
    let found = within.query_selector(selector).ok().flatten();
    if let Some(found) = found.and_then(|found| found.dyn_into::<HtmlElement>().ok()) {
        drop(found.focus());
    }
}
