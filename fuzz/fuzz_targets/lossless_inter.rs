#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| lightbox_fuzz::oracle::lossless_inter(bytes));
