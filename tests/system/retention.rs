//! What is older than the retention goes, whole days at once; nothing else does.

use sonde_shared::time::{Day, NANOS_PER_DAY, Timestamp};
use sonde_tests::corpus::{Corpus, Names, Recipe, Style};
use sonde_tests::http::split_lines;
use sonde_tests::oracle::{Query, assert_same_lines};
use sonde_tests::server::{Setup, TestServer, binary};
use sonde_tests::wait;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

/// It is looked for what is to be deleted once a minute.
const NEXT_LOOK: Duration = Duration::from_mins(2);

/// So many days before this moment.
fn ago(days: i64) -> Timestamp {
    let since = SystemTime::UNIX_EPOCH.elapsed().expect("it is after 1970");
    Timestamp::from_nanos(since.as_nanos() as i64).plus_nanos(-days * NANOS_PER_DAY)
}

fn line(at: Timestamp) -> String {
    format!("{{\"ts\":\"{at}\",\"component\":\"shop\",\"msg\":\"m\"}}\n")
}

fn import(data: &Path, lines: &str) {
    let file = data.with_extension("ndjson");
    std::fs::write(&file, lines).expect("a file can be written");
    let mut command = Command::new(binary());
    // What is set for a server means nothing to it.
    command.env("SONDE_RETENTION", "30d").arg("import").arg("--data").arg(data).arg(&file);
    let output = command.output().expect("the program starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The names of the folders in a data folder, sorted.
fn folders(data: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(data).expect("a folder").map(|entry| entry.expect("an entry"));
    let folders = entries.filter(|entry| entry.path().is_dir());
    let mut names: Vec<String> =
        folders.map(|entry| entry.file_name().into_string().expect("a plain name")).collect();
    names.sort();
    names
}

fn names(days: &[Day]) -> Vec<String> {
    days.iter().map(Day::to_string).collect()
}

#[track_caller]
fn wait_for_days(server: &TestServer, limit: Duration, days: &[Day]) {
    let expected = names(days);
    wait::until_within(limit, "other days to go", || wait::same(folders(server.data()), &expected));
}

#[test]
fn what_is_older_than_the_retention_is_refused_with_the_reason_and_counted() {
    let server = Setup::default().arg("--retention").arg("30d").start();
    let (old, new) = (ago(40), ago(29));
    let why = format!("{old} is before {}, the earliest time that is kept", ago(30).day().start());
    let report = server.post_logs((line(old) + &line(new)).as_bytes());
    assert_eq!((report.stored, report.refused_total, &*report.refused[0].why), (1, 1, &*why));
    let points = format!("shop.ms 1 {}\nshop.ms 2 {}\n", old.as_secs(), new.as_secs());
    let answer = server.http().post("/api/ingest/metrics", points.as_bytes()).ok().text();
    assert!(answer.contains("\"stored\":1") && answer.contains("the earliest time that is kept"), "{answer}");
    server.send_tcp("carbon", points.as_bytes());
    for protocol in ["ndjson_http", "carbon_http", "carbon_tcp"] {
        let counter = format!("sonde_ingest_refused_total{{protocol=\"{protocol}\",reason=\"past\"}}");
        wait::until("one to be counted", || wait::same(server.counter(&counter), &1.0));
    }
    let event = |at: Timestamp| format!("{{\"what\":\"deploy\",\"when\":{}}}", at.as_secs());
    let refused = server.http().post("/events/", event(old).as_bytes()).problem();
    assert!(refused.detail.contains("the earliest time that is kept"), "{}", refused.detail);
    drop(server.http().post("/events/", event(new).as_bytes()).ok());
    // A syslog sender gets no answer: its line is kept at the time of its arrival, as with other stamps that cannot be.
    server.send_tcp("syslog", format!("<11>1 {old} n1 su - - - spooled\n").as_bytes());
    let kept = wait::until("the line", || {
        let body = server.logs("component=syslog&from=-1h");
        if body.is_empty() { Err("none") } else { Ok(String::from_utf8_lossy(&body).into_owned()) }
    });
    assert!(kept.contains("\"ts_from\":\"received\"") && kept.contains(&old.to_string()), "{kept}");
    assert_eq!(folders(server.data()), names(&[new.day(), ago(0).day()]));
}

#[test]
fn days_beyond_the_retention_go_at_the_start_and_an_import_brings_them_in() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let data = folder.path().join("data");
    let (old, new): (Vec<String>, Vec<String>) =
        ([45, 40, 31].map(|days| line(ago(days))).into(), [29, 0].map(|days| line(ago(days))).into());
    let all = old.concat() + &new.concat();
    import(&data, &all);
    assert_same_lines(
        &TestServer::on(&data).logs(""),
        all.as_bytes(),
        "nothing is deleted unless it is said",
    );
    // What a crash left of a day that was being deleted: a name that is no day's, and some of its files.
    let left = data.join(format!("{}.deleted", ago(45).day()));
    std::fs::rename(data.join(ago(45).day().to_string()), &left).expect("a folder can be renamed");
    std::fs::remove_file(left.join("logs-0001.idx")).expect("the day had an index");
    let mut server = Setup::on(&data).arg("--retention").arg("30d").start();
    wait_for_days(&server, wait::PATIENCE, &[ago(29).day(), ago(0).day()]);
    assert_same_lines(&server.logs(""), new.concat().as_bytes(), "the young days");
    let deleted = ["days", "segments", "bytes"]
        .map(|what| server.counter(&format!("sonde_retention_deleted_{what}_total")) as u64);
    assert!(deleted[..2] == [2, 2] && deleted[2] >= 4_096, "{deleted:?}");
    server.kill();
    drop(server);
    import(&data, &old.concat());
    let server = TestServer::on(&data);
    assert_same_lines(&server.logs(""), all.as_bytes(), "they are there again");
    server.stop();
    let server = Setup::on(&data).through(["env", "SONDE_RETENTION=30d"]).start();
    wait_for_days(&server, wait::PATIENCE, &[ago(29).day(), ago(0).day()]);
}

/// Sends a query and reads only the first bytes of its answer.
fn stalled_reader(server: &TestServer, query: &str) -> (TcpStream, Vec<u8>) {
    let mut stream = TcpStream::connect(server.http().address()).expect("the server takes connections");
    stream.set_read_timeout(Some(wait::PATIENCE)).expect("a limit can be set");
    let request = format!("GET /api/logs?{query} HTTP/1.0\r\nHost: {}\r\n\r\n", server.http().address());
    stream.write_all(request.as_bytes()).expect("the server reads the request");
    let mut first = vec![0; 1_000];
    stream.read_exact(&mut first).expect("the answer begins");
    (stream, first)
}

#[test]
fn days_go_for_want_of_room_under_readers_that_read_on_and_today_never_does() {
    let server = Setup::default().arg("--retention-bytes").arg("1MB").start();
    let (before, yesterday, today) = (ago(2).day(), ago(1).day(), ago(0).day());
    let corpus = Corpus::make(Recipe {
        seed: 5,
        lines: 100_000,
        range: yesterday.range(),
        style: Style::Plain,
        names: Names::Few,
    });
    corpus.batches(20_000).for_each(|batch| server.store_logs(batch));
    server.store_logs(line(before.start()).as_bytes());
    let todays = line(today.start()).repeat(20_000);
    server.store_logs(todays.as_bytes());
    // Some of the lines come a little early or late, of the days beside it.
    let expected = Query::all().range(yesterday.range()).body(&corpus);
    let range = format!("from={}&until={}", yesterday.start(), today.start());
    let (mut stream, mut answer) = stalled_reader(&server, &range);
    let follower = server.http().follow(&format!("/api/logs?follow=true&from={}", yesterday.start()));
    let first = follower.next_line();
    wait_for_days(&server, NEXT_LOOK, &[today]);
    assert_same_lines(&server.logs(""), todays.as_bytes(), "today alone is left, though it takes too much");
    stream.read_to_end(&mut answer).expect("the rest arrives");
    let body = answer.windows(4).position(|window| window == b"\r\n\r\n").expect("the headers end") + 4;
    assert_same_lines(&answer[body..], &expected, "the answer that had begun");
    let expected = [&*expected, todays.as_bytes()].concat();
    let mut answered = vec![first];
    answered.extend((1..split_lines(&expected).len()).map(|_| follower.next_line()));
    assert_same_lines(answered.concat().as_bytes(), &expected, "what is followed");
    let report: sonde_shared::api::IngestReport =
        server.http().post("/api/ingest/logs", line(yesterday.start()).as_bytes()).json();
    assert!(report.refused[0].why.contains(&format!("before {}", today.start())), "{:?}", report.refused);
    let more = line(today.start());
    server.store_logs(more.as_bytes());
    assert_eq!(follower.next_line(), more, "following goes on");
}

#[test]
fn a_disk_that_is_full_does_not_keep_days_from_going() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let data = folder.path().join("data");
    std::fs::create_dir(&data).expect("a folder can be made");
    let mount = format!("mount -t tmpfs -o size=8m none '{}' && exec \"$@\"", data.display());
    let server = Setup::on(&data)
        .arg("--retention-bytes")
        .arg("100KB")
        .arg("--seal")
        .arg("off")
        .arg("--disk-reserve")
        .arg("off")
        .through(["unshare", "--map-root-user", "--mount", "sh", "-c", &mount, "sh"])
        .start();
    let mut fill = (1..60).rev().map(|days| {
        let lines = line(ago(days)).repeat(3_000);
        server.http().post("/api/ingest/logs", lines.as_bytes()).status
    });
    assert!(fill.any(|status| status == 503), "the disk is full before these are all stored");
    let old = format!("until={}", ago(1).day().start());
    wait::until_within(NEXT_LOOK, "the old days to go", || {
        let left = server.count_logs(&old);
        if left == 0 { Ok(()) } else { Err(left) }
    });
    assert!(server.counter("sonde_retention_deleted_days_total") > 5.0);
    // Their files go right after them.
    wait::until("room", || {
        let stored = server.http().post("/api/ingest/logs", line(ago(0)).repeat(20_000).as_bytes()).status;
        if stored == 200 { Ok(()) } else { Err(stored) }
    });
}

#[test]
fn a_limit_that_makes_no_sense_is_refused_with_an_example() {
    let check = |flag: &str, value: &str, expected: &str| {
        let (succeeded, said) = Setup::default().arg(flag).arg(value).fail_to_start();
        assert!(!succeeded && said.contains(expected), "{said}");
    };
    check("--retention", "90", "of the flag --retention: write a number of days, such as 90d, or off");
    check("--retention", "5h", "at least 1d");
    check("--retention-bytes", "500", "such as 500GB or 450GiB, or off");
}
