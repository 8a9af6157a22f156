//! RFC 3164, the BSD form, which each sender writes in its own way.
//!
//! Stamp, host and tag are each taken when they can be told apart from the message, and left in the message else.

use super::syslog::{Record, Stamp};
use super::syslog_stamp::{bsd_at_start, iso_at_start};
use super::zone::Zone;
use sonde_shared::time::Timestamp;
use std::net::IpAddr;

/// Reads what follows `<PRI>`, or a message without one.
pub fn parse<'a>(text: &'a str, now: Timestamp, zone: &Zone) -> Record<'a> {
    let (seq, unnumbered) = sequence_number(text);
    let unnumbered = unnumbered.strip_prefix(": ").unwrap_or(unnumbered);
    let starred = unnumbered.strip_prefix(['*', '.']).unwrap_or(unnumbered);
    let stamped = bsd_at_start(starred, now, zone).or_else(|| iso_at_start(starred, zone));
    let Some((at, used)) = stamped else {
        // Without a stamp a sequence number is not safely one; without both no host can be told from a word.
        return tagged(text, Record::default());
    };
    let rest = starred[used..].trim_start_matches(':').trim_start_matches(' ');
    let (host, rest) = split_host(rest);
    tagged(rest, Record { stamp: Stamp::Read(at), host, seq, ..Record::default() })
}

/// Cisco's `123: ` before the stamp.
fn sequence_number(text: &str) -> (Option<&str>, &str) {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    match text[digits..].strip_prefix(':') {
        Some(after) if (1..=10).contains(&digits) => (Some(&text[..digits]), after.trim_start_matches(' ')),
        _ => (None, text),
    }
}

/// The host at the start of a text, unless a tag or a sentence stands there.
fn split_host(text: &str) -> (Option<&str>, &str) {
    let (word, after) = text.split_once(' ').unwrap_or((text, ""));
    let after = after.trim_start_matches(' ');
    // Cisco writes `host: %FACILITY-SEVERITY-MNEMONIC:`, Ubiquiti `model,mac,version: tag:`.
    let is_labelled = |name: &&str| name.contains(',') || (after.starts_with('%') && !name.starts_with('%'));
    if let Some(name) = word.strip_suffix(':').filter(is_labelled) {
        return (Some(name), after);
    }
    let is_address = word.parse::<IpAddr>().is_ok();
    let is_sentence = text.starts_with("last message repeated") || text.starts_with("message repeated");
    let is_name = !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || "._-:,/@%".contains(c));
    if is_address || (is_name && !is_sentence && split_tag(text).is_none()) {
        return (Some(word), after.strip_prefix(": ").unwrap_or(after));
    }
    (None, text)
}

/// Completes a record with the tag and the message.
fn tagged<'a>(text: &'a str, record: Record<'a>) -> Record<'a> {
    let (app, pid, msg) = match split_tag(text) {
        Some((app, pid, msg)) => (Some(app), pid, msg),
        None => (None, None, text),
    };
    let msg = msg.strip_prefix('\u{feff}').unwrap_or(msg);
    Record { app, pid, msg, ..record }
}

/// `TAG[pid]: msg`, `TAG[pid] msg` or `TAG: msg`.
fn split_tag(text: &str) -> Option<(&str, Option<&str>, &str)> {
    let end = text.find([':', '[', ' '])?;
    let (name, after) = text.split_at(end);
    if name.is_empty() || name.len() > 128 || name.parse::<IpAddr>().is_ok() {
        return None;
    }
    if let Some(inside) = after.strip_prefix('[') {
        let (pid, behind) =
            inside.split_once(']').filter(|(pid, _)| pid.len() <= 64 && !pid.contains(' '))?;
        let msg = behind.strip_prefix(':').unwrap_or(behind);
        return Some((name, Some(pid).filter(|pid| !pid.is_empty()), one_space(msg)));
    }
    let msg = after.strip_prefix(':')?;
    (msg.is_empty() || msg.starts_with(' ')).then(|| (name, None, one_space(msg)))
}

