//! A look at a DICOM file's element headers, before a parser is let at it that allocates whatever a header claims.

/// True if `file` is a preamble, `DICM`, and elements whose lengths all lie inside the file.
///
/// It is a flat walk (DICOM PS3.5, chapter 7): sequences and items are entered, every other value is stepped over.
pub(super) fn fit(file: &[u8]) -> bool {
    let Some(rest) = file.get(PREAMBLE..).and_then(|rest| rest.strip_prefix(b"DICM")) else { return false };
    walk(rest).is_some()
}

/// `None` where a header is cut, unknown, or claims more than there is.
fn walk(mut rest: &[u8]) -> Option<()> {
    let mut implicit = false;
    let mut fragments = false;
    while !rest.is_empty() {
        let (tag, behind) = rest.split_first_chunk::<4>()?;
        let group = u16::from_le_bytes([tag[0], tag[1]]);
        let element = u16::from_le_bytes([tag[2], tag[3]]);
        let (length, sequence, value) = match group {
            0xFFFE => {
                let (length, value) = long(behind)?;
                match (element, fragments) {
                    (0xE000, true) => (length, false, value),
                    (0xE0DD, _) => {
                        fragments = false;
                        (0, true, value)
                    }
                    _ => (0, true, value),
                }
            }
            0x0002 => header(behind)?,
            _ if implicit => {
                let (length, value) = long(behind)?;
                // Without a VR, what begins with an item is a sequence.
                (length, length == UNDEFINED || value.starts_with(&ITEM), value)
            }
            _ => header(behind)?,
        };
        if (group, element) == (0x7FE0, 0x0010) && length == UNDEFINED {
            fragments = true;
            rest = value;
        } else if sequence {
            rest = value;
        } else {
            let (value, behind) = value.split_at_checked(usize::try_from(length).ok()?)?;
            if (group, element) == (0x0002, 0x0010) {
                implicit = value.trim_ascii_end().strip_suffix(b"\0").unwrap_or(value) == IMPLICIT;
            }
            rest = behind;
        }
    }
    Some(())
}

/// The length behind an explicit VR, whether that is a sequence, and what follows.
fn header(rest: &[u8]) -> Option<(u32, bool, &[u8])> {
    let (vr, rest) = rest.split_first_chunk::<2>()?;
    if LONG.contains(&vr) {
        let (length, value) = long(rest.get(2 /* reserved */..)?)?;
        return Some((length, vr == b"SQ", value));
    }
    let (length, value) = rest.split_first_chunk::<2>()?;
    SHORT.contains(&vr).then(|| (u16::from_le_bytes(*length).into(), false, value))
}

fn long(rest: &[u8]) -> Option<(u32, &[u8])> {
    let (length, value) = rest.split_first_chunk::<4>()?;
    Some((u32::from_le_bytes(*length), value))
}

const PREAMBLE: usize = 128;
/// The length of a value that a delimiter ends.
const UNDEFINED: u32 = u32::MAX;
/// The tag of an item.
const ITEM: [u8; 4] = [0xFE, 0xFF, 0x00, 0xE0];
/// The transfer syntax without VRs.
const IMPLICIT: &[u8] = b"1.2.840.10008.1.2";
/// VRs with a length of four bytes, and with one of two.
const LONG: [&[u8; 2]; 13] =
    [b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"];
const SHORT: [&[u8; 2]; 21] = [
    b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO", b"LT", b"PN", b"SH", b"SL",
    b"SS", b"ST", b"TM", b"UI", b"UL", b"US",
];
