//! Journals of commits.
#![no_main]

use megax::disk::fuzzing;
use megax_fuzz::text;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| text(bytes, fuzzing::journal));
