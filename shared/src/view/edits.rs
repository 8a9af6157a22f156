//! What was changed in a dashboard and is not saved, as fields of the address.
//!
//! ```text
//! edit.tree-view.target=movingAverage(webapp.backend.git.tree.render_ms,5)&edit.tree-view.unit=s&edit.disk.removed=1
//! ```
//!
//! Only what differs from the dashboard as it is saved is written, key by key, so that an address stays short and what somebody
//! else changes meanwhile is seen beside it. A chart that the dashboard does not have is a new one; lists repeat their key, an
//! empty value is an empty list or none; `panels` says the order where it is another one.

use crate::dashboard::{Dashboard, Draw, Panel, Threshold};
use crate::decimal::parse_decimal;
use crate::log::Level;
use std::collections::BTreeSet;

const PREFIX: &str = "edit.";
const REMOVED: &str = "removed";

/// What may be changed of a chart.
const KEYS: [&str; 10] =
    ["title", "target", "draw", "unit", "logs", "min", "max", "right", "right_unit", "threshold"];

/// The changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BoardEdits {
    /// The charts' order, where it is another one.
    pub order: Vec<String>,
    /// What else is another.
    pub values: Vec<PanelEdit>,
}

/// One value of a chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PanelEdit {
    /// The chart's id.
    pub panel: String,
    /// Which of its values, by the name that it has in the address.
    pub key: String,
    /// What it is now.
    pub value: String,
}

impl BoardEdits {
    /// Whether nothing was changed.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty() && self.values.is_empty()
    }

    /// Whether a chart itself was changed.
    pub fn has(&self, panel: &str) -> bool {
        self.values.iter().any(|edit| edit.panel == panel)
    }

    /// The charts that were taken away.
    pub fn removed(&self) -> impl Iterator<Item = &str> {
        self.values.iter().filter(|edit| edit.key == REMOVED).map(|edit| edit.panel.as_str())
    }

    /// The ids of the panels that are edited.
    pub fn panels(&self) -> impl Iterator<Item = &str> {
        self.values.iter().map(|edit| edit.panel.as_str())
    }

    /// What makes `wanted` of `saved`. Both have ids.
    pub fn between(saved: &Dashboard, wanted: &Dashboard) -> Self {
        let mut edits = Self::default();
        for panel in &wanted.panels {
            let before = saved.panels.iter().find(|before| before.id == panel.id);
            let fresh = Panel::default();
            for key in KEYS {
                let (old, new) = (values(before.unwrap_or(&fresh), key), values(panel, key));
                if old != new {
                    let new = if new.is_empty() { vec![String::new()] } else { new };
                    for value in new {
                        edits.push(&panel.id, key, value);
                    }
                }
            }
        }
        let is_wanted = |id: &str| wanted.panels.iter().any(|panel| panel.id == id);
        for panel in saved.panels.iter().filter(|panel| !is_wanted(&panel.id)) {
            edits.push(&panel.id, REMOVED, "1".to_owned());
        }
        let ids = |board: &Dashboard| board.panels.iter().map(|panel| panel.id.clone()).collect::<Vec<_>>();
        if ids(&edits.applied(saved).0) != ids(wanted) {
            edits.order = ids(wanted);
        }
        edits
    }

    /// The dashboard with the changes, and what of them has no place in it.
    pub fn applied(&self, saved: &Dashboard) -> (Dashboard, Vec<String>) {
        let mut board = saved.clone();
        board.panels.retain(|panel| self.removed().all(|id| id != panel.id));
        let mut cleared = BTreeSet::new();
        for edit in self.values.iter().filter(|edit| edit.key != REMOVED) {
            let place = board.panels.iter().position(|panel| panel.id == edit.panel).unwrap_or_else(|| {
                board.panels.push(Panel { id: edit.panel.clone(), ..Panel::default() });
                board.panels.len() - 1
            });
            let panel = &mut board.panels[place];
            if cleared.insert((&edit.panel, &edit.key)) {
                clear(panel, &edit.key);
            }
            // What cannot be read was told when the address was.
            let _read = add(panel, &edit.key, &edit.value);
        }
        // Every new chart has a title.
        let is_new = |panel: &Panel| saved.panels.iter().all(|before| before.id != panel.id);
        let is_missing = |panel: &Panel| is_new(panel) && panel.title.is_empty();
        let missing = board.panels.iter().filter(|panel| is_missing(panel));
        let sentence = |panel: &Panel| {
            ["the chart `", &panel.id, "`, which was edited in this address, is not there"].concat()
        };
        let problems = missing.map(sentence).collect();
        board.panels.retain(|panel| !is_missing(panel));
        if !self.order.is_empty() {
            let place = |panel: &Panel| self.order.iter().position(|id| *id == panel.id);
            board.panels.sort_by_key(|panel| place(panel).unwrap_or(usize::MAX));
        }
        (board, problems)
    }

    fn push(&mut self, panel: &str, key: &str, value: String) {
        self.values.push(PanelEdit { panel: panel.to_owned(), key: key.to_owned(), value });
    }
}

