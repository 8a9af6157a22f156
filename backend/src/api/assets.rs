//! The page: the files that trunk built, embedded in the program, so that one file is the whole product.
//!
//! Trunk writes a hash of the contents into the names of what it builds, so those files may be kept for ever; the rest
//! is asked for again and answered by its tag. A build without a page works; it then says at `/` how to get one.

use super::ApiError;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Write;
use std::sync::{LazyLock, OnceLock};

const INDEX: &str = "index.html";
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");
const NO_PAGE: &str = "Sonde is running, but it was built without its page.

To build the page and a server with the page in it, run in Sonde's source folder:

    make demo      and look at made-up data
    make release   and get the program as one file, target/release/sonde

All of the HTTP interface works without the page too, /api/logs for one.
";

#[derive(RustEmbed)]
#[folder = "../dist"]
#[allow_missing = true]
struct Dist;

static PAGE: LazyLock<Page> =
    LazyLock::new(|| Page::new(Dist::iter().filter_map(|name| Some((name.clone(), Dist::get(&name)?.data)))));

/// Whatever no other route answers: the page at `/` and `/d/…`, its files, else a 404 as problem+json.
pub async fn serve_page(method: Method, uri: Uri, headers: HeaderMap) -> Result<Response, ApiError> {
    // The first to ask for a file waits until it is compressed, which is no work for an async thread.
    let answer = tokio::task::spawn_blocking(move || PAGE.answer(&method, uri.path(), &headers));
    answer.await.map_err(|e| ApiError::Internal(e.to_string()))?
}

/// The page's files by name.
struct Page {
    assets: HashMap<String, Asset>,
    policy: HeaderValue,
}

impl Page {
    fn new(files: impl Iterator<Item = (Cow<'static, str>, Cow<'static, [u8]>)>) -> Self {
        let assets: HashMap<String, Asset> =
            files.map(|(name, text)| (name.to_string(), Asset::new(&name, text))).collect();
        let policy = content_policy(assets.get(INDEX).map_or(&[], |index| &index.bytes));
        Self { assets, policy }
    }

    fn answer(&self, method: &Method, path: &str, headers: &HeaderMap) -> Result<Response, ApiError> {
        // The page reads its state from the path itself, so each of its addresses is answered by the same file.
        let is_page = path == "/" || path.starts_with("/d/");
        let name = if is_page { INDEX } else { path.trim_start_matches('/') };
        let Some(asset) = self.assets.get(name) else {
            return if is_page { Ok(no_page()) } else { Err(not_found(path)) };
        };
        if method != Method::GET && method != Method::HEAD {
            return Err(ApiError::Method { allowed: "GET, HEAD".to_owned() });
        }
        let mut response = asset.answer(headers);
        if name == INDEX {
            response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, self.policy.clone());
        }
        Ok(response)
    }
}

fn not_found(path: &str) -> ApiError {
    let path = super::params::clip(path);
    ApiError::refused(StatusCode::NOT_FOUND, format!("there is nothing at `{path}`; the page is at `/`"))
}

fn no_page() -> Response {
    (StatusCode::NOT_FOUND, [(header::CACHE_CONTROL, ASK_AGAIN)], NO_PAGE).into_response()
}

/// One file, and its compressed form once somebody has asked for it.
struct Asset {
    bytes: Bytes,
    gzipped: OnceLock<Option<Bytes>>,
    content_type: HeaderValue,
    cache: HeaderValue,
    tag: String,
}

impl Asset {
    fn new(name: &str, text: Cow<'static, [u8]>) -> Self {
        let bytes = match text {
            Cow::Borrowed(text) => Bytes::from_static(text),
            Cow::Owned(text) => Bytes::from(text),
        };
        let content_type = mime_guess::from_path(name).first_or_octet_stream();
        let charset = if content_type.type_() == "text" { "; charset=utf-8" } else { "" };
        let content_type = format!("{content_type}{charset}");
        Self {
            gzipped: OnceLock::new(),
            content_type: HeaderValue::try_from(content_type).expect("a media type is plain ASCII"),
            cache: if has_hash(name) { FOR_EVER } else { ASK_AGAIN },
            tag: BASE64.encode(&Sha256::digest(&bytes)[..12]),
            bytes,
        }
    }

