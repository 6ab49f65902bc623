//! From words to samples: prediction and entropy decoder walk together, a step of sixteen lanes at a time.

use crate::lossless::wave::model::{CONTEXTS, MED, TOKENS, context, linear, med, raw_bits, unfold, weights};
use crate::lossless::wave::tables::{SCALE_BITS, SLOTS, WIDE_SLOT};
use crate::lossless::wave::{BLOCK, LAG, LANES, Unit};

/// A unit to be decoded.
pub(in crate::lossless) struct Decoding<'a> {
    pub(in crate::lossless) unit: Unit,
    /// Significant bits of a sample.
    pub(in crate::lossless) bits: u32,
    /// The plane from the row two above the unit, margins included.
    pub(in crate::lossless) samples: &'a mut [u16],
    /// From a row of `samples` to the next; sample 0 of a row is number 2 of it.
    pub(in crate::lossless) stride: usize,
    /// Residuals of lane 15's last row, `unit.pitch + 1` of them, kept from unit to unit of a plane.
    pub(in crate::lossless) line: &'a mut [u16],
    /// The predictor of each block.
    pub(in crate::lossless) predictors: &'a [u8],
    /// Sums of the residuals of earlier planes, step by step; this plane's are added, of idle lanes 0.
    pub(in crate::lossless) guide: Option<&'a mut [[u16; LANES]]>,
    /// Tables of 2^[`SCALE_BITS`] slots, in the form of [`DECODE`](crate::lossless::wave::tables::DECODE).
    pub(in crate::lossless) table: &'a [u32; SLOTS],
    /// Where in `table` that of each context begins, a multiple of 2^[`SCALE_BITS`].
    pub(in crate::lossless) starts: &'a [u32; CONTEXTS],
    pub(in crate::lossless) states: &'a mut [u32; LANES],
    pub(in crate::lossless) source: &'a mut Source,
}

impl Decoding<'_> {
    /// Where a row of the unit begins in `samples`.
    pub(in crate::lossless) fn start(&self, row: usize) -> usize {
        (row + 2) * self.stride + 2
    }
}

/// The words of a segment.
#[derive(Default)]
pub(in crate::lossless) struct Source {
    /// The words, then room that a step may read past the end.
    words: alloc::vec::Vec<u16>,
    /// The next word. INVARIANT: a step begins with at <= words.len() - ROOM.
    at: usize,
    overrun: bool,
}

impl Source {
    /// Words a step takes at most.
    pub(in crate::lossless) const ROOM: usize = 2 * LANES;

    /// Takes over little-endian words.
    pub(in crate::lossless) fn load(&mut self, bytes: &[u8]) {
        let (pairs, _) = bytes.as_chunks::<2>();
        self.words.clear();
        self.words.extend(pairs.iter().map(|pair| u16::from_le_bytes(*pair)));
        self.words.resize(pairs.len() + Self::ROOM, 0);
        (self.at, self.overrun) = (0, false);
    }

    /// True if exactly the words there were have been taken.
    pub(in crate::lossless) fn is_used_up(&self) -> bool {
        !self.overrun && self.at + Self::ROOM == self.words.len()
    }

    /// The words that a step may take.
    #[inline(always)]
    pub(in crate::lossless) fn window(&self) -> &[u16; Self::ROOM] {
        // The invariant makes this a slice of ROOM words; the fallback keeps the loop free of panics.
        self.words[self.at..].first_chunk().unwrap_or(&[0; Self::ROOM])
    }

    /// Goes on by what a step took; a bad stream stays at its end.
    #[inline(always)]
    pub(in crate::lossless) fn advance(&mut self, taken: usize) {
        let end = self.words.len() - Self::ROOM;
        self.at += taken;
        if self.at > end {
            self.at = end;
            self.overrun = true;
        }
    }
}

/// A number for each lane.
type Lanes = [i32; LANES];

/// `yes` in the lanes where the mask is -1, `no` where it is 0.
#[inline(always)]
fn select(mask: &Lanes, yes: &Lanes, no: &Lanes) -> Lanes {
    let mut out = [0; LANES];
    for i in 0..LANES {
        out[i] = (mask[i] & yes[i]) | (!mask[i] & no[i]);
    }
    out
}

/// Every lane gets what the lane above had, lane 0 gets `first`.
#[inline(always)]
fn down(lanes: &Lanes, first: i32) -> Lanes {
    let mut out = [first; LANES];
    out[1..].copy_from_slice(&lanes[..LANES - 1]);
    out
}

