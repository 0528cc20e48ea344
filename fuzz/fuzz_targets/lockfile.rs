//! Shards of the lockfile, and what is saved from damaged ones.
#![no_main]

use megax_fuzz::{invariants, text};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| text(bytes, invariants::lockfile));
