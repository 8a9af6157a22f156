//! What is compared to say why a selection differs, and what a click on a finding shows.

use super::AppState;
use sonde_shared::dashboard::Panel;
use sonde_shared::query_string::QueryString;
use sonde_shared::time::{TimeRange, Timestamp};
use sonde_shared::view::{FieldFilter, RangeSpec, Tab};
use sonde_shared::why::{Change, Place};

/// One comparison; equal queries have equal answers (while nothing arrives).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhyQuery {
    /// What is to be explained.
    pub selection: TimeRange,
    /// What it is compared with, where that was marked.
    pub baseline: Option<TimeRange>,
    /// Whose lines are looked at: what is close to them comes first.
    pub components: Vec<String>,
    /// The metrics of the active panel: who moved before them, and who after.
    pub targets: Vec<String>,
}

impl WhyQuery {
    /// Its parameters.
    pub fn parameters(&self) -> String {
        let mut query = QueryString::default();
        query.push_range(["from", "until"], self.selection);
        if let Some(baseline) = self.baseline {
            query.push_range(["baseline_from", "baseline_until"], baseline);
        }
        query.push_all("component", &self.components);
        query.push_all("target", &self.targets);
        query.into_text()
    }
}

impl AppState {
    /// The comparison that the page's selection asks for. Filters by level, text or field narrow what is read, not why; nor does
    /// what a click on a finding shows.
    pub fn why_query(&self) -> Option<WhyQuery> {
        if self.overlaps_baseline() {
            return None;
        }
        let targets = self.view.panel.as_deref().and_then(|id| self.panel(id)).map(Panel::metrics);
        Some(WhyQuery {
            selection: self.view.selection?,
            baseline: self.view.baseline,
            components: self.near().to_vec(),
            targets: targets.unwrap_or_default(),
        })
    }

    /// Whether the baseline overlaps the selection: what happened in both would be compared with itself.
    pub fn overlaps_baseline(&self) -> bool {
        let both = self.view.selection.zip(self.view.baseline);
        both.is_some_and(|(selection, baseline)| selection.overlaps(baseline))
    }

    /// The components that what is close to comes first in the list of findings.
    fn near(&self) -> &[String] {
        self.view.near.as_deref().unwrap_or(&self.view.components)
    }

    /// Shows a finding's chart or its lines. Selection and active panel stay, and so does the list that it stands in. A chart
    /// that the page has is not made once more.
    pub(super) fn open_finding(&mut self, change: Change, place: &Place) {
        if let Some(target) = &place.target {
            if self.panel_with(target).is_none() {
                self.set_targets(vec![target.clone()]);
            }
            if self.maximized() != self.panel_with(target) {
                self.view.maximized = None;
            }
            let led_to = self.panel_with(target).filter(|id| !self.series.contains_key(*id));
            self.sought = led_to.map(|id| (id.to_owned(), target.clone()));
        } else if let Some(at) = place.event() {
            self.bring_into_view(at);
        } else {
            let near = self.near().to_vec();
            self.show_lines_of(place);
            self.view.near = Some(near).filter(|near| *near != self.view.components);
            self.view.with_baseline = change == Change::Gone;
            self.reads_end = change == Change::Gone;
        }
    }

    /// The series that a finding has led to this panel for, while nobody knows what that draws.
    pub fn sought_in(&self, panel: &str) -> Option<String> {
        self.sought.as_ref().filter(|(id, _)| id == panel).map(|(_, series)| series.clone())
    }

    /// What a panel draws. Where a finding led to it, and it turns out to be one line of many there, that gets a chart of its own.
    pub(super) fn know_series(&mut self, panel: String, names: Vec<String>) {
        let sought = self.sought_in(&panel);
        self.series.insert(panel, names);
        if let Some(series) = sought {
            self.sought = None;
            if self.panel_with(&series).is_none() {
                self.set_targets(vec![series]);
            }
        }
    }

    /// The lines at a place and no others; filters of before would hide them.
    fn show_lines_of(&mut self, place: &Place) {
        let field = |(name, value): (String, String)| FieldFilter { name, value, excluded: false };
        self.view.components = place.component.iter().cloned().collect();
        self.view.chosen = true;
        self.view.host.clone_from(&place.host);
        self.view.level = place.level;
        self.view.contains = place.contains.clone().unwrap_or_default();
        self.view.is_regex = false;
        self.view.pattern.clone_from(&place.pattern);
        self.view.fields = place.field.clone().map(field).into_iter().collect();
        self.view.tab = Tab::Lines;
        let column = place.column.iter().filter(|column| !self.view.columns.contains(column));
        let columns: Vec<String> = column.cloned().collect();
        self.view.columns.extend(columns);
        self.view.line = None;
    }

