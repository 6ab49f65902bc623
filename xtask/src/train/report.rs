//! What the images cost with the coder as it is built.

use std::collections::BTreeMap;

use lightbox_codec::lossless::Encoder;

use super::corpus::Corpus;
use crate::error::Result;

/// Prints the density of every image, and geometric means of each class, trained on and kept out.
pub(super) fn print(corpus: &Corpus) -> Result<()> {
    let mut sums: BTreeMap<(&str, bool), (f64, usize)> = BTreeMap::new();
    let mut coded = Vec::new();
    for entry in &corpus.images {
        let image = entry.read()?;
        coded.clear();
        Encoder::new().encode(image.image(), &mut coded);
        let ratio = image.raw_len() as f64 / coded.len() as f64;
        let part = if entry.kept_out { "kept out" } else { "trained" };
        println!("{ratio:9.3} {:>9} B  {part:8}  {}/{}", coded.len(), entry.class, entry.name);
        let sum = sums.entry((&entry.class, entry.kept_out)).or_default();
        *sum = (sum.0 + ratio.ln(), sum.1 + 1);
    }
    for ((class, kept_out), (logs, count)) in sums {
        let part = if kept_out { "kept out" } else { "trained" };
        println!("{:9.3} geometric mean of {count:3} {part:8} {class}", (logs / count as f64).exp());
    }
    Ok(())
}
