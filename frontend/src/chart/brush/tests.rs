//! One second a pixel: x is the second, 0 to 1000.

use super::snap::rounded_time;
use super::*;
use proptest::prelude::*;

mod by_keys;

fn at(second: f64) -> Timestamp {
    Timestamp::from_nanos((second * 1e9) as i64)
}

fn range(from: f64, until: f64) -> TimeRange {
    TimeRange { from: at(from), until: at(until) }
}

fn scene(selection: Option<TimeRange>) -> Scene {
    let scale = TimeScale::new(range(0.0, 1_000.0), 0.0, 1_000.0);
    Scene { scale, selection, baseline: None, is_armed: false, zone: ZoneClock::UTC }
}

/// What is done to a brush.
#[derive(Clone, Copy, Debug)]
enum Do {
    Press(f64),
    Touch(f64),
    Pan(f64),
    Move(f64),
    Release(f64),
    Cancel,
    Double(f64),
    Key(Key),
    Shift(Key),
    Ctrl(Key),
    Blur,
}

use Do::{Blur, Cancel, Ctrl, Double, Move, Pan, Release, Shift, Touch};
use Outcome::{
    Adjust, Baseline, Click, Cursor, Draft, Freeze, PanEnd, PanUndo, Select, Show, Unpin, ZoomBack,
};

fn act(brush: &mut Brush, step: Do, scene: &Scene) -> Vec<Outcome> {
    let mut press = |x: f64, press: Press| {
        brush.press(x, press, scene);
        Vec::new()
    };
    match step {
        Do::Press(x) => press(x, Press::default()),
        Touch(x) => press(x, Press { is_touch: true, pans: false }),
        Pan(x) => press(x, Press { is_touch: false, pans: true }),
        Move(x) => brush.drag_to(x, &Stops::default()),
        Release(x) => brush.release(x, &Stops::default()),
        Cancel => brush.cancel(),
        Double(x) => brush.double_click(x, scene),
        Do::Key(key) => brush.key(key, Modifiers::default(), scene),
        Shift(key) => brush.key(key, Modifiers { shift: true, ctrl: false }, scene),
        Ctrl(key) => brush.key(key, Modifiers { shift: false, ctrl: true }, scene),
        Blur => brush.blur(),
    }
}

fn check_in(scene: &Scene, steps: &[Do], expected: &[Outcome]) {
    let mut brush = Brush::default();
    let got: Vec<Outcome> = steps.iter().flat_map(|step| act(&mut brush, *step, scene)).collect();
    assert_eq!(got, expected, "{steps:?}");
}

fn check(selection: Option<(f64, f64)>, steps: &[Do], expected: &[Outcome]) {
    check_in(&scene(selection.map(|(from, until)| range(from, until))), steps, expected);
}

fn drafts(from: f64, until: f64) -> Outcome {
    Draft(Some(range(from, until)))
}

#[test]
fn a_drag_starts_after_four_pixels_and_makes_a_band() {
    let band =
        &[Freeze, drafts(100.0, 104.0), drafts(100.0, 150.0), Draft(None), Select(range(100.0, 150.0))];
    check(None, &[Do::Press(100.0), Move(103.0), Move(104.0), Move(150.0), Release(150.0)], band);
    check(
        None,
        &[Do::Press(100.0), Move(50.0), Release(50.0)],
        &[Freeze, drafts(50.0, 100.0), Draft(None), Select(range(50.0, 100.0))],
    );
    check(None, &[Move(10.0), Release(10.0)], &[]);
}

#[test]
fn a_band_ends_at_the_plots_edge() {
    check(
        None,
        &[Do::Press(900.0), Move(5_000.0), Release(5_000.0)],
        &[Freeze, drafts(900.0, 1_000.0), Draft(None), Select(range(900.0, 1_000.0))],
    );
}

#[test]
fn times_are_as_round_as_the_screen_allows() {
    let rounded = |from: f64, until: f64, second: f64| {
        let scale = TimeScale::new(range(from, until), 0.0, 1_000.0);
        rounded_time(at(second), &scale)
    };
    assert_eq!(rounded(0.0, 7_200.0, 299.6), at(300.0));
    assert_eq!(rounded(0.0, 720.0, 299.63), at(299.6));
    assert_eq!(rounded(0.0, 36_000.0, 299.6), at(300.0), "10 s a step where a px is 36 s");
    assert_eq!(rounded(0.0, 0.5, 0.123_456), at(0.123_456), "under a millisecond a px nothing is lost");
    let now = Timestamp::from_nanos(1_795_269_899_999_826_028);
    let day =
        TimeScale::new(TimeRange { from: now, until: now.plus_nanos(86_400_000_000_000) }, 0.0, 1_000.0);
    assert_eq!(rounded_time(now, &day), Timestamp::from_secs(1_795_269_900));
}

