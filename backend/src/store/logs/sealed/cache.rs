//! Decoded frames that all queries share, within one budget.

use super::room::{FrameText, Rooms};
use rustc_hash::FxHashMap;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// The most memory for decoded text that is kept, in bytes.
pub const BUDGET_BYTES: usize = 64 << 20;

/// A decoded frame.
pub type Text = Arc<FrameText>;
type Key = (u64, u32);

/// Frames that were used lately. One that was used since it was last looked at gets a second chance, so that a use costs no
/// more than a mark: an answer of many components uses hundreds of frames in turn.
#[derive(Debug)]
pub struct FrameCache {
    budget_bytes: usize,
    kept: Mutex<Kept>,
    rooms: Arc<Rooms>,
}

#[derive(Debug, Default)]
struct Kept {
    /// Each with whether it was used since it was put in the queue.
    frames: FxHashMap<Key, (Text, bool)>,
    /// The first one goes next, unless it was used.
    queue: VecDeque<Key>,
    bytes: usize,
}

impl FrameCache {
    /// An empty cache.
    pub fn new(budget_bytes: usize) -> Self {
        Self { budget_bytes, kept: Mutex::default(), rooms: Arc::default() }
    }

    /// Where frames are decoded to.
    pub(super) fn rooms(&self) -> &Arc<Rooms> {
        &self.rooms
    }

    /// A frame of a segment, decoded now if it is not kept.
    pub fn get<E>(
        &self,
        segment: u64,
        frame: u32,
        decode: impl FnOnce() -> Result<Text, E>,
    ) -> Result<Text, E> {
        let key = (segment, frame);
        if let Some(text) = self.lock().touch(key) {
            return Ok(text);
        }
        // Two queries may decode the same frame at once; neither waits for the other.
        let text = decode()?;
        self.lock().add(key, text.clone(), self.budget_bytes);
        Ok(text)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn touch(&mut self, key: Key) -> Option<Text> {
        let (text, is_used) = self.frames.get_mut(&key)?;
        *is_used = true;
        Some(text.clone())
    }

    fn add(&mut self, key: Key, text: Text, budget_bytes: usize) {
        if self.frames.contains_key(&key) || text.room_bytes() > budget_bytes {
            return;
        }
        self.bytes += text.room_bytes();
        self.frames.insert(key, (text, false));
        self.queue.push_back(key);
        while self.bytes > budget_bytes
            && let Some(key) = self.queue.pop_front()
        {
            let Some((text, is_used)) = self.frames.get_mut(&key) else { continue };
            if std::mem::take(is_used) {
                self.queue.push_back(key);
            } else {
                self.bytes -= text.room_bytes();
                self.frames.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn what_was_used_last_stays_and_the_budget_holds() {
        let cache = FrameCache::new(100);
        let decoded = Cell::new(0);
        let get = |frame: u32, len: usize| {
            let decode = || {
                decoded.set(decoded.get() + 1);
                Ok::<_, ()>(Text::new(vec![frame as u8; len].into()))
            };
            assert_eq!(cache.get(1, frame, decode).unwrap().len(), len);
            assert!(cache.lock().bytes <= 100);
            decoded.get()
        };
        assert_eq!([get(1, 40), get(2, 40), get(1, 40)], [1, 2, 2]);
        assert_eq!(get(3, 40), 3, "the second goes, it was used before the first");
        assert_eq!([get(1, 40), get(3, 40), get(2, 40)], [3, 3, 4]);
        assert_eq!([get(9, 101), get(9, 101)], [5, 6], "larger than the budget is not kept");
    }
}
