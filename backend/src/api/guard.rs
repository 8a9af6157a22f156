//! Who may ask at all, decided from the headers of a request before any handler sees it.
//!
//! Sonde has no accounts; on loopback it trusts whoever reaches it. A browser reaches it on behalf of any site its user
//! visits, so two doors are shut. A site that points its own name at this server's address (DNS rebinding) could read
//! everything: the `Host` must be an address, `localhost` or a name the operator has allowed. A site that posts a form
//! here could write: a request that changes something and comes from another origin is refused.

use super::ApiError;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header, uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::IpAddr;
use std::sync::Arc;

/// The names, each with a port or without, under which the operator lets this server be asked (`--allow-host`).
#[derive(Clone, Debug, Default)]
pub struct AllowedHosts(Arc<[String]>);

impl AllowedHosts {
    /// From the configuration. Case and a final dot do not count.
    pub fn new(names: &[String]) -> Self {
        Self(names.iter().map(|name| Authority::read(name).to_string()).collect())
    }

    fn allow(&self, authority: &Authority) -> bool {
        self.0.iter().any(|allowed| *allowed == authority.host || *allowed == authority.to_string())
    }
}

/// The middleware: refuses what must not be answered, and forbids browsers to guess at what is.
pub async fn guard(State(allowed): State<AllowedHosts>, request: Request, next: Next) -> Response {
    let checked = check(
        &allowed,
        request.method(),
        request.uri().authority().map(uri::Authority::as_str),
        request.headers(),
    );
    let mut response = match checked {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    };
    harden(response.headers_mut());
    response
}

fn check(
    allowed: &AllowedHosts,
    method: &Method,
    authority: Option<&str>,
    headers: &HeaderMap,
) -> Result<(), ApiError> {
    let mut hosts = headers.get_all(header::HOST).into_iter();
    // Programs may leave the host out, as HTTP/1.0 does. A browser cannot. What a whole address as the target says counts
    // more than the header beside it (RFC 9112, 3.2.2).
    let header = hosts.next().map(|value| value.to_str().unwrap_or("?"));
    let host = authority.or(header).map(Authority::read);
    if hosts.next().is_some() {
        return Err(ApiError::refused(StatusCode::BAD_REQUEST, "the request names more than one host"));
    }
    if let Some(host) = &host {
        check_host(allowed, host)?;
    }
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    check_origin(allowed, host.as_ref(), headers)
}

fn check_host(allowed: &AllowedHosts, host: &Authority) -> Result<(), ApiError> {
    if host.is_address() || host.host == "localhost" || allowed.allow(host) {
        return Ok(());
    }
    let name = super::params::clip(&host.host);
    let detail =
        format!("this server is not known as `{name}`; start it with --allow-host {name} if it should be");
    Err(ApiError::refused(StatusCode::MISDIRECTED_REQUEST, detail))
}

fn check_origin(
    allowed: &AllowedHosts,
    host: Option<&Authority>,
    headers: &HeaderMap,
) -> Result<(), ApiError> {
    let refuse = |from: &str| {
        let detail = format!(
            "a page from {from} may not change anything here; if it is this server's own page behind a proxy, \
             start the server with --allow-host and the name in the browser's address bar"
        );
        Err(ApiError::refused(StatusCode::FORBIDDEN, detail))
    };
    let Some(origin) = headers.get(header::ORIGIN) else {
        // `same-site` is another port of this machine, or a sibling name: as foreign as any other origin.
        let is_foreign =
            headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site" || site == "same-site");
        return if is_foreign { refuse("another site") } else { Ok(()) };
    };
    let text = origin.to_str().unwrap_or("?");
    let is_own = text.split_once("://").is_some_and(|(scheme, authority)| {
        let origin = Authority::read(authority);
        host.is_some_and(|host| host.with_port(scheme) == origin.with_port(scheme)) || allowed.allow(&origin)
    });
    if is_own { Ok(()) } else { refuse(&format!("`{}`", super::params::clip(text))) }
}

/// Set on every answer. The page brings a policy of its own; nothing else that is sent here is meant to be rendered.
fn harden(headers: &mut HeaderMap) {
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
}

/// Host and port of a `Host` or `Origin`, in small letters, without brackets.
#[derive(Debug, PartialEq, Eq)]
struct Authority {
    host: String,
    port: Option<String>,
}

impl Authority {
    fn read(text: &str) -> Self {
        let text = text.trim().to_ascii_lowercase();
        let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((address, rest)) => (address, rest.strip_prefix(':')),
            // More than one colon is an address of version 6 without brackets, as somebody may write it in a setting.
            None if text.matches(':').count() == 1 => {
                text.split_once(':').map_or((&*text, None), |(h, p)| (h, Some(p)))
            }
            None => (&*text, None),
        };
        let host = host.strip_suffix('.').unwrap_or(host).to_owned();
        Self { host, port: port.filter(|port| !port.is_empty()).map(str::to_owned) }
    }

    fn is_address(&self) -> bool {
        self.host.parse::<IpAddr>().is_ok()
    }

    /// Host and port, where a missing port is the scheme's own.
    fn with_port(&self, scheme: &str) -> (&str, &str) {
        let usual = if scheme.eq_ignore_ascii_case("https") { "443" } else { "80" };
        (&self.host, self.port.as_deref().unwrap_or(usual))
    }
}