#[test]
fn bands_and_zooms_end_on_instants_that_read_well() {
    let odd = &[Freeze, drafts(100.0, 170.0), Draft(None), Select(range(100.0, 170.0))];
    check(None, &[Do::Press(100.4), Move(170.4), Release(170.4)], odd);
    let scale = TimeScale::new(range(0.0, 300.0), 0.0, 1_000.0);
    let near = Scene { scale, ..scene(Some(range(10.123, 100.0))) };
    let short = &[Freeze, drafts(150.0, 165.0), Draft(None), Select(range(150.0, 165.0))];
    check_in(&near, &[Do::Press(500.1), Move(550.1), Release(550.1)], short);
    // The end that is not dragged stays where it was.
    let resized = &[Freeze, drafts(10.123, 120.0), Draft(None), Adjust(range(10.123, 120.0))];
    check_in(&near, &[Do::Press(333.4), Move(401.2), Release(401.2)], resized);
    let moved = &[Freeze, drafts(40.0, 129.877), Draft(None), Adjust(range(40.0, 129.877))];
    check_in(&near, &[Do::Press(200.0), Move(300.1), Release(300.1)], moved);
    let by_keys = range(500.0, 570.0);
    let mut brush = Brush::default();
    let uneven = Scene { scale: TimeScale::new(range(0.0, 1_000.3), 0.0, 1_000.0), ..scene(None) };
    (0..70).for_each(|_| drop(act(&mut brush, Shift(Key::Right), &uneven)));
    let last = act(&mut brush, Do::Key(Key::Enter), &uneven);
    assert_eq!(last, [Draft(None), Select(by_keys)]);
    let zoomed = act(&mut brush, Do::Key(Key::ZoomIn), &uneven);
    assert!(matches!(zoomed[..], [Show(shown)] if shown == sonde_shared::chart::scale::readable(shown)));
}

#[test]
fn a_click_activates_and_never_clears() {
    check(Some((100.0, 200.0)), &[Do::Press(500.0), Move(502.0), Release(502.0)], &[Click(at(500.0))]);
    check(Some((100.0, 200.0)), &[Do::Press(150.0), Release(150.0)], &[Click(at(150.0))]);
}

#[test]
fn a_band_that_comes_back_to_nothing_is_none() {
    check(
        None,
        &[Do::Press(100.0), Move(110.0), Release(100.0)],
        &[Freeze, drafts(100.0, 110.0), Draft(None)],
    );
    let crossing = &[Freeze, drafts(195.0, 200.0), Draft(None)];
    check(Some((100.0, 200.0)), &[Do::Press(100.0), Move(195.0), Release(200.0)], crossing);
}

#[test]
fn the_body_moves_with_its_length_also_out_of_view() {
    let moved = &[Freeze, drafts(130.0, 230.0), drafts(-100.0, 0.0), Draft(None), Adjust(range(-100.0, 0.0))];
    check(Some((100.0, 200.0)), &[Do::Press(150.0), Move(180.0), Move(-50.0), Release(-50.0)], moved);
}

#[test]
fn edges_resize_cross_and_keep_the_place_of_the_grip() {
    let grown = &[Freeze, drafts(100.0, 250.0), Draft(None), Adjust(range(100.0, 250.0))];
    check(Some((100.0, 200.0)), &[Do::Press(203.0), Move(253.0), Release(253.0)], grown);
    let crossed = &[Freeze, drafts(50.0, 100.0), Draft(None), Adjust(range(50.0, 100.0))];
    check(Some((100.0, 200.0)), &[Do::Press(200.0), Move(50.0), Release(50.0)], crossed);
    let other = &[Freeze, drafts(200.0, 300.0), Draft(None), Adjust(range(200.0, 300.0))];
    check(Some((100.0, 200.0)), &[Do::Press(98.0), Move(298.0), Release(298.0)], other);
}

#[test]
fn an_edge_stays_in_the_plot_unless_it_was_outside() {
    let held = &[Freeze, drafts(100.0, 1_000.0), Draft(None), Adjust(range(100.0, 1_000.0))];
    check(Some((100.0, 200.0)), &[Do::Press(200.0), Move(3_000.0), Release(3_000.0)], held);
    let outside = &[Freeze, drafts(150.0, 2_000.0), Draft(None), Adjust(range(150.0, 2_000.0))];
    check(Some((100.0, 2_000.0)), &[Do::Press(100.0), Move(150.0), Release(150.0)], outside);
}

