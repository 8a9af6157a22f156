//! How fast, beside the plainest program that does as much: writing and syncing the same bytes, serving the same bytes from
//! a file. Paired rounds in one run on one machine; answers are compared before anything is timed.
#![expect(clippy::print_stdout, reason = "the table is what this program is for")]

/// Charts in the browser: drawing beside another library, and the way from the server to the screen.
mod charts;
/// A day's load in little time.
mod day_long;
/// Counts over many days.
mod days;
/// Graphite's functions over many series.
mod functions;
/// Many components, and lines out of order.
mod hard;
/// Taking lines in, alone and while they are asked for.
mod ingest;
/// An hour of live updates: memory.
mod live;
/// Very many series, and finding some of them.
mod names;
/// A plain file server to compare with.
mod peer;
/// Points and functions beside another program.
mod peers;
/// Points: in, on disk, and out again.
mod points;
/// Answers about a day of ten million lines, in both of its forms.
mod queries;
/// Rows of the table, and medians.
mod report;
/// How long script runs in a frame.
mod script;
/// Reading very many lines in the page.
mod scroll;
/// Days of several sizes.
mod sizes;
/// Another program that keeps points.
mod victoria;
/// Brushing, many charts, size and start of the real page.
mod whole_page;
/// What changed in a selection.
mod why;
/// One series over a year.
mod year;

use report::{Report, megabytes, megabytes_a_second};
use sonde_tests::many_days::Extent;
use sonde_tests::process::MemoryWatch;
use sonde_tests::server::TestServer;
use sonde_tests::{big_day, static_server};
use std::fmt::Debug;
use std::path::Path;
use std::str::FromStr;

fn main() {
    let mut args = std::env::args().skip(1);
    match args.next().as_deref() {
        Some("static-server") => {
            let folder = args.next().expect("static-server FOLDER");
            static_server::serve(Path::new(&folder), |address| println!("{address}"))
                .expect("a port is free");
        }
        Some("days") => {
            let mut number = numbers(args, "days [DAYS [LINES A DAY]]");
            let extent = Extent { days: number(90), lines: number(1_000_000) };
            print_report(|report| days::compare(report, extent));
        }
        Some("points") => {
            let mut number = numbers(args, "points [SERIES [POINTS OF EACH]]");
            let extent = points::Extent { series: number(100_000), steps: number(360) };
            print_report(|report| points::compare(report, extent));
        }
        Some("functions") => {
            let hours = numbers(args, "functions [HOURS]")(24);
            print_report(|report| functions::compare(report, hours));
        }
        Some("peers") => {
            let mut number = numbers(args, "peers [HOURS [SERIES [POINTS OF EACH]]]");
            let hours = number(24);
            let taken = points::Extent { series: number(100_000), steps: number(100) };
            print_report(|report| peers::compare(report, hours, taken));
        }
        Some("why") => {
            let series = numbers(args, "why [SERIES]")(10_000);
            print_report(|report| why::compare(report, series));
        }
        Some("year") => {
            let series = numbers(args, "year [SERIES]")(40);
            print_report(|report| year::compare(report, series));
        }
        Some("charts") => {
            print_report(charts::compare);
            charts::measure_the_wire();
        }
        Some("page") => whole_page::measure(),
        Some("live") => live::measure(numbers(args, "live [MINUTES]")(60)),
        Some("scroll") => {
            let mut number = numbers(args, "scroll [LINES [SECONDS OF TAIL]]");
            scroll::measure(scroll::Extent { lines: number(10_000_000), tail_secs: number(600) });
        }
        Some("names") => {
            let mut number = numbers(args, "names [SERIES [DAYS]]");
            let extent = names::Extent { series: number(1_000_000), days: number(365) };
            print_report(|report| names::compare(report, extent));
        }
        Some("day-long") => {
            let lines = numbers(args, "day-long [LINES]")(big_day::LINES);
            print_report(|report| day_long::compare(report, lines));
        }
        Some(form @ ("sizes-open" | "sizes-sealed")) => {
            let named: Vec<usize> = args.map(|text| text.parse().expect("sizes-… [LINES…]")).collect();
            let sizes = if named.is_empty() { &[1_000_000, 10_000_000][..] } else { &named };
            print_report(|report| sizes::compare(report, sizes, form == "sizes-sealed"));
        }
        _ => compare(&std::env::args().skip(1).collect::<Vec<_>>()),
    }
}

/// Gives the words that follow as numbers, one after the other, or what is usual where there are no more.
fn numbers<N: FromStr<Err: Debug>>(
    mut words: impl Iterator<Item = String>,
    usage: &str,
) -> impl FnMut(N) -> N {
    move |usual| words.next().map_or(usual, |word| word.parse().expect(usage))
}

fn print_report(measure: impl FnOnce(&mut Report)) {
    let mut report = Report::default();
    measure(&mut report);
    println!("\n{report}");
}

/// Compares the parts that are named, or all of them.
fn compare(parts: &[String]) {
    const PARTS: [&str; 6] = ["ingest", "small", "hard", "beside", "open", "sealed"];
    assert!(parts.iter().all(|part| PARTS.contains(&part.as_str())), "the parts are {}", PARTS.join(", "));
    let has = |part: &str| parts.is_empty() || parts.iter().any(|named| named == part);
    let mut report = Report::default();
    if has("ingest") {
        ingest::alone(&mut report);
    }
    if has("small") {
        ingest::small_requests(&mut report);
    }
    if has("hard") {
        hard::compare(&mut report);
    }
    if ["beside", "open", "sealed"].into_iter().any(has) {
        compare_the_day(&mut report, has);
    }
    println!("\n{report}");
}

fn compare_the_day(report: &mut Report, has: impl Fn(&str) -> bool) {
    let folder = big_day::ready(&mut |step| println!("{step}"));
    println!("making the answers to expect, by a plain scan");
    let truth = queries::Truth::of_the_day();
    if has("open") {
        queries::grep(report, &folder);
        let open = big_day::open_server(&folder);
        with_memory(report, &open, "open", |report| {
            queries::compare(report, &open, &queries::OPEN, &truth);
        });
    }
    if has("beside") {
        ingest::beside_queries(report, &truth);
    }
    if has("sealed") {
        compare_sealed(report, &folder, &truth);
    }
}

fn compare_sealed(report: &mut Report, folder: &Path, truth: &queries::Truth) {
    println!("sealing the day");
    let (sealed, took) = big_day::sealed(folder);
    let (before, after) = (big_day::bytes(folder), big_day::bytes(sealed.path()));
    let rate = megabytes_a_second(before as usize, took.as_secs_f64());
    report.row("sealing the day", rate, "", "", "in step with ingest");
    let (size, as_it_came) = (megabytes(after), format!("{} open", megabytes(before)));
    report.row("its size sealed", size, as_it_came, format!("{:.3}", after as f64 / before as f64), "");
    let server = TestServer::on(sealed.path());
    with_memory(report, &server, "sealed", |report| {
        queries::compare(report, &server, &queries::SEALED, truth);
    });
}

/// Does something and tells how much memory the server took for it at most.
fn with_memory(report: &mut Report, server: &TestServer, form: &str, work: impl FnOnce(&mut Report)) {
    let watch = MemoryWatch::of(server.pid());
    work(report);
    let peak = megabytes(watch.peak_bytes());
    report.row(format!("{form}: anonymous memory through all of it"), peak, "", "", "200 MB");
}