/// What lies around the sixteen lanes, as samples or as residuals.
struct Around {
    w: Lanes,
    ww: Lanes,
    /// NE of the last step, which is N of this one; then NW, and what becomes NN a lane further down.
    n: Lanes,
    nw: Lanes,
    older: Lanes,
}

/// The neighbours under the border rules.
struct Taps {
    w: Lanes,
    n: Lanes,
    nw: Lanes,
    ne: Lanes,
    ww: Lanes,
    nn: Lanes,
}

impl Around {
    #[inline(always)]
    fn new(above: i32) -> Self {
        let mut n = [0; LANES];
        n[0] = above;
        Self { w: [0; LANES], ww: [0; LANES], n, nw: [0; LANES], older: [0; LANES] }
    }

    /// The taps; `ne` is NE before the border rule. `nn0` is what lane 0 has no lane above for.
    #[inline(always)]
    fn taps(&self, ne: &Lanes, nn0: i32, at: &Position) -> Taps {
        Taps {
            w: select(&at.first, &self.n, &self.w),
            n: self.n,
            nw: select(&at.first, &self.n, &self.nw),
            ne: select(&at.last, &self.n, ne),
            ww: select(&at.first, &self.n, &self.ww),
            nn: down(&self.older, nn0),
        }
    }

    /// Goes on to the next step: `own` are this step's values, `taps.w` what was W, `ne` what will be N.
    #[inline(always)]
    fn shift(&mut self, own: Lanes, taps: &Taps, ne: Lanes) {
        self.ww = taps.w;
        self.w = own;
        self.older = self.nw;
        self.nw = self.n;
        self.n = ne;
    }
}

/// Where the lanes stand; masks are -1 for yes.
struct Position {
    column: Lanes,
    row: Lanes,
    /// On column 0.
    first: Lanes,
    /// On the last column.
    last: Lanes,
    /// Inside the unit.
    active: Lanes,
}

impl Position {
    #[inline(always)]
    fn new() -> Self {
        let (mut column, mut row) = ([0; LANES], [0; LANES]);
        for i in 0..LANES {
            column[i] = -((LAG * i) as i32);
            row[i] = i as i32;
        }
        Self { column, row, first: [0; LANES], last: [0; LANES], active: [0; LANES] }
    }

    /// Brings the masks up to date.
    #[inline(always)]
    fn look(&mut self, w: i32, rows: i32) {
        for i in 0..LANES {
            let column = self.column[i];
            self.first[i] = -i32::from(column == 0);
            self.last[i] = -i32::from(column == w - 1);
            self.active[i] = -i32::from((column as u32) < w as u32) & -i32::from(self.row[i] < rows);
        }
    }

    #[inline(always)]
    fn step(&mut self, pitch: i32) {
        for i in 0..LANES {
            let next = self.column[i] + 1;
            let wraps = -i32::from(next == pitch);
            self.column[i] = next & !wraps;
            self.row[i] += LANES as i32 & wraps;
        }
    }
}

/// What lane 0 reads of the rows above the unit's bands.
#[derive(Clone, Copy)]
struct Above {
    /// Where in the samples the row of lane 0 begins, and which column it reads.
    row: usize,
    column: usize,
}

#[inline(always)]
pub(in crate::lossless) fn decode(job: &mut Decoding<'_>) {
    let Unit { rows, w, pitch, steps, .. } = job.unit;
    let max = (1i32 << job.bits) - 1;
    let stride = job.stride;
    // Row `r` of the unit begins here; its N is `stride` before, its NN twice that.
    let start = |row: usize| (row + 2) * stride + 2;
    let mut samples = Around::new(i32::from(job.samples[start(0) - stride]));
    let mut residuals = Around::new(i32::from(job.line[0]));
    let mut at = Position::new();
    // Lane 0 takes NN of this column and NE, which is N of the next, from the plane.
    let (mut here, mut next) = (Above { row: 0, column: 0 }, Above { row: 0, column: 1 % pitch });
    for (block, &id) in job.predictors[..steps / BLOCK].iter().enumerate() {
        let c = weights(id);
        for step in block * BLOCK..(block + 1) * BLOCK {
            at.look(w as i32, rows as i32);
            // Past the last row and column there is nothing to read, and nothing is decoded.
            let read = |above: &Above, up: usize| {
                let inside = above.row < rows && above.column < w;
                let at = if inside { start(above.row) - up * stride + above.column } else { 0 };
                i32::from(job.samples[at])
            };
            let (ne0, nn0) = (read(&next, 1), read(&here, 2));
            let ne = down(&samples.w, ne0);
            let taps = samples.taps(&ne, nn0, &at);
            let z_ne = down(&residuals.w, i32::from(job.line[next.column]));
            let z_taps = residuals.taps(&z_ne, residuals.n[0], &at);

            let guide = job.guide.as_ref().map_or([0; LANES], |guide| guide[step].map(i32::from));
            let z = take_residuals(job, &contexts(&z_taps, &guide), &at.active);
            if let Some(guide) = &mut job.guide {
                for (sum, z) in guide[step].iter_mut().zip(z) {
                    *sum = sum.saturating_add(z as u16);
                }
            }

            let prediction = predict(id, &c, &taps, max);
            let mut own = [0; LANES];
            for i in 0..LANES {
                own[i] = unfold(z[i] as u32, prediction[i], max);
            }
            let own = select(&at.active, &own, &samples.w);
            for i in 0..LANES {
                if at.active[i] != 0 {
                    job.samples[start(at.row[i] as usize) + at.column[i] as usize] = own[i] as u16;
                }
            }
            if at.active[LANES - 1] != 0 {
                job.line[at.column[LANES - 1] as usize] = z[LANES - 1] as u16;
            }
            samples.shift(own, &taps, ne);
            residuals.shift(z, &z_taps, z_ne);
            at.step(pitch as i32);
            here = next;
            next.column += 1;
            if next.column == pitch {
                next = Above { row: next.row + LANES, column: 0 };
            }
        }
    }
}

