//! The brush by keys alone: a cursor that the arrows, Home and End move, a band that Shift extends, edges that `[` and `]` pick.

use super::snap::{most_ticks, rounded_time};
use super::zoom::{panned, with_margin, zoomed};
use super::{Brush, Edge, Outcome, Scene};
use sonde_shared::chart::scale::{readable, readable_end};
use sonde_shared::chart::ticks::neighbour_tick;
use sonde_shared::time::{TimeRange, Timestamp};

/// How far `+` zooms in.
const ZOOM: f64 = 0.5;

/// A key that means something on a chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Left,
    Right,
    Home,
    End,
    Enter,
    Escape,
    PickStart,
    PickEnd,
    ZoomIn,
    ZoomOut,
    ZoomToBand,
    Earlier,
    Later,
    Back,
}

impl Key {
    /// Reads the browser's name of a key.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "ArrowLeft" => Self::Left,
            "ArrowRight" => Self::Right,
            "Home" => Self::Home,
            "End" => Self::End,
            "Enter" => Self::Enter,
            "Escape" => Self::Escape,
            "[" => Self::PickStart,
            "]" => Self::PickEnd,
            "+" | "=" => Self::ZoomIn,
            "-" => Self::ZoomOut,
            "z" => Self::ZoomToBand,
            "PageUp" => Self::Earlier,
            "PageDown" => Self::Later,
            "Backspace" => Self::Back,
            _ => return None,
        })
    }
}

/// What is held with a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Modifiers {
    /// Shift extends a band.
    pub(crate) shift: bool,
    /// Ctrl or ⌘ goes from tick to tick.
    pub(crate) ctrl: bool,
}

/// What the keys have done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Keyboard {
    cursor: Option<Timestamp>,
    band: Band,
}

/// The band that keys are making.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Band {
    #[default]
    None,
    /// From where Shift was first held to the cursor.
    New { anchor: Timestamp },
    /// The cursor is one end of the selection; the other stays.
    Edge { fixed: Timestamp },
}

impl Keyboard {
    pub(super) const fn makes_band(&self) -> bool {
        matches!(self.band, Band::New { .. })
    }

    /// The band so far; one without any width is none.
    fn draft(&self) -> Option<TimeRange> {
        let cursor = self.cursor?;
        let band = match self.band {
            Band::None => return None,
            Band::New { anchor } => readable(TimeRange::between(anchor, cursor)),
            Band::Edge { fixed } => TimeRange::between(fixed, readable_end(cursor, fixed)),
        };
        (!band.is_empty()).then_some(band)
    }
}

impl Brush {
    /// A key is pressed. No outcome: the key means nothing here and is the page's.
    pub(crate) fn key(&mut self, key: Key, held: Modifiers, scene: &Scene) -> Vec<Outcome> {
        match key {
            Key::Escape => self.drop_drag(),
            _ if self.is_pressed() => Vec::new(),
            Key::Left | Key::Right => {
                let step = |from| stepped(from, key == Key::Right, held.ctrl, scene);
                self.move_cursor(step, held, scene)
            }
            Key::Home => self.move_cursor(|_| scene.scale.range().from, held, scene),
            Key::End => self.move_cursor(|_| scene.scale.range().until, held, scene),
            Key::Enter => self.enter(scene),
            Key::PickStart => self.pick(Edge::Start, scene),
            Key::PickEnd => self.pick(Edge::End, scene),
            Key::ZoomIn => {
                vec![Outcome::Show(readable(zoomed(scene.scale.range(), self.cursor_in(scene), ZOOM)))]
            }
            Key::Back => vec![Outcome::ZoomBack],
            Key::ZoomToBand => {
                scene.selection.map(|band| Outcome::Show(with_margin(band))).into_iter().collect()
            }
            Key::Earlier | Key::Later => {
                let half = (scene.scale.right() - scene.scale.left()) / 2.0;
                let by_px = if key == Key::Later { half } else { -half };
                vec![Outcome::Show(panned(scene.scale.range(), by_px, &scene.scale))]
            }
            Key::ZoomOut => {
                vec![Outcome::Show(readable(zoomed(scene.scale.range(), self.cursor_in(scene), 1.0 / ZOOM)))]
            }
        }
    }