    fn answer(&self, headers: &HeaderMap) -> Response {
        let gzipped = if accepts_gzip(headers) { self.gzipped() } else { None };
        let tag =
            if gzipped.is_some() { format!("\"{}-gz\"", self.tag) } else { format!("\"{}\"", self.tag) };
        let unchanged = names_tag(headers, &tag);
        let mut response = Response::new(Body::empty());
        let out = response.headers_mut();
        out.insert(header::ETAG, HeaderValue::try_from(tag).expect("base64 is plain ASCII"));
        out.insert(header::CACHE_CONTROL, self.cache.clone());
        out.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        if unchanged {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return response;
        }
        out.insert(header::CONTENT_TYPE, self.content_type.clone());
        if gzipped.is_some() {
            out.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        *response.body_mut() = gzipped.unwrap_or_else(|| self.bytes.clone()).into();
        response
    }

    /// The compressed form, where that saves something. A font, say, is compressed already.
    fn gzipped(&self) -> Option<Bytes> {
        let compress = || {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            encoder.write_all(&self.bytes).ok()?;
            let gzipped = encoder.finish().ok()?;
            (gzipped.len() < self.bytes.len() / 10 * 9).then(|| Bytes::from(gzipped))
        };
        self.gzipped.get_or_init(compress).clone()
    }
}

/// Whether a name carries the hash of the contents: `sonde-frontend-1f3c9a0b5d7e2468_bg.wasm`.
fn has_hash(name: &str) -> bool {
    let is_hash = |part: &str| part.len() >= 12 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    name.split(['-', '_', '.', '/']).any(is_hash)
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    let accepts = |coding: &str| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        name.trim().eq_ignore_ascii_case("gzip")
            && !matches!(weight.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
    };
    list(headers, &header::ACCEPT_ENCODING).any(accepts)
}

fn names_tag(headers: &HeaderMap, tag: &str) -> bool {
    list(headers, &header::IF_NONE_MATCH).any(|known| known == "*" || known.trim_start_matches("W/") == tag)
}

/// The elements of a header that is a comma-separated list.
fn list<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> impl Iterator<Item = &'a str> {
    let texts = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    texts.flat_map(|text| text.split(',')).map(str::trim)
}

/// What the page may do: talk to its own server alone, and run its own files and the one script that trunk writes into
/// the page to start it, which is known by its hash. The size of a pane is set through its element's style, which no policy
/// forbids; styles written into markup are not wanted.
fn content_policy(index: &[u8]) -> HeaderValue {
    let index = String::from_utf8_lossy(index);
    let sources: Vec<String> =
        inline_scripts(&index).map(|script| format!("'sha256-{}'", hash(script))).collect();
    let sources = sources.join(" ");
    let policy = format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval' {sources}; style-src 'self'; \
         connect-src 'self'; img-src 'self' data: blob:; font-src 'self'; manifest-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).expect("base64 is plain ASCII")
}

fn hash(script: &str) -> String {
    BASE64.encode(Sha256::digest(script))
}

