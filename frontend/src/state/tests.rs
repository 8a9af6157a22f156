//! What each command does to the state and to the address.

use super::*;
use sonde_shared::api::{ComponentCount, DashboardName, HostCount};
use sonde_shared::time::parse_rfc3339;

pub(super) fn at(text: &str) -> Timestamp {
    parse_rfc3339(text.as_bytes()).unwrap()
}

fn range(from: &str, until: &str) -> TimeRange {
    TimeRange::between(at(&format!("2026-11-20T{from}Z")), at(&format!("2026-11-20T{until}Z")))
}

pub(super) fn board() -> Dashboard {
    let panel = |title: &str, target: &str| Panel {
        title: title.into(),
        targets: vec![target.into()],
        ..Panel::default()
    };
    let panels =
        vec![panel("Orders", "shop.orders.ms"), panel("Disk", "servers.n7.disk"), panel("Sun", "sun.spots")];
    Dashboard { title: "Shop".into(), range: Some("-2h..now".into()), panels }
}

fn components() -> Components {
    let component = |path: &str| ComponentCount { path: path.into(), lines: 5, ..ComponentCount::default() };
    Components {
        components: vec![component("shop.orders"), component("shop.ordersync"), component("mail")],
        hosts: vec![HostCount { name: "n7".into(), lines: 5 }],
        ..Components::default()
    }
}

pub(super) fn opened(url: &str) -> AppState {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let mut state = AppState::default();
    let now = at("2026-11-20T15:00:00Z");
    state.apply(Command::Navigate { path: path.into(), query: query.into(), now });
    let boards = vec![DashboardName { name: "shop".into(), title: "Shop".into(), error: None }];
    state.apply(Command::PageLoaded(PageInfo {
        version: "1".into(),
        now_ms: now.as_millis(),
        dashboards: boards,
        ..PageInfo::default()
    }));
    state.apply(Command::DashboardLoaded(board()));
    state.apply(Command::ComponentsLoaded(components()));
    state
}

#[test]
fn a_bare_address_follows_the_clock_over_the_dashboards_range() {
    let mut state = opened("/");
    assert_eq!(state.view.to_url(), "/d/shop?v=1&t=-2h..now&live=1");
    state.apply(Command::Tick(at("2026-11-20T15:00:05Z")));
    assert_eq!(state.range(), range("13:00:05", "15:00:05"));
}

#[test]
fn a_frozen_view_shows_the_hour_that_is_seen_now() {
    let state = opened("/?t=-1h..now&live=1&q=x");
    assert_eq!(state.frozen().to_url(), "/d/shop?v=1&t=2026-11-20T14:00:00Z..15:00:00Z&q=x");
}

#[test]
fn one_panel_fills_the_place_until_all_are_wanted() {
    let mut state = opened("/");
    assert_eq!(state.apply(Command::Maximize(Some("disk".into()))), Address::Push);
    assert_eq!((state.maximized(), state.view.panel.as_deref()), (Some("disk"), Some("disk")));
    assert_eq!(state.apply(Command::Maximize(None)), Address::Push);
    assert_eq!(state.maximized(), None);
    assert_eq!(opened("/?max=gone").maximized(), None);
}

#[test]
fn an_address_that_says_its_range_is_left_as_it_is() {
    let mut state = opened("/d/shop?v=1&t=2026-11-20T13:00:00Z..15:00:00Z");
    assert!(!state.view.live);
    state.apply(Command::Tick(at("2026-11-20T16:00:00Z")));
    assert_eq!(state.range(), range("13:00:00", "15:00:00"));
}

#[test]
fn brushing_selects_pauses_and_fixes_the_range_in_one_entry() {
    let mut state = opened("/");
    let address = state.apply(Command::Select("orders".into(), range("14:05:00", "14:07:00")));
    assert_eq!(address, Address::Push);
    let url = "/d/shop?v=1&t=2026-11-20T13:00:00Z..15:00:00Z&s=2026-11-20T14:05:00Z..14:07:00Z&c=shop.orders&panel=orders";
    assert_eq!(state.view.to_url(), url);
    assert_eq!(state.paused_at, Some(at("2026-11-20T15:00:00Z")));
    assert_eq!(opened(url).view, state.view);
    assert_eq!(state.log_query().range, range("14:05:00", "14:07:00"));
}

