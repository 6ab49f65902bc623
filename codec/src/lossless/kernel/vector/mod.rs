//! The kernels for CPUs with vectors, written once: what a CPU brings is a type of sixteen lanes of 16 bits, one of
//! 32 bits, and the few operations that every CPU does in its own way.

mod decode;
mod led;
mod push;
mod shuffles;

pub(super) use decode::{Taps, decode};
pub(super) use led::decode_led;
pub(super) use push::push;
pub(super) use shuffles::{COMPRESS, EXPAND};

use super::scalar::{Source, Tables, Words};
use crate::lossless::wave::model::CONTEXTS;
use crate::lossless::wave::tables::SLOTS;
use crate::lossless::wave::{BLOCK, LANES};

/// The vectors of a CPU. INVARIANT: a value of this type, or of its vectors, exists only where the CPU has them; it is
/// what makes their operations safe.
///
/// All operations are inlined into functions that are compiled for the CPU.
pub(super) trait Lanes: Copy {
    type H: Narrow;
    type V: Wide<H = Self::H>;
    /// Where the table of each context begins.
    type Families: Copy;
    /// The weights of a linear predictor.
    type Weights;

    /// The same number in every lane.
    fn all(self, value: u16) -> Self::H;
    fn load(self, lanes: &[u16; LANES]) -> Self::H;
    /// The same number in every lane.
    fn all_wide(self, value: u32) -> Self::V;
    fn load_wide(self, lanes: &[u32; LANES]) -> Self::V;
    /// Numbers of 16 bits in lanes of 32.
    fn spread(self, lanes: &[u16; LANES]) -> Self::V;

    fn families(self, starts: &[u32; CONTEXTS]) -> Self::Families;
    /// The table entries of the states' slots in the tables of the contexts whose energies these are.
    fn entries(
        self,
        families: &Self::Families,
        energy: Self::H,
        states: Self::V,
        table: &[u32; SLOTS],
    ) -> Self::V;
    /// What becomes of `states` that have gone on to `next`: those below 2^16 take a word, lane by lane. Lanes outside
    /// `active` stay as they were. Also how many words were taken.
    fn refill(
        self,
        states: Self::V,
        next: Self::V,
        active: Option<Self::H>,
        words: &[u16; Source::ROOM],
    ) -> (Self::V, usize);

    fn weights(self, weights: [i32; 6]) -> Self::Weights;
    /// Linear predictions from samples with their top bit turned ([`TURN`]), clamped to 0..=`max`.
    fn linear(self, weights: &Self::Weights, taps: &Taps<Self::H>, max: Self::H) -> Self::H;
    /// Steps of lanes become lanes of steps.
    fn to_rows(self, steps: &[[u16; LANES]; BLOCK], rows: &mut [[u16; BLOCK]; LANES]);

    /// The reciprocals and the rests of the entries of `keys`.
    fn look_up(self, tables: &Tables, keys: &[u16; LANES]) -> (Self::V, Self::V);
    /// Writes the low halves of the lanes that are not in `fits`, before the words there are. Beside them it writes
    /// only where later steps write.
    fn put(self, x: Self::V, fits: <Self::V as Wide>::Mask, words: &mut Words);
}

/// Sixteen lanes of 16 bits. Masks are -1 for yes.
pub(super) trait Narrow: Copy {
    fn store(self, lanes: &mut [u16; LANES]);
    fn add(self, other: Self) -> Self;
    fn sub(self, other: Self) -> Self;
    /// The sum, or the largest number of 16 bits.
    fn add_up(self, other: Self) -> Self;
    fn and(self, other: Self) -> Self;
    fn or(self, other: Self) -> Self;
    fn xor(self, other: Self) -> Self;
    /// The bits of `other` that are not in this one.
    fn clears(self, other: Self) -> Self;
    /// The smaller one with sign.
    fn min(self, other: Self) -> Self;
    /// The larger one with sign.
    fn max(self, other: Self) -> Self;
    fn is(self, other: Self) -> Self;
    /// Which lanes are above those of `other`, with sign.
    fn is_more(self, other: Self) -> Self;
    fn left<const BITS: i32>(self) -> Self;
    fn right<const BITS: i32>(self) -> Self;
    /// A shift that keeps the sign.
    fn halve<const BITS: i32>(self) -> Self;
    /// `other` in the lanes of `mask`.
    fn or_where(self, mask: Self, other: Self) -> Self;
    /// Every lane gets what the lane above had, lane 0 gets the last of `first`.
    fn down(self, first: &[u16; 8]) -> Self;
    fn last(self) -> u16;
    /// One bit for each lane of a mask.
    fn bits(self) -> u32;
}

