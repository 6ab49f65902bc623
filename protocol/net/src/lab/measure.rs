//! From what arrived when to the numbers people compare.

/// Order statistics of some values, in the values' own unit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Percentiles {
    /// How many values there were; the rest is 0 if none.
    pub count: usize,
    /// The median.
    pub p50: f64,
    /// 95 of 100 are not above it.
    pub p95: f64,
    /// 99 of 100 are not above it.
    pub p99: f64,
    /// The largest.
    pub max: f64,
}

impl Percentiles {
    /// Of microseconds, as milliseconds.
    pub(super) fn of_us(mut values: Vec<u64>) -> Self {
        values.sort_unstable();
        let at = |share: f64| {
            let last = values.len().saturating_sub(1);
            values.get((last as f64 * share).round() as usize).map_or(0.0, |&us| us as f64 / 1000.0)
        };
        Self { count: values.len(), p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1.0) }
    }
}

/// A frame that arrived whole.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shown {
    pub(super) made_us: u64,
    pub(super) arrived_us: u64,
    pub(super) bytes: usize,
}

/// How old the newest shown picture is, looked at each 5 ms from `from` to `to`: it punishes a frame that never
/// comes as much as one that comes late. `shown` is in order of arrival. Each sample with its time.
pub(super) fn ages(shown: &[Shown], from: u64, to: u64) -> Vec<(u64, u64)> {
    let mut coming = shown.iter().peekable();
    let mut newest = 0;
    (from..to)
        .step_by(5_000)
        .map(|at| {
            while let Some(frame) = coming.next_if(|frame| frame.arrived_us <= at) {
                newest = newest.max(frame.made_us);
            }
            (at, at - newest)
        })
        .collect()
}

/// The least time on the way of the packets that left in `from..to`: the path itself.
pub(super) fn least(delays: &[(u64, u64)], from: u64, to: u64) -> u64 {
    window(delays, from, to).map(|&(_, took)| took).min().unwrap_or(0)
}

/// What the queue (and jitter) added to the times on the way of the packets that left in `from..to`.
pub(super) fn queueing(delays: &[(u64, u64)], from: u64, to: u64, least: u64) -> Vec<u64> {
    window(delays, from, to).map(|&(_, took)| took.saturating_sub(least)).collect()
}

/// When things were as before again after the path became longer by `step_us` (there and back) at `at`: the first
/// half second whose age, queue and throughput are the old ones, but for what the longer path must add. Returns
/// how long after `at` it begins, microseconds; `None` if it did not come.
pub(super) fn recovery(
    shown: &[Shown],
    delays: &[(u64, u64)],
    at: u64,
    step_us: u64,
    end: u64,
) -> Option<u64> {
    let before = Look::at(shown, delays, at.saturating_sub(BEFORE), at, least(delays, 0, at));
    let path = least(delays, at, end);
    // Half of it for every frame, all of it again for one that lost a packet.
    let longer = 1.5 * step_us as f64 / 1000.0;
    let back = |from: &u64| {
        let now = Look::at(shown, delays, *from, from + WINDOW, path);
        now.age <= before.age + longer + 10.0
            && now.queue <= before.queue.max(20.0) + 5.0
            && now.rate >= 0.8 * before.rate
    };
    (at..end.saturating_sub(WINDOW)).step_by(20_000).find(back).map(|from| from - at)
}

/// A stretch of time: age p95 and queue p95 in milliseconds, frames' bytes per second.
struct Look {
    age: f64,
    queue: f64,
    rate: f64,
}

impl Look {
    fn at(shown: &[Shown], delays: &[(u64, u64)], from: u64, to: u64, least: u64) -> Self {
        let ages = ages(shown, from, to).into_iter().map(|(_, age)| age).collect();
        let bytes: usize = shown
            .iter()
            .filter(|frame| (from..to).contains(&frame.arrived_us))
            .map(|frame| frame.bytes)
            .sum();
        Self {
            age: Percentiles::of_us(ages).p95,
            queue: Percentiles::of_us(queueing(delays, from, to, least)).p95,
            rate: bytes as f64 * 1e6 / (to - from).max(1) as f64,
        }
    }
}

fn window(delays: &[(u64, u64)], from: u64, to: u64) -> impl Iterator<Item = &(u64, u64)> {
    // Departures are in order.
    let start = delays.partition_point(|&(left, _)| left < from);
    let end = delays.partition_point(|&(left, _)| left < to);
    delays[start..end].iter()
}

const BEFORE: u64 = 5_000_000;
const WINDOW: u64 = 500_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_values_in_order() {
        let it = Percentiles::of_us((1..=101).rev().map(|ms| ms * 1000).collect());
        assert_eq!(it, Percentiles { count: 101, p50: 51.0, p95: 96.0, p99: 100.0, max: 101.0 });
        assert_eq!(Percentiles::of_us(Vec::new()), Percentiles::default());
    }

    #[test]
    fn age_grows_until_a_newer_frame_is_there() {
        let frame = |made_us, arrived_us| Shown { made_us, arrived_us, bytes: 1 };
        // The second comes after the third and is no news any more.
        let shown = [frame(1_000, 10_000), frame(9_000, 20_000), frame(5_000, 25_000)];
        let ages: Vec<u64> = ages(&shown, 10_000, 35_000).into_iter().map(|(_, age)| age).collect();
        assert_eq!(ages, [9_000, 14_000, 11_000, 16_000, 21_000]);
    }
}
