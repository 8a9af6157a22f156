//! Views that follow a list: as long as an item's key stays in it, its view does.
//!
//! [`For`] does it, and is written for each type of item and key, which is some kilobytes each. Here both are boxed before.

use leptos::prelude::*;
use std::any::Any;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// A view for each item, in the items' order.
#[component]
pub(super) fn Each<T, I, K, V>(
    each: impl Fn() -> I + Send + 'static,
    key: impl Fn(&T) -> K + Send + 'static,
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
    boxed(Box::new(move || each().into_iter().map(&item).collect()))
}

struct Item {
    key: Key,
    show: Box<dyn FnOnce() -> AnyView + Send>,
}

fn boxed(items: Box<dyn Fn() -> Vec<Item> + Send>) -> AnyView {
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
