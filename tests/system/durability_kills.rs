//! What was acknowledged is there after `kill -9` at any moment: hundreds of times in mid-write, while segments begin,
//! end and are sealed.
//!
//! `KILLS` says how often, `KILL_SEED` from which seed the moments are drawn; every failure tells its seed. Lines
//! tell the whole story themselves: from its number follow a line's time and text, so that what is found needs no notes to
//! be compared with.

use sonde_shared::time::Timestamp;
use sonde_tests::corpus::Dice;
use sonde_tests::http::{Client, split_lines};
use sonde_tests::kills::{Seed, kills, run};
use sonde_tests::server::TestServer;
use sonde_tests::wait;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const CLIENTS: usize = 4;
/// Kills on one folder before it is looked through and left.
const LIFE: usize = 20;
/// Lines of a batch.
const BATCH: u64 = 40;
const FIRST_DAY_SECS: i64 = 1_741_564_800;
/// More than can be open at once: a batch that falls on all of them ends segments, which are then sealed.
const DAYS: u64 = 40;
const POINTS_FROM: u64 = 1_741_600_000;

/// What one sender sent.
#[derive(Debug, Default)]
struct Sent {
    acknowledged: BTreeSet<u64>,
    next: u64,
}

/// Of the minutes of a day few are used, so that times are equal and go backwards.
fn time_on(day: u64, number: u64) -> Timestamp {
    let minute = (number / BATCH * 7 + number % 5 * 3) % 11;
    Timestamp::from_secs(FIRST_DAY_SECS + day as i64 * 86_400 + minute as i64 * 60)
}

/// When a client's line is of: those of a batch fall on three days or, now and then, on all.
fn time_of(number: u64) -> Timestamp {
    let batch = number / BATCH;
    time_on(if batch % 9 == 4 { number % DAYS } else { batch % 5 + number % 3 }, number)
}

/// When a streamed line is of.
fn stream_time_of(number: u64) -> Timestamp {
    time_on(number % 2, number)
}

fn line_of(client: usize, number: u64) -> String {
    let pad = "é".repeat((number * 37 % 200) as usize);
    let ts = time_of(number);
    format!("{{\"ts\":\"{ts}\",\"component\":\"client{client}\",\"msg\":\"line {pad}\",\"n\":{number}}}\n")
}

fn point_of(client: usize, number: u64) -> String {
    format!("client{client}.n {number} {}\n", POINTS_FROM + number)
}

/// Posts batch after batch until the server no longer answers.
fn post_until_killed(http: &Client, client: usize, sent: &mut Sent, answers: &AtomicUsize) {
    loop {
        let numbers = sent.next..sent.next + BATCH;
        sent.next += BATCH;
        let text = |of: fn(usize, u64) -> String| numbers.clone().map(|n| of(client, n)).collect::<String>();
        let lines = http.try_post("/api/ingest/logs", text(line_of).as_bytes(), &[]);
        let points = http.try_post("/api/ingest/metrics", text(point_of).as_bytes(), &[]);
        let (Ok(lines), Ok(points)) = (lines, points) else { return };
        assert_eq!((lines.status, points.status), (200, 200), "{} {}", lines.text(), points.text());
        sent.acknowledged.extend(numbers);
        answers.fetch_add(1, Ordering::Relaxed);
    }
}

