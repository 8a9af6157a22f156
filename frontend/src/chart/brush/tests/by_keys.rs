//! The brush by keys alone.

use super::*;

#[test]
fn arrows_move_a_cursor_by_pixels_or_ticks() {
    check(None, &[Do::Key(Key::Right), Do::Key(Key::Left)], &[Cursor(at(501.0)), Cursor(at(500.0))]);
    check(
        None,
        &[Ctrl(Key::Right), Ctrl(Key::Left), Ctrl(Key::Left)],
        &[Cursor(at(600.0)), Cursor(at(480.0)), Cursor(at(360.0))],
    );
    let ends: Vec<Do> = vec![Ctrl(Key::Right); 10];
    let mut brush = Brush::default();
    let last = ends.iter().flat_map(|step| act(&mut brush, *step, &scene(None))).last();
    assert_eq!(last, Some(Cursor(at(1_000.0))), "it stays in the plot");
}

#[test]
fn shift_extends_a_band_and_enter_commits_it() {
    let right = Shift(Key::Right);
    check(
        None,
        &[right, right, Do::Key(Key::Enter)],
        &[
            Freeze,
            drafts(500.0, 501.0),
            Cursor(at(501.0)),
            Freeze,
            drafts(500.0, 502.0),
            Cursor(at(502.0)),
            Draft(None),
            Select(range(500.0, 502.0)),
        ],
    );
    check(
        None,
        &[right, Do::Key(Key::Left)],
        &[Freeze, drafts(500.0, 501.0), Cursor(at(501.0)), Draft(None), Cursor(at(500.0))],
    );
    check(None, &[Do::Key(Key::Right), Do::Key(Key::Enter)], &[Cursor(at(501.0)), Click(at(501.0))]);
}

#[test]
fn a_band_by_keys_is_never_empty() {
    let (left, right, shift_right) = (Do::Key(Key::Left), Do::Key(Key::Right), Shift(Key::Right));
    let end = Cursor(at(1_000.0));
    // Past the end of the range there is none; what Shift then extends begins at the end.
    check(None, &[Do::Key(Key::End), shift_right, shift_right], &[end, end, end]);
    check(
        None,
        &[Do::Key(Key::End), shift_right, Shift(Key::Left)],
        &[end, end, Freeze, drafts(999.0, 1_000.0), Cursor(at(999.0))],
    );
    // Back where it began there is none either, and Escape has nothing to drop.
    check(
        None,
        &[shift_right, Shift(Key::Left), Do::Key(Key::Escape)],
        &[Freeze, drafts(500.0, 501.0), Cursor(at(501.0)), Draft(None), Cursor(at(500.0))],
    );
    // An edge goes past the other one, or stays where there is no room.
    check(
        Some((100.0, 101.0)),
        &[Do::Key(Key::PickEnd), left],
        &[Freeze, drafts(100.0, 101.0), Cursor(at(101.0)), Freeze, drafts(99.0, 100.0), Cursor(at(99.0))],
    );
    check(
        Some((999.0, 1_000.0)),
        &[Do::Key(Key::PickStart), right],
        &[
            Freeze,
            drafts(999.0, 1_000.0),
            Cursor(at(999.0)),
            Freeze,
            drafts(999.0, 1_000.0),
            Cursor(at(999.0)),
        ],
    );
}

#[test]
fn home_and_end_lead_to_the_ends_of_the_range() {
    let (start, end) = (Cursor(at(0.0)), Cursor(at(1_000.0)));
    check(None, &[Do::Key(Key::End), Do::Key(Key::Home)], &[end, start]);
    check(None, &[Shift(Key::End)], &[Freeze, drafts(500.0, 1_000.0), end]);
    check(None, &[Do::Key(Key::End), Shift(Key::Home)], &[end, Freeze, drafts(0.0, 1_000.0), start]);
}

#[test]
fn brackets_pick_an_edge_that_the_arrows_move() {
    check(
        Some((100.0, 200.0)),
        &[Do::Key(Key::PickEnd), Do::Key(Key::Right), Do::Key(Key::Enter)],
        &[
            Freeze,
            drafts(100.0, 200.0),
            Cursor(at(200.0)),
            Freeze,
            drafts(100.0, 201.0),
            Cursor(at(201.0)),
            Draft(None),
            Adjust(range(100.0, 201.0)),
        ],
    );
    check(None, &[Do::Key(Key::PickStart)], &[]);
    check(
        Some((100.0, 200.0)),
        &[Do::Key(Key::PickStart), Blur],
        &[Freeze, drafts(100.0, 200.0), Cursor(at(100.0)), Draft(None)],
    );
}

#[test]
fn escape_drops_what_is_dragged_and_leaves_the_rest_to_the_page() {
    let escape = Do::Key(Key::Escape);
    let picked = &[Freeze, drafts(100.0, 200.0), Cursor(at(100.0)), Draft(None)];
    check(Some((100.0, 200.0)), &[Do::Key(Key::PickStart), escape, escape], picked);
    check(Some((100.0, 200.0)), &[escape], &[]);
}

#[test]
fn keys_pan_by_half_of_what_is_seen_and_zoom_to_the_band() {
    let shows = |key: Key, selection: Option<(f64, f64)>, expected: &[Outcome]| {
        check(selection, &[Do::Key(key)], expected);
    };
    shows(Key::Later, None, &[Show(range(500.0, 1_500.0))]);
    shows(Key::Earlier, Some((100.0, 200.0)), &[Show(range(-500.0, 500.0))]);
    shows(Key::ZoomToBand, Some((100.0, 200.0)), &[Show(range(90.0, 210.0))]);
    shows(Key::ZoomToBand, None, &[]);
}
