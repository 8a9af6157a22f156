//! Components that are kept for other times than the rest: their lines go alone, or stay alone, at their time.

use sonde_shared::time::{NANOS_PER_DAY, Timestamp};
use sonde_tests::http::split_lines;
use sonde_tests::oracle::assert_same_lines;
use sonde_tests::server::{Setup, TestServer, binary};
use sonde_tests::wait;
use std::fmt::Write;
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

const COMPONENTS: [&str; 5] = ["shop", "shop.debug", "shop.audit.log", "shop.debugger", "git"];
const DAYS: [i64; 4] = [0, 2, 20, 40];
const LINES: usize = 500;

/// So many days before this moment.
fn ago(days: i64) -> Timestamp {
    let since = SystemTime::UNIX_EPOCH.elapsed().expect("it is after 1970");
    Timestamp::from_nanos(since.as_nanos() as i64).plus_nanos(-days * NANOS_PER_DAY)
}

/// Lines of a day and of all components in turn. Many have the same time, and none is in order of it.
fn lines(day: Timestamp, component: impl Fn(&str) -> bool) -> Vec<(Timestamp, String)> {
    let start = day.day().start();
    let line = |number: usize| {
        let (name, at) = (COMPONENTS[number % 5], start.plus_nanos((number * 7 % 11) as i64 * 1_000_000));
        (name, at, format!("{{\"ts\":\"{at}\",\"component\":\"{name}\",\"msg\":\"{number}\"}}\n"))
    };
    let taken = (0..LINES).map(line).filter(|(name, ..)| component(name));
    taken.map(|(_, at, text)| (at, text)).collect()
}

/// What a scan of the lines answers: by time and, of equal times, in the order in which they were sent.
fn sorted(mut lines: Vec<(Timestamp, String)>) -> Vec<u8> {
    lines.sort_by_key(|(at, _)| *at);
    lines.into_iter().map(|(_, text)| text).collect::<String>().into_bytes()
}

/// Sends all components' lines of all days at once, a point and an event of each day.
fn fill(server: &TestServer) {
    let all = DAYS.iter().flat_map(|days| lines(ago(*days), |_| true));
    let text: String = all.map(|(_, text)| text).collect();
    server.store_logs(text.as_bytes());
    let mut points = String::new();
    for days in DAYS {
        let secs = ago(days).as_secs();
        writeln!(points, "shop.ms 1 {secs}").expect("a String takes every write");
        let event = format!("{{\"what\":\"deploy\",\"when\":{secs}}}");
        drop(server.http().post("/events/", event.as_bytes()).ok());
    }
    drop(server.http().post("/api/ingest/metrics", points.as_bytes()).ok());
}

fn with_rules(data: &Path, general: &str, rules: &[&str]) -> Setup {
    let setup = Setup::on(data).arg("--retention").arg(general);
    rules.iter().fold(setup, |setup, rule| setup.arg("--retention-for").arg(*rule))
}