impl PanelEdit {
    /// Its name in the address.
    pub(super) fn name(&self) -> String {
        [PREFIX, &self.panel, ".", &self.key].concat()
    }

    /// Reads a field of the address.
    pub(super) fn read(name: &str, value: String) -> Result<Self, Unread> {
        let Some((panel, key)) = name.strip_prefix(PREFIX).and_then(|rest| rest.rsplit_once('.')) else {
            return Err(Unread::Another(value));
        };
        let is_read = !panel.is_empty()
            && if key == REMOVED { value == "1" } else { add(&mut Panel::default(), key, &value) };
        if is_read {
            Ok(Self { panel: panel.to_owned(), key: key.to_owned(), value })
        } else {
            Err(Unread::Wrong(value))
        }
    }
}

/// A value of the address that is no change, with the reason.
pub(super) enum Unread {
    /// It means something else.
    Another(String),
    /// It cannot be read.
    Wrong(String),
}

/// A value as texts; none where there is none.
fn values(panel: &Panel, key: &str) -> Vec<String> {
    let text = |text: &str| if text.is_empty() { Vec::new() } else { vec![text.to_owned()] };
    let number = |number: Option<f64>| number.map(|number| number.to_string()).into_iter().collect();
    match key {
        "title" => text(&panel.title),
        "target" => panel.targets.clone(),
        "draw" => vec![panel.draw.name().to_owned()],
        "unit" => text(&panel.unit),
        "logs" => panel.logs.iter().cloned().collect(),
        "min" => number(panel.min),
        "max" => number(panel.max),
        "right" => panel.right.clone(),
        "right_unit" => text(&panel.right_unit),
        _ => {
            let written = |one: &Threshold| [one.level.name(), ":", &one.at.to_string()].concat();
            panel.thresholds.iter().map(written).collect()
        }
    }
}

fn clear(panel: &mut Panel, key: &str) {
    match key {
        "title" => panel.title.clear(),
        "target" => panel.targets.clear(),
        "draw" => panel.draw = Draw::Line,
        "unit" => panel.unit.clear(),
        "logs" => panel.logs = None,
        "min" => panel.min = None,
        "max" => panel.max = None,
        "right" => panel.right.clear(),
        "right_unit" => panel.right_unit.clear(),
        _ => panel.thresholds.clear(),
    }
}

/// Adds a text to a value, whether it can be read; an empty one adds nothing.
fn add(panel: &mut Panel, key: &str, text: &str) -> bool {
    if text.is_empty() {
        return KEYS.contains(&key);
    }
    let number = parse_decimal(text).filter(|number| number.is_finite());
    match key {
        "title" => text.clone_into(&mut panel.title),
        "target" => panel.targets.push(text.to_owned()),
        "draw" => return Draw::parse(text).map(|draw| panel.draw = draw).is_some(),
        "unit" => text.clone_into(&mut panel.unit),
        "logs" => panel.logs = Some(text.to_owned()),
        "min" => return number.map(|number| panel.min = Some(number)).is_some(),
        "max" => return number.map(|number| panel.max = Some(number)).is_some(),
        "right" => panel.right.push(text.to_owned()),
        "right_unit" => text.clone_into(&mut panel.right_unit),
        "threshold" => return threshold(text).map(|one| panel.thresholds.push(one)).is_some(),
        _ => return false,
    }
    true
}

