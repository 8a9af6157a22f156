//! What people ask of the web application, and the lines that each request leaves in its parts.
//!
//! The incident is nothing but more requests: one client asking for one page while the disk is slow.

use super::moment::Moment;
use super::noise::{Draw, Noise};
use super::record::{Place, Record};
use super::{Demo, DemoLine, lines::instant};
use sonde_shared::log::Level;
use std::fmt;

pub(super) const FRONTENDS: [Place; 2] = [
    Place { component: "webapp.frontend", host: "node3" },
    Place { component: "webapp.frontend", host: "node4" },
];
pub(super) const GIT: Place = Place { component: "webapp.backend.git", host: "node1" };
pub(super) const DB: Place = Place { component: "webapp.backend.db", host: "node2" };
pub(super) const MAIL: Place = Place { component: "webapp.backend.mail", host: "node4" };

/// Requests a second on an average day.
const REQUESTS_PER_SEC: f64 = 0.9;
/// Requests a second of the one client in the incident.
const GREEDY_PER_SEC: f64 = 1.5;
/// The size of the one page's listing.
const GREEDY_OUTPUT_BYTES: u64 = 48_213_504;
/// From here on a page counts as slow, in ms.
const SLOW_MS: u64 = 500;
/// No request takes longer: the front end gives up.
const TIMEOUT_MS: u64 = 8_000;

const REPOSITORIES: [&str; 9] = [
    "acme/webshop",
    "acme/billing",
    "acme/infra",
    "acme/monorepo",
    "lab/notes",
    "lab/simulator",
    "ops/ansible",
    "ops/dashboards",
    "team/site",
];
const FOLDERS: [&str; 8] = ["src", "src/api", "src/store", "docs", "tests", "deploy", "assets/img", "tools"];
const FILES: [&str; 7] = [
    "README.md",
    "src/main.rs",
    "src/lib.rs",
    "Cargo.toml",
    "deploy/values.yaml",
    "docs/setup.md",
    "Makefile",
];
const USERS: [&str; 8] = ["ada", "boris", "chen", "dora", "emil", "fatima", "goran", "hana"];
const TABLES: [&str; 6] = ["issues", "comments", "users", "sessions", "merge_requests", "notifications"];

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Page {
    Asset,
    Home,
    Issues,
    Search,
    Api,
    Login,
    Tree,
    Blob,
    Commits,
    Fetch,
    Push,
}

/// Each page with its share of a hundred requests and its usual milliseconds.
const PAGES: [(Page, u64, f64); 11] = [
    (Page::Asset, 24, 4.0),
    (Page::Issues, 18, 46.0),
    (Page::Home, 14, 38.0),
    (Page::Api, 12, 22.0),
    (Page::Tree, 9, 80.0),
    (Page::Blob, 8, 32.0),
    (Page::Fetch, 5, 210.0),
    (Page::Search, 4, 120.0),
    (Page::Commits, 4, 45.0),
    (Page::Push, 1, 340.0),
    (Page::Login, 1, 65.0),
];

/// One request, decided but not yet written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request {
    pub(super) page: Page,
    pub(super) status: u16,
    pub(super) duration_ms: u64,
    sec: i64,
    start_ms: u64,
    client: Client,
    id: u64,
    draw: Draw,
}

#[derive(Clone, Copy, Debug)]
enum Client {
    Usual(u64),
    Greedy,
}

impl fmt::Display for Client {
    /// Addresses that are reserved for documentation (RFC 5737).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usual(number) if number % 3 == 0 => write!(f, "192.0.2.{}", 10 + number),
            Self::Usual(number) => write!(f, "198.51.100.{}", 10 + number),
            Self::Greedy => f.write_str("203.0.113.7"),
        }
    }
}

/// The requests that start in a second: first everybody's, then the one client's.
pub(super) fn of_second(demo: &Demo, moment: &Moment, sec: i64) -> impl Iterator<Item = Request> {
    let usual = Noise::new(demo.seed, "requests");
    let greedy = Noise::new(demo.seed, "greedy requests");
    let inside = (demo.incident.from.as_secs()..demo.incident.until.as_secs()).contains(&sec);
    let usual_count = usual.at(sec).count(REQUESTS_PER_SEC * moment.load * demo.load_factor);
    let greedy_count = if inside { greedy.at(sec).count(GREEDY_PER_SEC) } else { 0 };
    let moment = *moment;
    let first = (0..usual_count).map(move |index| Request::usual(usual.nth(sec, index), &moment, sec));
    first.chain((0..greedy_count).map(move |index| Request::greedy(greedy.nth(sec, index), &moment, sec)))
}

/// Writes the lines of the requests that start in a second.
pub(super) fn start(demo: &Demo, moment: &Moment, sec: i64, out: &mut Vec<DemoLine>) {
    of_second(demo, moment, sec).for_each(|request| request.write(out));
}

