//! Writes Python's pickles, protocol 2: lists, dictionaries, texts and numbers, and the two classes in which graphite-web tells when a
//! series has points.
//!
//! A pickle is a program for a stack machine (`pickletools` of the Python library documents it). Nothing is written that refers back to
//! what was before, so that an answer is made from its beginning to its end.

/// A pickle in the making.
#[derive(Debug)]
pub(super) struct Pickle {
    bytes: Vec<u8>,
}

impl Default for Pickle {
    fn default() -> Self {
        Self { bytes: b"\x80\x02".to_vec() }
    }
}

impl Pickle {
    /// The whole of it, once its one value is written.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.bytes.push(b'.');
        self.bytes
    }

    pub(super) fn text(&mut self, text: &str) {
        self.bytes.push(b'X');
        self.bytes.extend_from_slice(&(text.len() as u32).to_le_bytes());
        self.bytes.extend_from_slice(text.as_bytes());
    }

    pub(super) fn whole(&mut self, number: i64) {
        match i32::try_from(number) {
            Ok(number) => {
                self.bytes.push(b'J');
                self.bytes.extend_from_slice(&number.to_le_bytes());
            }
            Err(_too_long) => {
                self.bytes.extend_from_slice(b"\x8a\x08");
                self.bytes.extend_from_slice(&number.to_le_bytes());
            }
        }
    }

    /// A number; NaN is None.
    pub(super) fn number(&mut self, number: f64) {
        if number.is_nan() {
            return self.bytes.push(b'N');
        }
        self.bytes.push(b'G');
        self.bytes.extend_from_slice(&number.to_be_bytes());
    }

    pub(super) fn truth(&mut self, is_true: bool) {
        self.bytes.push(if is_true { b'\x88' } else { b'\x89' });
    }

    pub(super) fn list<'a, T: 'a>(
        &mut self,
        items: impl IntoIterator<Item = &'a T>,
        mut write: impl FnMut(&mut Self, &'a T),
    ) {
        self.bytes.extend_from_slice(b"](");
        items.into_iter().for_each(|item| write(self, item));
        self.bytes.push(b'e');
    }

    /// A dictionary, whose entries begin with their keys.
    pub(super) fn dict(&mut self, write: impl FnOnce(&mut Self)) {
        self.bytes.extend_from_slice(b"}(");
        write(self);
        self.bytes.push(b'u');
    }

    /// Begins an entry of a dictionary; what is written next is its value.
    pub(super) fn key(&mut self, key: &str) -> &mut Self {
        self.text(key);
        self
    }

    /// An object of graphite-web's `IntervalSet` of one `Interval`, as which no older version takes anything else.
    pub(super) fn interval(&mut self, start: i64, end: i64) {
        self.object("IntervalSet", |set| {
            set.key("intervals").list(&[()], |pickle, ()| {
                pickle.object("Interval", |one| {
                    one.key("start").whole(start);
                    one.key("end").whole(end);
                    let pair = one.key("tuple");
                    pair.whole(start);
                    pair.whole(end);
                    pair.bytes.push(b'\x86');
                    one.key("size").whole(end - start);
                });
            });
            set.key("size").whole(end - start);
        });
    }

    /// An object of a class of graphite-web's, made of its attributes.
    fn object(&mut self, class: &str, attributes: impl FnOnce(&mut Self)) {
        self.bytes.extend_from_slice(b"cgraphite.intervals\n");
        self.bytes.extend_from_slice(class.as_bytes());
        self.bytes.extend_from_slice(b"\n)\x81");
        self.dict(attributes);
        self.bytes.push(b'b');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_pythons_instructions() {
        let check = |write: fn(&mut Pickle), expected: &[u8]| {
            let mut pickle = Pickle::default();
            write(&mut pickle);
            assert_eq!(pickle.finish(), [b"\x80\x02", expected, b"."].concat());
        };
        check(|pickle| pickle.text("\u{e9}"), b"X\x02\0\0\0\xc3\xa9");
        check(|pickle| pickle.whole(-2), b"J\xfe\xff\xff\xff");
        check(|pickle| pickle.whole(1 << 40), b"\x8a\x08\0\0\0\0\0\x01\0\0");
        check(|pickle| pickle.number(1.5), b"G\x3f\xf8\0\0\0\0\0\0");
        check(|pickle| pickle.number(f64::NAN), b"N");
        check(|pickle| pickle.list(&[true, false], |pickle, one| pickle.truth(*one)), b"](\x88\x89e");
        check(|pickle| pickle.dict(|entries| entries.key("a").truth(true)), b"}(X\x01\0\0\0a\x88u");
    }
}
