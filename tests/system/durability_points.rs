//! What was acknowledged of points, or read and closed a second before, is there after `kill -9` at any moment, and the last
//! write for a second counts: while days are begun, sealed, and written to again.
//!
//! `KILLS` says how often for a fifth of it, `KILL_SEED` from which seed the moments are drawn. From a write's number follow
//! its series, second and value, and from a value that is found the number: so all that is found is told apart, and writes
//! that fall on one second stand in the order of their numbers.

use sonde_shared::api::decode_columns;
use sonde_shared::time::{Day, Timestamp};
use sonde_tests::corpus::Dice;
use sonde_tests::http::Client;
use sonde_tests::kills::{Seed, kills, run};
use sonde_tests::points::pickle_frame;
use sonde_tests::server::{Setup, TestServer};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::ops::Range;
use std::path::Path;
use std::time::{Duration, Instant};

/// Kills on one folder before it is looked through and left.
const LIFE: usize = 14;
/// What is read and closed may be lost for so long at most.
const LOSS_BOUND: Duration = Duration::from_secs(1);
const FIRST_SECS: u64 = 1_741_564_800;
const DAY_SECS: u64 = 86_400;
/// More than can be written to at a time, so that days are closed and begun again.
const DAYS: u64 = 80;
/// What a series' values are divided by: whole numbers, decimals, and what is neither.
const PARTS: [f64; 3] = [1.0, 10.0, 7.0];

/// How a sender sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Http,
    Plaintext,
    Pickle,
}

const SENDERS: [Way; 6] = [Way::Http, Way::Plaintext, Way::Pickle, Way::Plaintext, Way::Pickle, Way::Http];

/// A series' number and a second.
type Place = (usize, u64);

/// Where a write falls: mostly on few seconds of few days, so that one is followed by others for the same. The last sender's
/// fall on all days now and then; others' do not, for a day that is closed for another is written out as a whole.
fn place_of(sender: usize, number: u64) -> Place {
    let mixed = Dice::new(number / 3).roll();
    let is_on_all = sender + 1 == SENDERS.len() && number / 500 % 9 == 4;
    let (day, second) = (mixed % if is_on_all { DAYS } else { 4 }, (mixed >> 32) % 60);
    let series = (number % 3) as usize;
    (series, FIRST_SECS + day * DAY_SECS + second * if series == 2 { 7 } else { 10 })
}

fn value_of(number: u64) -> f64 {
    number as f64 / PARTS[(number % 3) as usize]
}

/// The write that left a value, if one did.
fn number_of(series: usize, value: f64) -> Option<u64> {
    let number = (value * PARTS[series]).round() as u64;
    (number % 3 == series as u64 && value_of(number).to_bits() == value.to_bits()).then_some(number)
}

fn name(sender: usize, series: usize) -> String {
    format!("sender{sender}.series{series}")
}

fn lines(sender: usize, numbers: Range<u64>) -> Vec<u8> {
    let line = |number| {
        let (series, at) = place_of(sender, number);
        format!("{} {:?} {at}\n", name(sender, series), value_of(number))
    };
    numbers.map(line).collect::<String>().into_bytes()
}

fn pickles(sender: usize, numbers: Range<u64>) -> Vec<u8> {
    let names: Vec<String> = (0..PARTS.len()).map(|series| name(sender, series)).collect();
    let point = |number| {
        let (series, at) = place_of(sender, number);
        (names[series].as_str(), value_of(number), at)
    };
    let points: Vec<_> = numbers.map(point).collect();
    points.chunks(50).flat_map(pickle_frame).collect()
}

/// What one sender sent, over all kills.
#[derive(Debug, Default)]
struct Sent {
    sender: usize,
    next: u64,
    /// Of each place the latest write that must be there: a later one may be instead.
    settled: BTreeMap<Place, u64>,
    /// How many writes were settled, for there to be something to see.
    count: u64,
}

impl Sent {
    fn settle(&mut self, numbers: Range<u64>) {
        self.count += numbers.end - numbers.start;
        let sender = self.sender;
        self.settled.extend(numbers.map(|number| (place_of(sender, number), number)));
    }

    /// The next writes, some number of them.
    fn some(&mut self, dice: &mut Dice, at_most: usize) -> Range<u64> {
        let numbers = self.next..self.next + 1 + dice.skewed(at_most) as u64;
        self.next = numbers.end;
        numbers
    }
}

