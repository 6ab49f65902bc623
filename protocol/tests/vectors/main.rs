//! Code, vectors and SPEC.md say the same bytes.
//!
//! `protocol/vectors/*.txt` hold named byte strings for other implementations to test against. Here each valid one is
//! read into the value of its row in [`table`] and written back; each invalid one causes the error that it names; and
//! SPEC.md quotes every valid message's bytes as they are in the files.

mod table;
mod text;
mod value;

use std::collections::BTreeMap;

use text::{Vector, to_hex};
use value::{Place, Value};

const CONTROL: &str = include_str!("../../vectors/control.txt");
const DISPLAY: &str = include_str!("../../vectors/display.txt");
const INPUT: &str = include_str!("../../vectors/input.txt");
const STREAM: &str = include_str!("../../vectors/stream.txt");
const DIGEST: &str = include_str!("../../vectors/digest.txt");
const SPEC: &str = include_str!("../../SPEC.md");

/// Where the vectors of a file are found on the wire, by the front of their names.
const PLACES: [(&str, Place); 11] = [
    ("frame-", Place::Frame),
    ("feedback", Place::Feedback),
    ("heartbeat", Place::Heartbeat),
    ("cursor-at", Place::CursorDatagram),
    ("cursor-shape", Place::CursorStream),
    ("event-", Place::Input),
    ("unknown-input", Place::Input),
    ("input-too-long", Place::Input),
    ("input-", Place::InputDatagram),
    ("stream-", Place::Stream),
    // All others are messages of the control stream.
    ("", Place::Control),
];

#[test]
fn valid_vectors_are_read_and_written() {
    let mut table: BTreeMap<_, _> = table::all().into_iter().collect();
    for vector in messages().into_iter().filter(|vector| vector.outcome.is_none()) {
        let name = vector.name.as_str();
        let value = table.remove(name).unwrap_or_else(|| panic!("{name} has no row in the table"));
        assert_eq!(read(&vector).as_ref(), Ok(&value), "{name} is read as another value");
        if !table::READ_ONLY.contains(&name) {
            assert_eq!(
                to_hex(&value::write(&value)),
                to_hex(&vector.bytes),
                "{name} is written as other bytes"
            );
        }
    }
    assert!(table.is_empty(), "rows without a vector: {:?}", table.keys());
}

#[test]
fn invalid_vectors_cause_their_errors() {
    for vector in messages() {
        let Some(error) = &vector.outcome else { continue };
        let got = read(&vector).map_err(|error| error.to_string());
        assert_eq!(got.as_ref(), Err(error), "{}: {}", vector.name, vector.means);
    }
}

#[test]
fn digest_vectors_hash_to_what_they_give() {
    for vector in text::read(DIGEST) {
        let digest = xxhash_rust::xxh3::xxh3_128(&vector.bytes).to_be_bytes();
        assert_eq!(vector.outcome, Some(to_hex(&digest)), "{}", vector.name);
    }
}

#[test]
fn names_are_unique_and_each_says_what_it_means() {
    let all = [messages(), text::read(DIGEST)].concat();
    let names: BTreeMap<_, _> = all.iter().map(|vector| (&vector.name, vector)).collect();
    assert_eq!(names.len(), all.len(), "two vectors have one name");
    for vector in all {
        assert!(!vector.means.is_empty(), "{} does not say what it means", vector.name);
    }
}

#[test]
fn the_specification_quotes_the_vectors_exactly() {
    let all = [messages(), text::read(DIGEST)].concat();
    let quotes = text::quoted(SPEC);
    for quote in &quotes {
        let vector = all.iter().find(|vector| vector.name == quote.name);
        let vector = vector.unwrap_or_else(|| panic!("SPEC.md quotes {}, which is in no file", quote.name));
        assert_eq!(quote, vector, "SPEC.md quotes {} in other words", quote.name);
    }
    for kind in [
        "hello",
        "welcome",
        "surface",
        "surface-gone",
        "layout",
        "want-layout",
        "proof",
        "verdict",
        "nack",
        "leds",
        "close",
        "frame",
        "feedback",
        "heartbeat",
        "cursor-at",
        "cursor-shape",
        "event",
        "input",
        "stream",
        "digest",
    ] {
        assert!(quotes.iter().any(|quote| quote.name.starts_with(kind)), "SPEC.md has no example of {kind}");
    }
}

/// All vectors but those of digests.
fn messages() -> Vec<Vector> {
    [CONTROL, DISPLAY, INPUT, STREAM].into_iter().flat_map(text::read).collect()
}

fn read(vector: &Vector) -> Result<Value, lightbox_protocol::wire::WireError> {
    let (_, place) =
        PLACES.iter().find(|(front, _)| vector.name.starts_with(front)).expect("the last fits all");
    value::read(*place, &vector.bytes)
}