#[test]
fn shift_and_the_middle_button_pan() {
    let to = |from: f64| Outcome::Pan(range(from, from + 1_000.0));
    let panned = &[Freeze, to(-50.0), to(30.0), to(30.0), PanEnd];
    check(Some((100.0, 200.0)), &[Pan(150.0), Move(200.0), Move(120.0), Release(120.0)], panned);
}

#[test]
fn a_cancelled_pointer_restores_what_was() {
    check(None, &[Do::Press(100.0), Move(150.0), Cancel], &[Freeze, drafts(100.0, 150.0), Draft(None)]);
    let pan = &[Freeze, Outcome::Pan(range(-50.0, 950.0)), PanUndo];
    check(None, &[Pan(100.0), Move(150.0), Cancel, Release(150.0)], pan);
    check(None, &[Do::Press(100.0), Cancel, Release(100.0)], &[]);
    check(
        Some((1.0, 2.0)),
        &[Do::Press(100.0), Move(150.0), Do::Key(Key::Escape), Release(160.0)],
        &[Freeze, drafts(100.0, 150.0), Draft(None)],
    );
}

#[test]
fn a_drag_takes_over_what_keys_or_a_drag_before_left() {
    let key_band = [
        Freeze,
        drafts(500.0, 501.0),
        Cursor(at(501.0)),
        Draft(None),
        Freeze,
        Outcome::Pan(range(-50.0, 950.0)),
    ];
    check(None, &[Shift(Key::Right), Pan(100.0), Move(150.0)], &key_band);
    let double = [Freeze, drafts(100.0, 150.0), Draft(None), Unpin, ZoomBack];
    check(None, &[Do::Press(100.0), Move(150.0), Double(150.0)], &double);
}

#[test]
fn a_second_press_changes_nothing() {
    let steps = &[Do::Press(100.0), Move(150.0), Touch(400.0), Move(160.0), Release(160.0)];
    let band =
        &[Freeze, drafts(100.0, 150.0), drafts(100.0, 160.0), Draft(None), Select(range(100.0, 160.0))];
    check(None, steps, band);
}

#[test]
fn a_double_click_zooms_to_the_band_or_back() {
    check(Some((100.0, 200.0)), &[Double(150.0)], &[Unpin, Show(range(90.0, 210.0))]);
    check(Some((100.0, 200.0)), &[Double(300.0)], &[Unpin, ZoomBack]);
    check(None, &[Double(150.0)], &[Unpin, ZoomBack]);
}

#[test]
fn edges_are_hit_near_them_and_outside_of_narrow_bands() {
    let check = |band: (f64, f64), x: f64, is_touch: bool, expected: Hit| {
        assert_eq!(hit(x, is_touch, &scene(Some(range(band.0, band.1)))), expected, "{band:?} at {x}");
    };
    let (start, end) = (Hit::Edge(Edge::Start), Hit::Edge(Edge::End));
    check((100.0, 200.0), 95.0, false, Hit::Plot);
    check((100.0, 200.0), 96.0, false, start);
    check((100.0, 200.0), 103.9, false, start);
    check((100.0, 200.0), 104.1, false, Hit::Body);
    check((100.0, 200.0), 203.9, false, end);
    check((100.0, 200.0), 204.1, false, Hit::Plot);
    check((100.0, 200.0), 111.0, true, start);
    check((100.0, 110.0), 105.0, false, Hit::Body);
    check((100.0, 110.0), 101.0, false, Hit::Body);
    check((100.0, 110.0), 99.0, false, start);
    check((100.0, 110.0), 112.0, false, end);
    check((100.0, 130.0), 110.0, true, Hit::Body);
    check((100.0, 130.0), 80.0, true, start);
    assert_eq!(hit(5.0, false, &scene(None)), Hit::Plot);
}

#[test]
fn an_armed_drag_marks_the_baseline_wherever_it_begins() {
    let armed = Scene { is_armed: true, ..scene(Some(range(100.0, 200.0))) };
    let marked =
        |from: f64, until: f64| [Freeze, drafts(from, until), Draft(None), Baseline(range(from, until))];
    for x in [100.0, 150.0, 500.0] {
        check_in(&armed, &[Do::Press(x), Move(x + 50.0), Release(x + 50.0)], &marked(x, x + 50.0));
    }
    let key_band =
        [Freeze, drafts(500.0, 501.0), Cursor(at(501.0)), Draft(None), Baseline(range(500.0, 501.0))];
    check_in(&armed, &[Shift(Key::Right), Do::Key(Key::Enter)], &key_band);
    let panned = [Freeze, Outcome::Pan(range(-50.0, 950.0)), Outcome::Pan(range(-50.0, 950.0)), PanEnd];
    check_in(&armed, &[Pan(150.0), Move(200.0), Release(200.0)], &panned);
}

