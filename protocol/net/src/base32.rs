//! RFC 4648 base32 without padding, over bit strings that need not be whole bytes: what people copy by hand.

/// Upper case only; reading also takes lower case, since addresses get retyped.
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The first `chars * 5` bits of `bytes`, most significant first. Bits beyond the end are zero.
pub(crate) fn encode(bytes: &[u8], chars: usize) -> String {
    let bit = |at: usize| bytes.get(at / 8).is_some_and(|byte| byte >> (7 - at % 8) & 1 == 1);
    (0..chars)
        .map(|i| {
            let value = (0..5).fold(0, |value, b| value << 1 | usize::from(bit(i * 5 + b)));
            char::from(ALPHABET[value])
        })
        .collect()
}

/// The bits of exactly `chars` characters, left-justified in `N` bytes; `None` for another length or character.
///
/// `N * 8 >= chars * 5` is the caller's to keep.
pub(crate) fn decode<const N: usize>(text: &str, chars: usize) -> Option<[u8; N]> {
    debug_assert!(N * 8 >= chars * 5);
    if text.len() != chars {
        return None;
    }
    let mut bytes = [0; N];
    for (i, char) in text.bytes().enumerate() {
        let value = ALPHABET.iter().position(|&a| a == char.to_ascii_uppercase())?;
        for b in 0..5 {
            let at = i * 5 + b;
            bytes[at / 8] |= u8::from(value >> (4 - b) & 1 == 1) << (7 - at % 8);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_rfc_4648() {
        // RFC 4648 section 10, padding removed.
        for (plain, text) in [("f", "MY"), ("fo", "MZXQ"), ("foob", "MZXW6YQ"), ("foobar", "MZXW6YTBOI")] {
            assert_eq!(encode(plain.as_bytes(), text.len()), text);
            let mut expect = [0; 7];
            expect[..plain.len()].copy_from_slice(plain.as_bytes());
            assert_eq!(decode(text, text.len()), Some(expect));
            assert_eq!(decode(&text.to_lowercase(), text.len()), Some(expect));
        }
    }

    #[test]
    fn refuses_other_lengths_and_characters() {
        for bad in ["", "MZX", "MZXQA", "MZ1Q", "MZ=Q", "MZÄ"] {
            assert_eq!(decode::<3>(bad, 4), None, "{bad}");
        }
    }
}