#[test]
fn a_baseline_is_in_the_address_and_goes_with_its_selection() {
    let mut state = opened("/");
    let quiet = range("13:50:00", "14:00:00");
    assert_eq!(state.apply(Command::SetBaseline(Some(quiet))), Address::Keep, "there is nothing to compare");
    state.apply(Command::Select("orders".into(), range("14:05:00", "14:07:00")));
    assert_eq!(state.apply(Command::SetBaseline(Some(quiet))), Address::Push);
    assert!(state.view.to_url().contains("&b=2026-11-20T13:50:00Z..14:00:00Z"), "{}", state.view.to_url());
    state.apply(Command::Select("orders".into(), range("14:15:00", "14:17:00")));
    assert_eq!(state.view.baseline, Some(quiet), "another spike, the same quiet time");
    let mut undone = state.clone();
    assert_eq!(undone.apply(Command::SetBaseline(None)), Address::Push);
    assert_eq!((undone.view.baseline, undone.view.selection.is_some()), (None, true));
    let ends =
        [Command::ClearSelection, Command::ToggleLive, Command::SetRange(RangeSpec::last(NANOS_PER_SEC))];
    for end in ends {
        let mut state = state.clone();
        state.apply(end);
        assert_eq!((state.view.selection, state.view.baseline), (None, None));
    }
}

#[test]
fn dragging_time_is_one_entry_at_its_end() {
    let mut state = opened("/");
    for minute in 1..9 {
        let shown = range(&format!("12:0{minute}:00"), &format!("14:0{minute}:00"));
        assert_eq!(state.apply(Command::Pan(shown)), Address::Keep);
        assert_eq!(state.range(), shown);
    }
    assert_eq!(state.apply(Command::PanEnd), Address::Push);
    assert_eq!(state.apply(Command::PanEnd), Address::Keep, "nothing was dragged since");
    state.apply(Command::ZoomBack);
    assert!(state.view.live, "one way back for the whole drag");
}

#[test]
fn a_drag_of_time_that_is_given_up_leaves_all_as_it_was() {
    let mut state = opened("/");
    state.apply(Command::Show(range("14:00:00", "14:10:00")));
    for url in ["/", "/d/shop?v=1&t=2026-11-20T13:00:00Z..15:00:00Z"] {
        let mut state = opened(url);
        state.apply(Command::Freeze(true));
        let before = state.clone();
        state.apply(Command::Pan(range("12:00:00", "14:00:00")));
        assert_eq!(state.apply(Command::PanUndo), Address::Keep);
        assert_eq!((&state.view, state.paused_at), (&before.view, before.paused_at));
        assert_eq!(state.zooms, before.zooms);
    }
    // A wheel that had just turned is another zoom.
    state.apply(Command::Freeze(true));
    state.apply(Command::Pan(range("14:05:00", "14:15:00")));
    state.apply(Command::PanUndo);
    assert_eq!(state.range(), range("14:00:00", "14:10:00"));
}

#[test]
fn an_empty_band_is_no_selection() {
    let mut state = opened("/");
    let instant = range("14:05:00", "14:05:00");
    assert_eq!(state.apply(Command::Select("orders".into(), instant)), Address::Keep);
}

#[test]
fn a_choice_in_the_tree_holds_whichever_panel_is_brushed() {
    let mut state = opened("/");
    state.apply(Command::Choose(Some("mail".into())));
    state.apply(Command::Select("orders".into(), range("14:05:00", "14:07:00")));
    assert_eq!(state.view.components, ["mail"]);
    state.apply(Command::Choose(None));
    assert_eq!(state.view.components, ["shop.orders"], "the active panel's again");
}

#[test]
fn the_host_of_a_panel_goes_with_the_panel() {
    let mut state = opened("/");
    state.apply(Command::Activate("disk".into()));
    assert_eq!((state.view.host.as_deref(), state.view.components.len()), (Some("n7"), 0));
    state.apply(Command::Activate("orders".into()));
    assert_eq!(state.view.host, None);
    state.apply(Command::SetHost(Some("n9".into())));
    state.apply(Command::Activate("sun".into()));
    assert_eq!(state.view.host.as_deref(), Some("n9"), "picked by hand");
    assert_eq!(state.view.components, Vec::<String>::new());
}

