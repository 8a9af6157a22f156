//! A chart that stands for itself, in a report or a chat: with its title, its axes and a legend below it.
//!
//! What the page does with elements around a canvas is drawn here, so that a picture needs nothing but itself. Of what it has
//! no room for, figures go first, then rows of the legend, then the legend, then the title: the plot stays.

use super::legend::Legend;
use super::pen::{Ink, Pen};
use super::series::plotted;
use super::{ChartBackend, Drawn, Frame, LABEL_MARGIN_PX, Layout, Lines, axes, draw_chart};
use crate::chart::scale::TimeScale;
use crate::chart::text::{CELL, cells, shortened};
use crate::chart::theme::{Rgb, Theme};
use crate::chart::ticks::{ValueAxis, time_ticks};
use crate::time::{TimeRange, ZoneClock};
use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters::style::text_anchor::HPos;
use plotters::style::{FontFamily, FontStyle};

/// A chart and all around it.
#[derive(Clone, Copy, Debug)]
pub struct Picture<'a> {
    /// The width in px.
    pub width_px: f64,
    /// The height in px.
    pub height_px: f64,
    /// What stays free around it.
    pub margin_px: f64,
    /// How large texts are.
    pub text_px: f64,
    /// Device pixels a px: how finely series are reduced.
    pub pixel_ratio: f64,
    /// The range it shows.
    pub range: TimeRange,
    /// The clock of the zone of its times.
    pub clock: ZoneClock<'a>,
    /// What the zone is called.
    pub zone: &'a str,
    /// Its colours.
    pub theme: &'a Theme,
    /// What it stands on, with its opacity.
    pub background: (Rgb, f64),
    /// The font family of titles.
    pub title_font: &'a str,
    /// The title, above it.
    pub title: &'a str,
    /// What stands above the axis at the left.
    pub left_title: &'a str,
    /// What stands above the axis at the right.
    pub right_title: &'a str,
    /// What it shows.
    pub lines: Lines<'a>,
    /// Which series the legend lists.
    pub listed: &'a [usize],
    /// Whether times are written.
    pub has_time_axis: bool,
    /// Whether values are.
    pub has_value_axis: bool,
    /// Whether it has a mesh.
    pub has_mesh: bool,
}

/// The least height of a plot beside which anything else has its place.
const LEAST_PLOT_PX: f64 = 48.0;
/// So much of what is left below the title may be the legend's; and so much where then it has all series.
const LEGEND_PART: f64 = 0.5;
const MOST_LEGEND: f64 = 0.62;
/// A time label with the space around it.
const TIME_LABEL_PX: f64 = 84.0;
/// Ticks of the time axis.
const TICK_PX: f64 = 4.0;

/// Draws a picture. The area is `width × height` in units.
pub fn draw_picture<DB: ChartBackend>(area: &DrawingArea<DB, Shift>, picture: &Picture) -> Drawn<DB> {
    let plan = Plan::of(picture);
    let frame = picture.frame(plan.layout);
    let pen = Pen { area, frame: &frame };
    let (colour, alpha) = picture.background;
    pen.rect((0.0, 0.0), (picture.width_px, picture.height_px), colour, alpha)?;
    draw_chart(area, &frame, &picture.lines)?;
    pen.titles(picture, &plan)?;
    if picture.has_time_axis {
        pen.time_axis(picture)?;
    }
    if plan.is_empty {
        pen.no_data(picture)?;
    }
    plan.legend.draw(&pen, picture)
}

/// Where everything lies.
struct Plan {
    layout: Layout,
    legend: Legend,
    /// The middle of the title, where there is room for it.
    title_y: Option<f64>,
    /// The middle of the axes' titles.
    side_titles_y: Option<f64>,
    is_empty: bool,
}

impl Plan {
    fn of(picture: &Picture) -> Self {
        let (margin, text) = (picture.margin_px, picture.text_px);
        let bare = Layout {
            left_px: margin,
            right_px: margin,
            top_px: margin,
            bottom_px: margin,
            text_px: text,
            has_mesh: picture.has_mesh,
            has_labels: picture.has_value_axis,
            has_last_values: false,
        };
        let frame = picture.frame(bare);
        let all = plotted(&frame, &picture.lines, &frame.time_scale());
        let (left, right) = axes(&picture.lines, &all);
        let labels = |axis: &ValueAxis| gutter(axis, text);
        let mut layout = bare;
        let is_empty = all.iter().all(|one| one.runs.is_empty());
        if picture.has_value_axis && !is_empty {
            let zone_px = if picture.has_time_axis { zone_px(picture) } else { 0.0 };
            layout.left_px += labels(&left).max(zone_px);
            layout.right_px += right.as_ref().map_or(0.0, labels);
        }
        let mut plan =
            Self { layout, legend: Legend::default(), title_y: None, side_titles_y: None, is_empty };
        plan.stack_rows(picture);
        plan
    }

