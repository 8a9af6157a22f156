//! Signals, memos, stored values and callbacks of any type, over those of one type.
//!
//! Leptos' own are written anew for each type that they hold, some sixty for this page. Here what is held is behind one kind of
//! pointer, and the reactive system is there once; a handle of a type knows what it points to, and that is all there is for
//! each type. What they do, and when, is what Leptos' do.

#![expect(clippy::missing_panics_doc, reason = "whoever asks what is gone has made a mistake")]

use crate::effect::leave_with_owner;
use reactive_graph::computed as memos;
use reactive_graph::graph::{AnySource, ToAnySource, ToAnySubscriber, untrack};
use reactive_graph::owner as owned;
use reactive_graph::signal as graph;
use reactive_graph::traits::{GetUntracked, GetValue, IsDisposed, ReadValue, Track, Write, WriteValue};
use std::any::Any;
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;

/// What is held. Who reads has a share in it, who writes has it alone.
type Held = Arc<dyn Any + Send + Sync>;

const TYPED: &str = "a handle knows the type of what it was made with";
const THERE: &str = "whoever made it is still there";

/// A value that can be set, and tells its readers.
pub struct RwSignal<T>(graph::RwSignal<Held>, PhantomData<fn() -> T>);

/// A value that is computed from others, and tells its readers only when it changes.
pub struct Memo<T>(memos::Memo<Held>, PhantomData<fn() -> T>);

/// Any of these to read, or a closure that gives a value.
pub struct Signal<T>(Source, PhantomData<fn() -> T>);

#[derive(Clone, Copy)]
enum Source {
    Signal(graph::RwSignal<Held>),
    Memo(memos::Memo<Held>),
    Derived(owned::StoredValue<Arc<dyn Fn() -> Held + Send + Sync>>),
}

impl Source {
    /// What is held; who `follows` is told when that is another.
    #[inline(never)]
    fn read(self, follows: bool) -> Option<Held> {
        match self {
            Self::Derived(derive) => {
                let derive = derive.try_get_value()?;
                Some(if follows { derive() } else { untrack(|| derive()) })
            }
            Self::Signal(signal) => {
                follows.then(|| signal.track());
                signal.try_get_untracked()
            }
            Self::Memo(memo) => {
                follows.then(|| memo.track());
                memo.try_get_untracked()
            }
        }
    }

    #[inline(never)]
    fn track(self) {
        match self {
            Self::Signal(signal) => signal.track(),
            // A memo is made when it is first read, and who followed it before would be told of a change that is none.
            // What is derived is told with what it was made of.
            Self::Memo(_) | Self::Derived(_) => drop(self.read(true)),
        }
    }
}

macro_rules! readable {
    ($($handle:ident $source:expr;)*) => { $(
        impl<T: 'static> $handle<T> {
            /// The value; whoever asks is told of changes.
            pub fn get(&self) -> T where T: Clone {
                self.with(T::clone)
            }

            /// The value at this moment.
            pub fn get_untracked(&self) -> T where T: Clone {
                self.with_untracked(T::clone)
            }

            /// The value at this moment; nothing where whoever made it is gone.
            pub fn try_get_untracked(&self) -> Option<T> where T: Clone {
                self.try_with_untracked(T::clone)
            }

            /// Looks at the value; whoever does is told of changes.
            pub fn with<U>(&self, look: impl FnOnce(&T) -> U) -> U {
                look(typed(&$source(self.0).read(true).expect(THERE)))
            }

            /// Looks at the value of this moment.
            pub fn with_untracked<U>(&self, look: impl FnOnce(&T) -> U) -> U {
                look(typed(&$source(self.0).read(false).expect(THERE)))
            }

            /// Looks at the value of this moment; nothing where whoever made it is gone.
            pub fn try_with_untracked<U>(&self, look: impl FnOnce(&T) -> U) -> Option<U> {
                $source(self.0).read(false).map(|held| look(typed(&held)))
            }

            /// Whoever calls this is told of changes.
            pub fn track(&self) {
                $source(self.0).track();
            }
        }

        impl<T> Clone for $handle<T> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<T> Copy for $handle<T> {}
    )* };
}

readable! { RwSignal Source::Signal; Memo Source::Memo; Signal (|source: Source| source); }