fn run(data: &Path, command: &str, args: &[&str]) -> Vec<u8> {
    let mut command_line = Command::new(binary());
    let output =
        command_line.arg(command).arg("--data").arg(data).args(args).output().expect("the program starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// The components that are kept on a day so long ago, under the rules of the test.
fn kept(days: i64, name: &str) -> bool {
    match name {
        "shop.debug" => days <= 3,
        "shop.audit.log" => days <= 730,
        _ => days <= 30,
    }
}

/// The answers of the server and of the folder are what is kept of each day, in order.
#[track_caller]
fn check(server: &TestServer, what: &str) {
    for days in DAYS {
        let range = format!("from={}&until={}", ago(days).day().start(), ago(days).day().next().start());
        for selector in COMPONENTS {
            let is_selected = |name: &str| name == selector || name.starts_with(&format!("{selector}."));
            let expected = lines(ago(days), |name| is_selected(name) && kept(days, name));
            let found = server.logs(&format!("component={selector}&{range}"));
            let what = format!("{what}: {selector}, {days} days ago");
            if selector == "shop" {
                // Lines of several ages at the same nanosecond come by their files: all of one time, in some order.
                let in_some_order = |lines: &[u8]| {
                    let mut lines: Vec<(String, Vec<u8>)> = split_lines(lines)
                        .into_iter()
                        .map(|line| (String::from_utf8_lossy(&line[..40]).into_owned(), line.to_vec()))
                        .collect();
                    lines.chunk_by_mut(|a, b| a.0 == b.0).for_each(<[_]>::sort);
                    lines
                        .into_iter()
                        .flat_map(|(_, line)| line.into_iter().chain(*b"\n"))
                        .collect::<Vec<u8>>()
                };
                assert_same_lines(&in_some_order(&found), &in_some_order(&sorted(expected)), &what);
            } else {
                assert_same_lines(&found, &sorted(expected), &what);
            }
        }
        let points = format!(
            "/render?target=shop.ms&format=json&from={}&until={}",
            ago(days).as_secs() - 5,
            ago(days).as_secs() + 5
        );
        let has_points = server.get(&points).ok().text().contains("datapoints");
        let events = format!(
            "/events/get_data?from={}&until={}",
            ago(days).as_secs() - 600,
            ago(days).as_secs() + 600
        );
        let has_events = server.get(&events).ok().text().contains("deploy");
        assert_eq!((has_points, has_events), (days <= 30, days <= 30), "{what}: {days} days ago");
    }
    let from_folder = run(server.data(), "export", &[]);
    assert_same_lines(&server.logs(""), &from_folder, &format!("{what}: the folder"));
}

#[test]
fn components_are_kept_for_their_own_times_and_all_else_for_its() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let data = folder.path().join("data");
    // Ages that let nothing go yet, and tell the same components apart.
    let server = with_rules(&data, "90d", &["shop.debug=80d", "shop.audit=2y"]).start();
    fill(&server);
    server.stop();
    let now = ["shop.debug=3d", "shop.audit=2y"];
    let mut server = with_rules(&data, "30d", &now).start();
    // The last of it goes with the points of the oldest day.
    wait::until("what is too old to go", || {
        let names: Vec<_> = std::fs::read_dir(data.join(ago(40).day().to_string()))
            .expect("the day is kept")
            .map(|entry| entry.expect("an entry").file_name().into_string().expect("a plain name"))
            .collect();
        let is_left = |name: &String| !name.starts_with("logs-") || name.contains("lines-only");
        if names.iter().any(is_left) || server.counter("sonde_retention_deleted_segments_total") < 3.0 {
            Err(names)
        } else {
            Ok(())
        }
    });
    check(&server, "after the deletion");
    let counters = ["days", "segments"]
        .map(|what| server.counter(&format!("sonde_retention_deleted_{what}_total")) as u64);
    assert_eq!(counters, [0, 3], "debug of 20 days ago, debug and the rest of 40 days ago");
    // What is refused is a matter of the component, also after kill -9.
    for round in ["running", "killed and started again"] {
        let line = |name: &str, days: i64| {
            format!("{{\"ts\":\"{}\",\"component\":\"{name}\",\"msg\":\"late\"}}\n", ago(days))
        };
        let body = line("shop.debug.sql", 5) + &line("shop.debugger", 31) + &line("shop.audit", 800);
        let report: sonde_shared::api::IngestReport =
            server.http().post("/api/ingest/logs", body.as_bytes()).json();
        assert_eq!((report.stored, report.refused_total), (0, 3), "{round}");
        let first = |days: i64| format!("before {}, the earliest time that is kept", ago(days).day().start());
        for (refused, days) in report.refused.iter().zip([3, 30, 730]) {
            assert!(refused.why.contains(&first(days)), "{round}: {}", refused.why);
        }
        if round == "running" {
            server.kill();
            server = with_rules(&data, "30d", &now).start();
            check(&server, round);
        }
    }
    drop(run(&data, "check", &[]));
    server.stop();
    drop(run(&data, "seal", &[]));
    let mut environment = Setup::on(&data).through([
        "env",
        "SONDE_RETENTION=30d",
        "SONDE_RETENTION_FOR=shop.debug=3d,shop.audit=2y",
    ]);
    environment = environment.arg("--seal").arg("off");
    check(&environment.start(), "sealed, with the rules from the environment");
}

#[test]
fn the_rules_may_stand_in_the_file_of_settings_and_wrong_ones_are_refused_with_an_example() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("sonde.toml");
    let check = |setup: Setup, expected: &str| {
        let (succeeded, said) = setup.fail_to_start();
        assert!(!succeeded && said.contains(expected), "{said}");
    };
    let flag = |value: &str| Setup::default().arg("--retention-for").arg(value);
    check(flag("shop"), "such as shop.audit=2y");
    check(flag("shop.*=3d"), "no globs here");
    check(flag("shop=3h"), "at least 1d");
    check(flag("shop=1d,shop=2d"), "`shop` has two ages");
    std::fs::write(&file, "retention-for = [\"shop.audit\"]").expect("a file can be written");
    let with_file = || Setup::default().arg("--config").arg(&file);
    check(with_file(), "of the key `retention-for`");
    std::fs::write(&file, "retention = \"30d\"\nretention-for = [\"shop.audit=2y\", \"shop.debug=3d\"]")
        .expect("a file can be written");
    let server = with_file().start();
    let line = |name: &str| format!("{{\"ts\":\"{}\",\"component\":\"{name}\",\"msg\":\"m\"}}\n", ago(10));
    let report = server.post_logs((line("shop.debug") + &line("shop.audit") + &line("shop")).as_bytes());
    assert_eq!((report.stored, report.refused_total), (2, 1));
}

#[test]
fn what_is_imported_goes_by_its_components_when_the_import_was_told_of_them() {
    for (told, expected) in
        [(true, vec!["shop.debugger", "shop"]), (false, vec!["shop.debug", "shop.debugger", "shop"])]
    {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let (data, file) = (folder.path().join("data"), folder.path().join("old.ndjson"));
        let at = ago(20);
        let line = |name: &str, at: Timestamp| {
            format!("{{\"ts\":\"{at}\",\"component\":\"{name}\",\"msg\":\"m\"}}\n")
        };
        // The last of these goes in any case: so it is seen that what is too old was looked for.
        let text = ["shop.debug", "shop.debugger", "shop"].map(|name| line(name, at)).concat()
            + &line("shop", ago(900));
        std::fs::write(&file, text).expect("a file can be written");
        let args = ["--retention-for", "shop.debug=3d", "--retention-for", "git=off"];
        let file = file.to_str().expect("a plain name");
        drop(run(&data, "import", &[&args[..if told { 4 } else { 0 }], &[file]].concat()));
        let server = with_rules(&data, "30d", &["shop.debug=3d"]).start();
        let is_done = || {
            let found = server.logs("");
            let lines = split_lines(&found).len();
            if lines == expected.len() { Ok(found) } else { Err(lines) }
        };
        let found = wait::until("the lines that are kept", is_done);
        assert_same_lines(
            &found,
            expected.iter().map(|name| line(name, at)).collect::<String>().as_bytes(),
            "kept",
        );
    }
}
