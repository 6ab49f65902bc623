//! The text form of vectors, in `protocol/vectors` and in SPEC.md.

/// One vector as it is written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Vector {
    pub(crate) name: String,
    pub(crate) means: String,
    /// What its bytes must cause or give, after `fails` or `gives`.
    pub(crate) outcome: Option<String>,
    pub(crate) bytes: Vec<u8>,
}

/// Reads the vectors of a file. Panics, naming the line, where it is none: a test must not skip what it cannot read.
pub(crate) fn read(text: &str) -> Vec<Vector> {
    let mut all: Vec<Vector> = Vec::new();
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        if word == "vector" {
            all.push(Vector { name: rest.into(), means: String::new(), outcome: None, bytes: Vec::new() });
            continue;
        }
        let Some(vector) = all.last_mut() else {
            assert!(line.is_empty(), "before the first vector: {line}");
            continue;
        };
        match word {
            "means" => vector.means = rest.into(),
            "fails" | "gives" => vector.outcome = Some(rest.into()),
            _ => vector.bytes.extend(line.split_whitespace().map(|byte| hex(byte, line))),
        }
    }
    all
}

/// The vectors that a document quotes: the code blocks that begin with the word `vector`.
pub(crate) fn quoted(document: &str) -> Vec<Vector> {
    let blocks = document.split("```").skip(1).step_by(2);
    let quotes = blocks.filter_map(|block| block.strip_prefix("text\n"));
    quotes.filter(|block| block.starts_with("vector ")).flat_map(read).collect()
}

/// `bytes` as they are written in vectors.
pub(crate) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}

fn hex(byte: &str, line: &str) -> u8 {
    assert!(byte.len() == 2, "{byte} is no byte in: {line}");
    u8::from_str_radix(byte, 16).unwrap_or_else(|_| panic!("{byte} is no byte in: {line}"))
}
