use std::time::Duration;

use lightbox_protocol::Time;

use crate::rng::Rng;

/// Windows of time that come back: the n-th one, counted from 1, opens at `first + (n - 1) * every`.
///
/// What a window is like follows from its number alone, so both directions of a path agree on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// When the first window opens, after virtual time 0.
    pub first: Duration,
    /// From one opening to the next; zero means that the first window is the only one.
    pub every: Duration,
    /// How long a window stays open; shorter than `every`.
    pub lasts: Lasts,
}

/// How long the windows of a [`Schedule`] stay open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasts {
    /// All equally long.
    Always(Duration),
    /// Mostly `usual`, but every `nth` one `then`.
    Nth {
        /// The length of most windows.
        usual: Duration,
        /// Which windows differ: those whose number is a multiple of it.
        nth: u64,
        /// The length of these.
        then: Duration,
    },
    /// Each between two lengths, drawn by the window's number.
    Between(Duration, Duration),
}

/// One opening of a [`Schedule`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its number, from 1.
    pub number: u64,
    /// When it opens.
    pub opens: Time,
    /// The first instant after it.
    pub closes: Time,
}

impl Schedule {
    /// One window only.
    pub const fn once(at: Duration, lasts: Duration) -> Self {
        Self { first: at, every: Duration::ZERO, lasts: Lasts::Always(lasts) }
    }

    /// The window that is open at `t`.
    pub fn open_at(&self, t: Time) -> Option<Window> {
        let since = t.0.checked_sub(micros(self.first))?;
        let number = since.checked_div(micros(self.every)).unwrap_or(0) + 1;
        Some(self.window(number)).filter(|w| t < w.closes)
    }

    /// All windows that open before `until`.
    pub fn before(&self, until: Time) -> impl Iterator<Item = Window> + use<'_> {
        let last = if self.every.is_zero() { 1 } else { u64::MAX };
        (1..=last).map(|n| self.window(n)).take_while(move |w| w.opens < until)
    }

    fn window(&self, number: u64) -> Window {
        let opens = Time(micros(self.every).saturating_mul(number - 1).saturating_add(micros(self.first)));
        let lasts = match self.lasts {
            Lasts::Always(lasts) => lasts,
            Lasts::Nth { nth, then, .. } if number.is_multiple_of(nth) => then,
            Lasts::Nth { usual, .. } => usual,
            Lasts::Between(from, to) => between(from, to, number),
        };
        Window { number, opens, closes: opens + lasts }
    }
}

/// A duration between two, drawn by `number`.
pub(super) fn between(from: Duration, to: Duration, number: u64) -> Duration {
    from + to.saturating_sub(from).mul_f64(Rng::new(number).unit())
}

fn micros(d: Duration) -> u64 {
    d.as_micros() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn windows_open_and_close_on_time() {
        let roam = Schedule {
            first: ms(30_000),
            every: ms(30_000),
            lasts: Lasts::Nth { usual: ms(50), nth: 5, then: ms(350) },
        };
        let closes = |at| roam.open_at(Time(at)).map(|w| (w.number, w.closes.0));
        assert_eq!(closes(29_999_999), None);
        assert_eq!(closes(30_000_000), Some((1, 30_050_000)));
        assert_eq!(closes(30_050_000), None);
        assert_eq!(closes(150_349_999), Some((5, 150_350_000)));
        assert_eq!(roam.before(Time(90_000_001)).map(|w| w.number).collect::<Vec<_>>(), [1, 2, 3]);

        let once = Schedule::once(ms(10), ms(5));
        assert_eq!(once.before(Time(u64::MAX)).count(), 1);
        assert!(once.open_at(Time(14_999)).is_some() && once.open_at(Time(15_000)).is_none());
    }

    #[test]
    fn drawn_lengths_belong_to_the_window() {
        let (from, to) = (ms(60), ms(300));
        let lengths: Vec<_> = (1..50).map(|n| between(from, to, n)).collect();
        assert!(lengths.iter().all(|l| (from..to).contains(l)));
        assert!(lengths.windows(2).any(|w| w[0] != w[1]));
        assert_eq!(between(from, to, 7), lengths[6]);
    }
}
