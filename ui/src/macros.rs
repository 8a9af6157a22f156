//! The names that Leptos' macros write into what they make, as far as the page needs them: `::leptos::tachys::html::element::div()`,
//! `::leptos::component::component_view(…)`. Everything here is a thin shell around the other modules.

use crate::element::Element;

/// What the macros write around a closure that stands in braces or is given to an attribute.
#[inline]
pub fn __as_shared_reactive_fn<T, F: FnMut() -> T>(closure: F) -> F {
    closure
}

/// What a page begins with.
pub mod prelude {
    pub use super::children::{Children, ChildrenFn, ToChildren, ViewFn};
    pub use crate::control::{Each, Show};
    pub use crate::effect::Effect;
    pub use crate::element::NodeRef;
    pub use crate::signals::{Callback, IntoReactiveValue, Memo, RwSignal, Signal, StoredValue};
    pub use crate::value::IntoAttributeValue;
    pub use crate::view::{
        AnyView, CollectView, IntoView, IntoView as IntoMaybeErased, IntoView as IntoRender, View,
    };
    pub use leptos_dom::helpers::*;
    pub use leptos_macro::{component, view};
    pub use reactive_graph::graph::untrack;
    pub use reactive_graph::owner::{
        LocalStorage, Owner, expect_context, on_cleanup, provide_context, use_context,
    };
}

/// What a component is given to show inside it.
pub mod children {
    use crate::view::{IntoView, View};
    use std::rc::Rc;

    /// Children that are asked for once.
    pub type Children = Box<dyn FnOnce() -> View>;

    /// Children that are made anew each time they are asked for.
    pub type ChildrenFn = Rc<dyn Fn() -> View>;

    /// How children become what a component takes.
    pub trait ToChildren<C> {
        /// The children.
        fn to_children(children: C) -> Self;
    }

    /// A single text, which needs no closure.
    pub struct ChildrenOptContainer<T>(pub T);

    impl<F: FnOnce() -> V + 'static, V: IntoView> ToChildren<F> for Children {
        #[inline]
        fn to_children(children: F) -> Self {
            Box::new(move || children().into_view())
        }
    }

    impl<T: IntoView + 'static> ToChildren<ChildrenOptContainer<T>> for Children {
        #[inline]
        fn to_children(children: ChildrenOptContainer<T>) -> Self {
            Box::new(move || children.0.into_view())
        }
    }

    impl<F: Fn() -> V + 'static, V: IntoView> ToChildren<F> for ChildrenFn {
        #[inline]
        fn to_children(children: F) -> Self {
            Rc::new(move || children().into_view())
        }
    }

    impl<T: IntoView + Clone + 'static> ToChildren<ChildrenOptContainer<T>> for ChildrenFn {
        #[inline]
        fn to_children(children: ChildrenOptContainer<T>) -> Self {
            Rc::new(move || children.0.clone().into_view())
        }
    }

    /// What is shown in certain cases.
    #[derive(Clone)]
    pub struct ViewFn(Rc<dyn Fn() -> View>);

    impl ViewFn {
        /// The view.
        pub fn run(&self) -> View {
            (self.0)()
        }
    }

    impl Default for ViewFn {
        fn default() -> Self {
            Self(Rc::new(|| View::Nothing))
        }
    }

    impl<F: Fn() -> V + 'static, V: IntoView> From<F> for ViewFn {
        #[inline]
        fn from(view: F) -> Self {
            Self(Rc::new(move || view().into_view()))
        }
    }
}

/// Functions as components.
pub mod component {
    /// A function of these properties.
    pub trait Component<P> {}

    /// The properties of a component.
    pub trait Props {
        /// What takes them one by one.
        type Builder;
        /// A builder without any of them.
        fn builder() -> Self::Builder;
    }

    /// As [`Props`], also where a component has none.
    pub trait MaybeProps {
        /// What takes them one by one.
        type Builder;
        /// A builder without any of them.
        fn begin() -> Self::Builder;
    }

    /// The properties of a component that has none.
    pub struct NoProps;

    impl NoProps {
        /// Nothing.
        pub fn build(self) {}
    }

    impl MaybeProps for NoProps {
        type Builder = Self;
        fn begin() -> Self {
            Self
        }
    }

    impl<P: Props> MaybeProps for P {
        type Builder = P::Builder;
        #[inline]
        fn begin() -> P::Builder {
            P::builder()
        }
    }

