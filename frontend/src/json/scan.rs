//! JSON piece by piece, as RFC 8259 has it: what is the same whatever type is read.

use super::Unreadable;
use sonde_shared::decimal::parse_decimal;
use std::borrow::Cow;

/// A number as it was written.
pub(super) enum Number {
    /// A whole one, not below zero.
    Positive(u64),
    /// A whole one below zero.
    Negative(i64),
    /// One with a fraction or an exponent, or too large for the others.
    Real(f64),
}

/// A text and how far it is read.
pub(super) struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scan<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Fails unless nothing but white space is left.
    pub(super) fn end(&mut self) -> Result<(), Unreadable> {
        self.skip_space();
        demand(self.at == self.text.len())
    }

    /// Takes a sign that must come.
    pub(super) fn open(&mut self, sign: u8) -> Result<(), Unreadable> {
        let is_there = self.next_byte() == Some(sign);
        self.at += 1;
        demand(is_there)
    }

    /// Takes the end of a list or an object; a reader that stopped before it has not read all.
    pub(super) fn close(&mut self, end: u8) -> Result<(), Unreadable> {
        self.open(end)
    }

    /// Goes to the next member of a list or an object; false at its end.
    pub(super) fn next_member(&mut self, is_first: bool, end: u8) -> Result<bool, Unreadable> {
        let next = self.next_byte();
        if next == Some(end) {
            return Ok(false);
        }
        if !is_first {
            self.open(b',')?;
        }
        Ok(true)
    }

    /// Takes a `null`; false where something else stands.
    pub(super) fn null(&mut self) -> Result<bool, Unreadable> {
        if self.next_byte() != Some(b'n') {
            return Ok(false);
        }
        self.word("null").map(|()| true)
    }

    pub(super) fn boolean(&mut self) -> Result<bool, Unreadable> {
        let is_true = self.next_byte() == Some(b't');
        self.word(if is_true { "true" } else { "false" }).map(|()| is_true)
    }

    pub(super) fn number(&mut self) -> Result<Number, Unreadable> {
        let digits = self.digits()?;
        if let Ok(number) = digits.parse() {
            return Ok(Number::Positive(number));
        }
        match digits.parse() {
            // A minus zero is none of the whole numbers.
            Ok(number) if number != 0_i64 => Ok(Number::Negative(number)),
            _ => {
                let number = parse_decimal(digits).ok_or(Unreadable)?;
                demand(number.is_finite()).map(|()| Number::Real(number))
            }
        }
    }

    /// Takes a string; only one with escapes has to be written anew.
    pub(super) fn string(&mut self) -> Result<Cow<'a, str>, Unreadable> {
        let whole = self.quoted()?;
        let Some(first) = whole.find('\\') else { return Ok(Cow::Borrowed(whole)) };
        let mut out = String::with_capacity(whole.len());
        let mut rest = whole;
        let mut next = Some(first);
        while let Some(escape) = next {
            out.push_str(&rest[..escape]);
            let mut escaped = rest[escape + 1..].chars();
            out.push(unescape(&mut escaped)?);
            rest = escaped.as_str();
            next = rest.find('\\');
        }
        out.push_str(rest);
        Ok(Cow::Owned(out))
    }

    /// Takes a value of any kind as it is written.
    pub(super) fn raw(&mut self) -> Result<&'a str, Unreadable> {
        self.skip_space();
        let start = self.at;
        // Whether each list or object around is an object: a loop, for what comes may be nested as deep as it likes.
        let mut around = Vec::new();
        loop {
            self.piece(&mut around)?;
            loop {
                let Some(&is_object) = around.last() else { return Ok(&self.text[start..self.at]) };
                let end = if is_object { b'}' } else { b']' };
                match self.next_byte() {
                    Some(sign) if sign == end => {
                        self.at += 1;
                        around.pop();
                    }
                    Some(b',') => {
                        self.at += 1;
                        self.key(is_object)?;
                        break;
                    }
                    _ => return Err(Unreadable),
                }
            }
        }
    }

    /// Takes one value, of a list or an object only as far as its first member.
    fn piece(&mut self, around: &mut Vec<bool>) -> Result<(), Unreadable> {
        loop {
            match self.next_byte() {
                Some(b'"') => return self.quoted().map(drop),
                Some(b't') => return self.word("true"),
                Some(b'f') => return self.word("false"),
                Some(b'n') => return self.word("null"),
                Some(open @ (b'{' | b'[')) => {
                    self.at += 1;
                    let is_object = open == b'{';
                    if self.next_byte() == Some(open + 2) {
                        self.at += 1;
                        return Ok(());
                    }
                    around.push(is_object);
                    self.key(is_object)?;
                }
                _ => return self.digits().map(drop),
            }
        }
    }

    /// Takes the name of a member, where members have one.
    fn key(&mut self, is_object: bool) -> Result<(), Unreadable> {
        if is_object {
            self.quoted()?;
            self.open(b':')?;
        }
        Ok(())
    }

    /// Takes a string and gives what stands between the quotes; its escapes may still be wrong in what they stand for.
    fn quoted(&mut self) -> Result<&'a str, Unreadable> {
        self.open(b'"')?;
        let start = self.at;
        loop {
            match self.byte().ok_or(Unreadable)? {
                b'"' => break,
                b'\\' => self.escape()?,
                control if control < b' ' => return Err(Unreadable),
                _ => self.at += 1,
            }
        }
        self.at += 1;
        Ok(&self.text[start..self.at - 1])
    }

    fn escape(&mut self) -> Result<(), Unreadable> {
        self.at += 2;
        match self.text.as_bytes().get(self.at - 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(()),
            Some(b'u') => {
                let digits = self.text.as_bytes().get(self.at..self.at + 4).ok_or(Unreadable)?;
                self.at += 4;
                demand(digits.iter().all(u8::is_ascii_hexdigit))
            }
            _ => Err(Unreadable),
        }
    }

    /// Takes a number and gives its digits.
    fn digits(&mut self) -> Result<&'a str, Unreadable> {
        self.skip_space();
        let start = self.at;
        self.skip(b'-');
        if !self.skip(b'0') {
            self.some_digits()?;
        }
        if self.skip(b'.') {
            self.some_digits()?;
        }
        if self.skip(b'e') || self.skip(b'E') {
            let _is_signed = self.skip(b'+') || self.skip(b'-');
            self.some_digits()?;
        }
        Ok(&self.text[start..self.at])
    }

    fn some_digits(&mut self) -> Result<(), Unreadable> {
        let start = self.at;
        while self.byte().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        demand(self.at > start)
    }

    fn word(&mut self, word: &str) -> Result<(), Unreadable> {
        demand(self.text.as_bytes()[self.at..].starts_with(word.as_bytes()))?;
        self.at += word.len();
        Ok(())
    }

    fn skip(&mut self, sign: u8) -> bool {
        let is_there = self.byte() == Some(sign);
        self.at += usize::from(is_there);
        is_there
    }

    fn next_byte(&mut self) -> Option<u8> {
        self.skip_space();
        self.byte()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.byte() {
            self.at += 1;
        }
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
}

