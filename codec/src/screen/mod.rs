//! What is known about a picture because of the one before it.
//!
//! A desktop seldom shows anything new: it scrolls what it showed, drags it, or paints over a part. This module
//! finds the parts of a frame that need no coding because the client has their pixels already.
//!
//! - [`motion`]: rects that the previous frame shows at another place.
//! - [`packed`]: tiles put aside for the day on which they are shown again.
//! - [`scaled`]: images that are shown larger or smaller than they are.
//! - [`update`]: what is new, guessed from what was shown and from all that was new before.

pub mod motion;
pub mod packed;
pub mod scaled;
pub mod update;