#[inline(always)]
fn contexts(z: &Taps, guide: &Lanes) -> Lanes {
    let mut out = [0; LANES];
    for i in 0..LANES {
        let z = [z.w[i], z.n[i], z.nw[i], z.ne[i], z.ww[i], z.nn[i]].map(|z| z as u32);
        out[i] = context(z, guide[i] as u32) as i32;
    }
    out
}

#[inline(always)]
fn predict(id: u8, c: &[i32; 6], taps: &Taps, max: i32) -> Lanes {
    let mut out = [0; LANES];
    if id == MED {
        for i in 0..LANES {
            out[i] = med(taps.w[i], taps.n[i], taps.nw[i]);
        }
    } else {
        for i in 0..LANES {
            let around = [taps.w[i], taps.n[i], taps.nw[i], taps.ne[i], taps.ww[i], taps.nn[i]];
            out[i] = linear(c, around, max);
        }
    }
    out
}

/// One residual for each active lane, 0 for the others.
#[inline(always)]
fn take_residuals(job: &mut Decoding<'_>, contexts: &Lanes, active: &Lanes) -> Lanes {
    let (states, words) = (&mut *job.states, job.source.window());
    let mut taken = 0;
    let mut z = [0; LANES];
    let mut wide = 0u32;
    for i in 0..LANES {
        // An idle lane goes through the motions, and keeps its state.
        let x = states[i];
        let start = job.starts[contexts[i] as usize % CONTEXTS];
        let entry = job.table[(start | x & ((1 << SCALE_BITS) - 1)) as usize % SLOTS];
        let (offset, frequency) = (entry & 0x3ff, entry >> 10 & 0x3ff);
        let (base, bits) = (entry >> 20 & 0xff, entry >> 29);
        let mask = active[i] as u32;
        let next = frequency * (x >> SCALE_BITS) + offset;
        z[i] = ((base + (next & ((1 << bits) - 1))) & mask) as i32;
        let next = next >> bits;
        let low = next < 1 << 16;
        let more = next << 16 | u32::from(words[taken % Source::ROOM]);
        taken += usize::from(low) & mask as usize;
        states[i] = if mask == 0 {
            x
        } else if low {
            more
        } else {
            next
        };
        wide |= (u32::from(entry & WIDE_SLOT != 0) & mask) << i;
    }
    if wide != 0 {
        let mut large = z.map(|z| z as u16);
        take_wide(states, &mut large, wide, words, &mut taken);
        z = large.map(i32::from);
    }
    job.source.advance(taken);
    z
}

/// The second round: the raw bits of large residuals, in the lanes of `wide`.
#[cold]
pub(in crate::lossless) fn take_wide(
    states: &mut [u32; LANES],
    z: &mut [u16; LANES],
    mut wide: u32,
    words: &[u16; Source::ROOM],
    taken: &mut usize,
) {
    while wide != 0 {
        let i = wide.trailing_zeros() as usize % LANES;
        wide &= wide - 1;
        // Until now z is the token.
        let (bits, base) = raw_bits(u32::from(z[i]) % TOKENS as u32);
        z[i] = (base + (states[i] & ((1 << bits) - 1))) as u16;
        states[i] >>= bits;
        if states[i] < 1 << 16 {
            states[i] = states[i] << 16 | u32::from(words[*taken % Source::ROOM]);
            *taken += 1;
        }
    }
}
