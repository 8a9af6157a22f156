//! Python pickles of points, as carbon's senders write them: `[(path, (timestamp, value)), …]`, protocols 0 to 5.
//!
//! A pickle is a program for a stack machine (`pickletools` of the Python library documents it). This one knows the
//! instructions that lists, tuples, texts and numbers need and no others: nothing is ever imported, called or built, and a
//! pickle that asks for it is refused as a whole. An instruction adds at most one value of 16 bytes, values refer to
//! each other by number, and nothing recurses, so that neither memory nor stack can be made to grow beyond a
//! fixed multiple of the frame, whatever it nests, repeats or refers to.

use super::carbon::python_float;
use super::refused::Refused;
use super::series_path::MAX_PATH_BYTES;
use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::ops::Range;

/// The highest protocol that is known.
const MAX_PROTOCOL: u8 = 5;
/// The longest text that is read as a number.
const MAX_NUMBER_BYTES: usize = 512;
/// All items' paths together; a frame that says the same long path over and over is refused.
const MAX_PATHS_BYTES: usize = 32 << 20;

/// A value on the stack. It owns nothing, so that a copy of it is one too.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Value {
    /// None, and texts that cannot be read.
    Nothing,
    Number(f64),
    /// A text as it stands in the frame.
    Text(u32, u32),
    /// A text that was written with escapes, among those that were read.
    Unescaped(u32, u32),
    /// The number of a list.
    List(u32),
    /// Where a tuple's values are.
    Tuple(u32, u32),
}

/// What a frame holds.
#[derive(Debug)]
pub(super) struct Pickled<'a> {
    machine: Machine<'a>,
    items: Value,
}

/// A point as it was sent: Python's floats of what stood there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Item<'a> {
    pub(super) path: &'a str,
    pub(super) secs: f64,
    pub(super) value: f64,
}

/// Reads a frame's pickle.
pub(super) fn read(frame: &[u8]) -> Result<Pickled<'_>, Refused> {
    let mut machine = Machine::of(frame);
    let items = machine.run()?;
    let pickled = Pickled { machine, items };
    let paths = pickled.values().iter().filter_map(|item| pickled.machine.pair(*item));
    let bytes = paths.map(|[path, _]| pickled.machine.text(path).map_or(0, <[u8]>::len).min(MAX_PATH_BYTES));
    if !matches!(items, Value::List(_) | Value::Tuple(..)) {
        return Err(Refused::BadPickle { why: "holds no list" });
    }
    if bytes.sum::<usize>() > MAX_PATHS_BYTES {
        return Err(Refused::BadPickle { why: "repeats long paths" });
    }
    Ok(pickled)
}

impl Pickled<'_> {
    fn values(&self) -> &[Value] {
        self.machine.values(self.items).unwrap_or_default()
    }

    /// The points, each on its own: a bad one takes no other with it.
    pub(super) fn items(&self) -> impl Iterator<Item = Result<Item<'_>, Refused>> {
        self.values().iter().map(|item| self.machine.item(*item))
    }
}

#[derive(Debug)]
struct Machine<'a> {
    frame: &'a [u8],
    at: usize,
    stack: Vec<Value>,
    /// How high the stack was at each mark.
    marks: Vec<usize>,
    memo: HashMap<u32, Value, RandomState>,
    lists: Vec<Vec<Value>>,
    /// The values of all tuples.
    cells: Vec<Value>,
    unescaped: Vec<u8>,
}

fn broken<T>(why: &'static str) -> Result<T, Refused> {
    Err(Refused::BadPickle { why })
}

impl<'a> Machine<'a> {
    fn of(frame: &'a [u8]) -> Self {
        let memo = HashMap::default();
        let (stack, marks, lists, cells, unescaped) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { frame, at: 0, stack, marks, memo, lists, cells, unescaped }
    }

    /// Runs to STOP; what the pickle holds.
    fn run(&mut self) -> Result<Value, Refused> {
        loop {
            match self.byte()? {
                b'.' => return self.pop(),
                0x80 if self.byte()? > MAX_PROTOCOL => return broken("is of a protocol above 5"),
                0x80 => {}
                0x95 => drop(self.take(8)?),
                code => self.step(code)?,
            }
        }
    }

