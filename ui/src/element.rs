//! Elements as the macros write them down: a tag, what is in it, its attributes. The methods have the macros' names.

use crate::value::{IntoAttributeValue, Value};
use crate::view::{IntoView, View};
use ::tachys::html::event::EventDescriptor;
use reactive_graph::owner::{LocalStorage, Owner};
use reactive_graph::signal::RwSignal;
use reactive_graph::traits::{Get, GetUntracked, Track};
use std::borrow::Cow;
use std::marker::PhantomData;
use wasm_bindgen::JsCast;

/// An element that is yet to be made.
pub struct Element(Box<Written>);

pub(crate) struct Written {
    pub tag: &'static str,
    pub is_svg: bool,
    pub child: Option<View>,
    pub attributes: Vec<Attribute>,
}

/// What an element is given.
pub(crate) enum Attribute {
    Value { place: Place, name: &'static str, value: Value },
    Listener { event: Cow<'static, str>, owner: Owner, act: Box<dyn FnMut(web_sys::Event)> },
    Ref(Loaded),
}

/// Where a value goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Attribute,
    /// One class of several.
    Class,
    Style,
    /// A property of the element as an object.
    Property,
}

impl Element {
    /// An element without anything.
    pub(crate) fn new(tag: &'static str, is_svg: bool) -> Self {
        Self(Box::new(Written { tag, is_svg, child: None, attributes: Vec::new() }))
    }

    pub(crate) fn into_written(self) -> Written {
        *self.0
    }

    pub(crate) fn written(&self) -> &Written {
        &self.0
    }

    /// What is in the element.
    #[inline]
    #[must_use]
    pub fn child(self, child: impl IntoView) -> Self {
        self.with_child(child.into_view())
    }

    #[inline(never)]
    fn with_child(mut self, child: View) -> Self {
        self.0.child = Some(child);
        self
    }

    /// An attribute of any name.
    #[inline]
    #[must_use]
    pub fn attr(self, name: &'static str, value: impl IntoAttributeValue) -> Self {
        self.with(Place::Attribute, name, value.into_attribute_value())
    }

    #[inline(never)]
    fn with(mut self, place: Place, name: &'static str, value: Value) -> Self {
        self.0.attributes.push(Attribute::Value { place, name, value });
        self
    }

    /// All classes, or one of them and whether it is there.
    #[inline]
    #[must_use]
    pub fn class(self, class: impl IntoClass) -> Self {
        class.add_to(self)
    }

    /// One style and its value.
    #[inline]
    #[must_use]
    pub fn style(self, (name, value): (&'static str, impl IntoAttributeValue)) -> Self {
        self.with(Place::Style, name, value.into_attribute_value())
    }

    /// A property of the element.
    #[inline]
    #[must_use]
    pub fn prop(self, name: &'static str, value: impl IntoAttributeValue) -> Self {
        self.with(Place::Property, name, value.into_attribute_value())
    }

    /// What is done at an event.
    #[inline]
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "the macros give the event itself")]
    pub fn on<E>(self, event: E, mut act: impl FnMut(E::EventType) + 'static) -> Self
    where
        E: EventDescriptor,
        E::EventType: JsCast,
    {
        self.listening(event.name(), Box::new(move |event| act(event.unchecked_into())))
    }

    #[inline(never)]
    fn listening(mut self, event: Cow<'static, str>, act: Box<dyn FnMut(web_sys::Event)>) -> Self {
        let owner = Owner::current().unwrap_or_default();
        self.0.attributes.push(Attribute::Listener { event, owner, act });
        self
    }

    /// Where the element is to be found once it is made.
    #[inline]
    #[must_use]
    pub fn node_ref<E>(self, node: NodeRef<E>) -> Self {
        self.loading(node.0)
    }

    #[inline(never)]
    fn loading(mut self, node: Loaded) -> Self {
        self.0.attributes.push(Attribute::Ref(node));
        self
    }
}

impl IntoView for Element {
    #[inline]
    fn into_view(self) -> View {
        View::Element(self)
    }
}

/// What `class` takes.
pub trait IntoClass {
    /// The element with it.
    fn add_to(self, element: Element) -> Element;
}

impl<V: IntoAttributeValue> IntoClass for V {
    #[inline]
    fn add_to(self, element: Element) -> Element {
        element.attr("class", self)
    }
}

impl<V: IntoAttributeValue> IntoClass for (&'static str, V) {
    #[inline]
    fn add_to(self, element: Element) -> Element {
        element.with(Place::Class, self.0, self.1.into_attribute_value())
    }
}

/// The element of a [`NodeRef`], for any kind of element.
pub(crate) type Loaded = RwSignal<Option<web_sys::Element>, LocalStorage>;

/// An element once it is made, as a signal.
pub struct NodeRef<E>(Loaded, PhantomData<fn() -> E>);

/// A kind of element.
pub trait ElementType: 'static {
    /// The browser's type of it.
    type Output: JsCast + Clone + 'static;
}

impl<E: ElementType> NodeRef<E> {
    /// No element as yet.
    #[must_use]
    pub fn new() -> Self {
        Self(RwSignal::new_local(None), PhantomData)
    }

    /// The element; whoever asks is told of the next one.
    pub fn get(&self) -> Option<E::Output> {
        self.0.get().map(JsCast::unchecked_into)
    }

    /// The element at this moment.
    pub fn get_untracked(&self) -> Option<E::Output> {
        self.0.get_untracked().map(JsCast::unchecked_into)
    }

    /// The element at this moment; nothing where the place of it is gone.
    pub fn try_get_untracked(&self) -> Option<Option<E::Output>> {
        self.0.try_get_untracked().map(|element| element.map(JsCast::unchecked_into))
    }

    /// Whoever calls this is told of the next element.
    pub fn track(&self) {
        self.0.track();
    }
}

impl<E: ElementType> Default for NodeRef<E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<E> Clone for NodeRef<E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for NodeRef<E> {}

macro_rules! attributes {
    ($($method:ident $name:literal)*) => { impl Element { $(
        #[doc = concat!("The attribute `", $name, "`.")]
        #[inline]
        #[must_use]
        pub fn $method(self, value: impl IntoAttributeValue) -> Self {
            self.attr($name, value)
        }
    )* } };
}

attributes! {
    action "action" aria_activedescendant "aria-activedescendant" aria_autocomplete "aria-autocomplete" aria_busy "aria-busy"
    aria_controls "aria-controls" aria_current "aria-current" aria_describedby "aria-describedby" aria_expanded "aria-expanded"
    aria_haspopup "aria-haspopup" aria_hidden "aria-hidden" aria_invalid "aria-invalid" aria_label "aria-label"
    aria_level "aria-level" aria_live "aria-live" aria_multiselectable "aria-multiselectable"
    aria_orientation "aria-orientation" aria_pressed "aria-pressed" aria_rowcount "aria-rowcount"
    aria_rowindex "aria-rowindex" aria_selected "aria-selected" aria_valuemax "aria-valuemax" aria_valuemin "aria-valuemin"
    aria_valuenow "aria-valuenow" aria_valuetext "aria-valuetext" autocomplete "autocomplete" dir "dir" disabled "disabled"
    download "download" r#for "for" height "height" href "href" id "id" inputmode "inputmode" list "list" max "max"
    maxlength "maxlength" min "min" name "name" open "open" placeholder "placeholder" role "role" scope "scope"
    selected "selected" spellcheck "spellcheck" tabindex "tabindex" title "title" r#type "type" value "value" width "width"
}
