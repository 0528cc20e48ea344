//! Templates, paths and expressions of every syntax: compiled and rendered.
#![no_main]

use megax_fuzz::{invariants, text};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| text(bytes, invariants::template));
