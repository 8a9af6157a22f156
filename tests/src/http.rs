//! Requests to the server under test, and the one raw connection for what no client library would send.

use crate::wait;
use serde::de::DeserializeOwned;
use sonde_shared::api::Problem;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use ureq::Agent;
use ureq::http::HeaderMap;

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as text; broken UTF-8 is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// One header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body's lines, without their line feeds.
    pub fn lines(&self) -> Vec<&[u8]> {
        split_lines(&self.body)
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is something else, with the answer in the message.
    #[track_caller]
    pub fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.text()))
    }

    /// The answer, if it is a 200.
    ///
    /// # Panics
    /// When it is another status, with the answer in the message.
    #[track_caller]
    #[must_use]
    pub fn ok(self) -> Self {
        assert_eq!(self.status, 200, "{}", self.text());
        self
    }

    /// The problem of a refused request: checks the content type and that the status in it is the answer's.
    ///
    /// # Panics
    /// When the answer is no problem+json.
    #[track_caller]
    pub fn problem(&self) -> Problem {
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json"),
            "{} {}",
            self.status,
            self.text()
        );
        let problem: Problem = self.json();
        assert_eq!(problem.status, self.status);
        problem
    }
}

/// Lines without their line feeds; a last one without a line feed counts too.
pub fn split_lines(text: &[u8]) -> Vec<&[u8]> {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    if text.is_empty() { Vec::new() } else { text.split(|byte| *byte == b'\n').collect() }
}

/// A client of one server: keeps connections, follows no redirect, takes any status.
#[derive(Clone, Debug)]
pub struct Client {
    agent: Agent,
    address: SocketAddr,
}

impl Client {
    /// A client of the server at this address.
    pub fn new(address: SocketAddr) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(Duration::from_mins(5)))
            .build();
        Self { agent: config.into(), address }
    }

    /// The server's address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The full address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// `GET`.
    ///
    /// # Panics
    /// When there is no answer.
    #[track_caller]
    pub fn get(&self, path: &str) -> Answer {
        self.try_get(path).unwrap_or_else(|error| panic!("GET {path}: {error}"))
    }

    /// `GET` of a path with parameters, which are escaped.
    ///
    /// # Panics
    /// When there is no answer.
    #[track_caller]
    pub fn ask(&self, path: &str, params: &[(&str, String)]) -> Answer {
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
        self.get(&format!("{path}?{query}"))
    }

    /// `GET`, where the server may be gone or cut the answer off.
    ///
    /// # Errors
    /// When there is no whole answer.
    pub fn try_get(&self, path: &str) -> Result<Answer, ureq::Error> {
        read_answer(self.agent.get(self.url(path)).call()?)
    }

    /// `GET` whose body is read in pieces, as it comes, and not kept.
    ///
    /// # Panics
    /// When there is no whole answer, or no 200.
    #[track_caller]
    pub fn read(&self, path: &str, mut piece: impl FnMut(&[u8])) {
        let answer =
            self.agent.get(self.url(path)).call().unwrap_or_else(|error| panic!("GET {path}: {error}"));
        assert_eq!(answer.status(), 200, "GET {path}");
        let (mut body, mut buffer) = (answer.into_body().into_reader(), vec![0; 64 * 1024]);
        loop {
            match body.read(&mut buffer).unwrap_or_else(|error| panic!("GET {path}: {error}")) {
                0 => return,
                read => piece(&buffer[..read]),
            }
        }
    }

    /// `GET` with one more header.
    ///
    /// # Panics
    /// When there is no answer.
    #[track_caller]
    pub fn get_with(&self, path: &str, header: (&str, &str)) -> Answer {
        let answer = self.agent.get(self.url(path)).header(header.0, header.1).call();
        answer.and_then(read_answer).unwrap_or_else(|error| panic!("GET {path}: {error}"))
    }

    /// `GET` whose body is read line by line, as it comes.
    ///
    /// # Panics
    /// When there is no answer.
    #[track_caller]
    pub fn follow(&self, path: &str) -> LineReader {
        let answer = self.agent.get(self.url(path)).call();
        let body = answer.unwrap_or_else(|error| panic!("GET {path}: {error}")).into_body().into_reader();
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(body).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        LineReader { lines }
    }

    /// `POST`.
    ///
    /// # Panics
    /// When there is no answer.
    #[track_caller]
    pub fn post(&self, path: &str, body: &[u8]) -> Answer {
        self.try_post(path, body, &[]).unwrap_or_else(|error| panic!("POST {path}: {error}"))
    }

    /// `POST` with more headers.
    ///
    /// # Panics
    /// When there is no answer.
    #[track_caller]
    pub fn post_with(&self, path: &str, body: &[u8], headers: &[(&str, &str)]) -> Answer {
        self.try_post(path, body, headers).unwrap_or_else(|error| panic!("POST {path}: {error}"))
    }

    /// `POST`, where the server may be killed meanwhile.
    ///
    /// # Errors
    /// When there is no whole answer.
    pub fn try_post(&self, path: &str, body: &[u8], headers: &[(&str, &str)]) -> Result<Answer, ureq::Error> {
        let mut request = self.agent.post(self.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        read_answer(request.send(body)?)
    }

    /// Sends bytes as they are and returns all that comes back until the server closes or falls silent.
    ///
    /// # Panics
    /// When there is no connection.
    pub fn raw(&self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).expect("the server takes connections");
        stream.set_read_timeout(Some(Duration::from_secs(5))).expect("a limit can be set");
        stream.write_all(request).expect("the server reads the request");
        let mut answer = Vec::new();
        // A server that keeps the connection open is as good as one that closes it: what came until then counts.
        drop(stream.read_to_end(&mut answer));
        String::from_utf8_lossy(&answer).into_owned()
    }
}

/// The lines of an answer that may have no end.
#[derive(Debug)]
pub struct LineReader {
    lines: Receiver<String>,
}

impl LineReader {
    /// The next line, with its line feed.
    ///
    /// # Panics
    /// When none comes within [`wait::PATIENCE`].
    #[track_caller]
    pub fn next_line(&self) -> String {
        let line = self
            .lines
            .recv_timeout(wait::PATIENCE)
            .unwrap_or_else(|error| panic!("no further line: {error}"));
        line + "\n"
    }
}

fn read_answer(response: ureq::http::Response<ureq::Body>) -> Result<Answer, ureq::Error> {
    let (parts, mut body) = response.into_parts();
    let body = body.with_config().limit(u64::MAX).read_to_vec()?;
    Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, body })
}
