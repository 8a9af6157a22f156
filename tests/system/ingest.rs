//! What is sent in is found again, however it was sent; what is bad hurts nothing else.

use serde_json::Value;
use sonde_shared::api::IngestReport;
use sonde_tests::oracle::assert_same_lines;
use sonde_tests::points::pickle_frame;
use sonde_tests::senders::{Sender, host_name, logger};
use sonde_tests::server::{Setup, TestServer};
use sonde_tests::wait;
use std::io::{Read, Write};
use std::time::{SystemTime, UNIX_EPOCH};

const GOOD: &str =
    r#"{"ts":"2025-03-10T14:05:00Z","component":"shop.cart","host":"n1","level":"warn","msg":"slow"}"#;

/// Ten minutes ago, on a multiple of the step that points ten seconds apart are snapped to.
fn a_while_ago() -> u64 {
    (now_secs() - 600) / 10 * 10
}

fn now_secs() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970").as_secs()
}

/// The points of a series, waited for since carbon sends no answer.
#[track_caller]
fn wait_for_points(server: &TestServer, target: &str, expected: &[(f64, u64)]) {
    let (from, until) = (expected[0].1 - 60, expected[expected.len() - 1].1 + 60);
    wait::until(target, || {
        let found = points(server, target, from, until);
        if found == expected { Ok(()) } else { Err(found) }
    });
}

fn points(server: &TestServer, target: &str, from: u64, until: u64) -> Vec<(f64, u64)> {
    let answer: Value =
        server.get(&format!("/render?format=json&target={target}&from={from}&until={until}")).ok().json();
    let list = answer[0]["datapoints"].as_array().cloned().unwrap_or_default();
    list.iter().filter_map(|point| Some((point[0].as_f64()?, point[1].as_u64()?))).collect()
}

/// The lines of a component, waited for until there are so many.
#[track_caller]
fn wait_for_lines(server: &TestServer, query: &str, count: usize) -> Vec<Value> {
    wait::until(query, || {
        let body = server.logs(query);
        let lines: Vec<Value> = sonde_tests::http::split_lines(&body)
            .iter()
            .map(|line| serde_json::from_slice(line).expect("a line is JSON"))
            .collect();
        if lines.len() == count { Ok(lines) } else { Err(String::from_utf8_lossy(&body).into_owned()) }
    })
}

#[test]
fn lines_come_out_as_they_went_in() {
    let server = TestServer::start();
    let odd = "  {\"ts\": 1741615501.25 ,\t\"msg\":\"spaces, \\u00e9 and an own order\", \"component\":\"shop.cart\", \"x\":1e400}  ";
    let body = format!("{GOOD}\r\n\n{odd}\n{}", GOOD.replace("14:05:00", "14:06:00"));
    let report: IngestReport = server.post_logs(body.as_bytes());
    assert_eq!((report.stored, report.refused_total), (3, 0), "{report:?}");
    let expected = format!("{GOOD}\n{odd}\n{}\n", GOOD.replace("14:05:00", "14:06:00"));
    assert_same_lines(&server.logs("component=shop"), expected.as_bytes(), "the lines");
}

#[test]
fn compressed_bodies_are_taken() {
    let server = TestServer::start();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(format!("{GOOD}\n").as_bytes()).expect("memory takes every write");
    let gzip = gzip.finish().expect("memory takes every write");
    let zstd =
        zstd::encode_all(GOOD.replace("slow", "slower").as_bytes(), 3).expect("memory takes every write");
    for (encoding, body) in [("gzip", gzip), ("zstd", zstd)] {
        let report: IngestReport =
            server.http().post_with("/api/ingest/logs", &body, &[("content-encoding", encoding)]).ok().json();
        assert_eq!(report.stored, 1, "{encoding}: {report:?}");
    }
    let expected = format!("{GOOD}\n{}\n", GOOD.replace("slow", "slower"));
    assert_same_lines(&server.logs("component=shop.cart"), expected.as_bytes(), "both lines");
}

