//! Results by coder and class, as Markdown.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::measure::Cost;
use crate::peers::YARDSTICK;
use crate::stills::Class;

/// Geometric means of one coder over the pictures of one class.
#[derive(Clone, Copy, Debug)]
pub struct Mean {
    /// Raw bytes (2 a deep sample, 3 a colour pixel) / coded bytes.
    pub ratio: f64,
    /// Megapixels encoded in a CPU second.
    pub encode: f64,
    /// Megapixels decoded in a CPU second.
    pub decode: f64,
}

/// What all coders took for all pictures.
#[derive(Default)]
pub struct Results {
    /// Names of coders in the order in which they first came.
    coders: Vec<String>,
    logarithms: BTreeMap<(usize, Class), Vec<[f64; 3]>>,
    /// Coder, picture, complaint.
    failures: Vec<[String; 3]>,
}

impl Results {
    /// Adds what `coder` took for a picture of so many pixels and raw bytes.
    pub fn add(&mut self, coder: &str, class: Class, pixels: u64, raw: usize, cost: Cost) {
        let index = self.coders.iter().position(|name| name == coder).unwrap_or_else(|| {
            self.coders.push(coder.into());
            self.coders.len() - 1
        });
        let million = pixels as f64 / 1e6;
        let values = [raw as f64 / cost.bytes as f64, million / cost.encode, million / cost.decode];
        self.logarithms.entry((index, class)).or_default().push(values.map(f64::ln));
    }

    /// Notes that `coder` was not exact, or refused.
    pub fn fail(&mut self, coder: &str, picture: &str, complaint: &str) {
        self.failures.push([coder.into(), picture.into(), complaint.into()]);
    }

    /// Names of coders in the order in which they first came.
    pub fn coders(&self) -> &[String] {
        &self.coders
    }

    /// The means of a coder in a class; nothing if it coded no picture of it.
    pub fn mean(&self, coder: &str, class: Class) -> Option<Mean> {
        let index = self.coders.iter().position(|name| name == coder)?;
        let pictures = self.logarithms.get(&(index, class))?;
        let mean = |i: usize| (pictures.iter().map(|p| p[i]).sum::<f64>() / pictures.len() as f64).exp();
        Some(Mean { ratio: mean(0), encode: mean(1), decode: mean(2) })
    }

    /// One row a coder, one column a class: ratio @ encode / decode in MPx/s; then who failed where.
    pub fn absolute(&self) -> String {
        let mut text = self
            .table(|mean, _| format!("{:.3} @ {} / {}", mean.ratio, speed(mean.encode), speed(mean.decode)));
        for [coder, picture, complaint] in &self.failures {
            let _ = writeln!(text, "\nFailed: {coder} on {picture}: {complaint}.");
        }
        text
    }

    /// The same against the yardstick: bytes in percent, encode and decode as factors.
    pub fn relative(&self) -> String {
        self.table(|mean, class| match self.mean(YARDSTICK, class) {
            Some(yard) => format!(
                "{:+.1} %, x{:.2} / x{:.2}",
                (yard.ratio / mean.ratio - 1.0) * 100.0,
                mean.encode / yard.encode,
                mean.decode / yard.decode
            ),
            None => String::from("-"),
        })
    }

    fn table(&self, cell: impl Fn(Mean, Class) -> String) -> String {
        let classes: Vec<Class> = Class::ALL.into_iter().filter(|class| self.pictures(*class) > 0).collect();
        let heads = classes.iter().map(|class| format!(" {} ({}) |", class.name(), self.pictures(*class)));
        let mut text =
            format!("| coder |{}\n|---|{}\n", heads.collect::<String>(), "---|".repeat(classes.len()));
        for coder in &self.coders {
            let cells = classes.iter().map(|class| {
                let mean = self.mean(coder, *class);
                format!(" {} |", mean.map_or(String::from("-"), |mean| cell(mean, *class)))
            });
            let _ = writeln!(text, "| {coder} |{}", cells.collect::<String>());
        }
        text
    }

    /// How many pictures of a class the coder with the most of them coded.
    fn pictures(&self, class: Class) -> usize {
        let of_class = self.logarithms.iter().filter(|((_, own), _)| *own == class);
        of_class.map(|(_, pictures)| pictures.len()).max().unwrap_or(0)
    }
}

/// MPx/s with two or three digits that mean something.
fn speed(mpx: f64) -> String {
    if mpx < 20.0 { format!("{mpx:.1}") } else { format!("{mpx:.0}") }
}
