//! What is refused, and whether the refusal says how to do it right.

use sonde_tests::http::Answer;
use sonde_tests::server::TestServer;

#[test]
fn a_bad_parameter_is_named_and_the_example_is_a_good_one() {
    let server = TestServer::start();
    let cases = [
        ("/api/logs", "from", "half past two"),
        ("/api/logs", "until", "2025-13-01T00:00:00Z"),
        ("/api/logs", "component", "a..b"),
        ("/api/logs", "component", "a.{b"),
        ("/api/logs", "level", "loud"),
        ("/api/logs", "order", "sideways"),
        ("/api/logs", "limit", "-1"),
        ("/api/logs", "limit", "99999999999999999999"),
        ("/api/logs", "offset", "1e3"),
        ("/api/logs", "follow", "perhaps"),
        ("/api/logs", "envelope", "2"),
        ("/api/logs/histogram", "step", "a while"),
        ("/api/logs/histogram", "step", "0s"),
        ("/api/logs/histogram", "from", "later"),
        ("/api/components", "until", "sooner"),
    ];
    for (path, parameter, value) in cases {
        let answer = server.get(&format!("{path}?{parameter}={}", sonde_shared::query_string::encode(value)));
        let what = format!("{path} {parameter}={value}: {}", answer.text());
        assert_eq!(answer.status, 400, "{what}");
        let problem = answer.problem();
        assert_eq!(problem.parameter.as_deref(), Some(parameter), "{what}");
        assert!(problem.detail.len() > 10, "{what}");
        let example = problem.example.unwrap_or_default();
        let with_example = format!("{path}?{parameter}={}", sonde_shared::query_string::encode(&example));
        // A stream that follows would never end.
        if parameter != "follow" {
            assert_eq!(server.get(&with_example).status, 200, "the example of {what}");
        }
    }
}

#[test]
fn a_misspelt_parameter_is_not_taken_for_none() {
    let server = TestServer::start();
    let answer = server.get("/api/logs?componet=webapp");
    assert_eq!(answer.status, 400);
    assert_eq!(answer.problem().parameter.as_deref(), Some("componet"));
}

#[test]
fn a_range_that_ends_before_it_starts_is_explained() {
    let server = TestServer::start();
    let answer = server.get("/api/logs?from=2025-03-10T14:07:00Z&until=2025-03-10T14:05:00Z");
    assert_eq!(answer.status, 400);
    assert!(answer.problem().detail.contains("after"), "{}", answer.text());
}

#[test]
fn an_unknown_address_is_a_404_in_the_same_form() {
    let server = TestServer::start();
    let answer = server.get("/api/nothing");
    assert_eq!(answer.status, 404);
    answer.problem();
}

fn status_of(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("no status")
}

#[test]
fn a_foreign_host_name_is_refused_since_it_may_be_a_rebound_one() {
    let server = TestServer::start();
    let port = server.http().address().port();
    let ask = |path: &str, host: &str| {
        server.http().raw(format!("GET {path} HTTP/1.1\r\n{host}Connection: close\r\n\r\n").as_bytes())
    };
    for path in ["/api/logs", "/", "/metrics", "/render?target=a&format=json"] {
        for host in [
            "Host: evil.example\r\n".to_owned(),
            format!("Host: evil.example:{port}\r\n"),
            format!("Host: 127.0.0.1.evil.example:{port}\r\n"),
        ] {
            let answer = ask(path, &host);
            assert!(["400", "403", "421"].contains(&status_of(&answer)), "{path} {host}: {answer}");
        }
    }
    for host in [
        format!("Host: 127.0.0.1:{port}\r\n"),
        format!("Host: localhost:{port}\r\n"),
        format!("Host: [::1]:{port}\r\n"),
    ] {
        let answer = ask("/api/logs", &host);
        assert_eq!(status_of(&answer), "200", "{host}: {answer}");
    }
}

#[test]
fn a_page_of_another_site_can_write_nothing_and_read_nothing() {
    let server = TestServer::start();
    let own = format!("http://{}", server.http().address());
    let line = br#"{"ts":"2025-03-10T14:05:00Z","component":"a","msg":"x"}"#;
    let post =
        |path: &str, header: (&str, &str)| -> Answer { server.http().post_with(path, line, &[header]) };
    for header in [
        ("origin", "http://evil.example"),
        ("origin", "null"),
        ("origin", "http://127.0.0.1.evil.example"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        for path in ["/api/ingest/logs", "/api/ingest/metrics", "/events/"] {
            let answer = post(path, header);
            assert_eq!(answer.status, 403, "{path} {header:?}: {}", answer.text());
        }
    }
    assert_eq!(server.logs(""), b"", "nothing was stored");
    let read = server.http().get_with("/api/logs", ("origin", "http://evil.example"));
    assert_eq!(read.header("access-control-allow-origin"), None);
    for header in
        [("origin", own), ("sec-fetch-site", "same-origin".to_owned()), ("user-agent", "curl/8".to_owned())]
    {
        let answer = post("/api/ingest/logs", (header.0, &header.1));
        assert_eq!(answer.status, 200, "{header:?}: {}", answer.text());
    }
}
