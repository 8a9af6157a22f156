//! The shapes of variable parts that are more than a word with a digit: addresses, paths, names of hosts, quoted names.
//! Each function is asked at the place where such a part may begin and answers where it ends. Each looks at a
//! bounded stretch, or at a run that is not looked at again, so that a scan stays linear in the message.

use super::bytes::{DIGIT, HEX_LETTER, LETTER, NAME, PATH, SPACE, WORD, is, is_at, run};

/// An IPv6 address is at most this long, with an IPv4 address in it (RFC 4291, 2.2).
const LONGEST_IPV6: usize = 45;
const HEX: u8 = DIGIT | HEX_LETTER;

/// Last labels after which a dotted name is a host. Countries are not among them: `io.rs` and `main.py` are files.
const HOST_ENDINGS: [&[u8]; 8] =
    [b"com", b"org", b"net", b"edu", b"gov", b"local", b"internal", b"localdomain"];

/// `550e8400-e29b-41d4-a716-446655440000` (RFC 9562), with any digits.
pub(super) fn uuid(text: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    for (index, length) in [8, 4, 4, 4, 12].into_iter().enumerate() {
        if index > 0 {
            at = (text.get(at) == Some(&b'-')).then_some(at + 1)?;
        }
        at = hex_group(text, at, length)?;
    }
    (!is_at(text, at, WORD)).then_some(at)
}

/// Pairs of hexadecimal digits: five or more with colons (a MAC address has six, an InfiniBand one eight or twenty), or
/// six with hyphens.
pub(super) fn mac(text: &[u8], start: usize, separator: u8) -> Option<usize> {
    let mut at = hex_group(text, start, 2)?;
    let mut pairs = 1;
    while text.get(at) == Some(&separator)
        && let Some(end) = hex_group(text, at + 1, 2)
    {
        at = end;
        pairs += 1;
    }
    let enough = if separator == b':' { pairs >= 5 } else { pairs == 6 };
    (enough && !is_at(text, at, WORD)).then_some(at)
}

fn hex_group(text: &[u8], at: usize, length: usize) -> Option<usize> {
    let group = text.get(at..at + length)?;
    group.iter().all(|&byte| is(byte, HEX)).then_some(at + length)
}

/// `fe80::1`, `::1`, `2001:db8:0:0:0:0:0:1`, `::ffff:192.0.2.1`. One without any digit is taken for a path of a
/// program, such as `add::bad`.
pub(super) fn ipv6(text: &[u8], start: usize) -> Option<usize> {
    let limit = text.len().min(start + LONGEST_IPV6);
    let length = text[start..limit].iter().take_while(|&&byte| is(byte, HEX) || byte == b':' || byte == b'.');
    let mut end = start + length.count();
    while end > start && (text[end - 1] == b'.' || (text[end - 1] == b':' && !text[..end].ends_with(b"::"))) {
        end -= 1;
    }
    let address = &text[start..end];
    let colons = memchr::memchr_iter(b':', address).count();
    let shortened = memchr::memmem::find(address, b"::").is_some();
    let fits = (colons == 7 || (shortened && (2..7).contains(&colons)))
        && address.iter().any(u8::is_ascii_digit)
        && address.split(|&byte| byte == b':' || byte == b'.').all(|group| group.len() <= 4)
        && !is_at(text, end, WORD);
    fits.then_some(end)
}

/// What follows `scheme://`, up to white space, a quote, a bracket, a comma or a semicolon. `at` is at the colon;
/// the answer is where the rest begins and ends.
pub(super) fn url(text: &[u8], at: usize) -> Option<(usize, usize)> {
    let from = text[at..].starts_with(b"://").then_some(at + 3)?;
    let stops = |&&byte: &&u8| !is(byte, SPACE) && !b"\"'`<>()[]{},;".contains(&byte);
    let end = from + text[from..].iter().take_while(stops).count();
    let end = without_stops(text, from, end);
    (end > from).then_some((from, end))
}

/// `/var/log/app`, `./run`, `../lib/a`, `~/notes`, with what is asked of it (`?a=b`) and a port or line (`:80`). One step
/// alone is a variable part only if it has a digit: `/health` says which page it was, `/42` does not.
pub(super) fn path(text: &[u8], start: usize) -> Option<usize> {
    let lead = text[start..].iter().take(3).take_while(|&&byte| byte == b'.' || byte == b'~').count();
    let mut at = start + lead;
    let (mut steps, mut classes) = (usize::from(lead > 0), 0);
    loop {
        let from = at + text[at..].iter().take_while(|&&byte| byte == b'/').count();
        let (end, seen) = run(text, from, WORD | PATH);
        if from == at || end == from {
            break;
        }
        (at, steps, classes) = (end, steps + 1, classes | seen);
    }
    if steps < 2 && classes & DIGIT == 0 {
        return None;
    }
    let at = without_stops(text, start, at);
    let at = at + usize::from(text.get(at) == Some(&b'/'));
    Some(query(text, at))
}

