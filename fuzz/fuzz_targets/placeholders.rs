//! The scanner of placeholders and tags.
#![no_main]

use megax::template::fuzzing;
use megax_fuzz::text;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| text(bytes, fuzzing::scan_all));
