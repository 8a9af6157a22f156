//! `sonde snapshot`: a copy of a folder that a server is writing to is a whole folder, and stays as it is.

use sonde_tests::http::{Client, split_lines};
use sonde_tests::oracle::assert_same_lines;
use sonde_tests::server::{TestServer, binary};
use sonde_tests::wait;
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// More days than are open for writing at once, of lines and of points: files are finished, sealed and merged all the time.
const DAYS: u64 = 80;
const DAY_SECS: u64 = 86_400;
const START_SECS: u64 = 1_704_067_200;
const BATCH: u64 = 30;

fn snapshot(data: &Path, target: &Path) -> Output {
    let mut command = Command::new(binary());
    command.env_remove("SONDE_DATA").arg("snapshot").arg("--data").arg(data).arg(target);
    command.output().expect("the program starts")
}

#[track_caller]
fn take(data: &Path, target: &Path) -> String {
    let output = snapshot(data, target);
    let said = [&*output.stdout, &output.stderr].map(String::from_utf8_lossy).concat();
    assert!(output.status.success(), "{said}");
    said
}

#[track_caller]
fn run(data: &Path, command: &str) -> Vec<u8> {
    let output = Command::new(binary()).arg(command).arg("--data").arg(data).output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command}: {said}{}", String::from_utf8_lossy(&output.stdout));
    output.stdout
}

/// Each number lies on a day of its own choice, so that a batch goes to as many folders as it has lines.
fn secs(number: u64) -> u64 {
    START_SECS + number * 7 % DAYS * DAY_SECS + number % DAY_SECS
}

/// Numbers of one day's lines.
fn on_one_day(numbers: std::ops::Range<u64>) -> Vec<u64> {
    numbers.map(|number| number * DAYS).collect()
}

fn lines(client: usize, numbers: &[u64]) -> String {
    let pad = "x".repeat(300);
    let line = |n: &u64| {
        let ts = secs(*n);
        format!("{{\"ts\":{ts},\"component\":\"client{client}\",\"msg\":\"line {pad}\",\"n\":{n}}}\n")
    };
    numbers.iter().map(line).collect()
}

fn points(client: usize, numbers: &[u64]) -> String {
    let point = |n: &u64| format!("client{client}.n {n} {}\n", secs(*n));
    numbers.iter().map(point).collect()
}

/// Posts batch after batch; what was acknowledged is noted at once.
fn post_until_told(http: &Client, client: usize, acknowledged: &Mutex<u64>, stop: &AtomicBool) {
    let mut next = 0;
    while !stop.load(Ordering::Relaxed) {
        let numbers: Vec<u64> = (next..next + BATCH).collect();
        next += BATCH;
        drop(http.post("/api/ingest/logs", lines(client, &numbers).as_bytes()).ok());
        drop(http.post("/api/ingest/metrics", points(client, &numbers).as_bytes()).ok());
        let when = secs(next);
        drop(http.post("/events/", format!("{{\"what\":\"{next}\",\"when\":{when}}}").as_bytes()).ok());
        *acknowledged.lock().expect("no thread has panicked") = next;
    }
}

/// Every line that was acknowledged before is there once, and none twice.
fn check_lines(copy: &Path, acknowledged: &[u64]) {
    let table = String::from_utf8(run(copy, "check")).expect("it says text");
    assert!(table.ends_with("all of it holds\n"), "{table}");
    let mut found: BTreeMap<(String, u64), u32> = BTreeMap::new();
    for line in split_lines(&run(copy, "export")) {
        let line: serde_json::Value = serde_json::from_slice(line).expect("a line is whole");
        let component = line["component"].as_str().expect("a line has a component").to_owned();
        *found.entry((component, line["n"].as_u64().expect("a line has its number"))).or_default() += 1;
    }
    assert!(found.values().all(|times| *times == 1), "a line is there twice");
    for (client, upto) in acknowledged.iter().enumerate() {
        let missing = (0..*upto).find(|number| !found.contains_key(&(format!("client{client}"), *number)));
        assert_eq!(missing, None, "client {client}: a line of {upto} is missing");
    }
}

/// The same of points and events, as a server on the copy answers.
fn check_points(server: &TestServer, client: usize, upto: u64) {
    let (from, until) = (START_SECS - 1, START_SECS + DAYS * DAY_SECS);
    let path =
        format!("/render?format=json&target=client{client}.n&from={from}&until={until}&noNullPoints=1");
    let answer: serde_json::Value = server.get(&path).ok().json();
    let points = answer[0]["datapoints"].as_array().cloned().unwrap_or_default();
    let found: Vec<u64> = points.iter().filter_map(|point| Some(point[0].as_f64()? as u64)).collect();
    let missing = (0..upto).find(|number| !found.contains(number));
    assert_eq!(missing, None, "client {client}: a point of {upto} is missing");
    let events: serde_json::Value =
        server.get(&format!("/events/get_data?from={from}&until={until}")).ok().json();
    let whats: Vec<&str> =
        events.as_array().expect("a list").iter().filter_map(|event| event["what"].as_str()).collect();
    for number in (BATCH..=upto).step_by(BATCH as usize) {
        assert!(whats.contains(&&*number.to_string()), "the event of {number} is missing");
    }
}