    fn step(&mut self, code: u8) -> Result<(), Refused> {
        if let Some(value) = self.number(code)? {
            self.stack.push(value);
        } else if let Some(text) = self.read_text(code)? {
            self.stack.push(text);
        } else if !self.arrange(code)? && !self.remember(code)? {
            return Err(refusal(code));
        }
        Ok(())
    }

    /// None, booleans, whole numbers and floats.
    fn number(&mut self, code: u8) -> Result<Option<Value>, Refused> {
        let number = match code {
            b'N' => return Ok(Some(Value::Nothing)),
            0x88 => 1.0,
            0x89 => 0.0,
            b'J' => f64::from(i32::from_le_bytes(self.array()?)),
            b'K' => f64::from(self.byte()?),
            b'M' => f64::from(u16::from_le_bytes(self.array()?)),
            b'G' => f64::from_be_bytes(self.array()?),
            0x8a => {
                let len = usize::from(self.byte()?);
                return self.take(len).map(long).map(Some);
            }
            0x8b => {
                let len = self.len_4()?;
                return self.take(len).map(long).map(Some);
            }
            // `I01` is True, `I00` False.
            b'I' | b'L' | b'F' => {
                let line = self.line()?;
                let text = std::str::from_utf8(&self.frame[line]).unwrap_or_default();
                let text = if code == b'L' { text.trim_end_matches('L') } else { text };
                return Ok(Some(float(text).map_or(Value::Nothing, Value::Number)));
            }
            _ => return Ok(None),
        };
        Ok(Some(Value::Number(number)))
    }

    /// Texts and byte strings.
    fn read_text(&mut self, code: u8) -> Result<Option<Value>, Refused> {
        let len = match code {
            b'S' | b'V' => return self.escaped(code).map(Some),
            b'U' | b'C' | 0x8c => usize::from(self.byte()?),
            b'T' | b'X' | b'B' => self.len_4()?,
            0x8d | 0x8e => usize::try_from(u64::from_le_bytes(self.array()?)).unwrap_or(usize::MAX),
            _ => return Ok(None),
        };
        let start = self.at;
        self.take(len)?;
        Ok(Some(Value::Text(start as u32, len as u32)))
    }

    /// A text of a line of its own: `S` in quotes as Python 2 writes its strings, `V` in its raw-unicode-escape.
    fn escaped(&mut self, code: u8) -> Result<Value, Refused> {
        let mut line = self.line()?;
        let is_quoted = code == b'S';
        if is_quoted {
            let text = self.frame[line.clone()].trim_ascii_end();
            match text {
                [open @ (b'\'' | b'"'), .., close] if open == close => {
                    line = line.start + 1..line.start + text.len() - 1;
                }
                _ => return broken("has a string without quotes"),
            }
        }
        let bytes = &self.frame[line.clone()];
        let is_plain = !bytes.contains(&b'\\') && (is_quoted || bytes.is_ascii());
        if is_plain {
            return Ok(Value::Text(line.start as u32, line.len() as u32));
        }
        let start = self.unescaped.len();
        let was_read = if is_quoted {
            unquote(bytes, &mut self.unescaped)
        } else {
            unescape(bytes, &mut self.unescaped)
        };
        let len = self.unescaped.len() - start;
        Ok(was_read.map_or(Value::Nothing, |()| Value::Unescaped(start as u32, len as u32)))
    }

