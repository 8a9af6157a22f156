//! The cluster's series: each a function of the moment and its own noise.
//!
//! What can be counted is counted from the same requests that the lines tell of, so charts and lines agree.

use super::Demo;
use super::moment::Moment;
use super::noise::{Draw, Noise};
use super::requests::{self, Page};
use sonde_shared::time::TimeRange;

/// The spacing of all series, in seconds.
pub const STEP_SECS: i64 = 10;

/// A series: its path, its noise, and how it is measured.
#[derive(Debug)]
pub(super) struct Series {
    path: String,
    noise: Noise,
    measure: Measure,
}

#[derive(Clone, Copy, Debug)]
enum Measure {
    Application(fn(&mut Reading<'_>) -> f64),
    OfNode(fn(&Node, &mut Reading<'_>) -> f64, &'static Node),
}

/// All that a measurement may look at.
struct Reading<'a> {
    moment: &'a Moment,
    requests: &'a Tally,
    noise: Noise,
    draw: Draw,
}

impl Reading<'_> {
    /// A value that jitters by this part of itself, never negative.
    fn about(&mut self, value: f64, part: f64) -> f64 {
        (value * (1.0 + part * self.draw.normal())).max(0.0)
    }

    /// A percentage that jitters by so many points.
    fn percent(&mut self, value: f64, points: f64) -> f64 {
        (value + points * self.draw.normal()).clamp(0.0, 100.0)
    }

    /// A slow walk between -1 and 1.
    fn wander(&self, period_secs: f64) -> f64 {
        self.noise.wander(self.moment.secs, period_secs)
    }
}

/// What was asked for in a step.
#[derive(Debug, Default)]
struct Tally {
    requests: u32,
    errors: u32,
    git_pages: u32,
    fetches: u32,
    queries: u32,
    busy_ms: u64,
}

impl Tally {
    fn of_step(demo: &Demo, step_start: i64) -> Self {
        let mut tally = Self::default();
        for sec in step_start..step_start + STEP_SECS {
            let moment = Moment::of(demo, sec as f64 + 0.5);
            for request in requests::of_second(demo, &moment, sec) {
                tally.requests += 1;
                tally.errors += u32::from(request.status >= 500);
                tally.busy_ms += request.duration_ms;
                match request.page {
                    Page::Tree | Page::Blob | Page::Commits => tally.git_pages += 1,
                    Page::Fetch => tally.fetches += 1,
                    Page::Home | Page::Issues | Page::Api | Page::Search => tally.queries += 1,
                    Page::Asset | Page::Login | Page::Push => {}
                }
            }
        }
        tally
    }
}

type Row = (&'static str, fn(&mut Reading<'_>) -> f64);