fn typed<T: 'static>(held: &Held) -> &T {
    held.downcast_ref().expect(TYPED)
}

impl<T: Send + Sync + 'static> RwSignal<T> {
    /// A signal that has this value.
    pub fn new(value: T) -> Self {
        Self(graph::RwSignal::new(Arc::new(value)), PhantomData)
    }

    /// Sets another value, where whoever made the signal is still there.
    pub fn set(&self, value: T) {
        put(self.0, Arc::new(value));
    }

    /// Sets another value; gives it back where whoever made the signal is gone.
    pub fn try_set(&self, value: T) -> Option<T> {
        if self.0.is_disposed() {
            return Some(value);
        }
        self.set(value);
        None
    }

    /// Changes the value, where whoever made the signal is still there.
    pub fn update(&self, change: impl FnOnce(&mut T)) {
        self.try_update(change);
    }

    /// Changes the value; nothing where whoever made the signal is gone, or looks at the value at the moment.
    pub fn try_update<U>(&self, change: impl FnOnce(&mut T) -> U) -> Option<U> {
        let mut held = self.0.try_write()?;
        Some(change(Arc::get_mut(&mut held)?.downcast_mut().expect(TYPED)))
    }

    /// The node of the reactive system.
    pub fn node(&self) -> AnySource {
        self.0.to_any_source()
    }
}

#[inline(never)]
fn put(signal: graph::RwSignal<Held>, value: Held) {
    if let Some(mut held) = signal.try_write() {
        *held = value;
    }
}

impl<T: Send + Sync + 'static> Memo<T> {
    /// A value that is computed, from its former one too; it tells of a change when it is not equal to that.
    pub fn new(compute: impl Fn(Option<&T>) -> T + Send + Sync + 'static) -> Self
    where
        T: PartialEq,
    {
        Self::new_with_compare(compute, |former, new| former != new)
    }

    /// The same, told by a comparison of its own.
    pub fn new_with_compare(
        compute: impl Fn(Option<&T>) -> T + Send + Sync + 'static,
        is_other: fn(Option<&T>, Option<&T>) -> bool,
    ) -> Self {
        let compute = move |former: Option<Held>| {
            let former = former.as_ref().map(typed);
            let value = compute(former);
            let is_other = is_other(former, Some(&value));
            (Arc::new(value) as Held, is_other)
        };
        Self(of(Box::new(compute)), PhantomData)
    }

    /// The node of the reactive system.
    pub fn node(&self) -> AnySource {
        memos::ArcMemo::from(self.0).to_any_source()
    }
}

fn of(compute: Box<dyn Fn(Option<Held>) -> (Held, bool) + Send + Sync>) -> memos::Memo<Held> {
    let memo = memos::ArcMemo::new_owning(compute);
    leave_with_owner(memo.to_any_subscriber());
    memo.into()
}

impl<T: Send + Sync + 'static> Signal<T> {
    /// What the closure gives.
    pub fn derive(derive: impl Fn() -> T + Send + Sync + 'static) -> Self {
        let derive = move || Arc::new(derive()) as Held;
        Self(Source::Derived(owned::StoredValue::new(Arc::new(derive))), PhantomData)
    }

    /// Always this value.
    pub fn stored(value: T) -> Self {
        RwSignal::new(value).into()
    }
}

impl<T: Send + Sync + 'static> From<T> for Signal<T> {
    fn from(value: T) -> Self {
        Self::stored(value)
    }
}

impl<T> From<RwSignal<T>> for Signal<T> {
    fn from(signal: RwSignal<T>) -> Self {
        Self(Source::Signal(signal.0), PhantomData)
    }
}

impl<T> From<Memo<T>> for Signal<T> {
    fn from(memo: Memo<T>) -> Self {
        Self(Source::Memo(memo.0), PhantomData)
    }
}

impl<T: Default + Send + Sync + 'static> Default for Signal<T> {
    fn default() -> Self {
        Self::stored(T::default())
    }
}

/// A value that tells nobody.
pub struct StoredValue<T, S = owned::SyncStorage>(
    owned::StoredValue<Box<dyn Any>, owned::LocalStorage>,
    PhantomData<fn() -> (T, S)>,
);

