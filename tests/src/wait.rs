//! Waiting for a condition, with a limit. A test never sleeps for luck: it says what it waits for, goes on as soon as
//! that holds, and fails with the last thing it saw when it does not hold in time.

use std::fmt::Debug;
use std::time::{Duration, Instant};

/// Long enough for a busy machine; a condition that holds is never waited for this long.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Asks until the answer is `Ok`, and returns what is in it.
///
/// # Panics
/// When it is still `Err` after [`PATIENCE`]; the message has the last one.
#[track_caller]
pub fn until<T, E: Debug>(what: &str, ask: impl FnMut() -> Result<T, E>) -> T {
    until_within(PATIENCE, what, ask)
}

/// As [`until`], with a limit of its own.
///
/// # Panics
/// When the answer is still `Err` after the limit; the message has the last one.
#[track_caller]
pub fn until_within<T, E: Debug>(limit: Duration, what: &str, mut ask: impl FnMut() -> Result<T, E>) -> T {
    let start = Instant::now();
    loop {
        match ask() {
            Ok(answer) => return answer,
            Err(last) if start.elapsed() > limit => panic!("waited {limit:?} for {what}; last: {last:?}"),
            Err(_) => std::thread::sleep(Duration::from_millis(15)),
        }
    }
}

/// `Ok` when the two are equal, else `Err` with what there was: for use with [`until`].
///
/// # Errors
/// The value that was not the expected one.
pub fn same<T: PartialEq>(found: T, expected: &T) -> Result<T, T> {
    if found == *expected { Ok(found) } else { Err(found) }
}
