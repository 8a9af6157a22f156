//! Files that another program writes are served in place: while they grow, when they are rotated, cut short or replaced, and
//! after the server was killed.

use serde_json::Value;
use sonde_tests::http::split_lines;
use sonde_tests::oracle::assert_same_lines;
use sonde_tests::server::{Setup, TestServer};
use sonde_tests::wait;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

/// Two folders beside each other: of the server and of the other program.
struct Folders {
    dir: tempfile::TempDir,
}

impl Folders {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder can be made");
        fs::create_dir(dir.path().join("others")).expect("a folder can be made");
        Self { dir }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join("others").join(name)
    }

    fn append(&self, name: &str, text: &str) {
        let file = File::options().create(true).append(true).open(self.file(name));
        file.and_then(|mut file| file.write_all(text.as_bytes())).expect("the file can be written");
    }

    fn start(&self) -> TestServer {
        Setup::on(&self.dir.path().join("data")).arg("--foreign").arg(self.dir.path().join("others")).start()
    }
}

/// A line of the second half of 5 December 2025 or of the day after.
fn line(number: u64) -> String {
    let (ts, level) = (1_764_970_000 + number, ["info", "warn", "error"][number as usize % 3]);
    format!(
        r#"{{"ts":{ts},"component":"shop.c{}","host":"n1","level":"{level}","msg":"took {number} ms"}}"#,
        number % 5
    ) + "\n"
}

fn lines(numbers: std::ops::Range<u64>) -> String {
    numbers.map(line).collect()
}

/// Waits until the server has these lines and no others.
#[track_caller]
fn wait_for(server: &TestServer, expected: &[u8]) {
    wait::until("the lines of the foreign files", || {
        // While it is not yet known that a file was cut short, it is said that it was.
        let answer = server.get("/api/logs");
        assert!([200, 503].contains(&answer.status), "{}", answer.text());
        if answer.body == expected { Ok(()) } else { Err((answer.status, split_lines(&answer.body).len())) }
    });
}

#[track_caller]
fn check_counter(server: &TestServer, name: &str, expected: u64) {
    assert_eq!(server.counter(name) as u64, expected, "{name}");
}

/// Another program, which appends numbered lines, a part of a line at a time, until it is stopped.
struct Appender(Child);

impl Appender {
    fn start(path: &Path) -> Self {
        const SCRIPT: &str = r#"
            number=0
            while :; do
                printf '{"ts":%d,"component":"shop' $((1764970000 + number)) >>"$1"
                printf '.c%d","msg":"took %d ms"}\n' $((number % 5)) $number >>"$1"
                number=$((number + 1))
            done"#;
        let child = Command::new("sh").args(["-c", SCRIPT, "-"]).arg(path).spawn();
        Self(child.expect("a shell can be started"))
    }
}