#[test]
fn a_snapshot_of_a_busy_folder_has_all_that_was_acknowledged_exactly_once() {
    const CLIENTS: usize = 2;
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let data = folder.path().join("data");
    let server = TestServer::on(&data);
    let acknowledged: [Mutex<u64>; CLIENTS] = Default::default();
    let stop = AtomicBool::new(false);
    let read = || acknowledged.each_ref().map(|upto| *upto.lock().expect("no thread has panicked"));
    let copies: Vec<(PathBuf, [u64; CLIENTS])> = std::thread::scope(|scope| {
        for (client, acknowledged) in acknowledged.iter().enumerate() {
            let (http, stop) = (server.http().clone(), &stop);
            scope.spawn(move || post_until_told(&http, client, acknowledged, stop));
        }
        let copies = (1..=4).map(|number| {
            let wanted = number * 6 * BATCH;
            wait::until("more to be acknowledged", || {
                let upto = read();
                if upto.iter().all(|upto| *upto >= wanted) { Ok(()) } else { Err(upto) }
            });
            let (before, copy) = (read(), folder.path().join(format!("copy{number}")));
            take(&data, &copy);
            (copy, before)
        });
        let copies = copies.collect();
        stop.store(true, Ordering::Relaxed);
        copies
    });
    for (copy, before) in &copies {
        check_lines(copy, before);
    }
    let (copy, before) = copies.last().expect("some were taken");
    let server = TestServer::on(copy);
    for (client, upto) in before.iter().enumerate() {
        check_points(&server, client, *upto);
    }
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn a_snapshot_stays_as_it_is_and_shares_the_bytes_of_finished_files() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let (data, copy) = (folder.path().join("data"), folder.path().join("copy"));
    let numbers = on_one_day(0..300);
    let server = TestServer::on(&data);
    server.store_logs(lines(0, &numbers).as_bytes());
    server.stop();
    run(&data, "seal");
    let server = TestServer::on(&data);
    let more = on_one_day(300..400);
    server.store_logs(lines(0, &more).as_bytes());
    let expected = server.logs("");
    take(&data, &copy);
    for file in files(&copy) {
        let links = std::fs::metadata(&file).expect("it is there").nlink();
        let is_sealed = file.to_string_lossy().ends_with(".zst");
        let is_text = file.to_string_lossy().ends_with(".ndjson");
        assert!(!is_sealed || links == 2, "{} is sealed and shared", file.display());
        assert!(!is_text || links == 1, "{} is being written and copied", file.display());
    }
    let later = on_one_day(400..500);
    server.store_logs(lines(0, &later).as_bytes());
    assert_same_lines(&run(&copy, "export"), &expected, "the copy, after the original went on");
    server.stop();
    std::fs::remove_dir_all(&data).expect("the original can be deleted");
    let server = TestServer::on(&copy);
    assert_same_lines(&server.logs(""), &expected, "a server on the copy alone");
    server.store_logs(lines(0, &later).as_bytes());
    assert_eq!(server.count_logs(""), 500, "it takes more");
}

#[test]
fn a_snapshot_goes_nowhere_where_something_is() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let data = folder.path().join("data");
    TestServer::on(&data).store_logs(lines(0, &[1, 2, 3]).as_bytes());
    let full = folder.path().join("full");
    std::fs::create_dir(&full).expect("a folder can be made");
    std::fs::write(full.join("a"), "something").expect("a file can be written");
    let refused = [
        (full.clone(), "not empty"),
        (full.join("a"), "no folder"),
        (data.join("copy"), "in the data folder"),
        (data.clone(), "not empty"),
        (folder.path().join("none/copy"), "cannot hold the copy"),
    ];
    for (target, why) in refused {
        let output = snapshot(&data, &target);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(why), "{}: {said}", target.display());
    }
    assert_eq!(files(&full).len(), 1);
    let missing = snapshot(&folder.path().join("nothing"), &folder.path().join("copy"));
    assert!(!missing.status.success() && !folder.path().join("copy").exists());
    let empty = folder.path().join("empty");
    std::fs::create_dir(&empty).expect("a folder can be made");
    take(&data, &empty);
    assert_eq!(split_lines(&run(&empty, "export")).len(), 3, "an empty folder is taken");
}
