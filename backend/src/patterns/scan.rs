//! The scan over one message: from word to word, copying what stays into the template and leaving a hole for what
//! varies. A word with a digit in it varies, whatever it is; [`shapes`](super::shapes) and
//! [`calendar`](super::calendar) know what else does. Values that hang together, `10:20:30` or `1.5 MB`, are one hole.

use super::bytes::{DIGIT, HEX_LETTER, JOINER, SPACE, WORD, is, is_at, run};
use super::masked::{LONGEST_TEMPLATE, Masked};
use super::shapes::Name;
use super::{HOLE, calendar, shapes};

pub(super) struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
    /// What lies before is in the template, as itself or as a hole.
    copied: usize,
    /// Where the last hole ended.
    hole_end: usize,
    /// No name of a host or of a mailbox begins before.
    no_name_before: usize,
    out: &'a mut Masked,
}

impl<'a> Scanner<'a> {
    /// A scan of `text` from `start` on.
    pub(super) fn new(text: &'a [u8], start: usize, out: &'a mut Masked) -> Self {
        Self { text, at: start, copied: start, hole_end: usize::MAX, no_name_before: 0, out }
    }

    /// Writes the template and notes the variable parts.
    pub(super) fn run(mut self) {
        while let Some(&byte) = self.text.get(self.at)
            && self.out.template.len() + (self.at - self.copied) < LONGEST_TEMPLATE
        {
            if is(byte, WORD) {
                self.word();
            } else if is(byte, SPACE) {
                self.space();
            } else {
                self.mark(byte);
            }
        }
        self.copy_to(self.at);
    }

    fn word(&mut self) {
        let start = self.at;
        let (end, classes) = run(self.text, start, WORD);
        if let Some((from, to)) = self.special_word(start, end, classes) {
            self.hole(from, to);
        } else if let Some(end) = variable_word(self.text, start, end, classes) {
            self.hole(start, end);
        } else {
            self.at = end;
        }
    }

    /// A word that begins something longer: what follows it tells which look is worth its time.
    fn special_word(&mut self, start: usize, end: usize, classes: u8) -> Option<(usize, usize)> {
        let whole = |end| (start, end);
        let text = self.text;
        match text.get(end)? {
            b':' => self.before_colon(start, end, classes),
            b'-' => self.before_hyphen(start, end, classes).map(whole),
            b'.' | b'@' | b'+' | b'%' => self.name(start, classes).map(whole),
            b' ' | b',' | b'/' => date(text, start, end).map(whole),
            _ => None,
        }
    }

    fn before_colon(&self, start: usize, end: usize, classes: u8) -> Option<(usize, usize)> {
        let text = self.text;
        if let Some(url) = shapes::url(text, end) {
            return Some(url);
        }
        if classes & WORD & !(DIGIT | HEX_LETTER) == 0 && end - start <= 4 {
            let address = shapes::mac(text, start, b':').or_else(|| shapes::ipv6(text, start));
            if let Some(end) = address {
                return Some((start, end));
            }
        }
        let is_drive = end - start == 1 && text.get(end + 1) == Some(&b'\\');
        if is_drive { shapes::windows_path(text, end + 1, 1).map(|end| (start, end)) } else { None }
    }

    fn before_hyphen(&mut self, start: usize, end: usize, classes: u8) -> Option<usize> {
        let text = self.text;
        let address = match end - start {
            8 => shapes::uuid(text, start),
            2 => shapes::mac(text, start, b'-'),
            _ => None,
        };
        address.or_else(|| date(text, start, end)).or_else(|| self.name(start, classes))
    }

    fn name(&mut self, start: usize, classes: u8) -> Option<usize> {
        if start < self.no_name_before || classes == DIGIT {
            return None;
        }
        match shapes::name(self.text, start) {
            Name::Variable(end) => Some(end),
            Name::Text(end) => {
                self.no_name_before = end;
                None
            }
        }
    }

    /// White space: a run of it, or one that is no blank, becomes one blank.
    fn space(&mut self) {
        let (end, _) = run(self.text, self.at, SPACE);
        if end - self.at > 1 || self.text[self.at] != b' ' {
            self.copy_to(self.at);
            self.out.template.push(b' ');
            self.copied = end;
        }
        self.at = end;
    }

