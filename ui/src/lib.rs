//! Leptos for a page that weighs little: its macros, over views and signals whose types are few.
//!
//! The page is written in Leptos, and reads as it would over the crate of that name, whose name this one has there: `view!`,
//! `#[component]`, signals, memos, effects, owners. Of Leptos are the macros, the reactive system, events and timers. Its views
//! are not: there each element, attribute and closure is a type, and so is each value of a signal, with code of its own for
//! making, changing, showing and dropping it, most of the page's weight and for the most part the same. Here a [`view::View`] is
//! a value of one type, written down by calls that the macros make, and one piece of code makes nodes of it (`mounted`); signals
//! point to what they hold by one kind of pointer ([`signals`]). What is generic are thin shells that turn a closure into a box.
//! That took 82 of the 439 KB (brotli) of the page's WebAssembly, 57 by the views and 25 by the signals.
//!
//! It is no framework: it has what the page uses, and the compiler says what is missing. Servers, hydration, routes, suspense
//! and spread attributes are left out. Where it is asked for the same thing, it does what Leptos does.

extern crate self as leptos;

mod attribute;
/// Conditions and lists.
pub mod control;
mod dom;
/// Effects, and how what they read forgets them.
pub mod effect;
/// Elements as they are written down, with their attributes.
pub mod element;
mod keyed;
mod listener;
/// The paths that the macros write.
pub mod macros;
mod mounted;
/// Signals, memos, stored values and callbacks.
pub mod signals;
/// What an attribute may be given.
pub mod value;
/// What can be shown.
pub mod view;

pub use ::tachys::html::event as ev;
pub use leptos_macro::{component, view};
pub use macros::{__as_shared_reactive_fn, children, component, html, mount, prelude, tachys, task};
pub use reactive_graph as reactive;
pub use {typed_builder, typed_builder_macro};
