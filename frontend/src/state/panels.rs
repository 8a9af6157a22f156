//! Which panels there are: the dashboard's, and one more for the targets that the address names.

use super::AppState;
use sonde_shared::dashboard::Panel;
use sonde_shared::glob::Glob;
use sonde_shared::view::ViewState;
use std::collections::BTreeSet;

/// The id of the panel with the address' targets. No dashboard's panel can have it.
pub const TARGETS_PANEL: &str = "~targets";
/// In a chart of more series none can be told from the others, and one scale is seldom right for all of them.
const MOST_TOLD_APART: usize = 8;
/// A longer title is cut.
const TITLE_CHARS: usize = 80;

impl AppState {
    /// The panels, top to bottom.
    pub fn panels(&self) -> impl Iterator<Item = &Panel> {
        self.shown_board().into_iter().flat_map(|board| &board.panels).chain(&self.targets_panel)
    }

    /// The panel with this id.
    pub fn panel(&self, id: &str) -> Option<&Panel> {
        self.panels().find(|panel| panel.id == id)
    }

    /// The first panel in which this series can be seen: it asks for it, or has it in its answer, and not among too many others.
    pub fn panel_with(&self, series: &str) -> Option<&str> {
        let draws = |panel: &&Panel| {
            let drawn = self.series.get(&panel.id).map_or(&[][..], Vec::as_slice);
            let has_it = asks_for(panel, series) || drawn.iter().any(|name| name == series);
            has_it && drawn.len().max(alternatives(panel)) <= MOST_TOLD_APART
        };
        self.panels().find(draws).map(|panel| panel.id.as_str())
    }

    /// Shows other targets than those of the address, or none.
    pub(super) fn set_targets(&mut self, targets: Vec<String>) {
        self.view.targets = targets;
        self.take_targets();
        self.settle_dashboard();
    }

    /// Forgets what panels the address names that the dashboard does not have, and tells it once. Edits tell of their own.
    pub(super) fn forget_missing_panels(&mut self) {
        let Some(saved) = &self.dashboard else { return };
        let own = saved.panels.iter().chain(&self.targets_panel).map(|panel| panel.id.clone());
        let ids: BTreeSet<String> = own.chain(self.view.edits.panels().map(str::to_owned)).collect();
        let mut missing = BTreeSet::new();
        let ViewState { panel, maximized, edits, .. } = &mut self.view;
        for named in [panel, maximized] {
            missing.extend(named.take_if(|id| !ids.contains(id)));
        }
        missing.extend(edits.order.extract_if(.., |id| !ids.contains(id)));
        let sentence =
            |id: String| ["the chart `", &id, "` in the address is not on this dashboard"].concat();
        self.problems.extend(missing.into_iter().map(sentence));
    }

    /// Makes the panel of the address' targets.
    pub(super) fn take_targets(&mut self) {
        let targets = &self.view.targets;
        self.targets_panel = (!targets.is_empty()).then(|| Panel {
            id: TARGETS_PANEL.to_owned(),
            title: title_of(targets),
            targets: targets.clone(),
            ..Panel::default()
        });
    }
}

/// Whether one of a panel's targets is a series' name, or a pattern of names that it fits. What a function makes of a series is
/// another one.
fn asks_for(panel: &Panel, series: &str) -> bool {
    let is_it =
        |target: &String| target == series || Glob::parse(target).is_ok_and(|glob| glob.matches(series));
    panel.targets.iter().chain(&panel.right).any(is_it)
}

/// How many series a panel asks for by name at least: `a.{b,c}.{d,e}` are four. What it draws is known once it was in sight.
fn alternatives(panel: &Panel) -> usize {
    let names = |target: &String| {
        let choices = target.split('{').skip(1).map(|choice| choice.split('}').next().unwrap_or_default());
        choices.map(|choice| choice.split(',').count()).product::<usize>()
    };
    panel.targets.iter().chain(&panel.right).map(names).sum()
}