    /// The chart lost the focus: what was not committed is dropped.
    pub(crate) fn blur(&mut self) -> Vec<Outcome> {
        self.keyboard.cursor = None;
        self.drop_draft()
    }

    /// The cursor, which starts in the middle and never leaves what is visible.
    fn cursor_in(&self, scene: &Scene) -> Timestamp {
        let TimeRange { from, until } = scene.scale.range();
        let middle = from.plus_nanos(scene.scale.range().nanos() / 2);
        self.keyboard.cursor.unwrap_or(middle).clamp(from, until.max(from))
    }

    fn move_cursor(
        &mut self,
        step: impl Fn(Timestamp) -> Timestamp,
        held: Modifiers,
        scene: &Scene,
    ) -> Vec<Outcome> {
        let before = self.cursor_in(scene);
        self.keyboard.cursor = Some(step(before));
        let was_new = self.keyboard.makes_band();
        match self.keyboard.band {
            // A picked edge goes past the other one, or stays where it cannot.
            Band::Edge { .. } if self.keyboard.draft().is_none() => {
                self.keyboard.cursor = Some(step(step(before)));
                if self.keyboard.draft().is_none() {
                    self.keyboard.cursor = Some(before);
                }
            }
            Band::None if held.shift => self.keyboard.band = Band::New { anchor: before },
            // Without Shift the arrows move the cursor only, unless an edge was picked.
            Band::New { .. } if !held.shift => self.keyboard.band = Band::None,
            _ => {}
        }
        let draft = self.keyboard.draft();
        if draft.is_none() && self.keyboard.makes_band() {
            // At the end of the range, or back where it began, there is no band: the next step begins one here.
            self.keyboard.band = Band::None;
        }
        let cursor = Outcome::Cursor(self.cursor_in(scene));
        match draft {
            Some(_) => vec![Outcome::Freeze, Outcome::Draft(draft), cursor],
            None if was_new => vec![Outcome::Draft(None), cursor],
            None => vec![cursor],
        }
    }

    fn pick(&mut self, edge: Edge, scene: &Scene) -> Vec<Outcome> {
        let Some(band) = scene.selection else { return Vec::new() };
        self.keyboard.cursor = Some(edge.of(band));
        self.keyboard.band = Band::Edge { fixed: edge.other().of(band) };
        vec![Outcome::Freeze, Outcome::Draft(Some(band)), Outcome::Cursor(edge.of(band))]
    }

    fn enter(&mut self, scene: &Scene) -> Vec<Outcome> {
        let result = match (self.keyboard.band, self.keyboard.draft()) {
            (Band::New { .. }, Some(band)) if scene.is_armed => Outcome::Baseline(band),
            (Band::New { .. }, Some(band)) => Outcome::Select(band),
            (Band::Edge { .. }, Some(band)) => Outcome::Adjust(band),
            (Band::None, _) | (_, None) => return vec![Outcome::Click(self.cursor_in(scene))],
        };
        self.keyboard.band = Band::None;
        vec![Outcome::Draft(None), result]
    }

    /// What is being dragged, by pointer or keys, is dropped. Nothing was: the key is the page's, which has other layers to undo.
    fn drop_drag(&mut self) -> Vec<Outcome> {
        if self.is_pressed() { self.cancel() } else { self.drop_draft() }
    }

    /// Drops the band that keys are making.
    pub(super) fn drop_draft(&mut self) -> Vec<Outcome> {
        match std::mem::take(&mut self.keyboard.band) {
            Band::None => Vec::new(),
            Band::New { .. } | Band::Edge { .. } => vec![Outcome::Draft(None)],
        }
    }
}

/// One pixel or one tick further, within what is visible.
fn stepped(from: Timestamp, forward: bool, by_tick: bool, scene: &Scene) -> Timestamp {
    let scale = &scene.scale;
    let visible = scale.range();
    if by_tick {
        return neighbour_tick(from, forward, visible, scene.zone, most_ticks(scale));
    }
    let nanos = scale.nanos_per_px().round().max(1.0) as i64;
    rounded_time(from.plus_nanos(if forward { nanos } else { -nanos }), scale)
        .clamp(visible.from, visible.until.max(visible.from))
}
