//! What a made element was given, and how it changes.

use crate::dom;
use crate::effect::Followed;
use crate::element::{Attribute, Place};
use crate::listener::Listener;
use crate::value::Value;
use any_spawner::Executor;
use reactive_graph::traits::Set;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, HtmlElement};

/// An attribute of a made element.
pub(crate) enum Given {
    Value { place: Place, name: &'static str, value: Held },
    Listener(Listener),
    Ref,
}

/// A value that was given.
pub(crate) enum Held {
    Settled(Value),
    Live(Followed<Value>),
}

impl Given {
    pub(crate) fn new(element: &Element, attribute: Attribute) -> Self {
        Self::after(element, attribute, None)
    }

    /// Gives the element another attribute of the same kind.
    pub(crate) fn change(&mut self, element: &Element, attribute: Attribute) {
        let before = match self {
            Self::Value { value: Held::Settled(value), .. } => Some(std::mem::replace(value, Value::Absent)),
            Self::Value { value: Held::Live(followed), .. } => followed.take(),
            Self::Listener(_) | Self::Ref => None,
        };
        *self = Self::after(element, attribute, before);
    }

    fn after(element: &Element, attribute: Attribute, before: Option<Value>) -> Self {
        match attribute {
            Attribute::Value { place, name, value: Value::Live(value) } => {
                Self::Value { place, name, value: Held::Live(follow(element, place, name, value, before)) }
            }
            Attribute::Value { place, name, value } => {
                give(element, place, name, before.as_ref(), &value);
                Self::Value { place, name, value: Held::Settled(value) }
            }
            Attribute::Listener { event, owner, act } => {
                Self::Listener(Listener::new(element, event, owner, act))
            }
            Attribute::Ref(node) => {
                node.set(Some(element.clone()));
                Self::Ref
            }
        }
    }

    /// Whether the attribute is of the same kind, so that the one can become the other.
    pub(crate) fn is_like(&self, attribute: &Attribute) -> bool {
        match (self, attribute) {
            (Self::Value { place, name, .. }, Attribute::Value { place: other, name: other_name, .. }) => {
                place == other && name == other_name
            }
            (Self::Listener(listener), Attribute::Listener { event, .. }) => listener.event() == event,
            (Self::Ref, Attribute::Ref(_)) => true,
            _ => false,
        }
    }
}

/// Gives the element what the closure gives, and again when something changes that it read.
fn follow(
    element: &Element,
    place: Place,
    name: &'static str,
    mut value: Box<dyn FnMut() -> Value>,
    before: Option<Value>,
) -> Followed<Value> {
    let element = element.clone();
    let run = move |before: Option<Value>| {
        let value = value().settled();
        give(&element, place, name, before.as_ref(), &value);
        value
    };
    Followed::new(run, before)
}

fn give(element: &Element, place: Place, name: &'static str, before: Option<&Value>, value: &Value) {
    if place == Place::Property {
        // Who types changes it too: it is set each time.
        return give_property(element, name, value);
    }
    let text = value.text();
    if before.and_then(Value::text) == text {
        return;
    }
    let style = || element.unchecked_ref::<HtmlElement>().style();
    match (place, text) {
        (Place::Class, Some(_)) => drop(element.class_list().add_1(name)),
        (Place::Class, None) => drop(element.class_list().remove_1(name)),
        (Place::Style, Some(text)) => drop(style().set_property(name, text)),
        (Place::Style, None) => drop(style().remove_property(name)),
        (_, Some(text)) => drop(element.set_attribute(name, text)),
        (_, None) => drop(element.remove_attribute(name)),
    }
}

/// The value of a field is given once all is there, such as the options of a choice.
fn give_property(element: &Element, name: &'static str, value: &Value) {
    let given = match value {
        Value::Text(text) => JsValue::from_str(text),
        yes_or_no => JsValue::from_bool(yes_or_no.is_there()),
    };
    if name == "value" {
        let element = element.clone();
        Executor::spawn_local(async move { dom::set_property(&element, name, &given) });
    } else {
        dom::set_property(element, name, &given);
    }
}