#[test]
fn adjusting_keeps_the_components_and_so_does_the_histogram() {
    let mut state = opened("/");
    state.apply(Command::Select("orders".into(), range("14:05:00", "14:07:00")));
    state.apply(Command::Adjust(range("14:05:00", "14:08:00")));
    state.apply(Command::Select(HISTOGRAM.into(), range("14:05:00", "14:09:00")));
    assert_eq!(state.view.components, ["shop.orders"]);
    assert_eq!(state.view.panel.as_deref(), Some("orders"));
}

#[test]
fn a_brush_before_the_components_are_known_is_linked_when_they_are() {
    let mut state = opened("/");
    state.components = None;
    state.apply(Command::Select("orders".into(), range("14:05:00", "14:07:00")));
    assert_eq!(state.view.components, Vec::<String>::new());
    assert_eq!(state.apply(Command::ComponentsLoaded(components())), Address::Replace);
    assert_eq!(state.view.components, ["shop.orders"]);
}

#[test]
fn zooming_leaves_the_selection_and_can_be_taken_back() {
    let mut state = opened("/");
    state.apply(Command::Select("orders".into(), range("14:05:00", "14:07:00")));
    assert_eq!(state.apply(Command::Show(range("14:00:00", "14:10:00"))), Address::PushSoon);
    assert_eq!(state.range(), range("14:00:00", "14:10:00"));
    assert_eq!(state.view.selection, Some(range("14:05:00", "14:07:00")));
    state.apply(Command::ZoomBack);
    assert_eq!(state.range(), range("13:00:00", "15:00:00"));
    state.apply(Command::ZoomBack);
    assert_eq!(state.range(), range("12:00:00", "16:00:00"), "beyond the first zoom it widens");
}

#[test]
fn a_burst_of_zooming_is_taken_back_at_once() {
    let mut state = opened("/");
    for second in 1..30 {
        state.apply(Command::Show(range(&format!("14:00:{second:02}"), "14:10:00")));
    }
    state.apply(Command::Rested);
    state.apply(Command::Show(range("14:01:00", "14:02:00")));
    state.apply(Command::ZoomBack);
    assert_eq!(state.range(), range("14:00:29", "14:10:00"));
    state.apply(Command::ZoomBack);
    assert!(state.view.live, "the range that was followed");
}

#[test]
fn resuming_goes_back_to_the_range_that_was_followed() {
    let mut state = opened("/");
    state.apply(Command::Select("orders".into(), range("14:05:00", "14:07:00")));
    state.apply(Command::ToggleLive);
    assert_eq!(
        state.view.to_url(),
        "/d/shop?v=1&t=-2h..now&c=shop.orders&live=1&panel=orders"
            .replace("&live=1&panel=orders", "&panel=orders&live=1")
    );
    state.apply(Command::ToggleLive);
    assert_eq!(state.view.range, Some(RangeSpec::absolute(range("13:00:00", "15:00:00"))));
}

#[test]
fn a_gesture_holds_the_clock() {
    let mut state = opened("/");
    state.apply(Command::Freeze(true));
    state.apply(Command::Tick(at("2026-11-20T15:10:00Z")));
    assert_eq!(state.range(), range("13:00:00", "15:00:00"));
    state.apply(Command::Freeze(false));
    state.apply(Command::Tick(at("2026-11-20T15:10:00Z")));
    assert_eq!(state.range(), range("13:10:00", "15:10:00"));
}

#[test]
fn a_browser_with_a_wrong_clock_shows_the_servers_hour() {
    let mut state = opened("/");
    let mut page = state.page.clone().unwrap();
    page.now_ms = at("2026-11-20T18:00:00Z").as_millis();
    state.apply(Command::PageLoaded(page));
    assert_eq!(state.range(), range("16:00:00", "18:00:00"));
}

#[test]
fn a_selection_alone_brings_its_surroundings() {
    let state = opened("/?s=2026-11-20T14:05:00Z..14:07:00Z");
    assert_eq!(state.range(), range("14:01:00", "14:11:00"));
    assert!(!state.view.live);
}

#[test]
fn what_changes_nothing_writes_no_address() {
    let mut state = opened("/");
    assert_eq!(state.apply(Command::SetLevel(None)), Address::Keep);
    assert_eq!(state.apply(Command::SetContains("x".into())), Address::ReplaceSoon);
    assert_eq!(state.apply(Command::SetContains("x".into())), Address::Keep);
}