fn title_of(targets: &[String]) -> String {
    let title = targets.join(", ");
    match title.char_indices().nth(TITLE_CHARS) {
        Some((cut, _)) => format!("{}…", &title[..cut]),
        None => title,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::tests::{at, board, opened};
    use crate::state::{ChartsState, Command};

    fn titles(state: &AppState) -> Vec<&str> {
        state.panels().map(|panel| panel.title.as_str()).collect()
    }

    #[test]
    fn an_address_of_graphites_is_a_page_of_one_chart() {
        let mut state = AppState::default();
        let (path, query) = ("/".to_owned(), "target=a.*.b&target=c".to_owned());
        state.apply(Command::Navigate { path, query, now: at("2026-11-20T15:00:00Z") });
        assert_eq!(state.range().nanos(), 86_400_000_000_000);
        assert_eq!((titles(&state), state.view.dashboard.as_ref()), (vec!["a.*.b, c"], None));
        let page = opened("/").page.unwrap();
        state.apply(Command::PageLoaded(sonde_shared::api::PageInfo { last_point_ms: Some(1), ..page }));
        assert_eq!((state.charts(), state.view.dashboard.as_ref()), (ChartsState::Panels, None));
        state.apply(Command::SetTargets(Vec::new()));
        assert_eq!((titles(&state), state.view.dashboard.as_deref()), (vec![], Some("shop")));
    }

    #[test]
    fn targets_of_a_dashboards_address_are_one_more_panel() {
        let mut state = opened("/d/shop?target=sum(a.*)");
        let own: Vec<String> = board().panels.into_iter().map(|panel| panel.title).collect();
        assert_eq!(titles(&state), [own.iter().map(String::as_str).collect(), vec!["sum(a.*)"]].concat());
        assert_eq!(state.panel(TARGETS_PANEL).map(|panel| panel.targets.len()), Some(1));
        state.apply(Command::SetTargets(vec!["x".into(), "y".into()]));
        assert_eq!(state.view.targets, ["x", "y"]);
        assert_eq!(titles(&state).last(), Some(&"x, y"));
    }

    #[test]
    fn panels_that_are_not_there_are_told_and_forgotten() {
        let ids: Vec<String> = opened("/d/shop").panels().map(|panel| panel.id.clone()).collect();
        let [first, second, ..] = &ids[..] else { panic!("{ids:?}") };
        let check = |query: &str, told: &[&str], left: (Option<&str>, Option<&str>)| {
            let state = opened(&["/d/shop?v=1&", query].concat());
            let named: Vec<&str> =
                state.problems.iter().map(|problem| problem.split('`').nth(1).unwrap_or(problem)).collect();
            assert_eq!(named, told, "{query}");
            let view = &state.view;
            assert_eq!((view.panel.as_deref(), view.maximized.as_deref()), left, "{query}");
        };
        check(&format!("panel={first}&max={second}"), &[], (Some(first), Some(second)));
        check("panel=gone&max=gone", &["gone"], (None, None));
        check(&format!("max=gone&panels={second},lost,{first}"), &["gone", "lost"], (None, None));
        let added = format!("max=new&panels=new,{first},{second}&edit.new.title=New");
        check(&added, &[], (None, Some("new")));
        check(&format!("panels={second},{first}&edit.{first}.removed=1"), &[], (None, None));
    }

    #[test]
    fn a_panel_that_was_taken_away_by_hand_is_not_the_address_fault() {
        let mut state = opened("/d/shop");
        let first = board().panels.first().map(|panel| panel.title.to_lowercase()).unwrap_or_default();
        state.apply(Command::Activate(first.clone()));
        assert!(state.panel(&first).is_some());
        let mut saved = board();
        saved.panels.remove(0);
        state.apply(Command::DashboardLoaded(saved));
        assert_eq!(state.problems, [""; 0]);
    }

    #[test]
    fn a_series_is_in_the_first_panel_that_asks_for_it_or_has_it() {
        let mut state = opened("/d/shop?target=servers.*.io&target=sum(shop.*.ms)");
        let check = |state: &AppState, series: &str, panel: Option<&str>| {
            assert_eq!(state.panel_with(series), panel, "{series}");
        };
        check(&state, "servers.n7.disk", Some("disk"));
        check(&state, "servers.n8.io", Some(TARGETS_PANEL));
        check(&state, "servers.n8.io.wait", None);
        check(&state, "shop.cart.ms", None);
        check(&state, "sum(shop.*.ms)", Some(TARGETS_PANEL));
        state.apply(Command::SeriesLoaded("sun".into(), vec!["moon".into()]));
        check(&state, "moon", Some("sun"));
        state.apply(Command::SeriesLoaded("no panel of this page".into(), vec!["mars".into()]));
        check(&state, "mars", None);
        let many = |count: usize| (0..count).map(|number| format!("servers.n{number}.disk")).collect();
        state.apply(Command::SeriesLoaded("disk".into(), many(8)));
        check(&state, "servers.n7.disk", Some("disk"));
        state.apply(Command::SeriesLoaded("disk".into(), many(9)));
        check(&state, "servers.n7.disk", None);
        let named = |target: &str| opened(&["/?target=", target].concat());
        check(&named("a.{b,c}.{d,e,f,g}"), "a.b.g", Some(TARGETS_PANEL));
        check(&named("a.{b,c}.{d,e,f,g}&target=x"), "a.b.g", None);
    }

    #[test]
    fn long_titles_are_cut_between_characters() {
        let targets = ["é".repeat(81)];
        assert_eq!(title_of(&targets), format!("{}…", "é".repeat(80)));
        assert_eq!(title_of(&targets[..0]), "");
    }
}
