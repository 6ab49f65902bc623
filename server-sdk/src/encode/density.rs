//! How many bytes a pixel takes, and so how many pixels fit.

use super::boxes::How;

/// Pixels compared and coded in one go while little is known of how well they code.
const MIN_BATCH: u64 = 16 * 64 * 64;
/// And at most.
pub(crate) const MAX_BATCH: u64 = 1 << 20;

/// What was cheap lately need not be now: a batch is no larger than it may be at this density. If it was cheap again,
/// another follows in the same frame.
const TRUST: f64 = 0.25;

/// Coded bytes a pixel, lately.
#[derive(Debug)]
pub(crate) struct Density {
    /// Of the samples, whether they were sent or not; `None` until some were coded.
    exact: Option<f64>,
    /// Of what was sent: exactly, as a first pass, as high bits, as low bits.
    sent: [f64; 4],
}

impl Default for Density {
    fn default() -> Self {
        Self { exact: None, sent: [1.0, 0.1, 0.7, 0.3] }
    }
}

impl Density {
    /// Bytes that a pixel takes exactly; `None` while nothing is known of it.
    pub(crate) fn exact(&self) -> Option<f64> {
        self.exact
    }

    /// How many pixels to code next like this, with room for about `left` bytes; `None` where that is too little to
    /// begin with, unless the frame is empty.
    pub(crate) fn batch(&self, how: How, left: f64, is_empty: bool) -> Option<u64> {
        let density = self.sent[place(how)];
        let is_worth_it = left >= density * MIN_BATCH as f64 / 4.0;
        let area = (left / density.max(TRUST)) as u64;
        (is_empty || is_worth_it).then(|| area.clamp(MIN_BATCH, MAX_BATCH))
    }

    /// `area` pixels became `bytes` bytes; exactly they would have been `exact`, where that is known.
    pub(crate) fn learn(&mut self, how: How, area: u64, bytes: usize, exact: Option<usize>) {
        let area = area.max(1) as f64;
        // Rects count by their size: a batch is half of what is known.
        let weight = 0.5 * (area / MIN_BATCH as f64).min(1.0);
        let mix = |old: f64, bytes: usize| old + (bytes as f64 / area - old) * weight;
        let sent = &mut self.sent[place(how)];
        *sent = mix(*sent, bytes);
        if let Some(exact) = exact {
            self.exact = Some(self.exact.map_or(exact as f64 / area, |old| mix(old, exact)));
        }
    }
}

fn place(how: How) -> usize {
    match how {
        How::Exact | How::Plain => 0,
        How::First => 1,
        How::High => 2,
        How::Low => 3,
    }
}
