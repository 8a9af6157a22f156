//! Addresses that are read and written.

use super::*;
use proptest::prelude::*;

fn at(text: &str) -> Timestamp {
    parse_rfc3339(text.as_bytes()).unwrap()
}

fn read(url: &str) -> (ViewState, Vec<String>) {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    ViewState::from_url(path, query, at("2026-11-23T10:00:00Z"))
}

#[test]
fn an_investigation_reads_like_a_sentence() {
    let view = ViewState {
        dashboard: Some("cluster".into()),
        range: Some(RangeSpec::absolute(TimeRange::between(
            at("2026-11-20T13:00:00Z"),
            at("2026-11-20T15:00:00Z"),
        ))),
        selection: Some(TimeRange::between(at("2026-11-20T14:05:00Z"), at("2026-11-20T14:07:00Z"))),
        baseline: Some(TimeRange::between(at("2026-11-20T13:50:00Z"), at("2026-11-20T14:00:00Z"))),
        components: vec!["webapp.backend.git".into()],
        ..ViewState::default()
    };
    let url = "/d/cluster?v=1&t=2026-11-20T13:00:00Z..15:00:00Z&s=2026-11-20T14:05:00Z..14:07:00Z\
               &b=2026-11-20T13:50:00Z..14:00:00Z&c=webapp.backend.git";
    assert_eq!(view.to_url(), url);
    assert_eq!(read(url), (view, vec![]));
}

#[test]
fn a_broken_field_leaves_the_others() {
    let (view, problems) =
        read("/d/a%20b?v=1&t=gone..now&s=14:05..&level=warn&c=a..b&zone=mars&sort=luck&line=7&later=1");
    assert_eq!(view.dashboard.as_deref(), Some("a b"));
    assert_eq!(view.level, Some(Level::Warn));
    assert_eq!(view.line, None);
    assert_eq!(problems.len(), 6, "{problems:?}");
}

#[test]
fn what_is_no_value_of_a_field_is_told() {
    let check = |query: &str, expected: usize| {
        let (_, problems) = read(&format!("/?{query}"));
        assert_eq!(problems.len(), expected, "{query}: {problems:?}");
    };
    for broken in ["live=5", "chosen=yes", "re=9", "lines=foo", "c=%FF", "tz=Europe/Berlin"] {
        check(broken, 1);
    }
    check("live=1&chosen=0&re=1&lines=both&wall&tz=UTC&format=png", 0);
}

#[test]
fn a_baseline_needs_a_selection() {
    let (view, problems) = read("/?b=2026-11-20T13:00:00Z..14:00:00Z");
    assert_eq!((view, problems.len()), (ViewState::default(), 1));
    let (view, problems) = read("/?b=gone&s=2026-11-20T13:00:00Z..14:00:00Z");
    assert_eq!((view.baseline, view.selection.is_some(), problems.len()), (None, true, 1));
}

#[test]
fn relative_ranges_stay_relative() {
    let (view, problems) = read("/?t=-90min..now");
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!(view.range, Some(RangeSpec::last(5_400 * NANOS_PER_SEC)));
    assert_eq!(view.to_url(), "/?v=1&t=-90min..now");
}

prop_compose! {
    fn any_range()(a in 0_i64..4_000_000_000_000, len in 1_i64..1_000_000_000) -> TimeRange {
        TimeRange::between(Timestamp::from_millis(a), Timestamp::from_millis(a + len))
    }
}

prop_compose! {
    fn any_view()(
        names in prop::collection::vec(prop::option::of("\\PC{1,12}"), 4),
        line in prop::option::of("20[0-9]{2}-0[1-9]-1[0-9]~[0-9]{4}~[0-9]{1,6}"),
        range in prop::option::of(any_range()),
        back in 1_i64..10_000_000,
        selection in prop::option::of((any_range(), prop::option::of(any_range()))),
        components in prop::collection::vec("[a-z]{1,5}(\\.[a-zé]{1,5}){0,3}", 0..3),
        contains in "\\PC{0,20}",
        flags in any::<[bool; 7]>(),
        [pattern, values] in prop::array::uniform2(prop::option::of("[0-9a-f]{16}")),
        fields in prop::collection::vec(("\\PC{1,8}", "\\PC{0,8}", any::<bool>()), 0..3),
        columns in prop::collection::vec("\\PC{1,8}", 0..3),
        level in prop::option::of(0_u8..6),
        targets in prop::collection::vec("[a-zé(][\\PC]{0,12}", 0..3),
    ) -> ViewState {
        ViewState {
            dashboard: names[0].clone(),
            range: range.map(RangeSpec::absolute).or(flags[0].then(|| RangeSpec::last(back * 1_000_000))),
            live: selection.is_none() && flags[1],
            selection: selection.map(|(range, _)| range),
            baseline: selection.and_then(|(_, baseline)| baseline),
            with_baseline: selection.is_some() && flags[5],
            near: selection.filter(|_| flags[6]).map(|_| components.clone()),
            components,
            chosen: flags[2],
            host: names[1].clone(),
            level: level.map(Level::from_number),
            contains,
        is_regex: flags[4],
        pattern,
        fields: fields
            .into_iter()
            .map(|(name, value, excluded)| FieldFilter { name, value, excluded })
            .collect(),
        columns,
        tab: if flags[5] { Tab::Patterns } else { Tab::Lines },
        sort: PatternSort::ALL[usize::from(flags[0]) + 2 * usize::from(flags[2])],
        values,
        wall: flags[6],
            order: if flags[3] { Order::Descending } else { Order::Ascending },
            panel: names[2].clone(),
            maximized: names[3].clone(),
            line,
            targets,
            edits: BoardEdits::default(),
            zone: flags[0].then_some(Zone::Local),
        }
    }
}

proptest! {
    #[test]
    fn every_view_survives_its_address(view in any_view()) {
        let url = view.to_url();
        prop_assert_eq!(read(&url), (view, vec![]), "{}", url);
    }

    #[test]
    fn no_address_breaks_the_reader(path in "\\PC{0,20}", query in "\\PC{0,60}") {
        let _ = ViewState::from_url(&path, &query, Timestamp::default());
    }
}
