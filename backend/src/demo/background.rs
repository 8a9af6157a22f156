//! What the cluster says without being asked: the nodes, the database's and the mail's own work, the backup, the deploy.

use super::moment::{BACKUP_SECS, DAY_SECS, DEPLOY_SEC, Moment};
use super::noise::{Draw, Noise};
use super::record::{Place, Record};
use super::requests::{DB, FRONTENDS, GIT, MAIL};
use super::{Demo, DemoLine, lines::instant, release_of};
use sonde_shared::log::Level;

const NODES: [Place; 4] = [
    Place { component: "node1", host: "node1" },
    Place { component: "node2", host: "node2" },
    Place { component: "node3", host: "node3" },
    Place { component: "node4", host: "node4" },
];
/// Where the backup runs: beside the database.
const BACKUP_NODE: Place = NODES[1];

/// Lines a second of one node.
const NODE_LINES_PER_SEC: f64 = 0.05;
const DB_LINES_PER_SEC: f64 = 0.06;
const MAIL_LINES_PER_SEC: f64 = 0.09;
const BACKUP_LINES_PER_SEC: f64 = 0.6;

/// Writes the lines that start in a second.
pub(super) fn start(demo: &Demo, moment: &Moment, sec: i64, out: &mut Vec<DemoLine>) {
    for node in NODES {
        several(demo, node.component, sec, NODE_LINES_PER_SEC, |line| out.push(node_line(line, node)));
    }
    several(demo, "db lines", sec, DB_LINES_PER_SEC * moment.load, |line| out.push(db_line(line)));
    several(demo, "mail lines", sec, MAIL_LINES_PER_SEC * moment.load, |line| out.push(mail_line(line)));
    let in_day = sec.rem_euclid(DAY_SECS);
    if in_day % 300 == 0 {
        several(demo, "checkpoint", sec, 16.0, |line| out.extend(line.is_first().then(|| checkpoint(line))));
    }
    if BACKUP_SECS.contains(&in_day) {
        several(demo, "backup", sec, BACKUP_LINES_PER_SEC, |line| out.push(backup_line(line)));
    }
    if (DEPLOY_SEC..DEPLOY_SEC + 30).contains(&in_day) {
        deploy_lines(demo, sec, in_day - DEPLOY_SEC, out);
    }
}

/// A line about to be written: when, and the numbers it may use.
struct Slot {
    sec: i64,
    index: u32,
    millis: u64,
    draw: Draw,
}

impl Slot {
    fn is_first(&self) -> bool {
        self.index == 0
    }

    fn write(&self, level: Level, place: Place, msg: std::fmt::Arguments<'_>) -> Record {
        Record::new(instant(self.sec, self.millis), level, place, msg)
    }
}

fn several(demo: &Demo, what: &str, sec: i64, mean: f64, mut write: impl FnMut(Slot)) {
    let noise = Noise::new(demo.seed, what);
    for index in 0..noise.at(sec).count(mean) {
        let mut draw = noise.nth(sec, index);
        write(Slot { sec, index, millis: draw.below(1_000), draw });
    }
}

fn node_line(mut slot: Slot, node: Place) -> DemoLine {
    let number = slot.draw.below(60_000);
    let peer = 2 + slot.draw.below(12);
    let kind = slot.draw.below(100);
    let (level, unit) = match kind {
        0..1 => (Level::Warn, "kernel"),
        1..3 => (Level::Error, "collector"),
        3..30 => (Level::Info, "cron"),
        30..55 => (Level::Info, "sshd"),
        55..80 => (Level::Info, "systemd"),
        _ => (Level::Debug, "chrony"),
    };
    let msg = match unit {
        "kernel" => format!("eth0: link flapped, {} ms down", 20 + number % 400),
        "collector" => {
            format!("flush to 10.0.0.{peer}:2003 failed after {} ms, retrying", 200 + number % 4_000)
        }
        "cron" => format!("(root) CMD (/usr/lib/sysstat/sa1 1 1), pid {number}"),
        "sshd" => {
            format!("Accepted publickey for deploy from 10.0.0.{peer} port {}", 20_000 + number % 40_000)
        }
        "systemd" => format!("Started session {number} of user deploy"),
        _ => format!("selected source 10.0.0.{peer}, offset {} us", number % 900),
    };
    slot.write(level, node, format_args!("{msg}"))
        .text("unit", format_args!("{unit}"))
        .number("pid", 300 + number % 30_000)
        .done()
}