    impl<F: FnOnce() -> V, V> Component<NoProps> for F {}
    impl<F: FnOnce(P) -> V, P: Props, V> Component<P> for F {}

    /// What takes the properties of a component.
    #[inline]
    pub fn component_props_builder<P: MaybeProps>(_: &impl Component<P>) -> P::Builder {
        P::begin()
    }

    /// What can be called with these properties.
    pub trait Called<P, V> {
        /// What it shows.
        fn call(self, props: P) -> V;
    }

    impl<F: FnOnce() -> V, V> Called<(), V> for F {
        #[inline]
        fn call(self, (): ()) -> V {
            self()
        }
    }

    impl<F: FnOnce(P) -> V, P: MaybeProps, V> Called<P, V> for F {
        #[inline]
        fn call(self, props: P) -> V {
            self(props)
        }
    }

    /// What a component shows.
    #[inline]
    pub fn component_view<P, V>(component: impl Called<P, V>, props: P) -> V {
        component.call(props)
    }
}

/// Putting a page into the document.
pub mod mount {
    use crate::dom;
    pub use crate::mounted::UnmountHandle;
    use crate::view::IntoView;
    use any_spawner::Executor;
    use reactive_graph::owner::Owner;
    use web_sys::{HtmlElement, Node};

    /// Shows the view in the document's body, for as long as the document is there.
    pub fn mount_to_body<V: IntoView>(view: impl FnOnce() -> V) {
        // That there is one already would be no mistake.
        drop(Executor::init_wasm_bindgen());
        std::mem::forget(mount_to(dom::body(), view));
    }

    /// Shows the view at the end of the element, for as long as the handle is kept.
    pub fn mount_to<V: IntoView>(parent: HtmlElement, view: impl FnOnce() -> V) -> UnmountHandle {
        let owner = Owner::new();
        let view = owner.with(|| view().into_view());
        UnmountHandle::new(&Node::from(parent), view, owner)
    }
}

/// What goes on beside.
pub mod task {
    use std::future::Future;

    /// Lets a future run in this thread.
    pub fn spawn_local(future: impl Future<Output = ()> + 'static) {
        any_spawner::Executor::spawn_local(future);
    }
}

/// Kinds of elements, for [`crate::element::NodeRef`].
pub mod html {
    pub use crate::element::ElementType;

    macro_rules! kinds {
        ($($kind:ident $output:ident)*) => { $(
            /// A kind of element.
            pub struct $kind;
            impl ElementType for $kind {
                type Output = web_sys::$output;
            }
        )* };
    }

    kinds! {
        Article HtmlElement Aside HtmlElement Canvas HtmlCanvasElement Dialog HtmlDialogElement Div HtmlDivElement
        Input HtmlInputElement Li HtmlLiElement Main HtmlElement Section HtmlElement
    }
}

macro_rules! tags {
    ($is_svg:literal: $($tag:ident)*) => { $(
        #[doc = concat!("`<", stringify!($tag), ">`.")]
        #[inline]
        pub fn $tag() -> Element {
            Element::new(stringify!($tag), $is_svg)
        }
    )* };
}

/// The module tree that the macros know.
pub mod tachys {
    use super::Element;

    /// HTML.
    pub mod html {
        pub use ::tachys::html::event;

        /// An element that never changes.
        pub struct InertElement;

        impl InertElement {
            /// The element, from its text.
            #[inline]
            #[expect(clippy::new_ret_no_self, reason = "the macros' name")]
            pub fn new(html: &'static str) -> crate::view::View {
                crate::view::View::Inert(html)
            }
        }

        /// One function an element.
        pub mod element {
            use super::super::Element;
            tags! { false:
                a article aside bdi br button canvas code datalist dd details dialog div dl dt em footer form h1 h2 h3 h4
                header i input kbd label li main mark nav ol option p pre section select span strong summary table tbody
                td th thead time tr ul wbr
            }
        }
    }

    /// SVG.
    pub mod svg {
        use super::Element;
        tags! { true: circle g line path rect svg }
    }

    /// Views.
    pub mod view {
        /// Several views.
        pub mod iterators {
            use crate::view::View;

            /// As many views at all times.
            pub struct StaticVec;

            impl StaticVec {
                /// All of them.
                #[inline]
                pub fn from(views: Vec<View>) -> View {
                    View::Several(views)
                }
            }
        }
    }
}
