//! Structs that can grow: their first field, `size`, says how much of them the program was compiled with.
//!
//! A newer library reads an older, shorter struct as if zeros followed, and writes no more than fits. An older library
//! takes a newer, longer struct if what it does not know is zero, and refuses it otherwise: a setting is never
//! ignored in silence.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;

use crate::error::Failure;

/// A struct that begins with its size.
///
/// # Safety
/// `repr(C)`, the first field is `size: usize`, and every field takes any bits: integers, raw pointers, optional
/// function pointers, and structs and arrays of these.
pub(crate) unsafe trait SizeFirst: Copy {
    /// What an error calls it.
    const NAME: &'static str;
    /// Bytes it had in the version that brought it.
    const LEAST: usize;

    /// All zero but for the size.
    fn new() -> Self {
        // SAFETY: any bits will do, and `size` is the first field.
        unsafe {
            let mut value = MaybeUninit::<Self>::zeroed();
            value.as_mut_ptr().cast::<usize>().write(size_of::<Self>());
            value.assume_init()
        }
    }
}

/// Copies a struct that C fills, with zeros for what it does not have.
///
/// # Safety
/// `from` is NULL or has the bytes its `size` says.
pub(crate) unsafe fn read<T: SizeFirst>(from: *const T) -> Result<T, Failure> {
    // SAFETY: the caller's promise.
    let size = unsafe { size_of_given(from) }?;
    let mut value = T::new();
    let known = size.min(size_of::<T>());
    // SAFETY: `from` has `size` bytes, and ours has those copied; they do not overlap as ours is a local. Any bits
    // will do, by `SizeFirst`.
    unsafe { std::ptr::copy_nonoverlapping(from.cast::<u8>(), (&raw mut value).cast::<u8>(), known) };
    for at in known..size {
        // SAFETY: below `size`.
        if unsafe { from.cast::<u8>().add(at).read() } != 0 {
            let name = T::NAME;
            return Err(Failure::argument(format_args!(
                "{name} has fields that this version of the library does not know: leave them zero"
            )));
        }
    }
    Ok(value)
}

/// Where a struct for C goes: found fit before the work is done whose outcome it takes.
pub(crate) struct Place<T> {
    to: *mut T,
    size: usize,
}

/// Looks at the struct that C wants filled.
///
/// # Safety
/// `to` is NULL or has the bytes its `size` says, and stays writable until the place is filled.
pub(crate) unsafe fn place<T: SizeFirst>(to: *mut T) -> Result<Place<T>, Failure> {
    // SAFETY: the caller's promise.
    let size = unsafe { size_of_given(to) }?;
    Ok(Place { to, size })
}

impl<T: SizeFirst> Place<T> {
    /// Fills as much of it as C has; what is longer than ours, with zeros.
    pub(crate) fn fill(self, value: T) {
        let known = self.size.min(size_of::<T>());
        let rest = size_of::<usize>();
        // SAFETY: by the promise to `place`, `to` has `size` bytes to write, and both counts stay within; `value` is a
        // local, so nothing overlaps. The size itself stays what C said.
        unsafe {
            let (from, to) = ((&raw const value).cast::<u8>(), self.to.cast::<u8>());
            std::ptr::copy_nonoverlapping(from.add(rest), to.add(rest), known - rest);
            to.add(known).write_bytes(0, self.size - known);
        }
    }
}

/// # Safety
/// `given` is NULL or a struct that begins with its size.
unsafe fn size_of_given<T: SizeFirst>(given: *const T) -> Result<usize, Failure> {
    let name = T::NAME;
    if given.is_null() || !given.is_aligned() {
        return Err(Failure::argument(format_args!("{name} is NULL or not aligned")));
    }
    // SAFETY: not NULL, aligned, and it begins with a size.
    let size = unsafe { given.cast::<usize>().read() };
    if size < T::LEAST || size > MOST {
        let least = T::LEAST;
        return Err(Failure::argument(format_args!(
            "{name}.size is {size}: set it to sizeof, at least {least}"
        )));
    }
    Ok(size)
}

/// No struct will ever be longer; a size that was never set mostly is.
const MOST: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[repr(C)]
    #[derive(Clone, Copy, Debug, PartialEq)]
    struct Settings {
        size: usize,
        old: usize,
        new: usize,
    }

    // SAFETY: `repr(C)`, size first, integers only.
    unsafe impl SizeFirst for Settings {
        const NAME: &'static str = "settings";
        const LEAST: usize = 2 * size_of::<usize>();
    }

    const WORD: usize = size_of::<usize>();

    /// Reads a struct of this size from words of which there are enough.
    fn read_words(words: &[usize]) -> Result<Settings, Failure> {
        assert!(words[0] > MOST || words[0] <= words.len() * WORD);
        // SAFETY: the words are as many as the size says, or the size is refused.
        unsafe { read(words.as_ptr().cast::<Settings>()) }
    }

    #[test]
    fn shorter_structs_are_read_with_zeros_and_longer_ones_if_zero() {
        let whole = Settings { size: 2 * WORD, old: 7, new: 0 };
        assert_eq!(read_words(&[2 * WORD, 7]).unwrap(), whole);
        assert_eq!(read_words(&[3 * WORD, 7, 8]).unwrap().new, 8);
        assert_eq!(read_words(&[4 * WORD, 7, 8, 0]).unwrap().new, 8);
        assert!(read_words(&[4 * WORD, 7, 8, 1]).is_err());
        assert!(read_words(&[WORD]).is_err());
        assert!(read_words(&[usize::MAX]).is_err());
    }

    #[test]
    fn no_more_is_written_than_fits() {
        for size in 2..=4 {
            let mut words = [9usize; 5];
            words[0] = size * WORD;
            // SAFETY: there are five words, and the size says at most four.
            let place = unsafe { place(words.as_mut_ptr().cast::<Settings>()) }.unwrap();
            place.fill(Settings { size: 0, old: 1, new: 2 });
            let mut expected = [size * WORD, 1, 2, 0, 9];
            expected[size..].fill(9);
            assert_eq!(words, expected);
        }
    }
}
