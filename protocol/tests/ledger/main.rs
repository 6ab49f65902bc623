//! The exact ledger against models that know the truth.
//!
//! - [`order`]: every order in which a client may begin frames ends in the same picture, by brute force.
//! - [`display`]: the same with real frames and pixels, in random orders of arrival.
//! - [`model`]: whatever is lost, broken or resumed, nothing is called verified that is not equal.

mod abstract_tiles;
mod display;
mod model;
mod order;
