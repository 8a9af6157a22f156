//! Content encodings undone piece by piece, so that a small body that unpacks to a huge one costs no memory.

use flate2::write::MultiGzDecoder;
use std::io::{self, Write};
use zstd::stream::raw::{Decoder as RawZstd, InBuffer, Operation, OutBuffer};
use zstd::zstd_safe::DParameter;

/// The names that are taken, for the `Accept-Encoding` of a refusal.
pub const ENCODINGS: &str = "gzip, zstd";

/// Bytes of gzip that are unpacked at once: deflate grows at most about a thousandfold, so 4 MiB come of it.
const GZIP_STEP_BYTES: usize = 4 << 10;
/// Bytes that one step of zstd yields at most.
const ZSTD_STEP_BYTES: usize = 256 << 10;
/// Frames that need a larger window are refused; RFC 8878 asks decoders for 8 MiB, and levels up to 19 stay below.
const ZSTD_WINDOW_LOG: u32 = 23;
/// What may be unpacked without a look at how far it grew.
const FREE_BYTES: u64 = 64 << 20;
/// How far a body may grow beyond that. Logs pack 5 to 50 times.
const MAX_GROWTH: u64 = 300;

/// Undoes one content encoding.
pub struct Decoder {
    form: Form,
    taken_bytes: u64,
    given_bytes: u64,
}

enum Form {
    Identity,
    Gzip(Box<MultiGzDecoder<Vec<u8>>>),
    Zstd { raw: RawZstd<'static>, is_between_frames: bool },
}

impl Decoder {
    /// The decoder for a `Content-Encoding` header; `None` for one that is not taken.
    pub fn for_encoding(name: &str) -> Option<io::Result<Self>> {
        let form = match name.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Ok(Form::Identity),
            "gzip" | "x-gzip" => Ok(Form::Gzip(Box::new(MultiGzDecoder::new(Vec::new())))),
            "zstd" => zstd_form(),
            _ => return None,
        };
        Some(form.map(|form| Self { form, taken_bytes: 0, given_bytes: 0 }))
    }

    /// Whether what comes out is what goes in, so that nobody need ask.
    pub fn is_identity(&self) -> bool {
        matches!(self.form, Form::Identity)
    }

    /// Decodes a part of the input and moves the input past it. Appends what comes out, a few MiB at most, and returns
    /// whether to call again. Fails on damaged data, and on data that grows as no log does; what came out before is there then.
    pub fn step(&mut self, input: &mut &[u8], out: &mut Vec<u8>) -> io::Result<bool> {
        let (input_len, out_len) = (input.len(), out.len());
        let more = match &mut self.form {
            Form::Identity => {
                out.extend_from_slice(std::mem::take(input));
                false
            }
            Form::Gzip(gzip) => {
                let used = gzip.write(&input[..input.len().min(GZIP_STEP_BYTES)]);
                out.append(gzip.get_mut());
                *input = &input[used?..];
                !input.is_empty()
            }
            Form::Zstd { raw, is_between_frames } => zstd_step(raw, is_between_frames, input, out)?,
        };
        self.taken_bytes += (input_len - input.len()) as u64;
        self.given_bytes += (out.len() - out_len) as u64;
        if self.given_bytes > FREE_BYTES && self.given_bytes / MAX_GROWTH > self.taken_bytes {
            return Err(io::Error::other(format!("it unpacks to more than {MAX_GROWTH} times its size")));
        }
        Ok(more)
    }

