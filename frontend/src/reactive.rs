//! Effects and memos as the page makes them.
//!
//! What Leptos offers is written for the type of each closure, some hundred times over for this page. Here the closure is boxed
//! first, so what surrounds it is there once for each type of value.

use leptos::prelude::{Effect, Memo};

/// Runs now, and again whenever something changes that it read.
pub fn effect(run: impl Fn() + 'static) {
    boxed_effect(Box::new(run));
}

#[inline(never)]
fn boxed_effect(run: Box<dyn Fn()>) {
    Effect::new(move |_| run());
}

/// A value that is computed from others, and tells its readers only when it changes.
pub fn memo<T: PartialEq + Send + Sync + 'static>(read: impl Fn() -> T + Send + Sync + 'static) -> Memo<T> {
    boxed_memo(Box::new(read))
}

#[inline(never)]
fn boxed_memo<T: PartialEq + Send + Sync + 'static>(read: Box<dyn Fn() -> T + Send + Sync>) -> Memo<T> {
    Memo::new(move |_| read())
}
