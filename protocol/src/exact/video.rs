/// Which frames carry the access units of a surface's run: each is decoded behind the one before, and one that fails
/// takes the others of its run with it.
#[derive(Clone, Copy, Debug, Default)]
pub struct VideoLedger {
    /// The frame of the run's key frame; 0 while there was none.
    first: u64,
    /// The last frame that carried a unit.
    last: u64,
}

impl VideoLedger {
    /// The last frame that must be begun before the one that carries the next unit.
    pub fn base(&self) -> u64 {
        self.last
    }

    /// Frame `seq` carries a unit; `key` begins a run.
    pub fn sent(&mut self, seq: u64, key: bool) {
        if key {
            self.first = seq;
        }
        self.last = seq;
    }

    /// True if a run ends when frame `seq` could not be painted.
    pub fn ends_at(&self, seq: u64) -> bool {
        (self.first.max(1)..=self.last).contains(&seq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_wait_for_each_other_and_a_failure_ends_the_run_that_it_was_of() {
        let mut ledger = VideoLedger::default();
        assert_eq!((ledger.base(), ledger.ends_at(0), ledger.ends_at(1)), (0, false, false));
        for (seq, key, base) in [(3, true, 0), (4, false, 3), (9, false, 4), (12, true, 9)] {
            assert_eq!(ledger.base(), base, "frame {seq}");
            ledger.sent(seq, key);
        }
        // What failed of the run before is made good by the key frame.
        let ends = |seq| ledger.ends_at(seq);
        assert_eq!([4, 9, 11, 12, 13].map(ends), [false, false, false, true, false]);
    }
}