impl<T: 'static> StoredValue<T> {
    /// The value, kept for as long as its owner is there.
    pub fn new(value: T) -> Self {
        Self(owned::StoredValue::new_local(Box::new(value)), PhantomData)
    }
}

impl<T: 'static> StoredValue<T, owned::LocalStorage> {
    /// The same for what belongs to one thread.
    pub fn new_local(value: T) -> Self {
        Self(owned::StoredValue::new_local(Box::new(value)), PhantomData)
    }
}

impl<T: 'static, S> StoredValue<T, S> {
    /// The value.
    pub fn get_value(&self) -> T
    where
        T: Clone,
    {
        self.with_value(T::clone)
    }

    /// The value; nothing where its owner is gone.
    pub fn try_get_value(&self) -> Option<T>
    where
        T: Clone,
    {
        self.try_with_value(T::clone)
    }

    /// Looks at the value.
    pub fn with_value<U>(&self, look: impl FnOnce(&T) -> U) -> U {
        self.try_with_value(look).expect(THERE)
    }

    /// Looks at the value; nothing where its owner is gone.
    pub fn try_with_value<U>(&self, look: impl FnOnce(&T) -> U) -> Option<U> {
        let held = self.0.try_read_value()?;
        Some(look((**held).downcast_ref().expect(TYPED)))
    }

    /// Sets another value, where its owner is still there.
    pub fn set_value(&self, value: T) {
        self.update_value(|held| *held = value);
    }

    /// Sets another value; gives it back where its owner is gone.
    pub fn try_set_value(&self, value: T) -> Option<T> {
        let mut value = Some(value);
        self.try_update_value(|held| value.take().into_iter().for_each(|value| *held = value));
        value
    }

    /// Changes the value, where its owner is still there.
    pub fn update_value(&self, change: impl FnOnce(&mut T)) {
        self.try_update_value(change);
    }

    /// Changes the value; nothing where its owner is gone.
    pub fn try_update_value<U>(&self, change: impl FnOnce(&mut T) -> U) -> Option<U> {
        let mut held = self.0.try_write_value()?;
        Some(change((**held).downcast_mut().expect(TYPED)))
    }
}

impl<T: Default + 'static> Default for StoredValue<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T, S> Clone for StoredValue<T, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T, S> Copy for StoredValue<T, S> {}

/// Something to be done, as a property of a component.
pub struct Callback<In, Out = ()>(StoredValue<Rc<dyn Fn(In) -> Out>>);

impl<In: 'static, Out: 'static> Callback<In, Out> {
    /// What the closure does.
    pub fn new(act: impl Fn(In) -> Out + 'static) -> Self {
        Self(StoredValue::new(Rc::new(act)))
    }

    /// Does it.
    pub fn run(&self, input: In) -> Out {
        let act = self.0.get_value();
        act(input)
    }
}

impl<In, Out> Clone for Callback<In, Out> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<In, Out> Copy for Callback<In, Out> {}

/// What can be given for a property that is written with `into`. The names are the macros'; `M` tells the ways apart.
pub trait IntoReactiveValue<T, M> {
    /// The property.
    fn into_reactive_value(self) -> T;
}

/// By [`Into`].
pub struct ByInto;
/// A closure for a callback.
pub struct ByClosure;

impl<T, I: Into<T>> IntoReactiveValue<T, ByInto> for I {
    #[inline]
    fn into_reactive_value(self) -> T {
        self.into()
    }
}

impl<In: 'static, Out: 'static, F: Fn(In) -> Out + 'static> IntoReactiveValue<Callback<In, Out>, ByClosure>
    for F
{
    #[inline]
    fn into_reactive_value(self) -> Callback<In, Out> {
        Callback::new(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::effect::tests::left;
    use reactive_graph::owner::Owner;

    #[test]
    fn what_it_read_forgets_a_memo_whose_owner_goes() {
        Owner::new().with(|| {
            let signal = RwSignal::new(1);
            let owner = Owner::new();
            let memo = owner.with(|| Memo::new(move |_| signal.get() + 1));
            assert_eq!(memo.get_untracked(), 2);
            let subscriber = memos::ArcMemo::from(memo.0).to_any_subscriber();
            // The signal and the owner.
            assert_eq!(left(subscriber, || owner.cleanup()), 2);
        });
    }
}
