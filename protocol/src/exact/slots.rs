use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::ops::Range;

/// What a frame does with slots, in numbers of cells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SlotUse {
    /// Cells that it fills, by rising number; none was filled before.
    pub stores: Vec<Range<u64>>,
    /// Cells whose tiles it shows.
    pub shows: Vec<Range<u64>>,
}

/// Which frames filled a client's slots and showed what is in them: slots are kept in order as tiles are.
#[derive(Clone, Debug, Default)]
pub struct SlotLedger {
    cells: u64,
    /// What was stored together, by its first cell.
    runs: BTreeMap<u64, Run>,
    /// The last frame that stored or showed what is displaced.
    displaced: u64,
}

#[derive(Clone, Copy, Debug)]
struct Run {
    end: u64,
    stored_by: u64,
    /// The last frame that stored or showed any of it.
    used_by: u64,
}

impl SlotLedger {
    /// Of a client that keeps this many cells, all of them empty.
    pub fn new(cells: u64) -> Self {
        Self { cells, ..Self::default() }
    }

    /// How many cells the client keeps.
    pub fn cells(&self) -> u64 {
        self.cells
    }

    /// The last frame that must be applied before one that does this: what it shows must be there, and what it
    /// displaces must not be needed any more.
    pub fn base(&self, slots: &SlotUse) -> u64 {
        let shown =
            slots.shows.iter().flat_map(|shown| self.overlapping(shown)).map(|(_, run)| run.stored_by);
        let displaced = self.limit(slots).map_or(0, |limit| self.used_below(limit));
        shown.max().unwrap_or(0).max(displaced)
    }

    /// Frame `seq` was sent.
    pub fn sent(&mut self, seq: u64, slots: &SlotUse) {
        for shown in &slots.shows {
            let runs: Vec<u64> = self.overlapping(shown).map(|(first, _)| first).collect();
            for first in runs {
                if let Some(run) = self.runs.get_mut(&first) {
                    run.used_by = seq;
                }
            }
        }
        for Range { start, end } in slots.stores.iter().cloned() {
            self.runs.insert(start, Run { end, stored_by: seq, used_by: seq });
        }
        if let Some(limit) = self.limit(slots) {
            self.displaced = self.used_below(limit);
            // A run of which a part is left stays, and is counted again.
            while let Some(first) = self.runs.first_entry().filter(|run| run.get().end <= limit) {
                first.remove();
            }
        }
    }

    /// Everything below this cell is displaced by what `slots` stores.
    fn limit(&self, slots: &SlotUse) -> Option<u64> {
        let end = slots.stores.iter().map(|stored| stored.end).max()?;
        Some(end.saturating_sub(self.cells))
    }

    fn used_below(&self, limit: u64) -> u64 {
        let used = self.runs.range(..limit).map(|(_, run)| run.used_by);
        used.max().unwrap_or(0).max(self.displaced)
    }

    fn overlapping(&self, cells: &Range<u64>) -> impl Iterator<Item = (u64, Run)> + '_ {
        let start = cells.start;
        let before = self.runs.range(..start).next_back().filter(move |(_, run)| run.end > start);
        before.into_iter().chain(self.runs.range(cells.clone())).map(|(first, run)| (*first, *run))
    }
}
