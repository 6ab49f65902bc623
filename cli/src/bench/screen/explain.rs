//! The line of JSON, told to people.

use std::fmt::Write as _;

use serde_json::Value;

/// Tables of what `line` says: how it went, what was coded how, and what the bytes on the wire were for.
pub(super) fn text(line: &Value) -> String {
    let mut out = String::new();
    let wire = number(&line["bytes"]);
    let ends = if line["exact"] == true { "proved exact" } else { "NOT EXACT" };
    // Writing to a string cannot fail, here and below.
    let _ = writeln!(
        out,
        "{}, {}: {ends} after {} ms",
        word(&line["file"]),
        word(&line["wire"]),
        line["time_to_verified_ms"]
    );
    let _ = writeln!(
        out,
        "  {} frames, {} shown themselves; {wire} bytes on the wire after the first picture, which took {}",
        line["frames"], line["shown"], line["first_paint_bytes"],
    );
    let latency = &line["latency_ms"];
    let _ = writeln!(
        out,
        "  latency {} / {} / {} ms (p50 / p95 / p99); a frame sent: encoded in {} ms, painted in {} ms (means)\n",
        latency["p50"], latency["p95"], latency["p99"], line["encode_ms_mean"], line["paint_ms_mean"],
    );
    techniques(&mut out, &line["codecs"]);
    parts(&mut out, &line["wire_parts"], number(&line["codec_bytes"]), wire);
    out
}

/// The techniques, dearest first.
fn techniques(out: &mut String, codecs: &Value) {
    let mut rows: Vec<(&str, [u64; 3])> = codecs
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, used)| (name.as_str(), ["rects", "pixels", "bytes"].map(|field| number(&used[field]))))
        .collect();
    rows.sort_by_key(|(_, [.., bytes])| std::cmp::Reverse(*bytes));
    let sum = rows.iter().fold([0; 3], |sum, (_, row)| [0, 1, 2].map(|i| sum[i] + row[i]));
    rows.push(("all", sum));
    let _ = writeln!(
        out,
        "  {:12} {:>8} {:>12} {:>10} {:>7} {:>9}",
        "technique", "rects", "pixels", "bytes", "share", "bit/px"
    );
    for (name, [rects, pixels, bytes]) in rows {
        let bits = bytes as f64 * 8.0 / pixels.max(1) as f64;
        let share = percent(bytes, sum[2]);
        let _ = writeln!(out, "  {name:12} {rects:8} {pixels:12} {bytes:10} {share:>7} {bits:9.4}");
    }
    out.push('\n');
}

/// What the wire's bytes were for, by what the server counted; frames are split into what says how pixels look, and
/// what says which frame that is.
fn parts(out: &mut String, parts: &Value, coded: u64, wire: u64) {
    let _ = writeln!(out, "  {:24} {:>8} {:>10} {:>7}", "on the wire", "messages", "bytes", "share");
    let mut row = |name: &str, messages: Option<u64>, bytes: u64| {
        let messages = messages.map(|n| n.to_string()).unwrap_or_default();
        let _ = writeln!(out, "  {name:24} {messages:>8} {bytes:10} {:>7}", percent(bytes, wire));
    };
    let pairs = parts.as_object().into_iter().flatten().filter_map(|(name, pair)| {
        let pair = pair.as_array()?;
        Some((name.as_str(), number(pair.first()?), number(pair.get(1)?)))
    });
    for (name, messages, bytes) in pairs.filter(|(_, messages, _)| *messages > 0) {
        row(name, Some(messages), bytes);
        if name == "frame" {
            row("  how pixels look", None, coded.min(bytes));
            row("  headers", None, bytes.saturating_sub(coded));
        }
    }
    let packets = number(&parts["packets_down"]) + number(&parts["packets_up"]);
    row("QUIC, UDP and IP", None, number(&parts["wrapping"]));
    let (down, up) = (&parts["packets_down"], &parts["packets_up"]);
    let _ = writeln!(out, "  {packets} packets: {down} to the client, {up} from it");
}

fn percent(part: u64, whole: u64) -> String {
    format!("{:.1} %", part as f64 * 100.0 / whole.max(1) as f64)
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_default()
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_dearest_technique_comes_first_and_frames_are_split() {
        let line = json!({
            "file": "desk", "wire": "loopback", "exact": true, "bytes": 1000, "codec_bytes": 600,
            "codecs": {
                "copy": { "rects": 2, "pixels": 4096, "bytes": 20 },
                "a later one": { "rects": 1, "pixels": 1000, "bytes": 580 },
            },
            "wire_parts": { "packets_down": 3, "packets_up": 2, "frame": [4, 650], "input": [0, 0], "wrapping": 350 },
        });
        let text = text(&line);
        let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
        let place =
            |row: &[&str]| rows.iter().position(|r| r == row).unwrap_or_else(|| panic!("{row:?}: {text}"));
        assert!(
            place(&["a", "later", "one", "1", "1000", "580", "96.7", "%", "4.6400"])
                < place(&["copy", "2", "4096", "20", "3.3", "%", "0.0391"])
        );
        place(&["frame", "4", "650", "65.0", "%"]);
        place(&["how", "pixels", "look", "600", "60.0", "%"]);
        place(&["headers", "50", "5.0", "%"]);
        place(&["QUIC,", "UDP", "and", "IP", "350", "35.0", "%"]);
        assert!(!text.contains("input"));
    }
}
