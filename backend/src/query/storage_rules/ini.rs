//! Sections of settings as Python's `ConfigParser` reads them: `key = value` or `key: value`, keys in any case, `#` and `;` before
//! remarks, an indented line goes on with the value before it, `%%` is `%`, and `[DEFAULT]` holds for all sections.

use super::RuleError;

/// A value and the line that it begins on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Setting {
    pub(super) value: String,
    line: usize,
}

/// A section's settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Section {
    name: String,
    line: usize,
    settings: Vec<(String, Setting)>,
}

const DEFAULT: &str = "DEFAULT";

impl Section {
    /// A setting by its key in small letters.
    pub(super) fn get(&self, key: &str) -> Option<&Setting> {
        self.settings.iter().find(|(name, _)| name == key).map(|(_, setting)| setting)
    }

    /// What is wrong with the section.
    pub(super) fn refuse(&self, why: String) -> RuleError {
        RuleError { line: self.line, section: Some(self.name.clone()), why }
    }

    /// What is wrong with one of its settings.
    pub(super) fn refuse_at(&self, setting: &Setting, why: String) -> RuleError {
        RuleError { line: setting.line, ..self.refuse(why) }
    }
}

/// All sections but `[DEFAULT]`, in their order.
pub(super) fn read(text: &str) -> Result<Vec<Section>, RuleError> {
    let mut sections: Vec<Section> = Vec::new();
    let mut indent = 0;
    for (line, text) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
        let content = text.trim();
        if content.is_empty() || content.starts_with(['#', ';']) {
            continue;
        }
        let own_indent = text.len() - text.trim_start().len();
        let last = sections.last_mut().and_then(|section| section.settings.last_mut());
        if let Some((_, setting)) = last.filter(|_| own_indent > indent) {
            setting.value.push('\n');
            setting.value.push_str(&content.replace("%%", "%"));
            continue;
        }
        indent = own_indent;
        if let Some(name) = content.strip_prefix('[') {
            let wrong = |why: &str| RuleError { line, section: None, why: why.to_owned() };
            let name = name.split_once(']').ok_or_else(|| wrong("a section is not closed; write [name]"))?.0;
            if sections.iter().any(|section| section.name == name) {
                return Err(wrong(&format!("there is a section [{name}] already")));
            }
            sections.push(Section { name: name.to_owned(), line, settings: Vec::new() });
        } else {
            setting(sections.last_mut(), content, line)?;
        }
    }
    Ok(with_defaults(sections))
}

fn setting(section: Option<&mut Section>, content: &str, line: usize) -> Result<(), RuleError> {
    let wrong = |section: Option<&Section>, why: &str| RuleError {
        line,
        section: section.map(|section| section.name.clone()),
        why: why.to_owned(),
    };
    let Some(section) = section else { return Err(wrong(None, "a setting stands before the first section")) };
    let Some((key, value)) = content.split_once(['=', ':']) else {
        return Err(wrong(Some(section), "it is neither a section nor a setting; write key = value"));
    };
    let key = key.trim().to_lowercase();
    if section.get(&key).is_some() {
        return Err(wrong(Some(section), &format!("`{key}` stands there twice")));
    }
    let value = value.trim().replace("%%", "%");
    section.settings.push((key, Setting { value, line }));
    Ok(())
}

fn with_defaults(mut sections: Vec<Section>) -> Vec<Section> {
    let Some(at) = sections.iter().position(|section| section.name == DEFAULT) else { return sections };
    let defaults = sections.remove(at).settings;
    for section in &mut sections {
        for (key, setting) in &defaults {
            if section.get(key).is_none() {
                section.settings.push((key.clone(), setting.clone()));
            }
        }
    }
    sections
}
