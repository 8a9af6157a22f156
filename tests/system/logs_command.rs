//! `sonde logs` writes what `/api/logs` answers, from a folder and from a server.

use sonde_tests::corpus::{Corpus, Names, Recipe, Style, range};
use sonde_tests::oracle::{Query, assert_same_lines};
use sonde_tests::server::{TestServer, binary};
use sonde_tests::wait;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Child, Command, Output, Stdio};

/// The command, without what the environment of the tests may say.
fn logs(args: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command.env_remove("SONDE_DATA").env_remove("SONDE_SERVER").arg("logs").args(args);
    command
}

fn run(args: &[&str]) -> Output {
    logs(args).output().expect("the program starts")
}

#[track_caller]
fn succeed(args: &[&str]) -> Vec<u8> {
    let output = run(args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// What it says when it fails.
#[track_caller]
fn fail(args: &[&str]) -> String {
    let output = run(args);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && !said.contains("stack"), "{args:?}: {said}");
    said
}

/// A server with lines of three days, some of them sealed.
fn server(lines: usize) -> (TestServer, Corpus) {
    let range = range("2025-03-10T12:00:00Z", "2025-03-12T06:00:00Z");
    let corpus = Corpus::make(Recipe { seed: 21, lines, range, style: Style::Mixed, names: Names::Few });
    let server = TestServer::start();
    corpus.batches(lines / 2).for_each(|batch| server.store_logs(batch));
    (server, corpus)
}

/// The lines of a child's standard output.
struct Reading {
    child: Child,
    lines: std::sync::mpsc::Receiver<String>,
}

impl Reading {
    fn start(args: &[&str]) -> Self {
        let child = logs(args).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut child = child.expect("the program starts");
        let out = child.stdout.take().expect("standard output is piped");
        let (sender, lines) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self { child, lines }
    }

    #[track_caller]
    fn next(&self) -> String {
        self.lines.recv_timeout(wait::PATIENCE).expect("a line comes")
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn folder_and_server_give_what_the_interface_answers() {
    let (server, corpus) = server(20_000);
    let (data, url) = (server.data().to_str().unwrap(), server.http().url(""));
    let check = |args: &[&str], parameters: &str| {
        let expected = server.logs(parameters);
        assert!(!expected.is_empty(), "{parameters}");
        let from_folder = succeed(&[args, &["--data", data]].concat());
        assert_same_lines(&from_folder, &expected, &format!("from the folder: {parameters}"));
        let from_server = succeed(&[args, &["--server", &url]].concat());
        assert_same_lines(&from_server, &expected, &format!("from the server: {parameters}"));
    };
    assert_same_lines(&succeed(&["--data", data]), &Query::all().body(&corpus), "all of it");
    check(&[], "");
    check(&["--order", "desc"], "order=desc");
    check(&["--limit", "12000"], "limit=12000");
    check(&["--limit=7", "--order=desc", "--level", "warn"], "limit=7&order=desc&level=warn");
    let times = ["webapp.backend.git", "--from", "20:00_20250310", "--until=2025-03-11T08:00:00Z"];
    check(&times, "component=webapp.backend.git&from=20:00_20250310&until=2025-03-11T08:00:00Z");
    check(&["webapp.*.git", "node{1,2}"], "component=webapp.*.git&component=node{1,2}");
    check(
        &["--host", "node1", "--host", "node2", "--contains", "ms for"],
        "host=node1&host=node2&contains=ms%20for",
    );
    check(&["--regex", "took [0-9]+ ms"], "regex=took%20[0-9]%2B%20ms");
    let patterns: serde_json::Value = server.get("/api/logs/patterns").ok().json();
    let id = patterns["patterns"][0]["id"].as_str().expect("a pattern has an id");
    check(&["--pattern", id], &format!("pattern={id}"));
    server.store_logs(br#"{"ts":"2025-03-11T09:00:00Z","msg":"told by a field","status":500}"#);
    check(&["--field", "status=500"], "field.status=500");
}

#[test]
fn following_goes_on_with_what_is_stored_and_ends_with_its_reader() {
    let (server, _) = server(100);
    let url = server.http().url("");
    let line =
        |n: u32| format!("{{\"ts\":\"2025-03-13T09:00:00Z\",\"component\":\"shop.cart\",\"msg\":\"{n}\"}}");
    server.store_logs(line(1).as_bytes());
    let mut follower = Reading::start(&["shop", "-f", "--server", &url]);
    assert_eq!(follower.next(), line(1));
    server.store_logs(line(2).as_bytes());
    assert_eq!(follower.next(), line(2), "it comes when it is stored, not when a buffer is full");
    // Its reader goes, and nothing comes any more.
    let (_, gone) = std::sync::mpsc::channel();
    drop(std::mem::replace(&mut follower.lines, gone));
    server.store_logs(line(3).as_bytes());
    let ended = wait::until("the end", || follower.child.try_wait().transpose().ok_or("still running"));
    assert!(ended.expect("a child can be waited for").success());
}

#[test]
fn a_reader_that_has_enough_ends_it_quietly() {
    let (server, corpus) = server(20_000);
    let url = server.http().url("");
    let first = corpus.rows.iter().min_by_key(|row| row.ts).map(|row| corpus.line(row)).expect("lines");
    for source in [["--data", server.data().to_str().unwrap()], ["--server", &url]] {
        let mut child =
            logs(&source).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        let mut line = Vec::new();
        let out = child.stdout.take().expect("standard output is piped");
        BufReader::new(out).read_until(b'\n', &mut line).expect("a line comes");
        assert_eq!(line.strip_suffix(b"\n"), Some(first));
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.success() && output.stderr.is_empty(), "{source:?}: {output:?}");
    }
    // Also where nothing comes that could fail to be written.
    let mut follower =
        logs(&["nobody", "-f", "--server", &url]).stdout(Stdio::piped()).spawn().expect("the program starts");
    drop(follower.stdout.take());
    let ended = wait::until("the end", || follower.try_wait().transpose().ok_or("still running"));
    assert!(ended.expect("a child can be waited for").success());
}

#[test]
fn what_cannot_be_had_is_told_with_its_flag() {
    let check = |args: &[&str], words: &[&str]| {
        let said = fail(args);
        assert!(words.iter().all(|word| said.contains(word)), "{args:?}: {said}");
    };
    let (server, _) = server(10);
    let (data, url) = (server.data().to_str().unwrap(), server.http().url(""));
    check(&["--data", data, "-f"], &["--follow", "--server http://"]);
    check(&["--data", "no-such-folder"], &["no-such-folder", "--server http://"]);
    check(&["--data", data, "--from", "soon"], &["--from: ", "right would be"]);
    check(&["--server", &url, "a..b"], &["COMPONENT: ", "right would be"]);
    check(&["--server", "https://sonde.example"], &["https is not spoken"]);
    check(&["--server", &url, "--data", data], &["not both"]);
    let free =
        TcpListener::bind("127.0.0.1:0").expect("a port is free").local_addr().expect("it has an address");
    check(&["--server", &format!("http://{free}")], &["no server takes the connection", &free.to_string()]);
    // A refusal of the server's is handed on.
    let problem =
        r#"{"type":"about:blank","title":"x","status":421,"detail":"start the server with --allow-host"}"#;
    let answer = format!("HTTP/1.1 421 x\r\nContent-Length: {}\r\n\r\n{problem}", problem.len());
    check(&["--server", &serve_once(answer)], &["start the server with --allow-host"]);
    let output = run(&["--data", data, "nobody"]);
    assert!(output.status.success() && output.stdout.is_empty());
    assert!(String::from_utf8_lossy(&output.stderr).contains("no lines match"));
    let server = TestServer::start();
    server.store_logs(br#"{"ts":1740711600,"component":"shop.orders","msg":"x"}"#);
    let of_server = |args: &[&str]| {
        let url = server.http().url("");
        let output =
            run(&[args, &["--server", &url, "--from", "2025-02-28", "--until", "2025-03-01"]].concat());
        assert!(output.status.success() && output.stdout.is_empty(), "{output:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let said = of_server(&["shop.ordres"]);
    assert!(said.contains("no lines match") && said.contains("`shop.orders`"), "{said}");
    assert!(!of_server(&["shop", "--level", "fatal"]).contains("nearest"));
}

/// Answers one request with these bytes and closes the connection.
fn serve_once(answer: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it has an address");
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection comes");
        let mut request = BufReader::new(stream.try_clone().expect("a socket can be shared")).lines();
        while request.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
        stream.write_all(answer.as_bytes()).expect("the client reads");
        stream.shutdown(std::net::Shutdown::Write).expect("the connection is open");
        drop(stream.read(&mut [0]));
    });
    format!("http://{address}")
}

#[test]
fn an_answer_that_breaks_off_does_not_pass_for_a_whole_one() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"a\"\n\r\n";
    let output = run(&["--server", &serve_once(head.to_owned())]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("lines are missing"), "{said}");
    assert_eq!(output.stdout, b"{\"a\"\n");
    let other = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi";
    let output = run(&["--server", &serve_once(other.to_owned())]);
    assert!(output.stdout.is_empty() && !output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("no Sonde"));
}

#[test]
fn a_component_that_no_line_is_of_is_told_with_the_nearest_that_some_are_of() {
    let dir = tempfile::tempdir().unwrap();
    let (data, file) = (dir.path().join("data"), dir.path().join("a.ndjson"));
    let line =
        |component: &str| format!("{{\"ts\":1740711600,\"component\":\"{component}\",\"msg\":\"x\"}}\n");
    std::fs::write(&file, [line("shop.orders.db"), line("mail")].concat()).unwrap();
    let sonde = |args: &[&str]| {
        let output = Command::new(binary()).args(args).arg("--data").arg(&data).output().expect("it starts");
        assert!(output.status.success() && output.stdout.is_empty(), "{output:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    sonde(&["import", file.to_str().unwrap()]);
    let check = |asked: &[&str], nearest: Option<&str>| {
        for command in ["logs", "export"] {
            let said = sonde(&[&[command][..], asked].concat());
            let hint = nearest.map(|nearest| format!("the nearest component is `{nearest}`"));
            assert!(said.contains("no lines match"), "{said}");
            assert_eq!(said.contains("nearest"), hint.is_some(), "{said}");
            assert!(hint.is_none_or(|hint| said.contains(&hint)), "{said}");
        }
    };
    check(&["shop.ordres"], Some("shop.orders"));
    check(&["mial"], Some("mail"));
    // The component has lines; what else is asked for leaves none of them.
    check(&["mail", "--level", "fatal"], None);
    check(&["mail", "--from", "2025-03-01"], None);
}
