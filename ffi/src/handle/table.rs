//! The table of what C holds: a handle is a key of it and never an address, so that one which was freed, or is of
//! another type, is found out instead of followed. docs/decisions/0011 says why, and why it is shared by all.
//!
//! A key says its slot and which use of the slot it is. Slots are used again, the one that has been free the longest
//! first; uses are counted. Keys are odd, as no address of an object is.

use std::any::Any;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// What C's part in a value is: any of the types that have handles.
pub(super) type Value = Arc<dyn Any + Send + Sync>;

/// Puts a value in; `None` where the table is full.
pub(super) fn insert(value: Value) -> Option<usize> {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let start = NEXT.fetch_add(1, Ordering::Relaxed);
    (0..SHARDS).find_map(|step| {
        let shard = (start + step) % SHARDS;
        let (slot, uses) = write(shard).insert(&value)?;
        Some(Key { slot: slot * SHARDS + shard, uses }.pack())
    })
}

/// The value under this key, if it is there still.
pub(super) fn find(key: usize) -> Option<Value> {
    let key = Key::unpack(key)?;
    let shard = read(key.slot % SHARDS);
    shard.slot(key)?.value.clone()
}

/// Takes the value out, if it is what `is_it` wants.
pub(super) fn remove(key: usize, is_it: impl Fn(&Value) -> bool) -> Option<Value> {
    let key = Key::unpack(key)?;
    let mut shard = write(key.slot % SHARDS);
    let is_there = shard.slot(key)?.value.as_ref().is_some_and(is_it);
    // The value is dropped by the caller, when the shard is not locked any more: that may take long, and use handles.
    if is_there { shard.remove(key.slot / SHARDS) } else { None }
}

/// Parts with a lock each, so that calls on several threads seldom meet.
static TABLE: [RwLock<Shard>; SHARDS] = [const { RwLock::new(Shard::new()) }; SHARDS];

const SHARDS: usize = 16;

/// A use is this many bits of a key; the slot is the rest but one. On 64 bits a stale key is told from all later
/// ones. On 32 bits there are half a million slots, and a key comes again after at least 4,096 uses of the 64 or more
/// slots that were free in its shard: a quarter of a million handles later.
const USE_BITS: u32 = usize::BITS / 2 - if usize::BITS == 32 { 4 } else { 0 };
const SLOT_BITS: u32 = usize::BITS - 1 - USE_BITS;
/// So many slots of a shard are free before one of them is used again.
const RESTING: usize = 64;

#[derive(Clone, Copy)]
struct Key {
    slot: usize,
    uses: usize,
}

impl Key {
    fn pack(self) -> usize {
        self.slot << (USE_BITS + 1) | self.uses << 1 | 1
    }

    fn unpack(key: usize) -> Option<Self> {
        let uses = key >> 1 & USES;
        (key & 1 == 1).then_some(Self { slot: key >> (USE_BITS + 1), uses })
    }
}

const USES: usize = (1 << USE_BITS) - 1;

struct Shard {
    slots: Vec<Slot>,
    free: VecDeque<usize>,
}

struct Slot {
    uses: usize,
    value: Option<Value>,
}

impl Shard {
    const fn new() -> Self {
        Self { slots: Vec::new(), free: VecDeque::new() }
    }

    fn insert(&mut self, value: &Value) -> Option<(usize, usize)> {
        let value = Some(value.clone());
        let is_full = self.slots.len() * SHARDS >= 1 << SLOT_BITS;
        if self.free.len() <= RESTING && !is_full {
            self.slots.push(Slot { uses: 0, value });
            return Some((self.slots.len() - 1, 0));
        }
        let at = self.free.pop_front()?;
        let slot = &mut self.slots[at];
        *slot = Slot { uses: (slot.uses + 1) & USES, value };
        Some((at, slot.uses))
    }

    fn slot(&self, key: Key) -> Option<&Slot> {
        self.slots.get(key.slot / SHARDS).filter(|slot| slot.uses == key.uses)
    }

    fn remove(&mut self, at: usize) -> Option<Value> {
        let value = self.slots[at].value.take();
        self.free.push_back(at);
        value
    }
}

fn read(shard: usize) -> RwLockReadGuard<'static, Shard> {
    TABLE[shard].read().unwrap_or_else(PoisonError::into_inner)
}

fn write(shard: usize) -> RwLockWriteGuard<'static, Shard> {
    TABLE[shard].write().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_odd_and_means_one_value_once() {
        let first = insert(Arc::new(7u32)).unwrap();
        assert_eq!(first & 1, 1);
        assert!(remove(first, |value| value.is::<u64>()).is_none(), "it is of another type");
        assert!(find(first).is_some_and(|value| value.is::<u32>()));
        assert!(remove(first, |_| true).is_some());
        assert!(find(first).is_none() && remove(first, |_| true).is_none());
        assert!([0, 2, usize::MAX, usize::MAX - 1, first ^ 2].into_iter().all(|key| find(key).is_none()));
    }

    #[test]
    fn slots_are_used_again_and_old_keys_are_not() {
        let mut shard = Shard::new();
        let value: Value = Arc::new(());
        let (at, uses) = shard.insert(&value).unwrap();
        let first = Key { slot: at * SHARDS, uses };
        let mut seen = 0;
        shard.remove(at);
        for _ in 0..10_000 {
            let (at, uses) = shard.insert(&value).unwrap();
            seen += usize::from((at, uses) == (first.slot / SHARDS, first.uses));
            shard.remove(at);
        }
        assert_eq!(seen, 0);
        assert!(shard.slots.len() <= RESTING + 2, "{} slots for one value", shard.slots.len());
    }
}
