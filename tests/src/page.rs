//! The page as a person sees it: panels, band, rows of the log pane, through the attributes that `docs/page.md` promises.
//! Everything is read from the page or done to it with pointer and keys.

use crate::browser::Browser;
use crate::wait;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sonde_shared::time::{TimeRange, Timestamp};

/// The page in a browser.
#[derive(Debug)]
pub struct Page<'a> {
    /// The browser that shows it.
    pub browser: &'a Browser,
}

/// Where a chart is on the screen and which time it shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plot {
    /// The visible range.
    pub range: TimeRange,
    /// The plot's left edge in the window.
    pub left: f64,
    /// Its width.
    pub width: f64,
    /// A line across its middle.
    pub middle: f64,
}

impl Plot {
    /// Where an instant is.
    pub fn x_of(&self, at: Timestamp) -> f64 {
        self.left + at.nanos_since(self.range.from) as f64 / self.range.nanos() as f64 * self.width
    }

    /// How long a pixel is, in milliseconds, rounded up.
    pub fn pixel_ms(&self) -> i64 {
        (self.range.nanos() as f64 / 1e6 / self.width).ceil() as i64
    }
}

/// A row of the log pane.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct SeenRow {
    /// The line's id.
    pub id: String,
    /// What a person reads.
    pub text: String,
}

/// The log pane.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Pane {
    /// `loading`, `streaming`, `done`, `empty` or `error`.
    pub state: String,
    /// How many lines the answer has.
    pub total: Option<u64>,
    /// The rows that exist, in the order of the screen.
    pub rows: Vec<SeenRow>,
}

const PANE: &str = "const pane = document.querySelector('[data-total]'); if (!pane) return null;\
    const rows = [...pane.querySelectorAll('[data-line]')];\
    const top = row => row.getBoundingClientRect().top;\
    rows.sort((a, b) => top(a) - top(b));\
    return {state: pane.dataset.state, total: pane.dataset.total ? Number(pane.dataset.total) : null,\
            rows: rows.map(row => ({id: row.dataset.line, text: row.innerText}))}";

const PLOT: &str = "const chart = document.querySelector(`[data-panel=\"${arguments[0]}\"]`);\
    if (!chart || !chart.dataset.range || !chart.dataset.plotWidth) return null;\
    const box = chart.getBoundingClientRect(); const [from, until] = chart.dataset.range.split('..').map(Number);\
    return [from, until, box.left + Number(chart.dataset.plotLeft), Number(chart.dataset.plotWidth), box.top + box.height / 2]";

