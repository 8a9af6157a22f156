//! Who follows gets every line once, however slowly it reads and however many follow; or is told what went before it came.

use sonde_shared::time::{NANOS_PER_DAY, Timestamp};
use sonde_tests::http::LineReader;
use sonde_tests::oracle::assert_same_lines;
use sonde_tests::server::{Setup, TestServer};
use sonde_tests::wait;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, SystemTime};

const FOLLOWERS: usize = 300;
/// It is looked for what is to be deleted once a minute.
const NEXT_LOOK: Duration = Duration::from_mins(2);

fn ago(days: i64) -> Timestamp {
    let since = SystemTime::UNIX_EPOCH.elapsed().expect("it is after 1970");
    Timestamp::from_nanos(since.as_nanos() as i64).plus_nanos(-days * NANOS_PER_DAY)
}

/// Numbered lines of one instant.
fn lines(at: Timestamp, numbers: std::ops::Range<usize>, pad: usize) -> String {
    let line = |n| {
        format!(
            "{{\"ts\":\"{at}\",\"component\":\"shop\",\"msg\":\"{n}\",\"pad\":\"{}\"}}\n",
            "x".repeat(pad)
        )
    };
    numbers.map(line).collect()
}

/// A follower that has read the first bytes of its answer and stops there.
fn stalled(server: &TestServer, query: &str) -> (BufReader<TcpStream>, Vec<u8>) {
    let mut stream = TcpStream::connect(server.http().address()).expect("the server takes connections");
    stream.set_read_timeout(Some(wait::PATIENCE)).expect("a limit can be set");
    let path = format!("/api/logs?follow=true&{query}");
    let request = format!("GET {path} HTTP/1.0\r\nHost: {}\r\n\r\n", server.http().address());
    stream.write_all(request.as_bytes()).expect("the server reads the request");
    let mut reader = BufReader::with_capacity(4_096, stream);
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        reader.read_line(&mut line).expect("the headers come");
    }
    let mut first = vec![0; 1_000];
    reader.read_exact(&mut first).expect("the answer begins");
    (reader, first)
}

#[test]
fn hundreds_who_follow_and_one_who_stalls_get_every_line_once() {
    let server = TestServer::start();
    let now = ago(0);
    let first = lines(now, 0..4_000, 4_000);
    server.store_logs(first.as_bytes());
    let (mut reader, mut stalled_text) = stalled(&server, "");
    let followers: Vec<LineReader> = (0..FOLLOWERS)
        .map(|_| server.http().follow("/api/logs?follow=true&contains=%22pad%22:%22%22"))
        .collect();
    let mut expected = first;
    for round in 0..10 {
        let more = lines(now, round * 20..round * 20 + 20, 0);
        server.store_logs(more.as_bytes());
        for follower in &followers {
            let found: String = (0..20).map(|_| follower.next_line()).collect();
            assert_same_lines(found.as_bytes(), more.as_bytes(), &format!("round {round}"));
        }
        expected.push_str(&more);
    }
    let mut rest = vec![0; expected.len() - stalled_text.len()];
    reader.read_exact(&mut rest).expect("the rest comes");
    stalled_text.extend_from_slice(&rest);
    assert_same_lines(&stalled_text, expected.as_bytes(), "who stalled");
    assert!(server.counter("sonde_follow_gaps_total") < 0.5);
}

#[test]
fn who_reads_so_late_that_lines_were_deleted_is_told_so() {
    let server = Setup::default().arg("--retention-bytes").arg("1MB").start();
    let (yesterday, today) = (ago(1), ago(0));
    let first = lines(yesterday, 0..6_000, 4_000);
    server.store_logs(first.as_bytes());
    let (mut reader, mut text) = stalled(&server, "envelope=0");
    let behind = lines(yesterday, 6_000..6_007, 0);
    server.store_logs(behind.as_bytes());
    let gone = server.data().join(yesterday.day().to_string());
    wait::until_within(
        NEXT_LOOK,
        "yesterday to go",
        || if gone.exists() { Err("it is there") } else { Ok(()) },
    );
    let more = lines(today, 0..1, 0);
    server.store_logs(more.as_bytes());
    let mut rest = vec![0; first.len() - text.len()];
    reader.read_exact(&mut rest).expect("what had begun comes to its end");
    text.extend_from_slice(&rest);
    assert_same_lines(&text, first.as_bytes(), "what had begun");
    let mut next = || {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a line comes");
        line
    };
    let notice = next();
    assert!(
        notice.starts_with("{\"sonde_gap\":{\"from\":") && notice.contains("\"lines_at_most\":7,"),
        "{notice}"
    );
    assert_eq!(next(), more);
    assert!((server.counter("sonde_follow_gaps_total") - 1.0).abs() < 0.5);
    assert_eq!(server.count_logs(""), 1);
}
