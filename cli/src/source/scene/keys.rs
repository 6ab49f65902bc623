//! From places on the keyboard to characters: a US layout, enough to type a report.

/// What a key does to a text field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stroke {
    Char(char),
    Backspace,
    Nothing,
}

/// Left and right Shift, as evdev codes.
pub(crate) const SHIFTS: [u16; 2] = [42, 54];
/// Caps Lock.
pub(crate) const CAPS_LOCK: u16 = 58;

/// What the key with the evdev code `code` means.
pub(crate) fn stroke(code: u16, shift: bool, caps: bool) -> Stroke {
    match code {
        14 => return Stroke::Backspace,
        28 | 96 => return Stroke::Char('\n'),
        15 | 57 => return Stroke::Char(' '),
        _ => {}
    }
    for (first, plain, shifted) in ROWS {
        if let Some(i) = code.checked_sub(*first)
            && let Some(&c) = plain.as_bytes().get(usize::from(i))
        {
            let upper = shift != (caps && c.is_ascii_alphabetic());
            let row = if upper { shifted } else { plain };
            return Stroke::Char(char::from(row.as_bytes()[usize::from(i)]));
        }
    }
    Stroke::Nothing
}

/// Neighbouring keys: the first one's code, what they are, what they are with Shift.
const ROWS: &[(u16, &str, &str)] = &[
    (2, "1234567890-=", "!@#$%^&*()_+"),
    (16, "qwertyuiop[]", "QWERTYUIOP{}"),
    (30, "asdfghjkl;'`", "ASDFGHJKL:\"~"),
    (43, "\\zxcvbnm,./", "|ZXCVBNM<>?"),
    (55, "*", "*"),
    (71, "789-456+1230.", "789-456+1230."),
    (98, "/", "/"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_follow_shift_and_caps_and_digits_only_shift() {
        for (code, shift, caps, expect) in [
            (30, false, false, 'a'),
            (30, true, false, 'A'),
            (30, true, true, 'a'),
            (2, false, true, '1'),
            (2, true, false, '!'),
            (53, true, false, '?'),
            (43, false, false, '\\'),
            (41, true, false, '~'),
        ] {
            assert_eq!(stroke(code, shift, caps), Stroke::Char(expect), "{code}");
        }
        assert_eq!(stroke(14, false, false), Stroke::Backspace);
        assert_eq!(stroke(1, false, false), Stroke::Nothing);
        assert!(ROWS.iter().all(|(_, plain, shifted)| plain.len() == shifted.len()));
    }
}
