//! How well `/api/why` ranks: made-up incidents with known causes, quiet windows, what is found by chance, how small a
//! change is still found, how long it takes, and what simple methods make of the same. All from seeds. `make evaluate`
//! prints the tables; `docs/why.md` says how to read them.
//!
//! ARGS: how many incidents a kind, 60 unless told otherwise; then which parts, of `incidents`, `hashed`, `forms`, `quiet`,
//! `power` and `time`, all unless told otherwise, and of which forms (`counters`, `'few points'`, …); and `explain` tells of each cause that does not come first, and of each false
//! finding, what came instead.

mod counter;
mod draw;
mod explain;
mod form;
mod habit;
mod hash;
mod incident;
mod ranking;
mod renamed;
mod report;
mod simple;
mod system;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let incidents = args.iter().find_map(|arg| arg.parse().ok()).unwrap_or(60);
    let is_asked = |part: &str| args.iter().any(|arg| arg == part);
    let all = !report::PARTS.into_iter().any(is_asked);
    let all_forms = !form::OTHERS.iter().any(|form| is_asked(form.name()));
    let asked = report::Asked {
        part: &|part| all || is_asked(part),
        form: &|form| all_forms || is_asked(form.name()),
        is_explained: is_asked("explain"),
    };
    report::print(incidents, &asked);
}
