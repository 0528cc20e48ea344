//! What lies in the operation log and in the store of inputs: entries, listings, checkpoints.
#![no_main]

use megax::disk::fuzzing;
use megax_fuzz::text;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| text(bytes, fuzzing::log));
