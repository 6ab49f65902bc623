//! What each channel does, a client half and a server half each. All are values that know no stream and no clock;
//! the [`crate::session`]s own them and carry their messages.

pub mod cursor;
pub mod display;
pub mod input;
pub mod stream;