impl Drop for Appender {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn lines_of_a_program_that_goes_on_writing_are_followed_through_kills_and_rotation() {
    let folders = Folders::new();
    let path = folders.file("app.ndjson");
    let first = Appender::start(&path);
    let mut server = folders.start();
    let reader = server.http().follow("/api/logs?component=shop&follow=true");
    let there = server.count_logs("");
    for number in 0..there + 200 {
        let text = reader.next_line();
        assert!(text.contains(&format!("took {number} ms")), "{text} is not number {number}");
    }
    for _ in 0..2 {
        server.kill();
        server = folders.start();
        let known = server.count_logs("");
        wait::until("more lines", || {
            let now = server.count_logs("");
            if now > known + 50 { Ok(()) } else { Err((known, now)) }
        });
    }
    // It goes on with the renamed file, as a program does that has not been told.
    fs::rename(&path, folders.file("app.ndjson.1")).expect("a file can be renamed");
    wait::until("a new file", || if path.exists() { Ok(()) } else { Err("none") });
    drop(first);
    let whole = |path: &Path| {
        let text = fs::read(path).expect("the file can be read");
        let end = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        text[..end].to_vec()
    };
    let is_line = |line: &&[u8]| serde_json::from_slice::<Value>(line).is_ok();
    let text = [whole(&folders.file("app.ndjson.1")), whole(&path)].concat();
    let expected: Vec<u8> =
        split_lines(&text).into_iter().filter(is_line).flat_map(|line| [line, b"\n"].concat()).collect();
    wait_for(&server, &expected);
}

#[test]
fn all_questions_are_answered_as_over_lines_that_were_sent_in() {
    let folders = Folders::new();
    let text = lines(0..30_000);
    fs::create_dir(folders.file("2025-12-05")).expect("a folder can be made");
    folders.append("2025-12-05/app.ndjson", &text);
    let server = folders.start();
    wait_for(&server, text.as_bytes());
    let own = TestServer::start();
    own.store_logs(text.as_bytes());
    let range = "from=2025-12-05&until=2025-12-07";
    for path in [
        "/api/logs?order=desc&limit=500",
        "/api/logs?component=shop.c3&level=error&limit=100",
        "/api/logs?contains=took+777+ms&offset=0",
        "/api/logs/histogram?step=1h",
        "/api/logs/histogram?step=10s&contains=99",
        "/api/logs/facets?level=warn",
        "/api/components?",
    ] {
        let path = format!("{path}&{range}");
        let (found, expected) = (server.get(&path).ok().body, own.get(&path).ok().body);
        assert_same_lines(&found, &expected, &path);
    }
    let patterns: Value = server.get(&format!("/api/logs/patterns?{range}")).ok().json();
    assert_eq!((&patterns["total"], &patterns["patterns"][0]["count"]), (&30_000.into(), &30_000.into()));
    check_counter(&server, "sonde_foreign_files", 1);
    check_counter(&server, "sonde_foreign_lines", 30_000);
    check_counter(&server, "sonde_foreign_behind_bytes", 0);
    // Of equal times what was sent in comes first.
    let sent = r#"{"ts":1764970005,"msg":"own"}"#;
    server.store_logs(sent.as_bytes());
    let both = format!("{sent}\n{}", line(5));
    assert_eq!(String::from_utf8_lossy(&server.logs("from=1764970005&until=1764970006")), both);
    let reversed = format!("{}{sent}\n", line(5));
    let found = server.logs("from=1764970005&until=1764970006&order=desc");
    assert_eq!(String::from_utf8_lossy(&found), reversed);
}

#[test]
fn ids_are_those_of_before_and_only_what_is_new_is_read_after_a_stop() {
    let folders = Folders::new();
    folders.append("app.log", &lines(0..60_000));
    let server = folders.start();
    wait_for(&server, lines(0..60_000).as_bytes());
    let envelopes = server.logs("envelope=1");
    server.stop();
    folders.append("app.log", &lines(60_000..60_010));
    let server = folders.start();
    wait_for(&server, lines(0..60_010).as_bytes());
    assert_same_lines(&server.logs("envelope=1&limit=60000"), &envelopes, "the ids after a restart");
    let read = server.counter("sonde_foreign_read_lines_total");
    assert!(read < 2_000.0, "{read} lines were read again");
    // The index is derived: without it the answers are the same.
    server.stop();
    fs::remove_dir_all(folders.dir.path().join("data/foreign")).expect("the folder can be removed");
    let server = folders.start();
    wait_for(&server, lines(0..60_010).as_bytes());
    assert_same_lines(&server.logs("envelope=1&limit=60000"), &envelopes, "the ids without an index");
}

#[test]
fn an_answer_over_a_file_that_is_cut_short_is_cut_off_and_the_server_lives() {
    let folders = Folders::new();
    let text = lines(0..400_000);
    folders.append("app.ndjson", &text);
    let server = folders.start();
    wait::until("the lines", || wait::same(server.counter("sonde_foreign_lines"), &400_000.0));
    let mut stream = TcpStream::connect(server.http().address()).expect("the server takes connections");
    stream.set_read_timeout(Some(wait::PATIENCE)).expect("a limit can be set");
    let request = format!("GET /api/logs HTTP/1.1\r\nHost: {}\r\n\r\n", server.http().address());
    stream.write_all(request.as_bytes()).expect("the server reads the request");
    let mut answer = vec![0; 1_000];
    stream.read_exact(&mut answer).expect("the answer begins");
    let file = File::options().write(true).open(folders.file("app.ndjson")).expect("the file can be opened");
    file.set_len(100).expect("the file can be cut");
    // It ends, by an error or in the middle of a chunk.
    drop(stream.read_to_end(&mut answer));
    assert!(!answer.ends_with(b"\r\n0\r\n\r\n"), "the answer passes for a whole one");
    let sent: Vec<&[u8]> = split_lines(&answer).into_iter().filter(|line| line.starts_with(b"{")).collect();
    let sent = &sent[..sent.len() - 1];
    assert!(sent.len() > 10 && sent.len() < 400_000, "{} lines", sent.len());
    wait_for(&server, lines(0..1).as_bytes());
    file.set_len(0).expect("the file can be cut");
    folders.append("app.ndjson", &lines(7..9));
    wait_for(&server, lines(7..9).as_bytes());
    assert!(server.counter("sonde_foreign_changed_files_total") >= 1.0);
}

#[test]
fn a_folder_that_comes_later_is_found_and_one_of_the_data_is_refused() {
    let folders = Folders::new();
    fs::remove_dir(folders.dir.path().join("others")).expect("the folder can be removed");
    let server = folders.start();
    check_counter(&server, "sonde_foreign_unreadable", 1);
    fs::create_dir(folders.dir.path().join("others")).expect("a folder can be made");
    folders.append("app.jsonl", &(lines(0..3) + "no line\n"));
    wait_for(&server, lines(0..3).as_bytes());
    check_counter(&server, "sonde_foreign_bad_lines", 1);
    check_counter(&server, "sonde_foreign_unreadable", 0);
    let data = folders.dir.path().join("data2");
    let (succeeded, said) = Setup::on(&data).arg("--foreign").arg(data.join("2025-12-05")).fail_to_start();
    assert!(!succeeded && said.contains("--foreign") && said.contains("--data"), "{said}");
}