/// The texts of the scripts that stand in the page itself.
fn inline_scripts(html: &str) -> impl Iterator<Item = &str> {
    html.split("<script").skip(1).filter_map(|rest| {
        let (attributes, rest) = rest.split_once('>')?;
        let (script, _) = rest.split_once("</script")?;
        (!attributes.contains("src=")).then_some(script)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    const HTML: &str = "<html><script src=\"/a.js\"></script><script type=\"module\">start()</script></html>";

    fn page() -> Page {
        let files = [
            ("index.html", HTML.as_bytes()),
            ("app-1f3c9a0b5d7e2468_bg.wasm", &[b'w'; 4096]),
            ("fonts/inter.woff2", b"\x01\x02\x03"),
        ];
        Page::new(files.into_iter().map(|(name, text)| (Cow::Borrowed(name), Cow::Borrowed(text))))
    }

    fn get(path: &str, headers: &[(header::HeaderName, &str)]) -> Response {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::try_from(*value).unwrap()))
            .collect();
        page().answer(&Method::GET, path, &headers).unwrap_or_else(IntoResponse::into_response)
    }

    fn head<'a>(response: &'a Response, name: &str) -> &'a str {
        response.headers().get(name).map_or("", |value| value.to_str().unwrap())
    }

    async fn body(response: Response) -> Vec<u8> {
        response.into_body().collect().await.unwrap().to_bytes().to_vec()
    }

    #[tokio::test]
    async fn every_address_of_the_page_is_answered_by_the_same_file() {
        for path in ["/", "/d/cluster", "/d/a%20b"] {
            let response = get(path, &[]);
            assert_eq!(head(&response, "content-type"), "text/html; charset=utf-8");
            assert_eq!(head(&response, "cache-control"), "no-cache");
            assert_eq!(body(response).await, HTML.as_bytes(), "{path}");
        }
    }

    #[test]
    fn the_policy_allows_the_page_its_own_script_and_no_other() {
        let response = get("/", &[]);
        let policy = head(&response, "content-security-policy");
        let expected = format!("script-src 'self' 'wasm-unsafe-eval' 'sha256-{}';", hash("start()"));
        assert!(policy.contains(&expected), "{policy}");
    }

    #[test]
    fn a_name_with_a_hash_is_kept_for_ever() {
        let wasm = get("/app-1f3c9a0b5d7e2468_bg.wasm", &[]);
        assert_eq!(head(&wasm, "content-type"), "application/wasm");
        assert_eq!(head(&wasm, "cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(head(&get("/fonts/inter.woff2", &[]), "cache-control"), "no-cache");
    }

    #[tokio::test]
    async fn a_file_is_compressed_for_those_who_take_it_and_where_it_pays() {
        let path = "/app-1f3c9a0b5d7e2468_bg.wasm";
        let zipped = get(path, &[(header::ACCEPT_ENCODING, "br, gzip;q=0.5")]);
        assert_eq!(head(&zipped, "content-encoding"), "gzip");
        assert_ne!(head(&zipped, "etag"), head(&get(path, &[]), "etag"));
        let mut text = Vec::new();
        let zipped = body(zipped).await;
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&zipped[..]), &mut text).unwrap();
        assert_eq!(text, [b'w'; 4096]);
        assert_eq!(head(&get(path, &[(header::ACCEPT_ENCODING, "gzip;q=0, br")]), "content-encoding"), "");
        let font = get("/fonts/inter.woff2", &[(header::ACCEPT_ENCODING, "gzip")]);
        assert_eq!(head(&font, "content-encoding"), "");
    }

    #[tokio::test]
    async fn a_file_that_is_known_already_is_not_sent_again() {
        let tag = head(&get("/", &[]), "etag").to_owned();
        let response = get("/", &[(header::IF_NONE_MATCH, &format!("\"old\", W/{tag}"))]);
        assert_eq!(response.status(), StatusCode::NOT_MODIFIED);
        assert!(body(response).await.is_empty());
        assert_eq!(get("/", &[(header::IF_NONE_MATCH, "\"old\"")]).status(), StatusCode::OK);
    }

    #[tokio::test]
    async fn what_is_not_there_is_a_problem() {
        let response = get("/api/nothing", &[]);
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert_eq!(head(&response, "content-type"), "application/problem+json");
        let refused = page().answer(&Method::POST, "/", &HeaderMap::new()).unwrap_err().into_response();
        assert_eq!(refused.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(head(&refused, "allow"), "GET, HEAD");
    }

    #[tokio::test]
    async fn a_build_without_a_page_says_how_to_get_one() {
        let response = Page::new(std::iter::empty()).answer(&Method::GET, "/", &HeaderMap::new()).unwrap();
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert!(String::from_utf8(body(response).await).unwrap().contains("make release"));
    }
}
