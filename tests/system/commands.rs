//! What the program does beside serving: lines go in, are sealed, checked and taken out, and are the same lines.

use sonde_tests::corpus::{Corpus, Names, Recipe, Style, range};
use sonde_tests::http::split_lines;
use sonde_tests::oracle::{Query, assert_same_lines};
use sonde_tests::server::{Setup, TestServer, binary};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn corpus(lines: usize) -> Corpus {
    let range = range("2025-03-10T12:00:00Z", "2025-03-12T06:00:00Z");
    Corpus::make(Recipe { seed: 11, lines, range, style: Style::Mixed, names: Names::Few })
}

#[track_caller]
fn sonde(data: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(binary());
    command.env_remove("SONDE_DATA").args(args).arg("--data").arg(data);
    command.output().expect("the program starts")
}

#[track_caller]
fn succeed(data: &Path, args: &[&str]) -> Vec<u8> {
    let output = sonde(data, args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Lines of a corpus, in a file.
fn write(folder: &Path, name: &str, bytes: &[u8]) -> String {
    let path = folder.join(name);
    std::fs::write(&path, bytes).expect("the file is written");
    path.to_str().expect("a plain name").to_owned()
}

fn files(data: &Path, suffix: &str) -> Vec<PathBuf> {
    let days = std::fs::read_dir(data).expect("the folder is there").map(|day| day.expect("an entry").path());
    let files = days.filter(|day| day.is_dir()).flat_map(|day| std::fs::read_dir(day).expect("a day"));
    let mut files: Vec<PathBuf> = files.map(|file| file.expect("an entry").path()).collect();
    files.retain(|file| file.to_str().is_some_and(|name| name.ends_with(suffix)));
    files
}

/// What `sonde check` tells of 30,000 sealed lines: their text unpacked, and less on the disk.
#[track_caller]
fn check_sizes(table: &str, text_bytes: u64) {
    let columns: Vec<Vec<u64>> = table
        .lines()
        .filter(|row| row.contains("ndjson.zst"))
        .map(|row| row.split_whitespace().skip(2).map(|number| number.parse().expect("a number")).collect())
        .collect();
    let sum = |at: usize| columns.iter().map(|row| row[at]).sum::<u64>();
    assert_eq!((sum(0), sum(2)), (30_000, text_bytes), "{table}");
    assert!(sum(1) > 0 && sum(1) < sum(2) / 2, "{table}");
}

#[test]
fn imported_lines_come_out_the_same_sealed_or_not() {
    let corpus = corpus(30_000);
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let half = corpus.rows[15_000].text.start;
    let plain = write(dir.path(), "a.ndjson", &corpus.text[..half]);
    let packed = zstd::encode_all(&corpus.text[half..], 3).unwrap();
    let packed = write(dir.path(), "b.ndjson.zst", &packed);
    succeed(&data, &["import", &plain, &packed]);
    let expected = Query::all().body(&corpus);
    assert_same_lines(&succeed(&data, &["export"]), &expected, "before sealing");
    let said = String::from_utf8(succeed(&data, &["seal"])).unwrap();
    assert!(said.starts_with("sealed ") && said.contains(" with 30000 lines, 0 points; "), "{said}");
    assert_eq!(succeed(&data, &["seal"]), b"there was nothing to seal\n");
    assert!(files(&data, ".ndjson").is_empty(), "every segment is sealed");
    assert_same_lines(&succeed(&data, &["export"]), &expected, "after sealing");
    let git = Query::all()
        .component("webapp.backend.git")
        .range(range("2025-03-11T00:00:00Z", "2025-03-11T08:00:00Z"));
    let args =
        ["export", "webapp.backend.git", "--from", "2025-03-11T00:00:00Z", "--until", "2025-03-11T08:00:00Z"];
    assert_same_lines(&succeed(&data, &args), &git.body(&corpus), "a component and a range");
    let table = String::from_utf8(succeed(&data, &["check"])).unwrap();
    assert!(table.ends_with("all of it holds\n"));
    check_sizes(&table, corpus.text.len() as u64);

    let server = TestServer::on(&data);
    for ask in [
        Query::all(),
        git,
        Query::all().contains("ms for").descending(),
        Query::all().host("node1").offset(77).limit(90),
    ] {
        let (parameters, expected) = (ask.parameters(), ask.body(&corpus));
        assert_same_lines(&server.logs(&parameters), &expected, &format!("over HTTP: {parameters}"));
    }
    assert_same_lines(&succeed(&data, &["export"]), &expected, "beside a server");
    let refused = sonde(&data, &["seal"]);
    assert!(!refused.status.success(), "a folder that a server has is not touched");
}

#[test]
fn what_is_stored_beside_sealed_lines_is_in_order_with_them() {
    let corpus = corpus(9_000);
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let parts: Vec<&[u8]> = corpus.batches(3_000).collect();
    let first = write(dir.path(), "first.ndjson", parts[0]);
    succeed(&data, &["import", &first]);
    succeed(&data, &["seal"]);
    let server = TestServer::on(&data);
    server.store_logs(parts[1]);
    server.store_logs(parts[2]);
    assert_same_lines(&server.logs(""), &Query::all().body(&corpus), "sealed and open segments");
    assert_same_lines(
        &succeed(&data, &["export"]),
        &Query::all().body(&corpus),
        "from the folder, while it is written",
    );
}

#[test]
fn damage_is_found_and_what_cannot_be_stored_is_told() {
    let corpus = corpus(20_000);
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut text = b"no line\n".to_vec();
    text.extend_from_slice(&corpus.text);
    text.extend_from_slice(b"nor this");
    let file = write(dir.path(), "a.ndjson", &text);
    let output = sonde(&data, &["import", &file]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("a.ndjson, line 1: "), "{said}");
    assert!(said.contains("a.ndjson, line 20002: "), "{said}");
    assert!(said.contains("20000 lines stored, 2 refused"), "{said}");
    assert!(!said.contains("Graphite"), "{said}");
    let points = write(dir.path(), "a.points", b"mill.heat 20.5 1740711600\nmill.heat 21 1740711610\n");
    let output = sonde(&data, &["import", &points]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("2 lines are points as Graphite sends them"), "{said}");
    succeed(&data, &["seal"]);
    let sealed = files(&data, ".ndjson.zst").remove(0);
    let mut bytes = std::fs::read(&sealed).unwrap();
    bytes[2_000] ^= 1;
    std::fs::write(&sealed, bytes).unwrap();
    let output = sonde(&data, &["check"]);
    assert!(!output.status.success());
    let table = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(table.contains("does not hold"), "{table}");
    // An answer that would lack lines is cut off, so that it cannot pass for a whole one.
    let output = sonde(&data, &["export"]);
    assert!(!output.status.success());
    let output = sonde(&data, &["logs"]);
    assert!(!output.status.success() && output.stdout.len() < corpus.text.len());
}

#[test]
fn an_import_that_fails_in_the_middle_says_what_it_has_stored() {
    let corpus = corpus(60_000);
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&corpus.text).unwrap();
    let packed = gzip.finish().unwrap();
    let cut = &packed[..packed.len() * 3 / 5];
    let mut whole = Vec::new();
    // It fails at its end, having read what there is.
    drop(flate2::read::GzDecoder::new(cut).read_to_end(&mut whole));
    whole.truncate(whole.iter().rposition(|byte| *byte == b'\n').unwrap() + 1);
    let file = write(dir.path(), "cut.ndjson.gz", cut);
    let other = write(dir.path(), "other.ndjson", &corpus.text);
    let output = sonde(&data, &["import", &file, &other]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    let stored = sonde_tests::http::split_lines(&whole).len();
    assert!((30_000..60_000).contains(&stored), "{stored}");
    assert_eq!(sonde_tests::http::split_lines(&succeed(&data, &["export"])).len(), stored);
    assert!(said.contains(&format!("cut.ndjson.gz: {stored} lines stored, and then it failed")), "{said}");
    assert!(said.contains(&format!("; not read: {other}")), "{said}");
}

#[test]
fn a_bit_that_flips_before_a_text_is_sealed_is_found() {
    let corpus = corpus(3_000);
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let file = write(dir.path(), "a.ndjson", &corpus.text);
    succeed(&data, &["import", &file]);
    let text = files(&data, ".ndjson").remove(0);
    let original = std::fs::read(&text).unwrap();
    let mut bytes = original.clone();
    // The last digit of a line's last number, or a letter: a line it stays.
    let at = bytes.iter().rposition(u8::is_ascii_alphanumeric).unwrap();
    bytes[at] ^= 1;
    std::fs::write(&text, &bytes).unwrap();
    let output = sonde(&data, &["check"]);
    let table = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!output.status.success() && table.contains("is not what was committed"), "{table}");
    let output = sonde(&data, &["seal"]);
    assert!(!output.status.success() && text.exists(), "it is not sealed");
    std::fs::write(&text, &original[..original.len() - 1_000]).unwrap();
    let output = sonde(&data, &["check"]);
    let table = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!output.status.success() && table.contains("bytes of text are missing"), "{table}");
    check_incomplete(&data, "logs-0001.ndjson: ");
    std::fs::write(&text, &original).unwrap();
    assert_eq!(split_lines(&succeed(&data, &["logs"])).len(), 3_000);
    succeed(&data, &["check"]);
    succeed(&data, &["seal"]);
    let sealed = files(&data, ".ndjson.zst").remove(0);
    let bytes = std::fs::read(&sealed).unwrap();
    std::fs::write(&sealed, &bytes[..bytes.len() / 2]).unwrap();
    check_incomplete(&data, "logs-0001.ndjson.zst: its end is damaged");
}