    fn bring_into_view(&mut self, at: Timestamp) {
        let range = self.range();
        if !range.contains(at) {
            let (from, until) = (range.from.min(at), range.until.max(at.plus_nanos(1)));
            self.set_range(RangeSpec::absolute(TimeRange { from, until }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Command;
    use crate::state::tests::opened;
    use sonde_shared::log::Level;

    fn brushed() -> AppState {
        opened(
            "/d/shop?t=2026-11-20T13:00:00Z..15:00:00Z&s=2026-11-20T14:05:00Z..14:07:00Z&panel=orders&c=shop.orders&level=warn&q=x",
        )
    }

    fn open(state: &mut AppState, change: Change, place: Place) -> crate::state::Address {
        state.apply(Command::OpenFinding(change, Box::new(place)))
    }

    #[test]
    fn a_comparison_is_of_the_selection_near_its_component() {
        let query = brushed().why_query().unwrap();
        assert_eq!(
            query.parameters(),
            "from=2026-11-20T14:05:00Z&until=2026-11-20T14:07:00Z&component=shop.orders&target=shop.orders.ms"
        );
        assert_eq!(opened("/d/shop").why_query(), None);
        let mut state = brushed();
        state.apply(Command::SetBaseline(state.view.selection));
        assert!(state.overlaps_baseline() && state.why_query().is_none(), "nothing is compared with itself");
    }

    #[test]
    fn what_a_finding_shows_leaves_the_comparison_as_it_is() {
        let mut state = brushed();
        let before = state.why_query();
        let series = Place { target: Some("servers.n7.io".into()), ..Place::default() };
        assert_eq!(open(&mut state, Change::Up, series), crate::state::Address::Push);
        assert_eq!(
            (&state.view.targets[..], state.why_query()),
            (&["servers.n7.io".to_owned()][..], before.clone())
        );
        let lines =
            Place { component: Some("mail".into()), pattern: Some("0".repeat(16)), ..Place::default() };
        open(&mut state, Change::New, lines);
        let query = state.log_query();
        assert_eq!(
            (query.components, query.level, query.contains),
            (vec!["mail".to_owned()], None, String::new())
        );
        assert_eq!((query.range, state.why_query()), (state.view.selection.unwrap(), before.clone()));
        // A reload shows the same list.
        let url = state.view.to_url();
        assert_eq!(opened(&url).why_query(), before);
        assert_eq!(state.rule_to_keep(), None, "what a finding shows is not chosen for good");
        state.apply(Command::Choose(Some("mail".into())));
        assert_eq!(state.why_query().unwrap().components, ["mail"]);
    }

    #[test]
    fn the_numbers_of_a_field_stand_in_a_column() {
        let mut state = brushed();
        let took = Place { component: Some("mail".into()), column: Some("took".into()), ..Place::default() };
        for _ in 0..2 {
            open(&mut state, Change::Up, took.clone());
            assert_eq!(state.view.columns, ["took"]);
        }
    }

    #[test]
    fn a_chart_that_the_page_has_is_not_made_once_more() {
        let mut state = brushed();
        let disk = Place { target: Some("servers.n7.disk".into()), ..Place::default() };
        assert_eq!(open(&mut state, Change::Up, disk.clone()), crate::state::Address::Keep);
        assert_eq!((&state.view.targets[..], state.panel_with("servers.n7.disk")), (&[][..], Some("disk")));
        for (alone, left) in [("disk", Some("disk")), ("orders", None)] {
            state.apply(Command::Maximize(Some(alone.into())));
            open(&mut state, Change::Up, disk.clone());
            assert_eq!(state.maximized(), left);
        }
    }

    #[test]
    fn a_chart_that_turns_out_to_be_crowded_makes_way_for_one_of_the_series_alone() {
        for (series, targets) in [(8, &[][..]), (9, &["servers.n7.disk".to_owned()][..])] {
            let mut state = brushed();
            let disk = Place { target: Some("servers.n7.disk".into()), ..Place::default() };
            assert_eq!(open(&mut state, Change::Up, disk), crate::state::Address::Keep);
            assert_eq!(state.sought_in("disk").as_deref(), Some("servers.n7.disk"));
            let names: Vec<String> = (0..series).map(|number| format!("servers.n{number}.disk")).collect();
            let loaded = Command::SeriesLoaded("disk".into(), names);
            let replaced =
                if targets.is_empty() { crate::state::Address::Keep } else { crate::state::Address::Replace };
            assert_eq!(state.apply(loaded), replaced);
            assert_eq!((&state.view.targets[..], state.sought_in("disk")), (targets, None));
        }
    }

    #[test]
    fn the_lines_of_what_is_gone_are_those_of_before() {
        let mut state = brushed();
        let lines = Place { component: Some("mail".into()), ..Place::default() };
        open(&mut state, Change::Gone, lines.clone());
        let (range, selection) = (state.log_query().range, state.view.selection.unwrap());
        assert!(range.from < selection.from && range.until == selection.until, "{range:?}");
        assert!(state.reads_end, "its last words are what is looked for");
        state.apply(Command::SetLevel(None));
        assert!(!state.reads_end);
        open(&mut state, Change::Up, Place { level: Some(Level::Error), ..lines });
        assert_eq!((state.log_query().range, state.log_query().level), (selection, Some(Level::Error)));
        assert!(!state.reads_end);
        // A host that fell silent has lines, though it has an instant too, as an event has.
        let silent = Place { host: Some("n2".into()), at_ms: Some(0), ..Place::default() };
        open(&mut state, Change::Gone, silent);
        assert_eq!((state.view.host.as_deref(), state.log_query().range), (Some("n2"), range));
    }
}