    /// Gives heights to what stands above and below the plot, most needed first.
    fn stack_rows(&mut self, picture: &Picture) {
        let text = picture.text_px;
        let half_label = if picture.has_value_axis { (text / 2.0).ceil() } else { 0.0 };
        self.layout.bottom_px += if picture.has_time_axis { TICK_PX + text * 1.4 } else { half_label };
        self.layout.top_px += half_label;
        let title_px = (title_size(text) * 1.6).round();
        let side_px = (text * 1.6).round();
        let mut free = picture.height_px - self.layout.top_px - self.layout.bottom_px - LEAST_PLOT_PX;
        let mut above = picture.margin_px;
        if !picture.title.is_empty() && free >= title_px {
            self.title_y = Some(above + title_size(text) / 2.0);
            (free, above) = (free - title_px, above + title_px);
        }
        if !(picture.left_title.is_empty() && picture.right_title.is_empty()) && free >= side_px {
            self.side_titles_y = Some(above + text / 2.0);
            (free, above) = (free - side_px, above + side_px);
        }
        self.layout.top_px += above - picture.margin_px;
        // The plot is never much lower than its legend.
        let legend = |part: f64| Legend::of(picture, (free + LEAST_PLOT_PX) * part);
        self.legend =
            Some(legend(MOST_LEGEND)).filter(Legend::is_whole).unwrap_or_else(|| legend(LEGEND_PART));
        self.layout.bottom_px += self.legend.height_px();
    }
}

/// The room that an axis' labels need.
fn gutter(axis: &ValueAxis, text_px: f64) -> f64 {
    let widest = axis.ticks.iter().map(|(_, label)| cells(label)).max().unwrap_or(0);
    (widest as f64 * CELL * text_px).ceil() + LABEL_MARGIN_PX
}

/// The room that the zone's name needs.
fn zone_px(picture: &Picture) -> f64 {
    (cells(picture.zone) as f64 * CELL * picture.text_px).ceil() + LABEL_MARGIN_PX
}

fn title_size(text_px: f64) -> f64 {
    (text_px * 14.0 / 11.0).round()
}

impl Picture<'_> {
    fn frame(&self, layout: Layout) -> Frame<'_> {
        Frame {
            width_px: self.width_px,
            height_px: self.height_px,
            layout,
            pixel_ratio: self.pixel_ratio,
            range: self.range,
            events: &[],
            theme: self.theme,
        }
    }
}

impl<DB: ChartBackend> Pen<'_, DB> {
    fn titles(&self, picture: &Picture, plan: &Plan) -> Drawn<DB> {
        let (text, margin) = (picture.text_px, picture.margin_px);
        let right = picture.width_px - margin;
        if let Some(y) = plan.title_y {
            // Letters of a proportional font are about as wide as those of one with a single width.
            let most = ((right - margin) / (title_size(text) * CELL)) as usize;
            let title = shortened(picture.title, most);
            let family = FontFamily::Name(picture.title_font);
            let place = (title.as_str(), (margin, y), HPos::Left);
            self.text_in(family, FontStyle::Bold, title_size(text), place, picture.theme.text)?;
        }
        let Some(y) = plan.side_titles_y else { return Ok(()) };
        let most = ((right - margin) / 2.0 / (text * CELL)) as usize;
        let muted = picture.theme.muted;
        self.text(&shortened(picture.left_title, most), (margin, y), HPos::Left, muted)?;
        self.text(&shortened(picture.right_title, most), (right, y), HPos::Right, muted)
    }

    fn time_axis(&self, picture: &Picture) -> Drawn<DB> {
        let time = self.frame.time_scale();
        let bottom = picture.height_px - self.frame.layout.bottom_px;
        let y = bottom + TICK_PX + picture.text_px * 0.8;
        let (line, muted) = (Ink::thin(picture.theme.line), picture.theme.muted);
        self.path(&[(time.left(), bottom), (time.right(), bottom)], line)?;
        let char_px = picture.text_px * CELL;
        let mut free_from = picture.margin_px;
        if zone_px(picture) <= time.left() - picture.margin_px {
            let right = time.left() - LABEL_MARGIN_PX;
            self.text(picture.zone, (right, y), HPos::Right, picture.theme.faint)?;
            free_from = right + 2.0 * char_px;
        }
        let most = ((time.right() - time.left()) / TIME_LABEL_PX * 11.0 / picture.text_px) as usize;
        for tick in time_ticks(picture.range, picture.clock, most.max(2)) {
            let at = time.x_from_time(tick.at);
            self.path(&[(at, bottom), (at, bottom + TICK_PX)], line)?;
            let half = cells(&tick.label) as f64 * char_px / 2.0;
            let middle = at.min(picture.width_px - picture.margin_px - half);
            // A date is written beside its tick rather than not at all.
            let beside = middle.max(free_from + half);
            let middle = if tick.is_date && beside - at <= half + 2.0 * char_px { beside } else { middle };
            if middle - half >= free_from {
                let colour = if tick.is_date { picture.theme.text } else { muted };
                self.text(&tick.label, (middle, y), HPos::Center, colour)?;
                free_from = middle + half + char_px;
            }
        }
        Ok(())
    }

    fn no_data(&self, picture: &Picture) -> Drawn<DB> {
        let time: TimeScale = self.frame.time_scale();
        let layout = self.frame.layout;
        let middle = (
            f64::midpoint(time.left(), time.right()),
            f64::midpoint(layout.top_px, picture.height_px - layout.bottom_px),
        );
        let (colour, alpha) = picture.background;
        let (half_width, half_height) = (4.0 * picture.text_px, picture.text_px);
        let upper_left = (middle.0 - half_width, middle.1 - half_height);
        self.rect(upper_left, (middle.0 + half_width, middle.1 + half_height), colour, alpha)?;
        let place = ("No data", middle, HPos::Center);
        let family = FontFamily::Name(picture.title_font);
        self.text_in(family, FontStyle::Normal, title_size(picture.text_px), place, picture.theme.muted)
    }
}
