//! Decoded frames that all queries share, within one budget.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

/// The most decoded text that is kept, in bytes.
pub const BUDGET_BYTES: usize = 64 << 20;

/// A decoded frame.
pub type Text = Arc<Vec<u8>>;
type Key = (u64, u32);

/// The frames that were used last.
#[derive(Debug)]
pub struct FrameCache {
    budget_bytes: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    frames: HashMap<Key, (Text, u64)>,
    /// By when they were used last.
    by_use: BTreeMap<u64, Key>,
    uses: u64,
    bytes: usize,
}

impl FrameCache {
    /// An empty cache.
    pub fn new(budget_bytes: usize) -> Self {
        Self { budget_bytes, kept: Mutex::default() }
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
        let (text, used) = self.frames.get_mut(&key)?;
        self.uses += 1;
        self.by_use.remove(used);
        self.by_use.insert(self.uses, key);
        *used = self.uses;
        Some(text.clone())
    }

    fn add(&mut self, key: Key, text: Text, budget_bytes: usize) {
        if self.frames.contains_key(&key) || text.len() > budget_bytes {
            return;
        }
        self.uses += 1;
        self.bytes += text.len();
        self.by_use.insert(self.uses, key);
        self.frames.insert(key, (text, self.uses));
        while self.bytes > budget_bytes
            && let Some((_, oldest)) = self.by_use.pop_first()
            && let Some((text, _)) = self.frames.remove(&oldest)
        {
            self.bytes -= text.len();
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
                Ok::<_, ()>(Text::from(vec![frame as u8; len]))
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