/// Sixteen lanes of 32 bits, in an order that is the CPU's own.
pub(super) trait Wide: Copy {
    type H: Narrow;
    type Mask: Copy;

    fn store(self) -> [u32; LANES];
    fn add(self, other: Self) -> Self;
    fn sub(self, other: Self) -> Self;
    fn mul(self, other: Self) -> Self;
    /// The high halves of the products without sign.
    fn high_product(self, other: Self) -> Self;
    fn and(self, other: Self) -> Self;
    fn or(self, other: Self) -> Self;
    /// The bits of `other` that are not in this one.
    fn clears(self, other: Self) -> Self;
    /// Which lanes are above those of `other`, with sign.
    fn is_more(self, other: Self) -> Self::Mask;
    /// `other` in the lanes of `mask`.
    fn or_where(self, mask: Self::Mask, other: Self) -> Self;
    /// 0 in the lanes of `mask`.
    fn unless(self, mask: Self::Mask) -> Self;
    /// Shifts by the numbers of `other`, 0..=31.
    fn shift_left(self, other: Self) -> Self;
    /// Shifts by the numbers of `other`, 0..=31.
    fn shift_right(self, other: Self) -> Self;
    fn left<const BITS: i32>(self) -> Self;
    fn right<const BITS: i32>(self) -> Self;
    /// The lanes, which are below 2^16, in 16 bits.
    fn pack(self) -> Self::H;
    /// True if no bit is set.
    fn is_none(self) -> bool;
    /// True if a lane has its top bit set.
    fn is_any_negative(self) -> bool;
}

/// Methods that do what functions compiled for a CPU do.
macro_rules! trusting {
    ($(fn $name:ident $(<const $bits:ident: i32>)? ($self:ident $(, $arg:ident: $type:ty)*) $(-> $out:ty)? {
        $body:expr
    })*) => { $(
        #[inline(always)]
        fn $name $(<const $bits: i32>)? ($self $(, $arg: $type)*) $(-> $out)? {
            // SAFETY: the invariant of `Lanes`: the value that is `self` exists only where the CPU has the features.
            // (On a target that always has them this is safe without a promise.)
            #[allow(unused_unsafe)]
            unsafe {
                $body
            }
        }
    )* };
}
pub(super) use trusting;

/// The methods of [`Narrow`] by the methods of the same names that a type has of its own, all of them.
#[rustfmt::skip]
macro_rules! narrow_methods {
    ($H:ident) => {
        trusting! {
            fn store(self, lanes: &mut [u16; LANES]) { $H::store(self, lanes) }
            fn add(self, other: $H) -> $H { $H::add(self, other) }
            fn sub(self, other: $H) -> $H { $H::sub(self, other) }
            fn add_up(self, other: $H) -> $H { $H::add_up(self, other) }
            fn and(self, other: $H) -> $H { $H::and(self, other) }
            fn or(self, other: $H) -> $H { $H::or(self, other) }
            fn xor(self, other: $H) -> $H { $H::xor(self, other) }
            fn clears(self, other: $H) -> $H { $H::clears(self, other) }
            fn min(self, other: $H) -> $H { $H::min(self, other) }
            fn max(self, other: $H) -> $H { $H::max(self, other) }
            fn is(self, other: $H) -> $H { $H::is(self, other) }
            fn is_more(self, other: $H) -> $H { $H::is_more(self, other) }
            fn left<const BITS: i32>(self) -> $H { $H::left::<BITS>(self) }
            fn right<const BITS: i32>(self) -> $H { $H::right::<BITS>(self) }
            fn halve<const BITS: i32>(self) -> $H { $H::halve::<BITS>(self) }
            fn or_where(self, mask: $H, other: $H) -> $H { $H::or_where(self, mask, other) }
            fn down(self, first: &[u16; 8]) -> $H { $H::down(self, first) }
            fn last(self) -> u16 { $H::last(self) }
            fn bits(self) -> u32 { $H::bits(self) }
        }
    };
}
pub(super) use narrow_methods;