#[test]
fn a_bomb_or_a_cut_off_archive_is_refused_and_the_server_lives() {
    let server = TestServer::start();
    let bomb = zstd::encode_all(std::io::repeat(b'x').take(2 << 30), 3).expect("memory takes every write");
    let cut = zstd::encode_all(GOOD.as_bytes(), 3).expect("memory takes every write");
    let before = sonde_tests::process::anonymous_bytes(server.pid());
    for body in [bomb.as_slice(), &cut[..cut.len() - 4], b"no archive"] {
        let answer = server.http().post_with("/api/ingest/logs", body, &[("content-encoding", "zstd")]);
        assert!((400..500).contains(&answer.status), "{} {}", answer.status, answer.text());
        answer.problem();
    }
    let grown = sonde_tests::process::anonymous_bytes(server.pid()).saturating_sub(before);
    assert!(grown < 200 << 20, "{grown} bytes more");
    server.store_logs(GOOD.as_bytes());
}

/// Else its sender, still sending, finds the connection closed and not the answer.
#[test]
fn a_body_that_is_refused_at_its_first_byte_is_answered_however_long_it_is() {
    let server = TestServer::start();
    let body: Vec<u8> = (0..16_u32 << 20).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for _ in 0..5 {
        for (name, status) in [("zstd", 400), ("gzip", 400), ("br", 415)] {
            let answer = server.http().post_with("/api/ingest/logs", &body, &[("content-encoding", name)]);
            assert_eq!(answer.status, status, "{name}: {}", answer.text());
        }
    }
}

