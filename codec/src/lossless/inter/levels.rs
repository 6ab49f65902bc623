//! The new level of each shown level, and how well it is known.

use alloc::vec::Vec;

use crate::lossless::DecodeError;
use crate::lossless::bytes::{Reader, put_number};
use crate::lossless::palette::NumberOdds;
use crate::lossless::wave::led::{CLASSES, LevelHints, energy_of};
use crate::lossless::wave::model::{fold, token};
use crate::lossless::wave::tables::cost;
use crate::range::{Coder, Odds, RangeReader, RangeWriter};

/// Levels of eight bits.
const LEVELS: usize = 256;
/// Tokens of residuals of eight bits.
const TOKENS: usize = 24;

/// How often each new level was seen in the place of each shown one.
pub(super) struct Seen {
    counts: Vec<u32>,
}

impl Seen {
    pub(super) fn new() -> Self {
        Self { counts: Vec::new() }
    }

    pub(super) fn clear(&mut self) {
        self.counts.clear();
        self.counts.resize(LEVELS * LEVELS, 0);
    }

    /// Counts the samples of a row over what is shown.
    pub(super) fn count(&mut self, shown: &[u16], samples: &[u16]) {
        for (&shown, &sample) in shown.iter().zip(samples) {
            self.counts[(usize::from(shown) % LEVELS) * LEVELS + usize::from(sample) % LEVELS] += 1;
        }
    }
}

/// A lead and a class for each shown level.
pub(super) struct Levels {
    leads: [u8; LEVELS],
    /// Below [`CLASSES`].
    classes: [u8; LEVELS],
}

impl Levels {
    pub(super) const NONE: Levels = Levels { leads: [0; LEVELS], classes: [0; LEVELS] };

    /// The commonest new levels; a shown level that was not seen goes as far up as the one before. No classes yet.
    pub(super) fn leads_of(seen: &Seen) -> Self {
        let mut levels = Self::NONE;
        let (mut last, mut step) = (0u8, 0u8);
        for (counts, lead) in seen.counts.chunks_exact(LEVELS).zip(&mut levels.leads) {
            let (commonest, &count) =
                counts.iter().enumerate().max_by_key(|(_, count)| **count).unwrap_or((0, &0));
            *lead = if count > 0 { commonest as u8 } else { last.wrapping_add(step) };
            (step, last) = (lead.wrapping_sub(last), *lead);
        }
        levels
    }

    pub(super) fn lead(&self, shown: u16) -> u16 {
        self.leads[usize::from(shown) % LEVELS].into()
    }

    /// Puts levels whose residuals are spread alike into one class.
    pub(super) fn classify(&mut self, seen: &Seen) {
        let mut tokens = [[0u32; TOKENS]; LEVELS];
        for (level, counts) in seen.counts.chunks_exact(LEVELS).enumerate() {
            for (new, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
                let k = token(fold(new as u16, self.leads[level].into(), 8).into());
                tokens[level][k as usize % TOKENS] += count;
            }
        }
        self.start_classes(&tokens);
        for _ in 0..ROUNDS {
            let costs = self.class_costs(&tokens);
            let mut class = 0;
            for (own, tokens) in self.classes.iter_mut().zip(&tokens) {
                let cost_in = |class: usize| {
                    tokens.iter().zip(&costs[class]).map(|(&n, &c)| u64::from(n) * u64::from(c)).sum::<u64>()
                };
                if tokens.iter().any(|&count| count > 0) {
                    class = (0..CLASSES).min_by_key(|&class| cost_in(class)).unwrap_or(0) as u8;
                }
                *own = class;
            }
        }
    }