#[test]
fn a_broken_field_of_the_address_is_told() {
    let mut state = opened("/d/shop?v=1&t=gone&level=loud");
    assert_eq!(state.problems.len(), 2);
    state.apply(Command::DismissProblems);
    assert!(state.problems.is_empty());
}

/// The page of a server, with points up to an instant or without any.
fn page(last_line_ms: Option<i64>, last_point_ms: Option<i64>) -> Command {
    let now_ms = at("2026-11-20T15:00:00Z").as_millis();
    let dashboards = vec![DashboardName { name: "default".into(), title: "All metrics".into(), error: None }];
    Command::PageLoaded(PageInfo {
        version: "1".into(),
        now_ms,
        dashboards,
        last_line_ms,
        last_point_ms,
        ..PageInfo::default()
    })
}

#[test]
fn the_charts_are_called_empty_only_once_that_is_known() {
    let mut state = AppState::default();
    let mut after = |command: Command| {
        state.apply(command);
        (state.charts(), state.panels_are_due())
    };
    let bare = || Command::DashboardLoaded(Dashboard::default());
    let now = at("2026-11-20T15:00:00Z");
    let opened = Command::Navigate { path: "/".into(), query: String::new(), now };
    assert_eq!(after(opened), (ChartsState::Waiting, false));
    assert_eq!(after(page(None, None)), (ChartsState::NoData, false));
    assert_eq!(after(bare()), (ChartsState::NoData, false));
    assert_eq!(after(page(Some(1), None)), (ChartsState::NoPanels, false), "lines alone make no chart");
    assert_eq!(after(page(Some(1), Some(1))), (ChartsState::Waiting, true), "the panels are on their way");
    assert_eq!(after(bare()), (ChartsState::NoPanels, false), "a file without panels");
    assert_eq!(after(Command::DashboardLoaded(board())), (ChartsState::Panels, false));
}

#[test]
fn a_dashboard_that_came_before_the_page_is_asked_for_again_where_it_is_bare() {
    let mut state = AppState::default();
    state.apply(Command::DashboardLoaded(Dashboard::default()));
    assert_eq!(state.charts(), ChartsState::Waiting);
    state.apply(page(None, Some(1)));
    assert_eq!((state.charts(), state.panels_are_due()), (ChartsState::Waiting, true));
}

#[test]
fn a_zoom_and_a_pan_end_on_instants_that_read_well() {
    let mut state = opened("/d/shop?v=1&t=2026-11-20T13:00:00Z..15:00:00Z");
    let odd = |secs: i64| TimeRange {
        from: at("2026-11-20T14:00:00.074Z"),
        until: at("2026-11-20T14:00:00.1Z").plus_nanos(secs * NANOS_PER_SEC),
    };
    // On its way a short range moves as the screen does.
    state.apply(Command::Show(odd(120)));
    assert_eq!(state.range().from, at("2026-11-20T14:00:00.070Z"));
    assert_eq!(state.apply(Command::Rested), Address::Settle);
    assert_eq!(state.range(), range("14:00:00", "14:02:00"));
    assert_eq!(state.apply(Command::Rested), Address::Keep, "nothing was zoomed since");
    state.apply(Command::ZoomBack);
    assert_eq!(state.range(), range("13:00:00", "15:00:00"));
    state.apply(Command::Pan(odd(600)));
    assert_eq!(state.apply(Command::PanEnd), Address::Push);
    assert_eq!(state.range(), range("14:00:00", "14:10:00"));
}

#[test]
fn a_count_says_whose_lines_it_counts_where_a_band_would_choose_others() {
    let mut state = opened("/");
    let whose = |state: &AppState, panel: &str| state.counted_instead(panel);
    assert_eq!(whose(&state, "orders").as_deref(), Some("all components"));
    assert_eq!(whose(&state, "sun"), None, "its lines are all there are");
    assert_eq!(whose(&state, HISTOGRAM), None);
    state.apply(Command::Select("orders".into(), range("14:05:00", "14:07:00")));
    assert_eq!(whose(&state, "orders"), None);
    assert_eq!(whose(&state, "sun").as_deref(), Some("shop.orders"));
    state.apply(Command::Choose(Some("mail".into())));
    assert_eq!(whose(&state, "orders"), None, "what was chosen by hand holds");
}
