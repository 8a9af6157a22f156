//! What an attribute, a class, a style or a property may be given: texts, numbers, yes and no, all of them perhaps missing,
//! and closures that give such. Each becomes a [`Value`] at once, and from there on is none of the compiler's business.

use crate::signals::{Memo, RwSignal, Signal};
use std::borrow::Cow;

/// The value of an attribute.
pub enum Value {
    /// There is no such attribute.
    Absent,
    /// It is there, without a text.
    Bare,
    /// It has this text.
    Text(Cow<'static, str>),
    /// It is asked for, and again when something changes that it was made of.
    Live(Box<dyn FnMut() -> Value>),
}

impl Value {
    /// The value at this moment.
    pub(crate) fn settled(self) -> Self {
        match self {
            Self::Live(mut value) => value().settled(),
            settled => settled,
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Bare => Some(""),
            Self::Absent | Self::Live(_) => None,
        }
    }

    /// What can be given to whom it is a matter of yes and no.
    pub(crate) const fn is_there(&self) -> bool {
        !matches!(self, Self::Absent)
    }
}

/// What can be the value of an attribute. The name is the macros'.
pub trait IntoAttributeValue {
    /// The value.
    fn into_attribute_value(self) -> Value;
}

impl IntoAttributeValue for Value {
    #[inline]
    fn into_attribute_value(self) -> Value {
        self
    }
}

impl IntoAttributeValue for &'static str {
    #[inline]
    fn into_attribute_value(self) -> Value {
        Value::Text(Cow::Borrowed(self))
    }
}

impl IntoAttributeValue for String {
    #[inline]
    fn into_attribute_value(self) -> Value {
        Value::Text(Cow::Owned(self))
    }
}

impl IntoAttributeValue for bool {
    #[inline]
    fn into_attribute_value(self) -> Value {
        if self { Value::Bare } else { Value::Absent }
    }
}

impl<T: IntoAttributeValue> IntoAttributeValue for Option<T> {
    #[inline]
    fn into_attribute_value(self) -> Value {
        self.map_or(Value::Absent, T::into_attribute_value)
    }
}

impl<F, T> IntoAttributeValue for F
where
    F: FnMut() -> T + 'static,
    T: IntoAttributeValue,
{
    #[inline]
    fn into_attribute_value(mut self) -> Value {
        Value::Live(Box::new(move || self().into_attribute_value()))
    }
}

macro_rules! signals {
    ($($signal:ident)*) => { $(
        impl<T: IntoAttributeValue + Clone + Send + Sync + 'static> IntoAttributeValue for $signal<T> {
            #[inline]
            fn into_attribute_value(self) -> Value {
                (move || self.get()).into_attribute_value()
            }
        }
    )* };
}

signals!(Memo RwSignal Signal);

macro_rules! numbers {
    ($($number:ty)*) => { $(
        impl IntoAttributeValue for $number {
            fn into_attribute_value(self) -> Value {
                self.to_string().into_attribute_value()
            }
        }
    )* };
}

numbers!(i32 i64 u32 u64 usize f64);
