//! Fractions of clicks and pixels: they wait until they make a whole one.

/// Clicks of the wheel that one action makes at most.
pub(super) const MOST_CLICKS: i32 = 32;

/// Adds `by` to the rest in `rest` and takes the whole units out, at most `most` of either sign.
pub(super) fn whole(rest: &mut i32, by: i32, unit: i32, most: i32) -> i32 {
    let sum = rest.saturating_add(by);
    *rest = sum % unit;
    (sum / unit).clamp(-most, most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_add_up_and_floods_are_cut() {
        let mut rest = 0;
        let clicks: Vec<_> = (0..6).map(|_| whole(&mut rest, 50, 120, 32)).collect();
        assert_eq!(clicks, [0, 0, 1, 0, 1, 0]);
        assert_eq!((whole(&mut rest, -180, 120, 32), rest), (-1, 0));
        assert_eq!(whole(&mut rest, i32::MAX, 120, 32), 32);
        assert_eq!(whole(&mut rest, i32::MIN, 120, 32), -32);
    }
}