fn db_line(mut slot: Slot) -> DemoLine {
    let (number, peer) = (slot.draw.below(40_000), 1 + slot.draw.below(4));
    match slot.draw.below(100) {
        0..45 => {
            let msg = format_args!("connection received from 10.0.0.{peer} port {}", 20_000 + number);
            slot.write(Level::Debug, DB, msg).text("client", format_args!("10.0.0.{peer}")).done()
        }
        45..85 => {
            let table = slot.draw.pick(&["issues", "comments", "sessions"]);
            let msg = format_args!("automatic vacuum of table {table}: {number} dead rows removed");
            slot.write(Level::Info, DB, msg)
                .text("table", format_args!("{table}"))
                .number("rows", number)
                .done()
        }
        85..97 => {
            let took = 500 + number % 1_500;
            slot.write(Level::Warn, DB, format_args!("slow query: UPDATE sessions took {took} ms"))
                .number("duration_ms", took)
                .done()
        }
        _ => slot
            .write(
                Level::Error,
                DB,
                format_args!("deadlock detected between processes {number} and {}", number + 7),
            )
            .done(),
    }
}

fn checkpoint(mut slot: Slot) -> DemoLine {
    let (buffers, took) = (200 + slot.draw.below(4_000), 4_000 + slot.draw.below(20_000));
    let msg = format_args!("checkpoint complete: wrote {buffers} buffers in {took} ms");
    slot.write(Level::Info, DB, msg).number("buffers", buffers).number("duration_ms", took).done()
}

fn mail_line(mut slot: Slot) -> DemoLine {
    let (id, took) = (slot.draw.next() >> 40, (700.0 * slot.draw.tail()) as u64);
    let domain = slot.draw.pick(&["example.org", "example.com", "example.net"]);
    let (level, msg) = match slot.draw.below(100) {
        0..88 => (Level::Info, format!("delivered {id:06x} to {domain} in {took} ms")),
        88..95 => (
            Level::Warn,
            format!("{domain} deferred {id:06x}: mailbox busy, next try in {} s", 60 + took / 10),
        ),
        95..99 => (Level::Warn, format!("{id:06x} bounced: no such user at {domain}")),
        _ => (Level::Error, format!("connection to mx.{domain} timed out after {} ms", 5_000 + took)),
    };
    slot.write(level, MAIL, format_args!("{msg}"))
        .text("domain", format_args!("{domain}"))
        .number("duration_ms", took)
        .done()
}

fn backup_line(mut slot: Slot) -> DemoLine {
    let (part, bytes) = (slot.draw.below(400), 8_000_000 + slot.draw.below(120_000_000));
    if slot.draw.chance(0.3) {
        let msg = format_args!("backup: dumped part {part} of 400, {bytes} bytes");
        return slot.write(Level::Info, DB, msg).number("bytes", bytes).done();
    }
    let msg = format_args!("backup: copied /var/lib/db/base/{part} to /backup, {bytes} bytes");
    slot.write(Level::Info, BACKUP_NODE, msg)
        .text("unit", format_args!("backup"))
        .number("bytes", bytes)
        .done()
}

/// Each part stops, starts in the new release and says that it listens.
fn deploy_lines(demo: &Demo, sec: i64, since: i64, out: &mut Vec<DemoLine>) {
    let release = release_of(sec);
    for (turn, place) in (0_i64..).zip([GIT, MAIL, FRONTENDS[0], FRONTENDS[1]]) {
        let mut draw = Noise::new(demo.seed, place.host).nth(sec, turn as u32);
        let slot = Slot { sec, index: 0, millis: draw.below(1_000), draw };
        let (level, msg) = match since - turn * 5 {
            0 => (Level::Warn, format!("stopping, draining {} connections", 2 + draw.below(20))),
            4 => (Level::Info, format!("starting webapp {release}")),
            7 => (Level::Info, format!("webapp {release} listens on 10.0.0.{}:8081", 1 + turn)),
            _ => continue,
        };
        out.push(
            slot.write(level, place, format_args!("{msg}")).text("release", format_args!("{release}")).done(),
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::demo::{Demo, SEED};
    use sonde_shared::time::{TimeRange, Timestamp};

    fn of_day(clock_from: i64, clock_until: i64) -> (Demo, TimeRange) {
        let midnight = 1_763_596_800;
        let at = |clock: i64| Timestamp::from_secs(midnight + clock);
        (Demo::new(SEED, at(86_399)), TimeRange { from: at(clock_from), until: at(clock_until) })
    }

    #[test]
    fn a_deploy_is_an_event_and_some_lines() {
        let (demo, range) = of_day(39_590, 39_660);
        let events = demo.events(range);
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].when % 86_400, 11 * 3_600);
        let starts = demo.lines(range).filter(|line| line.text.contains("starting webapp 4.")).count();
        assert_eq!(starts, 4);
        assert_eq!(demo.events(TimeRange { from: range.until, until: range.until }).len(), 0);
    }

    #[test]
    fn the_backup_writes_at_night_only() {
        let backups = |from, until| {
            let (demo, range) = of_day(from, until);
            demo.lines(range).filter(|line| line.text.contains("\"msg\":\"backup: ")).count()
        };
        assert!(backups(7_200, 9_600) > 1_000);
        assert_eq!(backups(0, 7_200) + backups(9_600, 86_400), 0);
    }
}
