//! Made-up series, the same from the same seed: random walks with one and two decimals, whole numbers, counters,
//! percentages and constants, at ten seconds, of servers with eighty metrics each.

use std::io::Write;
use std::ops::Range;

/// Seconds between two points of a series.
pub const STEP_SECS: i64 = 10;
/// Metrics of a server.
pub const PER_SERVER: usize = 80;
const KINDS: usize = 6;

/// The path of a series, by its number.
pub fn name(series: usize) -> String {
    let (server, metric) = (series / PER_SERVER, series % PER_SERVER);
    let tail = match metric {
        0..32 => format!("cpu.{}.{}", metric / 4, ["user", "system", "iowait", "idle"][metric % 4]),
        32..44 => {
            let (disk, what) = ((metric - 32) / 4, (metric - 32) % 4);
            format!(
                "disk.{}.{}",
                ["sda", "sdb", "sdc"][disk],
                ["await_ms", "read_bytes", "write_bytes", "util"][what]
            )
        }
        44..52 => {
            let (card, what) = ((metric - 44) / 4, (metric - 44) % 4);
            format!("net.eth{card}.{}", ["rx_bytes", "tx_bytes", "rx_errors", "tx_errors"][what])
        }
        _ => format!("app.service{:02}.requests", metric - 52),
    };
    format!("servers.web{server:05}.{tail}")
}

/// One series' values, each asked for once and in order.
#[derive(Clone, Debug)]
pub struct Walk {
    kind: usize,
    state: u64,
    at: f64,
}

impl Walk {
    /// The series of a number.
    pub fn of(series: usize) -> Self {
        let mut walk = Self {
            kind: series % PER_SERVER % KINDS,
            state: (series as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15),
            at: 0.0,
        };
        walk.at = (walk.unit() * 100.0).round();
        walk
    }

    fn unit(&mut self) -> f64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Nearly normal, with a deviation of one.
    fn bell(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }

    /// The next value.
    pub fn next_value(&mut self) -> f64 {
        let round = |value: f64, parts: f64| (value * parts).round() / parts;
        match self.kind {
            0 => {
                self.at += self.bell() * 0.5;
                round(self.at, 10.0)
            }
            1 => {
                self.at += self.bell() * 0.2;
                round(self.at, 100.0)
            }
            2 => (100.0 + self.bell() * 10.0).round(),
            3 => {
                self.at += (100.0 + self.bell() * 10.0).round();
                self.at
            }
            4 => {
                self.at = (self.at + self.bell()).clamp(0.0, 100.0);
                round(self.at, 10.0)
            }
            _ => self.at,
        }
    }
}

/// The lines that a sender of some series writes, step by step.
#[derive(Debug)]
pub struct Sender {
    series: Vec<(String, Walk)>,
}

impl Sender {
    /// A sender of the series of these numbers.
    pub fn of(series: Range<usize>) -> Self {
        Self { series: series.map(|number| (name(number), Walk::of(number))).collect() }
    }

    /// Adds a line for each series.
    ///
    /// # Panics
    /// Never: a vector takes every write.
    pub fn step(&mut self, at_secs: i64, out: &mut Vec<u8>) {
        for (name, walk) in &mut self.series {
            writeln!(out, "{name} {} {at_secs}", walk.next_value()).expect("a vector takes every write");
        }
    }
}

/// A frame as carbon's own relay sends it, of paths, values and unix seconds: Python's protocol 2 behind its length.
///
/// # Panics
/// When a time is not of this century.
pub fn pickle_frame(points: &[(&str, f64, u64)]) -> Vec<u8> {
    let mut pickle = b"\x80\x02]q\0(".to_vec();
    for (path, value, at) in points {
        let at = u32::try_from(*at).expect("this century's seconds fit");
        pickle.push(b'X');
        pickle.extend((path.len() as u32).to_le_bytes());
        pickle.extend(path.as_bytes());
        pickle.push(b'J');
        pickle.extend(at.to_le_bytes());
        pickle.push(b'G');
        pickle.extend(value.to_be_bytes());
        pickle.extend(b"\x86\x86");
    }
    pickle.extend(b"e.");
    [&(pickle.len() as u32).to_be_bytes(), pickle.as_slice()].concat()
}
