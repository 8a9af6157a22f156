//! Asks a server over HTTP/1.1, without TLS: Sonde speaks none itself.

use super::parameter_problem;
use crate::api::INDEXED_TO_HEADER;
use crate::commands::say;
use crate::store::batch::MAX_LINE_BYTES;
use anyhow::{Context, anyhow, bail, ensure};
use axum::http::{HeaderMap, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use sonde_shared::api::{Components, Problem};
use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, ErrorKind, Write};
use std::str::FromStr;
use std::time::Duration;
use tokio::net::TcpStream;

/// How long a server may take to take the connection.
const CONNECT_PATIENCE: Duration = Duration::from_secs(10);
/// How often it is looked whether somebody still reads, while no lines come.
const LOOK: Duration = Duration::from_secs(1);

/// Where a server is: `http://HOST:PORT`, with a path where a proxy puts it below one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ServerUrl {
    host: String,
    port: u16,
    /// As the `Host` header has it.
    authority: String,
    /// What stands before `/api`.
    path: String,
}

impl FromStr for ServerUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "write http://HOST:PORT, such as http://127.0.0.1:8080".to_owned();
        let full = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let uri: Uri = full.parse().map_err(|_unreadable| wrong())?;
        if uri.scheme_str() == Some("https") {
            return Err(
                "https is not spoken here; name the address that the server itself listens on, such as \
                http://127.0.0.1:8080"
                    .to_owned(),
            );
        }
        let authority = uri.authority().filter(|one| !one.as_str().contains('@') && !one.host().is_empty());
        let authority = authority.filter(|_| uri.scheme_str() == Some("http") && uri.query().is_none());
        let authority = authority.ok_or_else(wrong)?;
        let behind = authority.as_str().strip_prefix(authority.host()).ok_or_else(wrong)?;
        let port = match behind.strip_prefix(':') {
            Some(port) => port.parse().map_err(|_unreadable| wrong())?,
            None => 80,
        };
        Ok(Self {
            host: authority.host().trim_matches(['[', ']']).to_owned(),
            port,
            authority: authority.to_string(),
            path: uri.path().trim_end_matches('/').to_owned(),
        })
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}{}", self.authority, self.path)
    }
}

/// Writes what `/api/logs` answers, as it comes. An answer that breaks off is an error, and so is one that lacks lines because
/// an index is being made again; who follows gets these later, and is told.
pub(super) fn write_answer(
    server: &ServerUrl,
    query: &str,
    follow: bool,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("could not start the runtime")?.block_on(async {
        let answer = ask(server, "logs", query).await?;
        let (parts, mut body) = answer.into_parts();
        if parts.status != StatusCode::OK {
            bail!("{server}: {}", refusal(parts.status, body).await);
        }
        ensure!(is_ndjson(&parts.headers), "{server}: what answers there is no Sonde");
        let indexed_to = parts.headers.get(INDEXED_TO_HEADER).and_then(|value| value.to_str().ok());
        if let (Some(time), true) = (indexed_to, follow) {
            say(format_args!("an index is made again: lines from {time} on come when it is done\n"));
        }
        let written = write_body(&mut body, follow, out).await.map_err(|error| match error {
            BodyError::Out(error) => error.into(),
            BodyError::In(error) => {
                anyhow!("{server}: the answer broke off, so lines are missing: {}", innermost(&error))
            }
        });
        written?;
        match indexed_to.filter(|_| !follow) {
            Some(time) => bail!(
                "{server}: lines from {time} on are missing, and late ones, while an index is made again; ask anew in a moment"
            ),
            None => Ok(()),
        }
    })
}

/// The components that have lines in a range, which is the query.
pub(super) fn components(server: &ServerUrl, query: &str) -> anyhow::Result<BTreeSet<String>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("could not start the runtime")?.block_on(async {
        let (parts, body) = ask(server, "components", query).await?.into_parts();
        if parts.status != StatusCode::OK {
            bail!("{server}: {}", refusal(parts.status, body).await);
        }
        let body = body.collect().await.map_err(|error| anyhow!("{server}: {}", innermost(&error)))?;
        let answer: Components = serde_json::from_slice(&body.to_bytes())?;
        Ok(answer.components.into_iter().map(|one| one.path).collect())
    })
}