    /// Ends the input, and appends what still comes out. Fails when it was cut short.
    pub fn finish(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
        match &mut self.form {
            Form::Gzip(gzip) if self.taken_bytes > 0 => {
                let ended = gzip.try_finish();
                out.append(gzip.get_mut());
                ended
            }
            Form::Zstd { is_between_frames: false, .. } => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

fn zstd_form() -> io::Result<Form> {
    let mut raw = RawZstd::new()?;
    raw.set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW_LOG))?;
    Ok(Form::Zstd { raw, is_between_frames: true })
}

fn zstd_step(
    raw: &mut RawZstd<'static>,
    is_between_frames: &mut bool,
    input: &mut &[u8],
    out: &mut Vec<u8>,
) -> io::Result<bool> {
    if input.is_empty() && *is_between_frames {
        return Ok(false);
    }
    let start = out.len();
    out.resize(start + ZSTD_STEP_BYTES, 0);
    let mut source = InBuffer::around(input);
    let mut target = OutBuffer::around(&mut out[start..]);
    let result = raw.run(&mut source, &mut target);
    let (used, made) = (source.pos(), target.pos());
    out.truncate(start + made);
    *input = &input[used..];
    *is_between_frames = result? == 0;
    Ok(!input.is_empty() || made == ZSTD_STEP_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(encoding: &str, body: &[u8], chunk_bytes: usize) -> io::Result<Vec<u8>> {
        let mut decoder = Decoder::for_encoding(encoding).unwrap().unwrap();
        let mut out = Vec::new();
        for mut chunk in body.chunks(chunk_bytes) {
            while decoder.step(&mut chunk, &mut out)? {}
        }
        decoder.finish(&mut out)?;
        Ok(out)
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn text() -> Vec<u8> {
        (0..200_000).flat_map(|n: u32| format!("line {n}\n").into_bytes()).collect()
    }

    #[test]
    fn bodies_come_back_in_any_chunks() {
        let text = text();
        let zstd = zstd::stream::encode_all(&text[..], 3).unwrap();
        for chunk_bytes in [1_000, 65_536, 100_000_000] {
            assert!(decode("gzip", &gzip(&text), chunk_bytes).unwrap() == text);
            assert!(decode("zstd", &zstd, chunk_bytes).unwrap() == text);
            assert!(decode("", &text, chunk_bytes).unwrap() == text);
        }
        assert_eq!(decode("X-GZIP", &[gzip(b"a"), gzip(b"b")].concat(), 1).unwrap(), b"ab");
        let two = [
            zstd::stream::encode_all(&b"a"[..], 1).unwrap(),
            zstd::stream::encode_all(&b"b"[..], 1).unwrap(),
        ];
        assert_eq!(decode("zstd", &two.concat(), 1).unwrap(), b"ab");
        assert_eq!(decode("gzip", b"", 1).unwrap(), b"");
        assert_eq!(decode("zstd", b"", 1).unwrap(), b"");
    }

    #[test]
    fn what_is_damaged_or_cut_short_fails() {
        let text = text();
        let (gzip, zstd) = (gzip(&text), zstd::stream::encode_all(&text[..], 3).unwrap());
        for (encoding, body) in [("gzip", &gzip), ("zstd", &zstd)] {
            assert!(decode(encoding, &body[..body.len() - 1], 4_096).is_err(), "{encoding}");
            assert!(decode(encoding, &body[..10], 4_096).is_err(), "{encoding}");
            assert!(decode(encoding, b"not packed at all", 4_096).is_err(), "{encoding}");
        }
        assert!(Decoder::for_encoding("br").is_none());
        assert!(Decoder::for_encoding("gzip, gzip").is_none());
    }

    #[test]
    fn a_bomb_is_given_up_early_and_each_step_stays_small() {
        let zeros = vec![0_u8; 128 << 20];
        for (encoding, body) in
            [("gzip", gzip(&zeros)), ("zstd", zstd::stream::encode_all(&zeros[..], 3).unwrap())]
        {
            let mut decoder = Decoder::for_encoding(encoding).unwrap().unwrap();
            let (mut input, mut out, mut total) = (&body[..], Vec::new(), 0);
            let error = loop {
                match decoder.step(&mut input, &mut out) {
                    Ok(more) => assert!(more, "{encoding} came to its end"),
                    Err(error) => break error,
                }
                assert!(out.len() <= 5 << 20, "{encoding}: {}", out.len());
                total += out.len();
                out.clear();
            };
            assert!(error.to_string().contains("times its size") && total < 80 << 20, "{error} {total}");
        }
    }
}