    /// What is neither word nor white space.
    fn mark(&mut self, byte: u8) {
        let (text, start) = (self.text, self.at);
        let end = match byte {
            b'<' => literal_hole(text, start),
            _ if self.follows_word() => None,
            b'"' | b'\'' | b'`' => return self.quoted(),
            b'/' | b'~' => shapes::path(text, start),
            b'.' if matches!(text.get(start + 1), Some(b'/' | b'.')) => shapes::path(text, start),
            b'\\' => shapes::windows_path(text, start, 2),
            b':' if text.get(start + 1) == Some(&b':') => shapes::ipv6(text, start),
            b'-' | b'+' if is_at(text, start + 1, DIGIT) => Some(run(text, start + 1, WORD).0),
            _ => None,
        };
        match end {
            Some(end) => self.hole(start, end),
            None => self.at += 1,
        }
    }

    /// Behind a word, a hole or a slash nothing but a word begins: `don't`, `and/or`, `50%'`.
    fn follows_word(&self) -> bool {
        let before = self.at.checked_sub(1).map_or(b' ', |at| self.text[at]);
        self.at == self.hole_end || is(before, WORD) || before == b'/'
    }

    fn quoted(&mut self) {
        match shapes::quoted(self.text, self.at) {
            Some(end) => {
                if !shapes::is_quoted_key(self.text, self.at, end) {
                    self.hole(self.at + 1, end);
                }
                self.at = end + 1;
            }
            None => self.at += 1,
        }
    }

    /// A variable part, with what hangs on it.
    fn hole(&mut self, start: usize, end: usize) {
        let end = joined_end(self.text, start, end);
        self.copy_to(start);
        match self.out.slots.last_mut() {
            Some(last) if start == self.hole_end => last.end = end as u32,
            _ => {
                self.out.template.extend_from_slice(HOLE.as_bytes());
                self.out.slots.push(start as u32..end as u32);
            }
        }
        (self.at, self.copied, self.hole_end) = (end, end, end);
    }

    fn copy_to(&mut self, end: usize) {
        self.out.template.extend_from_slice(&self.text[self.copied..end]);
        self.copied = end;
    }
}

/// Where the hole ends that this word is, if it is one: a word with a digit, hexadecimal letters, `blk_-42`.
fn variable_word(text: &[u8], start: usize, end: usize, classes: u8) -> Option<usize> {
    if classes & DIGIT == 0 {
        let signed = text[end - 1] == b'_'
            && matches!(text.get(end), Some(b'-' | b'+'))
            && is_at(text, end + 1, DIGIT);
        let end = if signed { run(text, end + 1, WORD).0 } else { end };
        return (signed || shapes::is_hex_word(classes, end - start)).then_some(end);
    }
    (!is_key(text, start, end)).then_some(end)
}

/// `p95` in `p95=12` says what the value is, and stays.
fn is_key(text: &[u8], start: usize, end: usize) -> bool {
    text.get(end) == Some(&b'=')
        && !is(text[start], DIGIT)
        && text.get(end + 1).is_some_and(|&byte| !is(byte, SPACE) && byte != b'=')
}

fn date(text: &[u8], start: usize, end: usize) -> Option<usize> {
    if end - start > 3 || !calendar::may_begin(text, start, end) {
        return None;
    }
    calendar::date(text, start)
}

/// A message may itself be a template, or have been masked by whoever wrote it.
fn literal_hole(text: &[u8], at: usize) -> Option<usize> {
    text.get(at..)?.starts_with(HOLE.as_bytes()).then_some(at + HOLE.len())
}

/// Where a value ends that goes on behind `end`: with joined words that vary, a unit of size, a percent sign, the clock
/// of a date.
fn joined_end(text: &[u8], start: usize, end: usize) -> usize {
    let mut end = end;
    while let Some(&next) = text.get(end) {
        let further = match next {
            b' ' => shapes::size_unit(text, end).or_else(|| clock_of(text, start, end)),
            _ if is(next, JOINER) => joined_word(text, end),
            _ => None,
        };
        match further {
            Some(further) => end = further,
            None => break,
        }
    }
    end
}

fn clock_of(text: &[u8], start: usize, end: usize) -> Option<usize> {
    let clock = calendar::clock(text, end + 1)?;
    calendar::is_date(&text[start..end]).then_some(clock)
}

/// The end of one or two joiners and a word that varies.
fn joined_word(text: &[u8], end: usize) -> Option<usize> {
    let from = end + 1 + usize::from(is_at(text, end + 1, JOINER));
    let (word_end, classes) = run(text, from, WORD);
    let word =
        if word_end > from { variable_word(text, from, word_end, classes) } else { literal_hole(text, from) };
    word.or_else(|| (text[end] == b'%').then_some(end + 1))
}

#[cfg(test)]
mod tests {
    use super::super::{Masked, mask};

    fn check(message: &str, expected: &str) {
        let mut masked = Masked::default();
        mask(message.as_bytes(), &mut masked);
        assert_eq!(masked.template(), expected, "{message}");
    }