/// What is left is written, but does not pass for all there was.
#[track_caller]
fn check_incomplete(data: &Path, why: &str) {
    for command in ["logs", "export"] {
        let output = sonde(data, &[command]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(why), "{command}: {said}");
        assert!(split_lines(&output.stdout).len() < 3_000);
    }
}

#[test]
fn an_export_passes_over_what_is_damaged_and_says_so() {
    let corpus = corpus(30_000);
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let file = write(dir.path(), "a.ndjson", &corpus.text);
    succeed(&data, &["import", &file]);
    succeed(&data, &["seal"]);
    let whole = Query::all().body(&corpus);
    let whole = split_lines(&whole);
    let sealed = files(&data, ".ndjson.zst").remove(0);
    let mut bytes = std::fs::read(&sealed).unwrap();
    let middle = bytes.len() / 2;
    bytes[2_000] ^= 1;
    bytes[middle] ^= 1;
    std::fs::write(&sealed, bytes).unwrap();
    let output = sonde(&data, &["export"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{said}");
    let told: Vec<&str> = said.lines().filter(|line| line.contains("does not hold: ")).collect();
    assert!(told.len() == 2 && told.iter().all(|line| line.contains("logs-0001.ndjson.zst")), "{said}");
    let number = |line: &&str, word: &str| -> usize {
        let (before, _) = line.split_once(word).expect("it is told");
        before.rsplit(' ').next().and_then(|number| number.parse().ok()).expect("a number")
    };
    let (lines, lost) =
        (split_lines(&output.stdout), |word| told.iter().map(|line| number(line, word)).sum::<usize>());
    assert!(lost(" lines of ") > 0, "{said}");
    assert_eq!(lines.len() + lost(" lines of "), whole.len(), "{said}");
    let all_bytes: usize = whole.iter().map(|line| line.len() + 1).sum();
    assert_eq!(output.stdout.len() + lost(" bytes were"), all_bytes, "{said}");
    let mut rest = whole.iter();
    assert!(lines.iter().all(|line| rest.any(|other| other == line)), "they are the others, in order");

    // Without its index such a segment cannot be opened; the other days are there all the same.
    let day = sealed.parent().expect("it lies in its day");
    std::fs::remove_file(day.join("logs-0001.idx")).unwrap();
    let output = sonde(&data, &["export"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let day = day.file_name().and_then(|name| name.to_str()).expect("a day has a name");
    assert!(!output.status.success() && said.contains(&format!("lines of {day} were skipped")), "{said}");
    let left = split_lines(&output.stdout).len();
    assert!(left > 0 && left < whole.len(), "{left} lines are of the other days");
}

#[test]
fn a_check_reads_points_and_events_too() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let server = TestServer::on(&data);
    let points: Vec<String> = (0..500).map(|n| format!("shop.cart.size {n} {}", 1_741_600_000 + n)).collect();
    drop(server.http().post("/api/ingest/metrics", points.join("\n").as_bytes()).ok());
    drop(server.http().post("/events/", br#"{"what":"deploy","when":1741600000}"#).ok());
    server.stop();
    let table = String::from_utf8(succeed(&data, &["check"])).unwrap();
    assert!(table.contains("events.ndjson") && table.contains(" 500 "), "{table}");
    let said = String::from_utf8(succeed(&data, &["seal"])).unwrap();
    assert!(said.starts_with("sealed 1 day: 0 segments with 0 lines, 500 points; "), "{said}");

    // What a crash leaves behind the last whole record costs nothing that was acknowledged.
    let events = files(&data, "events.ndjson").remove(0);
    let whole = std::fs::read(&events).unwrap();
    std::fs::write(&events, [&whole[..], b"{\"what\""].concat()).unwrap();
    let table = String::from_utf8(succeed(&data, &["check"])).unwrap();
    assert!(table.contains("was never acknowledged"), "{table}");

    let found = |bytes: &[u8], path: &Path, expected: &str| {
        let before = std::fs::read(path).unwrap();
        std::fs::write(path, bytes).unwrap();
        let output = sonde(&data, &["check"]);
        let table = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(!output.status.success() && table.contains(expected), "{table}");
        std::fs::write(path, before).unwrap();
    };
    found(&[&whole[..], b"no event\n"].concat(), &events, "line 2 is no event");
    let part = files(&data, ".part").remove(0);
    let mut bytes = std::fs::read(&part).unwrap();
    bytes[12] ^= 1;
    found(&bytes, &part, "the points of `shop.cart.size`");
}

#[test]
fn a_folder_that_is_not_there_is_not_made_by_a_look_at_it() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("typo");
    for command in ["seal", "check", "export"] {
        let output = sonde(&data, &[command]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            !output.status.success() && said.contains("typo") && !said.contains("stack"),
            "{command}: {said}"
        );
        assert!(!data.exists(), "{command}");
    }
    let said = sonde(&data, &["import", "no-such-file.ndjson"]).stderr;
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(said.contains("no-such-file.ndjson could not be read") && !data.exists(), "{said}");
}

#[test]
fn a_reader_who_has_had_enough_is_no_error_to_tell() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let lines = write(dir.path(), "lines.ndjson", &corpus(200).text);
    succeed(&data, &["import", &lines]);
    for command in ["check", "export", "logs"] {
        let mut started = Command::new(binary());
        started.arg(command).arg("--data").arg(&data).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = started.spawn().expect("the program starts");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{command}");
    }
}

#[test]
fn what_a_crash_has_left_of_points_is_sealed_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut server = Setup::on(&data).arg("--own-metrics").arg("off").start();
    let point = |n: u64| format!("shop.n{} {n} {}\n", n % 500, 1_741_564_800 + n);
    let points: String = (0..60_000).map(point).collect::<Vec<_>>().concat();
    drop(server.http().post("/api/ingest/metrics", points.as_bytes()).ok());
    server.kill();
    assert_eq!(files(&data, ".wal").len(), 1);
    let said = String::from_utf8(succeed(&data, &["seal"])).unwrap();
    assert!(said.starts_with("sealed 1 day: 0 segments with 0 lines, 60000 points; "), "{said}");
    assert_eq!((files(&data, ".wal").len(), files(&data, ".part").len()), (0, 1));
    assert_eq!(succeed(&data, &["seal"]), b"there was nothing to seal\n");
}

#[test]
fn one_file_of_settings_is_for_all_commands() {
    let dir = tempfile::tempdir().unwrap();
    let corpus = corpus(600);
    let file = write(dir.path(), "a.ndjson", &corpus.text);
    write(
        dir.path(),
        "sonde.toml",
        b"data = 'wells'\nlisten = '127.0.0.1:1'\nretention-for = ['webapp.backend.git=2y']\n",
    );
    let run = |args: &[&str], variables: &[(&str, &str)]| {
        let mut command = Command::new(binary());
        command.env_remove("SONDE_DATA").envs(variables.iter().copied()).args(args);
        let output = command.current_dir(dir.path()).output().expect("the program starts");
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    run(&["import", &file], &[]);
    let days = std::fs::read_dir(dir.path().join("wells")).expect("it is where the file says");
    let days = days.filter(|day| day.as_ref().is_ok_and(|day| day.path().is_dir())).count();
    assert_eq!(
        files(&dir.path().join("wells"), ".ndjson").len(),
        2 * days,
        "one class more than without the rule"
    );
    let exported = run(&["export"], &[]);
    assert_eq!(split_lines(&exported).len(), 600);
    assert_same_lines(&run(&["logs"], &[]), &exported, "of the same folder");
    run(&["snapshot", "copy"], &[]);
    // The environment outweighs the file.
    let copied = run(&["logs"], &[("SONDE_DATA", "copy")]);
    assert_same_lines(&copied, &exported, "of the copy");
    run(&["seal"], &[("SONDE_DATA", "copy")]);
    assert!(files(&dir.path().join("copy"), ".ndjson").is_empty());
    run(&["import", &file], &[("SONDE_DATA", "other"), ("SONDE_RETENTION_FOR", "node1=3d,webapp=1y")]);
    assert!(String::from_utf8(run(&["check"], &[])).unwrap().ends_with("all of it holds\n"));
}