/// Posts until the server no longer answers.
fn post_until_killed(http: &Client, sender: usize, sent: &mut Sent, dice: &mut Dice) {
    loop {
        let numbers = sent.some(dice, 200);
        let body = lines(sender, numbers.clone());
        let Ok(answer) = http.try_post("/api/ingest/metrics", &body, &[]) else { return };
        assert_eq!(answer.status, 200, "{}", answer.text());
        sent.settle(numbers);
    }
}

/// Sends over one connection after the other until nobody takes them; which writes were read and closed when.
fn stream_until_killed(
    to: SocketAddr,
    bytes_of: impl Fn(Range<u64>) -> Vec<u8>,
    sent: &mut Sent,
    dice: &mut Dice,
) -> Vec<(Instant, Range<u64>)> {
    let mut closed = Vec::new();
    loop {
        let numbers = sent.some(dice, 2_000);
        let bytes = bytes_of(numbers.clone());
        if send_until_closed(to, &bytes, dice).is_err() {
            return closed;
        }
        closed.push((Instant::now(), numbers));
    }
}

/// Sends bytes in pieces that end anywhere, and waits until the server has read them all and closed.
fn send_until_closed(to: SocketAddr, mut bytes: &[u8], dice: &mut Dice) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(to)?;
    while let Some(piece) = bytes.split_off(..bytes.len().min(1 + dice.skewed(8_000))) {
        if piece.is_empty() {
            break;
        }
        stream.write_all(piece)?;
        // A steady stream, so that the others have their turn.
        std::thread::sleep(Duration::from_micros(dice.below(3_000) as u64));
    }
    stream.shutdown(std::net::Shutdown::Write)?;
    stream.read_to_end(&mut Vec::new()).map(drop)
}

fn start(data: &Path) -> TestServer {
    let setup = Setup::on(data).arg("--carbon-pickle").arg("127.0.0.1:0");
    setup.arg("--own-metrics").arg("off").start()
}

/// Where senders send.
struct Targets {
    http: Option<Client>,
    carbon: SocketAddr,
    pickle: SocketAddr,
}

impl Targets {
    /// Lets a sender send until the server is gone; what of it was read and closed when.
    fn send_until_killed(
        &self,
        sender: usize,
        sent: &mut Sent,
        mut dice: Dice,
    ) -> Vec<(Instant, Range<u64>)> {
        let dice = &mut dice;
        match SENDERS[sender] {
            Way::Http => {
                if let Some(http) = &self.http {
                    post_until_killed(http, sender, sent, dice);
                }
                Vec::new()
            }
            Way::Plaintext => stream_until_killed(self.carbon, |range| lines(sender, range), sent, dice),
            Way::Pickle => stream_until_killed(self.pickle, |range| pickles(sender, range), sent, dice),
        }
    }
}

/// Lets all senders write, kills the server, and notes what must have survived that.
fn write_until_killed(server: &mut TestServer, sent: &mut [Sent], kill: usize, dice: &mut Dice) {
    // Half of the kills come soon, the others when there is something that was closed a second before. A request over HTTP
    // takes what is streamed along to the disk: half of the rounds have none.
    let moment = Duration::from_millis([dice.below(120), 1_050 + dice.below(900)][kill % 2] as u64);
    let http = (kill / 2).is_multiple_of(2).then(|| server.http().clone());
    let (carbon, pickle) = (server.listener("carbon"), server.listener("carbon-pickle"));
    let targets = &Targets { http, carbon, pickle };
    std::thread::scope(|scope| {
        let mut running = Vec::new();
        for (sender, sent) in sent.iter_mut().enumerate() {
            let dice = Dice::new(dice.roll());
            running.push(scope.spawn(move || {
                let closed = targets.send_until_killed(sender, sent, dice);
                (sent, closed)
            }));
        }
        // Nothing is waited for: the moment is to be any.
        std::thread::sleep(moment);
        let killed = Instant::now();
        server.kill();
        for sender in running {
            let (sent, closed) = sender.join().expect("a sender ends when the server does");
            for (at, numbers) in closed {
                if at + LOSS_BOUND < killed {
                    sent.settle(numbers);
                }
            }
        }
    });
}