impl Page<'_> {
    /// Opens an address and waits until the page has started.
    ///
    /// # Panics
    /// When it does not.
    #[track_caller]
    pub fn open<'a>(browser: &'a Browser, url: &str) -> Page<'a> {
        browser.goto(url);
        let page = Page { browser };
        wait::until("the log pane", || {
            page.pane().map(drop).ok_or("no element has data-total; was the page built?")
        });
        page
    }

    /// Where a panel's chart is now.
    pub fn plot(&self, panel: &str) -> Option<Plot> {
        let found = self.browser.look(PLOT, &[json!(panel)]);
        let [from, until, left, width, middle]: [f64; 5] = serde_json::from_value(found).ok()?;
        let range =
            TimeRange::between(Timestamp::from_millis(from as i64), Timestamp::from_millis(until as i64));
        (width > 0.0).then_some(Plot { range, left, width, middle })
    }

    /// The panel of the first chart, once there is one.
    #[track_caller]
    pub fn first_chart(&self) -> String {
        let script = "return document.querySelector('.plot[data-panel]')?.dataset.panel ?? null";
        wait::until("a chart", || self.browser.look(script, &[]).as_str().map(str::to_owned).ok_or("none"))
    }

    /// Where a panel's chart is once it shows this range.
    #[track_caller]
    pub fn plot_of(&self, panel: &str, range: TimeRange) -> Plot {
        wait::until(&format!("panel {panel} to show {range}"), || match self.plot(panel) {
            Some(plot) if plot.range == range => Ok(plot),
            other => Err(other),
        })
    }

    /// Drags over a range on a panel's chart, as a person does: press, several moves, let go.
    #[track_caller]
    pub fn brush(&self, panel: &str, plot: &Plot, range: TimeRange) {
        let scroll =
            "document.querySelector(`[data-panel=\"${arguments[0]}\"]`).scrollIntoView({block: 'center'})";
        self.browser.look(scroll, &[json!(panel)]);
        let middle = self.plot(panel).map_or(plot.middle, |plot| plot.middle);
        let (from, until) = (plot.x_of(range.from), plot.x_of(range.until));
        let points = [0.0, 0.1, 0.4, 0.7, 1.0]
            .map(|part| ((until - from).mul_add(part, from).round(), middle.round()));
        self.browser.drag(&points);
    }

    /// The band's range, where there is one; all bands must say the same.
    ///
    /// # Panics
    /// When two bands differ.
    #[track_caller]
    pub fn band(&self) -> Option<TimeRange> {
        let script = "return [...document.querySelectorAll('.band[data-selection]')].map(band => band.dataset.selection)";
        let found: Vec<String> =
            serde_json::from_value(self.browser.look(script, &[])).expect("a list of texts");
        let first = found.iter().find(|text| !text.is_empty())?;
        assert!(found.iter().all(|text| text == first), "bands differ: {found:?}");
        let (from, until) = first.split_once("..").expect("a selection is a range");
        let millis =
            |text: &str| Timestamp::from_millis(text.parse().expect("a selection is in milliseconds"));
        Some(TimeRange::between(millis(from), millis(until)))
    }

    /// The selection in the address.
    pub fn selection_in_url(&self) -> Option<TimeRange> {
        let url = self.browser.url();
        let (_, query) = url.split_once('?')?;
        sonde_shared::view::ViewState::from_url("/", query, Timestamp::from_secs(0)).0.selection
    }

    /// The log pane.
    pub fn pane(&self) -> Option<Pane> {
        serde_json::from_value(self.browser.look(PANE, &[])).ok()?
    }

    /// Waits until the pane has come to rest with so many lines.
    #[track_caller]
    pub fn wait_for_total(&self, total: u64) -> Pane {
        wait::until(&format!("{total} lines in the pane"), || match self.pane() {
            Some(pane) if pane.total == Some(total) && ["done", "empty"].contains(&pane.state.as_str()) => {
                Ok(pane)
            }
            other => Err(other.map(|pane| (pane.state, pane.total))),
        })
    }

    /// A point inside the list of lines.
    ///
    /// # Panics
    /// When the pane has no row.
    #[track_caller]
    pub fn point_in_rows(&self) -> (f64, f64) {
        self.center("[data-total] [data-line]")
    }

    /// The middle of an element.
    ///
    /// # Panics
    /// When there is no such element.
    #[track_caller]
    pub fn center(&self, selector: &str) -> (f64, f64) {
        let [left, top, width, height] = self.rect(selector);
        (left + width / 2.0, top + height / 2.0)
    }

    /// An element's left, top, width and height in the window, once it is there: rows, for one, are elements only while they are seen and
    /// have been asked for.
    ///
    /// # Panics
    /// When there is no such element.
    #[track_caller]
    pub fn rect(&self, selector: &str) -> [f64; 4] {
        let script = format!(
            "const e = document.querySelector({}); if (!e) return null;\
                const b = e.getBoundingClientRect(); return [b.left, b.top, b.width, b.height]",
            json!(selector)
        );
        self.at_rest(selector, &script)
    }

    /// Where a script finds an element, once it has been found at the same place twice: what is clicked is not to move meanwhile.
    #[track_caller]
    fn at_rest<T: DeserializeOwned + PartialEq>(&self, element: &str, script: &str) -> T {
        let mut before = None;
        wait::until(&format!("an element that is {element} and rests"), || {
            let found: Option<T> = serde_json::from_value(self.browser.look(script, &[])).ok();
            let last = std::mem::replace(&mut before, found);
            before.take_if(|now| last.as_ref() == Some(now)).ok_or_else(|| last.is_some())
        })
    }

    /// Reads all rows by turning the wheel, each once, from where the pane is to its end.
    ///
    /// # Panics
    /// When the end is not reached.
    #[track_caller]
    pub fn read_to_the_end(&self, total: u64) -> Vec<SeenRow> {
        let mut seen: Vec<SeenRow> = Vec::new();
        wait::until(&format!("row {total}"), || {
            for row in self.pane().into_iter().flat_map(|pane| pane.rows) {
                if !seen.iter().any(|known| known.id == row.id) {
                    seen.push(row);
                }
            }
            if seen.len() as u64 >= total {
                return Ok(());
            }
            self.browser.wheel(self.point_in_rows(), 200);
            Err(seen.len())
        });
        seen
    }

    /// Clicks the button or field with this accessible name or text, once it is there.
    ///
    /// # Panics
    /// When there is none.
    #[track_caller]
    pub fn press(&self, name: &str) {
        let name = json!(name);
        self.click_element(&format!(
            "(all => all.find(e => e.getAttribute('aria-label') === {name}) ?? all.find(e => e.innerText.trim() === {name})\
                ?? [...document.querySelectorAll('label')].find(e => e.firstChild.innerText === {name})?.querySelector('input'))\
                ([...document.querySelectorAll('button, input')].filter(e => !e.disabled))"
        ));
    }

    /// Clicks the element that an expression finds among the page's, once it is there and rests; it is scrolled into sight first.
    ///
    /// # Panics
    /// When there is none.
    #[track_caller]
    pub fn click_element(&self, element: &str) {
        let script = format!(
            "const e = {element}; if (!e) return null; e.scrollIntoView({{block: 'nearest'}});\
                const b = e.getBoundingClientRect(); return [b.left + b.width / 2, b.top + b.height / 2]"
        );
        self.browser.click(self.at_rest(element, &script));
    }

    /// Waits until the page is told of what comes.
    #[track_caller]
    pub fn wait_until_fed(&self) {
        self.wait_for(
            "the connection",
            "return !!document.querySelector('.page[data-fed]')",
            &Value::Bool(true),
        );
    }

    /// What a script finds on the page, waited for.
    #[track_caller]
    pub fn wait_for(&self, what: &str, script: &str, expected: &Value) {
        crate::browser::wait_for(self.browser, what, script, expected);
    }
}
