//! Constants as Rust text.

use std::fmt::{Display, Write};
use std::path::Path;

use lightbox_codec::lossless::train::{Bank, Families, Presets};

use crate::error::{Result, write};

/// Writes `trained.rs`.
pub(super) fn save(bank: &Bank, families: &Families, presets: &Presets, out: &Path) -> Result<()> {
    let mut text = String::from(HEAD);
    let what = "Linear predictors 1..=15: weights of W, N, NW, NE, WW, NN in 1/256; each row sums to 256.";
    array(&mut text, what, "BANK", "i16", bank);
    let what = "Token frequencies of the families; each row sums to 1024, the escape (last) is never 0.";
    array(&mut text, what, "FAMILIES", "u16", families);
    array(&mut text, "Maps from context to family.", "PRESETS", "u8", presets);
    write(out, &text)
}

fn array<const W: usize>(text: &mut String, what: &str, name: &str, kind: &str, rows: &[[impl Display; W]]) {
    let mut put = |line: String| {
        text.push_str(&line);
        text.push('\n');
    };
    put(format!("\n/// {what}"));
    put("#[rustfmt::skip]".into());
    put(format!("pub(in crate::lossless) const {name}: [[{kind}; {W}]; {}] = [", rows.len()));
    for row in rows {
        let mut line = String::from("    [");
        for (i, number) in row.iter().enumerate() {
            let comma = if i > 0 { ", " } else { "" };
            // Writing to a string cannot fail.
            let _ = write!(line, "{comma}{number}");
        }
        put(line + "],");
    }
    put("];".into());
}

const HEAD: &str = "\
//! Constants trained on medical images; docs/optimization-notes.md, \"Training\", says on which and by what.
//!
//! They are part of the bitstream: whoever changes one makes another method id.
";
