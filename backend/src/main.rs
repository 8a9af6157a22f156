//! Sonde.
fn main() {}