const APPLICATION: [Row; 26] = [
    ("webapp.frontend.requests", |r| f64::from(r.requests.requests)),
    ("webapp.frontend.errors", |r| f64::from(r.requests.errors)),
    ("webapp.frontend.busy_ms", |r| r.requests.busy_ms as f64),
    ("webapp.frontend.latency.p50_ms", |r| r.about(31.0 + 4.0 * r.moment.load, 0.08)),
    ("webapp.frontend.latency.p95_ms", |r| {
        r.about(r.moment.during_incident(210.0, 980.0) + 90.0 * r.moment.restart, 0.12)
    }),
    ("webapp.frontend.sessions", |r| r.about(140.0 * r.moment.load, 0.015).round()),
    ("webapp.frontend.cache.hit_percent", |r| r.percent(93.0 - 30.0 * r.moment.restart, 0.7)),
    ("webapp.backend.git.tree.render_ms", |r| r.about(r.moment.tree_ms(), 0.05)),
    ("webapp.backend.git.blob.render_ms", |r| r.about(r.moment.during_incident(32.0, 112.0), 0.07)),
    ("webapp.backend.git.commands.started", |r| f64::from(r.requests.git_pages + r.requests.fetches)),
    ("webapp.backend.git.commands.running", |r| {
        r.about(0.4 * r.moment.load + 3.2 * r.moment.incident, 0.25).round()
    }),
    ("webapp.backend.git.output_bytes", |r| {
        r.about(1.6e6 * r.moment.load + 720.0e6 * r.moment.incident, 0.10).round()
    }),
    ("webapp.backend.git.fetches", |r| f64::from(r.requests.fetches)),
    ("webapp.backend.db.queries", |r| f64::from(r.requests.queries) * 7.0 + r.about(40.0, 0.05).round()),
    ("webapp.backend.db.query_ms", |r| r.about(2.8 + 0.5 * r.moment.load + 3.5 * r.moment.backup, 0.09)),
    ("webapp.backend.db.connections", |r| r.about(18.0 + 9.0 * r.moment.load, 0.06).round()),
    ("webapp.backend.db.locks.waiting", |r| {
        f64::from(r.draw.count(0.15 * r.moment.load + 0.8 * r.moment.backup))
    }),
    ("webapp.backend.db.cache.hit_percent", |r| r.percent(98.6 - 6.0 * r.moment.backup, 0.2)),
    ("webapp.backend.db.replication.lag_ms", |r| r.about(12.0 + 160.0 * r.moment.backup, 0.30)),
    ("webapp.backend.db.size_bytes", |r| {
        (41.0e9 + 90.0e6 * r.moment.days + 2.0e6 * r.wander(3_600.0)).round()
    }),
    ("webapp.backend.mail.queue", |r| {
        r.about(6.0 * r.moment.load + 3.0 + 3.0 * r.wander(900.0), 0.12).round()
    }),
    ("webapp.backend.mail.sent", |r| f64::from(r.draw.count(0.8 * r.moment.load))),
    ("webapp.backend.mail.bounced", |r| f64::from(r.draw.count(0.04 * r.moment.load))),
    ("webapp.backend.mail.delivery_ms", |r| r.about(700.0, 0.14)),
    // The decoy that always looks alarming: spikes at all hours, none of which means anything.
    ("webapp.backend.mail.smtp.rtt_ms", |r| 25.0 + 60.0 * r.draw.tail() * r.draw.tail() * r.draw.tail()),
    ("webapp.backend.mail.workers.busy_percent", |r| r.percent(24.0 * r.moment.load, 4.0)),
];

/// How one machine differs from the others.
#[derive(Debug)]
struct Node {
    name: &'static str,
    cpu: f64,
    memory: f64,
    io_wait: f64,
    disk: f64,
    disk_growth_a_day: f64,
    incident: f64,
    backup: f64,
}

/// `node1`'s disk is 88 % full at the incident and gains one point a day: full twelve days later.
const NODES: [Node; 4] = [
    Node {
        name: "node1",
        cpu: 24.0,
        memory: 61.0,
        io_wait: 3.0,
        disk: 88.0,
        disk_growth_a_day: 1.0,
        incident: 1.0,
        backup: 0.0,
    },
    Node {
        name: "node2",
        cpu: 31.0,
        memory: 74.0,
        io_wait: 4.0,
        disk: 57.0,
        disk_growth_a_day: 0.04,
        incident: 0.0,
        backup: 1.0,
    },
    Node {
        name: "node3",
        cpu: 19.0,
        memory: 42.0,
        io_wait: 0.8,
        disk: 34.0,
        disk_growth_a_day: 0.01,
        incident: 0.0,
        backup: 0.0,
    },
    Node {
        name: "node4",
        cpu: 21.0,
        memory: 47.0,
        io_wait: 0.9,
        disk: 38.0,
        disk_growth_a_day: 0.02,
        incident: 0.0,
        backup: 0.0,
    },
];

type NodeRow = (&'static str, fn(&Node, &mut Reading<'_>) -> f64);

