//! Leaving what was followed.
//!
//! Whoever follows a signal stays in the signal's list when it is gone, in the reactive system as it is, and takes some hundred
//! bytes for ever. That is nothing for what lives as long as the page. Rows of lines come and go by the thousand an hour, and so
//! do names in legends: what they follow of all that lives longer they follow through here.

use leptos::prelude::{Memo, RwSignal, on_cleanup};
use leptos::reactive::graph::{AnySource, Observer, Source};

/// What can be left.
pub trait Followed {
    /// The node that has the list.
    fn node(&self) -> AnySource;
}

impl<T: Send + Sync + 'static> Followed for RwSignal<T> {
    fn node(&self) -> AnySource {
        Self::node(self)
    }
}

impl<T: Send + Sync + 'static> Followed for Memo<T> {
    fn node(&self) -> AnySource {
        Self::node(self)
    }
}

/// The same, which is left by whoever reads it here next when it is gone.
pub fn leaving<S: Followed>(source: S) -> S {
    if let Some(reader) = Observer::get() {
        let left = source.node();
        on_cleanup(move || left.remove_subscriber(&reader));
    }
    source
}