#[test]
fn the_baseline_is_moved_and_resized_as_the_selection_which_lies_over_it() {
    let both = Scene { baseline: Some(range(300.0, 400.0)), ..scene(Some(range(350.0, 600.0))) };
    let drags = |from: f64, to: f64, band: (f64, f64), result: fn(TimeRange) -> Outcome| {
        let band = range(band.0, band.1);
        let expected = [Freeze, Draft(Some(band)), Draft(None), result(band)];
        check_in(&both, &[Do::Press(from), Move(to), Release(to)], &expected);
    };
    drags(320.0, 220.0, (200.0, 300.0), Baseline);
    drags(300.0, 250.0, (250.0, 400.0), Baseline);
    drags(301.0, 451.0, (400.0, 450.0), Baseline);
    drags(380.0, 390.0, (360.0, 610.0), Adjust);
    drags(350.0, 340.0, (340.0, 600.0), Adjust);
    drags(700.0, 720.0, (700.0, 720.0), Select);
    let mut brush = Brush::default();
    let marks = |brush: &mut Brush, step: Do| {
        act(brush, step, &both);
        brush.marks_baseline(false)
    };
    assert!(!marks(&mut brush, Do::Press(320.0)) && marks(&mut brush, Move(330.0)));
    assert!(!marks(&mut brush, Cancel));
}

/// What a drag gives with ticks every 120 s and a deploy at 333 s.
fn snapped(selection: Option<(f64, f64)>, from: f64, to: f64) -> Option<TimeRange> {
    let scene = scene(selection.map(|(from, until)| range(from, until)));
    let deploy =
        sonde_shared::api::Event { id: 1, what: String::new(), when: 333, tags: vec![], data: String::new() };
    let stops = Stops::new(&scene.scale, ZoneClock::UTC, &[deploy]);
    let mut brush = Brush::default();
    brush.press(from, Press::default(), &scene);
    brush.drag_to(to, &stops);
    brush.release(to, &stops).into_iter().find_map(|outcome| match outcome {
        Select(band) | Adjust(band) => Some(band),
        _ => None,
    })
}

#[test]
fn edges_snap_to_ticks_and_events_near_them() {
    let check = |from: f64, to: f64, expected: (f64, f64)| {
        assert_eq!(snapped(None, from, to), Some(range(expected.0, expected.1)), "{from} to {to}");
    };
    check(112.0, 352.0, (120.0, 360.0));
    check(125.0, 340.0, (120.0, 333.0));
    check(60.0, 300.0, (60.0, 300.0));
    check(109.0, 180.0, (109.0, 180.0));
    check(122.0, 128.0, (120.0, 128.0));
    check(115.0, 125.0, (120.0, 125.0));
}

#[test]
fn a_moved_band_snaps_with_its_nearer_end_and_keeps_its_length() {
    let moved = |to: f64| snapped(Some((600.0, 650.0)), 620.0, to);
    assert_eq!(moved(624.0), Some(range(600.0, 650.0)));
    assert_eq!(moved(688.0), Some(range(670.0, 720.0)), "its end at 718 goes to 720");
    assert_eq!(moved(690.0 + 47.0), Some(range(720.0, 770.0)));
    assert_eq!(moved(660.0), Some(range(640.0, 690.0)), "no stop is near");
}

#[test]
fn an_edge_snaps_and_the_other_stays() {
    assert_eq!(snapped(Some((500.0, 650.0)), 650.0, 726.0), Some(range(500.0, 720.0)));
}

#[test]
fn switching_snapping_shows_at_once() {
    let scene = scene(None);
    let stops = Stops::new(&scene.scale, ZoneClock::UTC, &[]);
    let mut brush = Brush::default();
    assert_eq!(brush.snap_again(&stops), []);
    brush.press(300.0, Press::default(), &scene);
    assert_eq!(brush.drag_to(355.0, &Stops::default()), [Freeze, drafts(300.0, 355.0)]);
    assert_eq!(brush.snap_again(&stops), [drafts(300.0, 360.0)]);
    assert_eq!(brush.snap_again(&Stops::default()), [drafts(300.0, 355.0)]);
    assert_eq!(brush.release(355.0, &stops), [Draft(None), Select(range(300.0, 360.0))]);
}

