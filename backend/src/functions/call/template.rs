//! Variables in paths, which `template` has values for, and the request before it.

use super::super::format::plain;
use super::super::parse::Expression;
use super::Context;
use std::rc::Rc;

/// What a path is once values stand for its variables.
pub(super) enum Replaced {
    Path(String),
    Number(f64),
    Text(String),
}

impl Context<'_> {
    /// Puts values for variables of templates, by their names; of one that is given twice the last counts.
    pub fn replace(&mut self, variables: &[(String, String)]) {
        self.replaced = Rc::new(variables.to_vec());
    }

    /// The same within a template of these values.
    pub(super) fn within(&self, values: &[(String, Expression)]) -> Self {
        let text = |value: &Expression| match value {
            Expression::Text(text) => text.clone(),
            Expression::Whole(number) => number.to_string(),
            Expression::Number(number) => plain(*number),
            _ => String::new(),
        };
        let mut template: Vec<_> = values.iter().map(|(name, value)| (name.clone(), text(value))).collect();
        for (name, value) in &*self.replaced {
            match template.iter_mut().find(|(other, _)| other == name) {
                Some((_, given)) => given.clone_from(value),
                None => template.push((name.clone(), value.clone())),
            }
        }
        Self { template: Rc::new(template), ..self.clone() }
    }

    /// A path in which what a template gives stands in its place.
    pub(super) fn replaced(&self, path: &str) -> Replaced {
        let mut path = path.to_owned();
        for (name, value) in &*self.template {
            let variable = format!("${name}");
            if path == variable {
                let is_number =
                    !value.is_empty() && value.bytes().all(|c| c.is_ascii_digit() || c == b'.' || c == b'-');
                return match value.parse().ok().filter(|_| is_number) {
                    Some(number) => Replaced::Number(number),
                    None => Replaced::Text(value.clone()),
                };
            }
            path = path.replace(&variable, value);
        }
        Replaced::Path(path)
    }
}
