//! Keys under their different names: evdev codes, X keysyms, winit's codes.
//!
//! On the wire a key is its Linux evdev code, which names a place on the keyboard. Other names stand at the rims:
//! a window tells keys by winit's codes (the names of the W3C's UI Events), an X server by keycodes whose meaning
//! it keeps as keysyms.

/// One key of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// Linux evdev code (`KEY_A` is 30).
    pub evdev: u16,
    /// The W3C's and winit's name (`KeyA`).
    pub name: &'static str,
    /// The X keysym without modifiers on a US keyboard.
    pub keysym: u32,
}

macro_rules! keys {
    ($($evdev:literal $name:ident $keysym:literal),* $(,)?) => {
        /// Every key that has more than one name, by rising evdev code.
        pub const KEYS: &[Key] = &[$(Key { evdev: $evdev, name: stringify!($name), keysym: $keysym }),*];

        /// The evdev code of a key of winit's; `None` for keys that no Linux keyboard has.
        #[cfg(feature = "window")]
        pub fn from_winit(key: winit::keyboard::PhysicalKey) -> Option<u16> {
            use winit::keyboard::{KeyCode, NativeKeyCode, PhysicalKey};
            match key {
                $(PhysicalKey::Code(KeyCode::$name) => Some($evdev),)*
                PhysicalKey::Unidentified(NativeKeyCode::Xkb(code)) => {
                    u16::try_from(code).ok()?.checked_sub(u16::from(X_OFFSET)).filter(|code| *code > 0)
                }
                _ => None,
            }
        }
    };
}

keys! {
    1 Escape 0xff1b,
    2 Digit1 0x31, 3 Digit2 0x32, 4 Digit3 0x33, 5 Digit4 0x34, 6 Digit5 0x35,
    7 Digit6 0x36, 8 Digit7 0x37, 9 Digit8 0x38, 10 Digit9 0x39, 11 Digit0 0x30,
    12 Minus 0x2d, 13 Equal 0x3d, 14 Backspace 0xff08, 15 Tab 0xff09,
    16 KeyQ 0x71, 17 KeyW 0x77, 18 KeyE 0x65, 19 KeyR 0x72, 20 KeyT 0x74,
    21 KeyY 0x79, 22 KeyU 0x75, 23 KeyI 0x69, 24 KeyO 0x6f, 25 KeyP 0x70,
    26 BracketLeft 0x5b, 27 BracketRight 0x5d, 28 Enter 0xff0d, 29 ControlLeft 0xffe3,
    30 KeyA 0x61, 31 KeyS 0x73, 32 KeyD 0x64, 33 KeyF 0x66, 34 KeyG 0x67,
    35 KeyH 0x68, 36 KeyJ 0x6a, 37 KeyK 0x6b, 38 KeyL 0x6c,
    39 Semicolon 0x3b, 40 Quote 0x27, 41 Backquote 0x60, 42 ShiftLeft 0xffe1, 43 Backslash 0x5c,
    44 KeyZ 0x7a, 45 KeyX 0x78, 46 KeyC 0x63, 47 KeyV 0x76, 48 KeyB 0x62, 49 KeyN 0x6e, 50 KeyM 0x6d,
    51 Comma 0x2c, 52 Period 0x2e, 53 Slash 0x2f, 54 ShiftRight 0xffe2,
    55 NumpadMultiply 0xffaa, 56 AltLeft 0xffe9, 57 Space 0x20, 58 CapsLock 0xffe5,
    59 F1 0xffbe, 60 F2 0xffbf, 61 F3 0xffc0, 62 F4 0xffc1, 63 F5 0xffc2,
    64 F6 0xffc3, 65 F7 0xffc4, 66 F8 0xffc5, 67 F9 0xffc6, 68 F10 0xffc7,
    69 NumLock 0xff7f, 70 ScrollLock 0xff14,
    71 Numpad7 0xff95, 72 Numpad8 0xff97, 73 Numpad9 0xff9a, 74 NumpadSubtract 0xffad,
    75 Numpad4 0xff96, 76 Numpad5 0xff9d, 77 Numpad6 0xff98, 78 NumpadAdd 0xffab,
    79 Numpad1 0xff9c, 80 Numpad2 0xff99, 81 Numpad3 0xff9b, 82 Numpad0 0xff9e, 83 NumpadDecimal 0xff9f,
    85 Lang5 0xff2a, 86 IntlBackslash 0x3c, 87 F11 0xffc8, 88 F12 0xffc9,
    89 IntlRo 0x5c, 90 Lang3 0xff26, 91 Lang4 0xff25,
    92 Convert 0xff23, 93 KanaMode 0xff27, 94 NonConvert 0xff22,
    96 NumpadEnter 0xff8d, 97 ControlRight 0xffe4, 98 NumpadDivide 0xffaf, 99 PrintScreen 0xff61,
    100 AltRight 0xffea, 102 Home 0xff50, 103 ArrowUp 0xff52, 104 PageUp 0xff55, 105 ArrowLeft 0xff51,
    106 ArrowRight 0xff53, 107 End 0xff57, 108 ArrowDown 0xff54, 109 PageDown 0xff56,
    110 Insert 0xff63, 111 Delete 0xffff,
    113 AudioVolumeMute 0x1008ff12, 114 AudioVolumeDown 0x1008ff11, 115 AudioVolumeUp 0x1008ff13,
    116 Power 0x1008ff2a, 117 NumpadEqual 0xffbd, 119 Pause 0xff13, 121 NumpadComma 0xffac,
    122 Lang1 0xff31, 123 Lang2 0xff34, 124 IntlYen 0xa5,
    125 SuperLeft 0xffeb, 126 SuperRight 0xffec, 127 ContextMenu 0xff67,
    128 BrowserStop 0xff69, 129 Again 0xff66, 130 Props 0x1005ff70, 131 Undo 0xff65, 133 Copy 0x1008ff57,
    134 Open 0x1008ff6b, 135 Paste 0x1008ff6d, 136 Find 0xff68, 137 Cut 0x1008ff58, 138 Help 0xff6a,
    142 Sleep 0x1008ff2f, 143 WakeUp 0x1008ff2b, 144 LaunchApp1 0x1008ff5d, 155 LaunchMail 0x1008ff19,
    156 BrowserFavorites 0x1008ff30, 157 LaunchApp2 0x1008ff33, 158 BrowserBack 0x1008ff26,
    159 BrowserForward 0x1008ff27, 161 Eject 0x1008ff2c, 163 MediaTrackNext 0x1008ff17,
    164 MediaPlayPause 0x1008ff14, 165 MediaTrackPrevious 0x1008ff16, 166 MediaStop 0x1008ff15,
    172 BrowserHome 0x1008ff18, 173 BrowserRefresh 0x1008ff29,
    179 NumpadParenLeft 0x28, 180 NumpadParenRight 0x29,
    183 F13 0xffca, 184 F14 0xffcb, 185 F15 0xffcc, 186 F16 0xffcd, 187 F17 0xffce, 188 F18 0xffcf,
    189 F19 0xffd0, 190 F20 0xffd1, 191 F21 0xffd2, 192 F22 0xffd3, 193 F23 0xffd4, 194 F24 0xffd5,
    217 BrowserSearch 0x1008ff1b, 226 MediaSelect 0x1008ff32,
}

