//! The page.

mod chart;

fn main() {}
