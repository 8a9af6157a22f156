//! The harness of the whole-system tests: what starts the real binary, feeds it with real senders and looks at it
//! through a real browser. The tests themselves lie in `system/`, one file a subject; the programs that print
//! tables of limits and measurements in `src/bin/`.
//!
//! The binary under test is `$SONDE_BIN`, else `target/release/sonde` of this workspace. Nothing here links it: what
//! the tests know about Sonde is what a user can know.

/// axe-core: what makes a page hard to use.
pub mod axe;
/// A day of ten million lines, fed once and kept.
pub mod big_day;
/// Headless Chromium, driven through WebDriver.
pub mod browser;
/// Made-up lines, the same from the same seed, and what is known about each.
pub mod corpus;
/// The real graphite-web, with a server as the member of its cluster.
pub mod graphite;
/// `grep` and `sort`, as a second opinion.
pub mod grep;
/// Requests to the server under test.
pub mod http;
/// How often and when a server is killed, and what commands say of what is left.
pub mod kills;
/// Many sealed days, made once and kept.
pub mod many_days;
/// What a query must answer, found by a plain scan of the lines.
pub mod oracle;
/// The page as a person sees it: panels, band, rows of the log pane.
pub mod page;
/// Made-up series and what senders write of them.
pub mod points;
/// A sender that costs next to nothing itself.
pub mod poster;
/// What the kernel knows about a running process.
pub mod process;
/// Programs that ship logs and metrics elsewhere: logger, rsyslogd, collectd.
pub mod senders;
/// Starting and killing the real binary.
pub mod server;
/// A file server of the ordinary kind, to compare with.
pub mod static_server;
/// Tables of limits and measurements.
pub mod table;
/// Waiting for a condition, with a limit.
pub mod wait;