async fn ask(server: &ServerUrl, what: &str, query: &str) -> anyhow::Result<axum::http::Response<Incoming>> {
    let connecting = TcpStream::connect((server.host.as_str(), server.port));
    let connected = tokio::time::timeout(CONNECT_PATIENCE, connecting).await;
    let stream = connected.unwrap_or_else(|_late| Err(ErrorKind::TimedOut.into()));
    let stream = stream.map_err(|error| anyhow!("{server}: no server takes the connection: {error}"))?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // How it ends is told by the answer that it carries.
    tokio::spawn(async move { drop(connection.await) });
    let request = Request::get(format!("{}/api/{what}?{query}", server.path))
        .header(header::HOST, &server.authority)
        .header(header::USER_AGENT, concat!("sonde/", env!("CARGO_PKG_VERSION")))
        .body(Empty::<Bytes>::new())
        .context("this cannot be asked in one address; name fewer components")?;
    let answer = sender.send_request(request).await;
    answer.map_err(|error| anyhow!("{server}: no answer came: {}", innermost(&error)))
}

/// What a refusal says, by the flag that it is about.
async fn refusal(status: StatusCode, body: Incoming) -> String {
    let body = Limited::new(body, MAX_LINE_BYTES).collect().await;
    let problem: Option<Problem> = body.ok().and_then(|body| serde_json::from_slice(&body.to_bytes()).ok());
    match problem {
        Some(Problem { parameter: Some(parameter), detail, example, .. }) => {
            parameter_problem(&parameter, &detail, example.as_deref())
        }
        Some(Problem { detail, .. }) => detail,
        None => format!("it answered {status}; is that a Sonde?"),
    }
}

fn is_ndjson(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/x-ndjson")
}

/// Which end failed.
enum BodyError {
    In(hyper::Error),
    Out(io::Error),
}

async fn write_body(body: &mut Incoming, follow: bool, out: &mut impl Write) -> Result<(), BodyError> {
    loop {
        let frame = match tokio::time::timeout(LOOK, body.frame()).await {
            Ok(None) => return out.flush().map_err(BodyError::Out),
            Ok(Some(frame)) => frame.map_err(BodyError::In)?,
            // Else who has gone would be noticed with the next line only, which may be long in coming.
            Err(_nothing_yet) if follow && nobody_reads() => {
                return Err(BodyError::Out(ErrorKind::BrokenPipe.into()));
            }
            Err(_nothing_yet) => continue,
        };
        if let Ok(lines) = frame.into_data() {
            out.write_all(&lines).map_err(BodyError::Out)?;
        }
    }
}

/// Whether standard output is a pipe whose reader is gone.
fn nobody_reads() -> bool {
    let out = io::stdout();
    let mut looked_at = [PollFd::new(&out, PollFlags::empty())];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut looked_at, Some(&at_once)).is_ok() && looked_at[0].revents().contains(PollFlags::ERR)
}

fn innermost(error: &hyper::Error) -> String {
    let mut inner: &dyn std::error::Error = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_named_by_its_address() {
        let check = |text: &str, expected: Option<(&str, u16, &str)>| {
            let url = text.parse::<ServerUrl>();
            let found = url.as_ref().ok().map(|url| (url.host.as_str(), url.port, url.path.as_str()));
            assert_eq!(found, expected, "{text}: {url:?}");
        };
        check("http://127.0.0.1:8080", Some(("127.0.0.1", 8080, "")));
        check("http://127.0.0.1:8080/", Some(("127.0.0.1", 8080, "")));
        check("sonde.example", Some(("sonde.example", 80, "")));
        check("localhost:8080", Some(("localhost", 8080, "")));
        check("http://[::1]:8080/wells/", Some(("::1", 8080, "/wells")));
        for wrong in [
            "",
            "http://",
            "ftp://a:1",
            "https://a",
            "http://u@a:1",
            "http://a:port",
            "http://a:99999",
            "a/?b=c",
        ] {
            check(wrong, None);
        }
        assert!("https://a".parse::<ServerUrl>().unwrap_err().contains("https is not spoken"));
    }
}
