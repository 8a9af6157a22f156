//! The tree of metrics, asked for node by node as it is opened.

use crate::api::{Abort, ApiError, client};
use crate::state::{MetricRow, MetricTree};
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::collections::BTreeMap;

/// The tree as signals.
#[derive(Clone, Copy)]
pub struct MetricFeed {
    /// What is known of it.
    pub tree: RwSignal<MetricTree>,
    /// Why the last request brought nothing, and of which node.
    pub error: RwSignal<Option<(String, ApiError)>>,
    /// The nodes that are under way.
    requests: StoredValue<BTreeMap<String, Abort>, LocalStorage>,
}

impl MetricFeed {
    /// Nothing is known yet.
    pub fn new() -> Self {
        Self {
            tree: RwSignal::new(MetricTree::default()),
            error: RwSignal::new(None),
            requests: StoredValue::new_local(BTreeMap::new()),
        }
    }

    /// The rows below a root; tracked.
    pub fn rows(self, root: &str) -> Vec<MetricRow> {
        self.tree.with(|tree| tree.rows(root))
    }

    /// Shows what is below a node, or hides it. It is asked for each time, for metrics come and go.
    pub fn open(self, path: &str, open: bool) {
        self.tree.update(|tree| tree.set_open(path, open));
        if open {
            self.ask(path.to_owned());
        }
    }

    /// Asks for what is below a node; the root's path is empty.
    pub fn ask(self, path: String) {
        let abort = Abort::new();
        let word = if path.is_empty() { String::new() } else { [&path, "."].concat() };
        let answer = client::metrics_like(word, abort.signal());
        self.requests.update_value(|requests| drop(requests.insert(path.clone(), abort)));
        spawn_local(async move {
            match answer.await {
                Ok(found) => {
                    self.error.try_set(None);
                    self.tree.try_update(|tree| tree.learn(&path, &found));
                }
                Err(error) if error.aborted => return,
                Err(error) => drop(self.error.try_set(Some((path.clone(), error)))),
            }
            self.requests.try_update_value(|requests| drop(requests.remove(&path)));
        });
    }
}

impl Default for MetricFeed {
    fn default() -> Self {
        Self::new()
    }
}
