//! How large elements are, followed as they change, and how lengths are written.

use crate::boxed::effect;
use leptos::html::ElementType;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;

/// Calls `measure` with the element when it comes into the document and when its size changes.
pub fn on_resize<E>(node: NodeRef<E>, measure: impl Fn(&web_sys::HtmlElement) + Clone + 'static)
where
    E: ElementType,
    E::Output: JsCast + Clone + 'static,
{
    effect(move || {
        let Some(element) = node.get() else { return };
        let element: web_sys::HtmlElement = element.unchecked_into();
        let (measured, measure) = (element.clone(), measure.clone());
        let measure = Closure::<dyn FnMut()>::new(move || measure(&measured));
        let Ok(observer) = web_sys::ResizeObserver::new(measure.as_ref().unchecked_ref()) else { return };
        observer.observe(&element);
        let held = StoredValue::new_local((observer, measure));
        on_cleanup(move || held.with_value(|(observer, _)| observer.disconnect()));
    });
}

/// A length in CSS px as style writes it.
#[inline(never)]
pub fn px(length: f64) -> String {
    format!("{length}px")
}

/// Whether the page is as narrow as a phone, where panes lie one over another; the style's bound.
pub fn is_phone() -> bool {
    is_narrower_than(600.0)
}

/// Whether what changed has no column beside the charts, and lies over them; the style's bound.
pub fn is_narrow() -> bool {
    is_narrower_than(1_180.0)
}

fn is_narrower_than(px: f64) -> bool {
    let width = window().inner_width().ok().and_then(|width| width.as_f64());
    width.is_some_and(|width| width < px)
}
