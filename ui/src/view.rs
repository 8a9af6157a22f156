//! What can be shown: a [`View`] is a note of it, made by the macros, for the one piece of code that makes nodes of it.

use crate::element::Element;
use crate::keyed::Keyed;
use crate::signals::{Memo, RwSignal, Signal};
use std::borrow::Cow;

/// What is to be shown at a place. `AnyView` is the same, as all views are.
pub enum View {
    /// Nothing; the place is kept.
    Nothing,
    /// A text.
    Text(Cow<'static, str>),
    /// An element.
    Element(Element),
    /// An element that never changes, with all that is in it.
    Inert(&'static str),
    /// Several, as many at all times as there are now.
    Several(Vec<View>),
    /// Several, another time more or fewer.
    List(Vec<View>),
    /// One of two; what is shown of the one is never made into the other.
    Either(bool, Box<View>),
    /// Views with keys: each stays what it is as long as its key is there.
    Keyed(Keyed),
    /// What the closure gives, and again when something changes that it read.
    Live(Box<dyn FnMut() -> View>),
}

/// See [`View`].
pub type AnyView = View;

impl View {
    /// What the macros write around each view.
    #[inline]
    pub fn new(view: impl IntoView) -> Self {
        view.into_view()
    }

    /// The place in the source, for tools that the page does without.
    #[inline]
    #[must_use]
    pub fn with_view_marker(self, _: &str) -> Self {
        self
    }
}

/// What can be shown.
pub trait IntoView: Sized {
    /// The view.
    fn into_view(self) -> View;

    /// The same. So is what the macros call so.
    #[inline]
    fn into_any(self) -> View {
        self.into_view()
    }

    /// The same; the macros write this around what stands in braces.
    #[inline]
    fn into_render(self) -> View {
        self.into_view()
    }

    /// The same; the macros write this around each of several views.
    #[inline]
    fn into_maybe_erased(self) -> View {
        self.into_view()
    }
}

impl IntoView for View {
    #[inline]
    fn into_view(self) -> View {
        self
    }
}

impl IntoView for () {
    #[inline]
    fn into_view(self) -> View {
        View::Nothing
    }
}

impl IntoView for &'static str {
    #[inline]
    fn into_view(self) -> View {
        View::Text(Cow::Borrowed(self))
    }
}

impl IntoView for String {
    #[inline]
    fn into_view(self) -> View {
        View::Text(Cow::Owned(self))
    }
}

impl<V: IntoView> IntoView for Option<V> {
    #[inline]
    fn into_view(self) -> View {
        self.map_or(View::Nothing, V::into_view)
    }
}

impl<V: IntoView> IntoView for Vec<V> {
    #[inline]
    fn into_view(self) -> View {
        self.into_iter().collect_view()
    }
}

impl<F, V> IntoView for F
where
    F: FnMut() -> V + 'static,
    V: IntoView,
{
    #[inline]
    fn into_view(mut self) -> View {
        View::Live(Box::new(move || self().into_view()))
    }
}

impl<V: IntoView, const N: usize> IntoView for [V; N] {
    #[inline]
    fn into_view(self) -> View {
        View::Several(self.into_iter().map(V::into_view).collect())
    }
}

macro_rules! signals {
    ($($signal:ident)*) => { $(
        impl<T: IntoView + Clone + Send + Sync + 'static> IntoView for $signal<T> {
            #[inline]
            fn into_view(self) -> View {
                (move || self.get()).into_view()
            }
        }
    )* };
}

signals!(Memo RwSignal Signal);

macro_rules! numbers {
    ($($number:ty)*) => { $(
        impl IntoView for $number {
            fn into_view(self) -> View {
                self.to_string().into_view()
            }
        }
    )* };
}

numbers!(i32 u32 u64 usize f64);

/// Views one after the other.
pub trait CollectView {
    /// All of them.
    fn collect_view(self) -> View;
}

impl<I> CollectView for I
where
    I: IntoIterator<Item: IntoView>,
{
    #[inline]
    fn collect_view(self) -> View {
        View::List(self.into_iter().map(IntoView::into_view).collect())
    }
}