/// Sends syslog messages until nobody takes them.
fn stream_until_killed(mut stream: TcpStream, sent: &mut Sent) {
    loop {
        let numbers = sent.next..sent.next + 20;
        sent.next = numbers.end;
        let message = |n: u64| format!("<11>1 {} n1 stream - - - {n}\n", stream_time_of(n));
        if stream.write_all(numbers.map(message).collect::<String>().as_bytes()).is_err() {
            return;
        }
        // A steady stream, so that the others have their turn.
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The numbers of a sender's lines as they come back: no line twice, in order of time and, where that is equal, of arrival,
/// which for one sender is that of the numbers.
fn numbers_in_order(
    body: &[u8],
    number_of: impl Fn(&serde_json::Value) -> Option<u64>,
    time_of: fn(u64) -> Timestamp,
) -> BTreeSet<u64> {
    let number = |line: &[u8]| {
        let line: serde_json::Value = serde_json::from_slice(line).expect("a line is whole");
        number_of(&line).expect("a line has its number")
    };
    let found: Vec<u64> = split_lines(body).into_iter().map(number).collect();
    for pair in found.windows(2) {
        let [first, second] = [pair[0], pair[1]].map(|number| (time_of(number), number));
        assert!(first < second, "{first:?} comes before {second:?}");
    }
    found.into_iter().collect()
}

/// All that was acknowledged is there as it was sent, and nothing that was not sent.
fn check_client(server: &TestServer, client: usize, sent: &Sent) {
    let body = server.logs(&format!("component=client{client}"));
    let found = numbers_in_order(&body, |line| line["n"].as_u64(), time_of);
    let missing: Vec<_> = sent.acknowledged.difference(&found).take(5).collect();
    assert!(missing.is_empty(), "client {client}: acknowledged lines are gone, first {missing:?}");
    assert!(found.last().is_none_or(|last| *last < sent.next), "client {client}: never sent");
    let mut in_order: Vec<u64> = found.into_iter().collect();
    in_order.sort_by_key(|number| (time_of(*number), *number));
    let expected: String = in_order.into_iter().map(|number| line_of(client, number)).collect();
    assert!(body == expected.as_bytes(), "client {client}: the lines are not byte for byte those sent");
}

fn check_points(server: &TestServer, client: usize, sent: &Sent) {
    let until = POINTS_FROM + sent.next + 10;
    let path = format!("/render?format=json&target=client{client}.n&from={}&until={until}", POINTS_FROM - 10);
    let answer: serde_json::Value = server.get(&path).ok().json();
    let points = answer[0]["datapoints"].as_array().cloned().unwrap_or_default();
    let valued = points.iter().filter_map(|point| Some((point[0].as_f64()?, point[1].as_u64()?)));
    let found: BTreeMap<u64, u64> = valued.map(|(value, at)| (at - POINTS_FROM, value as u64)).collect();
    assert!(found.iter().all(|(number, value)| number == value), "client {client}: made-up points");
    let missing = sent.acknowledged.iter().find(|number| !found.contains_key(number));
    assert_eq!(missing, None, "client {client}: an acknowledged point is gone");
}

/// What the lines of all senders look like together, and those of each.
fn check_all(server: &TestServer, clients: &[Sent], stream: &Sent) {
    for (client, sent) in clients.iter().enumerate() {
        check_client(server, client, sent);
        check_points(server, client, sent);
    }
    let body = server.logs("component=syslog");
    let found = numbers_in_order(&body, |line| line["msg"].as_str()?.parse().ok(), stream_time_of);
    assert!(found.last().is_none_or(|last| *last < stream.next), "never sent by syslog");
    let total = split_lines(&server.logs("")).len();
    let clients = (0..CLIENTS).map(|client| server.logs(&format!("component=client{client}")));
    let each: usize = clients.map(|body| split_lines(&body).len()).sum();
    assert_eq!(total, each + found.len(), "lines of nobody");
}

/// Lets all senders write and kills the server after some answers and a little while more.
fn write_until_killed(server: &mut TestServer, clients: &mut [Sent], stream: &mut Sent, dice: &mut Dice) {
    let (wanted, moment) = (dice.below(10), Duration::from_micros(dice.below(20_000) as u64));
    let answers = AtomicUsize::new(0);
    // Before the first answer, which may come, and bring the end, before this sender has begun.
    let syslog = TcpStream::connect(server.listener("syslog")).expect("the listener takes connections");
    std::thread::scope(|scope| {
        for (client, sent) in clients.iter_mut().enumerate() {
            let (http, answers) = (server.http().clone(), &answers);
            scope.spawn(move || post_until_killed(&http, client, sent, answers));
        }
        scope.spawn(move || stream_until_killed(syslog, stream));
        let start = Instant::now();
        while answers.load(Ordering::Relaxed) < wanted && start.elapsed() < wait::PATIENCE {
            std::thread::sleep(Duration::from_millis(1));
        }
        // Nothing is waited for: the moment is to be any.
        std::thread::sleep(moment);
        server.kill();
    });
    assert!(answers.into_inner() >= wanted, "the server has not answered {wanted} times");
}

/// Kills a server so often on one folder, then looks at the folder in all ways there are.
fn live(kills: usize, dice: &mut Dice) {
    // What a process has written outlives it on any disk; in memory it does not spend its life waiting for syncs, and so is
    // killed in between as well.
    let folder = tempfile::tempdir_in("/dev/shm").expect("a folder can be made in memory");
    let mut clients: Vec<Sent> = (0..CLIENTS).map(|_| Sent::default()).collect();
    let mut stream = Sent::default();
    for kill in 0..kills {
        let mut server = TestServer::on(folder.path());
        if kill % 7 == 6 {
            check_all(&server, &clients, &stream);
        }
        write_until_killed(&mut server, &mut clients, &mut stream, dice);
    }
    run("check", folder.path());
    let server = TestServer::on(folder.path());
    check_all(&server, &clients, &stream);
    server.stop();
    run("seal", folder.path());
    let report = run("check", folder.path());
    let is_left = |row: &&str| row.contains(" open ") && !row.contains(" 0 ");
    assert_eq!(report.lines().find(is_left), None, "not everything is sealed");
    check_all(&TestServer::on(folder.path()), &clients, &stream);
}

#[test]
fn what_was_acknowledged_survives_kill_9_at_any_moment() {
    let seed = Seed::from_env();
    let mut dice = Dice::new(seed.number());
    let kills = kills();
    for done in (0..kills).step_by(LIFE) {
        live(LIFE.min(kills - done), &mut dice);
    }
}
