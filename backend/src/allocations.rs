//! In tests: how much memory this thread asks for at once, so that a test sees when a number of a file was taken at its word; and how
//! often, so that one sees what is asked for with each line.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static MOST: Cell<usize> = const { Cell::new(0) };
    static TIMES: Cell<u64> = const { Cell::new(0) };
}

struct Watched;

#[global_allocator]
static ALLOCATOR: Watched = Watched;

fn note(bytes: usize) {
    // A thread that ends asks for memory too, when it has no counts any more.
    MOST.try_with(|most| most.set(most.get().max(bytes))).unwrap_or_default();
    TIMES.try_with(|times| times.set(times.get() + 1)).unwrap_or_default();
}

#[expect(unsafe_code, reason = "an allocator has no safe form; this one hands all on to the system's")]
// SAFETY: every request is handed on as it is.
unsafe impl GlobalAlloc for Watched {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        // SAFETY: the caller keeps the contract, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(size);
        // SAFETY: as above.
        unsafe { System.realloc(at, layout, size) }
    }
}

/// From here on.
pub(crate) fn begin() {
    MOST.set(0);
    TIMES.set(0);
}

/// How often this thread has asked for some.
pub(crate) fn times() -> u64 {
    TIMES.get()
}

/// The most that this thread has asked for at once.
pub(crate) fn most_bytes() -> usize {
    MOST.get()
}
