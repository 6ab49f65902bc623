//! Ten-bit colours that are eight-bit ones in a longer coat.
//!
//! What a desktop draws into a framebuffer of ten bits a component is mostly eight-bit colours expanded,
//! `v << 2 | v >> 6`. They are coded as the eight-bit colours they are.

/// The bits of a pixel that carry a colour; the others are set.
pub(super) const COLOUR: u32 = (1 << 30) - 1;
/// The two low bits of each component.
const LOW: u32 = 3 | 3 << 10 | 3 << 20;

/// Zero if all components are expanded ones: the low bits repeat the high ones.
#[inline(always)]
pub(super) fn surplus(deep: u32) -> u32 {
    (deep ^ deep >> 8) & LOW
}

/// The eight high bits of each component: `0xRRGGBB`.
#[inline(always)]
pub(super) fn narrow(deep: u32) -> u32 {
    deep >> 2 & 0xff | deep >> 4 & 0xff00 | deep >> 6 & 0xff_0000
}

/// Expands `0xRRGGBB`.
#[inline(always)]
pub(super) fn widen(colour: u32) -> u32 {
    let high = (colour & 0xff) << 2 | (colour & 0xff00) << 4 | (colour & 0xff_0000) << 6;
    high | high >> 8 & LOW
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_expanded_is_known_and_narrowed_again() {
        let mut expanded = 0;
        for v in 0..1 << 10 {
            let deep = v | (v ^ 0x155) << 10 | (1023 - v) << 20;
            let is_expanded = |v: u32| v & 3 == v >> 8;
            let all = is_expanded(v) && is_expanded(v ^ 0x155) && is_expanded(1023 - v);
            assert_eq!(surplus(deep) == 0, all);
            assert_eq!(widen(narrow(deep)) == deep, all);
            expanded += u32::from(surplus(v) == 0);
        }
        assert_eq!(expanded, 256);
        assert_eq!(widen(0x00ff_8000), 0x3ff << 20 | 0x202 << 10);
    }
}
