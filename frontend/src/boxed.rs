//! What of Leptos is written anew for the type of each closure, some hundred times over for this page: effects, memos, what is
//! done at events, conditions and lists. Here the closures are boxed first, so that what surrounds them is there once.
//!
//! A closure as a child of an element is written out there, `{move || label()}` and not `{label}`: of those that it sees as such
//! Leptos' macro takes care itself.

use leptos::either::Either;
use leptos::prelude::*;
use std::any::Any;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

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

/// What is done at an event.
pub fn handler<E>(act: impl FnMut(E) + 'static) -> Box<dyn FnMut(E)> {
    Box::new(act)
}

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
    boxed_show(Box::new(when), children, fallback)
}

fn boxed_show(when: Box<dyn Fn() -> bool + Send + Sync>, children: ChildrenFn, fallback: ViewFn) -> AnyView {
    let is_shown = ArcMemo::new(move |_| when());
    let view = move || if is_shown.get() { Either::Left(children()) } else { Either::Right(fallback.run()) };
    view.into_any()
}

/// A view for each item, in the items' order.
#[component]
pub fn Each<T, I, K, V>(
    /// The items.
    each: impl Fn() -> I + Send + 'static,
    /// What tells an item from the others; as long as it stays, its view does.
    key: impl Fn(&T) -> K + Send + 'static,
    /// The view of an item.
    children: impl Fn(T) -> V + Send + Sync + 'static,
) -> impl IntoView
where
    T: Send + 'static,
    I: IntoIterator<Item = T>,
    K: Hash + Eq + Send + Sync + 'static,
    V: IntoView + 'static,
{
    let children = Arc::new(move |item| children(item).into_any());
    let item = move |item: T| {
        let (key, children) = (Key(Arc::new(key(&item))), Arc::clone(&children));
        Item { key, show: Box::new(move || children(item)) }
    };
    boxed_each(Box::new(move || each().into_iter().map(&item).collect()))
}

struct Item {
    key: Key,
    show: Box<dyn FnOnce() -> AnyView + Send>,
}

fn boxed_each(items: Box<dyn Fn() -> Vec<Item> + Send>) -> AnyView {
    view! { <For each=items key=|item| item.key.clone() children=|item| (item.show)() /> }.into_any()
}

/// A key of any type.
#[derive(Clone)]
struct Key(Arc<dyn AnyKey>);

trait AnyKey: Any + Send + Sync {
    fn is(&self, other: &dyn Any) -> bool;
    fn add_to(&self, hasher: &mut dyn Hasher);
}

impl<K: Hash + Eq + Send + Sync + 'static> AnyKey for K {
    fn is(&self, other: &dyn Any) -> bool {
        other.downcast_ref() == Some(self)
    }

    fn add_to(&self, mut hasher: &mut dyn Hasher) {
        self.hash(&mut hasher);
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        let other: &dyn AnyKey = &*other.0;
        self.0.is(other)
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.0.add_to(hasher);
    }
}
