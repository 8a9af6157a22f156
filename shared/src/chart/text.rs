//! How much room texts take in a font whose characters are all of one width, and texts cut to a room.

/// A character's width as a part of its height.
pub(super) const CELL: f64 = 0.6;

/// How many characters' widths a text is wide. Chinese, Japanese and Korean characters are two wide, accents of their own none.
pub(super) fn cells(text: &str) -> usize {
    text.chars().map(width_of).sum()
}

fn width_of(c: char) -> usize {
    match c as u32 {
        0x0300..=0x036f | 0x200b..=0x200f | 0x20d0..=0x20ff | 0xfe00..=0xfe0f => 0,
        0x1100..=0x115f
        | 0x2e80..=0xa4cf
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe4f
        | 0xff00..=0xff60
        | 0x1_f300..=0x1_faff
        | 0x2_0000..=0x3_fffd => 2,
        _ => 1,
    }
}

/// A text that is at most so wide. What is cut out is in the middle: names differ at their beginning and at their end.
pub(super) fn shortened(text: &str, most: usize) -> String {
    if cells(text) <= most {
        return text.to_owned();
    }
    let (head, tail) = (most.saturating_sub(1) / 2, most.saturating_sub(1).div_ceil(2));
    let end: Vec<char> = fitting(text.chars().rev(), tail).collect();
    let start: String = fitting(text.chars(), head).collect();
    start + "…" + &end.into_iter().rev().collect::<String>()
}

fn fitting(chars: impl Iterator<Item = char>, most: usize) -> impl Iterator<Item = char> {
    let mut used = 0;
    chars.take_while(move |c| {
        used += width_of(*c);
        used <= most
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_loses_its_middle() {
        let check = |text: &str, most: usize, expected: &str| {
            assert_eq!(shortened(text, most), expected, "{text}");
            assert!(cells(&shortened(text, most)) <= most.max(1));
        };
        check("short", 5, "short");
        check("shop.checkout.p95", 9, "shop….p95");
        check("shop.checkout.p95", 8, "sho….p95");
        check("shop.checkout.p95", 1, "…");
        check("shop.checkout.p95", 0, "…");
        check("日本語の名前", 7, "日…前");
        check("", 3, "");
        assert_eq!((cells("e\u{301}"), cells("日本"), cells("ü")), (1, 4, 1));
    }
}
