//! What is done at an event, for as long as the element is there.

use reactive_graph::owner::Owner;
use std::borrow::Cow;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Element, Event};

/// Listens while it lives.
pub(crate) struct Listener {
    element: Element,
    event: Cow<'static, str>,
    act: Closure<dyn FnMut(Event)>,
}

impl Listener {
    /// `owner` is the one in whose name things are done.
    pub(crate) fn new(
        element: &Element,
        event: Cow<'static, str>,
        owner: Owner,
        mut act: Box<dyn FnMut(Event)>,
    ) -> Self {
        let act = Closure::new(move |event| {
            // An event does not follow what it reads.
            #[cfg(debug_assertions)]
            let _untracked = reactive_graph::diagnostics::SpecialNonReactiveZone::enter();
            owner.with(|| act(event));
        });
        drop(element.add_event_listener_with_callback(&event, act.as_ref().unchecked_ref()));
        Self { element: element.clone(), event, act }
    }

    pub(crate) fn event(&self) -> &str {
        &self.event
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let act = self.act.as_ref().unchecked_ref();
        drop(self.element.remove_event_listener_with_callback(&self.event, act));
    }
}
