//! How well `/api/why` ranks: made-up incidents with known causes, quiet windows, what is found by chance, how small a
//! change is still found, how long it takes, and what simple methods make of the same. All from seeds. `make evaluate`
//! prints the tables; `docs/why.md` says how to read them. ARGS: how many incidents a kind, 60 unless told otherwise.

mod draw;
mod hash;
mod incident;
mod report;
mod simple;
mod system;

fn main() {
    let incidents = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(60);
    report::all(incidents);
}