#[test]
fn plus_and_minus_zoom_about_the_cursor() {
    check(None, &[Do::Key(Key::ZoomIn)], &[Show(range(250.0, 750.0))]);
    check(None, &[Do::Key(Key::ZoomOut)], &[Show(range(-500.0, 1_500.0))]);
    let steps = [Ctrl(Key::Right), Do::Key(Key::ZoomIn)];
    check(None, &steps, &[Cursor(at(600.0)), Show(range(300.0, 800.0))]);
}

#[test]
fn keys_have_the_browsers_names() {
    for (name, key) in [("ArrowLeft", Key::Left), ("=", Key::ZoomIn), ("+", Key::ZoomIn), ("]", Key::PickEnd)]
    {
        assert_eq!(Key::parse(name), Some(key));
    }
    assert_eq!(Key::parse("a"), None);
}

#[test]
fn a_plain_wheel_is_the_pages() {
    let scale = scene(None).scale;
    let wheel =
        |delta_x: f64, delta_y: f64, zooms: bool| Wheel { delta_x, delta_y, zooms }.range(250.0, &scale);
    assert_eq!(wheel(0.0, 100.0, false), None);
    assert_eq!(wheel(10.0, 100.0, false), None);
    assert_eq!(wheel(30.0, 0.0, false), Some(range(30.0, 1_030.0)));
    let zoomed = wheel(0.0, 100.0, true).unwrap();
    let scale_after = TimeScale::new(zoomed, 0.0, 1_000.0);
    assert!(
        (scale_after.x_from_time(at(250.0)) - 250.0).abs() < 0.01,
        "the instant under the pointer stays there"
    );
    assert!(zoomed.nanos() > range(0.0, 1_000.0).nanos());
    assert!(wheel(0.0, -100.0, true).unwrap().nanos() < range(0.0, 1_000.0).nanos());
}

#[test]
fn zooming_ends_at_both_ends() {
    let mut brush = Brush::default();
    for key in [Key::ZoomIn, Key::ZoomOut] {
        let mut visible = range(0.0, 1_000.0);
        for _ in 0..200 {
            let here = Scene { scale: TimeScale::new(visible, 0.0, 1_000.0), ..scene(None) };
            if let [Show(next)] = act(&mut brush, Do::Key(key), &here)[..] {
                visible = next;
            }
        }
        assert!((1e7..4e18).contains(&(visible.nanos() as f64)), "{key:?} ended at {visible}");
    }
}

fn any_step() -> impl Strategy<Value = Do> {
    let x = || prop_oneof![-50.0..1_050.0f64, (0i32..100).prop_map(|ten| f64::from(ten) * 10.0)];
    let keys =
        [Key::Left, Key::Right, Key::Home, Key::End, Key::Enter, Key::Escape, Key::PickStart, Key::PickEnd];
    let key = move || prop::sample::select(keys.to_vec());
    prop_oneof![
        x().prop_map(Do::Press),
        x().prop_map(Touch),
        x().prop_map(Pan),
        x().prop_map(Move),
        x().prop_map(Release),
        Just(Cancel),
        Just(Blur),
        x().prop_map(Double),
        key().prop_map(Do::Key),
        key().prop_map(Shift),
        key().prop_map(Ctrl),
    ]
}

proptest! {
    #[test]
    fn whatever_is_done_bands_have_width_and_a_draft_ends(
        steps in prop::collection::vec(any_step(), 0..40),
        band in prop::option::of((0.0..500.0f64, 1.0..600.0f64)),
        is_armed: bool,
    ) {
        let mut scene = Scene { is_armed, ..scene(band.map(|(from, length)| range(from, from + length))) };
        let mut brush = Brush::default();
        let mut draft = None;
        for step in steps.into_iter().chain([Cancel, Blur]) {
            let is_pressed = brush.is_pressed();
            for outcome in act(&mut brush, step, &scene) {
                match outcome {
                    Draft(shown) => {
                        prop_assert!(is_pressed || shown.is_none_or(|band| !band.is_empty()), "by keys");
                        draft = shown;
                    }
                    Select(band) | Adjust(band) | Baseline(band) => {
                        prop_assert!(!band.is_empty());
                        prop_assert_eq!(draft, None, "the draft ends before the band is committed");
                        scene.selection = Some(band);
                    }
                    Show(shown) | Outcome::Pan(shown) => prop_assert!(!shown.is_empty()),
                    _ => {}
                }
            }
        }
        prop_assert_eq!(draft, None);
        prop_assert!(!brush.is_pressed());
    }
}