impl std::fmt::Display for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.port {
            Some(port) => write!(f, "{}:{port}", self.host),
            None => f.write_str(&self.host),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::body::Body;
    use axum::middleware::from_fn_with_state;
    use axum::routing::any;
    use tower::ServiceExt;

    async fn ask(request: axum::http::request::Builder) -> Response {
        let allowed = AllowedHosts::new(&["Sonde.Example".to_owned(), "dev.example:8081".to_owned()]);
        let app = Router::new().route("/", any(|| async { "in" })).layer(from_fn_with_state(allowed, guard));
        app.oneshot(request.uri("/").body(Body::empty()).unwrap()).await.unwrap()
    }

    async fn check_read(host: &str, expected: u16) {
        let response = ask(Request::builder().header("host", host)).await;
        assert_eq!(response.status(), expected, "{host}");
    }

    /// A POST to 127.0.0.1:8080 with a header.
    async fn check_write(name: &str, value: &str, expected: u16) {
        let response = ask(Request::post("/").header("host", "127.0.0.1:8080").header(name, value)).await;
        assert_eq!(response.status(), expected, "{name}: {value}");
    }

    #[tokio::test]
    async fn addresses_localhost_and_allowed_names_are_answered() {
        for host in ["127.0.0.1:8080", "10.0.0.7", "[::1]:8080", "[::1]", "localhost:8080", "LOCALHOST."] {
            check_read(host, 200).await;
        }
        for host in ["sonde.example", "sonde.example:443", "SONDE.example.", "dev.example:8081"] {
            check_read(host, 200).await;
        }
    }

    #[tokio::test]
    async fn any_other_name_may_be_somebody_rebinding_it() {
        for host in ["evil.example", "sonde.example.evil", "127.0.0.1.evil.example", "dev.example", "", "?"] {
            check_read(host, 421).await;
        }
        for host in ["localhost.evil:8080", "evil.example:8080", "[evil]", "a:b:c", "[::1"] {
            check_read(host, 421).await;
        }
    }

    #[tokio::test]
    async fn the_refusal_names_the_flag_that_would_help() {
        let response = ask(Request::builder().header("host", "box.lan:8080")).await;
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        let body = axum::body::to_bytes(response.into_body(), 4096).await.unwrap();
        assert!(String::from_utf8_lossy(&body).contains("--allow-host box.lan"), "{body:?}");
    }

    #[tokio::test]
    async fn two_hosts_are_none() {
        let request = Request::builder().header("host", "127.0.0.1").header("host", "evil.example");
        assert_eq!(ask(request).await.status(), 400);
    }

    #[test]
    fn the_target_counts_more_than_the_host_beside_it() {
        let check_both = |target: &str, hosts: &[&'static str]| {
            let hosts = hosts.iter().map(|host| (header::HOST, HeaderValue::from_static(host)));
            let mut headers = HeaderMap::new();
            headers.extend(hosts);
            let checked = check(&AllowedHosts::default(), &Method::GET, Some(target), &headers);
            checked.map_or_else(|error| error.into_response().status().as_u16(), |()| 200)
        };
        assert_eq!(check_both("127.0.0.1:8080", &[]), 200);
        assert_eq!(check_both("127.0.0.1:8080", &["127.0.0.1:8080"]), 200);
        assert_eq!(check_both("127.0.0.1:8080", &["evil.example"]), 200);
        assert_eq!(check_both("evil.example", &["127.0.0.1"]), 421);
        assert_eq!(check_both("127.0.0.1", &["127.0.0.1", "127.0.0.1"]), 400);
    }

    #[tokio::test]
    async fn other_sites_cannot_write() {
        for origin in ["http://evil.example", "http://127.0.0.1:9999", "https://127.0.0.1", "null", ""] {
            check_write("origin", origin, 403).await;
        }
        check_write("sec-fetch-site", "cross-site", 403).await;
        check_write("sec-fetch-site", "same-site", 403).await;
    }

    #[tokio::test]
    async fn programs_and_the_own_page_can_write() {
        check_write("origin", "http://127.0.0.1:8080", 200).await;
        check_write("origin", "https://sonde.example", 200).await;
        check_write("origin", "http://dev.example:8081", 200).await;
        check_write("sec-fetch-site", "same-origin", 200).await;
        check_write("user-agent", "curl", 200).await;
        let default_port =
            Request::post("/").header("host", "sonde.example").header("origin", "http://sonde.example:80");
        assert_eq!(ask(default_port).await.status(), 200);
    }

    #[tokio::test]
    async fn every_answer_forbids_browsers_to_guess() {
        let response = ask(Request::get("/")).await;
        assert_eq!(response.headers()["x-content-type-options"], "nosniff");
        assert_eq!(
            response.headers()["content-security-policy"],
            "default-src 'none'; frame-ancestors 'none'"
        );
    }
}