const OF_NODE: [NodeRow; 9] = [
    ("cpu.percent", |n, r| {
        r.percent(
            n.cpu * (0.35 + 0.65 * r.moment.load)
                + 9.0 * n.incident * r.moment.incident
                + 12.0 * n.backup * r.moment.backup,
            1.6,
        )
    }),
    ("load.shortterm", |n, r| {
        r.about(
            n.cpu / 20.0 * r.moment.load
                + 3.0 * n.incident * r.moment.incident
                + 1.5 * n.backup * r.moment.backup,
            0.08,
        )
    }),
    ("memory.used_percent", |n, r| r.percent(n.memory + 3.0 * r.wander(5_400.0) + 2.0 * r.moment.load, 0.15)),
    ("io.wait", |n, r| {
        // The full value lies above 60 so that the two minutes, the ramp among them, come to 60.
        let disturbed = 59.5 * n.incident * r.moment.incident + 34.0 * n.backup * r.moment.backup;
        let noise = 0.2 * n.io_wait + 0.05 * disturbed;
        r.percent(n.io_wait + disturbed, noise)
    }),
    ("disk.used_percent", |n, r| {
        (n.disk + n.disk_growth_a_day * r.moment.days + 0.01 * r.wander(1_800.0)).clamp(0.0, 100.0)
    }),
    ("disk.read_bytes", |n, r| {
        r.about(
            9.0e6 * n.io_wait * r.moment.load
                + 760.0e6 * n.incident * r.moment.incident
                + 420.0e6 * n.backup * r.moment.backup,
            0.14,
        )
        .round()
    }),
    ("disk.write_bytes", |n, r| {
        r.about(5.0e6 * n.io_wait * (0.4 + 0.6 * r.moment.load) + 400.0e6 * n.backup * r.moment.backup, 0.14)
            .round()
    }),
    ("net.rx_bytes", |n, r| r.about(0.3e6 * n.cpu * r.moment.load, 0.10).round()),
    ("net.tx_bytes", |n, r| {
        r.about(0.5e6 * n.cpu * r.moment.load + 30.0e6 * n.incident * r.moment.incident, 0.10).round()
    }),
];

/// All series with their noise, the application's first.
pub(super) fn table(seed: u64) -> Vec<Series> {
    let series = |path: String, measure| Series { noise: Noise::new(seed, &path), path, measure };
    let application =
        APPLICATION.iter().map(|(path, measure)| series((*path).to_owned(), Measure::Application(*measure)));
    let of_nodes = NODES.iter().flat_map(|node| {
        OF_NODE.iter().map(move |(name, measure)| {
            series(format!("{}.{name}", node.name), Measure::OfNode(*measure, node))
        })
    });
    application.chain(of_nodes).collect()
}

impl Series {
    /// Its dotted path.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    fn value(&self, moment: &Moment, requests: &Tally, step_start: i64) -> f64 {
        let mut reading = Reading { moment, requests, noise: self.noise, draw: self.noise.at(step_start) };
        let value = match self.measure {
            Measure::Application(measure) => measure(&mut reading),
            Measure::OfNode(measure, node) => measure(node, &mut reading),
        };
        // Three decimals are what a collector would send.
        (value * 1_000.0).round() / 1_000.0
    }
}

/// The points of a range, by time: path, unix seconds, value.
#[derive(Debug)]
pub struct Points<'a> {
    demo: &'a Demo,
    until_secs: i64,
    step_start: i64,
    next_series: usize,
    step: Option<(Moment, Tally)>,
}

impl<'a> Points<'a> {
    pub(super) fn new(demo: &'a Demo, range: TimeRange) -> Self {
        // A point at a whole second lies in the range when it is not before `from`.
        let first_sec = range.from.as_secs() + i64::from(range.from.as_nanos().rem_euclid(1_000_000_000) > 0);
        let until_secs =
            range.until.as_secs() + i64::from(range.until.as_nanos().rem_euclid(1_000_000_000) > 0);
        let step_start = first_sec + (-first_sec).rem_euclid(STEP_SECS);
        Self { demo, until_secs, step_start, next_series: 0, step: None }
    }
}

impl<'a> Iterator for Points<'a> {
    type Item = (&'a str, i64, f64);

    fn next(&mut self) -> Option<Self::Item> {
        if self.next_series == self.demo.series.len() {
            self.next_series = 0;
            self.step = None;
            self.step_start += STEP_SECS;
        }
        if self.step_start >= self.until_secs {
            return None;
        }
        let (demo, start) = (self.demo, self.step_start);
        let (moment, tally) = self.step.get_or_insert_with(|| {
            (Moment::of(demo, (start + STEP_SECS / 2) as f64), Tally::of_step(demo, start))
        });
        let series = &self.demo.series[self.next_series];
        self.next_series += 1;
        Some((&series.path, start, series.value(moment, tally, start)))
    }
}