    /// Classes of as many samples each, from the best known levels on.
    fn start_classes(&mut self, tokens: &[[u32; TOKENS]; LEVELS]) {
        let sum = |level: usize| tokens[level].iter().map(|&n| u64::from(n)).sum::<u64>();
        let mut order: [u8; LEVELS] = core::array::from_fn(|level| level as u8);
        let known = |&level: &u8| {
            let level = usize::from(level);
            core::cmp::Reverse(u64::from(tokens[level][0]) * 4096 / sum(level).max(1))
        };
        order.sort_by_key(known);
        let all: u64 = (0..LEVELS).map(sum).sum();
        let mut before = 0;
        for level in order.map(usize::from) {
            self.classes[level] = (before * CLASSES as u64 / all.max(1)).min(CLASSES as u64 - 1) as u8;
            before += sum(level);
        }
    }

    /// What each token costs in each class.
    fn class_costs(&self, tokens: &[[u32; TOKENS]; LEVELS]) -> [[u16; TOKENS]; CLASSES] {
        let mut sums = [[0u64; TOKENS]; CLASSES];
        for (&class, tokens) in self.classes.iter().zip(tokens) {
            let sums = &mut sums[usize::from(class) % CLASSES];
            sums.iter_mut().zip(tokens).for_each(|(sum, &count)| *sum += u64::from(count));
        }
        sums.map(|sums| {
            let all = sums.iter().sum::<u64>().max(1);
            sums.map(|sum| cost((sum * 1023 / all).max(1) as u16))
        })
    }

    /// What the wave coder is led by.
    pub(super) fn hints(&self) -> LevelHints {
        core::array::from_fn(|level| {
            (self.leads[level].into(), energy_of(2 + usize::from(self.classes[level]) % CLASSES))
        })
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let mut bytes = Vec::new();
        let mut writer = RangeWriter::new(&mut bytes);
        let mut copy = Self { ..*self };
        copy.code(&mut writer);
        writer.finish();
        put_number(out, bytes.len());
        out.extend_from_slice(&bytes);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let len = reader.number()?;
        let mut range = RangeReader::new(reader.take(len)?);
        let mut levels = Self::NONE;
        levels.code(&mut range);
        if range.is_spent() || range.unread() > 0 {
            return Err(DecodeError::Corrupt("table of levels"));
        }
        Ok(levels)
    }

    /// Codes all levels, each lead by how its step differs from the last.
    fn code(&mut self, coder: &mut impl Coder) {
        let mut turns = [const { NumberOdds::new() }; 3];
        let mut trees = [[Odds::new(128, 0); CLASSES]; CLASSES];
        let (mut last, mut step, mut turned, mut class) = (0u8, 0u8, 0, 0usize);
        for (lead, own) in self.leads.iter_mut().zip(&mut self.classes) {
            let turn = lead.wrapping_sub(last).wrapping_sub(step) as i8;
            let folded = turns[turned].code(coder, u32::from((turn << 1 ^ turn >> 7) as u8)) as u8;
            turned = usize::from(folded.min(2));
            step = step.wrapping_add((folded >> 1) ^ (folded & 1).wrapping_neg());
            last = last.wrapping_add(step);
            *lead = last;
            let mut node = 1;
            for bit in (0..CLASSES.ilog2()).rev() {
                let yes = coder.decide(&mut trees[class][node], *own >> bit & 1 == 1);
                node = 2 * node + usize::from(yes);
            }
            class = node - CLASSES;
            *own = class as u8;
        }
    }
}

/// How often levels move to the class that fits them best.
const ROUNDS: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_come_back() {
        let mut seen = Seen::new();
        seen.clear();
        for shown in 40..200u16 {
            let new = shown * 3 / 2 % 256;
            seen.count(&[shown; 5], &[new, new, new + shown % 3, new, new]);
        }
        let mut levels = Levels::leads_of(&seen);
        levels.classify(&seen);
        assert_eq!(levels.lead(100), 150);
        let mut bytes = Vec::new();
        levels.write(&mut bytes);
        let back = Levels::read(&mut Reader::new(&bytes)).unwrap();
        assert!(back.leads == levels.leads && back.classes == levels.classes);
        assert!(bytes.len() < 200, "{}", bytes.len());
    }
}
