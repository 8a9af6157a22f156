//! Conditions and lists. What they are given is boxed at once: their own code is there once, not for each place of use.

use crate::effect::leave_with_owner;
use crate::keyed::{Item, Key, Keyed};
use crate::macros::children::{ChildrenFn, ViewFn};
use crate::view::{IntoView, View};
use leptos_macro::component;
use reactive_graph::computed::ArcMemo;
use reactive_graph::graph::ToAnySubscriber;
use reactive_graph::owner::Owner;
use reactive_graph::traits::Get;
use std::hash::Hash;
use std::rc::Rc;

/// Children for as long as a condition holds.
#[component(transparent)]
pub fn Show(
    /// What is shown.
    children: ChildrenFn,
    /// The condition.
    when: impl Fn() -> bool + Send + Sync + 'static,
    /// What is shown instead.
    #[prop(optional, into)]
    fallback: ViewFn,
) -> impl IntoView {
    show(Box::new(when), children, fallback)
}

fn show(when: Box<dyn Fn() -> bool + Send + Sync>, children: ChildrenFn, fallback: ViewFn) -> View {
    let is_shown = ArcMemo::new(move |_| when());
    leave_with_owner(is_shown.to_any_subscriber());
    View::Live(Box::new(move || {
        let is_shown = is_shown.get();
        View::Either(is_shown, Box::new(if is_shown { children() } else { fallback.run() }))
    }))
}

/// A view for each item, in the items' order.
#[component(transparent)]
pub fn Each<T, I, K, V>(
    /// The items.
    each: impl Fn() -> I + 'static,
    /// What tells an item from the others; as long as it stays, its view does.
    key: impl Fn(&T) -> K + 'static,
    /// The view of an item.
    children: impl Fn(T) -> V + 'static,
) -> impl IntoView
where
    T: 'static,
    I: IntoIterator<Item = T>,
    K: Hash + Eq + 'static,
    V: IntoView,
{
    let children = Rc::new(children);
    let item = move |item: T| {
        let (key, children) = (Key::new(key(&item)), Rc::clone(&children));
        Item { key, view: Box::new(move || children(item).into_view()) }
    };
    list(Box::new(move || each().into_iter().map(&item).collect()))
}

fn list(items: Box<dyn Fn() -> Vec<Item>>) -> View {
    let owner = Owner::current().unwrap_or_default();
    View::Live(Box::new(move || View::Keyed(Keyed { owner: owner.clone(), items: items() })))
}
