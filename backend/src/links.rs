//! `links.toml`: whose lines belong to a metric, where its path does not tell.
//!
//! The file is looked at on each request and read again when it was changed. Rules are added at its end, where they win over those
//! above; what a person wrote stays as it is.

use crate::dashboards::replace_file;
use serde::Deserialize;
use sonde_shared::component::Selector;
use sonde_shared::glob::Glob;
use sonde_shared::links::LinkRule;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The most bytes that are read.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// What stands above the first rule that the page adds.
const HEAD: &str = "# Whose lines belong to a metric: the last rule whose `metric` matches holds.\n";

/// The file of rules.
#[derive(Debug)]
pub struct Links {
    path: PathBuf,
    saving: Mutex<()>,
}

/// Why rules cannot be read or added.
#[derive(Debug, thiserror::Error)]
pub enum LinksError {
    /// The rule is none, or the file holds what is none.
    #[error("{0}")]
    Wrong(String),
    /// The file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rules {
    #[serde(default)]
    link: Vec<LinkRule>,
}

impl Links {
    /// The rules of this file, which need not be there.
    pub const fn of(path: PathBuf) -> Self {
        Self { path, saving: Mutex::new(()) }
    }

    /// The rules as they are now, in the order of the file.
    pub fn read(&self) -> Result<Vec<LinkRule>, LinksError> {
        self.parse(&self.text()?)
    }

    /// Adds a rule, which then wins over all others.
    pub fn add(&self, rule: &LinkRule) -> Result<Vec<LinkRule>, LinksError> {
        check(rule).map_err(LinksError::Wrong)?;
        let _saving = self.saving.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = self.text()?;
        // What cannot be read is not made worse.
        self.parse(&text)?;
        if text.is_empty() {
            text.push_str(HEAD);
        } else if !text.ends_with('\n') {
            text.push('\n');
        }
        let value = |text: &str| toml_edit::Value::from(text).to_string();
        let (metric, component) = (value(&rule.metric), value(&rule.component));
        for piece in ["\n[[link]]\nmetric = ", &metric, "\ncomponent = ", &component, "\n"] {
            text.push_str(piece);
        }
        let rules = self.parse(&text)?;
        replace_file(&self.path, &text).map_err(self.io())?;
        Ok(rules)
    }

    fn parse(&self, text: &str) -> Result<Vec<LinkRule>, LinksError> {
        let wrong = |why: String| LinksError::Wrong(format!("{}: {why}", self.path.display()));
        let rules: Rules = toml::from_str(text).map_err(|error| wrong(error.to_string()))?;
        rules.link.iter().try_for_each(|rule| check(rule).map_err(wrong))?;
        Ok(rules.link)
    }

    fn text(&self) -> Result<String, LinksError> {
        match fs::metadata(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(String::new()),
            Ok(found) if found.len() > MAX_FILE_BYTES => {
                let why = format!("{} is larger than {MAX_FILE_BYTES} bytes", self.path.display());
                return Err(LinksError::Wrong(why));
            }
            Ok(_) => {}
            Err(error) => return Err(self.io()(error)),
        }
        fs::read_to_string(&self.path).map_err(self.io())
    }

    fn io(&self) -> impl FnOnce(io::Error) -> LinksError {
        let path: &Path = &self.path;
        |source| LinksError::Io { path: path.to_owned(), source }
    }
}

/// What is wrong with a rule.
fn check(rule: &LinkRule) -> Result<(), String> {
    Glob::parse(&rule.metric)
        .map_err(|why| format!("`metric = \"{}\"` is no path or glob of metrics: {why}", rule.metric))?;
    Selector::parse(&rule.component)
        .map_err(|why| format!("`component = \"{}\"` is no component: {why}", rule.component))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(metric: &str, component: &str) -> LinkRule {
        LinkRule { metric: metric.into(), component: component.into() }
    }

    #[test]
    fn rules_are_added_at_the_end_and_what_is_there_stays() {
        let dir = tempfile::tempdir().unwrap();
        let links = Links::of(dir.path().join("links.toml"));
        assert_eq!(links.read().unwrap(), []);
        links.add(&rule("stats.timers.git.*", "shop.git")).unwrap();
        let text = fs::read_to_string(dir.path().join("links.toml")).unwrap();
        assert!(text.starts_with("# Whose lines"), "{text}");
        fs::write(dir.path().join("links.toml"), format!("{text}# mine")).unwrap();
        let both = [rule("stats.timers.git.*", "shop.git"), rule("a.\"b", "shop")];
        assert_eq!(links.add(&both[1]).unwrap(), both);
        assert_eq!(links.read().unwrap(), both);
        assert!(
            fs::read_to_string(dir.path().join("links.toml"))
                .unwrap()
                .starts_with(&format!("{text}# mine\n"))
        );
    }

    #[test]
    fn what_is_no_rule_is_told_and_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let links = Links::of(dir.path().join("links.toml"));
        for bad in [rule("a.{b", "c"), rule("a", "b..c"), rule("", "c")] {
            assert!(links.add(&bad).is_err(), "{bad:?}");
        }
        assert!(!dir.path().join("links.toml").exists());
        fs::write(dir.path().join("links.toml"), "[[link]]\nmetrics = 'a'\n").unwrap();
        let why = links.add(&rule("a", "b")).unwrap_err().to_string();
        assert!(why.contains("links.toml") && why.contains("metrics"), "{why}");
    }
}
