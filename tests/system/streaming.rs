//! A query streams: who reads slowly holds up nobody and costs next to nothing, and who leaves is forgotten.

use sonde_tests::corpus::{Corpus, Names, Recipe, Style, range};
use sonde_tests::http::split_lines;
use sonde_tests::oracle::{Query, assert_same_lines};
use sonde_tests::process::{anonymous_bytes, open_files, threads};
use sonde_tests::server::TestServer;
use sonde_tests::wait;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Some 40 MB: far more than sockets and buffers on the way can hold.
fn many_lines() -> Corpus {
    let range = range("2025-03-10T00:00:00Z", "2025-03-11T00:00:00Z");
    Corpus::make(Recipe { seed: 3, lines: 200_000, range, style: Style::Plain, names: Names::Few })
}

fn server_with(corpus: &Corpus) -> TestServer {
    let server = TestServer::start();
    corpus.batches(20_000).for_each(|batch| server.store_logs(batch));
    server
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
fn readers_that_stall_hold_up_nobody_and_cost_little() {
    const READERS: u64 = 8;
    let corpus = many_lines();
    let server = server_with(&corpus);
    let small = Query::all()
        .component("webapp2.backend.git")
        .range(range("2025-03-10T14:00:00Z", "2025-03-10T15:00:00Z"));
    let expected = small.body(&corpus);
    // What the others cost is paid before: their threads and buffers are there when the readers come.
    for _ in 0..100 {
        assert_same_lines(&server.logs(&small.parameters()), &expected, "before");
    }
    let before = anonymous_bytes(server.pid());
    let mut readers: Vec<_> = (0..READERS).map(|_| stalled_reader(&server, "component=webapp")).collect();
    let end = Instant::now() + Duration::from_secs(8);
    while Instant::now() < end {
        assert_same_lines(&server.logs(&small.parameters()), &expected, "while others stall");
        server.store_logs(br#"{"ts":"2025-03-12T00:00:00Z","component":"other","msg":"still taken"}"#);
    }
    let grown = anonymous_bytes(server.pid()).saturating_sub(before);
    assert!(grown < READERS * (2 << 20), "{READERS} stalled readers cost {grown} bytes");
    let (mut stream, mut answer) = readers.remove(0);
    stream.read_to_end(&mut answer).expect("the rest arrives");
    let body = answer.windows(4).position(|window| window == b"\r\n\r\n").expect("the headers end") + 4;
    assert_same_lines(
        &answer[body..],
        &Query::all().component("webapp").body(&corpus),
        "the stalled answer, read at last",
    );
}

#[test]
fn readers_that_leave_are_forgotten() {
    let corpus = many_lines();
    let server = server_with(&corpus);
    server.logs("component=webapp&limit=10");
    let before = (open_files(server.pid()), threads(server.pid()));
    for _ in 0..3 {
        let readers: Vec<_> = (0..20).map(|_| stalled_reader(&server, "component=webapp")).collect();
        drop(readers);
        let followers: Vec<_> =
            (0..20).map(|_| stalled_reader(&server, "component=webapp.backend.mail&follow=true")).collect();
        drop(followers);
    }
    wait::until("connections and queries to go away", || {
        let now = (open_files(server.pid()), threads(server.pid()));
        // Idle threads of a pool may stay for the next query; sockets may not.
        if now.0 <= before.0 + 2 && now.1 <= before.1 + 16 { Ok(()) } else { Err((before, now)) }
    });
}

#[test]
fn a_long_answer_arrives_while_it_is_being_found() {
    let corpus = many_lines();
    let server = server_with(&corpus);
    let reader = server.http().follow("/api/logs?component=webapp.backend.mail&follow=true");
    let expected = Query::all().component("webapp.backend.mail").body(&corpus);
    for line in split_lines(&expected) {
        assert_eq!(
            reader.next_line().as_bytes(),
            [line, b"\n"].concat(),
            "lines arrive though the answer has no end"
        );
    }
}

/// Asks on a connection of its own and does not wait for the answer.
fn ask(server: &TestServer, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.http().address()).expect("the server takes connections");
    let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", server.http().address());
    stream.write_all(request.as_bytes()).expect("the server reads the request");
    stream
}

/// Each reads all of the text and finds nothing.
const SLOW_QUERIES: [&str; 3] = [
    "/api/logs/histogram?contains=no+such+text",
    "/api/logs?contains=no+such+text",
    "/api/logs?contains=msg&offset=1000000",
];

/// The most text that a step reads: what is begun is ended, so a line more than 4 MiB.
const STEP_TEXT_BYTES: f64 = 5.0 * 1_048_576.0;

/// Asks so many slow queries and waits until the first of them are at work.
fn ask_slowly(server: &TestServer, rounds: usize) -> Vec<TcpStream> {
    let asked = SLOW_QUERIES.iter().cycle().take(rounds * SLOW_QUERIES.len());
    let asked = asked.map(|path| ask(server, path)).collect();
    wait::until("the queries to begin", || {
        let read = server.counter("sonde_query_text_bytes_total");
        if read > 0.0 { Ok(()) } else { Err(read) }
    });
    asked
}

#[test]
fn queries_that_nobody_waits_for_stop_reading() {
    const ROUNDS: usize = 30;
    let corpus = many_lines();
    let server = server_with(&corpus);
    let read = || server.counter("sonde_query_text_bytes_total");
    drop(ask_slowly(&server, ROUNDS));
    wait::until("the queries to be given up", || wait::same(server.counter("sonde_queries_running"), &0.0));
    let given_up = read();
    let all = corpus.text.len() as f64 * (ROUNDS * SLOW_QUERIES.len()) as f64;
    assert!(given_up < all / 2.0, "{given_up} bytes of {all} were read for nobody");
    // A step is what is done for nobody at worst, whoever is quicker: the server to read or the client to leave.
    let steps = server.counter("sonde_query_steps_total");
    assert!(given_up <= steps * STEP_TEXT_BYTES, "{given_up} bytes were read in {steps} steps");
    drop(server.get(SLOW_QUERIES[0]).ok());
    assert_eq!((read() - given_up) as u64, corpus.text.len() as u64, "what is read is what is asked for now");
}

#[test]
fn a_stop_does_not_wait_for_long_queries() {
    let corpus = many_lines();
    let server = server_with(&corpus);
    let asked = ask_slowly(&server, 100);
    let start = Instant::now();
    server.stop();
    let took = start.elapsed();
    assert!(took < Duration::from_millis(1_500), "the stop took {took:?}");
    drop(asked);
}

#[test]
fn a_stop_ends_the_answer_of_whoever_follows() {
    let server = TestServer::start();
    server.store_logs(br#"{"ts":"2025-03-10T14:05:00Z","component":"a","msg":"x"}"#);
    let mut follower = ask(&server, "/api/logs?follow=true");
    follower.set_read_timeout(Some(wait::PATIENCE)).expect("a limit can be set");
    let mut answer = Vec::new();
    while !answer.ends_with(b"}\n\r\n") {
        let mut byte = [0];
        follower.read_exact(&mut byte).expect("the line arrives");
        answer.extend(byte);
    }
    let start = Instant::now();
    server.stop();
    let took = start.elapsed();
    assert!(took < Duration::from_secs(1), "the stop took {took:?}");
    let mut rest = Vec::new();
    follower.read_to_end(&mut rest).expect("the answer ends");
    assert_eq!(rest, b"0\r\n\r\n", "the body has its end");
}