/// The end of `?a=b&c=d`, if it begins here.
fn query(text: &[u8], at: usize) -> usize {
    if text.get(at) != Some(&b'?') || !is_at(text, at + 1, WORD) {
        return at;
    }
    let end =
        at + text[at..].iter().take_while(|&&byte| !is(byte, SPACE) && !b"\"'`)]>".contains(&byte)).count();
    without_stops(text, at, end)
}

/// A full stop or a comma at the end belongs to the sentence.
fn without_stops(text: &[u8], from: usize, end: usize) -> usize {
    let stops = text[from..end].iter().rev().take_while(|&&byte| b".,:".contains(&byte)).count();
    end - stops
}

/// `\\server\share\a`, `\a\b`, and after a drive and its colon `\a`; `at` is at the first backslash.
pub(super) fn windows_path(text: &[u8], at: usize, least_steps: usize) -> Option<usize> {
    let (mut end, mut steps) = (at, 0);
    loop {
        let from = end + text[end..].iter().take(2).take_while(|&&byte| byte == b'\\').count();
        let from = from + usize::from(end == at && text.get(from) == Some(&b'?'));
        let length =
            text[from..].iter().take_while(|&&byte| is(byte, WORD | PATH) || b"{}$".contains(&byte)).count();
        if from == end || length == 0 {
            break;
        }
        (end, steps) = (from + length, steps + 1);
    }
    (steps >= least_steps).then(|| without_stops(text, at, end))
}

/// What a run of words and `.`, `-`, `+`, `%` turned out to be.
pub(super) enum Name {
    /// An e-mail address or a host, which ends here.
    Variable(usize),
    /// Neither, and nothing up to here begins one.
    Text(usize),
}

/// `first.last@example.com`, `db.example.com`, `proxy.corp.example:3128`.
pub(super) fn name(text: &[u8], start: usize) -> Name {
    let (end, seen) = run(text, start, WORD | NAME);
    if text.get(end) == Some(&b'@') {
        let (domain_end, _) = run(text, end + 1, WORD | NAME);
        let domain_end = without_stops(text, end + 1, domain_end);
        let domain = &text[end + 1..domain_end];
        return if domain.contains(&b'.') && is_at(domain, 0, WORD) {
            Name::Variable(domain_end)
        } else {
            Name::Text(end)
        };
    }
    let host_end = without_stops(text, start, end);
    let plain =
        seen & NAME != 0 && is_host(&text[start..host_end], text.get(host_end), text.get(host_end + 1));
    if plain { Name::Variable(host_end) } else { Name::Text(end) }
}

/// With a known ending, or of three labels in small letters with a port behind it.
fn is_host(name: &[u8], next: Option<&u8>, after: Option<&u8>) -> bool {
    let Some(last_dot) = name.iter().rposition(|&byte| byte == b'.') else {
        return false;
    };
    if last_dot == 0 || HOST_ENDINGS.contains(&&name[last_dot + 1..]) {
        return last_dot > 0;
    }
    let dots = memchr::memchr_iter(b'.', name).count();
    let small =
        |&byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'.' || byte == b'-';
    let has_port = next == Some(&b':') && after.is_some_and(u8::is_ascii_digit);
    has_port && dots >= 2 && name[last_dot + 1..].iter().all(u8::is_ascii_lowercase) && name.iter().all(small)
}

/// The closing quote of a quoted name, one without white space; `start` is at the opening one.
pub(super) fn quoted(text: &[u8], start: usize) -> Option<usize> {
    let quote = text[start];
    let from = start + 1;
    let length = text[from..].iter().take_while(|&&byte| byte != quote && !is(byte, SPACE)).count();
    let end = from + length;
    (length > 0 && text.get(end) == Some(&quote) && !is_at(text, end + 1, WORD)).then_some(end)
}

/// Whether a quoted name is the key of an object in JSON's manner: it says what the value is.
pub(super) fn is_quoted_key(text: &[u8], start: usize, end: usize) -> bool {
    let before = text[..start].trim_ascii_end();
    let is_in_place = text.get(end + 1) == Some(&b':') && (before.ends_with(b"{") || before.ends_with(b","));
    is_in_place && !is_at(text, start + 1, DIGIT)
}

/// ` KB`, ` MiB`, ` B` after a number: who prints sizes for people picks the unit by the size.
pub(super) fn size_unit(text: &[u8], at: usize) -> Option<usize> {
    let unit = text.get(at..)?.strip_prefix(b" ")?;
    let prefix = unit.first().is_some_and(|byte| b"kKMGTP".contains(byte));
    let binary = prefix && unit.get(1) == Some(&b'i');
    let length = usize::from(prefix) + usize::from(binary);
    let end = at + 1 + length + 1;
    (unit.get(length) == Some(&b'B') && !is_at(text, end, WORD)).then_some(end)
}

/// Eight or more hexadecimal letters without a digit, such as `deadbeef`: a checksum can turn out so.
pub(super) fn is_hex_word(classes: u8, length: usize) -> bool {
    length >= 8
        && classes & (DIGIT | LETTER) == 0
        && classes & HEX_LETTER != 0
        && classes & WORD == HEX_LETTER
}
