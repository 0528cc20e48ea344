//! Three-way merges: what was written last, what somebody edited, what is new.
#![no_main]

use megax_fuzz::{invariants, on_one_thread};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    // Divided by a byte that no text may hold.
    let mut texts = bytes.splitn(3, |&byte| byte == 0xff);
    let [base, edited, new] = [(); 3].map(|()| texts.next().unwrap_or_default());
    on_one_thread(|| invariants::merge(base, edited, new));
});
