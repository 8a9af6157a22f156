//! Components and hosts: which of the values that are given is one, and what cannot be.

use super::{FieldError, read_string};
use sonde_shared::component::MAX_NAME_BYTES;
use std::borrow::Cow;

/// The component that is given, if one is; each of its nodes has a name.
pub(super) fn read_component<'a>(slots: &[Option<&'a str>]) -> Result<Option<Cow<'a, str>>, FieldError> {
    let name = read_name("component", slots)?;
    if name.as_ref().is_some_and(|name| has_empty_node(name.as_bytes())) {
        return Err(FieldError::BadName { what: "component", why: "has an empty node; write shop.checkout" });
    }
    Ok(name)
}

fn has_empty_node(name: &[u8]) -> bool {
    name.first() == Some(&b'.') || name.last() == Some(&b'.') || name.windows(2).any(|two| two == b"..")
}

/// The first name that is given, if one is.
pub(super) fn read_name<'a>(
    what: &'static str,
    slots: &[Option<&'a str>],
) -> Result<Option<Cow<'a, str>>, FieldError> {
    let given = slots.iter().flatten().filter_map(|raw| read_string(raw));
    let mut given = given.filter(|name| name.as_ref().map_or(true, |name| !name.is_empty()));
    let Some(name) = given.next() else { return Ok(None) };
    let refuse = |why| Err(FieldError::BadName { what, why });
    match name {
        Err(()) => refuse("has a lone surrogate"),
        Ok(name) if name.len() > MAX_NAME_BYTES => refuse("is longer than 255 bytes"),
        Ok(name) if has_control(&name) => refuse("has a control character"),
        Ok(name) => Ok(Some(name)),
    }
}

fn has_control(name: &str) -> bool {
    // Byte by byte is quicker, and a byte that is none of ASCII's may be part of a control character.
    let may_be = |byte: &u8| byte.is_ascii_control() || !byte.is_ascii();
    name.as_bytes().iter().any(may_be) && name.chars().any(char::is_control)
}