    /// Marks, lists and tuples; whether the code is one for these.
    fn arrange(&mut self, code: u8) -> Result<bool, Refused> {
        match code {
            b'(' => self.marks.push(self.stack.len()),
            b'0' if self.stack.len() == self.floor() => {
                self.marks.pop();
            }
            b'0' => drop(self.pop()?),
            b'1' => drop(self.pop_to_mark()?),
            b'2' => {
                let top = self.top()?;
                self.stack.push(top);
            }
            b']' => self.push_list(Vec::new()),
            b'l' => {
                let values = self.pop_to_mark()?;
                self.push_list(values);
            }
            b'a' => {
                let value = self.pop()?;
                self.append(&[value])?;
            }
            b'e' => {
                let values = self.pop_to_mark()?;
                self.append(&values)?;
            }
            b')' => self.push_tuple(&[]),
            b't' => {
                let values = self.pop_to_mark()?;
                self.push_tuple(&values);
            }
            0x85..=0x87 => {
                let mut values = [Value::Nothing; 3];
                let values = &mut values[..usize::from(code - 0x84)];
                for place in values.iter_mut().rev() {
                    *place = self.pop()?;
                }
                self.push_tuple(values);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// What was put aside and is taken up again; whether the code is one for this.
    fn remember(&mut self, code: u8) -> Result<bool, Refused> {
        let place = match code {
            b'q' | b'h' => u32::from(self.byte()?),
            b'r' | b'j' => u32::from_le_bytes(self.array()?),
            b'p' | b'g' => {
                let line = self.line()?;
                let text =
                    std::str::from_utf8(&self.frame[line]).ok().and_then(|text| text.trim().parse().ok());
                text.ok_or(Refused::BadPickle { why: "has a memo that is not numbered" })?
            }
            0x94 => self.memo.len() as u32,
            _ => return Ok(false),
        };
        if matches!(code, b'h' | b'j' | b'g') {
            match self.memo.get(&place) {
                Some(value) => self.stack.push(*value),
                None => return broken("refers to what it does not hold"),
            }
        } else {
            let top = self.top()?;
            self.memo.insert(place, top);
        }
        Ok(true)
    }

    fn push_list(&mut self, values: Vec<Value>) {
        self.stack.push(Value::List(self.lists.len() as u32));
        self.lists.push(values);
    }

    fn push_tuple(&mut self, values: &[Value]) {
        self.stack.push(Value::Tuple(self.cells.len() as u32, values.len() as u32));
        self.cells.extend_from_slice(values);
    }

    fn append(&mut self, values: &[Value]) -> Result<(), Refused> {
        let Value::List(number) = self.top()? else { return broken("appends to what is no list") };
        self.lists[number as usize].extend_from_slice(values);
        Ok(())
    }

    /// How high the stack was at the last mark.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or_default()
    }

    fn top(&self) -> Result<Value, Refused> {
        self.stack[self.floor()..].last().copied().map_or_else(|| broken("takes from an empty stack"), Ok)
    }

    fn pop(&mut self) -> Result<Value, Refused> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Value>, Refused> {
        let Some(mark) = self.marks.pop() else { return broken("looks for a mark that is not there") };
        Ok(self.stack.split_off(mark))
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], Refused> {
        let Some(taken) = self.frame[self.at..].get(..len) else { return broken("ends too early") };
        self.at += len;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Refused> {
        let taken = self.take(N)?;
        Ok(taken.try_into().expect("so many were taken"))
    }

    fn byte(&mut self) -> Result<u8, Refused> {
        self.array().map(|[byte]| byte)
    }

    fn len_4(&mut self) -> Result<usize, Refused> {
        self.array().map(|bytes| u32::from_le_bytes(bytes) as usize)
    }

    /// Where the text up to the next line feed is, which is taken too.
    fn line(&mut self) -> Result<Range<usize>, Refused> {
        let start = self.at;
        let Some(len) = memchr::memchr(b'\n', &self.frame[start..]) else { return broken("ends too early") };
        self.at += len + 1;
        Ok(start..start + len)
    }

    fn values(&self, of: Value) -> Option<&[Value]> {
        match of {
            Value::List(number) => Some(&self.lists[number as usize]),
            Value::Tuple(start, len) => Some(&self.cells[start as usize..][..len as usize]),
            _ => None,
        }
    }

    fn pair(&self, of: Value) -> Option<[Value; 2]> {
        self.values(of)?.try_into().ok()
    }

    fn text(&self, of: Value) -> Option<&[u8]> {
        match of {
            Value::Text(start, len) => Some(&self.frame[start as usize..][..len as usize]),
            Value::Unescaped(start, len) => Some(&self.unescaped[start as usize..][..len as usize]),
            _ => None,
        }
    }

    fn item(&self, of: Value) -> Result<Item<'_>, Refused> {
        let item = self.pair(of).and_then(|[path, point]| Some((self.text(path)?, self.pair(point)?)));
        let (path, [time, value]) = item.ok_or(Refused::BadItem)?;
        if path.len() > MAX_PATH_BYTES {
            return Err(Refused::BadPath { why: "is longer than 2048 bytes" });
        }
        let path = std::str::from_utf8(path)
            .map_err(|error| Refused::NotUtf8 { column: error.valid_up_to() + 1 })?;
        let shown = |of| self.text(of).map_or_else(|| "None".to_owned(), shortened);
        let secs = self.float(time).ok_or_else(|| Refused::BadTs { text: shown(time) })?;
        let value = self.float(value).ok_or_else(|| Refused::BadValue { text: shown(value) })?;
        Ok(Item { path, secs, value })
    }

    /// What Python's `float()` makes of it.
    fn float(&self, of: Value) -> Option<f64> {
        match of {
            Value::Number(number) => Some(number),
            _ => float(std::str::from_utf8(self.text(of)?).ok()?),
        }
    }
}

fn float(text: &str) -> Option<f64> {
    python_float(text.trim()).filter(|_| text.len() <= MAX_NUMBER_BYTES)
}

fn shortened(text: &[u8]) -> String {
    String::from_utf8_lossy(&text[..text.len().min(256)]).chars().take(64).collect()
}

/// A whole number in little-endian two's complement, of up to 16 bytes; none for a longer one, which no float of a metric
/// needs.
fn long(bytes: &[u8]) -> Value {
    let sign = if bytes.last().is_some_and(|byte| *byte >= 0x80) { 0xff } else { 0 };
    let mut whole = [sign; 16];
    let Some(place) = whole.get_mut(..bytes.len()) else { return Value::Nothing };
    place.copy_from_slice(bytes);
    Value::Number(i128::from_le_bytes(whole) as f64)
}

/// Why an instruction is not carried out. Those for objects are told apart, since a sender may have to be changed: numpy's
/// floats are objects, and so are byte strings that Python 3 writes in a protocol below 3.
fn refusal(code: u8) -> Refused {
    match code {
        b'c' | b'R' | b'b' | b'i' | b'o' | b'P' | b'Q' | 0x81..=0x84 | 0x92 | 0x93 | 0x97 | 0x98 => {
            Refused::PickleObject
        }
        b'}' | b'd' | b's' | b'u' | 0x8f..=0x91 | 0x96 => {
            Refused::BadPickle { why: "holds something else than lists, tuples, texts and numbers" }
        }
        _ => Refused::BadPickle { why: "has an instruction that is not known" },
    }
}

/// Undoes the escapes of a Python 2 string; `None` for one that is not known.
fn unquote(bytes: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut rest = bytes.iter();
    while let Some(byte) = rest.next() {
        if *byte != b'\\' {
            out.push(*byte);
            continue;
        }
        out.push(match rest.next()? {
            escaped @ (b'\\' | b'\'' | b'"') => *escaped,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'x' => hex(&mut rest, 2)? as u8,
            _ => return None,
        });
    }
    Some(())
}

/// Latin-1, in which `\uXXXX` and `\UXXXXXXXX` are characters; a pair of surrogates is one. `None` where one stands alone.
fn unescape(bytes: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut units = Vec::new();
    let mut rest = bytes.iter();
    while let Some(byte) = rest.next() {
        let next = rest.as_slice().first();
        let unit = match (byte, next) {
            (b'\\', Some(kind @ (b'u' | b'U'))) => {
                rest.next();
                hex(&mut rest, if *kind == b'u' { 4 } else { 8 })?
            }
            _ => u32::from(*byte),
        };
        match u16::try_from(unit) {
            Ok(unit) => units.push(unit),
            Err(_beyond) => units.extend_from_slice(char::from_u32(unit)?.encode_utf16(&mut [0; 2])),
        }
    }
    out.extend_from_slice(String::from_utf16(&units).ok()?.as_bytes());
    Some(())
}

fn hex(rest: &mut std::slice::Iter<'_, u8>, digits: usize) -> Option<u32> {
    (0..digits).try_fold(0, |number, _| Some(number << 4 | char::from(*rest.next()?).to_digit(16)?))
}

#[cfg(test)]
mod tests;