fn one_space(text: &str) -> &str {
    text.strip_prefix(' ').unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether there was a stamp, then host, app, pid and message; `-` for what is missing.
    #[track_caller]
    fn check(text: &str, expected: (bool, &str, &str, &str, &str)) {
        let now = Timestamp::from_secs(1_763_647_500);
        let record = parse(text, now, &Zone::default());
        let fields = [record.host, record.app, record.pid].map(|field| field.unwrap_or("-"));
        let stamped = matches!(record.stamp, Stamp::Read(_));
        assert_eq!((stamped, fields[0], fields[1], fields[2], record.msg), expected, "{text}");
    }

    #[test]
    fn whole_messages() {
        check(
            "Oct 11 22:14:15 mymachine su: 'su root' failed",
            (true, "mymachine", "su", "-", "'su root' failed"),
        );
        check("Oct  1 22:14:15 h sshd[12]: a: b", (true, "h", "sshd", "12", "a: b"));
        check("Oct 01 22:14:15 h postfix/smtpd[1]:x", (true, "h", "postfix/smtpd", "1", "x"));
        check("Oct 11 22:14:15 h CRON[123] (root) CMD", (true, "h", "CRON", "123", "(root) CMD"));
        check("Oct 11 22:14:15 h webapp.backend.git: [x] y", (true, "h", "webapp.backend.git", "-", "[x] y"));
        check("Oct 11 22:14:15 fe80::1 sshd[1]: m", (true, "fe80::1", "sshd", "1", "m"));
        check("Oct 11 22:14:15 ::1 sshd: m", (true, "::1", "sshd", "-", "m"));
        check("2025-10-11T22:14:15.5+02:00 h app: m", (true, "h", "app", "-", "m"));
    }

    #[test]
    fn parts_that_are_missing() {
        check("Oct 11 22:14:15 su: failed", (true, "-", "su", "-", "failed"));
        check("Oct 11 22:14:15 su[3]: failed", (true, "-", "su", "3", "failed"));
        check("Feb  5 17:32:18 10.0.0.99 Use the BFG!", (true, "10.0.0.99", "-", "-", "Use the BFG!"));
        check(
            "Oct 11 22:14:15 last message repeated 3 times",
            (true, "-", "-", "-", "last message repeated 3 times"),
        );
        check("hostapd: ath0: STA", (false, "-", "hostapd", "-", "ath0: STA"));
        check("kernel: [12.5] usb", (false, "-", "kernel", "-", "[12.5] usb"));
        check("just some words: here", (false, "-", "-", "-", "just some words: here"));
        check("Oct 41 22:14:15 h a: m", (false, "-", "-", "-", "Oct 41 22:14:15 h a: m"));
        check("12: x", (false, "-", "12", "-", "x"));
        check("", (false, "-", "-", "-", ""));
        check("Oct 11 22:14:15", (true, "-", "-", "-", ""));
    }

    #[test]
    fn what_vendors_send() {
        check(
            "237: *Mar  1 18:46:11.123: %SYS-5-CONFIG_I: Configured",
            (true, "-", "%SYS-5-CONFIG_I", "-", "Configured"),
        );
        check(
            "Aug 12 2020 10:11:12 asa : %ASA-6-302013: Built",
            (true, "asa", "%ASA-6-302013", "-", "Built"),
        );
        check("Aug 12 2020 10:11:12 asa: %ASA-6-302013: Built", (true, "asa", "%ASA-6-302013", "-", "Built"));
        check(": 2013 Jun 20 10:14:59 UTC: %X-1-Y: m", (true, "-", "%X-1-Y", "-", "m"));
        check("2013 Jun 20 10:14:59 UTC: %X-1-Y: m", (true, "-", "%X-1-Y", "-", "m"));
        check(".Mar  1 18:46:11 r1 a: m", (true, "r1", "a", "-", "m"));
        check(
            "Aug 10 12:00:00 U7PG2,f09fc2,v3.7: hostapd: m",
            (true, "U7PG2,f09fc2,v3.7", "hostapd", "-", "m"),
        );
    }
}