/// The same for [`Wide`], but for what a type may have under other names.
#[rustfmt::skip]
macro_rules! wide_methods {
    ($V:ident) => {
        trusting! {
            fn add(self, other: $V) -> $V { $V::add(self, other) }
            fn sub(self, other: $V) -> $V { $V::sub(self, other) }
            fn mul(self, other: $V) -> $V { $V::mul(self, other) }
            fn high_product(self, other: $V) -> $V { $V::high_product(self, other) }
            fn and(self, other: $V) -> $V { $V::and(self, other) }
            fn or(self, other: $V) -> $V { $V::or(self, other) }
            fn clears(self, other: $V) -> $V { $V::clears(self, other) }
            fn is_more(self, other: $V) -> $V { $V::is_more(self, other) }
            fn or_where(self, mask: $V, other: $V) -> $V { $V::or_where(self, mask, other) }
            fn unless(self, mask: $V) -> $V { $V::clears(mask, self) }
            fn shift_left(self, other: $V) -> $V { $V::shift_left(self, other) }
            fn shift_right(self, other: $V) -> $V { $V::shift_right(self, other) }
            fn left<const BITS: i32>(self) -> $V { $V::left::<BITS>(self) }
            fn right<const BITS: i32>(self) -> $V { $V::right::<BITS>(self) }
        }
    };
}
pub(super) use wide_methods;

/// Compiles the walks for a CPU: given is a function that models, the CPU's features, and a function of these features that
/// makes its [`Lanes`].
///
/// INVARIANT: what this makes is called only where the CPU has the features. [`super::Kernels::best`] hands it out only
/// for a set of features that holds them, and an encoder or decoder has such a set only if `Features::detect` found it
/// in this CPU (`with_cpu` masks what it is asked for).
macro_rules! kernels {
    ($model:expr, $features:literal, $new:expr) => {
        pub(in super::super) static KERNELS: $crate::lossless::kernel::Kernels = {
            use $crate::lossless::kernel::{Decoding, Kernels, LedModelling, Step, Words, model_led, vector};
            use $crate::lossless::wave::LANES;
            use $crate::lossless::wave::led::{Hints, Led};
            use $crate::lossless::wave::tables::{ENTRIES, Entry, Map};

            #[target_feature(enable = $features)]
            fn push(
                steps: &[Step],
                map: &Map,
                entries: &[Entry; ENTRIES],
                states: &mut [u32; LANES],
                words: &mut Words,
            ) {
                vector::push($new(), steps, map, entries, states, words);
            }

            #[target_feature(enable = $features)]
            fn decode(job: &mut Decoding<'_>) {
                vector::decode($new(), job);
            }

            #[target_feature(enable = $features)]
            fn model_led_here(job: &mut LedModelling<'_>) {
                model_led(job);
            }

            #[target_feature(enable = $features)]
            fn decode_led(job: &mut Decoding<'_>, led: Led, hints: &[Hints]) {
                vector::decode_led($new(), job, led, hints);
            }

            // A target that always has the features needs no promise.
            #[allow(unused_unsafe)]
            Kernels {
                model: $model,
                push: |steps, map, entries, states, words| {
                    // SAFETY: the invariant of `kernels!`.
                    unsafe { push(steps, map, entries, states, words) }
                },
                // SAFETY: the invariant of `kernels!`.
                decode: |job| unsafe { decode(job) },
                // SAFETY: the invariant of `kernels!`.
                model_led: |job| unsafe { model_led_here(job) },
                // SAFETY: the invariant of `kernels!`.
                decode_led: |job, led, hints| unsafe { decode_led(job, led, hints) },
            }
        };
    };
}
pub(super) use kernels;
