//! How large an element is and how fine the screen under it, as signals.

use crate::boxed::effect;
use crate::size::on_resize;
use leptos::html::Div;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;

/// The width and the height of an element in CSS px; zero until it is in the document.
pub(super) fn watch_size(node: NodeRef<Div>) -> [RwSignal<f64>; 2] {
    let size = [RwSignal::new(0.0), RwSignal::new(0.0)];
    on_resize(node, move |element| {
        for (length, now) in size.into_iter().zip([element.client_width(), element.client_height()]) {
            let now = f64::from(now);
            // A width that stays draws nothing.
            if (now - length.get_untracked()).abs() > f64::EPSILON {
                length.set(now);
            }
        }
    });
    size
}

/// Device pixels a CSS pixel; changes when the window moves to another screen or the page is zoomed.
pub(super) fn watch_pixel_ratio() -> RwSignal<f64> {
    let ratio = RwSignal::new(window().device_pixel_ratio());
    effect(move || {
        // The query holds for this ratio only: each change asks a new one.
        let query = format!("(resolution: {}dppx)", ratio.get());
        let Ok(Some(query)) = window().match_media(&query) else { return };
        let changed = Closure::<dyn FnMut()>::new(move || ratio.set(window().device_pixel_ratio()));
        query.set_onchange(Some(changed.as_ref().unchecked_ref()));
        let held = StoredValue::new_local((query, changed));
        on_cleanup(move || held.with_value(|(query, _)| query.set_onchange(None)));
    });
    ratio
}
