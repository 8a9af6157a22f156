//! The legend of a chart: one line of names with their last values, and a table of all series that opens below it.
//!
//! A click on a name shows that series alone, another one all again; with Ctrl or Shift it takes one more, or leaves it out. What
//! is shown alone is not in the address: it is a way of looking, as the pointer is.

use super::readings::{Reading, Stats};
use crate::leaving::leaving;
use crate::size::px;
use leptos::prelude::*;
use sonde_shared::chart::draw::{GUTTER_PX, plot_width};
use std::collections::BTreeSet;

/// The series that are shown alone, none for all of them; and the one that the pointer or the focus is on, on whichever chart.
#[derive(Clone, Copy)]
pub(super) struct Picked {
    alone: RwSignal<BTreeSet<String>>,
    looked_at: RwSignal<Option<String>>,
}

impl Picked {
    pub(super) fn new(looked_at: RwSignal<Option<String>>) -> Self {
        Self { alone: RwSignal::new(BTreeSet::new()), looked_at }
    }

    /// Which of these are shown: those that were picked, or all where none of them was; tracked.
    pub(super) fn shown(self, names: impl Iterator<Item = impl AsRef<str>>) -> Vec<bool> {
        self.alone.with(|picked| {
            let is_picked: Vec<bool> = names.map(|name| picked.contains(name.as_ref())).collect();
            if is_picked.iter().any(|is| *is) { is_picked } else { vec![true; is_picked.len()] }
        })
    }

    fn look_at(self, name: Option<&str>) {
        if self.looked_at.with_untracked(|seen| seen.as_deref() != name) {
            self.looked_at.set(name.map(str::to_owned));
        }
    }

    fn click(self, name: &str, adds: bool) {
        self.alone.update(|picked| pick(picked, name, adds));
    }
}

/// What a click on a name makes of the picked ones.
fn pick(picked: &mut BTreeSet<String>, name: &str, adds: bool) {
    if adds {
        if !picked.remove(name) {
            picked.insert(name.to_owned());
        }
        return;
    }
    let was_alone = picked.len() == 1 && picked.contains(name);
    picked.clear();
    if !was_alone {
        picked.insert(name.to_owned());
    }
}

/// One series in the legend.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    /// The series' whole name.
    pub(super) name: String,
    /// Colour, short name and last value.
    pub(super) last: Reading,
    /// Lowest, highest and mean value, as text.
    pub(super) stats: Stats,
    /// Whether it is shown.
    pub(super) is_shown: bool,
}

/// The legend. `details` is whether its table is open.
#[component]
pub(super) fn Legend(
    rows: Memo<Vec<Row>>,
    picked: Picked,
    width: RwSignal<f64>,
    details: RwSignal<bool>,
) -> impl IntoView {
    let items = move || {
        let mut rows = rows.get();
        let readings: Vec<Reading> = rows.iter().map(|row| row.last.clone()).collect();
        let shown = fitting(&readings, plot_width(width.get()));
        let hidden = rows.split_off(shown).len();
        let more = if hidden > 0 { format!("+{hidden} · details") } else { "details".to_owned() };
        (rows.into_iter().map(|row| view! { <li><Name row picked /></li> }).collect_view(), more)
    };
    let has_rows = move || leaving(rows).with(|rows| !rows.is_empty());
    view! {
        <div class="legend-line" style:padding-left=px(GUTTER_PX)>
            {move || {
                let (items, more) = items();
                view! {
                    <ul class="legend" aria-label="Last values">{items}</ul>
                    <Show when=has_rows>
                        <button
                            class="legend-more"
                            aria-label="All series with their lowest, highest and mean value"
                            title="All series: last, min, max, mean"
                            aria-expanded=move || leaving(details).get().to_string()
                            on:click=move |_| details.update(|open| *open = !*open)
                        >
                            {more.clone()}
                        </button>
                    </Show>
                }
            }}
        </div>
        <Show when=move || details.get() && has_rows()>
            <Table rows picked />
        </Show>
    }
}

