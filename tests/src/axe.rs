//! axe-core, which knows what makes a page hard or impossible to use for some: it looks at the page as it is now.

use crate::browser::{Browser, wait_for};
use serde::Deserialize;
use serde_json::json;
use std::path::PathBuf;

/// Something that is wrong with the page.
#[derive(Clone, Debug, Deserialize)]
pub struct Violation {
    /// The rule, as axe calls it.
    pub id: String,
    /// `minor`, `moderate`, `serious` or `critical`.
    pub impact: Option<String>,
    /// What the rule asks for.
    pub help: String,
    /// Where: a selector of each element and what is wrong with it.
    pub nodes: Vec<String>,
}

const RUN: &str = "const done = arguments[arguments.length - 1];\
    axe.run(document, {resultTypes: ['violations'], iframes: false}).then(found => done(found.violations.map(one => (\
    {id: one.id, impact: one.impact, help: one.help, nodes: one.nodes.slice(0, 5).map(node => node.target.join(' ') + ': ' + node.failureSummary)}))),\
    error => done([{id: String(error), impact: 'critical', help: 'axe itself failed', nodes: []}]))";

/// What is seriously or critically wrong with the page as it is now.
///
/// # Panics
/// When axe-core is not installed; the message says how to do that.
#[track_caller]
pub fn serious(browser: &Browser) -> Vec<Violation> {
    if browser.look("return typeof axe", &[]) != json!("object") {
        let source = std::fs::read_to_string(source())
            .unwrap_or_else(|error| panic!("{}: {error}; scripts/axe.sh installs it", source().display()));
        browser.add_script(&source);
    }
    // What fades in has not got its colours yet.
    let moving = "return document.getAnimations().filter(one => one.playState === 'running'\
        && one.effect.getTiming().iterations !== Infinity).length";
    wait_for(browser, "all to stand still", moving, &json!(0));
    let found: Vec<Violation> =
        serde_json::from_value(browser.look_later(RUN, &[])).expect("axe tells violations");
    found.into_iter().filter(|one| matches!(one.impact.as_deref(), Some("serious" | "critical"))).collect()
}

fn source() -> PathBuf {
    let home =
        || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache/sonde")).unwrap_or_default();
    let cache = std::env::var_os("SONDE_CACHE").map_or_else(home, PathBuf::from);
    cache.join("axe/node_modules/axe-core/axe.min.js")
}
