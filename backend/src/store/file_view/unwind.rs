//! Where borrowed bytes cannot be read, the work at hand ends: it unwinds with the error, up to whoever has begun it.
//!
//! Bytes are borrowed in the midst of loops over columns and names, where an error could not be told but as a wrong answer.

use crate::store::StoreError;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// What a thread unwinds with whose work needs bytes that cannot be read.
struct Unreadable(StoreError);

fn fail(error: StoreError) -> ! {
    resume_unwind(Box::new(Unreadable(error)))
}

/// What was read, for who takes an error as the end of his work.
///
/// # Panics
/// Where it could not be read; see [`caught`].
pub fn or_end<T>(read: Result<T, StoreError>) -> T {
    read.unwrap_or_else(|error| fail(error))
}

/// Does work that borrows from files; the error that has ended it, where one has.
pub fn caught<T>(work: impl FnOnce() -> T) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| match unreadable(payload) {
        Ok(error) => error,
        Err(panic) => resume_unwind(panic),
    })
}

/// The error that a thread has unwound with; else what it has panicked with.
pub fn unreadable(payload: Box<dyn Any + Send>) -> Result<StoreError, Box<dyn Any + Send>> {
    payload.downcast::<Unreadable>().map(|unreadable| unreadable.0)
}