#[component]
fn Table(rows: Memo<Vec<Row>>, picked: Picked) -> impl IntoView {
    let line = move |row: Row| {
        let Row { last, stats, .. } = row.clone();
        let Stats { min, max, mean } = stats;
        view! {
            <tr>
                <th scope="row"><Name row=Row { last: Reading { value: String::new(), ..last.clone() }, ..row } picked /></th>
                <td>{last.value}</td>
                <td>{min}</td>
                <td>{max}</td>
                <td>{mean}</td>
            </tr>
        }
    };
    view! {
        <div class="legend-table" tabindex="0" role="region" aria-label="All series">
            <table>
                <thead>
                    <tr><th scope="col">"Series"</th><th scope="col">"last"</th><th scope="col">"min"</th><th scope="col">"max"</th><th scope="col">"mean"</th></tr>
                </thead>
                <tbody>{move || rows.get().into_iter().map(line).collect_view()}</tbody>
            </table>
        </div>
    }
}

/// A series' name as a button, with its last value where that is told beside it.
#[component]
fn Name(row: Row, picked: Picked) -> impl IntoView {
    let name = row.name.clone();
    let click = move |event: web_sys::MouseEvent| {
        picked.click(&name, event.ctrl_key() || event.meta_key() || event.shift_key());
    };
    let look = StoredValue::new(row.name.clone());
    let look = move || look.with_value(|name| picked.look_at(Some(name)));
    view! {
        <button
            class="legend-item"
            on:pointerenter=move |event: web_sys::PointerEvent| if event.pointer_type() == "mouse" { look() }
            on:pointerleave=move |_| picked.look_at(None)
            on:focus=move |_| look()
            on:blur=move |_| picked.look_at(None)
            class:off=!row.is_shown
            aria-pressed=row.is_shown.to_string()
            title=format!("{}\nclick: this one alone · Ctrl or Shift + click: one more or less", row.name)
            on:click=click
        >
            <i class="swatch" style:background=row.last.colour></i>
            <span class="legend-name">{row.last.name}</span>
            <span class="legend-value">{row.last.value}</span>
            {row.last.is_right.then(|| view! { <span class="legend-axis" title="On the axis at the right">{RIGHT_MARK}</span> })}
        </button>
    }
}

/// How many rows of a legend fit into a width, when what opens the table, `+12 · details`, has to fit too.
fn fitting(rows: &[Reading], width_px: f64) -> usize {
    const CHAR_PX: f64 = 6.8;
    const AROUND_PX: f64 = 34.0;
    const MORE_PX: f64 = 118.0;
    const DETAILS_PX: f64 = 70.0;
    let width_of = |row: &Reading| {
        let chars = row.name.chars().count().min(LEGEND_NAME_CHARS) + row.value.chars().count();
        let mark = if row.is_right { RIGHT_MARK.len() as f64 * CHAR_PX + 6.0 } else { 0.0 };
        (chars as f64).mul_add(CHAR_PX, AROUND_PX + mark)
    };
    if rows.iter().map(width_of).sum::<f64>() <= width_px - DETAILS_PX {
        return rows.len();
    }
    let mut used = MORE_PX;
    let fits = |row: &&Reading| {
        used += width_of(row);
        used <= width_px
    };
    rows.iter().take_while(fits).count().max(1).min(rows.len())
}

/// What stands behind the value of a series of the right axis.
const RIGHT_MARK: &str = "right";
/// A longer name is cut in the legend.
const LEGEND_NAME_CHARS: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_click_shows_one_alone_and_another_all_again() {
        let mut picked = BTreeSet::new();
        let mut check = |name: &str, adds: bool, expected: &[&str]| {
            pick(&mut picked, name, adds);
            assert_eq!(picked.iter().map(String::as_str).collect::<Vec<_>>(), expected);
        };
        check("a", false, &["a"]);
        check("b", false, &["b"]);
        check("a", true, &["a", "b"]);
        check("b", true, &["a"]);
        check("a", false, &[]);
    }

    #[test]
    fn a_legend_shows_what_fits_and_at_least_one() {
        let row =
            Reading { colour: String::new(), name: "requests".into(), value: "12 k".into(), is_right: false };
        let rows = vec![row; 20];
        assert_eq!(fitting(&rows, 10_000.0), 20);
        assert_eq!(fitting(&rows, 480.0), 3);
        assert_eq!(fitting(&rows[..3], 480.0), 3);
        assert_eq!(fitting(&rows[..3], 400.0), 2);
        let marked = vec![Reading { is_right: true, ..rows[0].clone() }; 3];
        assert_eq!(fitting(&marked, 400.0), 1);
        assert_eq!(fitting(&rows, 10.0), 1);
        assert_eq!(fitting(&[], 10.0), 0);
    }
}
