//! A day whose index is gone is served at once, says so, and in the end answers as if nothing had been.

use sonde_tests::server::{Setup, TestServer, binary};
use sonde_tests::wait;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

const DAY: &str = "2025-03-10";
const HALF: u64 = 200_000;
const START_MS: u64 = 1_741_608_000_000;
const HEADER: &str = "sonde-indexed-to";

/// Lines of an hour, some of them late, numbered on.
fn store_half(server: &TestServer, half: u64) {
    for start in (half * HALF..(half + 1) * HALF).step_by(50_000) {
        let mut body = String::with_capacity(8_000_000);
        for number in start..start + 50_000 {
            let late_ms = if number % 97 == 0 { 90_000 } else { 0 };
            let (ts, component) =
                (START_MS + number * 9 - late_ms, ["mill.wheel", "mill.stone"][number as usize % 2]);
            let level = if number % 1_000 == 7 { "error" } else { "info" };
            let msg = format!("turn {number} took {} ms", number % 300);
            writeln!(
                body,
                r#"{{"ts":{ts},"component":"{component}","host":"h{}","level":"{level}","msg":"{msg}"}}"#,
                number % 3
            )
            .expect("a String takes it");
        }
        server.store_logs(body.as_bytes());
    }
}

fn serve(data: &Path) -> TestServer {
    // Whoever seals has the day opened before it is asked for.
    Setup::on(data).arg("--seal").arg("off").start()
}

/// What is asked of the day, but of a component that comes later.
const QUESTIONS: [&str; 5] = [
    "/api/logs?component=mill&envelope=1",
    "/api/logs?component=mill&order=desc&limit=1000&envelope=1",
    "/api/logs/histogram?component=mill&from=2025-03-10&until=2025-03-11&step=10s",
    "/api/logs/facets?component=mill",
    "/api/logs/patterns?component=mill",
];

fn answers(server: &TestServer) -> Vec<Vec<u8>> {
    QUESTIONS.iter().map(|path| server.get(path).ok().body).collect()
}

fn remove_indexes(data: &Path) -> usize {
    let files = std::fs::read_dir(data.join(DAY)).expect("the day has a folder");
    let paths = files.map(|file| file.expect("a folder can be read").path());
    let indexes: Vec<_> = paths.filter(|path| path.extension().is_some_and(|kind| kind == "idx")).collect();
    for index in &indexes {
        std::fs::remove_file(index).expect("a file can be removed");
    }
    indexes.len()
}

#[test]
fn a_day_without_its_indexes_is_served_while_they_are_made_and_then_answers_as_before() {
    let temp = tempfile::tempdir().expect("a temporary folder can be made");
    let data = temp.path();
    let server = serve(data);
    store_half(&server, 0);
    server.stop();
    let sealed = Command::new(binary()).args(["seal", "--data"]).arg(data).status();
    assert!(sealed.expect("the binary can be started").success());
    let mut server = serve(data);
    store_half(&server, 1);
    let before = answers(&server);
    server.kill();
    assert_eq!(remove_indexes(data), 2, "a sealed segment's and an open one's");
    let mut server = serve(data);
    assert!(server.get("/health").ok().text().starts_with("ok\n"));
    let first = server.get(QUESTIONS[2]).ok();
    assert_eq!(first.header(HEADER), Some("2025-03-10T00:00:00Z"), "nothing of the day is known");
    let late = r#"{"ts":"2025-03-10T20:00:00Z","component":"elsewhere","msg":"meanwhile"}"#;
    server.store_logs(format!("{late}\n").as_bytes());
    assert_eq!(server.logs("component=elsewhere"), format!("{late}\n").as_bytes());
    // Once more from the beginning.
    server.kill();
    let server = serve(data);
    assert!(server.get(QUESTIONS[2]).ok().header(HEADER).is_some());
    assert!(server.counter("sonde_unindexed_segments") > 0.0);
    wait::until("all lines", || {
        let answer = server.get(QUESTIONS[2]).ok();
        let is_as_before = answer.body == before[2];
        match answer.header(HEADER) {
            None if is_as_before => Ok(()),
            // Without the header nothing may be missing.
            None => panic!("an answer that is not whole passes for a whole one"),
            Some(at) => Err(at.to_owned()),
        }
    });
    assert!(answers(&server) == before, "byte for byte");
    assert!(server.counter("sonde_unindexed_segments") < 1.0);
    wait::until("the end of both to be logged", || {
        let said = server.log();
        let ends = said.lines().filter(|line| line.contains("was made again") && line.contains("seconds="));
        wait::same(ends.count(), &2)
    });
    assert_eq!(server.logs("component=elsewhere"), format!("{late}\n").as_bytes());
    server.stop();
    assert!(answers(&serve(data)) == before, "after a start");
}
