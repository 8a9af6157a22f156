//! Which refused lines and points are logged, of senders that get no answer: of each reason one a minute, with who sent it, how
//! it begins, and how many others there were since the one before. So a sender's mistake is seen, and fills no disk.

use super::refused::Refused;
use std::fmt::Display;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long after one the next of the same reason is logged at the earliest.
const PAUSE: Duration = Duration::from_mins(1);
/// So many characters of a line are logged.
const SHOWN_CHARS: usize = 400;

/// What was logged of each reason.
#[derive(Debug, Default)]
pub(super) struct RefusalLog {
    reasons: Mutex<[Last; Refused::REASONS.len()]>,
}

/// When one of a reason was logged, and how many were not since.
#[derive(Clone, Copy, Debug, Default)]
struct Last {
    logged: Option<Instant>,
    others: u64,
}

impl RefusalLog {
    /// Logs a refused line, unless one of its reason was just logged. `text` is what there is of it.
    pub(super) fn note(&self, protocol: impl Display, why: &Refused, from: IpAddr, text: &[u8]) {
        let Some(others) = self.due(why, Instant::now()) else { return };
        let (reason, from, text) = (why.reason(), from.to_canonical(), beginning(text));
        // Its control characters are escaped: a sender writes no lines of its own into the log, and no colours.
        tracing::warn!(%protocol, %from, reason, others_since = others, ?text, "refused: {why}");
    }

    /// How many of the reason were passed over, if one is to be logged now.
    fn due(&self, why: &Refused, now: Instant) -> Option<u64> {
        let last = &mut self.reasons()[why.index()];
        if last.logged.is_some_and(|logged| now.duration_since(logged) < PAUSE) {
            last.others += 1;
            return None;
        }
        last.logged = Some(now);
        Some(std::mem::take(&mut last.others))
    }

    fn reasons(&self) -> MutexGuard<'_, [Last; Refused::REASONS.len()]> {
        self.reasons.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The first characters of a line; what is not UTF-8 of it is replaced.
fn beginning(text: &[u8]) -> String {
    let longest = text.len().min(SHOWN_CHARS * char::MAX.len_utf8());
    String::from_utf8_lossy(&text[..longest]).chars().take(SHOWN_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_each_reason_is_logged_a_minute_and_the_others_are_counted() {
        let (log, start) = (RefusalLog::default(), Instant::now());
        let check = |why: &Refused, secs: u64, expected: Option<u64>| {
            assert_eq!(log.due(why, start + Duration::from_secs(secs)), expected, "{why} at {secs}");
        };
        check(&Refused::Nan, 0, Some(0));
        check(&Refused::Nan, 1, None);
        check(&Refused::BadItem, 2, Some(0));
        check(&Refused::Nan, 59, None);
        check(&Refused::Nan, 60, Some(2));
        check(&Refused::Nan, 61, None);
        check(&Refused::BadItem, 500, Some(0));
        check(&Refused::Nan, 501, Some(1));
    }

    #[test]
    fn a_line_is_shown_by_its_first_characters() {
        let check = |text: &[u8], expected: &str| assert_eq!(beginning(text), expected);
        check(b"", "");
        check(b"a b", "a b");
        check(b"a\xffb", "a\u{fffd}b");
        check("é".repeat(1_000).as_bytes(), &"é".repeat(400));
        check("\u{1f300}".repeat(500).as_bytes(), &"\u{1f300}".repeat(400));
    }
}
