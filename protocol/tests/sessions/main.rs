//! Whole sessions as values: two of them joined by queues, and single ones among hostile peers.

mod hostile;
mod pair;
mod resume;
mod streams;