/// What an X server with evdev keycodes, that is every usual one, adds to an evdev code.
pub const X_OFFSET: u8 = 8;

/// The X keysym that types `c`; `None` for control characters that no key types.
pub fn keysym_of(c: char) -> Option<u32> {
    Some(match c {
        '\u{8}' => 0xff08,
        '\t' => 0xff09,
        '\n' | '\r' => 0xff0d,
        '\u{1b}' => 0xff1b,
        '\u{7f}' => 0xffff,
        ' '..='~' | '\u{a0}'..='\u{ff}' => c as u32,
        c if c.is_control() => return None,
        c => 0x0100_0000 + c as u32,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_stands_once() {
        assert!(KEYS.is_sorted_by(|a, b| a.evdev < b.evdev));
        let mut names: Vec<_> = KEYS.iter().map(|k| k.name).collect();
        names.sort_unstable();
        assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
    }

    #[test]
    fn characters_have_keysyms() {
        assert_eq!(keysym_of('a'), Some(0x61));
        assert_eq!(keysym_of('é'), Some(0xe9));
        assert_eq!(keysym_of('中'), Some(0x0100_4e2d));
        assert_eq!(keysym_of('🩻'), Some(0x0101_fa7b));
        assert_eq!(keysym_of('\n'), Some(0xff0d));
        assert_eq!((keysym_of('\0'), keysym_of('\u{85}')), (None, None));
    }

    #[cfg(feature = "window")]
    #[test]
    fn winits_codes_are_places_on_the_keyboard() {
        use winit::keyboard::{KeyCode, NativeKeyCode, PhysicalKey};
        let check = |key, evdev| assert_eq!(from_winit(key), evdev);
        check(PhysicalKey::Code(KeyCode::KeyA), Some(30));
        check(PhysicalKey::Code(KeyCode::ArrowUp), Some(103));
        check(PhysicalKey::Unidentified(NativeKeyCode::Xkb(248)), Some(240));
        check(PhysicalKey::Unidentified(NativeKeyCode::Xkb(3)), None);
        check(PhysicalKey::Code(KeyCode::Hyper), None);
    }
}
