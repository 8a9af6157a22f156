//! The calls of the document that everything comes down to. Calls that cannot fail on nodes of one's own are not looked at.

use std::cell::RefCell;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Document, Element, HtmlElement, HtmlTemplateElement, Node};

const SVG: &str = "http://www.w3.org/2000/svg";

thread_local! {
    static DOCUMENT: Document = leptos_dom::helpers::document();
    /// Elements that never change, each once, to be copied.
    static INERT: RefCell<Vec<(&'static str, Element)>> = const { RefCell::new(Vec::new()) };
}

pub(crate) fn element(tag: &str, is_svg: bool) -> Element {
    let made = DOCUMENT.with(|document| {
        if is_svg { document.create_element_ns(Some(SVG), tag) } else { document.create_element(tag) }
    });
    made.expect("the macros know what an element may be called")
}

pub(crate) fn text(text: &str) -> Node {
    DOCUMENT.with(|document| document.create_text_node(text).into())
}

/// A node that shows nothing and keeps a place.
pub(crate) fn place() -> Node {
    DOCUMENT.with(|document| document.create_comment("").into())
}

/// An element that never changes.
pub(crate) fn inert(html: &'static str) -> Node {
    INERT.with_borrow_mut(|known| {
        let at = known.iter().position(|(text, _)| *text == html).unwrap_or_else(|| {
            // Anything may stand in a template, also rows of no table.
            let around: HtmlTemplateElement = element("template", false).unchecked_into();
            around.set_inner_html(html);
            let made = around.content().first_element_child().expect("the macros write one element");
            known.push((html, made));
            known.len() - 1
        });
        known[at].1.clone_node_with_deep(true).expect("an element can be copied")
    })
}

pub(crate) fn insert(parent: &Node, node: &Node, before: Option<&Node>) {
    drop(parent.insert_before(node, before));
}

/// Takes a node out of the document. All nodes here have the method, also those that are no elements.
pub(crate) fn remove(node: &Node) {
    node.unchecked_ref::<Element>().remove();
}

pub(crate) fn body() -> HtmlElement {
    DOCUMENT.with(|document| document.body().expect("a page has a body"))
}

pub(crate) fn set_property(element: &Element, name: &str, value: &JsValue) {
    drop(js_sys::Reflect::set(element, &JsValue::from_str(name), value));
}
