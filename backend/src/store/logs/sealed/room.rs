//! Room for the text of decoded frames, used again and again.
//!
//! Frames are decoded and forgotten on many threads. Left to the allocator, which keeps a part of memory for each thread, the
//! holes that they leave came to twice what was in use.

use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

/// Rooms are multiples of this, up to [`KINDS`] times; longer ones are not kept.
const UNIT: usize = 16 << 10;
const KINDS: usize = 4;
/// The most room that waits to be used again, in bytes.
const MOST_FREE: usize = 8 << 20;

/// Room that waits to be used again.
#[derive(Debug, Default)]
pub(super) struct Rooms(Mutex<Free>);

#[derive(Debug, Default)]
struct Free {
    by_units: [Vec<Vec<u8>>; KINDS],
    bytes: usize,
}

impl Rooms {
    /// An empty list with room for so many bytes.
    pub(super) fn take(&self, len: usize) -> Vec<u8> {
        let units = len.div_ceil(UNIT).max(1);
        if units > KINDS {
            return Vec::with_capacity(len);
        }
        let mut free = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match free.by_units[units - 1].pop() {
            Some(room) => {
                free.bytes -= room.capacity();
                room
            }
            None => Vec::with_capacity(units * UNIT),
        }
    }

    fn give(&self, mut room: Vec<u8>) {
        let units = room.capacity() / UNIT;
        if units == 0 || room.capacity() > KINDS * UNIT {
            return;
        }
        room.clear();
        let mut free = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if free.bytes + room.capacity() <= MOST_FREE {
            free.bytes += room.capacity();
            free.by_units[units - 1].push(room);
        }
    }
}

/// The text of a frame. Its room is given back when nobody needs it any more.
#[derive(Debug)]
pub struct FrameText {
    bytes: Vec<u8>,
    rooms: Option<Arc<Rooms>>,
}

impl FrameText {
    /// Text in a room of these.
    pub(super) fn in_room(bytes: Vec<u8>, rooms: Arc<Rooms>) -> Self {
        Self { bytes, rooms: Some(rooms) }
    }

    /// How much memory it takes.
    pub(super) fn room_bytes(&self) -> usize {
        self.bytes.capacity()
    }
}

impl From<Vec<u8>> for FrameText {
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes, rooms: None }
    }
}

impl Deref for FrameText {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for FrameText {
    fn drop(&mut self) {
        if let Some(rooms) = self.rooms.take() {
            rooms.give(std::mem::take(&mut self.bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_used_again_and_no_more_than_a_bound_waits() {
        let rooms = Arc::new(Rooms::default());
        let text = |len: usize| {
            let mut bytes = rooms.take(len);
            assert!(bytes.is_empty() && bytes.capacity() >= len, "{len}");
            bytes.resize(len, 7);
            FrameText::in_room(bytes, rooms.clone())
        };
        let free = || rooms.0.lock().unwrap().bytes;
        let first = text(20_000);
        let place = first.as_ptr();
        drop(first);
        assert_eq!(free(), 2 * UNIT);
        let again = text(32_000);
        assert_eq!((again.as_ptr(), free()), (place, 0), "it has as many units");
        drop((again, text(70_000)));
        assert_eq!(free(), 2 * UNIT, "a long one is not kept");
        let many: Vec<_> = (0..400).map(|_| text(60_000)).collect();
        drop(many);
        assert!(free() <= MOST_FREE && free() > MOST_FREE - 4 * UNIT, "{}", free());
    }
}
