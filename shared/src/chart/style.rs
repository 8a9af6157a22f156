//! How each series of a chart is drawn: as what, in which colour, against which axis.

use super::theme::Rgb;
use crate::dashboard::Draw;

/// What stands for a series' points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shape {
    /// A line from point to point.
    #[default]
    Line,
    /// A line that keeps a value until the next point.
    Staircase,
    /// A dot a point.
    Points,
    /// A line from the bottom to the top wherever a value is not 0.
    Upright,
}

/// What lies between a series and what is below it, with its opacity.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Fill {
    /// A light area where a chart has one series or two: more would lie on each other.
    #[default]
    Light,
    /// Nothing.
    None,
    /// The area down to zero.
    Ground(f64),
    /// The area down to the series of this index.
    DownTo(usize, f64),
}

/// How one series is drawn. What is `None` is chosen by the series' slot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Style {
    /// What stands for its points.
    pub shape: Shape,
    /// The area below it.
    pub fill: Fill,
    /// Whether its axis is the one at the right.
    pub is_right: bool,
    /// Its colour.
    pub colour: Option<Rgb>,
    /// The width of its line in px.
    pub width_px: Option<f64>,
    /// The opacity of its line.
    pub alpha: f64,
    /// The lengths of its dashes and of the room between them in px.
    pub dashes: Option<(f64, f64)>,
}

impl Default for Style {
    fn default() -> Self {
        let (shape, fill) = (Shape::default(), Fill::default());
        Self { shape, fill, is_right: false, colour: None, width_px: None, alpha: 1.0, dashes: None }
    }
}

/// So many series have light areas: those of more lie on each other and tell nothing.
pub const FEW_SERIES: usize = 2;
/// The opacity of areas that were asked for.
pub const AREA_ALPHA: f64 = 0.3;
/// The opacity of areas that stand on each other, which nothing is seen through.
pub const STACK_ALPHA: f64 = 0.55;

/// The styles of a panel's series, of which some have their axis at the right. Those stand on no other.
pub fn styles_of_panel(draw: Draw, is_right: &[bool]) -> Vec<Style> {
    let mut below = None;
    let style = |(index, is_right): (usize, &bool)| {
        let stands = draw == Draw::Stacked && !is_right;
        let (shape, fill) = match draw {
            Draw::Line => (Shape::Line, Fill::Light),
            Draw::Area => (Shape::Line, Fill::Ground(AREA_ALPHA)),
            Draw::Stacked if stands => (Shape::Line, on_top_of(below, STACK_ALPHA)),
            Draw::Stacked => (Shape::Line, Fill::None),
            Draw::Points => (Shape::Points, Fill::None),
            Draw::Staircase => (Shape::Staircase, Fill::Light),
        };
        if stands {
            below = Some(index);
        }
        Style { shape, fill, is_right: *is_right, ..Style::default() }
    };
    is_right.iter().enumerate().map(style).collect()
}

/// The area of a series in a stack.
pub fn on_top_of(below: Option<usize>, alpha: f64) -> Fill {
    below.map_or(Fill::Ground(alpha), |below| Fill::DownTo(below, alpha))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_of_a_stack_stands_on_the_one_before_but_not_on_the_right_axis() {
        let fills: Vec<Fill> =
            styles_of_panel(Draw::Stacked, &[false, true, false]).iter().map(|style| style.fill).collect();
        assert_eq!(fills, [Fill::Ground(STACK_ALPHA), Fill::None, Fill::DownTo(0, STACK_ALPHA)]);
        let styles = styles_of_panel(Draw::Points, &[true]);
        assert_eq!((styles[0].shape, styles[0].is_right), (Shape::Points, true));
    }
}