#[test]
fn a_bad_line_is_named_and_the_good_ones_are_kept() {
    let server = TestServer::start();
    let nested = format!(
        "{{\"ts\":1741615500,\"msg\":\"deep\",\"x\":{}{}}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    let huge = format!("{{\"ts\":1741615500,\"msg\":\"{}\"}}", "x".repeat(2 << 20));
    let bad: [&[u8]; 9] = [
        b"no JSON at all",
        b"{\"ts\":\"2025-03-10T14:05:00Z\",\"msg\":\"half a li",
        b"{\"msg\":\"no time\"}",
        b"{\"ts\":\"2025-03-10T14:05:00Z\"}",
        b"{\"ts\":\"the day before\",\"msg\":\"x\"}",
        b"{\"ts\":\"2025-03-10T14:05:00Z\",\"msg\":\"\xff\xfe\"}",
        b"\x00\x01\x02\x03",
        b"[1,2,3]",
        huge.as_bytes(),
    ];
    let mut body = nested.into_bytes();
    for line in bad {
        body.extend_from_slice(b"\n");
        body.extend_from_slice(line);
        body.extend_from_slice(format!("\n{GOOD}").as_bytes());
    }
    let report = server.post_logs(&body);
    let refused: Vec<u64> =
        report.refused.iter().map(|refusal| refusal.line).filter(|line| *line > 1).collect();
    assert_eq!(refused, [2, 4, 6, 8, 10, 12, 14, 16, 18], "{report:?}");
    assert!(report.refused.iter().all(|refusal| !refusal.why.is_empty()));
    assert_same_lines(
        &server.logs("component=shop.cart"),
        format!("{GOOD}\n").repeat(9).as_bytes(),
        "the good lines",
    );
    let nothing = server.http().post("/api/ingest/logs", b"nonsense\n");
    assert_eq!((nothing.status, nothing.json::<IngestReport>().stored), (400, 0));
}

#[test]
fn carbon_points_are_found_whether_they_came_by_tcp_or_udp() {
    let server = TestServer::start();
    let at = a_while_ago();
    server.send_tcp("carbon", format!("shop.cart.ms 80 {at}\nshop.cart.ms 1e2 {}\r\n", at + 10).as_bytes());
    server.send_udp(
        "carbon",
        format!("shop.cart.ms  -5.5\t{}\nshop.pay.ms 3 {at}\nshop.pay.ms 4 {}", at + 20, at + 10).as_bytes(),
    );
    wait_for_points(&server, "shop.cart.ms", &[(80.0, at), (100.0, at + 10), (-5.5, at + 20)]);
    wait_for_points(&server, "shop.pay.ms", &[(3.0, at), (4.0, at + 10)]);
    let found: Value = server.get("/metrics/find?query=shop.*").ok().json();
    let texts: Vec<&str> =
        found.as_array().expect("a list").iter().filter_map(|node| node["text"].as_str()).collect();
    assert_eq!(texts, ["cart", "pay"]);
}

#[test]
fn bad_carbon_lines_hurt_no_good_one_of_the_same_connection() {
    let server = TestServer::start();
    let at = a_while_ago();
    let mut bytes = Vec::new();
    let good = |value: u64| format!("a.good {value} {}\n", at + 10 * value).into_bytes();
    let bad: [&[u8]; 7] = [
        b"no number here\n",
        b"\xff\xfe\x00 1 2\n",
        b"one two\n",
        b"a.b 1 2 3 4\n",
        b"a.b nan 1741615500\n",
        b"\n\n\r\n",
        &vec![b'x'; 300_000],
    ];
    for (value, line) in (1..).zip(bad) {
        bytes.extend_from_slice(&good(value));
        bytes.extend_from_slice(line);
        bytes.extend_from_slice(b"\n");
    }
    bytes.extend_from_slice(&good(8));
    bytes.extend_from_slice(b"a.good 9");
    server.send_tcp("carbon", &bytes);
    let expected: Vec<(f64, u64)> = (1..=8).map(|value| (value as f64, at + 10 * value)).collect();
    wait_for_points(&server, "a.good", &expected);
}

#[test]
fn pickled_points_are_found_and_a_pickle_that_would_run_something_is_refused() {
    let server = Setup::default().arg("--carbon-pickle").arg("127.0.0.1:0").start();
    let at = a_while_ago();
    let first = pickle_frame(&[("shop.cart.ms", 80.0, at), ("shop.cart.ms", 90.5, at + 10)]);
    let evil = b"cos\nsystem\n(S'touch /tmp/never'\ntR.";
    let evil = [&(evil.len() as u32).to_be_bytes(), evil.as_slice()].concat();
    let tagged = "shop.cart.ms;unit=ms;host=n1";
    let last = pickle_frame(&[(tagged, 1.0, at), (tagged, 2.0, at + 10)]);
    let more = pickle_frame(&[("shop.cart.ms", -1.0, at + 20), ("shop.cart.ms", f64::NAN, at + 30)]);
    server.send_tcp("carbon-pickle", &[first, evil, last, more].concat());
    wait_for_points(&server, "shop.cart.ms", &[(80.0, at), (90.5, at + 10), (-1.0, at + 20)]);
    wait_for_points(&server, "shop.cart.ms;host=n1;unit=ms", &[(1.0, at), (2.0, at + 10)]);
    for (reason, count) in [("pickle_object", 1), ("nan", 1), ("bad_pickle", 0)] {
        let name = format!(r#"sonde_ingest_refused_total{{protocol="carbon_pickle",reason="{reason}"}}"#);
        assert_eq!(server.counter(&name) as u64, count, "{reason}");
    }
    assert_eq!(server.counter(r#"sonde_ingest_stored_total{protocol="carbon_pickle"}"#) as u64, 5);
}

#[test]
fn of_points_that_are_refused_one_of_each_reason_is_logged() {
    let server = Setup::default().arg("--carbon-pickle").arg("127.0.0.1:0").start();
    let at = a_while_ago() / 60 * 60;
    let long = format!("\x1b[2Jshop {}\n", "é".repeat(2_000));
    let lines = "shop.cart 7\n".repeat(500);
    server.send_tcp("carbon", format!("{long}{lines}shop.cart nan {at}\nshop.cart 1 {at}\n").as_bytes());
    wait_for_points(&server, "shop.cart", &[(1.0, at)]);
    server.send_tcp("carbon-pickle", &pickle_frame(&[("shop pay", 1.0, at), ("shop.pay", 2.0, at)]));
    wait_for_points(&server, "shop.pay", &[(2.0, at)]);
    server.send_udp("carbon", b"shop.cart alone\nshop.mail 3 99999999999\n");
    let said = wait::until("the datagram's refusal", || {
        let said = server.log();
        if said.contains("carbon_udp") { Ok(said) } else { Err(said) }
    });
    let told: Vec<&str> = said.lines().filter(|line| line.contains("refused")).collect();
    assert_eq!(told.len(), 4, "{told:#?}");
    let check = |at: usize, words: &[&str]| {
        assert!(words.iter().all(|word| told[at].contains(word)), "{words:?}: {}", told[at]);
    };
    check(0, &["carbon_tcp", "127.0.0.1", "bad_line", "others_since=0", "2 fields", "\\u{1b}[2Jshop éééé"]);
    assert!(told[0].chars().filter(|c| *c == 'é').count() < 400, "{}", told[0]);
    check(1, &["nan", "shop.cart nan"]);
    check(2, &["carbon_pickle", "127.0.0.1", "bad_name", "has white space", "\"shop pay\""]);
    check(3, &["carbon_udp", "127.0.0.1", "future", "shop.mail 3 99999999999"]);
}

#[test]
fn points_below_sonde_are_taken_as_any_others_and_the_last_of_a_second_counts() {
    let server = TestServer::start();
    let at = a_while_ago() / 60 * 60;
    let (other, own) = ("sonde.wells2.ingest.lines.carbon_tcp", "sonde.ingest.lines.carbon_tcp");
    server.send_tcp("carbon", format!("{other} 7 {at}\n{own} 1 {at}\n{own} 2 {at}\n").as_bytes());
    wait_for_points(&server, other, &[(7.0, at)]);
    wait_for_points(&server, own, &[(2.0, at)]);
    let taken = r#"sonde_ingest_stored_total{protocol="carbon_tcp"}"#;
    assert_eq!(server.counter(taken) as u64, 3);
    // Its own figures go on beside them.
    let path = format!("/render?format=json&target={own}&from={}", at + 60);
    wait::until("a figure of its own", || {
        let answer: Value = server.get(&path).ok().json();
        let points = answer[0]["datapoints"].as_array().cloned().unwrap_or_default();
        if points.iter().any(|point| point[0].is_number()) { Ok(()) } else { Err(answer) }
    });
}

#[test]
fn metrics_are_taken_over_http() {
    let server = TestServer::start();
    let at = a_while_ago();
    let body = format!("shop.cart.ms 80 {at}\nbroken\nshop.cart.ms 90 {}\n", at + 10);
    let report: IngestReport = server.http().post("/api/ingest/metrics", body.as_bytes()).ok().json();
    assert_eq!((report.stored, report.refused_total), (2, 1), "{report:?}");
    assert_eq!(report.refused[0].line, 2);
    assert_eq!(points(&server, "shop.cart.ms", at - 60, at + 60), [(80.0, at), (90.0, at + 10)]);
}

#[test]
fn logger_is_understood_in_both_formats_and_over_both_transports() {
    let server = TestServer::start();
    let port = server.listener("syslog").port().to_string();
    let host = host_name();
    for (number, (transport, format)) in
        [("-T", "--rfc5424"), ("-T", "--rfc3164"), ("-d", "--rfc5424"), ("-d", "--rfc3164")]
            .into_iter()
            .enumerate()
    {
        let tag = format!("till{number}");
        let message = format!("Kasse {number} klemmt: 100 % \"voll\"");
        logger(&[
            "-n",
            "127.0.0.1",
            "-P",
            &port,
            transport,
            format,
            "-t",
            &tag,
            "-p",
            "local0.warning",
            &message,
        ]);
        let lines = wait_for_lines(&server, &format!("component=syslog.{tag}"), 1);
        assert_eq!(lines[0]["msg"], message, "{format}");
        assert_eq!(lines[0]["level"], "warn", "{format}");
        assert_eq!(lines[0]["host"].as_str(), Some(host.as_str()), "{format}");
        let found = wait_for_lines(
            &server,
            &format!("component=syslog.{tag}&level=warn&from=-5min&until=now%2B5min"),
            1,
        );
        assert_eq!(found, lines, "{format}: the stamp is now");
    }
}

#[test]
fn a_dotted_app_name_is_the_component_itself() {
    let server = TestServer::start();
    let port = server.listener("syslog").port().to_string();
    logger(&[
        "-n",
        "127.0.0.1",
        "-P",
        &port,
        "-T",
        "--octet-count",
        "--rfc5424",
        "-t",
        "shop.cart",
        "two\nlines",
    ]);
    let lines = wait_for_lines(&server, "component=shop.cart", 1);
    assert_eq!(lines[0]["msg"], "two\nlines");
}

#[test]
fn rsyslogd_forwards_all_that_it_takes() {
    let server = TestServer::start();
    let forwards = [
        ("tcp-plain", r#"protocol="tcp""#),
        (
            "tcp-counted",
            r#"protocol="tcp" tcp_framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format""#,
        ),
        ("udp", r#"protocol="udp" template="RSYSLOG_SyslogProtocol23Format""#),
        ("udp-old", r#"protocol="udp" template="RSYSLOG_TraditionalForwardFormat""#),
    ];
    for (tag, forward) in forwards {
        let rsyslogd = Sender::rsyslogd(server.listener("syslog"), forward);
        let socket = rsyslogd.socket().display().to_string();
        for number in 0..20 {
            logger(&["-u", &socket, "-t", tag, "-p", "daemon.err", &format!("message {number}")]);
        }
        let lines = wait_for_lines(&server, &format!("component=syslog.{tag}"), 20);
        let mut messages: Vec<&str> =
            lines.iter().filter_map(|line| line["msg"].as_str()).map(str::trim).collect();
        messages.sort_unstable();
        let mut expected: Vec<String> = (0..20).map(|number| format!("message {number}")).collect();
        expected.sort_unstable();
        assert_eq!(messages, expected, "{tag}");
        assert!(lines.iter().all(|line| line["level"] == "error"), "{tag}: {lines:?}");
    }
}

#[test]
fn broken_syslog_hurts_no_good_message_of_the_same_connection() {
    let server = TestServer::start();
    let good = |number: u32| {
        format!("<11>1 2025-03-10T14:05:{number:02}Z n1 shop.cart - - - message {number}\n").into_bytes()
    };
    let bad: [&[u8]; 6] = [
        b"<999>1 nonsense\n",
        b"\xff\xfe\xfd\x00\n",
        b"<11>1 2025-99-99T99:99:99Z n1 app - - [sd broken\n",
        b"<>\n",
        b"\n",
        &vec![b'y'; 3 << 20],
    ];
    let mut bytes = Vec::new();
    for (number, line) in (1..).zip(bad) {
        bytes.extend_from_slice(&good(number));
        bytes.extend_from_slice(line);
        bytes.extend_from_slice(b"\n");
    }
    bytes.extend_from_slice(&good(7));
    server.send_tcp("syslog", &bytes);
    let lines = wait_for_lines(&server, "component=shop.cart", 7);
    let messages: Vec<&str> = lines.iter().filter_map(|line| line["msg"].as_str()).collect();
    let expected: Vec<String> = (1..=7).map(|number| format!("message {number}")).collect();
    assert_eq!(messages, expected);
    let large = 2_000_000_000_u64.to_string() + " <11>1 - - - - - - x";
    server.send_tcp("syslog", large.as_bytes());
    server.send_tcp("syslog", &good(8));
    wait_for_lines(&server, "component=shop.cart", 8);
}

#[test]
fn collectd_writes_its_measurements_by_tcp_and_udp() {
    let server = TestServer::start();
    for (protocol, host) in [("tcp", "tcpnode"), ("udp", "udpnode")] {
        let _collectd = Sender::collectd(server.listener("carbon"), protocol, host);
        let target = format!("collectd.{host}.memory.memory-free");
        let free = wait::until(&target, || {
            let found = points(&server, &target, now_secs() - 600, now_secs() + 600);
            if found.len() >= 2 { Ok(found) } else { Err(found) }
        });
        assert!(free.iter().all(|(value, at)| *value > 1e6 && at.abs_diff(now_secs()) < 300), "{free:?}");
        let found: Value = server.get(&format!("/metrics/find?query=collectd.{host}.*")).ok().json();
        let texts: Vec<&str> =
            found.as_array().expect("a list").iter().filter_map(|node| node["text"].as_str()).collect();
        assert!(texts.contains(&"memory") && texts.contains(&"load"), "{texts:?}");
    }
}
