//! From evaluated series to what is drawn: columns of points, each with its style.

use super::{AreaMode, LineMode, Paint, PictureError, Settings, SideLook};
use crate::functions::MAX_VALUES;
use crate::functions::series::{Look, Role, Series};
use sonde_shared::api::Columns;
use sonde_shared::chart::stack::{most_values, stacked};
use sonde_shared::chart::style::{AREA_ALPHA, FEW_SERIES, Fill, STACK_ALPHA, Shape, Style, on_top_of};
use std::collections::{HashMap, HashSet};

/// What the drawing takes.
pub(super) struct Prepared {
    pub(super) series: Vec<Columns>,
    /// What is drawn of them in a stack.
    pub(super) sums: Vec<Columns>,
    pub(super) styles: Vec<Style>,
    /// Which of them the legend lists.
    pub(super) listed: Vec<usize>,
}

impl Prepared {
    pub(super) fn of(series: &[Series], settings: &Settings) -> Result<Self, PictureError> {
        let columns: Vec<Columns> = series.iter().map(|one| columns(one, settings)).collect();
        let sums = if settings.area_mode == AreaMode::Stacked { sums(series, &columns)? } else { Vec::new() };
        let styles = Styles::of_all(settings, series);
        let listed = listed(series, settings);
        Ok(Self { series: columns, sums, styles, listed })
    }
}

/// A series' points.
fn columns(series: &Series, settings: &Settings) -> Columns {
    let mut one = Columns { name: series.name.clone(), ..Columns::default() };
    let mut nulls = 0;
    for (index, value) in (0..).zip(series.told()) {
        let value = if value.is_nan() && settings.null_is_zero { 0.0 } else { *value };
        // A gap that is drawn over is left out, unless it is too long.
        if let LineMode::Connected(most) = settings.line_mode
            && value.is_nan()
        {
            nulls += 1;
            if nulls <= most {
                continue;
            }
        } else {
            nulls = 0;
        }
        one.times_ms.push(((series.start + index * series.step) * 1_000) as f64);
        one.values.push(value);
    }
    one
}

/// Whether a series stands on others in a stack of all.
fn stands(series: &Series) -> bool {
    series.look.role == Role::Line && !series.look.is_right
}

/// What is drawn of each in a stack of all: those that do not stand are drawn as they are.
fn sums(series: &[Series], columns: &[Columns]) -> Result<Vec<Columns>, PictureError> {
    let standing: Vec<usize> = (0..series.len()).filter(|index| stands(&series[*index])).collect();
    let parts: Vec<&Columns> = standing.iter().map(|index| &columns[*index]).collect();
    let values = most_values(&parts);
    if values > MAX_VALUES {
        let why =
            format!("a stack of {} series would have {values} values, more than {MAX_VALUES}", parts.len());
        return Err(PictureError::TooMuch(why));
    }
    let mut sums = columns.to_vec();
    for (index, sum) in standing.iter().zip(stacked(&parts)) {
        sums[*index] = sum;
    }
    Ok(sums)
}

/// The indexes of the series that the legend lists.
fn listed(series: &[Series], settings: &Settings) -> Vec<usize> {
    if !settings.has_legend {
        return Vec::new();
    }
    let mut seen = HashSet::new();
    let is_listed = |index: &usize| {
        let one = &series[*index];
        let is_hidden = one.name.is_empty() || one.look.role == Role::LowerEdge;
        let is_empty = settings.hides_empty && one.known().next().is_none();
        !is_hidden && !is_empty && (!settings.is_legend_unique || seen.insert(one.name.as_str()))
    };
    (0..series.len()).filter(is_listed).collect()
}

/// Gives styles, one series after the other.
struct Styles<'a> {
    settings: &'a Settings,
    /// The highest series of each stack so far; that of all series has no name.
    tops: HashMap<Option<&'a str>, usize>,
    /// The lower of two series whose area between them is filled.
    base: Option<usize>,
    /// How many colours of the list are used.
    used: usize,
    /// Whether light areas do not muddy each other or those that were asked for.
    is_calm: bool,
}

impl<'a> Styles<'a> {
    fn of_all(settings: &'a Settings, series: &'a [Series]) -> Vec<Style> {
        let has_area = |one: &Series| one.look.stack.is_some() || one.look.role == Role::UpperEdge;
        let is_calm = series.len() <= FEW_SERIES && !series.iter().any(has_area);
        let mut styles = Self { settings, tops: HashMap::new(), base: None, used: 0, is_calm };
        (0..series.len()).map(|index| styles.of(series, index)).collect()
    }

    fn of(&mut self, series: &'a [Series], index: usize) -> Style {
        let (look, settings) = (&series[index].look, self.settings);
        let side = &settings.sides[usize::from(look.is_right)];
        let colour = self.colour(look, side);
        let dash = look.dash.or(side.dash).filter(|length| *length >= 0.5);
        let shape = match settings.line_mode {
            _ if look.role == Role::Infinite => Shape::Upright,
            LineMode::Staircase => Shape::Staircase,
            LineMode::Slope | LineMode::Connected(_) => Shape::Line,
        };
        let alpha = look.alpha.unwrap_or(1.0).clamp(0.0, 1.0) * colour.map_or(1.0, |paint| paint.alpha);
        Style {
            shape,
            fill: self.fill(series, index),
            is_right: look.is_right,
            colour: colour.map(|paint| paint.rgb),
            width_px: look.line_width.or(side.line_width).or(settings.line_width),
            alpha,
            dashes: dash.map(|length| (length, length)),
        }
    }

    /// Where a function names none, the next of the list, which begins anew at its end.
    fn colour(&mut self, look: &Look, side: &SideLook) -> Option<Paint> {
        let named = look.colour.as_deref().and_then(Paint::parse).or(side.colour);
        if named.is_some() || self.settings.colours.is_empty() {
            return named;
        }
        self.used += 1;
        Some(self.settings.colours[(self.used - 1) % self.settings.colours.len()])
    }

    fn fill(&mut self, series: &'a [Series], index: usize) -> Fill {
        let look = &series[index].look;
        let alpha = |own: f64| self.settings.area_alpha.or(look.alpha).unwrap_or(own).clamp(0.0, 1.0);
        match look.role {
            Role::Line => {}
            Role::Infinite => return Fill::None,
            Role::LowerEdge => {
                self.base = Some(index);
                return Fill::None;
            }
            Role::UpperEdge => {
                return self.base.take().map_or(Fill::None, |base| Fill::DownTo(base, alpha(AREA_ALPHA)));
            }
        }
        let stack = match &look.stack {
            Some(name) => Some(Some(name.as_str())),
            None if self.settings.area_mode == AreaMode::Stacked && stands(&series[index]) => Some(None),
            None => None,
        };
        if let Some(stack) = stack {
            let alpha = alpha(STACK_ALPHA);
            return on_top_of(self.tops.insert(stack, index), alpha);
        }
        match self.settings.area_mode {
            AreaMode::Unsaid if self.is_calm => Fill::Light,
            AreaMode::Unsaid | AreaMode::None | AreaMode::Stacked => Fill::None,
            AreaMode::First if index > 0 => Fill::None,
            AreaMode::First | AreaMode::All => Fill::Ground(alpha(AREA_ALPHA)),
        }
    }
}