impl Request {
    fn usual(mut draw: Draw, moment: &Moment, sec: i64) -> Self {
        let (page, usual_ms) = pick_page(&mut draw);
        let few = draw.unit();
        let client = Client::Usual((96.0 * few * few) as u64);
        let status = pick_status(&mut draw, page);
        let slowed_ms = match page {
            Page::Tree => moment.tree_ms(),
            Page::Blob | Page::Commits | Page::Fetch => moment.during_incident(usual_ms, usual_ms * 3.5),
            _ => usual_ms,
        };
        Self::at(draw, sec, page, status, client, slowed_ms)
    }

    fn greedy(draw: Draw, moment: &Moment, sec: i64) -> Self {
        Self::at(draw, sec, Page::Tree, 200, Client::Greedy, moment.tree_ms())
    }

    fn at(mut draw: Draw, sec: i64, page: Page, status: u16, client: Client, usual_ms: f64) -> Self {
        let (start_ms, id) = (draw.below(1_000), draw.next());
        // A gateway timeout takes as long as the front end waits for the database.
        let duration_ms = if status == 504 { 3_000 } else { (usual_ms * draw.tail()).max(1.0) as u64 };
        Self { page, status, duration_ms: duration_ms.min(TIMEOUT_MS), sec, start_ms, client, id, draw }
    }

    fn write(mut self, out: &mut Vec<DemoLine>) {
        let path = self.path();
        match self.page {
            Page::Tree | Page::Blob | Page::Commits => self.write_git_page(&path, out),
            Page::Fetch => self.write_fetch(&path, out),
            Page::Push => self.write_push(&path, out),
            Page::Home | Page::Issues | Page::Api | Page::Search => self.write_db(out),
            Page::Asset | Page::Login => {}
        }
        self.write_access(&path, out);
    }

    fn path(&mut self) -> String {
        let draw = &mut self.draw;
        let repository = draw.pick(&REPOSITORIES);
        match self.page {
            Page::Tree if matches!(self.client, Client::Greedy) => {
                "/acme/monorepo/tree/main/third_party".to_owned()
            }
            Page::Tree => format!("/{repository}/tree/main/{}", draw.pick(&FOLDERS)),
            Page::Blob => format!("/{repository}/blob/main/{}", draw.pick(&FILES)),
            Page::Commits => format!("/{repository}/commits/main"),
            Page::Fetch => format!("/{repository}.git/git-upload-pack"),
            Page::Push => format!("/{repository}.git/git-receive-pack"),
            Page::Asset => format!(
                "/assets/{}-{:08x}.js",
                draw.pick(&["app", "vendor", "editor"]),
                draw.below(40) * 0x0101_1003
            ),
            Page::Home => "/".to_owned(),
            Page::Issues => format!("/{repository}/issues/{}", 1 + draw.below(900)),
            Page::Search => {
                format!("/search?q={}", draw.pick(&["timeout", "retry", "login", "tree", "invoice"]))
            }
            Page::Api => format!("/api/v4/projects/{}/merge_requests", 1 + draw.below(60)),
            Page::Login => "/login".to_owned(),
        }
    }

    /// A line that is written so many milliseconds after the request came.
    fn record(&self, after_ms: u64, level: Level, place: Place, msg: fmt::Arguments<'_>) -> Record {
        Record::new(instant(self.sec, self.start_ms + after_ms), level, place, msg)
            .text("client", format_args!("{}", self.client))
            .text("request_id", format_args!("{:016x}", self.id))
    }

    fn write_access(&mut self, path: &str, out: &mut Vec<DemoLine>) {
        let place = self.draw.pick(&FRONTENDS);
        let method = if matches!(self.page, Page::Login | Page::Fetch | Page::Push) { "POST" } else { "GET" };
        let (status, duration_ms) = (self.status, self.duration_ms);
        let level = match status {
            500.. => Level::Error,
            401 | 403 | 429 => Level::Warn,
            _ => Level::Info,
        };
        let bytes = 400 + self.draw.below(60_000);
        let msg = format_args!("{method} {path} answered {status} in {duration_ms} ms");
        let access = self.record(duration_ms, level, place, msg);
        let access = access.text("method", format_args!("{method}")).text("path", format_args!("{path}"));
        out.push(
            access
                .number("status", u64::from(status))
                .number("duration_ms", duration_ms)
                .number("bytes", bytes)
                .done(),
        );
    }