/// What is found of a sender: all that must be, and nothing that it has not sent there. What is found once stays.
fn check_sender(server: &TestServer, sender: usize, sent: &mut Sent) {
    let until = FIRST_SECS + (DAYS + 1) * DAY_SECS;
    let path =
        format!("/render?format=columns&target=sender{sender}.*&from={}&until={until}", FIRST_SECS - 1);
    let columns = decode_columns(&server.get(&path).ok().body).expect("the answer is of columns");
    let mut found = BTreeMap::new();
    for column in &columns {
        let series = (0..PARTS.len()).find(|series| name(sender, *series) == column.name);
        let series = series.unwrap_or_else(|| panic!("nobody sent {}", column.name));
        // A gap is marked by a value that is none.
        let points = column.times_ms.iter().zip(&column.values).filter(|(_, value)| !value.is_nan());
        for (ms, value) in points {
            let place = (series, (ms / 1_000.0) as u64);
            let number = number_of(series, *value);
            let number = number.filter(|number| place_of(sender, *number) == place && *number < sent.next);
            let number =
                number.unwrap_or_else(|| panic!("{} {value} at {place:?} was never sent", column.name));
            assert!(found.insert(place, number).is_none(), "{} has two points at {place:?}", column.name);
        }
    }
    for (place, number) in &sent.settled {
        let there = found.get(place);
        let way = SENDERS[sender];
        assert!(
            there.is_some_and(|there| there >= number),
            "{way:?} {sender}: {number} at {place:?}, found {there:?}"
        );
    }
    sent.settled.extend(found);
}

fn check_all(server: &TestServer, sent: &mut [Sent]) {
    for (sender, sent) in sent.iter_mut().enumerate() {
        check_sender(server, sender, sent);
    }
    let names: Vec<String> = server.get("/metrics/index.json").ok().json();
    let is_known = |found: &String| {
        (0..sent.len()).any(|sender| (0..PARTS.len()).any(|series| name(sender, series) == *found))
    };
    assert_eq!(names.iter().find(|found| !is_known(found)), None, "a series of nobody");
}

/// The answers to all questions about points, day by day.
fn answers(server: &TestServer) -> Vec<Vec<u8>> {
    let day = |day: u64| {
        let from = FIRST_SECS + day * DAY_SECS;
        let range = format!("from={}&until={}", from - 1, from + DAY_SECS - 1);
        ["columns", "json"]
            .map(|form| server.get(&format!("/render?format={form}&target=*.*&{range}")).ok().body)
    };
    (0..DAYS).flat_map(day).collect()
}

/// Kills a server so often on one folder, then looks at the folder in all ways there are.
fn live(kills: usize, sent: &mut [Sent], dice: &mut Dice) {
    // What a process has written outlives it on any disk; in memory it does not spend its life waiting for syncs.
    let folder = tempfile::tempdir_in("/dev/shm").expect("a folder can be made in memory");
    for kill in 0..kills {
        let mut server = start(folder.path());
        check_all(&server, sent);
        write_until_killed(&mut server, sent, kill, dice);
    }
    run("check", folder.path());
    let server = start(folder.path());
    check_all(&server, sent);
    let before = answers(&server);
    server.stop();
    run("seal", folder.path());
    run("check", folder.path());
    let logs = logs_of_points(folder.path());
    assert!(logs.is_empty(), "not everything is sealed: {logs:?}");
    let server = start(folder.path());
    check_all(&server, sent);
    assert!(answers(&server) == before, "the answers are others after sealing");
}

/// Write-ahead logs that are left.
fn logs_of_points(data: &Path) -> Vec<std::path::PathBuf> {
    let first = Timestamp::from_secs(FIRST_SECS as i64).day().number();
    let days = (0..DAYS as i64).map(|at| data.join(Day::from_number(first + at).to_string()));
    let files = days.filter_map(|day| std::fs::read_dir(day).ok()).flatten();
    let paths = files.map(|file| file.expect("a folder can be read").path());
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "wal")).collect()
}

#[test]
fn points_that_were_acknowledged_or_read_a_second_before_survive_kill_9_at_any_moment() {
    let seed = Seed::from_env();
    let mut dice = Dice::new(seed.number());
    let kills = kills().div_ceil(5);
    let mut counts = [0; SENDERS.len()];
    for done in (0..kills).step_by(LIFE) {
        let mut sent: Vec<Sent> =
            (0..SENDERS.len()).map(|sender| Sent { sender, ..Sent::default() }).collect();
        live(LIFE.min(kills - done), &mut sent, &mut dice);
        counts.iter_mut().zip(&sent).for_each(|(count, sent)| *count += sent.count);
    }
    // With few kills there may be none that came late enough.
    assert!(
        kills < LIFE || counts.iter().all(|count| *count > 1_000),
        "too little was looked at: {counts:?}"
    );
}
