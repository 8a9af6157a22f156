//! A shipper that gets no answer sends its body again, under the same `Sonde-Batch`: each line is stored once.

use sonde_tests::http::split_lines;
use sonde_tests::server::TestServer;
use sonde_tests::wait;
use std::io::Write;
use std::net::TcpStream;

const LINES: usize = 40_000;

/// Some 12 MB on three days: several commits, each of several files.
fn body() -> Vec<u8> {
    let text = "x".repeat(250);
    let line = |n: usize| {
        format!(
            "{{\"ts\":\"2025-03-{}T09:30:00Z\",\"component\":\"shop\",\"msg\":\"{text}\",\"n\":{n}}}\n",
            10 + n % 3
        )
    };
    (0..LINES).map(line).collect::<String>().into_bytes()
}

/// Begins to send a body and leaves the connection open.
fn send_part(server: &TestServer, body: &[u8], part: usize) -> TcpStream {
    let address = server.http().address();
    let mut stream = TcpStream::connect(address).expect("the server takes connections");
    let head = format!(
        "POST /api/ingest/logs HTTP/1.1\r\nHost: {address}\r\nSonde-Batch: k1\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).expect("the server reads the request");
    stream.write_all(&body[..part]).expect("the server reads the body");
    stream
}

fn until_some_is_stored(server: &TestServer) {
    wait::until("a part to be stored", || wait::same(server.counter("sonde_batches"), &1.0));
}

/// Sends the whole body, and checks that each line was stored once, whatever was stored before.
fn send_again(server: &TestServer, body: &[u8]) {
    let answer = server.http().post_with("/api/ingest/logs", body, &[("Sonde-Batch", "k1")]);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.text().starts_with(&format!("{{\"stored\":{LINES},")), "{}", answer.text());
    let stored = server.logs("");
    let number = |line: &[u8]| {
        let line: serde_json::Value = serde_json::from_slice(line).expect("a line is whole");
        line["n"].as_u64().expect("a line has its number") as usize
    };
    let mut numbers: Vec<usize> = split_lines(&stored).into_iter().map(number).collect();
    numbers.sort_unstable();
    assert!(numbers == (0..LINES).collect::<Vec<_>>(), "{} lines are stored", numbers.len());
}

#[test]
fn a_body_is_stored_once_though_the_server_is_killed_in_the_middle_of_it() {
    let (dir, body) = (tempfile::tempdir().expect("a folder"), body());
    let mut server = TestServer::on(dir.path());
    let stream = send_part(&server, &body, body.len() / 3 * 2);
    until_some_is_stored(&server);
    server.kill();
    drop((stream, server));
    let mut server = TestServer::on(dir.path());
    send_again(&server, &body);
    server.kill();
    drop(server);
    let server = TestServer::on(dir.path());
    assert!((server.counter("sonde_batches") - 1.0).abs() < f64::EPSILON);
    send_again(&server, &body);
}

#[test]
fn a_body_whose_connection_stalls_is_taken_over_by_the_next_try() {
    let (server, body) = (TestServer::start(), body());
    let stalled = send_part(&server, &body, body.len() / 3 * 2);
    until_some_is_stored(&server);
    send_again(&server, &body);
    drop(stalled);
    send_again(&server, &body);
    assert!(server.counter("sonde_ingest_repeated_total{protocol=\"ndjson_http\"}") >= LINES as f64);
}