    fn write_git_page(&mut self, path: &str, out: &mut Vec<DemoLine>) {
        let duration_ms = self.duration_ms;
        let command = match self.page {
            Page::Tree => "ls-tree",
            Page::Blob => "cat-file",
            _ => "rev-list",
        };
        let bytes = match self.client {
            Client::Greedy => GREEDY_OUTPUT_BYTES,
            Client::Usual(_) => 2_000 + self.draw.below(400_000),
        };
        if self.status >= 500 {
            let msg = format_args!("git {command} failed with exit status 128");
            let failed =
                self.record(duration_ms, Level::Error, GIT, msg).text("path", format_args!("{path}"));
            out.push(failed.number("duration_ms", duration_ms).done());
            return;
        }
        self.write_command(command, path, bytes, duration_ms * 9 / 10, out);
        let msg = format_args!("rendered {path} in {duration_ms} ms");
        let rendered = self.record(duration_ms, Level::Info, GIT, msg).text("path", format_args!("{path}"));
        out.push(rendered.number("duration_ms", duration_ms).done());
        if duration_ms > SLOW_MS && self.page == Page::Tree {
            let msg =
                format_args!("slow rendering of a tree page: {duration_ms} ms, the limit is {SLOW_MS} ms");
            let slow = self.record(duration_ms, Level::Warn, GIT, msg).text("path", format_args!("{path}"));
            out.push(slow.number("duration_ms", duration_ms).number("output_bytes", bytes).done());
        }
    }

    /// The two lines of a `git` command: its start and what it wrote.
    fn write_command(
        &mut self,
        command: &str,
        path: &str,
        bytes: u64,
        took_ms: u64,
        out: &mut Vec<DemoLine>,
    ) {
        let pid = 2_000 + self.draw.below(60_000);
        let started = self.record(1, Level::Debug, GIT, format_args!("started git {command}, pid {pid}"));
        out.push(started.text("path", format_args!("{path}")).number("pid", pid).done());
        let (whole, tenth) = (bytes / 1_000_000, bytes / 100_000 % 10);
        let msg = format_args!("git {command} wrote {whole}.{tenth} MB of output in {took_ms} ms");
        let wrote = self.record(took_ms.max(1), Level::Debug, GIT, msg).text("path", format_args!("{path}"));
        out.push(
            wrote.number("pid", pid).number("duration_ms", took_ms).number("output_bytes", bytes).done(),
        );
    }

    fn write_fetch(&mut self, path: &str, out: &mut Vec<DemoLine>) {
        let (objects, duration_ms) = (3 + self.draw.below(4_000), self.duration_ms);
        let msg = format_args!("upload-pack sent {objects} objects in {duration_ms} ms");
        let sent = self.record(duration_ms, Level::Info, GIT, msg).text("path", format_args!("{path}"));
        out.push(sent.number("objects", objects).number("duration_ms", duration_ms).done());
    }

    fn write_push(&mut self, path: &str, out: &mut Vec<DemoLine>) {
        let (user, commits) = (self.draw.pick(&USERS), 1 + self.draw.below(6));
        let msg = format_args!("{user} pushed {commits} commits to main");
        let pushed = self.record(self.duration_ms, Level::Info, GIT, msg);
        out.push(pushed.text("path", format_args!("{path}")).text("user", format_args!("{user}")).done());
        let (mail, recipients) = (self.draw.next() >> 40, 1 + self.draw.below(12));
        let msg = format_args!("queued notification {mail:06x} for {recipients} recipients");
        out.push(
            self.record(self.duration_ms, Level::Info, MAIL, msg).number("recipients", recipients).done(),
        );
    }

    fn write_db(&mut self, out: &mut Vec<DemoLine>) {
        let (table, rows) = (self.draw.pick(&TABLES), self.draw.below(200));
        let took_ms = (self.duration_ms / 3).max(1);
        let msg = format_args!("SELECT on {table} returned {rows} rows in {took_ms} ms");
        let level = if took_ms > 120 { Level::Warn } else { Level::Debug };
        let query = self.record(took_ms, level, DB, msg).text("table", format_args!("{table}"));
        out.push(query.number("rows", rows).number("duration_ms", took_ms).done());
    }
}

fn pick_page(draw: &mut Draw) -> (Page, f64) {
    let mut rest = draw.below(100);
    for (page, share, usual_ms) in PAGES {
        if rest < share {
            return (page, usual_ms);
        }
        rest -= share;
    }
    (Page::Asset, 4.0)
}

fn pick_status(draw: &mut Draw, page: Page) -> u16 {
    match (draw.below(1_000), page) {
        (0..4, _) => 500,
        (4..8, Page::Home | Page::Issues | Page::Api | Page::Search) => 504,
        (8..40, Page::Issues | Page::Blob | Page::Asset) => 404,
        (8..250, Page::Login) => 401,
        (8..20, Page::Api) => 429,
        (40..240, Page::Asset) => 304,
        _ => 200,
    }
}
