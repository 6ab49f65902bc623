//! Numbers for people and for programs.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use lightbox_codec::pixel::ImageRef;
use lightbox_server::encode::Used;
use serde_json::{Map, Value, json};

/// Durations, for their percentiles.
#[derive(Clone, Debug, Default)]
pub struct Latencies {
    micros: Vec<u32>,
}

impl Latencies {
    /// One more.
    pub fn add(&mut self, latency: Duration) {
        self.micros.push(latency.as_micros().min(u128::from(u32::MAX)) as u32);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.micros.len()
    }

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.micros.is_empty()
    }

    /// The `p`-th percentile in milliseconds, 0 to 100; `None` without any.
    pub fn percentile(&self, p: f64) -> Option<f64> {
        let mut sorted = self.micros.clone();
        sorted.sort_unstable();
        let last = sorted.len().checked_sub(1)?;
        let place = (p / 100.0 * last as f64).round() as usize;
        sorted.get(place.min(last)).map(|us| f64::from(*us) / 1e3)
    }

    /// `{p50, p95, p99}` in milliseconds.
    pub fn json(&self) -> Value {
        let p = |p| self.percentile(p).map(round3);
        json!({ "p50": p(50.0), "p95": p(95.0), "p99": p(99.0) })
    }

    /// `p50 / p95 / p99 ms`, for a table.
    pub fn text(&self) -> String {
        let p = |p| self.percentile(p).map_or("-".into(), |ms| format!("{ms:.2}"));
        format!("{} / {} / {} ms", p(50.0), p(95.0), p(99.0))
    }
}

/// Rounded to three digits after the point, as JSON shows it.
pub fn round3(x: f64) -> f64 {
    (x * 1e3).round() / 1e3
}

/// What a client painted, by technique, as an object.
pub fn techniques_json(used: &BTreeMap<&'static str, (u64, u64)>) -> Value {
    let fields = used
        .iter()
        .map(|(name, (pixels, bytes))| (name.to_string(), json!({ "pixels": pixels, "bytes": bytes })));
    Value::Object(fields.collect::<Map<_, _>>())
}

/// What a server sent, by technique, as an object.
pub fn used_json(used: &BTreeMap<&'static str, Used>) -> Value {
    let fields = used.iter().map(|(name, Used { rects, pixels, bytes })| {
        (name.to_string(), json!({ "rects": rects, "pixels": pixels, "bytes": bytes }))
    });
    Value::Object(fields.collect())
}

/// A size for people.
pub fn bytes_text(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} B"),
        10_000..10_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

/// Rows of a name and a value, aligned.
pub fn table(rows: &[(&str, String)]) -> String {
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut out = String::new();
    for (name, value) in rows {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "  {name:width$}  {value}");
    }
    out
}

/// True if `seen` has the samples of `source`, the byte that carries nothing apart.
pub fn same(seen: ImageRef<'_>, source: ImageRef<'_>) -> bool {
    let pixels = |row| <[u8]>::as_chunks::<4>(row).0;
    seen.size() == source.size()
        && seen.format() == source.format()
        && seen
            .rows()
            .zip(source.rows())
            .all(|(a, b)| a.len() % 4 == 0 && pixels(a).iter().zip(pixels(b)).all(|(a, b)| a[..3] == b[..3]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let mut all = Latencies::default();
        assert_eq!(all.percentile(50.0), None);
        for ms in 1..=100 {
            all.add(Duration::from_millis(ms));
        }
        assert_eq!(all.percentile(0.0), Some(1.0));
        assert_eq!(all.percentile(95.0), Some(95.0));
        assert_eq!(all.percentile(100.0), Some(100.0));
    }
}