    #[test]
    fn words_with_digits_vary() {
        check("took 42 ms", "took <*> ms");
        check("took 42ms, 1.5s or 3e-9", "took <*>, <*> or <*>");
        check("job a7Xk2 of node-12", "job <*> of node-<*>");
        check("blk_-42 blk_17 rdd_3_4", "<*> <*> <*>");
        check("id=0x1f, sum deadbeef", "id=<*>, sum <*>");
        check("offset -5, +3 and a-5", "offset <*>, <*> and a-<*>");
        check("no digits: a b-c d_e", "no digits: a b-c d_e");
    }

    #[test]
    fn what_hangs_together_is_one_value() {
        check("10:20:30 1,000,000 5% 7/9 v1.2.3-rc4", "<*> <*> <*> <*> <*>");
        check("free 1.5 MB, 300 B or 7 GiB", "free <*>, <*> or <*>");
        check("3 Boats", "<*> Boats");
        check("1.", "<*>.");
        check("range [1, 2)", "range [<*>, <*>)");
    }

    #[test]
    fn keys_say_what_a_value_is() {
        check("p95=12 q=3 t1=x", "p95=<*> q=<*> t1=x");
        check("token YWJj0= ok", "token <*>= ok");
        check(r#"{"k1":"v","k2": "w"}"#, r#"{"k1":"<*>","k2": "<*>"}"#);
    }

    #[test]
    fn addresses_vary() {
        check("to 192.0.2.1:8080", "to <*>");
        check("to [2001:db8::1]:80 from fe80::1%eth0, ::1", "to [<*>]:<*> from <*>, <*>");
        check("at ::ffff:192.0.2.7: refused", "at <*>: refused");
        check("mac 0a:1b:2c:3d:4e:5f and aa-bb-cc-dd-ee-ff", "mac <*> and <*>");
        check("id beefbeef-dead-beef-cafe-beefbeefbeef.", "id <*>.");
        check("std::fs add::bed a::b", "std::fs add::bed a::b");
    }

    #[test]
    fn hosts_mailboxes_and_urls_vary() {
        check("from ann.lee+x@mail.example.org: hi", "from <*>: hi");
        check("at db.example.com, a.b.example:80", "at <*>, <*>");
        check("see https://example.org/a?b=c.", "see https://<*>.");
        check("(s3://bucket/key)", "(s3://<*>)");
        check("java.net.SocketException in app.Main", "java.net.SocketException in app.Main");
        check("Main.java:42", "Main.java:<*>");
    }

    #[test]
    fn paths_vary() {
        check("GET /api/users/7/items?page=2 took 9 ms", "GET <*> took <*> ms");
        check("GET /health and /42", "GET /health and <*>");
        check("open ./run, ../a/b, ~/c: no", "open <*>, <*>, <*>: no");
        check("and/or, 50%/day </div> //", "and/or, <*>/day </div> //");
        check(r"load C:\app\x.dll, \\srv\share", "load <*>, <*>");
        check(r"a \b", r"a \b");
        check("ends in ...", "ends in ...");
    }

    #[test]
    fn quoted_names_vary_and_quoted_sentences_do_not() {
        check("user 'ann' opened \"b.txt\" as `c`", "user '<*>' opened \"<*>\" as `<*>`");
        check("msg=\"disk is full\" can't don't", "msg=\"disk is full\" can't don't");
        check("\"GET /a/b 200\" \"\"", "\"GET <*> <*>\" \"\"");
    }

    #[test]
    fn dates_vary() {
        check("at 2025-03-10 14:05:00.123 ok", "at <*> ok");
        check("at 2025-03-10T14:05:00+01:00 ok", "at <*> ok");
        check("at Mon, 10 Mar 2025 14:05:00 ok", "at <*> ok");
        check("Mar  3 07:00:01 up", "<*> up");
        check("[10/Mar/2025:14:05:00 +0000]", "[<*> <*>]");
        check("Mar is near, Sun too, May 5000 be", "Mar is near, Sun too, May <*> be");
    }

    #[test]
    fn holes_stay_holes() {
        check("GET <*> took <*> ms", "GET <*> took <*> ms");
        check("a<*>b <*>:<*>", "a<*>b <*>");
    }

    #[test]
    fn white_space_is_one_blank() {
        check("  a \t b\u{b}c  ", "a b c");
        check("\n\n first 1\nsecond", "first <*>");
        check(" ", "");
    }

    #[test]
    fn other_scripts_are_words() {
        check("größe 5 größer, 東京2 ok", "größe <*> größer, <*> ok");
    }
}
