//! Effects, and how what they read forgets them.
//!
//! The reactive system forgets a subscriber that is gone when what it read changes next, which may be never: a page that is
//! live would grow by each effect that ever read the page's theme. Here a subscriber takes its leave when it goes.

use reactive_graph::effect::{Effect as Owned, RenderEffect};
use reactive_graph::graph::{AnySubscriber, Subscriber, ToAnySubscriber};
use reactive_graph::owner::{LocalStorage, on_cleanup};

/// Something to be done now, and again whenever something changes that it read, for as long as its owner is there.
pub struct Effect;

impl Effect {
    /// Does it soon, with what it gave the last time.
    #[expect(clippy::new_ret_no_self, reason = "the owner keeps it")]
    pub fn new<T: 'static>(act: impl FnMut(Option<T>) -> T + 'static) {
        leave_with_owner(Owned::<LocalStorage>::new(act).to_any_subscriber());
    }
}

/// Has what a subscriber read forget it once its owner goes.
pub(crate) fn leave_with_owner(subscriber: AnySubscriber) {
    on_cleanup(move || subscriber.clear_sources(&subscriber));
}

/// A value that is made now, and anew whenever something changes that it was made of, for as long as this is there.
pub(crate) struct Followed<T: 'static>(RenderEffect<T>);

impl<T: 'static> Followed<T> {
    /// What the closure makes of the value before.
    pub(crate) fn new(make: impl FnMut(Option<T>) -> T + 'static, before: Option<T>) -> Self {
        Self(RenderEffect::new_with_value(make, before))
    }

    /// Looks at the value.
    pub(crate) fn with(&self, look: impl FnOnce(&mut T)) {
        self.0.with_value_mut(look);
    }

    /// The value, which is no longer here then.
    pub(crate) fn take(&self) -> Option<T> {
        self.0.take_value()
    }
}

impl<T: 'static> Drop for Followed<T> {
    /// The value goes at once, not when the effect's task hears of its end.
    fn drop(&mut self) {
        let subscriber = self.0.to_any_subscriber();
        subscriber.clear_sources(&subscriber);
        drop(self.take());
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::signals::RwSignal;
    use any_spawner::Executor;
    use reactive_graph::owner::Owner;
    use std::sync::Arc;

    /// How many know of a subscriber less than before, once `end` has ended it. This one holds it all the while.
    pub(crate) fn left(subscriber: AnySubscriber, end: impl FnOnce()) -> usize {
        let held = subscriber.1.upgrade().expect("it is there");
        drop(subscriber);
        let before = Arc::weak_count(&held);
        end();
        before - Arc::weak_count(&held)
    }

    #[test]
    fn what_it_read_forgets_an_effect_that_goes() {
        // Another test may have been the first.
        drop(Executor::init_futures_executor());
        Owner::new().with(|| {
            let (one, other) = (RwSignal::new(1), RwSignal::new(2));
            let reading = |reads: usize| {
                Followed::new(move |_| [one, other].iter().take(reads).map(RwSignal::get).sum::<i32>(), None)
            };
            for reads in 0..=2 {
                let followed = reading(reads);
                let subscriber = followed.0.to_any_subscriber();
                assert_eq!(left(subscriber, || drop(followed)), reads, "{reads} signals were read");
            }
        });
    }
}