/// Reads `warn:500`.
fn threshold(text: &str) -> Option<Threshold> {
    let (level, at) = text.split_once(':')?;
    let at = parse_decimal(at).filter(|at| at.is_finite())?;
    Some(Threshold { at, level: Level::parse(level)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;
    use crate::view::ViewState;
    use proptest::prelude::*;

    fn panel(title: &str, target: &str) -> Panel {
        Panel { title: title.to_owned(), targets: vec![target.to_owned()], ..Panel::default() }
    }

    fn shop() -> Dashboard {
        let panels = vec![panel("Orders", "shop.orders"), panel("Disk", "disk.used")];
        Dashboard { title: "Shop".to_owned(), range: None, panels }.with_ids()
    }

    fn read(query: &str) -> (ViewState, Vec<String>) {
        ViewState::from_url("/d/shop", query, Timestamp::default())
    }

    #[test]
    fn an_address_says_what_was_changed_and_nothing_else() {
        let mut wanted = shop();
        wanted.panels[0].targets = vec!["sum(a.*)".into(), "b".into()];
        wanted.panels[0].thresholds = vec![Threshold { at: 0.5, level: Level::Warn }];
        wanted.panels.remove(1);
        wanted.panels.push(Panel { id: "new-chart".into(), title: "New chart".into(), ..Panel::default() });
        let edits = BoardEdits::between(&shop(), &wanted);
        let view = ViewState { dashboard: Some("shop".into()), edits: edits.clone(), ..ViewState::default() };
        let url = "/d/shop?v=1&edit.orders.target=sum(a.*)&edit.orders.target=b&edit.orders.threshold=warn:0.5\
                   &edit.new-chart.title=New%20chart&edit.disk.removed=1";
        assert_eq!(view.to_url(), url);
        let (view, problems) = read(url.split_once('?').unwrap().1);
        assert_eq!((&view.edits, problems), (&edits, vec![]));
        assert_eq!(edits.applied(&shop()), (wanted, vec![]));
    }

    #[test]
    fn what_cannot_be_read_leaves_the_rest() {
        let query = "edit.orders.draw=pie&edit.orders.unit=s&edit.disk.min=low&edit.orders.nope=1&edit.gone.unit=s&edit.disk.threshold=warn:inf";
        let (view, problems) = read(query);
        assert_eq!(problems.len(), 4, "{problems:?}");
        let (board, problems) = view.edits.applied(&shop());
        assert_eq!(board.panels.len(), 2);
        assert_eq!((board.panels[0].unit.as_str(), board.panels[0].draw), ("s", Draw::Line));
        assert_eq!(problems, ["the chart `gone`, which was edited in this address, is not there"]);
    }

    #[test]
    fn what_somebody_else_added_meanwhile_is_kept() {
        let mut wanted = shop();
        wanted.panels.reverse();
        let edits = BoardEdits::between(&shop(), &wanted);
        assert_eq!(edits.order, ["disk", "orders"]);
        let mut theirs = shop();
        theirs.panels.insert(0, Panel { id: "sun".into(), ..panel("Sun", "sun.spots") });
        let ids: Vec<String> = edits.applied(&theirs).0.panels.into_iter().map(|panel| panel.id).collect();
        assert_eq!(ids, ["disk", "orders", "sun"]);
    }

    prop_compose! {
        fn any_panel()(
            id in "[a-z.é-]{1,4}",
            texts in prop::collection::vec("[a-z(é, ]{1,6}", 4),
            lists in prop::collection::vec(prop::collection::vec("[a-z(;=&é]{1,5}", 0..3), 2),
            numbers in prop::collection::vec(prop::option::of(-1e9_f64..1e9), 3),
            draw in 0_usize..5,
        ) -> Panel {
            Panel {
                id,
                title: texts[0].clone(),
                targets: lists[0].clone(),
                logs: numbers[0].map(|_| texts[1].clone()),
                unit: texts[2].clone(),
                min: numbers[0],
                max: numbers[1],
                draw: Draw::ALL[draw],
                right: lists[1].clone(),
                right_unit: texts[3].clone(),
                thresholds: numbers[2].map(|at| Threshold { at, level: Level::Error }).into_iter().collect(),
            }
        }
    }

    prop_compose! {
        fn any_board()(panels in prop::collection::vec(any_panel(), 0..4)) -> Dashboard {
            Dashboard { title: "T".to_owned(), range: None, panels }.with_ids()
        }
    }

    proptest! {
        #[test]
        fn every_change_of_a_dashboard_survives_its_address(saved in any_board(), wanted in any_board()) {
            let edits = BoardEdits::between(&saved, &wanted);
            let view = ViewState { dashboard: Some("shop".into()), edits, ..ViewState::default() };
            let url = view.to_url();
            let (again, problems) = read(url.split_once('?').map_or("", |(_, query)| query));
            prop_assert_eq!(&problems, &Vec::<String>::new(), "{}", url);
            let (board, problems) = again.edits.applied(&saved);
            prop_assert_eq!((board, problems), (wanted, vec![]), "{}", url);
        }
    }
}
