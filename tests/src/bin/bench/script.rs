//! How long the page's script runs without a pause, from the browser's sampling profiler.
//!
//! A frame's script cannot be longer than the longest such run. Layout and painting are not script, nor is what a bench itself
//! looks up in the page: its functions lie in no file.

use serde::Deserialize;
use sonde_tests::browser::Browser;
use std::collections::HashMap;

/// How far apart samples are, in microseconds. Each holds up the script that it looks at: with one at each 200 the longest run
/// of a scroll took 30 ms where the browser's own trace, without any, had 13.
const EVERY_US: u32 = 1_000;

/// A profile as the browser tells it (Chrome `DevTools` protocol, `Profiler.Profile`).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Profile {
    nodes: Vec<Node>,
    samples: Vec<u64>,
    /// Microseconds from each sample's forerunner to it.
    time_deltas: Vec<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Node {
    id: u64,
    call_frame: CallFrame,
    #[serde(default)]
    children: Vec<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CallFrame {
    function_name: String,
    url: String,
}

/// Begins to watch.
pub(crate) fn watch(browser: &Browser) {
    browser.watch_script(EVERY_US);
}

/// One run of script, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Run {
    /// All of it.
    pub(crate) whole: f64,
    /// What the browser took of it to collect garbage.
    pub(crate) garbage: f64,
}

/// The runs of script since [`watch`], longest first.
pub(crate) fn runs_ms(browser: &Browser) -> Vec<Run> {
    let profile: Profile = serde_json::from_value(browser.script_watched()).expect("the browser's own form");
    let kinds = kinds(&profile.nodes);
    let (mut runs, mut run, mut garbage) = (Vec::new(), 0, 0);
    // A sample stands for the time up to the next one.
    let lengths = profile.time_deltas.iter().skip(1).chain([&0]);
    for (sample, length) in profile.samples.iter().zip(lengths) {
        match kinds.get(sample) {
            Some(Kind::Script) => run += length,
            Some(Kind::Either) if run > 0 => {
                run += length;
                garbage += length;
            }
            _ if run > 0 => {
                let [whole, garbage] = [&mut run, &mut garbage].map(|us| std::mem::take(us) as f64 / 1e3);
                runs.push(Run { whole, garbage });
            }
            _ => {}
        }
    }
    runs.sort_by(|one, other| other.whole.total_cmp(&one.whole));
    runs
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Script,
    /// Collecting garbage belongs to the script that it holds up.
    Either,
    Other,
}

/// A function is the page's if it, or one that called it, lies in a file.
fn kinds(nodes: &[Node]) -> HashMap<u64, Kind> {
    let by_id: HashMap<u64, &Node> = nodes.iter().map(|node| (node.id, node)).collect();
    let mut kinds = HashMap::new();
    let mut open: Vec<(u64, Kind)> = nodes.first().map(|root| (root.id, Kind::Other)).into_iter().collect();
    while let Some((id, of_caller)) = open.pop() {
        let node = by_id[&id];
        let kind = match () {
            () if of_caller == Kind::Script || !node.call_frame.url.is_empty() => Kind::Script,
            () if node.call_frame.function_name == "(garbage collector)" => Kind::Either,
            () => Kind::Other,
        };
        kinds.insert(id, kind);
        open.extend(node.children.iter().map(|child| (*child, kind)));
    }
    kinds
}
