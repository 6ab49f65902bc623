//! Bytes and CPU time of coders on the parts of one picture.

use lightbox_cli::usage::own_cpu_seconds;

use crate::peers::{Coder, Error, Part};

/// What one coder took for all parts of a picture.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// Coded bytes.
    pub bytes: usize,
    /// CPU seconds of the best pass over all parts, encoding.
    pub encode: f64,
    /// The same, decoding.
    pub decode: f64,
}

/// Measures every coder that takes these parts; the others give nothing. First each proves that it is exact, or gives
/// its complaint. Then `rounds` go through all coders in turn, so that what disturbs the machine for a while disturbs
/// them alike; the best pass counts. In a round a quick coder makes several passes, because its first finds the caches
/// and the branch predictor full of others' work. One whose first pass took over [`SLOW`] makes one round only.
pub fn measure(
    parts: &[Part],
    coders: &mut [Box<dyn Coder>],
    rounds: u32,
) -> Vec<Option<Result<Cost, Error>>> {
    let mut runs: Vec<_> = coders
        .iter_mut()
        .map(|coder| parts.iter().all(|part| coder.takes(part)).then(|| Run::prove(parts, coder.as_mut())))
        .collect();
    for round in 0..rounds {
        for (coder, run) in coders.iter_mut().zip(&mut runs) {
            if let Some(Ok(run)) = run
                && (round == 0 || run.cost.encode + run.cost.decode < SLOW)
            {
                run.round(coder.as_mut());
            }
        }
    }
    runs.into_iter().map(|run| run.map(|run| run.map(|run| run.cost))).collect()
}

/// CPU seconds, encoding and decoding, after which once is enough.
const SLOW: f64 = 1.0;

/// CPU seconds of passes in a round: several of a coder that needs a fraction of it.
const ROUND: f64 = 0.02;

/// The most passes in a round.
const PASSES: u32 = 5;

struct Run<'a> {
    batches: Vec<&'a [Part]>,
    coded: Vec<Vec<u8>>,
    decoded: Vec<u8>,
    cost: Cost,
}

impl<'a> Run<'a> {
    /// Codes and decodes all parts once and compares every sample.
    fn prove(parts: &'a [Part], coder: &mut dyn Coder) -> Result<Self, Error> {
        let of_one_width = parts.chunk_by(|a, b| a.size().w == b.size().w);
        let batches: Vec<&[Part]> = of_one_width.flat_map(|parts| parts.chunks(coder.batch())).collect();
        let (mut coded, mut decoded) = (vec![Vec::new(); batches.len()], Vec::new());
        for (batch, coded) in batches.iter().zip(&mut coded) {
            coder.encode_batch(batch, coded)?;
            coder.decode_batch(coded, batch, &mut decoded)?;
            let expected = batch.iter().flat_map(|part| coder.expected(part));
            if !expected.eq(&decoded) {
                return Err("the decoded picture differs".into());
            }
        }
        let bytes = coded.iter().map(Vec::len).sum();
        Ok(Self { batches, coded, decoded, cost: Cost { bytes, encode: f64::MAX, decode: f64::MAX } })
    }

    fn round(&mut self, coder: &mut dyn Coder) {
        let encode = best(|| {
            for (batch, coded) in self.batches.iter().zip(&mut self.coded) {
                coder.encode_batch(batch, coded).expect("it coded the same parts before");
            }
        });
        let decode = best(|| {
            for (batch, coded) in self.batches.iter().zip(&self.coded) {
                coder
                    .decode_batch(coded, batch, &mut self.decoded)
                    .expect("it decoded the same parts before");
            }
        });
        self.cost.encode = self.cost.encode.min(encode);
        self.cost.decode = self.cost.decode.min(decode);
    }
}

fn best(mut pass: impl FnMut()) -> f64 {
    let (mut best, mut spent) = (f64::MAX, 0.0);
    for _ in 0..PASSES {
        let start = own_cpu_seconds();
        pass();
        let took = own_cpu_seconds() - start;
        best = best.min(took);
        spent += took;
        if spent > ROUND {
            break;
        }
    }
    // A clock of coarse steps may see nothing of a small picture.
    best.max(1e-9)
}