fn demand(is_so: bool) -> Result<(), Unreadable> {
    if is_so { Ok(()) } else { Err(Unreadable) }
}

/// What an escape stands for, from the letter on; those outside the first plane are two of four digits.
fn unescape(rest: &mut std::str::Chars<'_>) -> Result<char, Unreadable> {
    Ok(match rest.next() {
        Some('b') => '\u{8}',
        Some('f') => '\u{c}',
        Some('n') => '\n',
        Some('r') => '\r',
        Some('t') => '\t',
        Some('u') => {
            let unit = code_unit(rest)?;
            if !(0xd800..0xdc00).contains(&unit) {
                return char::from_u32(unit).ok_or(Unreadable);
            }
            demand(rest.next() == Some('\\') && rest.next() == Some('u'))?;
            let low = code_unit(rest)?;
            demand((0xdc00..0xe000).contains(&low))?;
            return char::from_u32(0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00)).ok_or(Unreadable);
        }
        Some(itself) => itself,
        None => return Err(Unreadable),
    })
}

fn code_unit(rest: &mut std::str::Chars<'_>) -> Result<u32, Unreadable> {
    (0..4).try_fold(0, |unit, _| {
        let digit = rest.next().and_then(|digit| digit.to_digit(16)).ok_or(Unreadable)?;
        Ok(unit << 4 | digit)
    })
}
